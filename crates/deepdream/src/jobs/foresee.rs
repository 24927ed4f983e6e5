//! What a job on pictures would make, how long that takes and how much memory, without making it.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use dream::{DreamError, Machine, Octaves, Plan};
use graph::Size;

use super::still::{Claim, Stills};
use super::{BatchJob, StillJob};
use crate::convert::undreamt;
use crate::memory::taken_memory;
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
    /// How long it would take, by a few steps of it that were timed on this machine as it is now. Reading and
    /// writing files are not in it.
    pub time: Duration,
}

impl StillJob {
    /// What [`Self::run`] would make. Nothing is written.
    ///
    /// # Errors
    /// As [`Self::run`], as far as that is known before the dream.
    pub fn foresee(&self, events: &dyn Events, cancel: &CancelToken) -> Result<Vec<Foreseen>> {
        let run = Run::new(events, cancel);
        let stills = self.stills(run, true)?;
        let mut foreseen = foresee(&stills, run)?;
        match foreseen.pop().map(|one| one.outcome) {
            Some(Outcome::Refused(error)) => Err(error),
            Some(outcome) => Ok(vec![Foreseen { name: stills.name(0), outcome }]),
            None => Ok(Vec::new()),
        }
    }
}

impl BatchJob {
    /// What [`Self::run`] would make of each picture. Nothing is written.
    ///
    /// # Errors
    /// What would keep all of them from their dreams, or a cancelled token.
    pub fn foresee(&self, events: &dyn Events, cancel: &CancelToken) -> Result<Vec<Foreseen>> {
        let run = Run::new(events, cancel);
        let job = self.as_still();
        foresee(&self.stills(&job, run, true)?, run)
    }
}

fn foresee(stills: &Stills, run: Run) -> Result<Vec<Foreseen>> {
    let machine = stills.machine();
    let mut pace = None;
    let mut foreseen = Vec::new();
    for (index, claim) in stills.claims().iter().enumerate() {
        let outcome = match claim {
            Claim::Kept(path) => Outcome::Kept(path.clone()),
            Claim::Refused(error) => Outcome::Refused(error.clone()),
            Claim::Open(output, _) => match stills.plan(index, &machine) {
                Err(error) => Outcome::Refused(error),
                Ok(plan) => {
                    let measured = match pace.take() {
                        Some(pace) => Ok(pace),
                        None => Pace::measure(stills, index, &plan, &machine, run),
                    };
                    match measured {
                        Ok(measured) => {
                            let time = measured.of(&plan);
                            pace = Some(measured);
                            Outcome::Dream(Cost {
                                output: output.path().to_owned(),
                                size: plan.size(),
                                octaves: plan.octaves().to_vec(),
                                steps: plan.iterations(),
                                memory: plan.memory().saturating_add(taken_memory()),
                                time,
                            })
                        }
                        Err(error) if run.is_cancelled() => return Err(error),
                        // The others are timed by the next of them.
                        Err(error) => Outcome::Refused(error),
                    }
                }
            },
        };
        foreseen.push(Foreseen { name: stills.name(index), outcome });
    }
    Ok(foreseen)
}

/// How long steps take: a line through what the smallest and the largest octave of one dream were timed at.
struct Pace {
    /// Seconds of a step of no pixels, and of each pixel.
    step: [f64; 2],
}

impl Pace {
    /// Times some steps of a plan.
    fn measure(
        stills: &Stills,
        index: usize,
        plan: &Plan,
        machine: &Machine,
        run: Run,
    ) -> Result<Self> {
        let (small, full) = (plan.octaves()[0], plan.size());
        let seconds = |size: Size| -> Result<f64> {
            let mut recipe = plan.recipe().clone();
            recipe.octaves = Octaves { count: 1, anchor: Octaves::FULL, ..recipe.octaves };
            (recipe.ascent.iterations, recipe.ascent.strength) = (STEPS, 1.0);
            recipe.size = Some(size.longest() as u32);
            let plan = stills.plan_by(index, &recipe, machine)?;
            step_time(&stills.name(index), &plan, run)
        };
        let at_full = seconds(full)?;
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

    /// How long a dream takes.
    fn of(&self, plan: &Plan) -> Duration {
        let [start, each] = self.step;
        let octaves = plan.octaves().iter();
        let step: f64 = octaves.map(|size| start + each * size.pixels() as f64).sum();
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

fn stopped() -> Error {
    Error::cancelled("stopped: nothing was made")
}
