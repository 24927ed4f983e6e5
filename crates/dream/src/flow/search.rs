//! The search of dense inverse search: for each patch of one picture, where it went in the other
//! (inverse compositional Lucas–Kanade), and the patches' answers spread over the pixels.
//!
//! T. Kroeger, R. Timofte, D. Dai, L. Van Gool, "Fast Optical Flow using Dense Inverse Search",
//! ECCV 2016, sections 2.1 and 2.2. Neighbours' answers are tried as starting points as well, all
//! at once from the answers of the pass before, so that the order of work does not matter.

use super::field::FlowField;
use super::plane::Plane;
use crate::parallel;

/// Patches are this many pixels wide and high.
pub(super) const PATCH: usize = 8;
const AREA: usize = PATCH * PATCH;

/// How far the border is carried on around the picture searched in.
const BORDER: usize = 16;

/// Added to both squared gradients of a patch, so that a flat patch stays where it is.
const DAMPING: f32 = 1.0;

/// A descent has arrived when it moves by less than this many pixels.
const ARRIVED: f32 = 0.01;

/// A neighbour's motion is tried when it differs by more than this many pixels.
const DISTINCT: f32 = 0.25;

/// Passes in which each patch tries what its neighbours found.
const PROPAGATIONS: usize = 2;

/// How hard to search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Pixels between patches.
    pub(super) stride: usize,
    /// Steps of a descent, at most.
    pub(super) iterations: usize,
}

/// What a patch found: its motion, and the squared difference left.
#[derive(Clone, Copy)]
struct Found {
    motion: [f32; 2],
    cost: f32,
}

/// A patch of the first picture, made ready for the descent.
struct Template {
    values: [f32; AREA],
    dx: [f32; AREA],
    dy: [f32; AREA],
    inverse: [f32; 3],
}

/// The picture searched in, with its border.
struct Target {
    plane: Plane,
    limit: [f32; 2],
}

/// Motion from `from` to `to` at one level of the pyramid, starting from `start`. Both pictures have
/// `start`'s size, at least a patch.
pub(super) fn search(from: &Plane, to: &Plane, start: &FlowField, effort: Effort) -> FlowField {
    let (width, height) = (from.width, from.height);
    let target = Target {
        plane: to.padded(BORDER, BORDER, width + 2 * BORDER, height + 2 * BORDER),
        limit: [width, height].map(|size| (size + 2 * BORDER - PATCH - 1) as f32),
    };
    let (columns, rows) = (grid(width, effort.stride), grid(height, effort.stride));
    let (gx, gy) = (from.derivative(0), from.derivative(1));

    let template = |index: usize| {
        let (x, y) = (columns[index % columns.len()], rows[index / columns.len()]);
        (Template::new(from, &gx, &gy, x, y), [x, y])
    };
    let count = columns.len() * rows.len();
    let mut found: Vec<Found> = parallel::map(count, |index| {
        let (template, place) = template(index);
        let middle = (place[1] + PATCH / 2) * width + place[0] + PATCH / 2;
        let motion = [start.dx[middle], start.dy[middle]];
        target.descend(&template, place, motion, effort.iterations)
    });
    for _ in 0..PROPAGATIONS {
        found = parallel::map(count, |index| {
            let own = found[index];
            if neighbours(index, columns.len(), rows.len())
                .all(|other| !differs(found[other].motion, own.motion))
            {
                return own;
            }
            let (template, place) = template(index);
            let best = neighbours(index, columns.len(), rows.len())
                .map(|other| found[other].motion)
                .filter(|motion| differs(*motion, own.motion))
                .map(|motion| Found { motion, cost: target.cost(&template, place, motion) })
                .fold(own, |best, next| if next.cost < best.cost { next } else { best });
            if best.motion == own.motion {
                return own;
            }
            target.descend(&template, place, best.motion, effort.iterations / 2)
        });
    }
    densify(from, &target, &columns, &rows, &found)
}

/// Where patches start along an axis: every `stride`, and one flush with the end.
fn grid(size: usize, stride: usize) -> Vec<usize> {
    let last = size - PATCH;
    (0..last).step_by(stride).chain([last]).collect()
}

/// Whether two motions are far enough apart for a descent from one not to find the other.
fn differs(a: [f32; 2], b: [f32; 2]) -> bool {
    (a[0] - b[0]).abs().max((a[1] - b[1]).abs()) > DISTINCT
}

fn neighbours(index: usize, columns: usize, rows: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (index % columns, index / columns);
    let around = |at: usize, size: usize| at.saturating_sub(1)..(at + 2).min(size);
    around(y, rows)
        .flat_map(move |j| around(x, columns).map(move |i| j * columns + i))
        .filter(move |&other| other != index)
}

impl Template {
    /// Values and gradients, their means removed: the match then ignores a change of brightness.
    fn new(from: &Plane, gx: &Plane, gy: &Plane, x: usize, y: usize) -> Self {
        let [values, dx, dy] = [from, gx, gy].map(|plane| {
            let mut patch = [0.0; AREA];
            for (j, row) in patch.chunks_exact_mut(PATCH).enumerate() {
                row.copy_from_slice(&plane.row(y + j)[x..x + PATCH]);
            }
            centre(&mut patch);
            patch
        });
        let xx = dot(&dx, &dx) + DAMPING;
        let yy = dot(&dy, &dy) + DAMPING;
        let xy = dot(&dx, &dy);
        let determinant = xx * yy - xy * xy;
        Self { values, dx, dy, inverse: [yy, -xy, xx].map(|value| value / determinant) }
    }
}

impl Target {
    /// The patch that `motion` takes a patch at `place` to, bilinear, its mean removed; less the
    /// template.
    fn residual(&self, template: &Template, place: [usize; 2], motion: [f32; 2]) -> [f32; AREA] {
        let mut patch = [0.0; AREA];
        for (j, row) in patch.chunks_exact_mut(PATCH).enumerate() {
            self.sample_row(place, motion, j, row);
        }
        centre(&mut patch);
        for (value, wanted) in patch.iter_mut().zip(&template.values) {
            *value -= wanted;
        }
        patch
    }

    /// Row `j` of the patch that `motion` takes a patch at `place` to, bilinear.
    fn sample_row(&self, place: [usize; 2], motion: [f32; 2], j: usize, out: &mut [f32]) {
        let [x, y] = [0, 1].map(|axis| {
            (place[axis] as f32 + motion[axis] + BORDER as f32).clamp(0.0, self.limit[axis])
        });
        let (left, top) = (x as usize, y as usize);
        let (fx, fy) = (x - left as f32, y - top as f32);
        let weights = [(1.0 - fx) * (1.0 - fy), fx * (1.0 - fy), (1.0 - fx) * fy, fx * fy];
        let above = &self.plane.row(top + j)[left..][..PATCH + 1];
        let below = &self.plane.row(top + j + 1)[left..][..PATCH + 1];
        for (i, out) in out[..PATCH].iter_mut().enumerate() {
            *out = weights[0] * above[i]
                + weights[1] * above[i + 1]
                + weights[2] * below[i]
                + weights[3] * below[i + 1];
        }
    }

    fn cost(&self, template: &Template, place: [usize; 2], motion: [f32; 2]) -> f32 {
        let residual = self.residual(template, place, motion);
        dot(&residual, &residual)
    }

    /// Gauss–Newton steps from `start` while they help; `start` again if they lead further than a
    /// patch away.
    fn descend(
        &self,
        template: &Template,
        place: [usize; 2],
        start: [f32; 2],
        iterations: usize,
    ) -> Found {
        let first = Found { motion: start, cost: self.cost(template, place, start) };
        let mut best = first;
        let mut motion = start;
        for _ in 0..iterations {
            let residual = self.residual(template, place, motion);
            let cost = dot(&residual, &residual);
            if cost > best.cost {
                break;
            }
            best = Found { motion, cost };
            let (bx, by) = (dot(&template.dx, &residual), dot(&template.dy, &residual));
            let [xx, xy, yy] = template.inverse;
            let step = [xx * bx + xy * by, xy * bx + yy * by];
            motion = [motion[0] - step[0], motion[1] - step[1]];
            if step[0].abs().max(step[1].abs()) < ARRIVED {
                break;
            }
        }
        let away = (best.motion[0] - start[0]).hypot(best.motion[1] - start[1]);
        if away > PATCH as f32 { first } else { best }
    }
}

/// Each pixel's motion: the mean over the patches that cover it, weighted by how well each explains
/// that pixel (equation 3 of the paper).
fn densify(
    from: &Plane,
    target: &Target,
    columns: &[usize],
    rows: &[usize],
    found: &[Found],
) -> FlowField {
    let (width, height) = (from.width, from.height);
    let mut field = FlowField::zeros(width, height);
    parallel::pairs_of_chunks_mut(&mut field.dx, &mut field.dy, width, |y, dx, dy| {
        let mut total = vec![0.0f32; width];
        for (j, &top) in rows.iter().enumerate() {
            if top > y || y >= top + PATCH {
                continue;
            }
            for (i, &left) in columns.iter().enumerate() {
                let motion = found[j * columns.len() + i].motion;
                let mut there = [0.0; PATCH];
                target.sample_row([left, top], motion, y - top, &mut there);
                let here = &from.row(y)[left..][..PATCH];
                for k in 0..PATCH {
                    let weight = 1.0 / (there[k] - here[k]).abs().max(1.0);
                    total[left + k] += weight;
                    dx[left + k] += weight * motion[0];
                    dy[left + k] += weight * motion[1];
                }
            }
        }
        for ((dx, dy), total) in dx.iter_mut().zip(dy).zip(total) {
            *dx /= total;
            *dy /= total;
        }
    });
    field
}

fn centre(patch: &mut [f32; AREA]) {
    let mean = patch.iter().sum::<f32>() / AREA as f32;
    patch.iter_mut().for_each(|value| *value -= mean);
}

/// A dot product in eight sums, in an order that is always the same.
fn dot(a: &[f32; AREA], b: &[f32; AREA]) -> f32 {
    let mut sums = [0.0f32; PATCH];
    for (a, b) in a.chunks_exact(PATCH).zip(b.chunks_exact(PATCH)) {
        for k in 0..PATCH {
            sums[k] += a[k] * b[k];
        }
    }
    sums.iter().sum()
}
