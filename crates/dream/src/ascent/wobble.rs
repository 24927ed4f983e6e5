//! Wobble: at every step the picture is turned and scaled about its middle by other amounts before the
//! network sees it, and the gradient goes the transposed way back.

use graph::{Size, Tensor};
use kernels::Threads;

use crate::image::{black, rows};
use crate::random::Random;
use crate::{Ascent, Wobble};

/// Shows pictures of one size as they are, or wobbling where the ascent says so.
pub(crate) struct Wobbler<'p> {
    threads: &'p Threads,
    wobbling: Option<Wobbling>,
}

struct Wobbling {
    wobble: Wobble,
    seen: Tensor,
    gradient: Tensor,
}

impl<'p> Wobbler<'p> {
    pub(crate) fn new(ascent: &Ascent, threads: &'p Threads, size: Size) -> Self {
        let wobbling = ascent.wobble.is_any().then(|| Wobbling {
            wobble: ascent.wobble.clone(),
            seen: black(size),
            gradient: black(size),
        });
        Self { threads, wobbling }
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
        similarity.apply(self.threads, picture, seen);
        let value = evaluate(seen, random, there)?;
        similarity.transposed(self.threads, there, gradient);
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
    pub(crate) fn apply(self, threads: &Threads, source: &Tensor, target: &mut Tensor) {
        let size = source.shape.size();
        rows::for_each(threads, target, |c, y, row| {
            let source = source.channel(c);
            for (x, value) in row.iter_mut().enumerate() {
                let corners = self.corners(size, x, y);
                *value = corners.iter().map(|(at, weight)| source[*at] * weight).sum();
            }
        });
    }

    /// Writes to `source` what a gradient at `target` is there. Each channel is one thread's.
    pub(crate) fn transposed(self, threads: &Threads, target: &Tensor, source: &mut Tensor) {
        let (size, plane) = (target.shape.size(), target.shape.plane());
        let mut channels = source.data.chunks_mut(plane).enumerate();
        let mut planes: [_; 3] = std::array::from_fn(|_| channels.next());
        threads.for_each_mut(&mut planes, |part| {
            let Some((c, source)) = part else { return };
            source.fill(0.0);
            for y in 0..size.height {
                for (x, value) in rows::row(target, *c, y).iter().enumerate() {
                    for (at, weight) in self.corners(size, x, y) {
                        source[at] += value * weight;
                    }
                }
            }
        });
    }

    /// The four pixels of the source that are around column `x` and row `y` of the target, by their
    /// places in a plane, and how much each counts.
    fn corners(self, Size { height, width }: Size, x: usize, y: usize) -> [(usize, f32); 4] {
        let middle = [width, height].map(|side| (side - 1) as f64 / 2.0);
        let [right, down] = self.shift;
        let (u, v) = (x as f64 - middle[0] - right, y as f64 - middle[1] - down);
        let [cos, sin] = self.across;
        let (column, row) = (cos * u - sin * v + middle[0], sin * u + cos * v + middle[1]);
        let along = |place: f64, side: usize| {
            let first = place.floor();
            let at = (first as i64).rem_euclid(side as i64) as usize;
            let next = if at + 1 == side { 0 } else { at + 1 };
            let share = (place - first) as f32;
            [(at, 1.0 - share), (next, share)]
        };
        let (columns, rows) = (along(column, width), along(row, height));
        std::array::from_fn(|corner| {
            let ((row, down), (column, across)) = (rows[corner / 2], columns[corner % 2]);
            (row * width + column, down * across)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{pattern, reference, threads};

    #[test]
    fn the_way_back_is_the_transpose_of_the_way_there() {
        let threads = threads();
        for (scale, degrees) in [(1.0, 0.0), (0.9, -10.0), (1.1, 7.0), (2.0, 90.0), (0.5, 135.0)] {
            let (picture, mut gradient) = (pattern(13, 21), pattern(13, 21));
            gradient.data.reverse();
            let [mut seen, mut back] = [picture.clone(), picture.clone()];
            let similarity = Similarity::new(scale, degrees);
            similarity.apply(&threads, &picture, &mut seen);
            similarity.transposed(&threads, &gradient, &mut back);
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
        let (file, threads) = (reference("similarity"), threads());
        for (key, scale, degrees, shift) in
            [("wrap_0", 1.1, 7.0, [3.25, -1.5]), ("wrap_1", 0.9, -10.0, [0.0, 0.0])]
        {
            let similarity = Similarity { shift, ..Similarity::new(scale, degrees) };
            let (source, gradient) = (file.picture("source"), file.picture("gradient"));
            let [mut seen, mut back] = [source.clone(), source.clone()];
            similarity.apply(&threads, &source, &mut seen);
            similarity.transposed(&threads, &gradient, &mut back);
            let off = testkit::error(&seen.data, &file.picture(key).data);
            assert!(off < 1e-5, "{key}: {off:e}");
            let off = testkit::error(&back.data, &file.picture(&format!("{key}.back")).data);
            assert!(off < 1e-5, "{key} back: {off:e}");
        }
    }
}
