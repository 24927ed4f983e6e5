//! Wobble: at every step the picture is turned and scaled about its middle by other amounts before the
//! network sees it, and the gradient goes the transposed way back.

use std::ops::Range;

use graph::{Shape, Size, Storage, Tensor};
use kernels::{Context, leveled};

use crate::image::{black_in, rows};
use crate::random::Random;
use crate::{Ascent, Wobble};

/// Shows pictures of one size as they are, or wobbling where the ascent says so.
pub(crate) struct Wobbler<'p> {
    cx: &'p Context,
    wobbling: Option<Wobbling>,
}

struct Wobbling {
    wobble: Wobble,
    seen: Tensor,
    gradient: Tensor,
}

impl<'p> Wobbler<'p> {
    pub(crate) fn new(ascent: &Ascent, cx: &'p Context, (storage, size): (&Storage, Size)) -> Self {
        let wobbling = ascent.wobble.is_any().then(|| Wobbling {
            wobble: ascent.wobble.clone(),
            seen: black_in(storage, size),
            gradient: black_in(storage, size),
        });
        Self { cx, wobbling }
    }

    /// Writes to `gradient` what `evaluate` finds at `picture` as the next step shows it, and returns the
    /// value that it finds.
    pub(crate) fn gradient<E>(
        &mut self,
        picture: &Tensor,
        random: &mut Random,
        gradient: &mut Tensor,
        evaluate: impl FnOnce(&Tensor, &mut Random, &mut Tensor) -> Result<f64, E>,
    ) -> Result<f64, E> {
        let Some(Wobbling { wobble, seen, gradient: there }) = &mut self.wobbling else {
            return evaluate(picture, random, gradient);
        };
        let similarity = Similarity::draw(wobble, random);
        similarity.apply(self.cx, picture, seen);
        let value = evaluate(seen, random, there)?;
        similarity.transposed(self.cx, there, gradient);
        Ok(value)
    }

    /// The picture as the last step showed it, which was at `picture`.
    pub(crate) fn seen<'a>(&'a self, picture: &'a Tensor) -> &'a Tensor {
        self.wobbling.as_ref().map_or(picture, |wobbling| &wobbling.seen)
    }
}

/// A similarity about a picture's middle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Similarity {
    /// Columns and rows of the source for each column of the target; for each row they are
    /// perpendicular.
    across: [f64; 2],
    /// Columns and rows that the target is shifted by.
    shift: [f64; 2],
}

impl Similarity {
    /// The next step's: even over the recipe's scales, then over its angles to both sides.
    pub(crate) fn draw(wobble: &Wobble, random: &mut Random) -> Self {
        let mut between = |low: f64, high: f64| low + f64::from(random.unit()) * (high - low);
        let scale = between(wobble.scale[0], wobble.scale[1]);
        Self::new(scale, between(-wobble.angle, wobble.angle))
    }

    /// Things become `scale` times as large and are turned by `degrees`, clockwise.
    fn new(scale: f64, degrees: f64) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Self { across: [cos / scale, -sin / scale], shift: [0.0; 2] }
    }

    /// Writes `source`, which goes on beyond its borders as it began, to `target` of the same shape.
    pub(crate) fn apply(self, cx: &Context, source: &Tensor, target: &mut Tensor) {
        let size = source.shape.size();
        let width = size.width;
        rows::for_each_band(cx.threads(), target, rows::ROWS, |first, mut band| {
            rows::with_scratch(Corners::NUMBERS * width, |scratch| {
                let mut corners = Corners::new(scratch, width);
                for y in 0..band[0].len() / width {
                    corners.find(cx, self, size, first + y);
                    self.touch(source);
                    for (c, rows) in band.iter_mut().enumerate() {
                        let (source, row) = (source.channel(c), &mut rows[y * width..][..width]);
                        for (value, corners) in row.iter_mut().zip(corners.each()) {
                            let of = |(row, column, share)| source[row * width + column] * share;
                            *value = corners.map(of).into_iter().sum();
                        }
                    }
                }
            });
        });
    }

    /// Writes to `source` what a gradient at `target` is there.
    pub(crate) fn transposed(self, cx: &Context, target: &Tensor, source: &mut Tensor) {
        let size = target.shape.size();
        let Size { height, width } = size;
        // To each band is added all that falls on it, in the order of the target's pixels.
        let tall = height.div_ceil(BANDS_PER_THREAD * cx.threads().count()).max(rows::ROWS);
        rows::for_each_band(cx.threads(), source, tall, |first, mut band| {
            band.iter_mut().for_each(|rows| rows.fill(0.0));
            let own = first..first + band[0].len() / width;
            rows::with_scratch(Corners::NUMBERS * width, |scratch| {
                let mut corners = Corners::new(scratch, width);
                for y in (0..height).filter(|y| self.meets(size, *y, &own)) {
                    corners.find(cx, self, size, y);
                    self.touch(target);
                    let values: [&[f32]; 3] = std::array::from_fn(|c| rows::row(target, c, y));
                    for (x, corners) in corners.each().enumerate() {
                        for (row, column, share) in corners {
                            if own.contains(&row) {
                                let at = (row - first) * width + column;
                                for (rows, values) in band.iter_mut().zip(values) {
                                    rows[at] += values[x] * share;
                                }
                            }
                        }
                    }
                }
            });
        });
    }

    /// Whether row `y` of the target may fall on some of these rows of the source.
    fn meets(self, size: Size, y: usize, own: &Range<usize>) -> bool {
        let (height, last) = (size.height as f64, size.width - 1);
        let [from, to] = [0, last].map(|x| self.at(size, x, y)[1]);
        // A row is seen by what lies up to one above it, and rounding may move that by another.
        let (least, most) = (from.min(to) - 2.0, from.max(to) + 2.0);
        // As many heights away as brings the first of these rows behind the least one seen.
        let first = own.start as f64;
        let first = first + ((least - first) / height).ceil() * height;
        first <= most || first - height + own.len() as f64 >= least
    }

    /// Tells of the rows of `tensor` that a row of the other picture goes through.
    fn touch(self, tensor: &Tensor) {
        let Shape { channels, height, width } = tensor.shape;
        let crossed = (self.across[1].abs() * width as f64) as usize;
        let places = channels * (crossed.min(height) + 2);
        tensor.storage().touched_apart(places, size_of::<f32>() * width);
    }

    /// The column and the row of the source that column `x` and row `y` of the target are.
    #[inline(always)]
    fn at(self, Size { height, width }: Size, x: usize, y: usize) -> [f64; 2] {
        let middle = [width, height].map(|side| (side - 1) as f64 / 2.0);
        let [right, down] = self.shift;
        // Sides are below 2³², and such whole numbers become others many at a time.
        let (x, y) = (f64::from(x as u32), f64::from(y as u32));
        let (u, v) = (x - middle[0] - right, y - middle[1] - down);
        let [cos, sin] = self.across;
        [cos * u - sin * v + middle[0], sin * u + cos * v + middle[1]]
    }
}

/// How many bands of the source each thread gets.
const BANDS_PER_THREAD: usize = 2;

/// Where the pixels of a row of the target lie in the source: between which columns and rows, and how much the second
/// of these counts.
struct Corners<'a> {
    columns: [&'a mut [u32]; 2],
    rows: [&'a mut [u32]; 2],
    shares: [&'a mut [f32]; 2],
}

impl<'a> Corners<'a> {
    /// How many numbers of memory each pixel takes.
    const NUMBERS: usize = 6;

    /// Of rows of so many pixels, in `scratch`.
    fn new(scratch: &'a mut [f32], width: usize) -> Self {
        let mut parts = scratch.chunks_exact_mut(width.max(1));
        let mut part = || parts.next().unwrap_or_default();
        let shares = [part(), part()];
        let mut places = || bytemuck::cast_slice_mut(part());
        Self { columns: [places(), places()], rows: [places(), places()], shares }
    }

    /// Finds those of row `y`.
    fn find(&mut self, cx: &Context, similarity: Similarity, size: Size, y: usize) {
        let [column, next] = self.columns.each_mut().map(|places| &mut **places);
        let [row, below] = self.rows.each_mut().map(|places| &mut **places);
        let shares = self.shares.each_mut().map(|shares| &mut **shares);
        find(cx, similarity, size, y, [column, next, row, below], shares);
    }

    /// The four pixels around each, by row and column, and how much they count.
    fn each(&self) -> impl Iterator<Item = [(usize, usize, f32); 4]> {
        let Self { columns, rows, shares } = self;
        (0..shares[0].len()).map(|x| {
            let both = |share: f32| [1.0 - share, share];
            let [across, down] = [both(shares[0][x]), both(shares[1][x])];
            std::array::from_fn(|corner| {
                let (row, column) = (corner / 2, corner % 2);
                let place = (rows[row][x] as usize, columns[column][x] as usize);
                (place.0, place.1, down[row] * across[column])
            })
        })
    }
}

leveled! {
    fn find<'a>(
        similarity: Similarity,
        size: Size,
        y: usize,
        places: [&'a mut [u32]; 4],
        shares: [&'a mut [f32]; 2],
    ) {
        let [columns, nexts, rows, belows] = places;
        let [across, down] = shares;
        let along = |place: f64, side: usize| {
            let (first, length) = (place.floor(), side as f64);
            // The quotient of whole numbers is never rounded up to a whole one.
            let at = (first - length * (first / length).floor()) as u32;
            let next = if at + 1 == side as u32 { 0 } else { at + 1 };
            (at, next, (place - first) as f32)
        };
        let columns = columns.iter_mut().zip(nexts).zip(across);
        let rows = rows.iter_mut().zip(belows).zip(down);
        for (x, (((column, next), across), ((row, below), down))) in columns.zip(rows).enumerate() {
            let [place_across, place_down] = similarity.at(size, x, y);
            (*column, *next, *across) = along(place_across, size.width);
            (*row, *below, *down) = along(place_down, size.height);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, pattern, reference};

    #[test]
    fn the_way_back_is_the_transpose_of_the_way_there() {
        let cx = context();
        for (scale, degrees) in [(1.0, 0.0), (0.9, -10.0), (1.1, 7.0), (2.0, 90.0), (0.5, 135.0)] {
            let (picture, mut gradient) = (pattern(13, 21), pattern(13, 21));
            gradient.data.reverse();
            let [mut seen, mut back] = [picture.clone(), picture.clone()];
            let similarity = Similarity::new(scale, degrees);
            similarity.apply(&cx, &picture, &mut seen);
            similarity.transposed(&cx, &gradient, &mut back);
            let product = |a: &Tensor, b: &Tensor| {
                a.data.iter().zip(&b.data).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
            };
            let (there, here) = (product(&seen, &gradient), product(&picture, &back));
            assert!((there - here).abs() < 1e-5 * there.abs().max(1e4), "{there} {here}");
            assert!(degrees != 0.0 || seen == picture && back == gradient);
        }
    }

    #[test]
    fn amounts_are_drawn_within_the_recipes() {
        let (wobble, mut random) = (Wobble { scale: [0.5, 0.8], angle: 30.0 }, Random::new(1));
        let mut seen = [[f64::MAX, f64::MIN]; 2];
        for _ in 0..500 {
            let [cos, sin] = Similarity::draw(&wobble, &mut random).across;
            let (scale, angle) = (1.0 / cos.hypot(sin), -sin.atan2(cos).to_degrees());
            for (value, seen) in [scale, angle].into_iter().zip(&mut seen) {
                *seen = [seen[0].min(value), seen[1].max(value)];
            }
        }
        assert!(seen[0][0] > 0.499 && seen[0][0] < 0.51 && seen[0][1] < 0.801 && seen[0][1] > 0.79);
        assert!(
            seen[1][0] > -30.01 && seen[1][0] < -29.0 && seen[1][1] < 30.01 && seen[1][1] > 29.0
        );
    }

    /// The reference's pictures are shifted as well: by whole pixels and parts of them.
    #[test]
    #[ignore = "needs the shared test files; see CONTRIBUTING"]
    fn similarities_are_those_computed_elsewhere() {
        let (file, cx) = (reference("similarity"), context());
        for (key, scale, degrees, shift) in
            [("wrap_0", 1.1, 7.0, [3.25, -1.5]), ("wrap_1", 0.9, -10.0, [0.0, 0.0])]
        {
            let similarity = Similarity { shift, ..Similarity::new(scale, degrees) };
            let (source, gradient) = (file.picture("source"), file.picture("gradient"));
            let [mut seen, mut back] = [source.clone(), source.clone()];
            similarity.apply(&cx, &source, &mut seen);
            similarity.transposed(&cx, &gradient, &mut back);
            let off = testkit::error(&seen.data, &file.picture(key).data);
            assert!(off < 1e-5, "{key}: {off:e}");
            let off = testkit::error(&back.data, &file.picture(&format!("{key}.back")).data);
            assert!(off < 1e-5, "{key} back: {off:e}");
        }
    }
}
