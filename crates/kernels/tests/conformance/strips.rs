//! Rows of a map that is a ring: bit by bit what they are in one that is whole.

use kernels::conv::{Filters, Output, SharedMap, SharedMask};
use kernels::lrn::Lrn;
use kernels::quantised::{QuantisedMap, QuantisedRef, quantise};
use kernels::winograd::{Keep, Winograd};
use kernels::{ConvGeometry, CpuLevel, Destination, Relu, Vec16, WriteMode, lrn_pool, pool};

use crate::support::*;

/// Rows that are kept: enough for one row of tiles and what the windows need besides.
const KEPT: usize = 16;

#[test]
fn a_convolution_and_what_pools_behind_it_run_strip_by_strip() {
    for seed in 0..cases(24) {
        let random = &mut Random(7500 + seed);
        let (ins, outs) = (random.within(1..=20), random.within(1..=40));
        let (height, width) = (random.within(40..=60), random.within(5..=40));
        let kernel = random.within(2..=5);
        let (before, tile) = (random.within(0..=kernel - 1), [6, 8][random.within(0..=1)]);
        let conv = ConvGeometry::new([kernel; 2], [1; 2], [1; 2], [before; 2]).unwrap();
        let free = |extent: usize| extent + 2 * before + 1 - kernel;
        let placed = Placed::random(free(height), free(width), 3, random);
        let window = &placed.geometry;
        let size = [5, 11, 3][random.within(0..=2)];
        let lrn = Lrn { channels: outs, size, alpha: 0.3, beta: 0.75, bias: 1.0 };
        let lrn = (seed % 2 == 1).then_some(lrn);
        let what =
            format!("case {seed}: {ins}×{height}×{width}, {conv:?}, {tile}, {lrn:?}, {window:?}");
        let mut values =
            |count: usize| -> Vec<f32> { (0..count).map(|_| random.value(false) as f32).collect() };
        let (weights, bias) = (values(ins * outs * kernel * kernel), values(outs));
        let slots = [ins, outs].map(|channels| (0..channels).collect::<Vec<usize>>());
        let filters = Filters::new(conv, 1, &weights, &bias, &slots[0], &slots[1]);
        let x = Planes::random(ins, height, width, random);
        let x = x.blocked(&x.map(0));
        let between = Planes::zeros(outs, free(height), free(width)).map(0);
        let dy = Planes::random(outs, placed.output[0], placed.output[1], random);
        let dy = dy.blocked(&dy.map(0));
        for cx in contexts().iter().flatten().filter(|cx| cx.level() != CpuLevel::Scalar) {
            let new = |phase| Winograd::new(&phase, tile, Keep::Transformed, cx).unwrap();
            let forward = new(filters.forward());
            let run = |map| {
                let (mut middle, mut y) = (Blocked::rubbish(&map), Blocked::rubbish(&dy.map));
                let mut argmax = vec![0; pool::argmax_len(window, &dy.map)];
                let mut mask = vec![0; map.pixels()];
                let quantised = QuantisedMap::of(&map);
                let mut to_keep = vec![Vec16::default(); quantised.vectors()];
                let mut pooled = 0;
                let all = map.height().div_ceil(forward.rows());
                let step = if map.kept() == map.height() { all } else { 1 };
                for first in (0..all).step_by(step) {
                    let to = SharedMap::new(middle.write());
                    let relu = SharedMask::new(Relu::new(&mut mask));
                    let (mode, relu_mask) = (WriteMode::Overwrite, Some(&relu));
                    let output = Output { y: &to, mode, bias: true, relu_mask, mask: None };
                    forward.run_rows(cx, x.read(), &output, first..first + step);
                    let ready = (first + step) * forward.rows();
                    let ready = window.rows_within(ready, map.height(), dy.map.height());
                    let rows = pooled..ready.max(pooled);
                    pooled = rows.end;
                    let (from, to) = (middle.read(), y.write());
                    if let Some(lrn) = &lrn {
                        let made = first * forward.rows()
                            ..((first + step) * forward.rows()).min(map.height());
                        quantise(cx, from, (quantised, &mut to_keep), made);
                        lrn_pool::forward_rows(cx, lrn, window, from, (to, &mut argmax), rows);
                    } else {
                        pool::max_forward_rows(cx, &(*window).into(), from, to, &mut argmax, rows);
                    }
                }
                (y.bits(), argmax, mask, to_keep)
            };
            // Numbers of sixteen bits are read as any values, of which some differ from themselves.
            let same = |a: &[Vec16], b: &[Vec16]| {
                let bits = |vector: &Vec16| vector.0.map(f32::to_bits);
                a.iter().map(bits).eq(b.iter().map(bits))
            };
            let (whole, strips) = (run(between), run(between.ring(KEPT)));
            let equal = (&whole.0, &whole.1, &whole.2) == (&strips.0, &strips.1, &strips.2);
            assert!(equal && same(&whole.3, &strips.3), "{what}, {}, forward", cx.level());

            let backward = new(filters.backward().swap_remove(0));
            let (_, argmax, mask, kept) = whole;
            let run = |map| {
                let (mut middle, mut dx) = (Blocked::rubbish(&map), Blocked::rubbish(&x.map));
                let mut made = 0;
                let all = height.div_ceil(backward.rows());
                let step = if map.kept() == map.height() { all } else { 1 };
                for first in (0..all).step_by(step) {
                    let needed = backward.rows_read(first + step, map.height()).max(made);
                    let to = Destination::new(middle.write(), WriteMode::Overwrite, Some(&mask));
                    let rows = made.max(needed.saturating_sub(map.kept()))..needed;
                    made = needed;
                    let gradient = (dy.read(), &argmax[..]);
                    if let Some(lrn) = &lrn {
                        let x = QuantisedRef::new(QuantisedMap::of(&map), &kept);
                        lrn_pool::backward_rows(cx, lrn, window, x, gradient, to, rows);
                    } else {
                        pool::max_backward_rows(cx, window, gradient.0, &argmax, to, rows);
                    }
                    let (to, mode) = (SharedMap::new(dx.write()), WriteMode::Overwrite);
                    let output = Output { y: &to, mode, bias: false, relu_mask: None, mask: None };
                    backward.run_rows(cx, middle.read(), &output, first..first + step);
                }
                dx.bits()
            };
            let same = run(between) == run(between.ring(KEPT));
            assert!(same, "{what}, {}, backward", cx.level());
        }
    }
}
