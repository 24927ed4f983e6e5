//! Functions of each value by itself: activations and the roots and powers that normalisations are written
//! with.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI};

use super::operation::{Activation, Operation, only};
use crate::{Real, Shape};

/// A function of each value by itself. Where it has a corner, its slope there is that on the side on which it
/// is flat, as for ReLU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary {
    /// `1 / (1 + exp(−x))`
    Sigmoid,
    /// `min(max(alpha · x + beta, 0), 1)`
    HardSigmoid {
        /// The slope.
        alpha: f32,
        /// The value at 0.
        beta: f32,
    },
    /// `x · min(max(x / 6 + ½, 0), 1)` (Howard et al. 2019)
    HardSwish,
    /// `x · sigmoid(x)`, also called Swish.
    Silu,
    /// `½ · x · (1 + erf(x / √2))` (Hendrycks and Gimpel 2016)
    Gelu,
    /// `½ · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))`, which is close to [`Self::Gelu`].
    GeluTanh,
    /// `ln(1 + exp(x))`
    Softplus,
    /// `x · tanh(ln(1 + exp(x)))` (Misra 2020)
    Mish,
    /// The error function `2/√π · ∫ exp(−t²) dt` from 0 to x.
    Erf,
    /// `tanh(x)`
    Tanh,
    /// `min(max(x, min), max)`; an end can be infinite.
    Clip {
        /// The least value.
        min: f32,
        /// The largest value.
        max: f32,
    },
    /// `x` above 0, `alpha · x` elsewhere.
    LeakyRelu {
        /// The slope below 0.
        alpha: f32,
    },
    /// `x` above 0, `alpha · (exp(x) − 1)` elsewhere (Clevert et al. 2016).
    Elu {
        /// What the function approaches far below 0, negated.
        alpha: f32,
    },
    /// `√x`
    Sqrt,
    /// `x` to the power of `exponent`.
    Pow {
        /// The exponent.
        exponent: f32,
    },
}

/// `0.044715` and `√(2/π)` of [`Unary::GeluTanh`].
const CUBE: f64 = 0.044715;
const TANH_SCALE: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2;

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The error function: `2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1 · 3 · … · (2n + 1))`, whose terms all have one sign.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-18 * sum.abs() {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

impl Unary {
    /// The function's value at `x`.
    pub fn value(&self, x: f64) -> f64 {
        match *self {
            Self::Sigmoid => sigmoid(x),
            Self::HardSigmoid { alpha, beta } => {
                (f64::from(alpha) * x + f64::from(beta)).clamp(0.0, 1.0)
            }
            Self::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Self::Silu => x * sigmoid(x),
            Self::Gelu => 0.5 * x * (1.0 + erf(x * FRAC_1_SQRT_2)),
            Self::GeluTanh => 0.5 * x * (1.0 + (TANH_SCALE * (x + CUBE * x * x * x)).tanh()),
            Self::Softplus => softplus(x),
            Self::Mish => x * softplus(x).tanh(),
            Self::Erf => erf(x),
            Self::Tanh => x.tanh(),
            Self::Clip { min, max } => x.max(min.into()).min(max.into()),
            Self::LeakyRelu { alpha } => {
                if x > 0.0 {
                    x
                } else {
                    f64::from(alpha) * x
                }
            }
            Self::Elu { alpha } => {
                if x > 0.0 {
                    x
                } else {
                    f64::from(alpha) * x.exp_m1()
                }
            }
            Self::Sqrt => x.sqrt(),
            Self::Pow { exponent } => x.powf(exponent.into()),
        }
    }

    /// The function's slope at `x`.
    pub fn slope(&self, x: f64) -> f64 {
        let within = |inside: bool, slope: f64| if inside { slope } else { 0.0 };
        match *self {
            Self::Sigmoid => sigmoid(x) * sigmoid(-x),
            Self::HardSigmoid { alpha, beta } => {
                let y = f64::from(alpha) * x + f64::from(beta);
                within(y > 0.0 && y < 1.0, alpha.into())
            }
            Self::HardSwish => {
                if x >= 3.0 {
                    1.0
                } else {
                    within(x > -3.0, x / 3.0 + 0.5)
                }
            }
            Self::Silu => sigmoid(x) * (1.0 + x * sigmoid(-x)),
            Self::Gelu => {
                let density = (-0.5 * x * x).exp() / (2.0 * PI).sqrt();
                0.5 * (1.0 + erf(x * FRAC_1_SQRT_2)) + x * density
            }
            Self::GeluTanh => {
                let t = (TANH_SCALE * (x + CUBE * x * x * x)).tanh();
                let inner = TANH_SCALE * (1.0 + 3.0 * CUBE * x * x);
                0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner
            }
            Self::Softplus => sigmoid(x),
            Self::Mish => {
                let gate = softplus(x).tanh();
                gate + x * sigmoid(x) * (1.0 - gate * gate)
            }
            Self::Erf => FRAC_2_SQRT_PI * (-x * x).exp(),
            Self::Tanh => 1.0 - x.tanh().powi(2),
            Self::Clip { min, max } => within(x > min.into() && x < max.into(), 1.0),
            Self::LeakyRelu { alpha } => {
                if x > 0.0 {
                    1.0
                } else {
                    alpha.into()
                }
            }
            Self::Elu { alpha } => {
                if x > 0.0 {
                    1.0
                } else {
                    f64::from(alpha) * x.exp()
                }
            }
            Self::Sqrt => 0.5 / x.sqrt(),
            Self::Pow { exponent } => f64::from(exponent) * x.powf(f64::from(exponent) - 1.0),
        }
    }
}

impl Operation for Unary {
    fn output_shape(&self, inputs: &[Shape]) -> Result<Option<Shape>, String> {
        only(inputs).map(Some)
    }

    fn is_local(&self) -> bool {
        true
    }

    fn forward<T: Real>(&self, inputs: &[Activation<'_, T>], _: Shape) -> Vec<T> {
        inputs[0].data.iter().map(|x| T::from_f64(self.value(x.to_f64()))).collect()
    }

    fn backward<T: Real>(
        &self,
        inputs: &[Activation<'_, T>],
        _: Activation<'_, T>,
        dy: &[T],
    ) -> Vec<Vec<T>> {
        let slopes = inputs[0].data.iter().map(|x| T::from_f64(self.slope(x.to_f64())));
        vec![slopes.zip(dy).map(|(slope, &dy)| slope * dy).collect()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_has_the_values_of_tables() {
        // Abramowitz and Stegun, table 7.1.
        let table = [(0.0, 0.0), (0.5, 0.5204998778), (1.0, 0.8427007929), (2.0, 0.9953222650)];
        for (x, y) in table {
            assert!((erf(x) - y).abs() < 1e-10 && (erf(-x) + y).abs() < 1e-10, "{x}");
        }
        assert_eq!(erf(7.0), 1.0);
        assert!((1.0 - erf(5.9)) < 1e-15);
    }
}
