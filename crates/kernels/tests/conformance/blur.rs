//! Blurs of planes.

use kernels::blur::{Blur, blur, mirrored};

use crate::support::*;

#[test]
fn blurs_are_the_weighted_sums_of_the_mirrored_neighbours() {
    for seed in 0..40 {
        let random = &mut Random(8000 + seed);
        let (planes, height, width) =
            (random.within(1..=3), random.within(1..=9), random.within(1..=40));
        let x = Planes::random(planes, height, width, random);
        let count = random.within(1..=3);
        let radii: Vec<usize> = (0..count).map(|_| random.within(0..=12)).collect();
        let weights: Vec<Vec<f32>> = radii
            .iter()
            .map(|radius| (0..=2 * radius).map(|_| random.value(false) as f32 / 4.0).collect())
            .collect();
        let mixes: Vec<Vec<f32>> = radii
            .iter()
            .map(|_| (0..planes * planes).map(|_| random.value(false) as f32).collect())
            .collect();
        let mut y = x.empty();
        for ((weights, mix), &radius) in weights.iter().zip(&mixes).zip(&radii) {
            let near = |at: usize, k: usize, side: usize| {
                mirrored(at as isize + k as isize - radius as isize, side)
            };
            for (plane, row, column) in x.places() {
                let mut sum = 0.0;
                for (i, down) in weights.iter().enumerate() {
                    for (j, across) in weights.iter().enumerate() {
                        let value = x.at(plane, near(row, i, height), near(column, j, width));
                        sum += f64::from(*down) * f64::from(*across) * value;
                    }
                }
                for to in 0..planes {
                    *y.at_mut(to, row, column) += f64::from(mix[to * planes + plane]) * sum;
                }
            }
        }
        let source: Vec<f32> = x.data.iter().map(|&value| value as f32).collect();
        let blurs: Vec<Blur<'_>> =
            weights.iter().zip(&mixes).map(|(weights, mix)| Blur { weights, mix }).collect();
        let what = format!("case {seed}: {planes}×{height}×{width}, radii {radii:?}");
        let largest = y.data.iter().fold(0.01, |largest: f64, value| largest.max(value.abs()));
        for pair in contexts() {
            let [one, two] = pair.map(|cx| {
                let mut got = vec![f32::NAN; source.len()];
                blur(&cx, &blurs, [planes, height, width], &source, &mut got);
                for (got, wanted) in got.iter().zip(&y.data) {
                    let close = (f64::from(*got) - wanted).abs() <= CLOSE * largest;
                    assert!(close, "{what}, {}: {got} is not {wanted}", cx.level);
                }
                got
            });
            assert!(one == two, "{what}: one and two threads differ");
        }
    }
}
