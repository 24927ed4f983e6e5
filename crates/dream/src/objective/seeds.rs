//! The output gradients of terms that ask for more than a whole layer: computed from a layer's values, position
//! by position, in memory that is kept from step to step.
//!
//! Every term is a sum over positions of a function of the values there, so that it works at any size, shifted
//! and in tiles. With `w` the term's direction and `T` the values at a position:
//!
//! | term | value | gradient |
//! |---|---|---|
//! | energy | `½ Σ w T²` | `w T` |
//! | linear | `w·T` | `w` |
//! | with a cosine to the power p | `d kᵖ`, `d = w·T`, `c = d / ((ε + ‖T‖)(ε + ‖w‖))`, `k = max(0.1, c)` | `kᵖ w + [c > 0.1] p d kᵖ⁻¹ ∂c/∂T` |
//!
//! Where a term has a guide, `w` is chosen position by position, as [`super::guide`] says.
//!
//! (Lucid's channel, neuron, direction and cosine objectives; ε = 10⁻⁴.)

use graph::{OutputGradient, Shape, Tensor};
use kernels::Threads;

use super::guide::{Guiding, Matched};
use super::place::{Owned, View};
use crate::{Measure, parallel};

/// Beside norms that could be 0.
pub(super) const EPSILON: f64 = 1e-4;

/// The least cosine that a position counts with.
const LEAST_COSINE: f64 = 0.1;

/// Positions whose cosines one thread computes at once.
const POSITIONS: usize = 128;

/// Channels that are handed out at once, at the least.
const CHANNELS: usize = 8;

/// What a term starts the backward pass from.
#[derive(Clone, Debug)]
pub(crate) struct Seeding {
    /// The direction: a number for each channel.
    pub(crate) direction: Vec<f32>,
    /// The channels that a recipe lists: where one is 0 everywhere, its gradient passes its ReLU.
    pub(crate) listed: Vec<usize>,
    /// What the direction is taken from, if that is done position by position.
    pub(crate) guiding: Option<Guiding>,
    pub(crate) measure: Measure,
    pub(crate) cosine: f32,
    pub(crate) at: Option<[f64; 2]>,
}

/// A term of one layer at one evaluation.
pub(crate) struct Active<'a> {
    /// What of the layer; `None` for all of its energy.
    pub(crate) seeding: Option<&'a Seeding>,
    /// Factor of its value.
    pub(crate) weight: f32,
}

impl<'a> Active<'a> {
    /// The channels that it wants more of even where they are 0 everywhere.
    pub(crate) fn revives(&self) -> &'a [usize] {
        match self.seeding {
            Some(seeding) if seeding.measure == Measure::Linear && self.weight > 0.0 => {
                &seeding.listed
            }
            _ => &[],
        }
    }
}

/// The output gradient at a position with a cosine: `along · w + back · T`.
#[derive(Clone, Copy, Default)]
struct Cosine {
    along: f32,
    back: f32,
    value: f64,
}

/// The directions of a term that takes them position by position.
enum Chosen {
    /// It does not.
    Nothing,
    /// Those that were found most like.
    Matched(Matched),
    /// The layer's values at the guide.
    Placed(Tensor),
}

/// Memory for the output gradient of one layer.
pub(crate) struct Seeds {
    activation: Tensor,
    seed: Tensor,
    /// Sums over positions of each channel's values and their squares.
    sums: Vec<[f64; 2]>,
    cosines: Vec<Vec<Cosine>>,
    /// The directions of each term that takes them position by position.
    chosen: Vec<Chosen>,
    /// Channels that are 0 everywhere and are to grow: which, and whether each is one.
    revived: (Vec<usize>, Vec<bool>),
    /// Channels that are known not to be 0 everywhere, where this is a part of what there is.
    alive: Vec<bool>,
}

impl Seeds {
    /// Memory for a layer of `shape` and its terms.
    pub(crate) fn new<'a>(shape: Shape, terms: impl Iterator<Item = Option<&'a Seeding>>) -> Self {
        let with_cosine = |seeding: Option<&Seeding>| seeding.is_some_and(|it| it.cosine > 0.0);
        let positions = |seeding| if with_cosine(seeding) { shape.plane() } else { 0 };
        let chosen = |seeding: &Option<&Seeding>| match seeding.and_then(|it| it.guiding.as_ref()) {
            None => Chosen::Nothing,
            Some(Guiding::Match(_)) => Chosen::Matched(Matched::new(shape.plane())),
            Some(Guiding::Place(_)) => Chosen::Placed(Tensor::zeros(shape)),
        };
        let terms: Vec<Option<&Seeding>> = terms.collect();
        Self {
            chosen: terms.iter().map(chosen).collect(),
            activation: Tensor::zeros(shape),
            seed: Tensor::zeros(shape),
            sums: Vec::with_capacity(shape.channels),
            cosines: terms
                .into_iter()
                .map(|seeding| vec![Cosine::default(); positions(seeding)])
                .collect(),
            revived: (Vec::with_capacity(shape.channels), vec![false; shape.channels]),
            alive: vec![false; shape.channels],
        }
    }

    /// Bytes for a layer of `shape` and its terms, of which so many are `placed`.
    pub(crate) fn bytes(shape: Shape, terms: usize, placed: usize) -> u64 {
        let tensors = (2 + placed) * shape.len() * size_of::<f32>();
        let cosines = terms * shape.plane() * size_of::<(Cosine, u32, f32)>();
        (tensors + cosines + shape.channels * size_of::<[f64; 4]>()) as u64
    }

    /// Where the layer's values are to be written before [`Self::update`].
    pub(crate) fn activation(&mut self) -> &mut Tensor {
        &mut self.activation
    }

    /// Where the layer's values at the guide of a term, by its number among the layer's, are to be written
    /// before [`Self::update`]; `None` if it does not look to the same place of a guide.
    pub(crate) fn placed(&mut self, term: usize) -> Option<&mut Tensor> {
        match self.chosen.get_mut(term) {
            Some(Chosen::Placed(features)) => Some(features),
            _ => None,
        }
    }

    /// Begins to look at parts of a picture for channels that are 0 in all of them.
    pub(crate) fn begin_survey(&mut self) {
        self.alive.fill(false);
    }

    /// Looks at a part, whose values have been written. Returns whether each channel that such terms want more of
    /// is known not to be 0 everywhere.
    pub(crate) fn survey<'a>(
        &mut self,
        owned: &Owned,
        mut terms: impl Iterator<Item = Active<'a>>,
    ) -> bool {
        let Self { activation, alive, .. } = self;
        let (plane, width) = (activation.shape.plane(), activation.shape.width);
        for (values, alive) in activation.data.chunks_exact_mut(plane).zip(&mut *alive) {
            owned.keep(values, width);
            *alive |= values.iter().any(|x| *x != 0.0);
        }
        terms.all(|term| term.revives().iter().all(|channel| alive[*channel]))
    }

    /// The output gradient that was computed last.
    pub(crate) fn output_gradient(&self) -> OutputGradient<'_> {
        let (gradient, channels) = (&self.seed, &self.revived.0[..]);
        match channels {
            [] => OutputGradient::Gradient(gradient),
            channels => OutputGradient::Unmasked { gradient, channels },
        }
    }

    /// Computes the output gradient of the terms, in the order in which they were given to [`Self::new`];
    /// returns the sum of their values.
    pub(crate) fn update<'a>(
        &mut self,
        threads: &Threads,
        view: &View,
        terms: impl Iterator<Item = Active<'a>> + Clone + Send + Sync,
    ) -> f64 {
        let Self { activation, seed, sums, cosines, chosen, revived, alive } = self;
        let shape = activation.shape;
        if let Some(owned) = view.owned {
            // Of what is 0 each term has the value 0.
            threads.install(|| {
                parallel::chunks_mut(&mut activation.data, shape.plane(), CHANNELS, |_, values| {
                    owned.keep(values, shape.width);
                });
            });
        }
        let activation = &*activation;
        threads.install(|| {
            parallel::map_into(shape.channels, sums, |channel| {
                activation.channel(channel).iter().fold([0.0; 2], |[sum, squares], &x| {
                    let x = f64::from(x);
                    [sum + x, squares + x * x]
                })
            });
        });
        let mut value = 0.0;
        let memory = cosines.iter_mut().zip(&mut *chosen);
        for (Active { seeding, weight }, memory) in terms.clone().zip(memory) {
            if weight != 0.0 {
                let value_of = term_value(threads, view, activation, sums, seeding, memory);
                value += f64::from(weight) * value_of;
            }
        }
        revive(revived, terms.clone(), sums, alive);
        let memory = cosines.iter().map(Vec::as_slice).zip(&*chosen);
        let revived = &revived.1[..];
        threads.install(|| {
            parallel::chunks_mut(&mut seed.data, shape.plane(), CHANNELS, |channel, seed| {
                seed.fill(0.0);
                let values = activation.channel(channel);
                for (Active { seeding, weight }, memory) in terms.clone().zip(memory.clone()) {
                    if weight != 0.0 {
                        add(seed, values, channel, seeding, weight, (view, shape), memory);
                    }
                }
                if revived[channel] {
                    seed.iter_mut().for_each(|x| *x = x.max(0.0));
                }
                if let Some(owned) = view.owned {
                    owned.keep(seed, shape.width);
                }
            });
        });
        value
    }
}

/// Finds the channels that are 0 everywhere and that a term wants more of.
fn revive<'a>(
    (list, flags): &mut (Vec<usize>, Vec<bool>),
    terms: impl Iterator<Item = Active<'a>>,
    sums: &[[f64; 2]],
    alive: &[bool],
) {
    list.drain(..).for_each(|channel| flags[channel] = false);
    for term in terms {
        for &channel in term.revives() {
            let dead = sums[channel][1] == 0.0 && !alive[channel];
            if dead && !std::mem::replace(&mut flags[channel], true) {
                list.push(channel);
            }
        }
    }
}

/// A term's value; where it has a cosine, its coefficients go to `cosines`.
fn term_value(
    threads: &Threads,
    view: &View,
    activation: &Tensor,
    sums: &[[f64; 2]],
    seeding: Option<&Seeding>,
    (cosines, chosen): (&mut Vec<Cosine>, &mut Chosen),
) -> f64 {
    let Some(seeding) = seeding else {
        return 0.5 * sums.iter().map(|[_, squares]| squares).sum::<f64>();
    };
    if let Some(guiding) = &seeding.guiding {
        let value = match (guiding, &mut *chosen) {
            (Guiding::Match(matching), Chosen::Matched(matched)) => {
                matching.choose(activation, matched)
            }
            (_, Chosen::Placed(features)) if cosines.is_empty() => product(activation, features),
            _ => 0.0,
        };
        return match cosines.is_empty() {
            true => value,
            false => guided_cosines(threads, activation, seeding, guiding, (cosines, chosen)),
        };
    }
    if !cosines.is_empty() {
        return cosine_values(threads, view, activation, seeding, cosines);
    }
    let Seeding { direction, measure, at, .. } = seeding;
    let part = |[sum, squares]: [f64; 2]| match measure {
        Measure::Energy => 0.5 * squares,
        Measure::Linear => sum,
    };
    let of_channel = |channel: usize| match at.map(|at| view.position(at, activation.shape)) {
        None => part(sums[channel]),
        Some(None) => 0.0,
        Some(Some(position)) => {
            let x = f64::from(activation.channel(channel)[position]);
            part([x, x * x])
        }
    };
    let weighted = direction.iter().enumerate().filter(|(_, w)| **w != 0.0);
    weighted.map(|(channel, &w)| f64::from(w) * of_channel(channel)).sum()
}

/// Computes the coefficients of a term with a cosine at every position; returns its value.
fn cosine_values(
    threads: &Threads,
    view: &View,
    activation: &Tensor,
    seeding: &Seeding,
    cosines: &mut [Cosine],
) -> f64 {
    let Seeding { direction, cosine, at, .. } = seeding;
    let p = f64::from(*cosine);
    let norm = direction.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>().sqrt() + EPSILON;
    let only = at.map(|at| view.position(at, activation.shape));
    threads.install(|| {
        parallel::chunks_mut(cosines, POSITIONS, 1, |chunk, cosines| {
            let first = chunk * POSITIONS;
            let (mut dots, mut squares) = ([0.0f64; POSITIONS], [0.0f64; POSITIONS]);
            for (channel, &w) in direction.iter().enumerate() {
                let values = &activation.channel(channel)[first..][..cosines.len()];
                let w = f64::from(w);
                for ((dot, square), &x) in dots.iter_mut().zip(&mut squares).zip(values) {
                    let x = f64::from(x);
                    *dot += w * x;
                    *square += x * x;
                }
            }
            for (index, cosine) in cosines.iter_mut().enumerate() {
                let (dot, size) = (dots[index], squares[index].sqrt());
                *cosine = match only {
                    Some(only) if only != Some(first + index) => Cosine::default(),
                    _ => at_position(dot, size, norm, p),
                };
            }
        });
    });
    cosines.iter().map(|cosine| cosine.value).sum()
}

/// The sum of the products of two layers' values.
fn product(one: &Tensor, other: &Tensor) -> f64 {
    let pairs = one.data.iter().zip(&other.data);
    pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// As [`cosine_values`], of a term whose directions have been chosen.
fn guided_cosines(
    threads: &Threads,
    activation: &Tensor,
    seeding: &Seeding,
    guiding: &Guiding,
    (cosines, chosen): (&mut [Cosine], &Chosen),
) -> f64 {
    threads.install(|| {
        parallel::chunks_mut(cosines, POSITIONS, 1, |chunk, cosines| {
            let first = chunk * POSITIONS;
            let mut squares = [0.0f64; POSITIONS];
            let (mut dots, mut others) = (squares, squares);
            for channel in 0..activation.shape.channels {
                let values = &activation.channel(channel)[first..][..cosines.len()];
                for (square, &x) in squares.iter_mut().zip(values) {
                    *square += f64::from(x).powi(2);
                }
                if let Chosen::Placed(features) = chosen {
                    let features = &features.channel(channel)[first..][..values.len()];
                    let sums = dots.iter_mut().zip(&mut others);
                    for ((dot, other), (&x, &y)) in sums.zip(values.iter().zip(features)) {
                        *dot += f64::from(x) * f64::from(y);
                        *other += f64::from(y).powi(2);
                    }
                }
            }
            for (index, cosine) in cosines.iter_mut().enumerate() {
                let (norm, dot) = match (guiding, chosen) {
                    (Guiding::Match(matching), Chosen::Matched(matched)) => {
                        matching.chosen(matched, first + index)
                    }
                    _ => (others[index].sqrt() + EPSILON, dots[index]),
                };
                *cosine = at_position(dot, squares[index].sqrt(), norm, f64::from(seeding.cosine));
            }
        });
    });
    cosines.iter().map(|cosine| cosine.value).sum()
}

/// The coefficients at a position whose values have the norm `size` and the product `dot` with a direction of
/// `norm`, ε included.
fn at_position(dot: f64, size: f64, norm: f64, p: f64) -> Cosine {
    let cosine = dot / ((EPSILON + size) * norm);
    let k = cosine.max(LEAST_COSINE);
    let (mut along, mut back) = (k.powf(p), 0.0);
    if cosine > LEAST_COSINE {
        let slope = p * dot * k.powf(p - 1.0);
        along += slope / ((EPSILON + size) * norm);
        back = -slope * dot / (size * (EPSILON + size).powi(2) * norm);
    }
    Cosine { along: along as f32, back: back as f32, value: dot * k.powf(p) }
}

/// Adds a term's part to a channel's output gradient, `seed`.
fn add(
    seed: &mut [f32],
    values: &[f32],
    channel: usize,
    seeding: Option<&Seeding>,
    weight: f32,
    (view, shape): (&View, Shape),
    (cosines, chosen): (&[Cosine], &Chosen),
) {
    let Some(Seeding { direction, measure, at, guiding, .. }) = seeding else {
        seed.iter_mut().zip(values).for_each(|(seed, x)| *seed += weight * x);
        return;
    };
    match (guiding, chosen) {
        (Some(Guiding::Match(matching)), Chosen::Matched(matched)) => {
            return add_guided(seed, values, weight, cosines, matching.direction(matched, channel));
        }
        (_, Chosen::Placed(features)) => {
            let directions = features.channel(channel).iter().copied();
            return add_guided(seed, values, weight, cosines, directions);
        }
        _ => {}
    }
    let w = weight * direction[channel];
    if !cosines.is_empty() {
        for ((seed, x), cosine) in seed.iter_mut().zip(values).zip(cosines) {
            *seed += cosine.along * w + weight * cosine.back * x;
        }
        return;
    }
    if w == 0.0 {
        return;
    }
    let part = |x: f32| match measure {
        Measure::Energy => w * x,
        Measure::Linear => w,
    };
    match at.map(|at| view.position(at, shape)) {
        None => seed.iter_mut().zip(values).for_each(|(seed, &x)| *seed += part(x)),
        Some(None) => {}
        Some(Some(position)) => seed[position] += part(values[position]),
    }
}

/// Adds the part of a term whose directions have been chosen.
fn add_guided(
    seed: &mut [f32],
    values: &[f32],
    weight: f32,
    cosines: &[Cosine],
    directions: impl Iterator<Item = f32>,
) {
    if cosines.is_empty() {
        seed.iter_mut().zip(directions).for_each(|(seed, w)| *seed += weight * w);
        return;
    }
    for (((seed, x), cosine), w) in seed.iter_mut().zip(values).zip(cosines).zip(directions) {
        *seed += weight * (cosine.along * w + cosine.back * x);
    }
}
