//! Normalisations over channels and over groups of them.

use kernels::Destination;
use kernels::group_norm::{self, GroupNorm};
use kernels::layer_norm::{self, LayerNorm};

use crate::support::*;

/// What keeps the roots away from 0, here far away, so that few values make no steep slopes.
const EPSILON: f32 = 0.25;

/// The definition over one set of places: `y`, and `dx` for the gradient `g` of the normalised values.
fn normalize(x: &[f64], g: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let count = x.len() as f64;
    let mean = x.iter().sum::<f64>() / count;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    let inverse = 1.0 / (variance + f64::from(EPSILON)).sqrt();
    let normal: Vec<f64> = x.iter().map(|x| (x - mean) * inverse).collect();
    let sum = g.iter().sum::<f64>() / count;
    let products = g.iter().zip(&normal).map(|(g, n)| g * n).sum::<f64>() / count;
    let dx = g.iter().zip(&normal).map(|(g, n)| (g - sum - n * products) * inverse).collect();
    (normal, dx)
}

/// Normalises every set of `places` of `x`; returns the output and the gradient for `dy`.
fn by_definition(
    x: &Planes,
    dy: &Planes,
    [scale, shift]: [&Planes; 2],
    sets: impl Iterator<Item = Vec<(usize, usize, usize)>>,
) -> (Planes, Planes) {
    let (mut y, mut dx) = (x.empty(), x.empty());
    for set in sets {
        let values: Vec<f64> = set.iter().map(|&(c, row, column)| x.at(c, row, column)).collect();
        let g: Vec<f64> =
            set.iter().map(|&(c, row, column)| dy.at(c, row, column) * scale.at(c, 0, 0)).collect();
        let (normal, gradient) = normalize(&values, &g);
        for ((&(c, row, column), normal), gradient) in set.iter().zip(normal).zip(gradient) {
            *y.at_mut(c, row, column) = normal * scale.at(c, 0, 0) + shift.at(c, 0, 0);
            *dx.at_mut(c, row, column) = gradient;
        }
    }
    (y, dx)
}

#[test]
fn layers_are_normalised_at_each_pixel() {
    let contexts = contexts();
    for seed in 0..cases(24) {
        let mut random = Random(8300 + seed);
        let random = &mut random;
        let (channels, height, width) =
            (random.within(1..=70), random.within(1..=9), random.within(1..=23));
        let x = Planes::random(channels, height, width, random);
        let dy = Planes::random(channels, height, width, random);
        let [scale, shift] = [(); 2].map(|()| Planes::random(channels, 1, 1, random));
        let pixels = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
        let sets = pixels.map(|(row, column)| (0..channels).map(|c| (c, row, column)).collect());
        let (y, dx) = by_definition(&x, &dy, [&scale, &shift], sets);
        let blocks = channels.div_ceil(16);
        let live: Vec<u16> = (0..blocks)
            .map(|block| ((1u32 << (channels - 16 * block).min(16)) - 1) as u16)
            .collect();
        let [scale, shift] = [scale, shift].map(|planes| planes.blocked(&planes.map(0)).vectors);
        let norm =
            LayerNorm { channels, scale: &scale, shift: &shift, live: &live, epsilon: EPSILON };
        let [xm, ym, gm, dm] = [(); 4].map(|()| x.map(random.within(0..=3)));
        let (values, gradient) = (x.blocked(&xm), dy.blocked(&gm));
        let what = format!("case {seed}: {channels}×{height}×{width}");
        check_set(&what, &contexts, &y, &ym, |cx, y| {
            layer_norm::forward(cx, &norm, values.read(), y.write());
        });
        check_backward(&what, &contexts, random, &dx, &dm, |cx, dx| {
            layer_norm::backward(cx, &norm, values.read(), gradient.read(), dx);
        });
    }
}

#[test]
fn groups_are_normalised_over_all_pixels() {
    let contexts = contexts();
    for seed in 0..cases(24) {
        let mut random = Random(8400 + seed);
        let random = &mut random;
        let groups = random.within(1..=6);
        let each = random.within(1..=9);
        let (channels, height, width) =
            (groups * each, random.within(1..=9), random.within(1..=23));
        let x = Planes::random(channels, height, width, random);
        let dy = Planes::random(channels, height, width, random);
        let [scale, shift] = [(); 2].map(|()| Planes::random(channels, 1, 1, random));
        let sets = (0..groups)
            .map(|group| x.places().filter(|(c, ..)| c / each == group).collect::<Vec<_>>());
        let (y, dx) = by_definition(&x, &dy, [&scale, &shift], sets);
        let slots: Vec<usize> = (0..channels).collect();
        let [scale, shift] = [scale, shift].map(|planes| planes.blocked(&planes.map(0)).vectors);
        let norm =
            GroupNorm { groups, slots: &slots, scale: &scale, shift: &shift, epsilon: EPSILON };
        let [xm, ym, gm, dm] = [(); 4].map(|()| x.map(random.within(0..=3)));
        let (values, gradient) = (x.blocked(&xm), dy.blocked(&gm));
        let what = format!("case {seed}: {channels}×{height}×{width} in {groups} groups");
        check_set(&what, &contexts, &y, &ym, |cx, y| {
            group_norm::forward(cx, &norm, values.read(), y.write());
        });
        check_backward(&what, &contexts, random, &dx, &dm, |cx, dx| {
            group_norm::backward(cx, &norm, values.read(), gradient.read(), dx);
        });
    }
}

#[test]
fn slots_without_a_channel_stay_0_without_an_epsilon() {
    let (x, ones) = (Planes::random(21, 4, 7, &mut Random(8500)), Planes::zeros(21, 1, 1));
    let shift = ones.blocked(&ones.map(0)).vectors;
    let ones = Planes { data: vec![1.0; 21], ..ones };
    let scale = ones.blocked(&ones.map(0)).vectors;
    let slots: Vec<usize> = (0..21).collect();
    let norm = GroupNorm { groups: 3, slots: &slots, scale: &scale, shift: &shift, epsilon: 0.0 };
    let (map, values) = (x.map(0), x.blocked(&x.map(0)));
    for cx in contexts().iter().flatten() {
        let mut y = Blocked::rubbish(&map);
        group_norm::forward(cx, &norm, values.read(), y.write());
        let (first, second) = y.vectors.split_at(map.block());
        assert!(first.iter().all(|vector| vector.0.iter().all(|y| y.is_finite())));
        assert!(second.iter().all(|vector| vector.0[5..] == [0.0; 11]), "{}", cx.level());
        let mut dx = Blocked::rubbish(&map);
        let to = Destination::overwrite(dx.write());
        group_norm::backward(cx, &norm, values.read(), values.read(), to);
        let (first, second) = dx.vectors.split_at(map.block());
        assert!(first.iter().all(|vector| vector.0.iter().all(|dx| dx.is_finite())));
        assert!(second.iter().all(|vector| vector.0[..5].iter().all(|dx| dx.is_finite())));
        assert!(second.iter().all(|vector| vector.0[5..] == [0.0; 11]), "{}", cx.level());
    }
}
