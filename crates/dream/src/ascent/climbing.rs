//! One dream on one octave: each step's direction is found, turned away from the other dreams where there are
//! some, and taken.

use graph::Tensor;

use super::{Climb, Shift, StepScale};
use crate::image::like;
use crate::random::Random;
use crate::regions::{At, Directions, Masks};
use crate::{Checkpoint, DreamError, Observer, Plan, Recipe};

/// A dream on an octave.
pub(crate) struct Climbing<'a> {
    /// Its place among those that are dreamt together, from 0.
    number: usize,
    pub(crate) at: &'a mut Checkpoint,
    /// What is dreamt on.
    base: &'a Tensor,
    masks: &'a Masks<'a>,
    random: &'a mut Random,
    climb: Climb<'a>,
    direction: Tensor,
    /// How far the picture is rolled at this step.
    pub(crate) jitter: Shift,
    /// The random words that finding its direction began with.
    before: Random,
    /// The objective before it.
    pub(crate) value: f64,
    /// How its direction becomes a step.
    pub(crate) scale: StepScale,
}

impl<'a> Climbing<'a> {
    pub(crate) fn new(
        number: usize,
        at: &'a mut Checkpoint,
        (base, masks): (&'a Tensor, &'a Masks<'a>),
        random: &'a mut Random,
        climb: Climb<'a>,
    ) -> Self {
        masks.restore(&mut at.picture, base);
        let (direction, before) = (like(&at.picture), random.clone());
        let (jitter, value, scale) = (Shift::default(), 0.0, StepScale::Vanished);
        Self { number, at, base, masks, random, climb, direction, jitter, before, value, scale }
    }

    /// Weighs the terms, where the octave begins.
    ///
    /// # Errors
    /// If what runs the network fails.
    pub(crate) fn begin(
        &mut self,
        plan: &Plan,
        directions: &mut Directions<'_>,
        observer: &mut dyn Observer,
    ) -> Result<(), DreamError> {
        if self.at.iteration == 0 {
            let (recipe, evaluator) = (plan.recipe(), directions.evaluator());
            let silent = evaluator.balance(recipe, &self.at.picture, &mut self.direction)?;
            let silent = recipe.objective.iter().zip(silent).filter(|(_, silent)| *silent);
            silent.for_each(|(term, _)| observer.silent(term));
            self.at.weights = evaluator.weights().to_vec();
        }
        Ok(())
    }

    /// Finds the direction of a step.
    ///
    /// # Errors
    /// If what runs the network fails.
    pub(crate) fn find(
        &mut self,
        recipe: &Recipe,
        directions: &mut Directions<'_>,
        observer: &mut dyn Observer,
    ) -> Result<(), DreamError> {
        directions.set_weights(&self.at.weights);
        self.jitter = Shift::draw(recipe, self.random, self.at.picture.shape.size());
        self.before.clone_from(self.random);
        let at = place(self.number, self.at, self.jitter);
        let found = directions.find(at, self.random, observer, &mut self.direction)?;
        (self.value, self.scale) = found;
        Ok(())
    }

    /// Takes the step, once the directions of all dreams are found.
    ///
    /// # Errors
    /// If what runs the network fails.
    pub(crate) fn step(&mut self, directions: &mut Directions<'_>) -> Result<(), DreamError> {
        if let StepScale::Times(scale) = self.scale {
            let at = place(self.number, self.at, self.jitter);
            self.scale = directions.turn(at, &mut self.before, scale, &mut self.direction)?;
        }
        if let StepScale::Times(scale) = self.scale {
            self.climb.step(&mut self.at.picture, &mut self.direction, scale);
            if self.masks.spills() {
                self.masks.restore(&mut self.at.picture, self.base);
            }
            self.at.climbed = true;
        }
        self.at.iteration += 1;
        self.at.draws = self.random.words();
        Ok(())
    }

    /// Leaves the dream where it stands, with what its further steps need.
    pub(crate) fn end(self) {
        self.at.climb = self.climb.left(self.at.iteration);
    }
}

fn place(number: usize, at: &Checkpoint, jitter: Shift) -> At<'_> {
    At { picture: &at.picture, number, iteration: at.iteration, jitter }
}
