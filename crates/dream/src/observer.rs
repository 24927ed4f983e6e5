//! What watches a dream: a progress bar, a preview, a test. Its answer can stop the dream.

use std::ops::ControlFlow;

use graph::{Size, Tensor};

use crate::{Checkpoint, Term};

/// Told of every step of each picture, by one of the threads that dream. A closure that takes a [`Progress`] is one.
pub trait Observer: Send {
    /// A step is done; [`ControlFlow::Break`] ends the dream here.
    fn step(&mut self, progress: &Progress<'_>) -> ControlFlow<()>;

    /// The network's part of a step is done: the gradient is still to be transformed, and the step to be taken.
    /// Only measurements of time need this.
    fn evaluated(&mut self) {}

    /// A term of the objective has no gradient at the start of an octave. On this octave it does not count, and
    /// the other terms have its share.
    fn silent(&mut self, _term: &Term) {}

    /// No step on the frame that was just made had a gradient, as may happen with a black frame. It stays as it
    /// was before its dream.
    fn no_gradient(&mut self) {}
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
    /// Which of the pictures that are dreamt together, from 0.
    pub number: u32,
    /// The picture as it is, in this octave's size.
    pub picture: &'a Tensor,
    /// The objective before this step: `Σ weight · value` over its terms. The value of a whole layer is
    /// `½ · Σ activation²`.
    pub objective: f64,
}

/// Counts the work of a dream.
pub(crate) struct Work {
    octaves: u32,
    iterations: u32,
    done: u64,
    total: u64,
}

impl Work {
    /// That of this many steps on each octave of each of so many pictures.
    pub(crate) fn new(octaves: &[Size], iterations: u32, pictures: usize) -> Self {
        let pixels: u64 = octaves.iter().map(|size| size.pixels()).sum();
        let total = pixels * u64::from(iterations) * pictures as u64;
        Self { octaves: octaves.len() as u32, iterations, done: 0, total }
    }

    /// The same with all the work counted that comes before this octave and this step of it, both from 0.
    pub(crate) fn done_before(mut self, sizes: &[Size], octave: usize, iteration: u32) -> Self {
        let whole: u64 = sizes[..octave].iter().map(|size| size.pixels()).sum();
        self.done =
            whole * u64::from(self.iterations) + sizes[octave].pixels() * u64::from(iteration);
        self
    }

    /// Where the dream stands after one more step of a picture, which led to `at`; before it the objective was
    /// `objective`.
    pub(crate) fn progress<'a>(
        &mut self,
        (number, at): (usize, &'a Checkpoint),
        objective: f64,
    ) -> Progress<'a> {
        let Self { octaves, iterations, total, .. } = *self;
        let Checkpoint { octave, iteration, picture, .. } = at;
        self.done += picture.shape.size().pixels();
        Progress {
            octave: *octave as u32,
            octaves,
            iteration: *iteration,
            iterations,
            done: self.done,
            total,
            number: number as u32,
            picture,
            objective,
        }
    }
}
