//! Kernels that move pixels: channels that become pixels and back, and weighted sums of rows and columns.

use kernels::{Vec16, resample, shuffle};

use crate::support::*;

/// Each wide channel's place among the deep ones, by pixel of the rectangle: any order.
fn any_order(channels: usize, pixels: usize, random: &mut Random) -> Vec<usize> {
    let mut order: Vec<usize> = (0..channels * pixels).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, random.within(0..=i));
    }
    order
}

#[test]
fn channels_become_pixels_and_pixels_channels() {
    let contexts = contexts();
    for seed in 0..cases(40) {
        let random = &mut Random(9000 + seed);
        let block = [random.within(1..=3), random.within(1..=3)];
        let pixels = block[0] * block[1];
        let channels = random.within(1..=20);
        let deep =
            Planes::random(channels * pixels, random.within(1..=6), random.within(1..=9), random);
        // Rows and columns that fill no rectangle.
        let beside = [random.within(0..=block[0] - 1), random.within(0..=block[1] - 1)];
        let (height, width) =
            (deep.height * block[0] + beside[0], deep.width * block[1] + beside[1]);
        let order = any_order(channels, pixels, random);
        let what = format!("case {seed}: {channels}×{height}×{width} by {block:?}");
        let values = Planes::random(channels, height, width, random);
        let (mut wide, mut gathered) = (values.empty(), deep.empty());
        for (c, y, x) in wide.places() {
            if y / block[0] >= deep.height || x / block[1] >= deep.width {
                continue;
            }
            let pixel = y % block[0] * block[1] + x % block[1];
            let (from, row, column) = (order[pixel * channels + c], y / block[0], x / block[1]);
            *wide.at_mut(c, y, x) = deep.at(from, row, column);
            *gathered.at_mut(from, row, column) = values.at(c, y, x);
        }
        let (dm, wm) = (deep.map(random.within(0..=2)), wide.map(random.within(0..=2)));
        let slots = wm.blocks() * 16;
        let mut spread = vec![usize::MAX; pixels * slots];
        let mut gather = vec![usize::MAX; dm.blocks() * 16];
        for (i, &from) in order.iter().enumerate() {
            let place = i / channels * slots + i % channels;
            (spread[place], gather[from]) = (from, place);
        }
        let (x, v) = (deep.blocked(&dm), values.blocked(&wm));
        check_backward(&what, &contexts, random, &wide, &wm, |cx, y| {
            shuffle::depth_to_space(cx, block, &spread, x.read(), y);
        });
        check_backward(&what, &contexts, random, &gathered, &dm, |cx, y| {
            shuffle::space_to_depth(cx, block, &gather, v.read(), y);
        });
    }
}

/// For each of `positions`, none to three taps on `extent` positions.
fn taps(positions: usize, extent: usize, random: &mut Random) -> (Vec<usize>, Vec<(usize, f32)>) {
    let (mut starts, mut taps) = (vec![0], Vec::new());
    for _ in 0..positions {
        for _ in 0..random.within(0..=3) {
            taps.push((random.within(0..=extent - 1), random.value(false) as f32));
        }
        starts.push(taps.len());
    }
    (starts, taps)
}

#[test]
fn rows_and_columns_are_weighted_sums_of_others() {
    let contexts = contexts();
    for seed in 0..cases(40) {
        let random = &mut Random(9100 + seed);
        let (channels, height, width) =
            (random.within(1..=40), random.within(1..=9), random.within(1..=17));
        let x = Planes::random(channels, height, width, random);
        let mut y = Planes::zeros(channels, random.within(1..=9), random.within(1..=17));
        let rows = taps(y.height, height, random);
        let columns = taps(y.width, width, random);
        let fill = Planes::random(channels, 1, 1, random);
        let what = format!("case {seed}: {channels}×{height}×{width}");
        for (c, row, column) in y.places() {
            let of = |(starts, taps): &(Vec<usize>, Vec<(usize, f32)>), at: usize| {
                taps[starts[at]..starts[at + 1]].to_vec()
            };
            let (rows, columns) = (of(&rows, row), of(&columns, column));
            let none = rows.is_empty() || columns.is_empty();
            let mut sum = if none { fill.at(c, 0, 0) } else { 0.0 };
            for &(row, by_row) in &rows {
                for &(column, by_column) in &columns {
                    sum += x.at(c, row, column) * f64::from(by_row) * f64::from(by_column);
                }
            }
            *y.at_mut(c, row, column) = sum;
        }
        let (xm, ym) = (x.map(random.within(0..=2)), y.map(random.within(0..=2)));
        let fill: Vec<Vec16> = fill.blocked(&fill.map(0)).vectors;
        let views = [&rows, &columns].map(|(starts, taps)| resample::Taps::new(starts, taps));
        let values = x.blocked(&xm);
        check_backward(&what, &contexts, random, &y, &ym, |cx, y| {
            resample::resample(cx, views, &fill, values.read(), y);
        });
    }
}
