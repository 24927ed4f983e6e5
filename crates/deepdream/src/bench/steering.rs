//! What each way to steer a dream costs: steps of dreams that differ in one setting.

use std::time::Duration;

use dream::{Assets, Channels, Guide, Machine, Pick, Plan, Recipe, Region, Tensor, Term, Wobble};
use graph::{Network, Shape, Size};
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

/// What else is measured: a name, what of the objective it is in words, and what it makes of a plain dream.
type Steered = (&'static str, &'static str, fn(&mut Recipe, &mut Assets, Size));

const OBJECTIVES: [Steered; 7] = [
    ("channels", "objective.channels = eight of each layer", |recipe, _, _| {
        each(recipe, |term| term.channels = Some(Channels::Listed((0..8).collect())));
    }),
    ("cosine", "objective.channels = eight of each layer, objective.cosine = 2", |recipe, _, _| {
        each(recipe, |term| {
            term.channels = Some(Channels::Listed((0..8).collect()));
            term.cosine = 2.0;
        });
    }),
    ("guide", "objective.guides = one of 224×168", |recipe, assets, _| {
        guided(recipe, assets, Pick::Match);
    }),
    ("guide, mean", "objective.guides = one of 224×168, pick = average", |recipe, assets, _| {
        guided(recipe, assets, Pick::Average);
    }),
    ("guide, place", "objective.guides = one of 224×168, pick = place", |recipe, assets, _| {
        guided(recipe, assets, Pick::Place);
    }),
    ("region", "regions = the left half", |recipe, assets, size| {
        masked(recipe, assets, size, ["mask"]);
    }),
    ("two regions", "regions = the left half and the right half", |recipe, assets, size| {
        masked(recipe, assets, size, ["left", "right"]);
        let right: Vec<Term> =
            recipe.objective.iter().map(|term| term.clone().within("right")).collect();
        each(recipe, |term| term.region = Some("left".to_owned()));
        recipe.objective.extend(right);
    }),
];

fn each(recipe: &mut Recipe, change: impl Fn(&mut Term)) {
    recipe.objective.iter_mut().for_each(change);
}

fn guided(recipe: &mut Recipe, assets: &mut Assets, pick: Pick) {
    recipe.guides = [("guide".to_owned(), Guide::default())].into();
    assets.guides = [("guide".to_owned(), dream::noise(Size::new(168, 224), 1))].into();
    each(recipe, |term| (term.guides, term.pick) = (vec!["guide".to_owned()], pick));
}

/// Gives the recipe regions, which are the left half, the right half and so on.
fn masked<const N: usize>(
    recipe: &mut Recipe,
    assets: &mut Assets,
    Size { height, width }: Size,
    names: [&str; N],
) {
    for (side, name) in names.into_iter().enumerate() {
        let inside = |at: usize| f32::from(u8::from((at % width < width / 2) == (side == 0)));
        let data = (0..height * width).map(inside).collect();
        let mask = Tensor { shape: Shape::new(1, height, width), data };
        recipe.regions.insert(name.to_owned(), Region::default());
        assets.masks.insert(name.to_owned(), mask);
    }
}

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
    /// What of it is not the network's two passes of a plain dream.
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
            let none = Assets::default();
            let [step, outside] = self.steps((&recipe, &none), (&network, &machine), cancel)?;
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
        for (name, settings, steer) in OBJECTIVES {
            let (mut recipe, mut assets) = (plain.clone(), Assets::default());
            steer(&mut recipe, &mut assets, self.size);
            let [step, outside] = self.steps((&recipe, &assets), (&network, &machine), cancel)?;
            // What the objective takes is taken between the network's passes, or is passes.
            let outside = outside.max(step.saturating_sub(alone.unwrap_or_default()));
            costs.push(SteeringCost {
                name,
                settings: vec![settings.to_owned()],
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
        (recipe, assets): (&Recipe, &Assets),
        (network, machine): (&Network, &Machine),
        cancel: &CancelToken,
    ) -> Result<[Duration; 2]> {
        let plan = Plan::with_assets(recipe, assets, network, self.size, machine)?;
        let mut watch = Stopwatch::start(cancel);
        dream::dream(&plan, dream::noise(self.size, 0), &mut watch)
            .map_err(|error| undreamt("noise", error, stopped))?;
        Ok([&mut watch.took, &mut watch.outside].map(|times| {
            times.sort();
            times[times.len() / 2]
        }))
    }
}
