//! The picture in and out, and activations as planes.

use kernels::WriteMode;
use kernels::pack::{self, InputTransform};

use crate::support::*;

/// What [`pack::pack`] should make, and the picture's value each of its slots is read from.
fn packed(input: &InputTransform, picture: &Planes) -> (Planes, Vec<Option<[usize; 3]>>) {
    let (s, height, width) = (input.space_to_depth, picture.height, picture.width);
    let slots = input.channels * s * s;
    let mut map = Planes::zeros(slots, height.div_ceil(s), width.div_ceil(s));
    let mut sources = Vec::new();
    for (slot, my, mx) in map.places() {
        let (c, y, x) = (slot / (s * s), my * s + slot / s % s, mx * s + slot % s);
        let source = (y < height && x < width).then(|| {
            let roll = |at: usize, by: usize, n: usize| (at + n - by % n) % n;
            [input.source[c], roll(y, input.shift[0], height), roll(x, input.shift[1], width)]
        });
        if let Some([plane, y, x]) = source {
            let value = picture.at(plane, y, x) - f64::from(input.mean[c]);
            *map.at_mut(slot, my, mx) = value * f64::from(input.scale[c]);
        }
        sources.push(source);
    }
    (map, sources)
}

#[test]
fn packing_and_its_gradient_are_their_definitions() {
    let contexts = contexts();
    for seed in 0..cases(60) {
        let random = &mut Random(4000 + seed);
        let (height, width) = (random.within(1..=13), random.within(1..=90));
        let input = InputTransform {
            channels: random.within(1..=4),
            source: [0; 4].map(|_| random.within(0..=2)),
            mean: [0.0; 4].map(|_: f32| random.value(false) as f32),
            scale: [0.0; 4].map(|_: f32| random.value(false) as f32),
            shift: [random.within(0..=2 * height), random.within(0..=2 * width)],
            space_to_depth: random.within(1..=4),
        };
        let what = format!("case {seed}: {height}×{width}, {input:?}");
        let picture = Planes::random(3, height, width, random);
        let (wanted, sources) = packed(&input, &picture);
        let map = wanted.map(random.within(0..=3));
        let values: Vec<f32> = picture.data.iter().map(|&v| v as f32).collect();
        check_set(&what, &contexts, &wanted, &map, |cx, x| {
            pack::pack(cx, &input, &values, height, width, x.write());
        });

        let dx = Planes::random(wanted.channels, wanted.height, wanted.width, random);
        let mut gradient = picture.empty();
        for ((slot, y, x), source) in dx.places().zip(sources) {
            if let Some([plane, py, px]) = source {
                let scale =
                    f64::from(input.scale[slot / (input.space_to_depth * input.space_to_depth)]);
                *gradient.at_mut(plane, py, px) += scale * dx.at(slot, y, x);
            }
        }
        let dx = dx.blocked(&map);
        for cx in contexts.iter().flatten() {
            let mut got = vec![f32::NAN; values.len()];
            pack::unpack(cx, &input, dx.read(), height, width, &mut got);
            for (got, wanted) in got.iter().zip(&gradient.data) {
                assert!((f64::from(*got) - wanted).abs() <= CLOSE, "{what}: {got}, not {wanted}");
            }
        }
    }
}

#[test]
fn planes_go_into_a_map_and_come_back() {
    let contexts = contexts();
    for seed in 0..cases(30) {
        let random = &mut Random(5000 + seed);
        let (height, width) = (random.within(1..=9), random.within(1..=150));
        let blocks = random.within(1..=3);
        let mut channels: Vec<usize> = (0..blocks * 16).collect();
        for i in (1..channels.len()).rev() {
            channels.swap(i, random.within(0..=i));
        }
        channels.truncate(random.within(1..=blocks * 16));
        let planes = Planes::random(channels.len(), height, width, random);
        let values: Vec<f32> = planes.data.iter().map(|&v| v as f32).collect();
        let mut wanted = Planes::zeros(blocks * 16, height, width);
        for (c, y, x) in planes.places() {
            *wanted.at_mut(channels[c], y, x) = planes.at(c, y, x);
        }
        let map = wanted.map(random.within(0..=3));
        let before = Planes::random(blocks * 16, height, width, random);
        let what = format!("case {seed}: {}×{height}×{width}", channels.len());
        check_set(&what, &contexts, &wanted, &map, |cx, x| {
            pack::from_planes(cx, &values, &channels, x.write(), WriteMode::Overwrite);
            let mut back = vec![f32::NAN; values.len()];
            pack::to_planes(cx, x.read(), &channels, &mut back);
            assert_eq!(back, values, "{what}: not the same back");
        });
        let sum = wanted.clone().plus(&before);
        check_set(&what, &contexts, &sum, &map, |cx, x| {
            *x = before.blocked(&map);
            pack::from_planes(cx, &values, &channels, x.write(), WriteMode::Accumulate);
        });
    }
}
