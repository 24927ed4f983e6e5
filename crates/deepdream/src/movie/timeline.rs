//! From pictures in files to a movie in a file, the pictures read as soon as they are there.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};

use dream::{Filter, Tensor};
use graph::Size;
use media::movie::{MovieError, MovieFormat, MovieSpec, Quality, Shot, Sound};
use media::{Image, Timing};
use tempfile::NamedTempFile;

use crate::memory::free_memory;
use crate::output::Output;
use crate::progress::{Clock, Run};
use crate::threads::spawn;
use crate::{Content, Error, Event, Result, Stage, Work, picture};

/// Frames that are read ahead of the one being written.
const AHEAD: usize = 2;

/// Pictures, and what is seen of them when.
pub(crate) struct Timeline<'a> {
    /// The pictures' files, in order.
    pub(crate) pictures: Vec<PathBuf>,
    /// Waits until the picture of this place is there; false if it will never be.
    pub(crate) ready: &'a (dyn Fn(usize) -> bool + Sync),
    /// What is seen, one after the other.
    pub(crate) shots: Vec<Shot>,
    /// When it is seen.
    pub(crate) timing: Timing,
    /// Rows and columns of the pictures.
    pub(crate) size: Size,
    /// The recipe's text, to travel with the movie.
    pub(crate) recipe: Option<String>,
    /// What is heard.
    pub(crate) sound: Option<Sound>,
}

/// How a timeline becomes a file.
pub(crate) struct Target<'a> {
    /// The kind of file.
    pub(crate) format: MovieFormat,
    /// How good it is to look.
    pub(crate) quality: Quality,
    /// Longest side, if not the pictures' own.
    pub(crate) longest: Option<u32>,
    /// Where it goes.
    pub(crate) output: &'a Output,
    /// Where unfinished files are kept, if not beside the output.
    pub(crate) scratch: Option<&'a Path>,
    /// Whether to tell how far it is: not while the pictures' own progress is told.
    pub(crate) tells: bool,
}

impl Timeline<'_> {
    /// Writes the movie; returns it, complete but not yet in its place, and what it is.
    ///
    /// # Errors
    /// Pictures that cannot be read, or whatever keeps the movie from being written.
    pub(crate) fn write(&self, target: &Target, run: Run) -> Result<(NamedTempFile, Content)> {
        let Target { format, output, .. } = *target;
        let size = match target.longest {
            Some(longest) => self.size.with_longest(longest as usize),
            None => self.size,
        };
        let spec = MovieSpec {
            size,
            timing: self.timing.clone(),
            frames: self.shots.len() as u64,
            quality: target.quality,
            recipe: self.recipe.clone(),
        };
        let unwritten = |error: MovieError| output.refused(error);
        let temporary = || match target.scratch {
            Some(folder) => output.temporary_in(folder),
            None => output.temporary(),
        };
        let mut sink = format.begin(spec.clone(), temporary()?).map_err(unwritten)?;
        let clock = Clock::new(Some(spec.frames));
        if target.tells {
            run.started(Work::Movie { path: output.path().to_owned(), frames: spec.frames });
        }
        let write = |frame: &[u8], frames: u64| {
            sink.frame(frame).map_err(unwritten)?;
            if target.tells {
                run.event(Event::Progress(clock.progress(Stage::Encoded { frames }, frames)));
            }
            Ok(())
        };
        if self.each_frame(size, run, write)? < spec.frames {
            let what = format!("stopped: {} was not written", output.path().display());
            return Err(Error::cancelled(what).at(output.path()));
        }
        let file = match (&self.sound, format.container()) {
            (Some(sound), Some(container)) => sink.finish_with(sound, container, temporary()?),
            _ => sink.finish(),
        };
        let file = file.map_err(unwritten)?;
        let content = Content::Movie {
            frames: spec.frames,
            size,
            rate: match &spec.timing {
                Timing::Constant(rate) => Some(rate.to_string()),
                Timing::Variable(_) => None,
            },
            seconds: spec.timing.seconds(spec.frames),
            bytes: file.path().metadata().map_or(0, |file| file.len()),
        };
        Ok((file, content))
    }

    /// Reads the frames, a few ahead, and gives each with its number, from 1, to `write`; returns how
    /// many there were until one was not there or the job was cancelled.
    fn each_frame(
        &self,
        size: Size,
        run: Run,
        mut write: impl FnMut(&[u8], u64) -> Result<()>,
    ) -> Result<u64> {
        let (sender, receiver) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            spawn(scope, || {
                let sender = sender;
                let mut reader = Reader { timeline: self, size, kept: Vec::new() };
                for &shot in &self.shots {
                    let Some(frame) = reader.shot(shot) else { return };
                    let failed = frame.is_err();
                    if sender.send(frame).is_err() || failed {
                        return;
                    }
                }
            })?;
            // Moved in, so that the reader stops waiting when the writer has given up.
            let receiver: Receiver<Result<Vec<u8>>> = receiver;
            let mut written = 0;
            for frame in receiver {
                if run.is_cancelled() {
                    break;
                }
                written += 1;
                write(&frame?, written)?;
            }
            Ok(written)
        })
    }
}

/// Reads frames as they are needed, each in the movie's size.
struct Reader<'a> {
    timeline: &'a Timeline<'a>,
    size: Size,
    /// The last frames read, so that one that is held is not read again.
    kept: Vec<(usize, Tensor)>,
}

impl Reader<'_> {
    /// Interleaved RGB of 8 bits; `None` if a picture will never be there.
    fn shot(&mut self, shot: Shot) -> Option<Result<Vec<u8>>> {
        let (from, to, share) = match shot {
            Shot::Frame(index) => (index, index, None),
            Shot::Blend(from, to, share) => (from, to, Some(share)),
        };
        let ready = |index| (self.timeline.ready)(index);
        if !ready(from) || !ready(to) {
            return None;
        }
        let mut blended = || {
            let Some(share) = share else { return bytes(self.frame(from)?.clone()) };
            let mut mixed = self.frame(from)?.clone();
            for (a, b) in mixed.data.iter_mut().zip(&self.frame(to)?.data) {
                *a += share * (b - *a);
            }
            bytes(mixed)
        };
        Some(blended())
    }

    fn frame(&mut self, index: usize) -> Result<&Tensor> {
        if let Some(place) = self.kept.iter().position(|(kept, _)| *kept == index) {
            return Ok(&self.kept[place].1);
        }
        let image = picture::read(&self.timeline.pictures[index], free_memory())?;
        let mut color = image.flatten().into_color();
        if color.shape.size() != self.size {
            color = dream::resize(&color, self.size, Filter::Lanczos);
        }
        self.kept.truncate(1);
        self.kept.insert(0, (index, color));
        Ok(&self.kept[0].1)
    }
}

fn bytes(color: Tensor) -> Result<Vec<u8>> {
    Ok(Image::from_planes(color, None)?.to_rgb8())
}
