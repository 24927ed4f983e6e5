//! Layers that fade into each other over a zoom's frames.
//!
//! Gradients of different layers are of very different size, so that of two layers with equal weights
//! one is hardly seen. What fades are therefore the shares of the gradient: each side's gradient
//! counts as if it were of mean magnitude 1 (as crowsonkb's deep_dream normalises each layer's), which
//! is measured on the frame itself, so that nothing has to be remembered.

use graph::{Backwards, GraphError, Tensor};

use crate::ascent::Shift;
use crate::image::black;
use crate::objective::{GradientEvaluator, Seen, mean_magnitude, measuring};
use crate::random::Random;
use crate::recipe::Fading;
use crate::{Plan, Recipe, Term, resize};

impl Fading {
    /// Gives the terms of `plan`, which has those of both lists, the weights with which the lists'
    /// shares of the gradient at `picture` are what the fade says.
    ///
    /// # Errors
    /// If what runs the network fails.
    pub(crate) fn balance(&self, plan: &mut Plan, picture: &Tensor) -> Result<(), GraphError> {
        plan.set_region_shares(self.region_shares(plan.recipe()));
        let from = plan.weights_of(&self.from);
        let to = plan.weights_of(&self.to);
        if plan.objective().shares {
            // They are measured term by term at every octave.
            let part = |weights: &[f32], share: f64| {
                let total: f64 = weights.iter().map(|&weight| f64::from(weight).abs()).sum();
                if total > 0.0 { share / total } else { 0.0 }
            };
            let parts = [part(&from, 1.0 - self.share), part(&to, self.share)];
            let mix = |(from, to): (&f32, &f32)| {
                (f64::from(*from) * parts[0] + f64::from(*to) * parts[1]) as f32
            };
            plan.set_weights(from.iter().zip(&to).map(mix).collect());
            return Ok(());
        }
        let strength = |plan: &mut Plan, weights: &[f32]| {
            plan.set_weights(weights.to_vec());
            strength(plan, picture)
        };
        let sides =
            [(1.0 - self.share) / strength(plan, &from)?, self.share / strength(plan, &to)?];
        let balanced = sides[1] / (sides[0] + sides[1]);
        // Without any gradient there is nothing to balance.
        let share = if balanced.is_finite() { balanced as f32 } else { self.share as f32 };
        let mixed = from.iter().zip(&to).map(|(from, to)| from * (1.0 - share) + to * share);
        plan.set_weights(mixed.collect());
        Ok(())
    }
}

impl Fading {
    /// How much of a step the regions take: of those that one list alone has terms in, as much as that list has
    /// of the gradient.
    fn region_shares(&self, recipe: &Recipe) -> Vec<(Option<String>, f32)> {
        let within = |terms: &[Term], name: Option<&str>| {
            let mut counting = terms.iter().filter(|term| term.weight != 0.0);
            counting.any(|term| recipe.region_of(term) == name)
        };
        let share = |name: Option<&str>| {
            let share = match (within(&self.from, name), within(&self.to, name)) {
                (true, false) => 1.0 - self.share,
                (false, true) => self.share,
                _ => 1.0,
            };
            (name.map(str::to_owned), share as f32)
        };
        let names = recipe.regions.keys().map(|name| Some(name.as_str()));
        names.chain([None]).filter(|_| !recipe.regions.is_empty()).map(share).collect()
    }
}

/// The mean magnitude of the plan's gradient at `picture`, seen in the size of the middle octave.
pub(crate) fn strength(plan: &Plan, picture: &Tensor) -> Result<f64, GraphError> {
    let size = plan.octaves()[plan.octaves().len() / 2];
    let threads = plan.threads();
    let seen = threads.install(|| resize(picture, size, plan.recipe().octaves.filter));
    let recipe = measuring(plan.recipe()).unwrap_or_else(|| plan.recipe().clone());
    let mut gradient = black(size);
    let mut random = Random::new(recipe.seed);
    let once = (size, Backwards::One);
    GradientEvaluator::new(plan.objective(), &recipe, (threads, plan.storage()), once)?
        .value_and_gradient((&seen, Seen::Never), Shift::default(), &mut random, &mut gradient)?;
    Ok(mean_magnitude(threads, &gradient))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernels::{Context, CpuLevel};

    use graph::Size;

    use super::*;
    use crate::testing::{pattern, threads};
    use crate::{Machine, Octaves};

    fn list(name: &str) -> Vec<Term> {
        vec![Term::layer(name)]
    }

    #[test]
    fn shares_are_those_of_the_gradient() {
        let network = models::squeezenet().unwrap();
        let context = Context::new(threads(), CpuLevel::detect().unwrap());
        let backend = Arc::new(cpu::Cpu::new(context.clone()));
        let machine = Machine { backend, context, memory: 1 << 32, scratch: Default::default() };
        let (from, to) = (list("fire2/concat"), list("fire9/concat"));
        let layers = [from.clone(), to.clone()].concat();
        let octaves = Octaves { count: 3, ..Octaves::default() };
        let recipe = Recipe { objective: layers, octaves, ..Recipe::default() };
        let mut plan = Plan::new(&recipe, &network, Size::new(96, 120), &machine).unwrap();
        let mut picture = pattern(96, 120);
        picture.data.iter_mut().for_each(|x| *x += 120.0);
        let ratio = |plan: &mut Plan, weights: Vec<f32>| {
            plan.set_weights(vec![weights[0], 0.0]);
            let first = strength(plan, &picture).unwrap();
            plan.set_weights(vec![0.0, weights[1]]);
            strength(plan, &picture).unwrap() / first
        };
        let plain = ratio(&mut plan, vec![0.5, 0.5]);
        assert!(!(0.2..5.0).contains(&plain), "the layers differ too little to show: {plain}");
        for (share, wanted) in [(0.5, 1.0), (0.2, 0.25)] {
            let fade = Fading { from: from.clone(), to: to.clone(), share };
            fade.balance(&mut plan, &picture).unwrap();
            let weights = plan.objective().weights.clone();
            assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{weights:?}");
            let balanced = ratio(&mut plan, weights);
            assert!((balanced / wanted - 1.0).abs() < 0.01, "{balanced} instead of {wanted}");
        }
    }
}
