//! Optimisers: how a direction becomes a step, whatever numbers the steps change.

use graph::{Storage, Values};
use kernels::{Context, leveled};

use crate::Optimiser;

/// What keeps Adam from dividing by nothing.
const EPSILON: f32 = 1e-8;

/// What an optimiser knows of the steps so far, on one octave.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OptimiserState {
    optimiser: Optimiser,
    /// The means of the directions and of their squares, both empty where they are not needed.
    moments: [Values; 2],
    /// How much of each mean still is the zero that it began with.
    beginnings: [f64; 2],
}

impl OptimiserState {
    /// At the beginning, for so many numbers.
    pub(crate) fn new(optimiser: Optimiser, (storage, numbers): (&Storage, usize)) -> Self {
        let kept = if optimiser == Optimiser::Plain { 0 } else { numbers };
        Self {
            optimiser,
            moments: [storage.zeros(kept), storage.zeros(kept)],
            beginnings: [1.0; 2],
        }
    }

    /// Whether it is one of this optimiser for so many numbers.
    pub(crate) fn is_of(&self, optimiser: Optimiser, numbers: usize) -> bool {
        let kept = if optimiser == Optimiser::Plain { 0 } else { numbers };
        self.optimiser == optimiser && self.moments[0].len() == kept
    }

    /// Begins the next step: what it does, and the memory that it does it with.
    pub(crate) fn next(&mut self) -> (Update, [&mut [f32]; 2]) {
        let update = match self.optimiser {
            Optimiser::Plain => Update::Plain,
            Optimiser::Adam { betas } => {
                for (beginning, beta) in self.beginnings.iter_mut().zip(betas) {
                    *beginning *= beta;
                }
                Update::Adam {
                    kept: betas.map(|beta| beta as f32),
                    new: betas.map(|beta| (1.0 - beta) as f32),
                    correction: self.beginnings.map(|beginning| (1.0 / (1.0 - beginning)) as f32),
                }
            }
        };
        (update, self.moments.each_mut().map(|moments| &mut **moments))
    }
}

/// What one step makes of directions.
#[derive(Clone, Copy)]
pub(crate) enum Update {
    /// Nothing.
    Plain,
    /// Adam: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2014, algorithm 1, with
    /// factors for both means.
    Adam { kept: [f32; 2], new: [f32; 2], correction: [f32; 2] },
}

impl Update {
    /// Makes each number of `direction` what is to be climbed, with the moments of the same numbers.
    pub(crate) fn apply(&self, cx: &Context, direction: &mut [f32], moments: [&mut [f32]; 2]) {
        if let Update::Adam { kept, new, correction } = *self {
            adam(cx, direction, moments, kept, new, correction);
        }
    }
}

leveled! {
    fn adam<'a>(
        direction: &'a mut [f32],
        moments: [&'a mut [f32]; 2],
        kept: [f32; 2],
        new: [f32; 2],
        correction: [f32; 2],
    ) {
        let [first, second] = moments;
        for ((x, first), second) in direction.iter_mut().zip(first).zip(second) {
            *first = kept[0] * *first + new[0] * *x;
            *second = kept[1] * *second + new[1] * (*x * *x);
            *x = correction[0] * *first / ((correction[1] * *second).sqrt() + EPSILON);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, reference};

    /// Ten steps of 1.1 along the directions that the reference climbs along.
    fn climb(optimiser: Optimiser, name: &str) {
        let file = reference("optimisers");
        let (mut picture, start) = (file.picture("start"), file.picture("start"));
        let mut state = OptimiserState::new(optimiser, (picture.storage(), picture.data.len()));
        for step in 0..10 {
            let mut direction = picture.clone();
            let (plane, width) = (start.shape.plane(), start.shape.width);
            for (at, value) in direction.data.iter_mut().enumerate() {
                let (c, y, x) = (at / plane, at % plane / width, at % width);
                let (c, y, x, t) = (c as f64, y as f64, x as f64, f64::from(step));
                let wave = (0.11 * x + 0.07 * y + 0.5 * c + 0.9 * t).sin();
                *value = (wave + 0.3 * (0.05 * x * (t + 1.0) - 0.2 * y).cos()) as f32;
            }
            let (update, moments) = state.next();
            update.apply(&context(), &mut direction.data, moments);
            picture.data.iter_mut().zip(&direction.data).for_each(|(x, d)| *x += 1.1 * d);
            let key = format!("{name}.{}", step + 1);
            if [0, 1, 9].contains(&step) {
                let change = |to: &[f32]| -> Vec<f32> {
                    to.iter().zip(&start.data).map(|(x, start)| x - start).collect()
                };
                let wanted = file.picture(&key);
                let off = testkit::error(&picture.data, &wanted.data);
                assert!(off < 1e-6, "{key}: {off:e}");
                let off = testkit::error(&change(&picture.data), &change(&wanted.data));
                assert!(off < 1e-4, "{key}: the steps differ by {off:e}");
            }
        }
    }

    #[test]
    #[ignore = "needs the shared test files; see CONTRIBUTING"]
    fn steps_are_those_of_pytorch() {
        climb(Optimiser::Plain, "plain");
        climb(Optimiser::adam(), "adam");
        climb(Optimiser::Adam { betas: [0.0, 0.95] }, "adam_beta1_0");
    }

    /// By the definition, in `f64`, with gradients of all strengths.
    #[test]
    fn adam_divides_by_what_has_been() {
        let betas = [0.8, 0.95];
        let strengths = [0.0, 1e-6, 1e-3, 1.0, 1e4];
        let mut state =
            OptimiserState::new(Optimiser::Adam { betas }, (&Storage::default(), strengths.len()));
        let mut moments = [[0.0; 2]; 5];
        for step in 1..=6 {
            let turn = f64::from(step * 5 % 7) - 2.5;
            let mut direction = strengths.map(|strength| (strength * turn) as f32);
            let (update, kept) = state.next();
            let given = direction;
            update.apply(&context(), &mut direction, kept);
            for ((found, given), [first, second]) in direction.iter().zip(given).zip(&mut moments) {
                let given = f64::from(given);
                *first = betas[0] * *first + (1.0 - betas[0]) * given;
                *second = betas[1] * *second + (1.0 - betas[1]) * given * given;
                let [first, second] = [(*first, betas[0]), (*second, betas[1])]
                    .map(|(m, beta)| m / (1.0 - beta.powi(step)));
                let wanted = first / (second.sqrt() + 1e-8);
                assert!((f64::from(*found) - wanted).abs() < 1e-5, "{step}: {found} for {wanted}");
            }
        }
    }
}
