//! Normalisation and max pooling at once: bit by bit what they are one after the other.

use kernels::lrn::{self, Lrn};
use kernels::{Destination, WriteMode, lrn_pool, pool};

use crate::support::*;

#[test]
fn both_at_once_are_what_they_are_one_after_the_other() {
    let contexts = contexts();
    for seed in 0..cases(48) {
        let random = &mut Random(7000 + seed);
        let (channels, height, width) =
            (random.within(1..=40), random.within(1..=45), random.within(1..=21));
        let size = [5, 11, 3][random.within(0..=2)];
        let lrn = Lrn { channels, size, alpha: 0.3, beta: 0.75, bias: 1.0 };
        let placed = Placed::random(height, width, 3, random);
        let geometry = &placed.geometry;
        let what = format!("case {seed}: {channels}×{height}×{width}, {lrn:?}, {geometry:?}");
        let x = Planes::random(channels, height, width, random);
        let dy = Planes::random(channels, placed.output[0], placed.output[1], random);
        let [xm, between, dm] = [(); 3].map(|()| x.map(random.within(0..=3)));
        let [ym, gm] = [(); 2].map(|()| dy.map(random.within(0..=3)));
        let (values, gradient, old) = (x.blocked(&xm), dy.blocked(&gm), x.blocked(&dm));
        let mask = x.mask(&dm, random);
        for cx in contexts.iter().flatten() {
            let forward = |fused: bool| {
                let (x, mut y) = (values.read(), Blocked::rubbish(&ym));
                let mut argmax = vec![0; pool::argmax_len(geometry, &ym)];
                if fused {
                    lrn_pool::forward(cx, &lrn, geometry, x, y.write(), &mut argmax);
                } else {
                    let mut middle = Blocked::rubbish(&between);
                    lrn::forward(cx, &lrn, x, middle.write());
                    pool::max_forward(
                        cx,
                        &(*geometry).into(),
                        middle.read(),
                        y.write(),
                        &mut argmax,
                    );
                }
                (y, argmax)
            };
            let ((y, argmax), (wanted, separate)) = (forward(true), forward(false));
            assert!(y.bits() == wanted.bits(), "{what}, {}", cx.level());
            assert!(argmax == separate, "{what}, {}", cx.level());

            for (mode, mask) in
                [(WriteMode::Overwrite, None), (WriteMode::Accumulate, Some(&mask[..]))]
            {
                let backward = |fused: bool| {
                    let mut dx = match mode {
                        WriteMode::Overwrite => Blocked::rubbish(&dm),
                        WriteMode::Accumulate => old.clone(),
                    };
                    let to = Destination::new(dx.write(), mode, mask);
                    let (x, dy) = (values.read(), gradient.read());
                    if fused {
                        lrn_pool::backward(cx, &lrn, geometry, x, dy, &argmax, to);
                    } else {
                        let mut middle = Blocked::rubbish(&between);
                        let all = Destination::overwrite(middle.write());
                        pool::max_backward(cx, geometry, dy, &argmax, all);
                        lrn::backward(cx, &lrn, x, middle.read(), to);
                    }
                    dx.bits()
                };
                assert!(backward(true) == backward(false), "{what}, {}", cx.level());
            }
            let (mut apart, mut in_place) = (Blocked::rubbish(&xm), values.clone());
            let (x, dy) = (values.read(), gradient.read());
            let dx = Destination::overwrite(apart.write());
            lrn_pool::backward(cx, &lrn, geometry, x, dy, &argmax, dx);
            let x = Destination::overwrite(in_place.write());
            lrn_pool::backward_in_place(cx, &lrn, geometry, dy, &argmax, x);
            assert!(in_place.bits() == apart.bits(), "{what}, {}, in place", cx.level());
        }
    }
}
