//! What is done to images whatever they are for: resizing, resampling, blurring, and passes over all
//! their values.

pub(crate) mod area;
pub(crate) mod gaussian;
mod resample;
pub(crate) mod row_blur;
pub(crate) mod rows;
mod sample;

use graph::{Shape, Size, Storage, Tensor};
use kernels::Threads;

pub(crate) use resample::resize_into;
pub use resample::{Filter, resize};
pub use sample::sample;

/// A black RGB image.
pub(crate) fn black(size: Size) -> Tensor {
    Tensor::zeros(Shape::new(3, size.height, size.width))
}

/// The same that lies in `storage`.
pub(crate) fn black_in(storage: &Storage, size: Size) -> Tensor {
    Tensor::zeros_in(storage, Shape::new(3, size.height, size.width))
}

/// Zeros of a tensor's shape, which lie where it does.
pub(crate) fn like(tensor: &Tensor) -> Tensor {
    Tensor::zeros_in(tensor.storage(), tensor.shape)
}

/// An image in another size, within 0–255.
pub(crate) fn resized(threads: &Threads, image: Tensor, size: Size) -> Tensor {
    if image.shape.size() == size { image } else { scaled(threads, &image, size) }
}

/// As [`resized`], of an image that is used again.
pub(crate) fn scaled(threads: &Threads, image: &Tensor, size: Size) -> Tensor {
    if image.shape.size() == size {
        return image.clone();
    }
    let mut scaled = threads.install(|| resize(image, size, Filter::CatmullRom));
    scaled.data.iter_mut().for_each(|x| *x = x.clamp(0.0, 255.0));
    scaled
}
