//! From a file's colour space to sRGB, by its ICC profile.

use graph::Tensor;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::interleave::{deinterleave, interleave};

/// Converts planes of 3 × height × width, 0–255, to sRGB in place; of a `grey` picture, whose planes
/// are all the same, the first one is converted.
///
/// # Errors
/// A profile that is broken or for another kind of picture, as a print profile is once the decoder has
/// made RGB. Then nothing is changed.
pub(super) fn to_srgb(planes: &mut Tensor, grey: bool, profile: &[u8]) -> Result<(), String> {
    let broken = |error| format!("the colour profile is broken ({error})");
    let profile = ColorProfile::new_from_slice(profile).map_err(broken)?;
    let (space, layout, channels) = match grey {
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
        deinterleave(&to, &mut [red, green, blue]);
    }
    Ok(())
}
