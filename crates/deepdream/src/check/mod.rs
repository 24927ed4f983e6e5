//! Whether the kernels this machine chooses compute what plain loops do, layer by layer, on the pictures
//! of a real dream. This tells a fault of the program from one of a recipe, and a new kernel is
//! tried on what it will really be given.

mod compare;
mod job;
mod report;

pub use job::CheckJob;
pub use report::{CheckReport, ComparedLayer};
