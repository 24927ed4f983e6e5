//! Maps of unlike extents, element by element.

use kernels::broadcast::{self, Binary, Operand, Term};
use kernels::{WriteMode, sum};

use crate::support::*;

/// The place of a smaller map that counts at a place of the larger one.
fn partner(x: &Planes, (c, row, column): (usize, usize, usize)) -> (usize, usize, usize) {
    let at = |extent: usize, index: usize| if extent == 1 { 0 } else { index };
    (at(x.channels, c), at(x.height, row), at(x.width, column))
}

fn of(x: &Planes, place: (usize, usize, usize)) -> f64 {
    let (c, row, column) = partner(x, place);
    x.at(c, row, column)
}

/// The gradient of a map of `x`'s extent for what each place of the output gives it.
fn gathered(x: &Planes, given: &Planes) -> Planes {
    let mut dx = x.empty();
    for place in given.places() {
        let (c, row, column) = partner(x, place);
        *dx.at_mut(c, row, column) += given.at(place.0, place.1, place.2);
    }
    dx
}

#[test]
fn what_meets_is_its_definition_forward_and_backward() {
    let contexts = contexts();
    for seed in 0..cases(60) {
        let mut random = Random(8500 + seed);
        let random = &mut random;
        let whole = [random.within(2..=40), random.within(2..=9), random.within(2..=23)];
        let extent =
            |random: &mut Random| whole.map(|n| if random.within(0..=2) == 0 { 1 } else { n });
        let planes = |[c, h, w]: [usize; 3], random: &mut Random| {
            let mut planes = Planes::random(c, h, w, random);
            // Away from 0, for it is divided by.
            let away = |x: f64| f64::from((x + 1.5f64.copysign(x)) as f32);
            planes.data.iter_mut().for_each(|x| *x = away(*x));
            planes
        };
        let (a, b) = if seed % 2 == 0 {
            (planes(whole, random), planes(extent(random), random))
        } else {
            (planes(extent(random), random), planes(whole, random))
        };
        let mut dy = Planes::random(whole[0], whole[1], whole[2], random);
        dy.data.iter_mut().for_each(|x| *x = f64::from(*x as f32));
        let live: Vec<u16> = (0..whole[0].div_ceil(16))
            .map(|block| ((1u32 << (whole[0] - 16 * block).min(16)) - 1) as u16)
            .collect();
        let [am, bm, ym] = [&a, &b, &dy].map(|planes| planes.map(random.within(0..=3)));
        let (av, bv, dyv) = (a.blocked(&am), b.blocked(&bm), dy.blocked(&ym));
        let one = |planes: &Planes| planes.channels == 1;
        let (ao, bo) = (
            Operand { map: av.read(), one_channel: one(&a) },
            Operand { map: bv.read(), one_channel: one(&b) },
        );
        for binary in [Binary::Mul, Binary::Sub, Binary::Div] {
            let (mut y, mut to_a, mut to_b) = (dy.empty(), dy.empty(), dy.empty());
            for place in dy.places() {
                let (a, b) = (of(&a, place), of(&b, place));
                let (c, row, column) = place;
                let (value, slopes) = match binary {
                    Binary::Mul => (a * b, [b, a]),
                    Binary::Sub => (a - b, [1.0, -1.0]),
                    Binary::Div => (a / b, [1.0 / b, -a / (b * b)]),
                };
                *y.at_mut(c, row, column) = value;
                *to_a.at_mut(c, row, column) = slopes[0] * dy.at(c, row, column);
                *to_b.at_mut(c, row, column) = slopes[1] * dy.at(c, row, column);
            }
            let extents = [&a, &b].map(|p| [p.channels, p.height, p.width]);
            let what = format!("case {seed}: {binary:?} of {extents:?}");
            check_set(&what, &contexts, &y, &ym, |cx, y| {
                broadcast::forward(cx, binary, &live, ao, bo, y.write());
            });
            let terms = match binary {
                Binary::Mul => [Term::Times(bo), Term::Times(ao)],
                Binary::Sub => [1.0, -1.0].map(|factor| Term::Plain { factor }),
                Binary::Div => [Term::Over(bo), Term::Divisor(ao, bo)],
            };
            for (x, given, term) in [(&a, &to_a, terms[0]), (&b, &to_b, terms[1])] {
                let (dx, map) = (gathered(x, given), x.map(random.within(0..=3)));
                check_backward(&what, &contexts, random, &dx, &map, |cx, dx| {
                    broadcast::gather(cx, term, &live, dyv.read(), one(x), dx);
                });
            }
        }
        let mut both = dy.empty();
        for place in dy.places() {
            *both.at_mut(place.0, place.1, place.2) = of(&a, place) + of(&b, place);
        }
        check_set("sum", &contexts, &both, &ym, |cx, y| {
            sum::forward(cx, &live, (ao, Some(bo)), WriteMode::Overwrite, y.write(), None);
        });
        let mut spread = dy.empty();
        for place in dy.places() {
            *spread.at_mut(place.0, place.1, place.2) = 0.5 * of(&b, place);
        }
        check_backward("spread", &contexts, random, &spread, &ym, |cx, y| {
            broadcast::spread(cx, 0.5, &live, bo, y);
        });
    }
}
