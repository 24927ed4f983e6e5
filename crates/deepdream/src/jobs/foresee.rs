//! What a job on pictures would make, how long that takes and how much memory, without making it.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use dream::{DreamError, Octaves, Plan, Recipe, Tiling};
use graph::Size;

use super::still::{Claim, Stills};
use super::{BatchJob, StillJob};
use crate::convert::undreamt;
use crate::memory::of_process;
use crate::progress::Run;
use crate::{CancelToken, Error, Events, Result};

/// How many steps are taken to measure one size; the first of them pays for what is set up.
const STEPS: u32 = 3;

/// What would become of one picture.
#[derive(Clone, Debug)]
pub struct Foreseen {
    /// What the picture is called.
    pub name: String,
    /// What would become of it.
    pub outcome: Outcome,
}

/// What would become of a picture.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A dream would be made.
    Dream(Cost),
    /// The dream is there already, and would stay.
    Kept(PathBuf),
    /// There would be none, for this reason.
    Refused(Error),
}

/// What a dream would be, and what it would take.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// The file that would be written.
    pub output: PathBuf,
    /// Its size.
    pub size: Size,
    /// The octaves' sizes, from small to full.
    pub octaves: Vec<Size>,
    /// Steps on each octave.
    pub steps: u32,
    /// Bytes of memory that the process would take at the most.
    pub memory: u64,
    /// Bytes of scratch files that its pictures would lie in: 0 where they fit in the memory.
    pub scratch: u64,
    /// How long it would take, by a few steps of it that were timed on this machine as it is now. Reading and
    /// writing files are not in it.
    pub time: Duration,
    /// How its full size is cut into exact tiles; `None` if it is not.
    pub tiling: Option<Tiling>,
}

impl StillJob {
    /// What [`Self::run`] would make. Nothing is written.
    ///
    /// # Errors
    /// As [`Self::run`], as far as that is known before the dream.
    pub fn foresee(&self, events: &dyn Events, cancel: &CancelToken) -> Result<Vec<Foreseen>> {
        let run = Run::new(events, cancel);
        let stills = self.stills(run, true)?;
        let foreseen = foresee(&stills, run)?;
        let refused = foreseen.iter().find_map(|one| match &one.outcome {
            Outcome::Refused(error) => Some(error.clone()),
            _ => None,
        });
        refused.map_or(Ok(foreseen), Err)
    }
}

impl BatchJob {
    /// What [`Self::run`] would make of each picture. Nothing is written.
    ///
    /// # Errors
    /// What would keep all of them from their dreams, or a cancelled token.
    pub fn foresee(&self, events: &dyn Events, cancel: &CancelToken) -> Result<Vec<Foreseen>> {
        let run = Run::new(events, cancel);
        if self.is_empty(run) {
            return Ok(Vec::new());
        }
        let job = self.as_still();
        foresee(&self.stills(&job, run, true)?, run)
    }
}

fn foresee(stills: &Stills, run: Run) -> Result<Vec<Foreseen>> {
    let machine = stills.machine();
    let together = stills.together();
    let open = stills.claims().iter().filter_map(Claim::output).count();
    // Of pictures that are dreamt together all are dreamt, also where some are kept: those that are written share the
    // time of all.
    let share = if together > 1 { together as f64 / open as f64 } else { 1.0 };
    let (mut pace, mut planned) = (None, None);
    let mut foreseen = Vec::new();
    for (index, claim) in stills.claims().iter().enumerate() {
        let outcome = match claim {
            Claim::Kept(path) => Outcome::Kept(path.clone()),
            Claim::Refused(error) => Outcome::Refused(error.clone()),
            Claim::Open(output, _) => {
                let plan = planned.take().map_or_else(|| stills.plan(index, &machine), Ok);
                let cost = plan.and_then(|plan| {
                    let memory = of_process(plan.memory(), machine.memory);
                    let name = stills.name(index);
                    let again = |recipe: &Recipe| stills.plan_by(index, recipe, &machine);
                    let measure = || Pace::measure(&name, &plan, &again, run);
                    let measured = pace.take().map_or_else(measure, Ok)?;
                    let cost = Cost {
                        output: output.path().to_owned(),
                        size: plan.size(),
                        octaves: plan.octaves().to_vec(),
                        steps: plan.iterations(),
                        memory,
                        scratch: plan.scratch(),
                        time: measured.of(&plan, share),
                        tiling: plan.tiling(),
                    };
                    pace = Some(measured);
                    planned = Some(plan).filter(|_| together > 1);
                    Ok(cost)
                });
                match cost {
                    Ok(cost) => Outcome::Dream(cost),
                    Err(error) if run.is_cancelled() => return Err(error),
                    // The others are timed by the next of them.
                    Err(error) => Outcome::Refused(error),
                }
            }
        };
        foreseen.push(Foreseen { name: stills.name(index), outcome });
    }
    Ok(foreseen)
}

/// How long steps take: a line through what the smallest and the largest octave of one dream were timed at.
pub(super) struct Pace {
    /// Seconds of a step of no pixels, and of each pixel.
    step: [f64; 2],
}

impl Pace {
    /// Times some steps of a plan; `again` plans the same with another recipe.
    ///
    /// # Errors
    /// What keeps a step from being taken, or a cancelled token.
    pub(super) fn measure(
        name: &str,
        plan: &Plan,
        again: &dyn Fn(&Recipe) -> Result<Plan>,
        run: Run,
    ) -> Result<Self> {
        let (small, full) = (plan.octaves()[0], plan.size());
        // The seconds of a step, and its pixels.
        let step = |size: Size| -> Result<[f64; 2]> {
            let mut recipe = plan.recipe().clone().alone();
            recipe.octaves = Octaves { count: 1, anchor: Octaves::FULL, ..recipe.octaves };
            (recipe.ascent.iterations, recipe.ascent.strength) = (STEPS, 1.0);
            recipe.size = Some(size.longest() as u32);
            let plan = again(&recipe)?;
            Ok([step_time(name, &plan, run)?, plan.size().pixels() as f64])
        };
        let seconds = |size: Size| step(size).map(|[seconds, _]| seconds);
        let at_full = match plan.tiling() {
            None => seconds(full)?,
            // Each tile takes as long as a picture of its size.
            Some(Tiling { tile, columns, rows, .. }) => {
                let [seconds, pixels] = step(tile)?;
                seconds / pixels * (columns * rows) as f64 * tile.pixels() as f64
            }
        };
        // What is seen in the full size need not be in a small one: a mask may leave nothing of it.
        let at_small = match small == full {
            true => None,
            false => seconds(small).ok(),
        };
        if run.is_cancelled() {
            return Err(stopped());
        }
        let Some(at_small) = at_small else {
            return Ok(Self { step: [0.0, at_full / full.pixels() as f64] });
        };
        let pixels = [small, full].map(|size| size.pixels() as f64);
        let each = (at_full - at_small).max(0.0) / (pixels[1] - pixels[0]).max(1.0);
        Ok(Self { step: [(at_full - each * pixels[1]).max(0.0), each] })
    }

    /// How long so many dreams take.
    pub(super) fn of(&self, plan: &Plan, dreams: f64) -> Duration {
        let [start, each] = self.step;
        let octaves = plan.octaves().iter();
        let step: f64 = octaves.map(|size| start + each * size.pixels() as f64).sum();
        // What keeps pictures apart takes each of them through the network once more.
        let passes =
            if plan.recipe().diversity.is_some_and(|share| share > 0.0) { 2.0 } else { 1.0 };
        let step = dreams * passes * step;
        Duration::try_from_secs_f64(step * f64::from(plan.iterations())).unwrap_or(Duration::MAX)
    }
}

/// How many seconds the quickest of a dream's steps takes but for the first.
fn step_time(name: &str, plan: &Plan, run: Run) -> Result<f64> {
    let (mut last, mut times) = (Instant::now(), Vec::new());
    let mut observer = |_: &dream::Progress<'_>| {
        times.push(last.elapsed().as_secs_f64());
        last = Instant::now();
        match run.is_cancelled() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    match dream::dream(plan, dream::noise(plan.size(), 0), &mut observer) {
        // Noise may have nothing of the layers in it; the steps take as long.
        Ok(_) | Err(DreamError::NoGradient { .. }) => {}
        Err(error) => return Err(undreamt(name, error, stopped)),
    }
    Ok(times.into_iter().skip(1).fold(f64::INFINITY, f64::min))
}

pub(super) fn stopped() -> Error {
    Error::cancelled("stopped: nothing was made")
}
