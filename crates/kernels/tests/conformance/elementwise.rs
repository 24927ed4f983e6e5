//! Element-wise kernels, softmax and gathering of channels.

use kernels::broadcast::Operand;
use kernels::{Context, Relu, Vec16, WriteMode, elementwise, sum};

use crate::support::*;

/// Planes of a random extent, and the number of the case.
fn cases(first: u64) -> impl Iterator<Item = (String, Random, Planes)> {
    (first..first + 24).map(move |seed| {
        let mut random = Random(seed);
        let (channels, height, width) =
            (random.within(1..=40), random.within(1..=13), random.within(1..=37));
        let x = Planes::random(channels, height, width, &mut random);
        (format!("case {seed}: {channels}×{height}×{width}"), random, x)
    })
}

/// One value for each channel, as vectors too.
fn by_channel(channels: usize, random: &mut Random) -> (Vec<f64>, Vec<Vec16>) {
    let planes = Planes::random(channels, 1, 1, random);
    let vectors = planes.blocked(&planes.map(0)).vectors;
    (planes.data, vectors)
}

#[test]
fn relu_keeps_what_is_positive_and_says_which() {
    let contexts = contexts();
    for (what, mut random, x) in cases(7000) {
        let (xm, ym) = (x.map(random.within(0..=3)), x.map(random.within(0..=3)));
        for most in [f32::INFINITY, 0.5] {
            let mut y = x.clone();
            y.data.iter_mut().for_each(|v| *v = v.max(0.0).min(most.into()));
            check_set(&what, &contexts, &y, &ym, |cx, y| {
                let mut mask = vec![0xaaaa; ym.pixels()];
                let relu = Relu { mask: &mut mask, most };
                elementwise::relu_forward(cx, x.blocked(&xm).read(), y.write(), relu);
                assert_mask(&what, y, &mask, most);
            });
        }
        let mask = x.mask(&xm, &mut random);
        check_set(&what, &contexts, &x.clone().masked(&xm, &mask), &xm, |cx, dx| {
            *dx = x.blocked(&xm);
            elementwise::apply_mask(cx, dx.write(), &mask);
        });
    }
}

#[test]
fn affine_scales_and_shifts_each_channel() {
    let contexts = contexts();
    for (what, mut random, x) in cases(7100) {
        let random = &mut random;
        let (scale, scales) = by_channel(x.channels, random);
        let (shift, shifts) = by_channel(x.channels, random);
        let (xm, ym) = (x.map(random.within(0..=3)), x.map(random.within(0..=3)));
        let (mut y, mut scaled) = (x.empty(), x.empty());
        for (c, row, column) in x.places() {
            *scaled.at_mut(c, row, column) = scale[c] * x.at(c, row, column);
            *y.at_mut(c, row, column) = scaled.at(c, row, column) + shift[c];
        }
        let values = x.blocked(&xm);
        check_set(&what, &contexts, &y, &ym, |cx, y| {
            elementwise::affine_forward(cx, &scales, &shifts, values.read(), y.write());
        });
        check_backward(&what, &contexts, random, &scaled, &ym, |cx, dx| {
            elementwise::affine_backward(cx, &scales, values.read(), dx);
        });
    }
}

#[test]
fn sums_copies_and_multiples_are_their_definitions() {
    let contexts = contexts();
    for (what, mut random, x) in cases(7200) {
        let random = &mut random;
        let others: Vec<Planes> = (0..random.within(0..=2))
            .map(|_| Planes::random(x.channels, x.height, x.width, random))
            .collect();
        let (xm, ym) = (x.map(random.within(0..=3)), x.map(random.within(0..=3)));
        let values = x.blocked(&xm);

        let sum = others.iter().fold(x.clone(), Planes::plus);
        let mut inputs = vec![values.clone()];
        inputs.extend(others.iter().map(|other| other.blocked(&other.map(random.within(0..=3)))));
        let live: Vec<u16> = (0..x.channels.div_ceil(16))
            .map(|block| ((1u32 << (x.channels - 16 * block).min(16)) - 1) as u16)
            .collect();
        let terms: Vec<Operand<'_>> =
            inputs.iter().map(|x| Operand { map: x.read(), one_channel: false }).collect();
        let add = |cx: &Context, y: &mut Blocked, mut relu: Option<Relu<'_>>| {
            let passes = terms.len().div_ceil(2);
            for (pass, terms) in terms.chunks(2).enumerate() {
                let mode = if pass == 0 { WriteMode::Overwrite } else { WriteMode::Accumulate };
                let relu = if pass + 1 == passes { relu.take() } else { None };
                sum::forward(cx, &live, (terms[0], terms.get(1).copied()), mode, y.write(), relu);
            }
        };
        check_set(&what, &contexts, &sum, &ym, |cx, y| add(cx, y, None));
        let mut kept = sum.clone();
        kept.data.iter_mut().for_each(|v| *v = v.clamp(0.0, 0.75));
        check_set(&what, &contexts, &kept, &ym, |cx, y| {
            let mut mask = vec![0xaaaa; ym.pixels()];
            let relu = Relu { mask: &mut mask, most: 0.75 };
            add(cx, y, Some(relu));
            assert_mask(&what, y, &mask, 0.75);
        });

        check_backward(&what, &contexts, random, &x, &ym, |cx, dx| {
            elementwise::copy(cx, values.read(), dx);
        });
        let mut scaled = x.clone();
        scaled.data.iter_mut().for_each(|v| *v *= -0.75);
        check_backward(&what, &contexts, random, &scaled, &ym, |cx, g| {
            elementwise::scale_into(cx, -0.75, values.read(), g);
        });
    }
}

#[test]
fn half_the_sum_of_squares_is_the_same_for_any_number_of_threads() {
    let mut random = Random(7390);
    let large = Planes::random(40, 37, 41, &mut random);
    let large = ("large blocks lie apart".into(), random, large);
    for (what, mut random, x) in cases(7300).chain([large]) {
        let map = x.map(random.within(0..=3));
        let values = x.blocked(&map);
        let wanted = 0.5 * x.data.iter().map(|v| v * v).sum::<f64>();
        for pair in contexts() {
            let [one, two] =
                pair.each_ref().map(|cx| elementwise::half_sum_squares(cx, values.read()));
            assert!((one - wanted).abs() <= CLOSE * wanted, "{what}: {one}, not {wanted}");
            assert_eq!(one.to_bits(), two.to_bits(), "{what}");
        }
    }
}

#[test]
fn softmax_is_its_definition_forward_and_backward() {
    let contexts = contexts();
    for (what, mut random, mut x) in cases(7400) {
        let random = &mut random;
        let largest = [1.0, 40.0, 200.0][random.within(0..=2)];
        x.data.iter_mut().for_each(|v| *v = f64::from((*v * largest) as f32));
        let dy = Planes::random(x.channels, x.height, x.width, random);
        let (mut y, mut dx) = (x.empty(), x.empty());
        for row in 0..x.height {
            for column in 0..x.width {
                let exp = |c: usize| (x.at(c, row, column) - largest).exp();
                let sum: f64 = (0..x.channels).map(exp).sum();
                let mean: f64 = (0..x.channels).map(|c| exp(c) / sum * dy.at(c, row, column)).sum();
                for c in 0..x.channels {
                    *y.at_mut(c, row, column) = exp(c) / sum;
                    *dx.at_mut(c, row, column) = exp(c) / sum * (dy.at(c, row, column) - mean);
                }
            }
        }
        let [xm, ym, gm, dm] = [(); 4].map(|()| x.map(random.within(0..=3)));
        let values = x.blocked(&xm);
        check_set(&what, &contexts, &y, &ym, |cx, y| {
            elementwise::softmax_forward(cx, x.channels, values.read(), y.write());
        });
        let (output, gradient) = (y.blocked(&ym), dy.blocked(&gm));
        check_backward(&what, &contexts, random, &dx, &dm, |cx, dx| {
            elementwise::softmax_backward(cx, output.read(), gradient.read(), dx);
        });
    }
}

#[test]
fn gathering_moves_channels_and_its_inverse_moves_them_back() {
    let contexts = contexts();
    for (what, mut random, x) in cases(7500) {
        let random = &mut random;
        let slots = x.channels.div_ceil(16) * 16;
        let blocks = random.within(1..=4);
        let mut sources = vec![usize::MAX; blocks * 16];
        // Runs of channels at random places, some of them whole blocks.
        for source in 0..x.channels {
            let target = match random.within(0..=3) {
                0 => random.within(0..=blocks * 16 - 1),
                _ => source,
            };
            if target < sources.len() && sources[target] == usize::MAX {
                sources[target] = source;
            }
        }
        let mut y = Planes::zeros(blocks * 16, x.height, x.width);
        for (c, row, column) in y.places() {
            if sources[c] != usize::MAX {
                *y.at_mut(c, row, column) = x.at(sources[c], row, column);
            }
        }
        let (xm, ym) = (x.map(random.within(0..=3)), y.map(random.within(0..=3)));
        let values = x.blocked(&xm);
        check_backward(&what, &contexts, random, &y, &ym, |cx, y| {
            elementwise::gather_channels(cx, &sources, values.read(), y);
        });

        let mut back = x.empty();
        for (c, &source) in sources.iter().enumerate().filter(|(_, s)| **s != usize::MAX) {
            for row in 0..x.height {
                for column in 0..x.width {
                    *back.at_mut(source, row, column) += y.at(c, row, column);
                }
            }
        }
        let (targets, moved) = (elementwise::invert(&sources, slots), y.blocked(&ym));
        check_backward(&what, &contexts, random, &back, &xm, |cx, dx| {
            elementwise::gather_channels(cx, &targets, moved.read(), dx);
        });
    }
}
