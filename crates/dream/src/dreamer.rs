//! The loop: octave by octave, step by step, the picture climbs towards what excites the layers.

use graph::Tensor;

use crate::ascent::{Climb, Shift, StepScale};
use crate::image::{black, resized};
use crate::observer::Work;
use crate::random::Random;
use crate::regions::{Directions, Masks};
use crate::{Checkpoint, DreamError, Observer, Plan, octaves};

/// Dreams on `picture` (3 × height × width, RGB, 0–255) as `plan` says, and returns the dream in the
/// plan's size. A picture of another size is resized first. Where the recipe has no bound, values
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
    let before = plan.finishes().then(|| picture.clone());
    let mut dream = whole(plan, run(plan, picture, None, Around::default(), observer)?)?;
    if let Some(before) = before {
        plan.finish(&before, &mut dream);
    }
    Ok(dream)
}

/// Dreams on `picture` from where a dream on it stood, or from its beginning, until the dream is whole or
/// `observer` ends it, and says where it stands then: [`Checkpoint::is_whole`] tells which it was. What
/// comes at the end of a whole dream is left to [`Plan::finish`].
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
    let Ended { at, .. } = run(plan, picture, checkpoint, Around::default(), observer)?;
    if at.is_whole(plan) && !at.climbed { Err(plan.no_gradient(&at.picture)) } else { Ok(at) }
}

/// What a frame's dream has around it. The default is that of a picture by itself.
#[derive(Clone, Copy, Default)]
pub(crate) struct Around<'a> {
    /// How many times as far each step goes at each pixel: one channel in the plan's size. Default: once.
    pub(crate) step_map: Option<&'a Tensor>,
    /// What has been dreamt on, in the plan's size, where the dream goes on from more than that. Default:
    /// what it goes on from.
    pub(crate) origin: Option<&'a Tensor>,
}

/// As [`dream`], before its finish. That no step had a gradient is no error here.
pub(crate) fn dream_frame(
    plan: &Plan,
    picture: Tensor,
    around: Around<'_>,
    observer: &mut dyn Observer,
) -> Result<Checkpoint, DreamError> {
    let Ended { at, stopped } = run(plan, picture, None, around, observer)?;
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
    around: Around<'_>,
    observer: &mut dyn Observer,
) -> Result<Ended, DreamError> {
    assert!(picture.shape.channels == 3 && !picture.shape.is_empty(), "pictures are RGB");
    if plan.recipe().needs_picture() {
        let mut plan = plan.clone();
        plan.choose_channels(&picture)?;
        return run(&plan, picture, checkpoint, around, observer);
    }
    checkpoint.iter().try_for_each(|checkpoint| checkpoint.check(plan))?;
    plan.ask_for_memory()?;
    plan.threads().install(|| octave_by_octave(plan, picture, checkpoint, around, observer))
}

/// The dream itself, on one of the plan's threads.
fn octave_by_octave(
    plan: &Plan,
    picture: Tensor,
    checkpoint: Option<Checkpoint>,
    around: Around<'_>,
    observer: &mut dyn Observer,
) -> Result<Ended, DreamError> {
    let (recipe, ascent, threads) = (plan.recipe(), plan.ascent(), plan.threads());
    let sizes = plan.octaves();
    let bases = |picture| octaves::bases(recipe, plan.layout(), picture, plan.context());
    let origins = around.origin.filter(|_| recipe.penalty.is_any()).cloned().map(bases);
    let bases = bases(picture);
    let mut at = checkpoint.unwrap_or_else(|| Checkpoint::start(plan, &bases[0]));
    let mut random = Random::after(recipe.seed, at.draws);
    let work = Work::new(sizes, ascent.iterations);
    let mut work = work.done_before(sizes, at.octave, at.iteration);
    loop {
        let size = sizes[at.octave];
        let masks = Masks::new(plan, size);
        let origin = &origins.as_ref().unwrap_or(&bases)[at.octave];
        let limit = masks.limit(around.step_map);
        let mut climb = Climb::new(plan, &mut at, origin, (limit.as_ref(), masks.reach()));
        masks.restore(&mut at.picture, &bases[at.octave]);
        let mut directions = Directions::new(plan, &masks, size)?;
        let mut direction = black(size);
        if at.iteration == 0 {
            let evaluator = directions.evaluator();
            let silent = evaluator.balance(recipe, &at.picture, &mut direction)?;
            let silent = recipe.objective.iter().zip(silent).filter(|(_, silent)| *silent);
            silent.for_each(|(term, _)| observer.silent(term));
            at.weights = evaluator.weights().to_vec();
        }
        directions.set_weights(&at.weights);
        while at.iteration < ascent.iterations {
            let jitter = Shift::draw(recipe, &mut random, size);
            let (value, scale) = threads.awake(|| {
                let (value, scale) = directions.find(
                    (&at.picture, at.iteration),
                    jitter,
                    &mut random,
                    observer,
                    &mut direction,
                )?;
                if let StepScale::Times(scale) = scale {
                    climb.step(&mut at.picture, &mut direction, scale);
                    if masks.spills() {
                        masks.restore(&mut at.picture, &bases[at.octave]);
                    }
                }
                Ok::<_, DreamError>((value, scale))
            })?;
            match scale {
                StepScale::Times(_) => at.climbed = true,
                StepScale::Vanished => {}
                StepScale::NotFinite => {
                    drop((climb, direction));
                    return Err(directions.not_finite(&at.picture, jitter));
                }
            }
            at.iteration += 1;
            at.draws = random.words();
            if observer.step(&work.progress(&at, value)).is_break() {
                at.climb = climb.left(at.iteration);
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
