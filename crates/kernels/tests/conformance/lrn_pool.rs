//! Normalisation and max pooling at once: bit by bit what they are one after the other.

use kernels::lrn::{self, Lrn};
use kernels::{Vec16, WriteMode, lrn_pool, pool};

use crate::support::*;

#[test]
fn both_at_once_are_what_they_are_one_after_the_other() {
    let contexts = contexts();
    for seed in 0..48 {
        let random = &mut Random(7000 + seed);
        let (channels, height, width) =
            (random.within(1..=40), random.within(1..=45), random.within(1..=21));
        let lrn = Lrn { size: [5, 11, 3][random.within(0..=2)], alpha: 0.3, beta: 0.75, bias: 1.0 };
        let placed = Placed::random(height, width, 4, random);
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
                let mut y = vec![RUBBISH; ym.vectors()];
                let mut argmax = vec![0; 16 * ym.pixels()];
                if fused {
                    let (x, y) = (&values, &mut y);
                    lrn_pool::forward(cx, &lrn, channels, geometry, &xm, x, &ym, y, &mut argmax);
                } else {
                    let mut middle = vec![RUBBISH; between.vectors()];
                    lrn::forward(cx, &lrn, channels, &xm, &values, &between, &mut middle);
                    pool::max_forward(cx, geometry, &between, &middle, &ym, &mut y, &mut argmax);
                }
                (y, argmax)
            };
            let ((y, argmax), (wanted, separate)) = (forward(true), forward(false));
            assert!(bits(&y) == bits(&wanted), "{what}, {}", cx.level());
            assert!(argmax == separate, "{what}, {}", cx.level());

            for (write, mask) in
                [(WriteMode::Overwrite, None), (WriteMode::Accumulate, Some(&mask[..]))]
            {
                let backward = |fused: bool| -> Vec<Vec16> {
                    let mut dx = match write {
                        WriteMode::Overwrite => vec![RUBBISH; dm.vectors()],
                        WriteMode::Accumulate => old.clone(),
                    };
                    if fused {
                        lrn_pool::backward(
                            cx, &lrn, channels, geometry, &xm, &values, &gm, &gradient, &argmax,
                            &dm, &mut dx, write, mask,
                        );
                    } else {
                        let mut middle = vec![RUBBISH; between.vectors()];
                        let (to, all) = (&mut middle, WriteMode::Overwrite);
                        pool::max_backward(
                            cx, geometry, &gm, &gradient, &argmax, &between, to, all, None,
                        );
                        lrn::backward(
                            cx, &lrn, channels, &xm, &values, &between, &middle, &dm, &mut dx,
                            write, mask,
                        );
                    }
                    dx
                };
                assert!(bits(&backward(true)) == bits(&backward(false)), "{what}, {}", cx.level());
            }
        }
    }
}
