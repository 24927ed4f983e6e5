//! Arithmetic on `f32` slices: the CPU level that runs it, the threads that share it, and the kernels.

mod level;
mod threads;

pub use level::CpuLevel;
pub use threads::Threads;
