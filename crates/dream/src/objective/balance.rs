//! What weights mean where they are shares: each term's gradient counts as if its mean magnitude were 1,
//! which is measured at the start of every octave. Measured once for all octaves, terms would be lost, as the
//! ratio of two layers' gradients changes from size to size.

use graph::{GraphError, Tensor};
use kernels::Threads;

use super::{GradientEvaluator, Seen};
use crate::ascent::Shift;
use crate::image::rows;
use crate::random::Random;

/// The weights with which the shares of the gradient at `picture` are as `shares` says, and for each term
/// whether it has no gradient there. `gradient` is memory to work in.
pub(super) fn balanced(
    evaluator: &mut GradientEvaluator<'_>,
    shares: &[f32],
    threads: &Threads,
    picture: &Tensor,
    gradient: &mut Tensor,
) -> Result<(Vec<f32>, Vec<bool>), GraphError> {
    let total: f64 = shares.iter().map(|&share| f64::from(share).abs()).sum();
    let (mut weights, mut silent) = (Vec::new(), Vec::new());
    for (term, &share) in shares.iter().enumerate() {
        let mut alone = vec![0.0; shares.len()];
        alone[term] = 1.0;
        let factor = match share {
            0.0 => 0.0,
            share => {
                evaluator.weights = alone;
                let (at, mut random) = ((picture, Seen::Never), Random::new(0));
                evaluator.value_and_gradient(at, Shift::default(), &mut random, gradient)?;
                f64::from(share) / total / mean_magnitude(threads, gradient)
            }
        };
        let factor = factor as f32;
        let counts = factor.is_finite() && (factor != 0.0 || share == 0.0);
        silent.push(!counts);
        weights.push(if counts { factor } else { 0.0 });
    }
    Ok((weights, silent))
}

/// The mean of the values' magnitudes.
pub(crate) fn mean_magnitude(threads: &Threads, gradient: &Tensor) -> f64 {
    let [sum] = rows::sums(threads, &gradient.data, &mut Vec::new(), |x| [f64::from(x.abs())]);
    sum / gradient.data.len() as f64
}
