//! From pictures in files to a movie in a file, the pictures read as soon as they are there.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};

use dream::Filter;
use graph::Size;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use media::movie::{MovieError, MovieFormat, MovieSpec, Quality, Shot, Sound};
use media::{Image, Limits, Timing};
use tempfile::NamedTempFile;

use crate::exit::{Failure, Fault};
use crate::interrupt::Interrupt;
use crate::machine::free_memory;
use crate::output::Output;

/// Frames that are read ahead of the one being written.
const AHEAD: usize = 2;

/// Pictures, and what is seen of them when.
pub(crate) struct Film<'a> {
    /// The pictures' files, in order.
    pub(crate) pictures: Vec<PathBuf>,
    /// Waits until the picture of this place is there; false if it will never be.
    pub(crate) ready: &'a (dyn Fn(usize) -> bool + Sync),
    /// What is seen, one after the other.
    pub(crate) shots: Vec<Shot>,
    /// When it is seen.
    pub(crate) timing: Timing,
    /// Height and width of the pictures.
    pub(crate) size: (usize, usize),
    /// The recipe's text, to travel with the movie.
    pub(crate) recipe: Option<String>,
    /// What is heard.
    pub(crate) sound: Option<Sound>,
}

/// How a film is written.
pub(crate) struct Writing<'a> {
    /// The kind of file.
    pub(crate) format: MovieFormat,
    /// How good it is to look.
    pub(crate) quality: Quality,
    /// Longest side, if not the pictures' own.
    pub(crate) longest: Option<u32>,
    /// Where it goes.
    pub(crate) output: &'a Output,
    /// Where files are kept that are not complete, if not beside the output.
    pub(crate) scratch: Option<&'a Path>,
    /// Asked before every frame.
    pub(crate) interrupt: &'a Interrupt,
    /// Whether to show how far it is.
    pub(crate) bar: bool,
}

impl Film<'_> {
    /// Writes the movie; returns it, complete but not yet in its place, and what to say about it.
    ///
    /// # Errors
    /// Pictures that cannot be read, or whatever keeps the movie from being written.
    pub(crate) fn write(&self, writing: &Writing) -> Result<(NamedTempFile, String), Failure> {
        let Writing { format, output, .. } = *writing;
        let own = Size::new(self.size.0, self.size.1);
        let size = writing.longest.map_or(own, |longest| own.with_longest(longest as usize));
        let spec = MovieSpec {
            size,
            timing: self.timing.clone(),
            frames: self.shots.len() as u64,
            quality: writing.quality,
            recipe: self.recipe.clone(),
        };
        let unwritten = |error: MovieError| output.movie_failure(error);
        let temporary = || match writing.scratch {
            Some(folder) => output.temporary_in(folder),
            None => output.temporary(),
        };
        let mut sink = format.begin(spec.clone(), temporary()?).map_err(unwritten)?;

        let stopped = || {
            let what = format!("stopped: {} was not written", output.path().display());
            Failure::new(Fault::Interrupted, what)
        };
        let bar = bar(spec.frames, writing.bar);
        let (sender, receiver) = sync_channel(AHEAD);
        let written = std::thread::scope(|scope| {
            scope.spawn(|| {
                let sender = sender;
                let mut reader = Reader { film: self, size, kept: Vec::new() };
                for &shot in &self.shots {
                    let Some(frame) = reader.shot(shot) else { return };
                    let failed = frame.is_err();
                    if sender.send(frame).is_err() || failed {
                        return;
                    }
                }
            });
            // Moved in, so that the reader stops waiting when the writer has given up.
            let receiver: Receiver<Result<Vec<u8>, Failure>> = receiver;
            let mut written = 0;
            for frame in receiver {
                if writing.interrupt.asked() {
                    return Err(stopped());
                }
                sink.frame(&frame?).map_err(unwritten)?;
                written += 1;
                bar.inc(1);
            }
            Ok(written)
        })?;
        if written < self.shots.len() {
            return Err(stopped());
        }
        let mut file = sink.finish().map_err(unwritten)?;
        if let (Some(sound), Some(container)) = (&self.sound, format.container()) {
            file = sound.join(file.path(), container, temporary()?).map_err(unwritten)?;
        }
        bar.finish_and_clear();
        let bytes = file.path().metadata().map_or(0, |file| file.len());
        let rate = match &spec.timing {
            Timing::Constant(rate) => format!("{rate} a second"),
            Timing::Variable(_) => "each at its own time".to_owned(),
        };
        let said = format!(
            "{}: {} frames of {size}, {rate}, {:.1} s, {}",
            output.path().display(),
            spec.frames,
            spec.timing.seconds(spec.frames),
            HumanBytes(bytes)
        );
        Ok((file, said))
    }
}

fn bar(frames: u64, shown: bool) -> ProgressBar {
    if !shown {
        return ProgressBar::hidden();
    }
    let style = "{pos}/{len} frames  {wide_bar:.cyan/dim}  {eta} left";
    let style = ProgressStyle::with_template(style).expect("the template is right");
    ProgressBar::new(frames).with_style(style)
}

/// Reads frames as they are needed, each in the movie's size.
struct Reader<'a> {
    film: &'a Film<'a>,
    size: Size,
    /// The last frames read, so that one that is held is not read again.
    kept: Vec<(usize, Image)>,
}

impl Reader<'_> {
    /// Interleaved RGB of 8 bits; `None` if a picture will never be there.
    fn shot(&mut self, shot: Shot) -> Option<Result<Vec<u8>, Failure>> {
        let (from, to, share) = match shot {
            Shot::Frame(index) => (index, index, None),
            Shot::Blend(from, to, share) => (from, to, Some(share)),
        };
        let ready = |index| (self.film.ready)(index);
        if !ready(from) || !ready(to) {
            return None;
        }
        let mut blended = || {
            let Some(share) = share else { return Ok(self.frame(from)?.to_rgb8()) };
            let mut color = self.frame(from)?.color().clone();
            let to = self.frame(to)?.color();
            for (value, to) in color.data.iter_mut().zip(&to.data) {
                *value += share * (to - *value);
            }
            Ok(Image::from_planes(color, None)?.to_rgb8())
        };
        Some(blended())
    }

    fn frame(&mut self, index: usize) -> Result<&Image, Failure> {
        if let Some(place) = self.kept.iter().position(|(kept, _)| *kept == index) {
            return Ok(&self.kept[place].1);
        }
        let path = &self.film.pictures[index];
        let mut image = Image::read(path, &Limits::memory(free_memory()))?.flatten();
        if image.size() != self.size {
            let color = dream::resize(image.color(), self.size, Filter::Lanczos);
            image = Image::from_planes(color, None)?;
        }
        self.kept.truncate(1);
        self.kept.insert(0, (index, image));
        Ok(&self.kept[0].1)
    }
}
