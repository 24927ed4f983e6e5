//! Pooling.

use kernels::elementwise::{apply_mask, relu_forward};
use kernels::pool::{InPlace, Max};
use kernels::{ConvGeometry, Destination, MapMut, Relu, WriteMode, pool};

use crate::support::*;

const CASES: u64 = cases(60);

#[test]
fn max_pooling_is_its_definition_forward_and_backward() {
    let contexts = contexts();
    let mut wider = 0;
    for seed in 0..CASES {
        let random = &mut Random(seed);
        // Now and then a window with more elements than a byte counts.
        let wide = seed % 6 == 5;
        let (channels, height, width) =
            (random.within(1..=40), random.within(1..=13), random.within(1..=21));
        let x = Planes::random(channels, height, width, random);
        let placed = Placed::random(height, width, if wide { 40 } else { 4 }, random);
        let what = format!("case {seed}: {channels}×{height}×{width}, {:?}", placed.geometry);
        let (xm, mut y) = (
            x.map(random.within(0..=3)),
            Planes::zeros(channels, placed.output[0], placed.output[1]),
        );
        let ym = y.map(random.within(0..=3));

        let mut winners = vec![None; y.data.len()];
        placed.each(height, width, |[oy, ox], element, [py, px]| {
            for c in 0..channels {
                let winner = &mut winners[(c * y.height + oy) * y.width + ox];
                if winner.is_none_or(|(_, best, _)| x.at(c, py, px) > best) {
                    *winner = Some((element, x.at(c, py, px), [py, px]));
                }
            }
        });
        for (value, winner) in y.data.iter_mut().zip(&winners) {
            *value = winner.map_or(0.0, |(_, best, _)| best);
        }
        let length = pool::argmax_len(&placed.geometry, &ym);
        let bytes = length / ym.pixels();
        wider += usize::from(bytes > 8);
        // The bits of a channel's number, from the lowest on: four of them, or three whole bytes.
        let bits = |c: usize, oy: usize, ox: usize| {
            let (pixel, lane) = (ym.pixel(c / 16, oy, ox) * bytes, c % 16);
            let few = move |bit: usize| (pixel + lane % 2 * 4 + lane / 4, lane / 2 % 2 * 4 + bit);
            let many = move |bit: usize| (pixel + bit / 8 * 16 + lane, bit % 8);
            (0..if bytes > 8 { 24 } else { 4 })
                .map(move |bit| if bytes > 8 { many(bit) } else { few(bit) })
                .enumerate()
        };
        let mut argmax = vec![0; length];
        check_set(&what, &contexts, &y, &ym, |cx, output| {
            let mut argmax = vec![0; length];
            let (x, output) = (x.blocked(&xm), output.write());
            let max = placed.geometry.into();
            pool::max_forward(cx, &max, x.read(), output, &mut argmax);
            for ((c, oy, ox), winner) in y.places().zip(&winners) {
                let wanted = winner.map_or(usize::MAX, |(element, _, _)| element);
                for (place, (byte, bit)) in bits(c, oy, ox) {
                    let got = argmax[byte] >> bit & 1;
                    let wanted = (wanted >> place & 1) as u8;
                    assert_eq!(got, wanted, "{what}: argmax of channel {c} at {oy}, {ox}");
                }
            }
        });

        let dy = Planes::random(channels, y.height, y.width, random);
        let mut dx = x.empty();
        for ((c, oy, ox), winner) in y.places().zip(&winners) {
            if let Some((element, _, [py, px])) = winner {
                for (place, (byte, bit)) in bits(c, oy, ox) {
                    argmax[byte] |= ((element >> place & 1) as u8) << bit;
                }
                *dx.at_mut(c, *py, *px) += dy.at(c, oy, ox);
            }
        }
        let gradient = dy.blocked(&ym);
        check_backward(&what, &contexts, random, &dx, &xm, |cx, dx| {
            pool::max_backward(cx, &placed.geometry, gradient.read(), &argmax, dx);
        });
    }
    assert!(wider > 0 || cfg!(miri), "no window was wide");
}

/// What a ReLU lets through, and then the largest of each window, is the same in the other order.
#[test]
fn a_relu_behind_a_max_pool_is_one_before_it() {
    for seed in 0..CASES {
        let random = &mut Random(500 + seed);
        let (channels, height, width) =
            (random.within(1..=40), random.within(1..=13), random.within(1..=21));
        let x = Planes::random(channels, height, width, random);
        let placed = Placed::random(height, width, if seed % 6 == 5 { 40 } else { 4 }, random);
        let geometry = placed.geometry;
        let most = [f32::INFINITY, 0.5, 1.0][random.within(0..=2)];
        let what = format!("case {seed}: {channels}×{height}×{width}, {geometry:?}, {most}");
        let dy = Planes::random(channels, placed.output[0], placed.output[1], random);
        let (xm, ym) = (x.map(random.within(0..=2)), dy.map(random.within(0..=2)));
        let (values, gradient) = (x.blocked(&xm), dy.blocked(&ym));
        for cx in contexts().iter().flatten() {
            let run = |behind: bool| {
                let (mut y, mut dx) = (Blocked::rubbish(&ym), Blocked::rubbish(&xm));
                let mut argmax = vec![0; pool::argmax_len(&geometry, &ym)];
                let mut rectified = Blocked::rubbish(&xm);
                let mut mask = vec![0; xm.pixels()];
                let relu = Relu { mask: &mut mask, most };
                relu_forward(cx, values.read(), rectified.write(), relu);
                let x = if behind { &values } else { &rectified };
                let max = Max { geometry, relu: behind.then_some(most) };
                pool::max_forward(cx, &max, x.read(), y.write(), &mut argmax);
                let to = Destination::overwrite(dx.write());
                pool::max_backward(cx, &geometry, gradient.read(), &argmax, to);
                if !behind {
                    apply_mask(cx, dx.write(), &mask);
                }
                let plain = |map: Blocked| -> Vec<f32> {
                    map.vectors.iter().flat_map(|vector| vector.0).collect()
                };
                // What lies between blocks is left as it was.
                [y, dx].map(|map| -> Vec<f32> {
                    plain(map).into_iter().filter(|value| !value.is_nan()).collect()
                })
            };
            assert!(run(true) == run(false), "{what}, {}", cx.level());
        }
    }
}

#[test]
fn a_max_pool_in_place_is_one_that_is_not() {
    let mut in_bands = 0;
    for seed in 0..CASES {
        let random = &mut Random(600 + seed);
        let (channels, height, width) =
            (random.within(1..=170), random.within(1..=40), random.within(1..=21));
        let kernel = [(); 2].map(|()| random.within(1..=3));
        let dilation = [(); 2].map(|()| random.within(1..=3));
        let reach = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis] + 1);
        let padding = reach.map(|reach| random.within(0..=reach - 1));
        let geometry = ConvGeometry::new(kernel, [1; 2], dilation, padding).expect("a window");
        let max = Max { geometry, relu: [None, Some(f32::INFINITY), Some(0.5)][seed as usize % 3] };
        let what = format!("case {seed}: {channels}×{height}×{width}, {max:?}");
        let (x, dy) = (
            Planes::random(channels, height, width, random),
            Planes::random(channels, height, width, random),
        );
        let map = x.map(0);
        let Some(pool) = InPlace::new(&geometry, &map, &map) else {
            assert!(reach[0] > height, "{what}");
            continue;
        };
        let (values, gradient) = (x.blocked(&map), dy.blocked(&map));
        let mask = (seed % 2 == 1).then(|| x.mask(&map, random));
        for cx in contexts().iter().flatten() {
            in_bands += usize::from(pool.scratch_bytes(cx.threads().count())[1] > 0);
            let mut argmax = [(); 2].map(|()| vec![0; pool::argmax_len(&geometry, &map)]);
            let (mut y, mut own) = (values.clone(), values.clone());
            let to = MapMut::new(map, &mut y.vectors);
            pool::max_forward(cx, &max, values.read(), to, &mut argmax[0]);
            pool::max_forward_in_place(cx, &max, own.write(), &mut argmax[1]);
            assert!(own.bits() == y.bits() && argmax[0] == argmax[1], "{what}, {}", cx.level());

            let (mut dx, mut own) = (gradient.clone(), gradient.clone());
            let to = |y| Destination::new(y, WriteMode::Overwrite, mask.as_deref());
            pool::max_backward(cx, &geometry, gradient.read(), &argmax[0], to(dx.write()));
            pool::max_backward_in_place(cx, &geometry, &argmax[0], to(own.write()));
            assert!(own.bits() == dx.bits(), "{what}, {}, backward", cx.level());
        }
    }
    assert!(in_bands > 0, "no block was cut into bands");
}

#[test]
fn average_pooling_is_its_definition_forward_and_backward() {
    let contexts = contexts();
    for seed in 0..CASES {
        let random = &mut Random(1000 + seed);
        let (channels, height, width) =
            (random.within(1..=40), random.within(1..=13), random.within(1..=21));
        let x = Planes::random(channels, height, width, random);
        let placed = Placed::random(height, width, 4, random);
        let (kernel, stride) = (placed.geometry.kernel(), placed.geometry.stride());
        let (dilation, before) = (placed.geometry.dilation(), placed.geometry.padding());
        let count_padding = (random.within(0..=1) == 1)
            .then_some([before[0] + height + placed.after[0], before[1] + width + placed.after[1]]);
        let what = format!("case {seed}: {channels}×{height}×{width}, {:?}", placed.geometry);
        let (xm, mut y) = (
            x.map(random.within(0..=3)),
            Planes::zeros(channels, placed.output[0], placed.output[1]),
        );
        let ym = y.map(random.within(0..=3));

        let mut counts = vec![0; y.height * y.width];
        match count_padding {
            None => placed.each(height, width, |[oy, ox], _, _| counts[oy * y.width + ox] += 1),
            Some([padded_height, padded_width]) => {
                for (i, count) in counts.iter_mut().enumerate() {
                    let (oy, ox) = (i / y.width, i % y.width);
                    for element in 0..kernel[0] * kernel[1] {
                        let (ky, kx) = (element / kernel[1], element % kernel[1]);
                        *count += usize::from(
                            oy * stride[0] + ky * dilation[0] < padded_height
                                && ox * stride[1] + kx * dilation[1] < padded_width,
                        );
                    }
                }
            }
        }
        let dy = Planes::random(channels, y.height, y.width, random);
        let mut dx = x.empty();
        placed.each(height, width, |[oy, ox], _, [py, px]| {
            let share = 1.0 / counts[oy * dy.width + ox] as f64;
            for c in 0..channels {
                *y.at_mut(c, oy, ox) += share * x.at(c, py, px);
                *dx.at_mut(c, py, px) += share * dy.at(c, oy, ox);
            }
        });
        let (values, gradient) = (x.blocked(&xm), dy.blocked(&ym));
        check_set(&what, &contexts, &y, &ym, |cx, y| {
            let (x, y) = (values.read(), y.write());
            pool::average_forward(cx, &placed.geometry, count_padding, x, y);
        });
        check_backward(&what, &contexts, random, &dx, &xm, |cx, dx| {
            let dy = gradient.read();
            pool::average_backward(cx, &placed.geometry, count_padding, dy, dx);
        });
    }
}

#[test]
fn global_average_is_the_mean_of_each_channel() {
    let contexts = contexts();
    for seed in 0..cases(20) {
        let random = &mut Random(2000 + seed);
        let (channels, height, width) =
            (random.within(1..=40), random.within(1..=13), random.within(1..=21));
        let x = Planes::random(channels, height, width, random);
        let dy = Planes::random(channels, 1, 1, random);
        let (mut y, mut dx) = (dy.empty(), x.empty());
        let share = 1.0 / (height * width) as f64;
        for (c, row, column) in x.places() {
            *y.at_mut(c, 0, 0) += share * x.at(c, row, column);
            *dx.at_mut(c, row, column) = share * dy.at(c, 0, 0);
        }
        let (xm, ym) = (x.map(random.within(0..=3)), y.map(random.within(0..=3)));
        let (values, gradient) = (x.blocked(&xm), dy.blocked(&ym));
        let what = format!("case {seed}: {channels}×{height}×{width}");
        check_set(&what, &contexts, &y, &ym, |cx, y| {
            pool::global_average_forward(cx, values.read(), y.write());
        });
        check_backward(&what, &contexts, random, &dx, &xm, |cx, dx| {
            pool::global_average_backward(cx, gradient.read(), dx);
        });
    }
}

/// Wide enough that the rows are shared among several tasks and the columns among several buffers.
#[test]
#[cfg_attr(miri, ignore = "takes too long")]
fn a_large_map_is_the_same_for_any_number_of_threads() {
    let random = &mut Random(1);
    let x = Planes::random(20, 61, 201, random);
    let geometry = ConvGeometry::new([3; 2], [2; 2], [1; 2], [0; 2]).expect("a small window");
    let y = Planes::random(20, 30, 100, random);
    let (xm, ym) = (x.map(2), y.map(1));
    let (values, gradient) = (x.blocked(&xm), y.blocked(&ym));
    let mut results = Vec::new();
    for cx in contexts().iter().flatten() {
        let mut argmax = vec![0; pool::argmax_len(&geometry, &ym)];
        let (mut y, mut dx) = (Blocked::rubbish(&ym), Blocked::rubbish(&xm));
        pool::max_forward(cx, &geometry.into(), values.read(), y.write(), &mut argmax);
        let destination = Destination::overwrite(dx.write());
        pool::max_backward(cx, &geometry, gradient.read(), &argmax, destination);
        results.push((y.bits(), dx.bits()));
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
}
