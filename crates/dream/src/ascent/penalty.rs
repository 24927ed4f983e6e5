//! Penalties: forces in pixel values that are taken from a step's direction.
//!
//! Δ is what the dream has added to the picture, or the picture itself. The forces are the gradients of its
//! total variation, Σ (dx² + dy² + 1)^(β/2) / 255^(β−1), in which dx and dy are differences to the right and
//! downwards, 0 past the border (Mahendran and Vedaldi, "Understanding deep image representations by
//! inverting them", 2014), and of 127.5 Σ |Δ / 127.5|ᵖ, its distance; and Δ less its blur (Yosinski et al.,
//! "Understanding neural networks through deep visualization", 2015).

use graph::Tensor;
use kernels::blur::mirrored;
use kernels::{Context, leveled};

use crate::image::{gaussian, row_blur, rows};
use crate::{Penalty, PenaltyOf};

/// What pictures that are judged as a whole are pulled to.
const GREY: f32 = 117.0;

/// The unit of distances: half of what a value can be.
const HALF: f32 = 127.5;

/// The penalties of one octave.
pub(crate) struct Penalties<'p> {
    penalty: &'p Penalty,
    cx: &'p Context,
    /// What the dream is added to; `None` where the picture itself is judged.
    origin: Option<&'p Tensor>,
    /// How much the forces count at each pixel; `None` for all of them everywhere.
    reach: Option<&'p Tensor>,
    /// The blur's, from the middle outwards; empty where there is none.
    weights: Vec<f32>,
}

impl<'p> Penalties<'p> {
    /// `None` where there are none. `origin` is the one at this octave; `None` where there is none, so that all of what
    /// is dreamt is judged. `reach` has one channel of 0–1.
    pub(crate) fn new(
        penalty: &'p Penalty,
        cx: &'p Context,
        origin: Option<&'p Tensor>,
        reach: Option<&'p Tensor>,
    ) -> Option<Self> {
        if !penalty.is_any() {
            return None;
        }
        let mut weights = Vec::new();
        if penalty.blur != 0.0 {
            gaussian::kernel(penalty.blur_width, &mut weights);
        }
        let origin = origin.filter(|_| penalty.of == PenaltyOf::Dream);
        Some(Self { penalty, cx, origin, reach, weights })
    }

    /// Multiplies `direction` with `scale`, and takes the forces at `picture` from it.
    pub(crate) fn take_from(&self, direction: &mut Tensor, scale: f32, picture: &Tensor) {
        // Band by band, so that Δ and what is made of it stay in the cache.
        rows::for_each_band(self.cx.threads(), direction, rows::ROWS, |first, band| {
            for (c, rows) in band.into_iter().enumerate() {
                // The picture and what it was.
                picture.storage().touched(2 * size_of_val(rows));
                self.take_from_band(rows, scale, picture, (c, first));
            }
        });
    }

    /// How many rows above a band, and below it, its forces depend on.
    fn halo(&self) -> usize {
        self.weights.len().saturating_sub(1).max(usize::from(self.penalty.tv != 0.0))
    }

    /// As [`Penalties::take_from`], of the rows of channel `c` of a direction from row `first` on.
    fn take_from_band(
        &self,
        direction: &mut [f32],
        scale: f32,
        picture: &Tensor,
        (c, first): (usize, usize),
    ) {
        let Self { penalty, cx, origin, reach, weights } = self;
        let (height, width) = (picture.shape.height, picture.shape.width);
        let (count, halo) = (direction.len() / width, self.halo());
        let stride = row_blur::stride(width);
        let radius = weights.len().saturating_sub(1);
        let lengths = [(count + 2 * halo) * stride, stride + 2 * radius, 4 * width];
        rows::with_scratch(lengths.iter().sum(), |scratch| {
            let (differences, scratch) = scratch.split_at_mut(lengths[0]);
            let (blurred, scratch) = scratch.split_at_mut(lengths[1]);
            // Δ from `halo` rows above on: beyond the border it is mirrored.
            for (index, row) in differences.chunks_exact_mut(stride).enumerate() {
                let y = mirrored((first + index) as isize - halo as isize, height);
                let origin = origin.map(|origin| rows::row(origin, c, y));
                differ(cx, &mut row[..width], rows::row(picture, c, y), origin);
            }
            let here = |y: usize| &differences[(y + halo - first) * stride..][..width];
            let (free, scratch) = scratch.split_at_mut(width);
            let (across, scratch) = scratch.split_at_mut(width);
            let (mut from_above, mut down) = scratch.split_at_mut(width);
            if penalty.tv != 0.0 && first > 0 {
                let above = &differences[(halo - 1) * stride..][..width];
                slopes(cx, above, Some(here(first)), penalty.tv_exponent, across, from_above);
            } else {
                from_above.fill(0.0);
            }
            for (y, d) in (first..).zip(direction.chunks_exact_mut(width)) {
                times(cx, d, scale);
                if reach.is_some() {
                    free.copy_from_slice(d);
                }
                if penalty.tv != 0.0 {
                    let below = (y + 1 < height).then(|| here(y + 1));
                    slopes(cx, here(y), below, penalty.tv_exponent, across, down);
                    vary(cx, d, penalty.tv, [across, down, from_above]);
                    std::mem::swap(&mut from_above, &mut down);
                }
                if penalty.pull != 0.0 {
                    pull(cx, d, penalty.pull, penalty.pull_exponent, here(y));
                }
                if penalty.blur != 0.0 {
                    let from = (y - first + halo - radius) * stride;
                    let rows = &differences[from..][..(2 * radius + 1) * stride];
                    row_blur::blur(cx, weights, rows, blurred, across);
                    roughen(cx, d, penalty.blur, here(y), across);
                }
                if let Some(reach) = reach {
                    within(cx, d, free, rows::row(reach, 0, y));
                }
            }
        });
    }
}

/// How many bytes each thread takes to find penalties of pictures so many pixels `wide`.
pub(super) fn scratch(penalty: &Penalty, wide: u64) -> u64 {
    if !penalty.is_any() {
        return 0;
    }
    let mut weights = Vec::new();
    if penalty.blur != 0.0 {
        gaussian::kernel(penalty.blur_width, &mut weights);
    }
    // A band with what its forces depend on, and rows to work in.
    let rows = (rows::ROWS + 2 * weights.len() + 5) as u64;
    wide.saturating_mul(rows * size_of::<f32>() as u64)
}

leveled! {
    /// Writes a row's difference to its origin, or to grey.
    fn differ<'a>(row: &'a mut [f32], picture: &'a [f32], origin: Option<&'a [f32]>) {
        let values = row.iter_mut().zip(picture);
        match origin {
            Some(origin) => values.zip(origin).for_each(|((x, value), origin)| *x = value - origin),
            None => values.for_each(|(x, value)| *x = value - GREY),
        }
    }
}

leveled! {
    fn times<'a>(row: &'a mut [f32], scale: f32) {
        row.iter_mut().for_each(|d| *d *= scale);
    }
}

leveled! {
    /// Takes the forces of the total variation from a row of a direction: those of its slopes `across` and `down`, and
    /// of those down to it `from_above`.
    fn vary<'a>(row: &'a mut [f32], strength: f32, slopes: [&'a [f32]; 3]) {
        let [across, down, from_above] = slopes;
        let width = row.len();
        let (across, down, from_above) = (&across[..width], &down[..width], &from_above[..width]);
        row[0] += strength * ((across[0] + down[0]) - (0.0 + from_above[0]));
        for x in 1..width {
            row[x] += strength * ((across[x] + down[x]) - (across[x - 1] + from_above[x]));
        }
    }
}

leveled! {
    /// The derivatives of a row's variation by its differences `across`, to the right, and `down`, to the row
    /// below.
    fn slopes<'a>(
        here: &'a [f32],
        below: Option<&'a [f32]>,
        exponent: f32,
        across: &'a mut [f32],
        down: &'a mut [f32],
    ) {
        let last = here.len() - 1;
        for (across, pair) in across.iter_mut().zip(here.array_windows()) {
            let [here, next] = pair;
            *across = next - here;
        }
        across[last] = 0.0;
        match below {
            Some(below) => {
                let pairs = down.iter_mut().zip(below).zip(here);
                pairs.for_each(|((down, below), here)| *down = below - here);
            }
            None => down.fill(0.0),
        }
        let both = across.iter_mut().zip(down);
        if exponent == 1.0 {
            for (dx, dy) in both {
                let slope = 1.0 / (*dx * *dx + *dy * *dy + 1.0).sqrt();
                (*dx, *dy) = (slope * *dx, slope * *dy);
            }
        } else {
            let unit = exponent * 255.0f32.powf(1.0 - exponent);
            for (dx, dy) in both {
                let slope = unit * (*dx * *dx + *dy * *dy + 1.0).powf(0.5 * exponent - 1.0);
                (*dx, *dy) = (slope * *dx, slope * *dy);
            }
        }
    }
}

leveled! {
    /// Takes the forces that pull Δ to 0 from a row of a direction.
    fn pull<'a>(row: &'a mut [f32], strength: f32, exponent: f32, here: &'a [f32]) {
        let force = strength * exponent;
        let values = row.iter_mut().zip(here);
        if exponent == 2.0 {
            values.for_each(|(d, x)| *d -= force * (x / HALF));
        } else if exponent == 1.0 {
            // Where there is no distance there is no direction to go back in.
            values.for_each(|(d, x)| *d -= if *x == 0.0 { 0.0 } else { force.copysign(*x) });
        } else {
            values.for_each(|(d, x)| {
                *d -= force.copysign(*x) * (x / HALF).abs().powf(exponent - 1.0);
            });
        }
    }
}

leveled! {
    /// Takes what a row has more than its blur from a row of a direction.
    fn roughen<'a>(row: &'a mut [f32], strength: f32, here: &'a [f32], blurred: &'a [f32]) {
        let values = row.iter_mut().zip(here).zip(blurred);
        values.for_each(|((d, x), blurred)| *d -= strength * (x - blurred));
    }
}

leveled! {
    /// Lets forces count as much as `reach` says: `free` is the direction without them.
    fn within<'a>(row: &'a mut [f32], free: &'a [f32], reach: &'a [f32]) {
        let places = free.iter().zip(reach);
        row.iter_mut().zip(places).for_each(|(d, (free, reach))| *d = free + reach * (*d - free));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::black;
    use crate::testing::{context, pattern, reference};

    /// What is taken from a direction of zeros, the other way round.
    fn forces(penalty: &Penalty, picture: &Tensor, origin: &Tensor) -> Tensor {
        let cx = context();
        let mut direction = black(picture.shape.size());
        let penalties = Penalties::new(penalty, &cx, Some(origin), None);
        let penalties = penalties.expect("there are some");
        penalties.take_from(&mut direction, 1.0, picture);
        direction.data.iter_mut().for_each(|x| *x = -*x);
        direction
    }

    /// The penalty's value by its definition.
    fn value(penalty: &Penalty, picture: &[f64], origin: &Tensor) -> f64 {
        let (plane, width) = (origin.shape.plane(), origin.shape.width);
        let height = origin.shape.height;
        let origin = |at: usize| match penalty.of {
            PenaltyOf::Dream => f64::from(origin.data[at]),
            PenaltyOf::Picture => f64::from(GREY),
        };
        let at = |at: usize| picture[at] - origin(at);
        let (beta, power) = (f64::from(penalty.tv_exponent), f64::from(penalty.pull_exponent));
        let mut sum = 0.0;
        for index in 0..picture.len() {
            let (y, x) = (index % plane / width, index % width);
            let dx = if x + 1 < width { at(index + 1) - at(index) } else { 0.0 };
            let dy = if y + 1 < height { at(index + width) - at(index) } else { 0.0 };
            let variation = (dx * dx + dy * dy + 1.0).powf(beta / 2.0) / 255f64.powf(beta - 1.0);
            sum += f64::from(penalty.tv) * variation;
            sum += f64::from(penalty.pull) * 127.5 * (at(index) / 127.5).abs().powf(power);
        }
        sum
    }

    #[test]
    fn forces_are_the_derivatives_of_the_penalties() {
        let (height, width) = (7, 9);
        let picture = pattern(height, width);
        let mut origin = pattern(height, width);
        origin.data.reverse();
        let none = Penalty::default();
        for of in [PenaltyOf::Dream, PenaltyOf::Picture] {
            for penalty in [
                Penalty { tv: 0.3, of, ..none },
                Penalty { tv: 0.3, tv_exponent: 2.0, of, ..none },
                Penalty { tv: 1.0, tv_exponent: 1.5, of, ..none },
                Penalty { pull: 0.7, of, ..none },
                Penalty { pull: 0.7, pull_exponent: 6.0, of, ..none },
                Penalty { pull: 0.7, pull_exponent: 1.0, of, ..none },
                Penalty { tv: 0.2, pull: 0.1, of, ..none },
            ] {
                let found = forces(&penalty, &picture, &origin);
                let exact: Vec<f64> = picture.data.iter().map(|x| f64::from(*x)).collect();
                for index in 0..exact.len() {
                    let moved = |by: f64| {
                        let mut moved = exact.clone();
                        moved[index] += by;
                        value(&penalty, &moved, &origin)
                    };
                    let wanted = (moved(1e-3) - moved(-1e-3)) / 2e-3;
                    let off = (f64::from(found.data[index]) - wanted).abs();
                    assert!(off < 1e-4, "{index}: {off} by {penalty:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_smooth_and_in_its_place_feels_no_force() {
        let penalty = Penalty { tv: 1.0, pull: 1.0, blur: 1.0, ..Penalty::default() };
        let picture = pattern(12, 8);
        let forces = forces(&penalty, &picture, &picture);
        assert!(forces.data.iter().all(|force| force.abs() < 1e-6));
        let (none, cx) = (Penalty::default(), context());
        assert!(Penalties::new(&none, &cx, Some(&picture), None).is_none());
    }

    #[test]
    fn at_a_soft_border_forces_count_as_much_as_the_dream() {
        let penalty = Penalty { tv: 0.3, pull: 0.5, blur: 0.1, ..Penalty::default() };
        let (picture, mut origin, cx) = (pattern(7, 9), pattern(7, 9), context());
        origin.data.reverse();
        let mut reach = Tensor::zeros(graph::Shape::new(1, 7, 9));
        reach.data.iter_mut().enumerate().for_each(|(at, x)| *x = (at % 9) as f32 / 8.0);
        let all = forces(&penalty, &picture, &origin);
        let mut found = black(picture.shape.size());
        let penalties = Penalties::new(&penalty, &cx, Some(&origin), Some(&reach));
        penalties.expect("there are some").take_from(&mut found, 1.0, &picture);
        for (at, (found, force)) in found.data.iter().zip(&all.data).enumerate() {
            let wanted = -force * reach.data[at % 63];
            assert!((found - wanted).abs() < 1e-5, "{at}: {found} for {wanted}");
        }
    }

    #[test]
    #[ignore = "needs the shared test files; see CONTRIBUTING"]
    fn forces_are_those_computed_elsewhere() {
        let picture = reference("inputs").picture("picture");
        let origin = reference("inputs").picture("guide_same");
        let none = Penalty::default();
        let whole = Penalty { of: PenaltyOf::Picture, ..none };
        for (file, key, penalty) in [
            ("smooth", "tv", Penalty { tv: 1.0, ..whole }),
            ("smooth", "tv_beta2", Penalty { tv: 1.0, tv_exponent: 2.0, ..whole }),
            ("smooth", "blur", Penalty { blur: 1.0, ..whole }),
            ("pull", "pull_guide_p2", Penalty { pull: 1.0, ..none }),
            ("pull", "pull_guide_p6", Penalty { pull: 1.0, pull_exponent: 6.0, ..none }),
            ("pull", "pull_grey_p2", Penalty { pull: 1.0, ..whole }),
            ("pull", "tv_difference", Penalty { tv: 1.0, ..none }),
            ("pull", "blur_difference", Penalty { blur: 1.0, ..none }),
        ] {
            let wanted =
                reference(&format!("penalties_{file}")).picture(&format!("{key}.gradient"));
            let found = forces(&penalty, &picture, &origin);
            let off = testkit::error(&found.data, &wanted.data);
            assert!(off < 1e-5, "{key}: {off:e}");
        }
    }
}
