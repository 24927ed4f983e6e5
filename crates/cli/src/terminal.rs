//! Events on the terminal: a bar that moves, or lines for a log; notes; and what was written. All of it
//! goes to standard error.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use deepdream::{
    CancelToken, Content, Event, Events, Note, Progress, Result, Stage, Work, Wrote, readable_bytes,
};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use crate::{exit, interrupt};

/// How often a log gets a line about a video.
const LINES: Duration = Duration::from_secs(10);

/// Runs a job with its events on the terminal, until it is done or Ctrl-C stops it.
pub(crate) fn run<T>(
    quiet: bool,
    job: impl FnOnce(&Terminal, &CancelToken) -> Result<T>,
) -> Result<T> {
    let token = interrupt::listen()?;
    let terminal = Terminal::new(quiet);
    let done = job(&terminal, &token);
    terminal.view().end();
    done
}

/// Shows the events of a job.
pub(crate) struct Terminal {
    view: Mutex<View>,
}

struct View {
    quiet: bool,
    /// Whether there is a bar, or lines for a log.
    bars: bool,
    bar: ProgressBar,
    work: Option<Work>,
    /// When the log got its last line about a video.
    said: Option<Instant>,
}

impl Terminal {
    /// A view that says nothing but what is wrong if it is `quiet`.
    fn new(quiet: bool) -> Self {
        let bars = std::io::stderr().is_terminal();
        let bar = ProgressBar::hidden();
        Self { view: Mutex::new(View { quiet, bars, bar, work: None, said: None }) }
    }

    fn view(&self) -> std::sync::MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events for Terminal {
    fn event(&self, event: Event) {
        let mut view = self.view();
        match event {
            Event::Failed { error, .. } => view.line(exit::text(&error)),
            Event::Note(Note::Damage(text)) => view.line(text),
            _ if view.quiet => {}
            Event::Started(work) => view.start(work),
            Event::Progress(progress) => view.progress(&progress),
            Event::Note(note) => view.line(spelled(&note)),
            Event::Wrote(wrote) => view.wrote(&wrote),
            _ => {}
        }
    }
}

impl View {
    /// Writes a line, above the bar if there is one.
    fn line(&self, text: impl std::fmt::Display) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    fn start(&mut self, work: Work) {
        self.end();
        match &work {
            Work::Frames { folder, after, .. } if *after > 0 => {
                self.line(format!("{}: going on after frame {after}", folder.display()));
            }
            Work::Video { folder, frames, present, .. } if *present > 0 => {
                let folder = folder.display();
                self.line(format!("{folder}: going on, {present} of {frames} frames are there"));
            }
            Work::Video { video, folder, size, rate, frames, .. } => {
                let (video, folder) = (video.display(), folder.display());
                self.line(format!(
                    "{video}: {frames} frames of {size}, {rate:.3} a second; frames go into {folder}"
                ));
            }
            _ => {}
        }
        if self.bars {
            let without_end =
                matches!(work, Work::Index { .. } | Work::Frames { frames: None, .. });
            self.bar = bar(without_end);
        }
        self.work = Some(work);
        self.said = None;
    }

    fn progress(&mut self, progress: &Progress) {
        let Progress { stage, done, total, elapsed, left } = progress;
        let what = match (stage, &self.work) {
            (Stage::Step { octave, octaves, step, steps }, Some(Work::Picture { name, .. })) => {
                if !self.bars && step == steps {
                    self.line(format!("{name}: octave {octave} of {octaves} done"));
                }
                let name =
                    Path::new(name).file_name().map_or(name.into(), |it| it.to_string_lossy());
                format!("{name}  octave {octave}/{octaves}  step {step}/{steps}")
            }
            (
                Stage::Frame { present, frames: Some(frames), .. },
                Some(Work::Video { present: before, .. }),
            ) => {
                let pace = (present - before) as f64 / elapsed.as_secs_f64().max(1e-9);
                let text = format!("frame {present} of {frames}, {pace:.2} a second");
                self.log(&text, present == frames && done.ge(&total.unwrap_or(0)), *left);
                text
            }
            (Stage::Frame { number, .. }, _) => format!("frame {number}"),
            (Stage::Indexed { frames }, Some(Work::Index { video })) => {
                format!("{}: looking at frame {frames}", video.display())
            }
            (Stage::Encoded { frames }, _) => match total {
                Some(total) => format!("{frames}/{total} frames"),
                None => format!("{frames} frames"),
            },
            (Stage::Compared { layer }, _) => format!("comparing  {layer}"),
            _ => return,
        };
        let time = match (left, total) {
            (Some(left), _) => format!("{} left", HumanDuration(*left)),
            (None, None) => format!("{} so far, Ctrl-C ends", HumanDuration(*elapsed)),
            (None, Some(_)) => String::new(),
        };
        if let Some(total) = total {
            self.bar.set_length(*total);
        }
        self.bar.set_position(*done);
        self.bar.set_prefix(what);
        self.bar.set_message(time);
    }

    /// A line about a video's frames, where there is a log and it is time for one.
    fn log(&mut self, text: &str, last: bool, left: Option<Duration>) {
        if self.bars {
            return;
        }
        let said = *self.said.get_or_insert_with(Instant::now);
        if last || said.elapsed() >= LINES {
            let left = HumanDuration(left.unwrap_or_default());
            self.line(format!("{text}, {left} left"));
            self.said = Some(Instant::now());
        }
    }

    fn wrote(&mut self, Wrote { path, content }: &Wrote) {
        let path = path.display();
        match content {
            Content::Picture { of } => {
                self.end();
                self.line(format!("{of}: dreamt into {path}"));
            }
            Content::Frame { number }
                if !self.bars && matches!(self.work, Some(Work::Frames { .. })) =>
            {
                self.line(format!("frame {number} done"));
            }
            Content::Movie { frames, size, rate, seconds, bytes } => {
                self.end();
                let rate = match rate {
                    Some(rate) => format!("{rate} a second"),
                    None => "each at its own time".to_owned(),
                };
                let bytes = readable_bytes(*bytes);
                self.line(format!(
                    "{path}: {frames} frames of {size}, {rate}, {seconds:.1} s, {bytes}"
                ));
            }
            _ => {}
        }
    }

    /// Takes the bar away.
    fn end(&mut self) {
        self.bar.finish_and_clear();
        self.bar = ProgressBar::hidden();
    }
}

/// A note with the flag that is about it.
fn spelled(note: &Note) -> String {
    match note {
        Note::DefaultNetwork { .. } => format!("{note}; --model chooses another"),
        Note::NoPlaceForRecipe { .. } => format!("{note}; --save-recipe keeps it"),
        note => note.to_string(),
    }
}

/// A bar with the time left behind it, or only a line for work without an end.
fn bar(without_end: bool) -> ProgressBar {
    let style = match without_end {
        true => "{prefix}  {msg}",
        false => "{prefix}  {wide_bar:.cyan/dim}  {msg}",
    };
    let style = ProgressStyle::with_template(style).expect("the templates are right");
    let bar = ProgressBar::no_length().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
