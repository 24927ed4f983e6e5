//! From a file's colour space to sRGB.

use graph::Tensor;
use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace,
    Layout, MatrixCoefficients, ToneReprCurve, TransferCharacteristics, TransformOptions,
};

use super::interleave::{Walk, deinterleave, interleave};

/// sRGB's gamma as PNG counts it, of which 0.45455 is a spelling, and how far others may be from it.
const SRGB_GAMMA: f32 = 1.0 / 2.2;
const NEAR_GAMMA: f32 = 0.005;

/// The white and the primaries of sRGB, and how far others may be from them.
const SRGB_XY: [f32; 8] = [0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06];
const NEAR_XY: f32 = 0.002;

/// A colour space as files name it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ColorSpace {
    /// An ICC profile.
    Icc(Vec<u8>),
    /// Primaries and transfer function by their numbers in ITU-T H.273.
    CodePoints(u8, u8),
    /// A power function and primaries; what is not given is sRGB's.
    Calibrated {
        /// The exponent that light becomes a sample with: 0.45455 for most screens.
        gamma: Option<f32>,
        /// The chromaticities x, y of white, red, green and blue.
        xy: Option<[f32; 8]>,
    },
    /// Adobe RGB (1998).
    AdobeRgb,
}

impl ColorSpace {
    /// A calibrated space; `None` for sRGB or one that is nearly so, and for numbers that make no sense.
    pub(super) fn calibrated(gamma: Option<f32>, xy: Option<[f32; 8]>) -> Option<Self> {
        let gamma = gamma.filter(|gamma| {
            (0.05..=20.0).contains(gamma) && (gamma - SRGB_GAMMA).abs() > NEAR_GAMMA
        });
        let xy = xy.filter(|xy| {
            let sensible = xy.iter().all(|value| (0.0..=1.0).contains(value))
                && xy.iter().skip(1).step_by(2).all(|y| *y > 0.001);
            sensible && xy.iter().zip(SRGB_XY).any(|(a, b)| (a - b).abs() > NEAR_XY)
        });
        (gamma.is_some() || xy.is_some()).then_some(Self::Calibrated { gamma, xy })
    }

    fn profile(&self) -> Result<ColorProfile, String> {
        let unknown = |_| "the colour space has a number that is not known".to_owned();
        Ok(match self {
            Self::Icc(bytes) => ColorProfile::new_from_slice(bytes).map_err(broken)?,
            Self::CodePoints(primaries, transfer) => {
                let profile = CicpProfile {
                    color_primaries: CicpColorPrimaries::try_from(*primaries).map_err(unknown)?,
                    transfer_characteristics: TransferCharacteristics::try_from(*transfer)
                        .map_err(unknown)?,
                    matrix_coefficients: MatrixCoefficients::Identity,
                    full_range: true,
                };
                let mut profile = ColorProfile::new_from_cicp(profile);
                if profile.red_trc.is_none() {
                    return Err("the colour space is not supported".into());
                }
                // By the curves, which are exact, not by the numbers they came from.
                profile.cicp = None;
                profile
            }
            Self::Calibrated { gamma, xy } => {
                let mut profile = ColorProfile::new_srgb();
                if let Some([wx, wy, rx, ry, gx, gy, bx, by]) = *xy {
                    let primaries = ColorPrimaries {
                        red: Chromaticity::new(rx, ry),
                        green: Chromaticity::new(gx, gy),
                        blue: Chromaticity::new(bx, by),
                    };
                    profile.update_rgb_colorimetry(Chromaticity::new(wx, wy).to_xyyb(), primaries);
                }
                if let Some(gamma) = gamma {
                    let curve = Some(ToneReprCurve::Parametric(vec![1.0 / gamma]));
                    profile.red_trc = curve.clone();
                    profile.green_trc = curve.clone();
                    profile.blue_trc = curve;
                }
                profile.cicp = None;
                profile
            }
            Self::AdobeRgb => ColorProfile::new_adobe_rgb(),
        })
    }
}

fn broken(error: moxcms::CmsError) -> String {
    format!("the colour profile is broken ({error})")
}

/// Converts planes of 3 × height × width, 0–255, from `space` to sRGB in place; of a `grey` picture with an
/// ICC profile, whose planes are all the same, the first one is converted.
///
/// # Errors
/// A profile that is broken or for another kind of picture, as a print profile is once the decoder has
/// made RGB. Then nothing is changed.
pub(super) fn to_srgb(planes: &mut Tensor, grey: bool, space: &ColorSpace) -> Result<(), String> {
    let profile = space.profile()?;
    let is_grey = grey && matches!(space, ColorSpace::Icc(_));
    let (space, layout, channels) = match is_grey {
        true => (DataColorSpace::Gray, Layout::Gray, 1),
        false => (DataColorSpace::Rgb, Layout::Rgb, 3),
    };
    if profile.color_space != space {
        return Err("the colour profile is not for this kind of picture".into());
    }
    let transform = profile
        .create_transform_f32(
            layout,
            &ColorProfile::new_srgb(),
            Layout::Rgb,
            TransformOptions::default(),
        )
        .map_err(broken)?;

    let (plane, width) = (planes.shape.plane(), planes.shape.width);
    let (red, rest) = planes.data.split_at_mut(plane);
    let (green, blue) = rest.split_at_mut(plane);
    let mut from = vec![0.0_f32; width * channels];
    let mut to = vec![0.0_f32; width * 3];
    let rows = red.chunks_exact_mut(width).zip(green.chunks_exact_mut(width));
    for ((red, green), blue) in rows.zip(blue.chunks_exact_mut(width)) {
        interleave(&[&*red, &*green, &*blue][..channels], &mut from);
        transform.transform(&from, &mut to).map_err(broken)?;
        deinterleave(&to, &mut [red, green, blue], (width, Walk::straight(width)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use graph::Shape;

    use super::*;

    fn converted(values: [f32; 3], space: &ColorSpace) -> Vec<u8> {
        let mut planes = Tensor { shape: Shape::new(3, 1, 1), data: values.to_vec().into() };
        to_srgb(&mut planes, false, space).unwrap();
        planes.data.iter().map(|value| (value + 0.5) as u8).collect()
    }

    #[test]
    fn light_and_other_curves_become_srgb() {
        let linear = ColorSpace::calibrated(Some(1.0), None).unwrap();
        // IEC 61966-2-1: 1.055 · (55/255)^(1/2.4) − 0.055 = 0.5019.
        assert_eq!(converted([55.0, 255.0, 0.0], &linear), [128, 255, 0]);
        let mac = ColorSpace::calibrated(Some(1.0 / 1.8), None).unwrap();
        // (100/255)^1.8 = 0.1854, of which sRGB makes 0.4681.
        assert_eq!(converted([100.0; 3], &mac), [119; 3]);
        assert_eq!(converted([55.0, 255.0, 0.0], &ColorSpace::CodePoints(1, 8)), [128, 255, 0]);
    }

    #[test]
    fn primaries_become_srgbs() {
        // Adobe RGB's red is outside sRGB; a red within it has these numbers there.
        let red = converted([219.0, 0.0, 0.0], &ColorSpace::AdobeRgb);
        assert!(red[0] >= 254 && red[1] == 0, "{red:?}");
        let adobe = [0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06];
        let calibrated = ColorSpace::calibrated(Some(1.0 / 2.199_218_8), Some(adobe)).unwrap();
        let probe = [120.0, 150.0, 90.0];
        let (a, b) = (converted(probe, &calibrated), converted(probe, &ColorSpace::AdobeRgb));
        assert!(a.iter().zip(&b).all(|(a, b)| a.abs_diff(*b) <= 1), "{a:?} {b:?}");
        // Grey stays grey whatever the primaries.
        let grey = converted([90.0; 3], &ColorSpace::CodePoints(9, 13));
        assert!(grey.iter().all(|value| value.abs_diff(90) <= 1), "{grey:?}");
    }

    #[test]
    fn what_is_srgb_or_makes_no_sense_is_left_alone() {
        for (gamma, xy) in [
            (None, None),
            (Some(0.45455), Some(SRGB_XY)),
            (Some(0.0), None),
            (Some(f32::NAN), None),
            (None, Some([0.0; 8])),
            (None, Some([7.0; 8])),
        ] {
            assert_eq!(ColorSpace::calibrated(gamma, xy), None, "{gamma:?} {xy:?}");
        }
        let mut planes = Tensor::zeros(Shape::new(3, 1, 1));
        for space in [ColorSpace::Icc(vec![7; 200]), ColorSpace::CodePoints(200, 200)] {
            assert!(to_srgb(&mut planes, false, &space).is_err());
        }
    }
}
