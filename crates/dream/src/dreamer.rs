//! The loop: octave by octave, step by step, the picture climbs towards what excites the layers.

use graph::Tensor;

use crate::ascent::{GradientTransform, Shift, StepScale, Stepper};
use crate::image::{black, resized};
use crate::objective::GradientEvaluator;
use crate::observer::Work;
use crate::random::Random;
use crate::{DreamError, Observer, Plan, octaves};

/// Dreams on `picture` (3 × height × width, RGB, 0–255) as `plan` says, and returns the dream in the
/// plan's size. A picture of another size is resized first. Where the recipe does not clamp, values
/// may lie outside 0–255.
///
/// # Errors
/// Once `observer` ends the dream, what runs the network fails, or what it computes is no number; or if
/// not one step had a gradient to follow.
///
/// # Panics
/// With a picture that has not three channels or no pixels.
pub fn dream(
    plan: &Plan,
    picture: Tensor,
    observer: &mut dyn Observer,
) -> Result<Tensor, DreamError> {
    let Dreamt { picture, climbed } = dream_with_step_map(plan, picture, None, observer)?;
    if climbed { Ok(picture) } else { Err(plan.no_gradient(&picture)) }
}

/// What comes of a picture.
pub(crate) struct Dreamt {
    pub(crate) picture: Tensor,
    /// Whether any step had a gradient to follow, or none was to go anywhere.
    pub(crate) climbed: bool,
}

/// As [`dream`], each step going as many times as far at each pixel as `step_map`, one channel in the
/// plan's size, says. That no step had a gradient is no error here.
pub(crate) fn dream_with_step_map(
    plan: &Plan,
    picture: Tensor,
    step_map: Option<&Tensor>,
    observer: &mut dyn Observer,
) -> Result<Dreamt, DreamError> {
    plan.ask_for_memory()?;
    assert!(picture.shape.channels == 3 && !picture.shape.is_empty(), "pictures are RGB");
    plan.threads().install(|| octave_by_octave(plan, picture, step_map, observer))
}

/// The dream itself, on one of the plan's threads.
fn octave_by_octave(
    plan: &Plan,
    picture: Tensor,
    step_map: Option<&Tensor>,
    observer: &mut dyn Observer,
) -> Result<Dreamt, DreamError> {
    let (recipe, threads) = (plan.recipe(), plan.threads());
    let bases = octaves::bases(recipe, plan.layout(), picture, plan.context());
    let mut random = Random::new(recipe.seed);
    let mut work = Work::new(plan.octaves(), recipe.ascent.iterations);
    let mut climbed = plan.stands_still();
    let mut dreamt: Option<Tensor> = None;
    for (octave, (&size, base)) in plan.octaves().iter().zip(&bases).enumerate() {
        let mut picture = match dreamt {
            Some(before) => octaves::start(recipe, (before, &bases[octave - 1]), base, threads),
            None => base.clone(),
        };
        let mut evaluator = GradientEvaluator::new(plan.objective(), recipe, threads, size)?;
        let mut transform = GradientTransform::new(recipe, plan.context(), size);
        let stepper = Stepper::new(recipe, threads, size, step_map);
        let mut gradient = black(size);
        for iteration in 0..recipe.ascent.iterations {
            let jitter = Shift::draw(recipe, &mut random, size);
            let (value, scale) = threads.awake(|| {
                let value =
                    evaluator.value_and_gradient(&picture, jitter, &mut random, &mut gradient)?;
                observer.evaluated();
                let scale = transform.apply(&mut gradient, iteration);
                if let StepScale::Times(scale) = scale {
                    stepper.step(&mut picture, &gradient, scale);
                }
                Ok::<_, DreamError>((value, scale))
            })?;
            match scale {
                StepScale::Times(_) => climbed = true,
                StepScale::Vanished => {}
                StepScale::NotFinite => {
                    let shown = evaluator.shown(&picture, jitter, threads);
                    // The search for the layer needs their memory.
                    drop((evaluator, transform, gradient));
                    return Err(plan.not_finite(&shown));
                }
            }
            if observer.step(&work.progress(octave, iteration, &picture, value)).is_break() {
                return Err(DreamError::Stopped);
            }
        }
        dreamt = Some(picture);
    }
    let picture = dreamt.expect("a plan has at least one octave");
    Ok(Dreamt { picture, climbed })
}

/// The picture in the plan's size.
pub(crate) fn fitted(plan: &Plan, picture: Tensor) -> Tensor {
    assert!(picture.shape.channels == 3 && !picture.shape.is_empty(), "pictures are RGB");
    resized(plan.threads(), picture, plan.size())
}
