//! A video's dream from one end to the other: look, decode, dream, write, join.

use std::path::Path;

use dream::{Machine, Recipe, VideoDreamer};
use graph::{Network, Size};
use indicatif::ProgressBar;
use kernels::{Context, Threads};
use media::movie::{MovieFormat, Quality, Sound};
use media::video::{FrameIndex, Segment, VideoSource};
use tempfile::NamedTempFile;

use super::board::Board;
use super::dreams::Dreams;
use super::folder::Folder;
use super::part::Part;
use super::record::Record;
use super::watch::Watch;
use crate::commands::image::unplanned;
use crate::exit::{Failure, Fault};
use crate::film::{Film, Writing};
use crate::interrupt::Interrupt;
use crate::machine::MachineArgs;
use crate::output::Output;
use crate::recipe_args::{Base, RecipeArgs};
use models::digest::sha256;

/// What the user wants of a video.
pub(crate) struct Job<'a> {
    /// The video.
    pub(crate) video: &'a Path,
    /// Where its frames are kept.
    pub(crate) folder: &'a Path,
    /// The recipe's flags.
    pub(crate) recipe: &'a RecipeArgs,
    /// Puts the flags about a video's frames into the recipe.
    pub(crate) edit: &'a dyn Fn(&mut Recipe) -> Result<(), Failure>,
    /// The machine's flags.
    pub(crate) machine: &'a MachineArgs,
    /// When the part that is wanted begins, in seconds.
    pub(crate) start: Option<f64>,
    /// When it ends.
    pub(crate) end: Option<f64>,
    /// What is to come of it.
    pub(crate) product: Product<'a>,
    /// Whether frames that were made otherwise are thrown away.
    pub(crate) force: bool,
    /// Whether to say nothing.
    pub(crate) quiet: bool,
    /// Asked after every step.
    pub(crate) interrupt: &'a Interrupt,
}

/// What comes of a video's dream.
pub(crate) enum Product<'a> {
    /// A movie.
    Movie(Target<'a>),
    /// Only frames, and only those of a part.
    Frames(Part),
}

/// A movie that is wanted.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// The kind of file.
    pub(crate) format: MovieFormat,
    /// How good it is to look.
    pub(crate) quality: Quality,
    /// Longest side, if not the dreams' own.
    pub(crate) longest: Option<u32>,
    /// Where it goes.
    pub(crate) output: &'a Output,
    /// Whether the video's sound is left out.
    pub(crate) silent: bool,
    /// Whether the frames are kept.
    pub(crate) keep: bool,
}

/// A video that has been looked at.
pub(super) struct Seen {
    pub(super) source: VideoSource,
    /// SHA-256 of its file, in hexadecimal.
    pub(super) hash: String,
    /// The size of its frames, as they are dreamt on.
    pub(super) size: Size,
    pub(super) cut: Segment,
}

impl Job<'_> {
    /// Makes the frames that are missing, and of all of them a movie.
    ///
    /// # Errors
    /// A video that cannot be read, a folder with other frames, whatever keeps a frame from being made
    /// or the movie from being written.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let seen = self.look()?;
        let sound = self.sound(&seen)?;
        let before = match Record::load(self.folder) {
            Err(failure) if !self.force => return Err(failure),
            before => before.ok().flatten(),
        };
        let base = match (self.recipe.base()?, before) {
            (None, Some(before)) if !self.force => {
                let name = format!("the recipe of {}", self.folder.display());
                Some(Base::of_text(name, before.recipe)?)
            }
            (base, _) => base,
        };
        let network = self.recipe.network(base.as_ref(), self.quiet)?;
        let mut recipe = self.recipe.recipe(base.as_ref(), &network)?;
        (self.edit)(&mut recipe)?;
        let follow = recipe.video.clone().unwrap_or_default().coherence.depends_on_last();
        let part = match self.product {
            Product::Frames(part) if follow => {
                let what = format!(
                    "part {part} cannot be made by itself: each frame follows from the one before"
                );
                return Err(Failure::new(Fault::Recipe, what)
                    .or("--coherence independent dreams on each frame by itself"));
            }
            Product::Frames(part) => Some(part),
            Product::Movie(_) => None,
        };
        let machine = self.machine.machine()?;
        let mut clip = self.clip(&recipe, &network, &machine, &seen)?;

        let (text, size) = (clip.recipe().to_toml(), clip.size());
        let record = Record::new(&seen, text, (size.height, size.width), sound.as_ref());
        let folder = Folder::open(self.folder, &record, part, self.force)?;
        let wanted = part.map_or(0..record.frames, |part| part.range(record.frames));
        let missing = match follow {
            true => folder.resume(&mut clip, &record, self.force)?,
            false => folder.missing(wanted.clone()),
        };
        let clips = match follow {
            true => vec![clip],
            false => self.workers(clip, (&recipe, &network, &machine), &seen, missing.len())?,
        };
        let count = wanted.end - wanted.start;
        self.say_begin(&seen, &folder, count, missing.len() as u64);

        let board = Board::new((0..record.frames).map(|number| folder.has(number)).collect());
        let watch = Watch::new(self.interrupt, count, missing.len() as u64, self.quiet);
        let dreams = Dreams { seen: &seen, record: &record, folder: &folder, board: &board, watch };
        let Product::Movie(target) = self.product else {
            dreams.make(clips, &missing)?;
            drop(dreams);
            self.say_part(&folder);
            return Ok(());
        };
        let Target { format, quality, longest, output, silent, keep } = target;
        let ready = |place| board.wait(place);
        let film = record.film(folder.path(), sound.filter(|_| !silent), &ready)?;
        let writing = Writing {
            format,
            quality,
            longest,
            output,
            scratch: Some(folder.scratch()),
            interrupt: self.interrupt,
            bar: missing.is_empty() && !self.quiet,
        };
        let make = || dreams.make(clips, &missing);
        let (file, said) = self.movie(&film, &writing, &board, make)?;
        drop(dreams);
        folder.complete(file.path())?;
        output.place(file)?;
        if !self.quiet {
            eprintln!("{said}");
        }
        folder.end(record.frames, keep);
        Ok(())
    }

    /// Looks at the video: what it is, and every frame it has.
    fn look(&self) -> Result<Seen, Failure> {
        let source = VideoSource::open(self.video)?;
        let name = self.video.display();
        let wrong = |what: String| Failure::new(Fault::Picture, format!("{name}: {what}"));
        let hash = sha256(self.video).map_err(|error| wrong(error.to_string()))?;
        let bar = if self.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        let index = FrameIndex::of(&source, self.end, &|frames| {
            if frames % 16 == 1 {
                bar.set_message(format!("{name}: looking at frame {frames}"));
                bar.tick();
            }
            !self.interrupt.asked()
        })?;
        bar.finish_and_clear();
        index.notes.iter().for_each(|note| eprintln!("{name}: {note}"));
        if !self.quiet {
            source.notes.iter().for_each(|note| eprintln!("{name}: {note}"));
        }
        let cut = index.segment(self.start, self.end)?;
        Ok(Seen { source, hash, size: index.size, cut })
    }

    /// What will be heard; said before the work, not after it, if the movie cannot hold it.
    fn sound(&self, seen: &Seen) -> Result<Option<Sound>, Failure> {
        let Seen { source, cut, .. } = seen;
        let sound = source.sound.then(|| Sound {
            source: source.path.clone(),
            start: self.start.map(|_| cut.start),
            end: self.end.map(|_| cut.end),
            offset: if self.start.is_some() { 0.0 } else { cut.start },
        });
        let Product::Movie(target) = self.product else { return Ok(sound) };
        let Target { format, output, silent, .. } = target;
        let Some(heard) = sound.as_ref().filter(|_| !silent) else { return Ok(sound) };
        match format.container() {
            Some(container) => {
                heard.check(container).map_err(|error| output.movie_failure(error))?
            }
            None if self.quiet => {}
            None => eprintln!("{}: this kind of movie has no sound", output.path().display()),
        }
        Ok(sound)
    }

    fn clip(
        &self,
        recipe: &Recipe,
        network: &Network,
        machine: &Machine,
        seen: &Seen,
    ) -> Result<VideoDreamer, Failure> {
        VideoDreamer::new(recipe, network, machine, seen.size)
            .map_err(|error| unplanned(&self.video.display().to_string(), error))
    }

    /// One clip for each processor, as far as there is memory for them: frames that do not depend on
    /// each other are made side by side faster than one after the other by all processors.
    fn workers(
        &self,
        clip: VideoDreamer,
        (recipe, network, machine): (&Recipe, &Network, &Machine),
        seen: &Seen,
        frames: usize,
    ) -> Result<Vec<VideoDreamer>, Failure> {
        // Beside the dream: the frame, the one that waits, the dream's own copies and its file.
        let waiting = 6 * 3 * 4 * seen.size.pixels();
        let each = clip.plan().memory().saturating_add(waiting).max(1);
        let fits = usize::try_from(machine.memory / each).unwrap_or(usize::MAX);
        let threads = machine.context.threads().count();
        let count = threads.min(fits).min(frames).max(1);
        if count == 1 {
            return Ok(vec![clip]);
        }
        let worker = |index: usize| {
            let share = threads / count + usize::from(index < threads % count);
            let wrong = |error| Failure::new(Fault::Usage, error);
            let threads = Threads::new(share).map_err(wrong)?;
            let context = Context::new(threads, machine.context.level());
            self.clip(recipe, network, &crate::machine::on(context, machine.memory), seen)
        };
        (0..count).map(worker).collect()
    }

    /// Writes the movie while `make` makes its frames.
    fn movie(
        &self,
        film: &Film,
        writing: &Writing,
        board: &Board,
        make: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(NamedTempFile, String), Failure> {
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let written = film.write(writing);
                if written.is_err() {
                    board.close();
                }
                written
            });
            // Frames that are not there after this will never be.
            let closing = board.closing();
            let made = make();
            drop(closing);
            let written = match writer.join() {
                Ok(written) => written,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            match (made, written) {
                (Ok(()), written) => written,
                // The frames were given up because there is no movie any more.
                (Err(made), Err(written))
                    if made.fault() == Fault::Interrupted && !self.interrupt.asked() =>
                {
                    Err(written)
                }
                (Err(made), _) => Err(made),
            }
        })
    }

    fn say_begin(&self, seen: &Seen, folder: &Folder, count: u64, missing: u64) {
        if self.quiet {
            return;
        }
        let (name, folder) = (self.video.display(), folder.path().display());
        if missing < count {
            eprintln!("{folder}: going on, {} of {count} frames are there", count - missing);
            return;
        }
        let size = seen.size;
        let rate = seen.cut.timing.rate().per_second();
        eprintln!("{name}: {count} frames of {size}, {rate:.3} a second; frames go into {folder}");
    }

    fn say_part(&self, folder: &Folder) {
        let (Product::Frames(part), false) = (&self.product, self.quiet) else { return };
        let folder = folder.path().display();
        eprintln!(
            "{folder}: part {part} is there; with all parts, `deepdream movie {folder}` joins them"
        );
    }
}
