//! Resizing, plane by plane, in float.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::F32;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use graph::{Shape, Size, Tensor};
use serde::{Deserialize, Serialize};

use crate::parallel;

/// How a picture is resized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// Between the four nearest pixels, also when shrinking: what the notebooks' resizing does.
    #[default]
    Bilinear,
    /// A triangle that grows as the picture shrinks, so that nothing is skipped.
    Triangle,
    /// Catmull and Rom's cubic, growing likewise: sharp, with little ringing.
    CatmullRom,
    /// Lanczos' with three lobes, growing likewise: sharpest.
    Lanczos,
}

impl Filter {
    fn algorithm(self) -> ResizeAlg {
        match self {
            Filter::Bilinear => ResizeAlg::Interpolation(FilterType::Bilinear),
            Filter::Triangle => ResizeAlg::Convolution(FilterType::Bilinear),
            Filter::CatmullRom => ResizeAlg::Convolution(FilterType::CatmullRom),
            Filter::Lanczos => ResizeAlg::Convolution(FilterType::Lanczos3),
        }
    }
}

/// `picture`, of any number of channels, at another size, where the picture lies; values may leave their range a
/// little with `CatmullRom` and `Lanczos`. The planes are shared by rayon's current threads.
pub fn resize(picture: &Tensor, size: Size, filter: Filter) -> Tensor {
    let shape = Shape::new(picture.shape.channels, size.height, size.width);
    let mut resized = Tensor::zeros_in(picture.storage(), shape);
    resize_into(picture, &mut resized, filter);
    resized
}

/// [`resize`] to the size `target` has.
///
/// # Panics
/// With another number of channels, or a side of 2³² or more.
pub(crate) fn resize_into(picture: &Tensor, target: &mut Tensor, filter: Filter) {
    let (from, to) = (picture.shape, target.shape);
    assert_eq!(from.channels, to.channels, "resizing keeps the channels");
    if from.is_empty() || to.is_empty() {
        return;
    }
    if from == to {
        target.data.copy_from_slice(&picture.data);
        return;
    }
    let side = |side: usize| u32::try_from(side).expect("sides are below 2³²");
    let options = ResizeOptions::new().resize_alg(filter.algorithm()).use_alpha(false);
    let plane = |source: &[f32], from: Size, target: &mut [f32], to: Size| {
        let source: &[F32] = bytemuck::cast_slice(source);
        let target: &mut [F32] = bytemuck::cast_slice_mut(target);
        let source = TypedImageRef::new(side(from.width), side(from.height), source)
            .expect("a plane has all its pixels");
        let mut target = TypedImage::from_pixels_slice(side(to.width), side(to.height), target)
            .expect("a plane has all its pixels");
        Resizer::new()
            .resize_typed(&source, &mut target, &options)
            .expect("neither side is empty and the whole source is used");
    };
    let (from, to) = (from.size(), to.size());
    let between = Size::new(from.height, to.width);
    let storage = picture.storage();
    parallel::chunks_mut(&mut target.data, to.height * to.width, 1, |channel, target| {
        let source = picture.channel(channel);
        if storage.as_scratch().is_none() || between == from || between == to {
            return plane(source, from, target, to);
        }
        // As it does by itself, in memory of its own.
        let mut rows = storage.zeros(between.height * between.width);
        plane(source, from, &mut rows, between);
        plane(&rows, between, target, to);
    });
}
