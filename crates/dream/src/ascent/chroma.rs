//! Chroma: how colourful what is added to a picture is.

use graph::Tensor;
use kernels::{Context, leveled};

use crate::image::rows;

/// Draws the three values of each pixel of `direction` to their mean, or away from it: what is not the
/// mean is multiplied with `chroma`. With 0 all three are the same, and adding them to a picture changes
/// its brightness alone, neither Cb nor Cr.
pub(crate) fn apply(cx: &Context, direction: &mut Tensor, chroma: f32) {
    rows::for_each_band(cx.threads(), direction, rows::ROWS, |_, band| draw(cx, band, chroma));
}

leveled! {
    fn draw<'a>(band: [&'a mut [f32]; 3], chroma: f32) {
        let [red, green, blue] = band;
        for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
            let mean = (*red + *green + *blue) * (1.0 / 3.0);
            for value in [red, green, blue] {
                *value = mean + chroma * (*value - mean);
            }
        }
    }
}

/// `matrix`, which makes colours, followed by what [`apply`] does to them.
pub(crate) fn after(matrix: [[f32; 3]; 3], chroma: f32) -> [[f32; 3]; 3] {
    let mean: [f32; 3] =
        std::array::from_fn(|j| matrix.iter().map(|row| row[j]).sum::<f32>() / 3.0);
    matrix.map(|row| std::array::from_fn(|j| mean[j] + chroma * (row[j] - mean[j])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, pattern, reference};

    #[test]
    fn a_matrix_is_followed_by_the_same() {
        let matrix = [[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]];
        let times = |matrix: [[f32; 3]; 3], x: [f32; 3]| -> [f32; 3] {
            std::array::from_fn(|i| (0..3).map(|j| matrix[i][j] * x[j]).sum())
        };
        for chroma in [0.0, 0.5, 1.0, 2.0] {
            let mut direction = pattern(3, 4);
            let before = direction.clone();
            let pixel = |of: &Tensor, at: usize| [0, 1, 2].map(|c| of.channel(c)[at]);
            for at in 0..12 {
                let colors = times(matrix, pixel(&before, at));
                (0..3).for_each(|c| direction.channel_mut(c)[at] = colors[c]);
            }
            apply(&context(), &mut direction, chroma);
            for at in 0..12 {
                let wanted = pixel(&direction, at);
                let found = times(after(matrix, chroma), pixel(&before, at));
                assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-4));
                assert!(chroma != 0.0 || wanted[0] == wanted[1] && wanted[1] == wanted[2]);
            }
        }
    }

    #[test]
    #[ignore = "needs the shared test files; see CONTRIBUTING"]
    fn colours_are_drawn_together_as_elsewhere() {
        let file = reference("color");
        for (chroma, key) in [(0.0, "0.0"), (0.5, "0.5"), (1.5, "1.5")] {
            let mut direction = file.picture("direction");
            apply(&context(), &mut direction, chroma);
            let wanted = file.picture(&format!("direction_chroma_{key}"));
            assert!(testkit::error(&direction.data, &wanted.data) < 1e-6, "{chroma}");
        }
    }
}
