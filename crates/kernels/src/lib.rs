//! Arithmetic on `f32` slices: the CPU level that runs it, the threads that share it, and the kernels.
#![allow(unsafe_code, reason = "vector instructions and shared buffers live here, and only here")]

pub mod blur;
mod channels;
mod context;
pub mod conv;
pub mod depthwise;
pub mod elementwise;
mod geometry;
mod level;
pub mod lrn;
pub mod lrn_pool;
mod map;
mod memory;
pub mod pack;
mod peak;
pub mod pool;
mod rows;
mod scratch;
mod shared_ptr;
mod simd;
mod softmax;
mod threads;
mod window;
pub mod winograd;

pub use context::Context;
pub use geometry::ConvGeometry;
pub use level::CpuLevel;
pub use map::{BlockedMap, Destination, MapMut, MapRef, Vec16, WriteMode};
pub use memory::{Memory, Plain};
pub use peak::peak;
pub use threads::Threads;
