//! From a file's colour space to sRGB, by its ICC profile.

use graph::{Shape, Tensor};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// A picture of 1 (grey) or 3 × height × width values, 0–255, as sRGB of 3 × height × width. Without
/// a profile the values are taken for sRGB already; so are they, with a note, if the profile is
/// broken or for another kind of picture (as a print profile is, once the decoder has made RGB).
pub(super) fn to_srgb(values: Tensor, profile: Option<&[u8]>, notes: &mut Vec<String>) -> Tensor {
    match profile.map(|profile| transformed(&values, profile)) {
        Some(Ok(tensor)) => return tensor,
        Some(Err(problem)) => {
            notes.push(format!("{problem}; the colours are taken for sRGB"));
        }
        None => {}
    }
    if values.shape.channels == 3 {
        return values;
    }
    let shape = Shape { channels: 3, ..values.shape };
    Tensor { shape, data: values.data.repeat(3) }
}

fn transformed(values: &Tensor, profile: &[u8]) -> Result<Tensor, String> {
    let broken = |error| format!("the colour profile is broken ({error})");
    let profile = ColorProfile::new_from_slice(profile).map_err(broken)?;
    let channels = values.shape.channels;
    let (space, layout) = match channels {
        1 => (DataColorSpace::Gray, Layout::Gray),
        _ => (DataColorSpace::Rgb, Layout::Rgb),
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

    let (plane, width) = (values.shape.plane(), values.shape.width);
    let mut out = Tensor::zeros(Shape { channels: 3, ..values.shape });
    let mut from = vec![0.0; width * channels];
    let mut to = vec![0.0; width * 3];
    for row in (0..plane).step_by(width) {
        for (x, pixel) in from.chunks_exact_mut(channels).enumerate() {
            for (channel, value) in pixel.iter_mut().enumerate() {
                *value = values.data[channel * plane + row + x] / 255.0;
            }
        }
        transform.transform(&from, &mut to).map_err(broken)?;
        for (x, pixel) in to.chunks_exact(3).enumerate() {
            for (channel, value) in pixel.iter().enumerate() {
                out.data[channel * plane + row + x] = (value * 255.0).clamp(0.0, 255.0);
            }
        }
    }
    Ok(out)
}
