//! Blurs of planes.

use std::sync::atomic::{AtomicUsize, Ordering};

use kernels::blur::{Blur, blur, mirrored};

use crate::support::*;

#[test]
fn blurs_are_the_weighted_sums_of_the_mirrored_neighbours() {
    for seed in 0..cases(40) {
        let random = &mut Random(8000 + seed);
        let (planes, height, width) =
            (random.within(1..=3), random.within(1..=30), random.within(1..=150));
        let x = Planes::random(planes, height, width, random);
        let count = random.within(1..=3);
        let radii: Vec<usize> = (0..count).map(|_| random.within(0..=12)).collect();
        let weights: Vec<Vec<f32>> = radii
            .iter()
            .map(|radius| (0..=*radius).map(|_| random.value(false) as f32 / 4.0).collect())
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
                for i in 0..=2 * radius {
                    for j in 0..=2 * radius {
                        let value = x.at(plane, near(row, i, height), near(column, j, width));
                        let weight = |k: usize| f64::from(weights[k.abs_diff(radius)]);
                        sum += weight(i) * weight(j) * value;
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
                let extent = [planes, height, width];
                let told = AtomicUsize::new(0);
                let touched = |rows: usize| _ = told.fetch_add(rows, Ordering::Relaxed);
                let mut memory = Vec::new();
                let strength = blur(&cx, &blurs, extent, &source, &mut got, &mut memory, &touched);
                assert!(told.into_inner() >= height, "{what}: not all rows were told of");
                let wanted: f64 = got.iter().map(|&value| f64::from(value).abs()).sum();
                let close = (strength - wanted).abs() <= CLOSE * wanted;
                assert!(close, "{what}, {}: {strength} is not {wanted}", cx.level());
                for (got, wanted) in got.iter().zip(&y.data) {
                    let close = (f64::from(*got) - wanted).abs() <= CLOSE * largest;
                    assert!(close, "{what}, {}: {got} is not {wanted}", cx.level());
                }
                got
            });
            assert!(one == two, "{what}: one and two threads differ");
        }
    }
}
