//! Whoever watches a dream: a progress bar, a preview, a test. What it returns can stop the dream.

use std::ops::ControlFlow;

use graph::Tensor;

/// Told of every step, by one of the threads that dream. A closure that takes a [`Progress`] is one.
pub trait Observer: Send {
    /// A step is done; [`ControlFlow::Break`] ends the dream here.
    fn step(&mut self, progress: &Progress<'_>) -> ControlFlow<()>;

    /// The network is done with a step: what is left is to transform the gradient and to climb. For
    /// who measures time, which nothing here does.
    fn evaluated(&mut self) {}
}

impl<F: FnMut(&Progress<'_>) -> ControlFlow<()> + Send> Observer for F {
    fn step(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        self(progress)
    }
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
}
