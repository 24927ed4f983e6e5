//! Batch normalisation with its trained statistics, which is a scale and a shift.

/// The scale and the shift of `gamma · (x − mean) / √(variance + epsilon) + beta`
/// (Ioffe and Szegedy 2015).
pub(crate) fn normalised_by(
    [gamma, beta, mean, variance]: [f64; 4],
    epsilon: impl Into<f64>,
) -> (f64, f64) {
    let scale = gamma / (variance + epsilon.into()).sqrt();
    (scale, beta - mean * scale)
}
