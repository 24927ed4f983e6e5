//! Attention, and pixels put in a row.

use kernels::attention::{self, Attention, Input};
use kernels::tokens;
use kernels::{Context, Destination};

use crate::support::*;

/// The definition: `y`, and the gradients of `q`, `k` and `v` for `dy`.
fn by_definition(of: &Attention, [q, k, v]: [&Planes; 3], dy: &Planes) -> [Planes; 4] {
    let mut y = dy.empty();
    let (mut dq, mut dk, mut dv) = (q.empty(), k.empty(), v.empty());
    let [queries, keys] = [q, k].map(|map| map.height * map.width);
    let scale = f64::from(of.scale);
    let at = |map: &Planes, head: usize, each: usize, c: usize, i: usize| {
        map.data[(head * each + c) * map.height * map.width + i]
    };
    for head in 0..of.heads {
        for i in 0..queries {
            let product = |j: usize| -> f64 {
                (0..of.keys).map(|c| at(q, head, of.keys, c, i) * at(k, head, of.keys, c, j)).sum()
            };
            let products: Vec<f64> = (0..keys).map(|j| scale * product(j)).collect();
            let largest = products.iter().copied().fold(f64::MIN, f64::max);
            let sum: f64 = products.iter().map(|x| (x - largest).exp()).sum();
            let p: Vec<f64> = products.iter().map(|x| (x - largest).exp() / sum).collect();
            let n = of.values;
            let g: Vec<f64> = (0..keys)
                .map(|j| (0..n).map(|c| at(dy, head, n, c, i) * at(v, head, n, c, j)).sum())
                .collect();
            let excess: f64 = p.iter().zip(&g).map(|(p, g)| p * g).sum();
            for j in 0..keys {
                for c in 0..n {
                    let channel = head * n + c;
                    y.data[channel * queries + i] += p[j] * at(v, head, n, c, j);
                    dv.data[channel * keys + j] += p[j] * at(dy, head, n, c, i);
                }
                let slope = scale * p[j] * (g[j] - excess);
                for c in 0..of.keys {
                    let channel = head * of.keys + c;
                    dq.data[channel * queries + i] += slope * at(k, head, of.keys, c, j);
                    dk.data[channel * keys + j] += slope * at(q, head, of.keys, c, i);
                }
            }
        }
    }
    [y, dq, dk, dv]
}

#[test]
fn attention_is_its_definition_forward_and_backward() {
    let contexts = contexts();
    for seed in 0..cases(24) {
        let mut random = Random(9100 + seed);
        let random = &mut random;
        let of = Attention {
            heads: random.within(1..=4),
            keys: random.within(1..=20),
            values: random.within(1..=35),
            scale: [0.5, 1.0, -0.25][random.within(0..=2)],
        };
        let mut extent = || (random.within(1..=6), random.within(1..=11));
        let (queries, keys) = (extent(), extent());
        let keys = if seed % 2 == 0 { queries } else { keys };
        let mut draw = |each: usize, (height, width): (usize, usize)| {
            Planes::random(of.heads * each, height, width, random)
        };
        let (q, k) = (draw(of.keys, queries), draw(of.keys, keys));
        let (v, dy) = (draw(of.values, keys), draw(of.values, queries));
        let [y, dq, dk, dv] = by_definition(&of, [&q, &k, &v], &dy);
        let [qm, km, vm, gm, ym] =
            [&q, &k, &v, &dy, &dy].map(|planes| planes.map(random.within(0..=2)));
        let inputs = [(&q, qm), (&k, km), (&v, vm)].map(|(planes, map)| planes.blocked(&map));
        let inputs = || inputs.each_ref().map(Blocked::read);
        let gradient = dy.blocked(&gm);
        let what = format!("case {seed}: {of:?}, {queries:?} × {keys:?}");
        check_set(&what, &contexts, &y, &ym, |cx, y| {
            attention::forward(cx, &of, inputs(), y.write());
        });
        for (input, wanted, map) in
            [(Input::Queries, dq, qm), (Input::Keys, dk, km), (Input::Values, dv, vm)]
        {
            let backward = |cx: &Context, dx: Destination<'_>| {
                attention::backward(cx, &of, inputs(), gradient.read()).write(cx, input, dx);
            };
            let what = format!("{what}, {input:?}");
            check_backward(&what, &contexts, random, &wanted, &map, backward);
        }
    }
}

#[test]
fn pixels_are_put_in_a_row_behind_others() {
    let contexts = contexts();
    for seed in 0..cases(12) {
        let mut random = Random(9200 + seed);
        let random = &mut random;
        let (channels, count) = (random.within(1..=40), random.within(0..=3));
        let x = Planes::random(channels, random.within(1..=7), random.within(1..=9), random);
        let plane = x.height * x.width;
        let before = Planes::random(channels, 1, count.max(1), random);
        let mut y = Planes::zeros(channels, 1, count + plane);
        for c in 0..channels {
            for i in 0..count {
                *y.at_mut(c, 0, i) = before.at(c, 0, i);
            }
            for i in 0..plane {
                *y.at_mut(c, 0, count + i) = x.data[c * plane + i];
            }
        }
        let before = match count {
            0 => Vec::new(),
            _ => before.blocked(&before.map(0)).vectors,
        };
        let (xm, ym) = (x.map(random.within(0..=2)), y.map(random.within(0..=2)));
        let (values, what) = (x.blocked(&xm), format!("case {seed}"));
        check_set(&what, &contexts, &y, &ym, |cx, y| {
            tokens::forward(cx, &before, values.read(), y.write());
        });
        let gradient = y.blocked(&ym);
        check_backward(&what, &contexts, random, &x, &xm, |cx, dx| {
            tokens::backward(cx, count, gradient.read(), dx);
        });
    }
}
