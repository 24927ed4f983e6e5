//! `check`: whether the kernels this machine chooses compute what plain loops do, layer by layer, on
//! the pictures of a real dream. A user can so tell a fault of the program from one of a recipe, and
//! a new kernel is tried on what it will really be given.

mod compare;
mod report;

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use dream::{DreamError, Machine, Observer, Plan, Progress, Recipe, Term};
use graph::{Network, Size, Tensor};
use media::{Image, Limits};

use super::image::unplanned;
use crate::console::{self, print};
use crate::exit::{Failure, Fault};
use crate::interrupt::Interrupt;
use crate::machine::MachineArgs;
use crate::model::ModelArgs;
use crate::progress::Watch;
use report::Report;

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The picture to dream on. Default: noise.
    #[arg(value_name = "PICTURE")]
    picture: Option<PathBuf>,
    /// The layer to dream on; repeat it for several. It and all layers before it are compared.
    /// Default: the layers chosen for the network.
    #[arg(short, long = "layer", value_name = "NAME")]
    layers: Vec<String>,
    /// Longest side of the dream in pixels, at the most; plain loops are slow. Default: 224.
    #[arg(short, long, value_name = "PIXELS", default_value_t = 224, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=65_535))]
    size: u32,
    /// At how many of the dream's steps to compare, the last among them. Default: 3.
    #[arg(long, value_name = "N", default_value_t = 3, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    steps: u32,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// Dreams, and compares.
pub(crate) fn check(args: &CheckArgs) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let machine = args.machine.machine()?;
    let network = args.model.open(None)?;
    let dream = Dream::new(args, &network, &machine)?;
    let plan = &dream.plan;
    let total = plan.octaves().len() as u64 * u64::from(plan.recipe().ascent.iterations);
    let steps = spread(total, args.steps);
    let names: Vec<String> =
        plan.recipe().objective.iter().map(|term| term.layer.clone()).collect();
    let layers = compare::on_the_way(&network.graph, &names)?;
    let (Size { height, width }, picture) = (plan.size(), dream.name.clone());
    let pictures = dream.pictures(&steps, &interrupt)?;
    let compared = compare::compare(&network, &layers, &pictures, &machine, &interrupt)?;
    let report = Report {
        model: network.name.clone(),
        picture,
        layers: names,
        width,
        height,
        threads: machine.context.threads().count(),
        level: machine.context.level().to_string(),
        steps,
        activation_bound: report::ACTIVATION,
        gradient_bound: report::GRADIENT,
        agrees: compared.iter().all(|line| line.agrees),
        compared,
    };
    if args.json {
        console::json(&report)?
    } else {
        print(report.text())?
    }
    report.verdict()
}

/// The dream whose pictures are compared.
struct Dream {
    name: String,
    /// Noise if there is none.
    picture: Option<Tensor>,
    plan: Plan,
}

impl Dream {
    fn new(args: &CheckArgs, network: &Network, machine: &Machine) -> Result<Self, Failure> {
        let (name, picture) = match &args.picture {
            Some(path) => {
                let picture = Image::read(path, &Limits::memory(machine.memory))?;
                (path.display().to_string(), Some(picture.into_color()))
            }
            None => ("noise".to_owned(), None),
        };
        let size = match &picture {
            Some(picture) => picture.shape.size(),
            None => Size::new((args.size as usize * 3).div_ceil(4), args.size as usize),
        };
        let mut recipe = Recipe::for_network(network);
        if !args.layers.is_empty() {
            recipe.objective = args.layers.iter().map(Term::layer).collect();
        }
        recipe.size = (size.longest() > args.size as usize).then_some(args.size);
        let plan =
            Plan::new(&recipe, network, size, machine).map_err(|error| unplanned(&name, error))?;
        Ok(Self { name, picture, plan })
    }

    /// What the dream has become after each of the `steps`.
    fn pictures(self, steps: &[u64], interrupt: &Interrupt) -> Result<Vec<Tensor>, Failure> {
        let picture = self.picture.unwrap_or_else(|| dream::noise(self.plan.size(), 0));
        let watch = Watch::new(&self.name, interrupt, !std::io::stderr().is_terminal());
        let mut taker = Taker { watch, steps, done: 0, pictures: Vec::new() };
        dream::dream(&self.plan, picture, &mut taker).map_err(|error| match error {
            DreamError::Stopped => stopped(),
            DreamError::Plan(error) => unplanned(&self.name, error),
        })?;
        Ok(taker.pictures)
    }
}

/// Takes pictures of a dream after some of its steps.
struct Taker<'a> {
    watch: Watch<'a>,
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
        self.watch.step(progress)
    }
}

/// `count` of the steps 1 to `total`, evenly spread, the last among them; all if there are fewer.
fn spread(total: u64, count: u32) -> Vec<u64> {
    let count = u64::from(count);
    let mut steps: Vec<u64> = (1..=count).map(|i| (i * total).div_ceil(count)).collect();
    steps.dedup();
    steps
}

fn stopped() -> Failure {
    Failure::new(Fault::Interrupted, "stopped before all layers were compared")
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
