//! Whoever watches a dream: a progress bar, a preview, a test. What it returns can stop the dream.

use std::ops::ControlFlow;
use std::time::Duration;

use graph::Tensor;

/// Told after every step, by one of the threads that dream.
pub trait Observer: Send {
    /// A step is done; [`ControlFlow::Break`] ends the dream here.
    fn step(&mut self, progress: &Progress<'_>) -> ControlFlow<()>;
}

/// Where a dream stands.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The octave, from 0, smallest first.
    pub octave: u32,
    /// How many octaves there are.
    pub octaves: u32,
    /// Steps done on this octave, from 1.
    pub iteration: u32,
    /// Steps of each octave.
    pub iterations: u32,
    /// Work done so far, in pixels × steps.
    pub done: u64,
    /// All the work, in pixels × steps.
    pub total: u64,
    /// The picture as it is, in this octave's size.
    pub picture: &'a Tensor,
    /// The objective before this step's change: `Σ weight · ½ · Σ activation²`.
    pub objective: f64,
    /// How long this step took.
    pub took: Duration,
    /// How much of that the network took.
    pub network: Duration,
}
