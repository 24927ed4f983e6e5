//! The loop: octave by octave, step by step, the picture climbs towards what excites the layers.

use graph::Tensor;

use crate::ascent::{Climb, Climbing, StepScale};
use crate::image::resized;
use crate::observer::Work;
use crate::random::Random;
use crate::regions::{Directions, Masks};
use crate::{Checkpoint, DreamError, Observer, Plan, PlanError, RecipeError, octaves};

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
    let (at, stopped) = run_alone(plan, picture, None, Around::default(), observer)?;
    let mut dream = whole(plan, at, stopped)?;
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
    let (at, _) = run_alone(plan, picture, checkpoint, Around::default(), observer)?;
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
    let (at, stopped) = run_alone(plan, picture, None, around, observer)?;
    if stopped { Err(DreamError::Stopped) } else { Ok(at) }
}

/// Dreams on the noise that `plan` starts from, in as many pictures as its recipe says, and returns the dreams in
/// the plan's size. Each has a seed of its own, one more than that of the one before. They keep apart as the
/// recipe says; without diversity, each is what it would be by itself. Channels that the recipe leaves to the
/// picture are those that the first one chooses.
///
/// # Errors
/// As for [`dream`]; and a recipe without noise.
pub fn dream_together(plan: &Plan, observer: &mut dyn Observer) -> Result<Vec<Tensor>, DreamError> {
    if plan.recipe().noise.is_none() {
        let way_out = "start from noise";
        return Err(PlanError::from(RecipeError::Together { way_out }).into());
    }
    let starts = plan.starts().collect();
    let Ended { dreams, stopped } = run(plan, starts, None, Around::default(), observer)?;
    let finished = dreams.into_iter().zip(plan.starts()).map(|(at, before)| {
        let mut dream = whole(plan, at, stopped)?;
        plan.finish(&before, &mut dream);
        Ok(dream)
    });
    finished.collect()
}

/// Where dreams stand, and whether that is because the observer has had enough.
struct Ended {
    dreams: Vec<Checkpoint>,
    stopped: bool,
}

/// The dream on one picture.
fn run_alone(
    plan: &Plan,
    picture: Tensor,
    checkpoint: Option<Checkpoint>,
    around: Around<'_>,
    observer: &mut dyn Observer,
) -> Result<(Checkpoint, bool), DreamError> {
    let Ended { mut dreams, stopped } = run(plan, vec![picture], checkpoint, around, observer)?;
    Ok((dreams.swap_remove(0), stopped))
}

/// Dreams on as many pictures as the plan is of. A checkpoint is that of a picture by itself.
fn run(
    plan: &Plan,
    pictures: Vec<Tensor>,
    checkpoint: Option<Checkpoint>,
    around: Around<'_>,
    observer: &mut dyn Observer,
) -> Result<Ended, DreamError> {
    let is_color = |picture: &Tensor| picture.shape.channels == 3 && !picture.shape.is_empty();
    assert!(pictures.iter().all(is_color), "pictures are RGB");
    if pictures.len() != plan.recipe().pictures as usize {
        let (planned, given) = (plan.recipe().pictures, pictures.len());
        return Err(PlanError::Together { planned, given }.into());
    }
    if plan.recipe().needs_picture() {
        let mut plan = plan.clone();
        plan.choose_channels(&pictures[0])?;
        return run(&plan, pictures, checkpoint, around, observer);
    }
    checkpoint.iter().try_for_each(|checkpoint| checkpoint.check(plan))?;
    plan.ask_for_memory()?;
    let dreams = || octave_by_octave(plan, pictures, checkpoint, around, observer);
    let ended = plan.threads().install(dreams)?;
    plan.check_scratch()?;
    Ok(ended)
}

/// A dream on its way.
struct Dreaming {
    at: Checkpoint,
    /// What is dreamt on, in each octave's size.
    bases: Vec<Tensor>,
    random: Random,
}

/// The dreams themselves, on one of the plan's threads.
fn octave_by_octave(
    plan: &Plan,
    pictures: Vec<Tensor>,
    mut checkpoint: Option<Checkpoint>,
    around: Around<'_>,
    observer: &mut dyn Observer,
) -> Result<Ended, DreamError> {
    let (recipe, ascent, threads) = (plan.recipe(), plan.ascent(), plan.threads());
    let sizes = plan.octaves();
    let bases = |picture| octaves::bases(recipe, plan.layout(), picture, plan.context());
    let origins = around.origin.filter(|_| recipe.penalty.is_any()).cloned().map(bases);
    let begin = |(picture, seed)| {
        let bases = bases(picture);
        let at = checkpoint.take().unwrap_or_else(|| Checkpoint::start(plan, &bases[0]));
        let random = Random::after(seed, at.draws);
        Dreaming { at, bases, random }
    };
    let mut dreams: Vec<Dreaming> = pictures.into_iter().zip(recipe.seed..).map(begin).collect();
    let stand = |dreams: Vec<Dreaming>| dreams.into_iter().map(|dream| dream.at).collect();
    let (mut octave, iteration) = (dreams[0].at.octave, dreams[0].at.iteration);
    let work = Work::new(sizes, ascent.iterations, dreams.len());
    let mut work = work.done_before(sizes, octave, iteration);
    loop {
        plan.check_scratch()?;
        let masks = Masks::new(plan, sizes[octave]);
        let limit = masks.limit(around.step_map);
        let mut directions = Directions::new(plan, &masks, sizes[octave])?;
        let mut climbing = Vec::with_capacity(dreams.len());
        for (number, Dreaming { at, bases, random }) in dreams.iter_mut().enumerate() {
            let origin = &origins.as_ref().unwrap_or(bases)[octave];
            let climb = Climb::new(plan, at, origin, (limit.as_ref(), masks.reach()));
            let mut dream = Climbing::new(number, at, (&bases[octave], &masks), random, climb);
            dream.begin(plan, &mut directions, observer)?;
            climbing.push(dream);
        }
        plan.check_scratch()?;
        let mut stopped = false;
        while !stopped && climbing[0].at.iteration < ascent.iterations {
            for number in 0..climbing.len() {
                let dream = &mut climbing[number];
                threads.awake(|| dream.find(recipe, &mut directions, observer))?;
                if dream.scale == StepScale::NotFinite {
                    return Err(not_finite(climbing, number, directions));
                }
            }
            directions.gather();
            for number in 0..climbing.len() {
                let dream = &mut climbing[number];
                threads.awake(|| dream.step(&mut directions))?;
                if dream.scale == StepScale::NotFinite {
                    return Err(not_finite(climbing, number, directions));
                }
                if observer.step(&work.progress((number, dream.at), dream.value)).is_break() {
                    stopped = true;
                    break;
                }
            }
        }
        if stopped {
            climbing.into_iter().for_each(Climbing::end);
            return Ok(Ended { dreams: stand(dreams), stopped });
        }
        if octave + 1 == sizes.len() {
            return Ok(Ended { dreams: stand(dreams), stopped });
        }
        for Dreaming { at, bases, .. } in &mut dreams {
            let (below, base) = (&bases[octave], &bases[octave + 1]);
            at.picture = octaves::start(recipe, (&mut at.picture, below), base, threads);
            (at.octave, at.iteration, at.cut) = (octave + 1, 0, plan.cut(octave + 1));
        }
        octave += 1;
    }
}

/// The error of a dream whose direction, the last that was looked for, is not finite.
fn not_finite(
    mut dreams: Vec<Climbing<'_>>,
    number: usize,
    directions: Directions<'_>,
) -> DreamError {
    let Climbing { at, jitter, .. } = dreams.swap_remove(number);
    // The search for the layer needs their memory.
    drop(dreams);
    directions.not_finite(&at.picture, jitter)
}

/// The dream at its end.
fn whole(plan: &Plan, at: Checkpoint, stopped: bool) -> Result<Tensor, DreamError> {
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
