//! The loop: octave by octave, step by step, the picture climbs towards what excites the layers.

use graph::Tensor;

use crate::ascent::{GradientTransform, Shift, StepScale, Stepper};
use crate::image::{black, resized};
use crate::objective::GradientEvaluator;
use crate::observer::Work;
use crate::random::Random;
use crate::{Checkpoint, DreamError, Observer, Plan, octaves};

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
    whole(plan, run(plan, picture, None, None, observer)?)
}

/// Dreams on `picture` from where a dream on it stood, or from its beginning, until the dream is whole or
/// `observer` ends it, and says where it stands then: [`Checkpoint::is_whole`] tells which it was.
///
/// # Errors
/// A checkpoint that is not of such a dream; and as for [`dream`], but that an end by the observer is none.
///
/// # Panics
/// As [`dream`].
pub fn dream_from(
    plan: &Plan,
    picture: Tensor,
    checkpoint: Option<Checkpoint>,
    observer: &mut dyn Observer,
) -> Result<Checkpoint, DreamError> {
    let Ended { at, .. } = run(plan, picture, checkpoint, None, observer)?;
    if at.is_whole(plan) && !at.climbed { Err(plan.no_gradient(&at.picture)) } else { Ok(at) }
}

/// As [`dream`], each step going as many times as far at each pixel as `step_map`, one channel in the
/// plan's size, says. That no step had a gradient is no error here.
pub(crate) fn dream_with_step_map(
    plan: &Plan,
    picture: Tensor,
    step_map: Option<&Tensor>,
    observer: &mut dyn Observer,
) -> Result<Checkpoint, DreamError> {
    let Ended { at, stopped } = run(plan, picture, None, step_map, observer)?;
    if stopped { Err(DreamError::Stopped) } else { Ok(at) }
}

/// Where a dream stands, and whether that is because the observer has had enough.
struct Ended {
    at: Checkpoint,
    stopped: bool,
}

fn run(
    plan: &Plan,
    picture: Tensor,
    checkpoint: Option<Checkpoint>,
    step_map: Option<&Tensor>,
    observer: &mut dyn Observer,
) -> Result<Ended, DreamError> {
    assert!(picture.shape.channels == 3 && !picture.shape.is_empty(), "pictures are RGB");
    if plan.recipe().needs_picture() {
        let mut plan = plan.clone();
        plan.choose_channels(&picture)?;
        return run(&plan, picture, checkpoint, step_map, observer);
    }
    checkpoint.iter().try_for_each(|checkpoint| checkpoint.check(plan))?;
    plan.ask_for_memory()?;
    plan.threads().install(|| octave_by_octave(plan, picture, checkpoint, step_map, observer))
}

/// The dream itself, on one of the plan's threads.
fn octave_by_octave(
    plan: &Plan,
    picture: Tensor,
    checkpoint: Option<Checkpoint>,
    step_map: Option<&Tensor>,
    observer: &mut dyn Observer,
) -> Result<Ended, DreamError> {
    let (recipe, threads, sizes) = (plan.recipe(), plan.threads(), plan.octaves());
    let bases = octaves::bases(recipe, plan.layout(), picture, plan.context());
    let mut at = checkpoint.unwrap_or_else(|| Checkpoint::start(plan, &bases[0]));
    let mut random = Random::after(recipe.seed, at.draws);
    let work = Work::new(sizes, recipe.ascent.iterations);
    let mut work = work.done_before(sizes, at.octave, at.iteration);
    loop {
        let size = sizes[at.octave];
        let mut evaluator = GradientEvaluator::new(plan.objective(), recipe, threads, size)?;
        let mut transform = GradientTransform::new(recipe, plan.context(), size);
        let stepper = Stepper::new(recipe, threads, size, step_map);
        let mut gradient = black(size);
        if at.iteration == 0 {
            let silent = evaluator.balance(recipe, &at.picture, &mut gradient)?;
            let silent = recipe.objective.iter().zip(silent).filter(|(_, silent)| *silent);
            silent.for_each(|(term, _)| observer.silent(term));
            at.weights = evaluator.weights().to_vec();
        }
        evaluator.set_weights(&at.weights);
        while at.iteration < recipe.ascent.iterations {
            let jitter = Shift::draw(recipe, &mut random, size);
            let (value, scale) = threads.awake(|| {
                let value = evaluator.value_and_gradient(
                    &at.picture,
                    jitter,
                    &mut random,
                    &mut gradient,
                )?;
                observer.evaluated();
                let scale = transform.apply(&mut gradient, at.iteration);
                if let StepScale::Times(scale) = scale {
                    stepper.step(&mut at.picture, &gradient, scale);
                }
                Ok::<_, DreamError>((value, scale))
            })?;
            match scale {
                StepScale::Times(_) => at.climbed = true,
                StepScale::Vanished => {}
                StepScale::NotFinite => {
                    let shown = evaluator.shown(&at.picture, jitter, threads);
                    // The search for the layer needs their memory.
                    drop((evaluator, transform, gradient));
                    return Err(plan.not_finite(&shown));
                }
            }
            at.iteration += 1;
            at.draws = random.words();
            if observer.step(&work.progress(&at, value)).is_break() {
                return Ok(Ended { at, stopped: true });
            }
        }
        if at.is_whole(plan) {
            return Ok(Ended { at, stopped: false });
        }
        let below = &bases[at.octave];
        at.octave += 1;
        at.iteration = 0;
        at.picture = octaves::start(recipe, (at.picture, below), &bases[at.octave], threads);
    }
}

/// The dream at its end.
fn whole(plan: &Plan, Ended { at, stopped }: Ended) -> Result<Tensor, DreamError> {
    match (stopped, at.climbed) {
        (true, _) => Err(DreamError::Stopped),
        (false, true) => Ok(at.picture),
        (false, false) => Err(plan.no_gradient(&at.picture)),
    }
}

/// The picture in the plan's size.
pub(crate) fn fitted(plan: &Plan, picture: Tensor) -> Tensor {
    assert!(picture.shape.channels == 3 && !picture.shape.is_empty(), "pictures are RGB");
    resized(plan.threads(), picture, plan.size())
}
