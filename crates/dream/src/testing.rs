//! What unit tests share.

use graph::{Shape, Tensor};
use kernels::{Context, CpuLevel, Threads};

pub(crate) fn threads() -> Threads {
    Threads::new(2).expect("two threads can be started")
}

/// Two threads of the least level.
pub(crate) fn context() -> Context {
    Context::new(threads(), CpuLevel::Scalar)
}

/// Three channels of values from −100 to 100 with no pattern a filter would miss.
pub(crate) fn pattern(height: usize, width: usize) -> Tensor {
    let shape = Shape::new(3, height, width);
    let value = |i: usize| ((i * 7919 + i * i * 31) % 2003) as f32 / 10.015 - 100.0;
    Tensor { shape, data: (0..shape.len()).map(value).collect() }
}
