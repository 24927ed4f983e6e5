//! What each way to steer a dream costs: steps of dreams that differ in one setting.

use std::time::Duration;

use dream::{Machine, Plan, Recipe, Wobble};
use graph::{Network, Size};
use serde::Serialize;

use super::{Bench, Stopwatch, milliseconds, stopped};
use crate::convert::undreamt;
use crate::{CancelToken, Result, targets};

/// What is measured: a name, and what it sets in a plain dream's recipe.
const SUITE: [(&str, &[(&str, &str)]); 10] = [
    ("plain", &[]),
    ("no smoothing", &[("ascent.smoothing", "0")]),
    ("chroma", &[("ascent.chroma", "0.5")]),
    ("tv", &[("penalty.tv", "0.2")]),
    ("pull", &[("penalty.pull", "1")]),
    ("blur", &[("penalty.blur", "0.1")]),
    ("wobble", &[("ascent.wobble.scale", "[0.9, 1.1]"), ("ascent.wobble.angle", "10")]),
    ("adam", &[("ascent.optimiser", "adam")]),
    ("spectrum", SPECTRUM),
    ("all of it", ALL),
];

const SPECTRUM: &[(&str, &str)] = &[
    ("ascent.step", "0.05"),
    ("ascent.smoothing", "0"),
    ("ascent.optimiser", "adam"),
    ("ascent.parametrisation", "spectrum"),
    ("ascent.bound", "sigmoid"),
];

const ALL: &[(&str, &str)] = &[
    ("ascent.step", "0.05"),
    ("ascent.smoothing", "0.4"),
    ("ascent.optimiser", "adam"),
    ("ascent.parametrisation", "spectrum"),
    ("ascent.bound", "sigmoid"),
    ("ascent.chroma", "0.5"),
    ("penalty.tv", "0.2"),
    ("penalty.pull", "1"),
    ("penalty.blur", "0.1"),
];

/// What was measured; times in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SteeringReport {
    /// The network.
    pub model: String,
    /// The layers dreamt on.
    pub layers: Vec<String>,
    /// Columns of the picture.
    pub width: usize,
    /// Rows of the picture.
    pub height: usize,
    /// How many threads shared the work.
    pub threads: usize,
    /// The instructions they used.
    pub level: String,
    /// How many steps of each dream were timed.
    pub rounds: u32,
    /// Each dream.
    pub costs: Vec<SteeringCost>,
}

/// What one dream's steps cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SteeringCost {
    /// What is steered with.
    pub name: &'static str,
    /// What it sets in the recipe of a plain dream, as `path = value`.
    pub settings: Vec<String>,
    /// The step in the middle.
    pub step_ms: f64,
    /// What of it is not the network.
    pub outside_network_ms: f64,
    /// The same as a share of the step, 0–1.
    pub share: f64,
}

impl Bench {
    /// Measures what each way to steer a dream costs.
    ///
    /// # Errors
    /// As [`Bench::run`].
    pub fn steering(&self, cancel: &CancelToken) -> Result<SteeringReport> {
        let machine = self.limits.machine()?;
        let network = self.network.load()?;
        let plain = self.one_octave(&network);
        targets::check(&network, &plain, None)?;
        let mut costs = Vec::new();
        let mut alone = None;
        for (name, settings) in SUITE {
            let mut recipe = plain.clone();
            for (path, value) in settings {
                recipe.set(path, value)?;
            }
            let [step, outside] = self.steps(&recipe, (&network, &machine), cancel)?;
            let network_alone = *alone.get_or_insert(step.saturating_sub(outside));
            // What is done to the picture before the network sees it counts as well.
            let outside = match recipe.ascent.wobble == Wobble::default() {
                false => outside.max(step.saturating_sub(network_alone)),
                true => outside,
            };
            costs.push(SteeringCost {
                name,
                settings: settings
                    .iter()
                    .map(|(path, value)| format!("{path} = {value}"))
                    .collect(),
                step_ms: milliseconds(step),
                outside_network_ms: milliseconds(outside),
                share: outside.as_secs_f64() / step.as_secs_f64(),
            });
        }
        let Size { height, width } = self.size;
        Ok(SteeringReport {
            model: network.name.clone(),
            layers: plain.objective.into_iter().map(|term| term.layer).collect(),
            width,
            height,
            threads: machine.context.threads().count(),
            level: machine.context.level().to_string(),
            rounds: self.rounds,
            costs,
        })
    }

    /// How long the steps of a dream on noise take, and how long of it they are outside the network: the
    /// medians.
    pub(super) fn steps(
        &self,
        recipe: &Recipe,
        (network, machine): (&Network, &Machine),
        cancel: &CancelToken,
    ) -> Result<[Duration; 2]> {
        let plan = Plan::new(recipe, network, self.size, machine)?;
        let mut watch = Stopwatch::start(cancel);
        dream::dream(&plan, dream::noise(self.size, 0), &mut watch)
            .map_err(|error| undreamt("noise", error, stopped))?;
        Ok([&mut watch.took, &mut watch.outside].map(|times| {
            times.sort();
            times[times.len() / 2]
        }))
    }
}
