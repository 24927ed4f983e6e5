//! Colours held over many frames.

mod stats;

pub use stats::ColorStats;
