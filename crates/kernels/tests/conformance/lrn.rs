//! Local response normalisation.

use kernels::Destination;
use kernels::lrn::{self, Lrn};

use crate::support::*;

#[test]
fn normalisation_is_its_definition_forward_and_backward() {
    let contexts = contexts();
    for seed in 0..cases(48) {
        let random = &mut Random(3000 + seed);
        let (channels, height, width) =
            (random.within(1..=70), random.within(1..=6), random.within(1..=21));
        let settings = Lrn {
            channels,
            size: [5, 11, 1, 3, 9, 37][random.within(0..=5)],
            alpha: [1e-4, 0.3, 2.0][random.within(0..=2)],
            beta: [0.75, 0.5, 0.6, 1.0][random.within(0..=3)],
            bias: [1.0, 2.0][random.within(0..=1)],
        };
        let what = format!("case {seed}: {channels}×{height}×{width}, {settings:?}");
        let x = Planes::random(channels, height, width, random);
        let dy = Planes::random(channels, height, width, random);
        let (alpha, beta) = (f64::from(settings.alpha), f64::from(settings.beta));
        let around = |c: usize| {
            c.saturating_sub(settings.size / 2)..(c + settings.size / 2 + 1).min(channels)
        };
        let mut sums = x.empty();
        for (c, row, column) in x.places() {
            let squares: f64 = around(c).map(|k| x.at(k, row, column).powi(2)).sum();
            *sums.at_mut(c, row, column) = f64::from(settings.bias) + alpha * squares;
        }
        let (mut y, mut dx) = (x.empty(), x.empty());
        for (c, row, column) in x.places() {
            let at = |planes: &Planes, k: usize| planes.at(k, row, column);
            let power = at(&sums, c).powf(-beta);
            let shared: f64 =
                around(c).map(|k| at(&dy, k) * at(&x, k) * at(&sums, k).powf(-beta - 1.0)).sum();
            *y.at_mut(c, row, column) = at(&x, c) * power;
            *dx.at_mut(c, row, column) =
                at(&dy, c) * power - 2.0 * alpha * beta * at(&x, c) * shared;
        }
        let [xm, ym, gm, dm] = [(); 4].map(|()| x.map(random.within(0..=3)));
        let (values, gradient) = (x.blocked(&xm), dy.blocked(&gm));
        check_set(&what, &contexts, &y, &ym, |cx, y| {
            lrn::forward(cx, &settings, values.read(), y.write());
        });
        check_backward(&what, &contexts, random, &dx, &dm, |cx, dx| {
            lrn::backward(cx, &settings, values.read(), gradient.read(), dx);
        });
        for cx in contexts.iter().flatten() {
            let (mut apart, mut in_place) = (Blocked::rubbish(&xm), values.clone());
            let dx = Destination::overwrite(apart.write());
            lrn::backward(cx, &settings, values.read(), gradient.read(), dx);
            let x = Destination::overwrite(in_place.write());
            lrn::backward_in_place(cx, &settings, gradient.read(), x);
            assert!(in_place.bits() == apart.bits(), "{what}, {}, in place", cx.level());
        }
    }
}

#[test]
fn lanes_past_the_last_channel_stay_zero_without_a_bias() {
    let settings = Lrn { channels: 17, size: 5, alpha: 1.0, beta: 0.75, bias: 0.0 };
    let mut x = Planes::zeros(17, 1, 1);
    x.data.fill(1.0);
    let y = Planes { data: (0..17).map(|c| window(c).powf(-0.75)).collect(), ..x.clone() };
    let map = x.map(1);
    check_set("no bias", &contexts(), &y, &map, |cx, y| {
        lrn::forward(cx, &settings, x.blocked(&map).read(), y.write());
    });

    fn window(c: usize) -> f64 {
        ((c + 3).min(17) - c.saturating_sub(2)) as f64
    }
}
