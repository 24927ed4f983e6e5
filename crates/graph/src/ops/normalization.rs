//! What normalisations by mean and variance have in common: a set of values, `(x − mean) / √(variance + ε)`.

use crate::Real;

/// Normalises the values of `x` at the places `set`, and calls `f` with each place and its value then.
pub(super) fn normalize<T: Real>(
    x: &[T],
    set: impl Iterator<Item = usize> + Clone,
    epsilon: f32,
    mut f: impl FnMut(usize, T),
) {
    let (mean, scale) = statistics(x, set.clone(), epsilon);
    set.for_each(|i| f(i, (x[i] - mean) * scale));
}

/// The gradient with respect to `x` at the places `set`, for the gradient `of` the normalised values: with n
/// normalised values, `scale · (g − mean(g) − n · mean(g · n))`.
pub(super) fn normalize_backward<T: Real>(
    x: &[T],
    set: impl Iterator<Item = usize> + Clone,
    epsilon: f32,
    of: impl Fn(usize) -> T,
    dx: &mut [T],
) {
    let (mean, scale) = statistics(x, set.clone(), epsilon);
    let count = T::of(set.clone().count() as f32);
    let normal = |i: usize| (x[i] - mean) * scale;
    let sum = set.clone().map(&of).sum::<T>() / count;
    let products = set.clone().map(|i| of(i) * normal(i)).sum::<T>() / count;
    set.for_each(|i| dx[i] = scale * (of(i) - sum - normal(i) * products));
}

/// The mean, and one over the standard deviation.
fn statistics<T: Real>(x: &[T], set: impl Iterator<Item = usize> + Clone, epsilon: f32) -> (T, T) {
    let count = T::of(set.clone().count() as f32);
    let mean = set.clone().map(|i| x[i]).sum::<T>() / count;
    let square = |i: usize| (x[i] - mean) * (x[i] - mean);
    let variance = set.map(square).sum::<T>() / count;
    (mean, (variance + T::of(epsilon)).pow(T::of(-0.5)))
}
