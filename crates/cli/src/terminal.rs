//! Events on the terminal: a line that moves, or lines for a log; notes; and at the end what was made and
//! how long it took. All of it goes to standard error.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use deepdream::{
    CancelToken, Content, Event, Events, Note, Progress, Result, Stage, Work, Wrote, readable_bytes,
};

use crate::console::say;
use crate::progress_line::ProgressLine;
use crate::units::{counted, duration, time_left};
use crate::{exit, interrupt};

/// How often a log gets a line about a video.
const LINES: Duration = Duration::from_secs(10);

/// Runs a job with its events on the terminal, until it is done or Ctrl-C stops it.
pub(crate) fn run<T>(
    quiet: bool,
    job: impl FnOnce(&Terminal, &CancelToken) -> Result<T>,
) -> Result<T> {
    let token = interrupt::listen();
    let terminal = Terminal::new(quiet);
    let done = job(&terminal, &token);
    let mut view = terminal.view();
    view.line.clear();
    if done.is_ok() && !quiet {
        view.summary();
    }
    drop(view);
    done
}

/// Whether there is a terminal on which a line can be replaced.
pub(crate) fn is_terminal() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stderr().is_terminal() && !dumb
}

/// Shows the events of a job.
pub(crate) struct Terminal {
    view: Mutex<View>,
}

struct View {
    quiet: bool,
    /// Whether one line moves, or lines go into a log.
    moves: bool,
    line: ProgressLine,
    work: Option<Work>,
    /// When the job began, and the work it is at.
    begun: [Instant; 2],
    /// How many pictures were there already.
    kept: u64,
    /// How many pictures and frames are written, and whether a movie is.
    pictures: u64,
    frames: u64,
    movie: bool,
    /// Whether a sheet is written.
    sheet: bool,
    /// When the log got its last line about a video.
    said: Option<Instant>,
}

impl Terminal {
    /// A view that says nothing but what is wrong if it is `quiet`.
    fn new(quiet: bool) -> Self {
        let view = View {
            quiet,
            moves: is_terminal(),
            line: ProgressLine::default(),
            work: None,
            begun: [Instant::now(); 2],
            kept: 0,
            pictures: 0,
            frames: 0,
            movie: false,
            sheet: false,
            said: None,
        };
        Self { view: Mutex::new(view) }
    }

    fn view(&self) -> std::sync::MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events for Terminal {
    fn event(&self, event: Event) {
        let mut view = self.view();
        match event {
            Event::Failed { error, .. } => view.say(exit::text(&error)),
            Event::Note(Note::Damage(text)) => view.say(text),
            _ if view.quiet => {}
            Event::Started(work) => view.start(work),
            Event::Progress(progress) => view.progress(&progress),
            Event::Note(note) => view.say(spelled(&note)),
            Event::Wrote(wrote) => view.wrote(&wrote),
            Event::Kept { path, .. } => {
                view.kept += 1;
                view.say(format!("kept {}, which is there already", path.display()));
            }
            _ => {}
        }
    }
}

impl View {
    /// Writes a line, above the one that moves.
    fn say(&self, text: impl AsRef<str>) {
        self.line.above(|| say(text));
    }

    fn start(&mut self, work: Work) {
        self.line.clear();
        match &work {
            Work::Frames { folder, after, frames } if *after > 0 && *frames != Some(0) => {
                self.say(format!("{}: continues after frame {after}", folder.display()));
            }
            Work::Gallery { pictures, present: 0, .. } => {
                self.say(format!("{} to make", counted(*pictures as u64, "picture")));
            }
            Work::Gallery { folder, pictures, present } => {
                let folder = folder.display();
                self.say(format!(
                    "{folder}: continues, {present} of {pictures} pictures are there"
                ));
            }
            Work::Video { folder, frames, present, .. } if *present > 0 => {
                let folder = folder.display();
                self.say(format!("{folder}: continues, {present} of {frames} frames are there"));
            }
            Work::Video { video, folder, size, rate, frames, .. } => {
                let (video, folder) = (video.display(), folder.display());
                let frames = counted(*frames, "frame");
                self.say(format!(
                    "{video}: {frames} of {size}, {rate:.3} a second; frames go into {folder}"
                ));
            }
            _ => {}
        }
        if self.moves {
            self.line.start();
        }
        self.work = Some(work);
        self.begun[1] = Instant::now();
        self.said = None;
    }

    fn progress(&mut self, progress: &Progress) {
        let Progress { stage, done, total, elapsed, left } = progress;
        let texts = match (stage, &self.work) {
            (
                Stage::Step { octave, octaves, step, steps },
                Some(Work::Picture { name, place, .. }),
            ) => {
                let place = place.map(|(number, of)| format!("picture {number} of {of}"));
                if !self.moves && step == steps {
                    let place = place.iter().map(|place| format!("{place}, "));
                    let place: String = place.collect();
                    self.say(format!("{place}{name}: octave {octave} of {octaves} done"));
                }
                let name = Path::new(name).file_name().map(|name| name.to_string_lossy());
                let what = [place, name.map(|name| name.into_owned())].into_iter().flatten();
                let (octave, step) =
                    (format!("octave {octave}/{octaves}"), format!("step {step}/{steps}"));
                what.chain([octave, step]).collect()
            }
            (
                Stage::Frame { present, frames: Some(frames), .. },
                Some(Work::Video { present: before, .. }),
            ) => {
                let pace = (present - before) as f64 / elapsed.as_secs_f64().max(1e-9);
                let (pace, frame) =
                    (format!("{pace:.2} a second"), format!("frame {present} of {frames}"));
                let last = present == frames && done.ge(&total.unwrap_or(0));
                self.log(&format!("{frame}, {pace}"), last, *left);
                vec![pace, frame]
            }
            (Stage::Frame { number, frames: Some(frames), .. }, _) => {
                vec![format!("frame {number} of {}", frames.saturating_sub(1))]
            }
            (Stage::Frame { number, .. }, _) => vec![format!("frame {number}")],
            (Stage::Cell { name, place, of }, _) => {
                let text = format!("picture {place} of {of}");
                self.log(&text, place == of && Some(*done) >= *total, *left);
                vec![text, name.clone()]
            }
            (Stage::Indexed { frames }, Some(Work::Index { video })) => {
                vec![video.display().to_string(), format!("finding frame {frames}")]
            }
            (Stage::Encoded { frames }, _) => vec![match total {
                Some(total) => format!("writing frame {frames} of {total}"),
                None => format!("writing frame {frames}"),
            }],
            (Stage::Compared { layer }, _) => vec!["comparing".to_owned(), layer.clone()],
            _ => return,
        };
        let left = left.map(|left| left + self.other_pictures(*elapsed + left));
        let time = match (left, total) {
            (Some(left), _) => format!("{} left", time_left(left)),
            (None, None) => format!("{} so far, Ctrl-C ends", time_left(*elapsed)),
            (None, Some(_)) => String::new(),
        };
        self.line.show(texts, time, *done, *total);
    }

    /// How long the other pictures of a batch will take, if they take as long as those before them and the
    /// one at work, which takes `this` long.
    fn other_pictures(&self, this: Duration) -> Duration {
        let Some(Work::Picture { place: Some((number, of)), .. }) = self.work else {
            return Duration::ZERO;
        };
        let [begun, picture] = self.begun;
        let each = (picture.duration_since(begun) + this) / number as u32;
        each * (of - number) as u32
    }

    /// A line about a video's frames, where there is a log and it is time for one.
    fn log(&mut self, text: &str, last: bool, left: Option<Duration>) {
        if self.moves {
            return;
        }
        let said = *self.said.get_or_insert_with(Instant::now);
        if last || said.elapsed() >= LINES {
            let left = left.map(|left| format!(", {} left", time_left(left)));
            self.say(format!("{text}{}", left.unwrap_or_default()));
            self.said = Some(Instant::now());
        }
    }

    fn wrote(&mut self, Wrote { path, content }: &Wrote) {
        let path = path.display();
        match content {
            Content::Picture { .. } => {
                self.pictures += 1;
                let size = match &self.work {
                    Some(Work::Picture { size, .. }) => format!(" ({size})"),
                    _ => String::new(),
                };
                let took = duration(self.begun[1].elapsed());
                self.line.clear();
                self.say(format!("wrote {path}{size} in {took}"));
            }
            Content::Sheet { pictures } => {
                self.sheet = true;
                let (pictures, took) =
                    (counted(*pictures as u64, "picture"), duration(self.begun[0].elapsed()));
                self.line.clear();
                self.say(format!("wrote {path} ({pictures}) in {took}"));
            }
            Content::Cell { .. } => self.pictures += 1,
            Content::Recipe => self.say(format!("wrote {path}")),
            Content::Frame { number } => {
                self.frames += 1;
                if !self.moves && matches!(self.work, Some(Work::Frames { .. })) {
                    self.say(format!("frame {number} done"));
                }
            }
            Content::Movie { frames, size, rate, seconds, bytes } => {
                self.movie = true;
                let rate = match rate {
                    Some(rate) => format!("{rate} a second"),
                    None => "each at its own time".to_owned(),
                };
                let (frames, bytes) = (counted(*frames, "frame"), readable_bytes(*bytes));
                let took = duration(self.begun[0].elapsed());
                self.line.clear();
                self.say(format!(
                    "wrote {path} ({frames} of {size}, {rate}, {seconds:.1} s, {bytes}) in {took}"
                ));
            }
            _ => {}
        }
    }

    /// How many pictures were written, and kept.
    fn wrote_pictures(&self, took: &str) {
        let kept = match self.kept {
            0 => String::new(),
            kept => format!(" and kept {kept}"),
        };
        let pictures = counted(self.pictures, "picture");
        self.say(format!("wrote {pictures}{kept} in {took}"));
    }

    /// What a job of several files has made in all; the end of a single one was told when it was written.
    fn summary(&self) {
        let took = duration(self.begun[0].elapsed());
        match &self.work {
            Some(Work::Picture { place: Some(_), .. }) => self.wrote_pictures(&took),
            None | Some(Work::Picture { .. }) if self.kept.max(self.pictures) > 1 => {
                self.wrote_pictures(&took)
            }
            Some(Work::Gallery { folder, .. }) if !self.sheet => {
                let (pictures, folder) = (counted(self.pictures, "picture"), folder.display());
                self.say(format!("wrote {pictures} into {folder} in {took}"));
                self.say("  The same without --shard makes the sheet, once all parts are there.");
            }
            Some(Work::Frames { folder, frames: Some(0), .. }) if !self.movie => {
                self.say(format!("{}: all frames are there already", folder.display()));
            }
            Some(Work::Frames { folder, .. } | Work::Video { folder, .. }) if !self.movie => {
                let frames = counted(self.frames, "frame");
                self.say(format!("wrote {frames} into {} in {took}", folder.display()));
            }
            _ => {}
        }
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
