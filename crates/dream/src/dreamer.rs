//! The loop: octave by octave, step by step, the picture climbs towards what excites the layers.

use graph::{GraphError, Size, Tensor};
use kernels::Threads;

use crate::evaluator::GradientEvaluator;
use crate::jitter::Shift;
use crate::random::Random;
use crate::transform::GradientTransform;
use crate::{DreamError, Filter, Observer, Plan, Progress, Recipe, octave, resize, rows};

/// Dreams on `picture` (3 × height × width, RGB, 0–255) as `plan` says, and returns the dream in the
/// plan's size. A picture of another size is resized first. Where the recipe does not clip, values
/// may lie outside 0–255.
///
/// # Errors
/// Once `observer` ends the dream, or what runs the network fails.
///
/// # Panics
/// With a picture that has not three channels or no pixels.
pub fn dream(
    plan: &Plan,
    picture: Tensor,
    observer: &mut dyn Observer,
) -> Result<Tensor, DreamError> {
    dream_unevenly(plan, picture, None, observer)
}

/// As [`dream`], each step going as many times as far at each pixel as `strides`, one channel in the
/// plan's size, says.
pub(crate) fn dream_unevenly(
    plan: &Plan,
    picture: Tensor,
    strides: Option<&Tensor>,
    observer: &mut dyn Observer,
) -> Result<Tensor, DreamError> {
    plan.threads().install(|| octave_by_octave(plan, picture, strides, observer))
}

/// The dream itself, on one of the plan's threads.
fn octave_by_octave(
    plan: &Plan,
    picture: Tensor,
    strides: Option<&Tensor>,
    observer: &mut dyn Observer,
) -> Result<Tensor, DreamError> {
    let (recipe, threads, octaves) = (plan.recipe(), plan.threads(), plan.octaves());
    let bases = octave::bases(recipe, octaves, fitted(plan, picture), plan.cx());
    let mut random = Random::new(recipe.seed);
    let mut work = Work::new(plan);
    let mut dreamt: Option<Tensor> = None;
    for (index, base) in bases.iter().enumerate() {
        let mut picture = match dreamt {
            Some(before) => octave::start(recipe, (before, &bases[index - 1]), base, threads),
            None => base.clone(),
        };
        let mut ascent = Ascent::new(plan, octaves[index])?;
        ascent.strides = strides.map(|strides| resize(strides, octaves[index], Filter::Triangle));
        for iteration in 0..recipe.ascent.iterations {
            let objective = ascent.step(&mut picture, iteration, &mut random, observer)?;
            let progress = work.step(index, iteration, &picture, objective);
            if observer.step(&progress).is_break() {
                return Err(DreamError::Stopped);
            }
        }
        dreamt = Some(picture);
    }
    Ok(dreamt.expect("a plan has at least one octave"))
}

/// The picture in the plan's size.
pub(crate) fn fitted(plan: &Plan, picture: Tensor) -> Tensor {
    assert!(picture.shape.channels == 3 && !picture.shape.is_empty(), "pictures are RGB");
    resized(plan.threads(), picture, plan.size())
}

/// A picture in another size, within 0–255.
pub(crate) fn resized(threads: &Threads, picture: Tensor, size: Size) -> Tensor {
    if picture.shape.size() == size {
        return picture;
    }
    let mut resized = threads.install(|| resize(&picture, size, Filter::CatmullRom));
    resized.data.iter_mut().for_each(|x| *x = x.clamp(0.0, 255.0));
    resized
}

/// Gradient ascent on pictures of one size.
struct Ascent<'p> {
    recipe: &'p Recipe,
    threads: &'p Threads,
    evaluator: GradientEvaluator<'p>,
    transform: GradientTransform<'p>,
    gradient: Tensor,
    /// How many times as far a step goes at each pixel; `None` for once everywhere.
    strides: Option<Tensor>,
}

impl<'p> Ascent<'p> {
    fn new(plan: &'p Plan, size: Size) -> Result<Self, GraphError> {
        let (recipe, threads) = (plan.recipe(), plan.threads());
        Ok(Self {
            recipe,
            threads,
            evaluator: GradientEvaluator::new(plan.objective(), recipe, threads, size)?,
            transform: GradientTransform::new(recipe, plan.cx(), size),
            gradient: octave::picture(size),
            strides: None,
        })
    }

    /// One step on `picture`; returns the objective before it.
    fn step(
        &mut self,
        picture: &mut Tensor,
        iteration: u32,
        random: &mut Random,
        observer: &mut dyn Observer,
    ) -> Result<f64, GraphError> {
        let shift = Shift::draw(self.recipe, random, picture.shape.size());
        self.threads.awake(|| {
            let objective =
                self.evaluator.value_and_gradient(picture, shift, random, &mut self.gradient)?;
            observer.evaluated();
            let scale = self.transform.apply(&mut self.gradient, iteration);
            self.climb(picture, scale);
            Ok(objective)
        })
    }

    /// Adds `scale` times the gradient to `picture`, which stays within 0–255 if the recipe says so.
    fn climb(&self, picture: &mut Tensor, scale: f32) {
        let Self { recipe, threads, gradient, strides, .. } = self;
        let (least, most) = if recipe.ascent.clamp { (0.0, 255.0) } else { (f32::MIN, f32::MAX) };
        rows::for_each(threads, picture, |c, y, row| {
            let gradient = rows::row(gradient, c, y);
            match strides {
                None => {
                    for (x, g) in row.iter_mut().zip(gradient) {
                        *x = (*x + scale * g).max(least).min(most);
                    }
                }
                Some(strides) => {
                    let strides = rows::row(strides, 0, y);
                    for ((x, g), stride) in row.iter_mut().zip(gradient).zip(strides) {
                        *x = (*x + scale * (g * stride)).max(least).min(most);
                    }
                }
            }
        });
    }
}

/// Counts the work, in pixels × steps.
struct Work {
    octaves: u32,
    iterations: u32,
    done: u64,
    total: u64,
}

impl Work {
    fn new(plan: &Plan) -> Self {
        let pixels: u64 = plan.octaves().iter().map(|size| size.pixels()).sum();
        let iterations = plan.recipe().ascent.iterations;
        let total = pixels * u64::from(iterations);
        Self { octaves: plan.octaves().len() as u32, iterations, done: 0, total }
    }

    /// Where the dream stands after one more step, whose picture this is.
    fn step<'a>(
        &mut self,
        octave: usize,
        iteration: u32,
        picture: &'a Tensor,
        objective: f64,
    ) -> Progress<'a> {
        self.done += picture.shape.size().pixels();
        Progress {
            octave: octave as u32,
            octaves: self.octaves,
            iteration: iteration + 1,
            iterations: self.iterations,
            done: self.done,
            total: self.total,
            picture,
            objective,
        }
    }
}
