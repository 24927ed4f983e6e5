//! Where a dream stands: what it needs to go on as if it had never stopped.

use graph::{Size, Tensor};

use crate::ascent::ClimbState;
use crate::{Plan, PlanError};

/// Where a dream stands between two steps.
///
/// It belongs to a picture, a network and a recipe, with which it goes on to the byte as it would have gone
/// on. The recipe's size may be another one if the octaves up to here are the same, which they are up to the
/// anchor: so a small dream, once it is whole, goes on as a large one.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    pub(crate) octave: usize,
    pub(crate) iteration: u32,
    pub(crate) picture: Tensor,
    /// How much each term counts on this octave, from its start on.
    pub(crate) weights: Vec<f32>,
    /// Random words drawn so far.
    pub(crate) draws: u64,
    /// Whether any step had a gradient to follow, or none was to go anywhere.
    pub(crate) climbed: bool,
    /// What the octave's steps so far have left, where there are steps to come that depend on it.
    pub(crate) climb: Option<ClimbState>,
    /// How long exact tiles of this octave may be, if it is cut into any.
    pub(crate) cut: Option<u32>,
}

impl Checkpoint {
    /// Where a dream begins whose smallest octave's picture is `base`.
    pub(crate) fn start(plan: &Plan, base: &Tensor) -> Self {
        let (picture, climbed) = (base.clone(), plan.stands_still());
        let (weights, cut) = (Vec::new(), plan.cut(0));
        Self { octave: 0, iteration: 0, picture, weights, draws: 0, climbed, climb: None, cut }
    }

    /// The octave, from 0, smallest first.
    pub fn octave(&self) -> usize {
        self.octave
    }

    /// Steps done on this octave.
    pub fn iteration(&self) -> u32 {
        self.iteration
    }

    /// The picture as it is, in this octave's size: 3 × height × width, RGB, 0–255 where the recipe
    /// has a bound.
    pub fn picture(&self) -> &Tensor {
        &self.picture
    }

    /// The picture alone.
    pub fn into_picture(self) -> Tensor {
        self.picture
    }

    /// Whether the dream of `plan` is whole here.
    pub fn is_whole(&self, plan: &Plan) -> bool {
        self.octave + 1 == plan.octaves().len() && self.iteration == plan.iterations()
    }

    /// Whether a dream of `plan` can go on from here.
    ///
    /// # Errors
    /// If it has no such octave or step, or climbs in another way.
    pub(crate) fn check(&self, plan: &Plan) -> Result<(), PlanError> {
        let Size { height, width } = self.picture.shape.size();
        let there = plan.octaves().get(self.octave) == Some(&Size { height, width });
        let weighed = self.weights.len() == plan.recipe().objective.len();
        let there = there && (weighed || self.iteration == 0);
        let there = there && self.cut == plan.cut(self.octave);
        let between = 1..plan.iterations();
        let known = || match &self.climb {
            _ if !between.contains(&self.iteration) => true,
            Some(climb) => climb.is_of(plan, self.octave),
            None => !ClimbState::is_needed(plan.ascent()),
        };
        match there && self.iteration <= plan.iterations() && known() {
            true => Ok(()),
            false => Err(PlanError::Checkpoint {
                octave: self.octave + 1,
                size: Size { height, width },
                iteration: self.iteration,
            }),
        }
    }
}
