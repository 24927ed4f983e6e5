//! The check itself: dream, take pictures on the way, compare.

use std::ops::ControlFlow;
use std::path::PathBuf;

use dream::{Machine, Observer, Plan, Preset, Progress, Recipe, Term};
use graph::{Network, Size, Tensor};

use super::compare::{self, stopped};
use super::report::{self, CheckReport};
use crate::convert::{undreamt, unplanned};
use crate::progress::{PictureObserver, Run};
use crate::{CancelToken, Event, Events, Limits, NetworkChoice, Result, Work, picture, targets};

/// Compares the machine's kernels with plain loops in a dream.
#[derive(Clone, Debug)]
pub struct CheckJob {
    /// The picture to dream on. Default: noise.
    pub picture: Option<PathBuf>,
    /// The layers to dream on; they and all layers before them are compared. Default: those chosen for
    /// the network.
    pub layers: Vec<String>,
    /// Longest side of the dream in pixels, at the most: plain loops are slow. Default: 224.
    pub longest: u32,
    /// At how many of the dream's steps to compare, the last among them. Default: 3.
    pub steps: u32,
    /// The network. Default: the preferred one.
    pub network: NetworkChoice,
    /// How much of the machine may be used.
    pub limits: Limits,
}

impl Default for CheckJob {
    fn default() -> Self {
        Self {
            picture: None,
            layers: Vec::new(),
            longest: 224,
            steps: 3,
            network: NetworkChoice::Default,
            limits: Limits::default(),
        }
    }
}

impl CheckJob {
    /// Dreams, and compares.
    ///
    /// # Errors
    /// Whatever keeps the dream from its end. A layer that differs is no error here: see
    /// [`CheckReport::verdict`].
    pub fn run(&self, events: &dyn Events, cancel: &CancelToken) -> Result<CheckReport> {
        let run = Run::new(events, cancel);
        let machine = self.limits.machine()?;
        let network = self.network.load()?;
        let dream = Dream::new(self, &network, &machine)?;
        let plan = &dream.plan;
        let total = plan.octaves().len() as u64 * u64::from(plan.iterations());
        let steps = spread(total, self.steps);
        let layers: Vec<String> =
            plan.recipe().objective.iter().map(|term| term.layer.clone()).collect();
        let on_the_way = compare::on_the_way(&network, &layers)?;
        let (Size { height, width }, picture) = (plan.size(), dream.name.clone());
        let pictures = dream.pictures(&steps, run)?;
        let compared = compare::compare(&network, &on_the_way, &pictures, &machine, run)?;
        run.event(Event::Done);
        Ok(CheckReport {
            model: network.name.clone(),
            picture,
            layers,
            width,
            height,
            threads: machine.context.threads().count(),
            level: machine.context.level().to_string(),
            steps,
            activation_bound: report::ACTIVATION,
            gradient_bound: report::GRADIENT,
            agrees: compared.iter().all(|layer| layer.agrees),
            compared,
        })
    }
}

/// The dream whose pictures are compared.
struct Dream {
    name: String,
    /// Noise if there is none.
    picture: Option<Tensor>,
    plan: Plan,
}

impl Dream {
    fn new(job: &CheckJob, network: &Network, machine: &Machine) -> Result<Self> {
        let (name, picture) = match &job.picture {
            Some(path) => {
                let image = picture::read(path, machine.memory)?;
                (path.display().to_string(), Some(image.into_color()))
            }
            None => ("noise".to_owned(), None),
        };
        let size = match &picture {
            Some(picture) => picture.shape.size(),
            None => Size::new((job.longest as usize * 3).div_ceil(4), job.longest as usize),
        };
        let mut recipe = Recipe::with_preset(network, Preset::Classic);
        if !job.layers.is_empty() {
            recipe.objective = job.layers.iter().map(Term::layer).collect();
        }
        targets::check(network, &recipe, None)?;
        recipe.size = (size.longest() > job.longest as usize).then_some(job.longest);
        let plan =
            Plan::new(&recipe, network, size, machine).map_err(|error| unplanned(&name, error))?;
        Ok(Self { name, picture, plan })
    }

    /// What the dream has become after each of the `steps`.
    fn pictures(self, steps: &[u64], run: Run) -> Result<Vec<Tensor>> {
        let size = self.plan.size();
        let picture = self.picture.unwrap_or_else(|| dream::noise(size, 0));
        run.started(Work::Picture { name: self.name.clone(), size, place: None });
        let observer = PictureObserver::new(run, &self.plan, None);
        let mut taker = Taker { observer, steps, done: 0, pictures: Vec::new() };
        dream::dream(&self.plan, picture, &mut taker)
            .map_err(|error| undreamt(&self.name, error, stopped))?;
        Ok(taker.pictures)
    }
}

/// Takes pictures of a dream after some of its steps.
struct Taker<'a> {
    observer: PictureObserver<'a>,
    steps: &'a [u64],
    done: u64,
    pictures: Vec<Tensor>,
}

impl Observer for Taker<'_> {
    fn step(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        self.done += 1;
        if self.steps.contains(&self.done) {
            self.pictures.push(progress.picture.clone());
        }
        self.observer.step(progress)
    }
}

/// `count` of the steps 1 to `total`, evenly spread, the last among them; all if there are fewer.
fn spread(total: u64, count: u32) -> Vec<u64> {
    let count = u64::from(count);
    let mut steps: Vec<u64> = (1..=count).map(|i| (i * total).div_ceil(count)).collect();
    steps.dedup();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_spread_up_to_the_last() {
        assert_eq!(spread(75, 3), [25, 50, 75]);
        assert_eq!(spread(10, 4), [3, 5, 8, 10]);
        assert_eq!(spread(2, 5), [1, 2]);
        assert_eq!(spread(7, 1), [7]);
    }
}
