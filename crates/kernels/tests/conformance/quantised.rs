//! Maps kept in fewer bits: the same at every level, and near enough to what they stand for.

use kernels::lrn::{self, Lrn};
use kernels::quantised::{QuantisedMap, QuantisedRef, quantise};
use kernels::{Destination, Vec16, lrn_pool, pool};

use crate::support::*;

#[test]
fn a_gradient_at_kept_values_is_near_that_at_the_values() {
    for seed in 0..cases(24) {
        let random = &mut Random(7700 + seed);
        let (channels, height, width) =
            (random.within(1..=40), random.within(1..=30), random.within(1..=40));
        let size = [5, 11, 3][random.within(0..=2)];
        let lrn = Lrn { channels, size, alpha: 0.3, beta: 0.75, bias: 1.0 };
        let placed = Placed::random(height, width, 3, random);
        let geometry = &placed.geometry;
        let what = format!("case {seed}: {channels}×{height}×{width}, {lrn:?}, {geometry:?}");
        let x = Planes::random(channels, height, width, random);
        let dy = Planes::random(channels, placed.output[0], placed.output[1], random);
        let (x, dy) = (x.blocked(&x.map(random.within(0..=2))), dy.blocked(&dy.map(0)));
        let map = QuantisedMap::of(&x.map);
        let mut first: Option<Vec<Vec16>> = None;
        for cx in contexts().iter().flatten() {
            let mut kept = vec![Vec16::default(); map.vectors()];
            let middle = random.within(0..=height);
            quantise(cx, x.read(), (map, &mut kept), 0..middle);
            quantise(cx, x.read(), (map, &mut kept), middle..height);
            let bits = |kept: &[Vec16]| -> Vec<u32> {
                kept.iter().flat_map(|vector| vector.0).map(f32::to_bits).collect()
            };
            let same = first.as_ref().is_none_or(|first| bits(first) == bits(&kept));
            assert!(same, "{what}, {}", cx.level());

            let (mut y, mut argmax) =
                (Blocked::rubbish(&dy.map), vec![0; pool::argmax_len(geometry, &dy.map)]);
            lrn_pool::forward(cx, &lrn, geometry, x.read(), y.write(), &mut argmax);
            let [mut wanted, mut near] = [(); 2].map(|()| Blocked::rubbish(&x.map));
            let to = Destination::overwrite(wanted.write());
            lrn_pool::backward(cx, &lrn, geometry, x.read(), dy.read(), &argmax, to);
            let (to, values) =
                (Destination::overwrite(near.write()), QuantisedRef::new(map, &kept));
            let gradient = (dy.read(), &argmax[..]);
            lrn_pool::backward_rows(cx, &lrn, geometry, values, gradient, to, 0..height);
            assert_near(&what, wanted, near);

            // By itself, the normalisation keeps the same, and comes as near.
            let mut own = vec![Vec16::default(); map.vectors()];
            let [mut apart, mut keeping] = [(); 2].map(|()| Blocked::rubbish(&x.map));
            lrn::forward(cx, &lrn, x.read(), apart.write());
            lrn::forward_keeping(cx, &lrn, x.read(), keeping.write(), (map, &mut own));
            assert!(apart.bits() == keeping.bits() && bits(&own) == bits(&kept), "{what}");
            let dy = keeping.read();
            let [mut wanted, mut near] = [(); 2].map(|()| Blocked::rubbish(&x.map));
            lrn::backward(cx, &lrn, x.read(), dy, Destination::overwrite(wanted.write()));
            let to = Destination::overwrite(near.write());
            lrn::backward_kept(cx, &lrn, QuantisedRef::new(map, &kept), dy, to);
            assert_near(&what, wanted, near);
            first.get_or_insert(kept);
        }
    }
}

/// Checks that a gradient is near the one that is wanted, in proportion to the largest.
#[track_caller]
fn assert_near(what: &str, wanted: Blocked, near: Blocked) {
    // What lies between blocks is left as it was.
    let written: Vec<(f32, f32)> = (wanted.bits().into_iter().zip(near.bits()))
        .map(|(a, b)| (f32::from_bits(a), f32::from_bits(b)))
        .filter(|(a, b)| !a.is_nan() || !b.is_nan())
        .collect();
    let most = written.iter().fold(0.0f32, |most, (value, _)| most.max(value.abs()));
    for (a, b) in written {
        assert!((a - b).abs() <= 2e-4 * most, "{a} and {b}, {what}");
    }
}
