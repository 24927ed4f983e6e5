//! Several pictures in, a dream on each of them out. One that fails stops no other.

use std::path::PathBuf;

use super::Report;
use super::still::{Source, StillJob, Stills};
use crate::progress::Run;
use crate::{CancelToken, DreamRequest, Error, Event, Events, Note, Result, Shard};

/// Dreams on several pictures with one recipe.
#[derive(Clone, Debug, Default)]
pub struct BatchJob {
    /// The pictures.
    pub pictures: Vec<PathBuf>,
    /// The folder for all dreams. Default: each beside its picture, `photo.dream.jpg` for `photo.jpg`.
    pub output: Option<PathBuf>,
    /// A TOML file for the first dream's recipe. Default: none.
    pub save_recipe: Option<PathBuf>,
    /// Whether files that exist may be replaced. Default: they are an error.
    pub overwrite: bool,
    /// Whether dreams that are there already stay, and are no errors; so does the recipe's file. Default: no.
    pub skip_existing: bool,
    /// Whether dreams have 16 bits a channel where their pictures have fewer. Default: as many as the pictures.
    pub sixteen_bits: bool,
    /// Dream on this part of the pictures alone, so that several machines share them; the first writes the
    /// recipe's file. Default: on all of them.
    pub shard: Option<Shard>,
    /// The recipe, the network and the machine.
    pub dream: DreamRequest,
}

impl BatchJob {
    /// A job that dreams on these pictures.
    pub fn new(pictures: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self { pictures: pictures.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Dreams on each picture, and sends [`Event::Failed`] for each that could not be dreamt on.
    ///
    /// # Errors
    /// What keeps all of them from their dreams, a cancelled token, or, after the others were dreamt
    /// on, that some were not, which ones and why; then the fault is that of the first.
    pub fn run(&self, events: &dyn Events, cancel: &CancelToken) -> Result<Report> {
        let run = Run::new(events, cancel);
        let mut report = Report { wrote: Vec::new(), recipe: None };
        if self.is_empty(run) {
            run.event(Event::Done);
            return Ok(report);
        }
        let job = self.as_still();
        let stills = self.stills(&job, run, false)?;
        let mut failed: Vec<Error> = Vec::new();
        let pictures = stills.claims().len();
        for index in 0..pictures {
            match stills.dream(index) {
                Ok(Some((path, recipe))) => {
                    report.wrote.push(path);
                    if report.recipe.is_none() {
                        stills.save(&recipe)?;
                        report.recipe = Some(recipe);
                    }
                }
                Ok(None) => {}
                Err(error) if run.is_cancelled() => return Err(error),
                Err(error) => {
                    run.event(Event::Failed { name: stills.name(index), error: error.clone() });
                    failed.push(error);
                }
            }
        }
        if let Some(first) = failed.first() {
            let was = if failed.len() == 1 { "was" } else { "were" };
            let mut what = format!("{} of {pictures} pictures {was} not dreamt on:", failed.len());
            failed.iter().for_each(|error| what += &format!("\n  {}", error.message()));
            return Err(Error::new(first.fault(), what));
        }
        run.event(Event::Done);
        Ok(report)
    }

    /// Whether the part of the pictures has none, which is noted: no network is loaded for it.
    pub(super) fn is_empty(&self, run: Run) -> bool {
        let pictures = self.pictures.len();
        let empty = self.shard.filter(|shard| !(0..pictures).any(|index| shard.has(index)));
        empty.map(|shard| run.note(Note::EmptyShard { shard, pictures })).is_some()
    }

    /// The job on each picture.
    pub(super) fn as_still(&self) -> StillJob {
        StillJob {
            source: None,
            output: self.output.clone(),
            save_recipe: self
                .save_recipe
                .clone()
                .filter(|_| self.shard.is_none_or(Shard::is_first)),
            overwrite: self.overwrite,
            skip_existing: self.skip_existing,
            sixteen_bits: self.sixteen_bits,
            dream: self.dream.clone(),
        }
    }

    /// The pictures, ready to be dreamt on.
    pub(super) fn stills<'a>(
        &self,
        job: &'a StillJob,
        run: Run<'a>,
        rehearsed: bool,
    ) -> Result<Stills<'a>> {
        let sources = self.pictures.iter().cloned().map(Source::Picture).collect();
        Stills::open(job, self.dream.base()?, (sources, self.shard), (run, rehearsed))
    }
}
