//! A picture moved along a flow.

use graph::Tensor;
use kernels::Threads;

use super::field::FlowField;
use crate::image::sample;

/// `picture` seen through a flow: each pixel is what `picture` has where `field` points to from there.
///
/// # Panics
/// If the sizes differ.
pub fn warp(threads: &Threads, picture: &Tensor, field: &FlowField) -> Tensor {
    let size = (picture.shape.width, picture.shape.height);
    assert_eq!(size, (field.width, field.height), "a flow of another size");
    sample(threads, picture, |x, y| {
        let [dx, dy] = field.at(x, y);
        [x as f64 + f64::from(dx), y as f64 + f64::from(dy)]
    })
}
