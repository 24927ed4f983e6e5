//! Where a flow can be believed, and where a film cuts.

use kernels::Threads;

use super::field::FlowField;
use super::plane::Plane;

/// Share of the squared motion, and squared pixels, by which there and back may differ.
const TOLERANCE: f32 = 0.01;
const SLACK: f32 = 0.5;

/// A cut leaves less than this share of the picture in agreement, …
const CUT_AGREEMENT: f64 = 0.5;
/// … and what is left after the motion is more than this share of the picture's own contrast.
const CUT_RESIDUAL: f64 = 0.6;

/// For each pixel of the picture `there` starts from, 1 where `back` leads back to it, 0 where it does
/// not: what is uncovered, covered or out of the picture (N. Sundaram, T. Brox, K. Keutzer, "Dense
/// Point Trajectories by GPU-Accelerated Large Displacement Optical Flow", ECCV 2010, equation 5).
///
/// # Panics
/// If the sizes differ.
pub fn agreement(threads: &Threads, there: &FlowField, back: &FlowField) -> Plane {
    let (width, height) = (there.width, there.height);
    assert_eq!((width, height), (back.width, back.height), "flows of two sizes");
    let [back_x, back_y] =
        [&back.dx, &back.dy].map(|data| Plane { width, height, data: data.clone() });
    threads.install(|| {
        Plane::from_fn(width, height, |x, y| {
            let [dx, dy] = there.at(x, y);
            let (px, py) = (x as f32 + dx, y as f32 + dy);
            let inside =
                px >= -0.5 && py >= -0.5 && px <= width as f32 - 0.5 && py <= height as f32 - 0.5;
            let (bx, by) = (back_x.bilinear(px, py), back_y.bilinear(px, py));
            let apart = (dx + bx).powi(2) + (dy + by).powi(2);
            let allowed = TOLERANCE * (dx * dx + dy * dy + bx * bx + by * by) + SLACK;
            if inside && apart <= allowed { 1.0 } else { 0.0 }
        })
    })
}

/// Whether `picture` begins another shot than the one `before` is of, given the flow from `picture` to
/// `before` and its [`agreement`]: hardly anything is found again, and what is found does not look alike.
///
/// # Panics
/// If the sizes differ.
pub fn is_cut(picture: &Plane, before: &Plane, flow: &FlowField, agreement: &Plane) -> bool {
    let count = picture.data.len().max(1) as f64;
    let agreed = agreement.data.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    if agreed >= CUT_AGREEMENT {
        return false;
    }
    let mean = picture.data.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let (mut residual, mut contrast) = (0.0, 0.0);
    for y in 0..picture.height {
        for (x, &value) in picture.row(y).iter().enumerate() {
            let [dx, dy] = flow.at(x, y);
            let found = before.bilinear(x as f32 + dx, y as f32 + dy);
            residual += f64::from((value - found).abs());
            contrast += (f64::from(value) - mean).abs();
        }
    }
    residual > CUT_RESIDUAL * contrast
}
