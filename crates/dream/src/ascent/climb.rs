//! The climb on one octave: a direction in pixels becomes a step of whatever the recipe says is climbed
//! with.

use graph::{Size, Tensor};
use kernels::{Context, leveled};

use super::chroma;
use super::optimiser::OptimiserState;
use super::penalty::Penalties;
use super::spectrum::{Fft2, Spectrum, SpectrumState};
use crate::image::rows;
use crate::parallel;
use crate::{Ascent, Bound, Checkpoint, Filter, Optimiser, Parametrisation, Plan, Recipe, resize};

/// Values that an optimiser is handed at once.
const CHUNK: usize = 16 * 1024;

/// Takes the steps of one octave, and knows what the steps before have left.
pub(crate) struct Climb<'p> {
    ascent: &'p Ascent,
    cx: &'p Context,
    /// How far a step goes.
    length: f32,
    optimiser: OptimiserState,
    spectrum: Option<Spectrum<'p>>,
    penalties: Option<Penalties<'p>>,
    /// How many times as far a step goes at each pixel; `None` for once everywhere.
    step_map: Option<Tensor>,
}

impl<'p> Climb<'p> {
    /// The climb from where the dream stands, whose picture is brought within the recipe's bound where an
    /// octave begins. `origin` is what has been dreamt on, in the same size. `step_map`, of any size, and
    /// `reach`, which says how much penalties count at each pixel, have one channel.
    pub(crate) fn new(
        plan: &'p Plan,
        at: &mut Checkpoint,
        origin: &'p Tensor,
        (step_map, reach): (Option<&Tensor>, Option<&'p Tensor>),
    ) -> Self {
        let (ascent, cx) = (plan.ascent(), plan.context());
        let (size, fft) = (at.picture.shape.size(), plan.transforms(at.octave));
        // Noise is nothing to stay near to.
        let origin = plan.recipe().noise.is_none().then_some(origin);
        let penalties = Penalties::new(&plan.recipe().penalty, cx, origin, reach);
        let ClimbState { optimiser, spectrum } = at.climb.take().unwrap_or_else(|| {
            let spectrum =
                fft.map(|fft| SpectrumState::new(cx.threads(), fft, ascent, &at.picture));
            let numbers = fft.map_or(at.picture.data.len(), Fft2::len);
            ClimbState {
                optimiser: OptimiserState::new(ascent.optimiser, (at.picture.storage(), numbers)),
                spectrum,
            }
        });
        let length = plan.step_length(at.octave);
        let spectrum =
            fft.zip(spectrum).map(|(fft, state)| Spectrum::new((ascent, length), cx, fft, state));
        // What is not to change is not brought within bounds either.
        let begins = at.iteration == 0 && length > 0.0;
        if let Some(spectrum) = spectrum.as_ref().filter(|_| begins) {
            spectrum.begin(&mut at.picture);
        }
        let step_map = step_map.map(|map| resize(map, size, Filter::Triangle));
        Self { ascent, cx, length, optimiser, spectrum, penalties, step_map }
    }

    /// What there is to remember after so many steps, for those that are still to come.
    pub(crate) fn left(self, iteration: u32) -> Option<ClimbState> {
        let Self { ascent, optimiser, spectrum, .. } = self;
        let spectrum = spectrum.map(Spectrum::into_state);
        let is_needed = iteration < ascent.iterations && ClimbState::is_needed(ascent);
        is_needed.then_some(ClimbState { optimiser, spectrum })
    }

    /// Takes a step along `scale` times `direction`, whose values are lost.
    pub(crate) fn step(&mut self, picture: &mut Tensor, direction: &mut Tensor, scale: f32) {
        let Self { ascent, cx, length, optimiser, spectrum, penalties, step_map } = self;
        let mut scale = scale;
        if let Some(penalties) = penalties {
            penalties.take_from(direction, scale, picture);
            scale = 1.0;
        }
        if let Some(spectrum) = spectrum {
            if *length > 0.0 {
                spectrum.step(picture, direction, scale, optimiser, step_map.as_ref());
            }
            return;
        }
        let mut factor = *length * scale;
        if ascent.optimiser != Optimiser::Plain {
            let storage = direction.storage().clone();
            let (update, [first, second]) = optimiser.next();
            cx.threads().install(|| {
                let slices = [&mut direction.data[..], first, second];
                parallel::zipped_chunks_mut(slices, CHUNK, |_, [direction, first, second]| {
                    storage.touched(3 * size_of_val(direction));
                    direction.iter_mut().for_each(|x| *x *= scale);
                    update.apply(cx, direction, [first, second]);
                });
            });
            if ascent.chroma != 1.0 {
                // Once more than the gradient: Adam makes each colour's step as long as any other's.
                chroma::apply(cx, direction, ascent.chroma);
            }
            factor = *length;
        }
        step(cx, picture, direction, factor, ascent.bound, step_map.as_ref());
    }
}

/// What the steps of an octave have left so far, apart from the picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClimbState {
    optimiser: OptimiserState,
    spectrum: Option<SpectrumState>,
}

impl ClimbState {
    /// Whether steps depend on more than the picture.
    pub(crate) fn is_needed(ascent: &Ascent) -> bool {
        ascent.optimiser != Optimiser::Plain || ascent.parametrisation != Parametrisation::Pixels
    }

    /// Whether it is of a climb as on this octave of the plan.
    pub(crate) fn is_of(&self, plan: &Plan, octave: usize) -> bool {
        let fft = plan.transforms(octave);
        let numbers = fft.map_or(3 * plan.octaves()[octave].pixels() as usize, Fft2::len);
        self.optimiser.is_of(plan.recipe().ascent.optimiser, numbers)
            && self.spectrum.as_ref().map(SpectrumState::len) == fft.map(Fft2::len)
    }
}

/// Adds `scale` times the direction to `picture`, as many times as the map has it.
fn step(
    cx: &Context,
    picture: &mut Tensor,
    direction: &Tensor,
    scale: f32,
    bound: Bound,
    step_map: Option<&Tensor>,
) {
    let (least, most) = match bound {
        Bound::None => (f32::MIN, f32::MAX),
        Bound::Clip | Bound::Sigmoid => (0.0, 255.0),
    };
    rows::for_each(cx.threads(), picture, |c, y, row| {
        let longer = step_map.map(|map| rows::row(map, 0, y));
        go(cx, row, rows::row(direction, c, y), longer, scale, (least, most));
    });
}

leveled! {
    fn go<'a>(
        row: &'a mut [f32],
        direction: &'a [f32],
        longer: Option<&'a [f32]>,
        scale: f32,
        bounds: (f32, f32),
    ) {
        let (least, most) = bounds;
        match longer {
            None => {
                for (x, d) in row.iter_mut().zip(direction) {
                    *x = (*x + scale * d).max(least).min(most);
                }
            }
            Some(longer) => {
                for ((x, d), longer) in row.iter_mut().zip(direction).zip(longer) {
                    *x = (*x + scale * (d * longer)).max(least).min(most);
                }
            }
        }
    }
}

/// How many pictures' worth of memory a [`Climb`] takes at the most.
pub(super) fn pictures(ascent: &Ascent) -> u64 {
    let spectrum = match ascent.parametrisation {
        Parametrisation::Pixels => 0,
        // The start, the parameters, two to transform in, and the weights of the waves.
        Parametrisation::Spectrum => 5,
    };
    spectrum + if ascent.optimiser == Optimiser::Plain { 0 } else { 2 }
}

/// The transforms of each of `sizes` that a climb needs.
pub(crate) fn transforms(recipe: &Recipe, cx: &kernels::Context, sizes: &[Size]) -> Vec<Fft2> {
    match recipe.ascent.parametrisation {
        Parametrisation::Pixels => Vec::new(),
        Parametrisation::Spectrum => {
            sizes.iter().map(|size| Fft2::new(*size, cx.level())).collect()
        }
    }
}
