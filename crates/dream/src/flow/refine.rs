//! Variational refinement: a flow made smooth where the pictures say nothing, and exact where they do.
//!
//! The energy is that of the dense inverse search paper (Kroeger et al. 2016, section 2.3), after
//! T. Brox, A. Bruhn, N. Papenberg, J. Weickert, "High Accuracy Optical Flow Estimation Based on a
//! Theory for Warping", ECCV 2004: constancy of brightness and of its gradient, both normalised, and
//! smoothness, each under ψ(s²) = √(s² + ε²). The weights are fixed, the linear system that is left is
//! relaxed, and again. Relaxation goes over the two colours of a chessboard in turn: a cell depends
//! on cells of the other colour alone, so that the order of work does not matter.

use super::field::FlowField;
use super::plane::Plane;
use crate::parallel;

/// Weights of brightness, of its gradient, and of smoothness, for values of 0–255.
const BRIGHTNESS: f32 = 5.0;
const GRADIENT: f32 = 10.0;
const SMOOTHNESS: f32 = 20.0;
/// ε² of ψ.
const EPSILON: f32 = 1e-6;
/// Added to a squared gradient before dividing by it.
const ZETA: f32 = 0.01;
/// Over-relaxation factor, and sweeps for each set of weights.
const OMEGA: f32 = 1.6;
const SWEEPS: usize = 5;

/// One pixel's two equations `[a11 a12; a12 a22]·u = b` and the weights of its four edges.
#[derive(Clone, Copy, Default)]
struct Cell {
    a11: f32,
    a12: f32,
    a22: f32,
    b1: f32,
    b2: f32,
    left: f32,
    right: f32,
    up: f32,
    down: f32,
}

/// Refines `field`, the motion from `from` to `to`, in `iterations` rounds. All sizes are the same.
pub(super) fn refine(from: &Plane, to: &Plane, field: &mut FlowField, iterations: usize) {
    let (width, height) = (field.width, field.height);
    let data = DataTerm::new(from, to, field);
    let mut u = Plane { width, height, data: std::mem::take(&mut field.dx) };
    let mut v = Plane { width, height, data: std::mem::take(&mut field.dy) };
    let base = (u.clone(), v.clone());
    let half = width.div_ceil(2);
    for _ in 0..iterations {
        let smoothness = Plane::from_fn(width, height, |x, y| {
            let (x, y) = (x as isize, y as isize);
            let slope = |plane: &Plane| {
                let dx = plane.clamped(x + 1, y) - plane.clamped(x - 1, y);
                let dy = plane.clamped(x, y + 1) - plane.clamped(x, y - 1);
                0.25 * (dx * dx + dy * dy)
            };
            SMOOTHNESS / (slope(&u) + slope(&v) + EPSILON).sqrt()
        });
        let mut cells = [0, 1].map(|colour| {
            let mut cells = vec![Cell { a11: 1.0, a22: 1.0, ..Cell::default() }; half * height];
            parallel::chunks_mut(&mut cells, half, 1, |y, row| {
                for (i, cell) in row.iter_mut().enumerate() {
                    let x = 2 * i + ((y + colour) & 1);
                    if x < width {
                        *cell = data.equations(&base, (&u, &v), x, y);
                        set_edges(cell, &smoothness, x, y);
                    }
                }
            });
            cells
        });
        let mut board = [0, 1].map(|colour| to_board(&u, &v, half, colour));
        for _ in 0..SWEEPS {
            for colour in [0, 1] {
                let [even, odd] = &mut board;
                let (own, other) = if colour == 0 { (even, &*odd) } else { (odd, &*even) };
                relax(&mut cells[colour], own, other, half, colour);
            }
        }
        from_board(&board, half, &mut u, &mut v);
    }
    (field.dx, field.dy) = (u.data, v.data);
}

/// What the pictures say, linear in the change of flow.
struct DataTerm {
    ix: Plane,
    iy: Plane,
    iz: Plane,
    ixx: Plane,
    ixy: Plane,
    iyy: Plane,
    ixz: Plane,
    iyz: Plane,
    inside: Vec<bool>,
}

impl DataTerm {
    fn new(from: &Plane, to: &Plane, field: &FlowField) -> Self {
        let (width, height) = (from.width, from.height);
        let place = |x: usize, y: usize| {
            let [dx, dy] = field.at(x, y);
            (x as f32 + dx, y as f32 + dy)
        };
        let warped = Plane::from_fn(width, height, |x, y| {
            let (x, y) = place(x, y);
            to.bilinear(x, y)
        });
        let inside = (0..width * height)
            .map(|index| {
                let (x, y) = place(index % width, index / width);
                x >= 0.0 && y >= 0.0 && x <= (width - 1) as f32 && y <= (height - 1) as f32
            })
            .collect();
        let combine = |f: fn(f32, f32) -> f32| Plane {
            width,
            height,
            data: from.data.iter().zip(&warped.data).map(|(&a, &b)| f(a, b)).collect(),
        };
        let mean = combine(|a, b| 0.5 * (a + b));
        let iz = combine(|a, b| b - a);
        let (ix, iy) = (mean.derivative(0), mean.derivative(1));
        Self {
            ixx: ix.derivative(0),
            ixy: ix.derivative(1),
            iyy: iy.derivative(1),
            ixz: iz.derivative(0),
            iyz: iz.derivative(1),
            ix,
            iy,
            iz,
            inside,
        }
    }

    /// The equations of the pixel at (x, y) for the whole flow, its weights taken at `now`.
    fn equations(&self, base: &(Plane, Plane), now: (&Plane, &Plane), x: usize, y: usize) -> Cell {
        let mut cell = Cell::default();
        let at = y * self.ix.width + x;
        if !self.inside[at] {
            return cell;
        }
        let (u0, v0) = (base.0.data[at], base.1.data[at]);
        let (du, dv) = (now.0.data[at] - u0, now.1.data[at] - v0);
        let mut add = |weight: f32, dx: f32, dy: f32, dz: f32| {
            cell.a11 += weight * dx * dx;
            cell.a12 += weight * dx * dy;
            cell.a22 += weight * dy * dy;
            cell.b1 -= weight * dx * dz;
            cell.b2 -= weight * dy * dz;
        };
        let (ix, iy, iz) = (self.ix.data[at], self.iy.data[at], self.iz.data[at]);
        let scale = 1.0 / (ix * ix + iy * iy + ZETA);
        let left = iz + ix * du + iy * dv;
        add(BRIGHTNESS * scale / (scale * left * left + EPSILON).sqrt(), ix, iy, iz);

        let (ixx, ixy, iyy) = (self.ixx.data[at], self.ixy.data[at], self.iyy.data[at]);
        let (ixz, iyz) = (self.ixz.data[at], self.iyz.data[at]);
        let scale_x = 1.0 / (ixx * ixx + ixy * ixy + ZETA);
        let scale_y = 1.0 / (ixy * ixy + iyy * iyy + ZETA);
        let left_x = ixz + ixx * du + ixy * dv;
        let left_y = iyz + ixy * du + iyy * dv;
        let weight =
            GRADIENT / (scale_x * left_x * left_x + scale_y * left_y * left_y + EPSILON).sqrt();
        add(weight * scale_x, ixx, ixy, ixz);
        add(weight * scale_y, ixy, iyy, iyz);

        cell.b1 += cell.a11 * u0 + cell.a12 * v0;
        cell.b2 += cell.a12 * u0 + cell.a22 * v0;
        cell
    }
}

/// An edge weighs the mean of its two ends; there are none out of the picture.
fn set_edges(cell: &mut Cell, smoothness: &Plane, x: usize, y: usize) {
    let (width, height) = (smoothness.width, smoothness.height);
    let own = smoothness.data[y * width + x];
    let edge = |x: usize, y: usize| 0.5 * (own + smoothness.data[y * width + x]);
    if x > 0 {
        cell.left = edge(x - 1, y);
    }
    if x + 1 < width {
        cell.right = edge(x + 1, y);
    }
    if y > 0 {
        cell.up = edge(x, y - 1);
    }
    if y + 1 < height {
        cell.down = edge(x, y + 1);
    }
}

/// The flow at the cells of one colour: cell i of row y is column `2i + (y + colour) mod 2`.
fn to_board(u: &Plane, v: &Plane, half: usize, colour: usize) -> Vec<[f32; 2]> {
    let mut board = vec![[0.0; 2]; half * u.height];
    for (y, row) in board.chunks_exact_mut(half).enumerate() {
        for (i, cell) in row.iter_mut().enumerate() {
            let x = 2 * i + ((y + colour) & 1);
            if x < u.width {
                *cell = [u.row(y)[x], v.row(y)[x]];
            }
        }
    }
    board
}

fn from_board(board: &[Vec<[f32; 2]>; 2], half: usize, u: &mut Plane, v: &mut Plane) {
    let width = u.width;
    for y in 0..u.height {
        for x in 0..width {
            let colour = (x + y) & 1;
            [u.data[y * width + x], v.data[y * width + x]] = board[colour][y * half + x / 2];
        }
    }
}

/// One sweep over the cells of one colour.
fn relax(cells: &mut [Cell], own: &mut [[f32; 2]], other: &[[f32; 2]], half: usize, colour: usize) {
    let height = cells.len() / half;
    parallel::chunks_mut(own, half, 1, |y, own| {
        let cells = &cells[y * half..][..half];
        let row = |y: usize| &other[y * half..][..half];
        let (above, beside, below) =
            (row(y.saturating_sub(1)), row(y), row((y + 1).min(height - 1)));
        let odd = (y + colour) & 1;
        for i in 0..half {
            let cell = &cells[i];
            let [left, right] = if odd == 1 {
                [beside[i], beside[(i + 1).min(half - 1)]]
            } else {
                [beside[i.saturating_sub(1)], beside[i]]
            };
            let around = |axis: usize| {
                cell.left * left[axis]
                    + cell.right * right[axis]
                    + cell.up * above[i][axis]
                    + cell.down * below[i][axis]
            };
            let edges = cell.left + cell.right + cell.up + cell.down;
            let [u, v] = own[i];
            let wanted = (cell.b1 + around(0) - cell.a12 * v) / (cell.a11 + edges);
            let u = u + OMEGA * (wanted - u);
            let wanted = (cell.b2 + around(1) - cell.a12 * u) / (cell.a22 + edges);
            own[i] = [u, v + OMEGA * (wanted - v)];
        }
    });
}
