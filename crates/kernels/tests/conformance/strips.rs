//! Rows of a map that is a ring: bit by bit what they are in one that is whole.

use kernels::conv::{Filters, Output, SharedMap, SharedMask};
use kernels::winograd::{Keep, Winograd};
use kernels::{ConvGeometry, CpuLevel, Destination, Relu, WriteMode, pool};

use crate::support::*;

/// Rows that are kept: enough for one row of tiles and what the windows need besides.
const KEPT: usize = 16;

#[test]
fn a_convolution_and_the_pooling_behind_it_run_strip_by_strip() {
    for seed in 0..cases(12) {
        let random = &mut Random(7500 + seed);
        let (ins, outs) = (random.within(1..=20), random.within(1..=40));
        let (height, width) = (random.within(40..=60), random.within(5..=40));
        let kernel = random.within(2..=5);
        let (before, tile) = (random.within(0..=kernel - 1), [6, 8][random.within(0..=1)]);
        let conv = ConvGeometry::new([kernel; 2], [1; 2], [1; 2], [before; 2]).unwrap();
        let free = |extent: usize| extent + 2 * before + 1 - kernel;
        let placed = Placed::random(free(height), free(width), 4, random);
        let window = &placed.geometry;
        let what = format!("case {seed}: {ins}×{height}×{width}, {conv:?}, {tile}, {window:?}");
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
                    pool::max_forward_rows(cx, window, middle.read(), y.write(), &mut argmax, rows);
                }
                (y.bits(), argmax, mask)
            };
            let (whole, strips) = (run(between), run(between.ring(KEPT)));
            assert!(whole == strips, "{what}, {}, forward", cx.level());

            let backward = new(filters.backward().swap_remove(0));
            let (_, argmax, mask) = whole;
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
                    pool::max_backward_rows(cx, window, dy.read(), &argmax, to, rows);
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
