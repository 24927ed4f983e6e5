//! Depthwise convolution.

use kernels::{Context, Relu, Vec16, depthwise};

use crate::support::*;

#[test]
fn depthwise_convolution_is_its_definition_forward_and_backward() {
    let contexts = contexts();
    for seed in 0..cases(60) {
        let random = &mut Random(6000 + seed);
        let (channels, height, width) =
            (random.within(1..=40), random.within(1..=13), random.within(1..=21));
        let x = Planes::random(channels, height, width, random);
        let placed = Placed::random(height, width, 5, random);
        let what = format!("case {seed}: {channels}×{height}×{width}, {:?}", placed.geometry);
        // A row of planes of one pixel: the weights of each element, and the bias.
        let elements = placed.geometry.elements();
        let weights = Planes::random(channels, 1, elements, random);
        let bias = Planes::random(channels, 1, 1, random);
        let mut y = Planes::zeros(channels, placed.output[0], placed.output[1]);
        let dy = Planes::random(channels, y.height, y.width, random);
        for (c, row, column) in y.places() {
            *y.at_mut(c, row, column) = bias.at(c, 0, 0);
        }
        let mut dx = x.empty();
        placed.each(height, width, |[oy, ox], element, [py, px]| {
            for c in 0..channels {
                let weight = weights.at(c, 0, element);
                *y.at_mut(c, oy, ox) += weight * x.at(c, py, px);
                *dx.at_mut(c, py, px) += weight * dy.at(c, oy, ox);
            }
        });
        let (xm, ym) = (x.map(random.within(0..=3)), y.map(random.within(0..=3)));
        let (values, gradient) = (x.blocked(&xm), dy.blocked(&ym));
        let (weights, bias) = (by_element(&weights), bias.blocked(&bias.map(0)).vectors);
        let geometry = &placed.geometry;
        let forward = |cx: &Context, y: &mut Blocked, relu: Option<Relu<'_>>| {
            let (x, y) = (values.read(), y.write());
            depthwise::forward(cx, geometry, &weights, &bias, x, y, relu);
        };
        check_set(&what, &contexts, &y, &ym, |cx, y| forward(cx, y, None));
        for most in [f32::INFINITY, 0.5] {
            let mut kept = y.clone();
            kept.data.iter_mut().for_each(|v| *v = v.max(0.0).min(most.into()));
            check_set(&what, &contexts, &kept, &ym, |cx, y| {
                let mut mask = vec![0xaaaa; ym.pixels()];
                forward(cx, y, Some(Relu { mask: &mut mask, most }));
                assert_mask(&what, y, &mask, most);
            });
        }
        check_backward(&what, &contexts, random, &dx, &xm, |cx, dx| {
            depthwise::backward(cx, geometry, &weights, gradient.read(), dx);
        });
    }
}

/// Channels × 1 × elements as \[element]\[block].
fn by_element(weights: &Planes) -> Vec<Vec16> {
    let map = weights.map(0);
    let vectors = weights.blocked(&map).vectors;
    (0..weights.width)
        .flat_map(|element| (0..map.blocks()).map(move |block| (block, element)))
        .map(|(block, element)| vectors[map.at(block, 0, element as isize)])
        .collect()
}
