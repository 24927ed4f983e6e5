//! Arithmetic on `f32` slices: the CPU level that runs it, the threads that share it, and the kernels.
#![allow(unsafe_code, reason = "vector instructions and shared buffers live here, and only here")]

mod level;
mod map;
mod simd;
mod threads;

pub use level::CpuLevel;
pub use map::{Context, Lane, Map, Write};
pub use threads::Threads;
