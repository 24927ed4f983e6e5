//! The sigmoid that keeps a picture within its bounds, the same to the bit on every system.

/// The least share of 255 that a picture starts with, and how far below 1 it stays: half of an 8-bit
/// step.
const LEAST: f64 = 1.0 / 510.0;

/// What `sigmoid` makes `value`, of 0–255, of.
pub(super) fn logit(value: f32) -> f32 {
    let share = (f64::from(value) / 255.0).clamp(LEAST, 1.0 - LEAST);
    (share / (1.0 - share)).ln() as f32
}

/// 255 / (1 + e⁻ᶻ), to about seven digits.
#[inline(always)]
pub(super) fn sigmoid(z: f32) -> f32 {
    255.0 / (1.0 + exp(-z))
}

/// eˣ, for x brought within ±87: 2ⁿ times a polynomial of the rest, which is within ±½ ln 2 (the Taylor
/// series to the seventh power). Plain arithmetic alone, so that a loop of it becomes vectors.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// 1.5 · 2²³: adding it leaves whole numbers, the lowest bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, of which the first is exact in products with whole numbers.
    const LN_2: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];
    const SERIES: [f32; 8] =
        [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let x = x.clamp(-87.0, 87.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let rest = (x - n * LN_2[0]) - n * LN_2[1];
    let mut sum = 0.0;
    for factor in SERIES {
        sum = sum * rest + factor;
    }
    sum * f32::from_bits((rounded.to_bits() << 23).wrapping_add(0x3f80_0000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_right_to_its_last_digits() {
        for step in -2000..=2000 {
            let x = step as f32 * 0.0434;
            let right = f64::from(x.clamp(-87.0, 87.0)).exp();
            let error = (f64::from(exp(x)) / right - 1.0).abs();
            assert!(error < 3e-7, "{x}: {error}");
        }
        for (x, wanted) in [(f32::INFINITY, exp(87.0)), (f32::NEG_INFINITY, exp(-87.0))] {
            assert_eq!(exp(x), wanted);
        }
    }

    #[test]
    fn a_value_comes_back_from_its_logit() {
        for value in 0..=255 {
            let value = value as f32;
            let back = sigmoid(logit(value));
            assert!((back - value.clamp(0.5, 254.5)).abs() < 1e-4, "{value}: {back}");
        }
    }
}
