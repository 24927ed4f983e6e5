//! Functions of single values: against their definitions, over all values that networks have and at the ends.

use kernels::unary::{self, Unary};
use kernels::{Vec16, unary::Unary::*};

use crate::support::*;

/// `2/√π · ∫ exp(−t²) dt` from 0 to `x`, by its series.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..400 {
        term *= 2.0 * x * x / (2.0 * f64::from(n) + 1.0);
        sum += term;
    }
    2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp() * sum
}

/// A function's value, and its slope if it is smooth: else they are told by differences.
fn definition(unary: &Unary<'_>, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let [six, half] = [6.0, 0.5];
    match *unary {
        Sigmoid => sigmoid(x),
        HardSigmoid { alpha, beta } => (f64::from(alpha) * x + f64::from(beta)).clamp(0.0, 1.0),
        HardSwish => x * (x / six + half).clamp(0.0, 1.0),
        Silu => x * sigmoid(x),
        Gelu => half * x * (1.0 + erf(x / 2f64.sqrt())),
        GeluTanh => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
            half * x * (1.0 + inner.tanh())
        }
        Softplus => x.exp().ln_1p(),
        Mish => x * x.exp().ln_1p().tanh(),
        Erf => erf(x),
        Tanh => x.tanh(),
        Clip { min, max } => x.max(min.into()).min(max.into()),
        LeakyRelu { alpha } => {
            if x > 0.0 {
                x
            } else {
                f64::from(alpha) * x
            }
        }
        Elu { alpha } => {
            if x > 0.0 {
                x
            } else {
                f64::from(alpha) * x.exp_m1()
            }
        }
        Sqrt => x.sqrt(),
        Pow { exponent } => x.powf(exponent.into()),
        PRelu { .. } => unreachable!("its slopes are its channels'"),
    }
}

/// The slope by central differences, which the functions' smooth pieces are good for.
fn slope(unary: &Unary<'_>, x: f64) -> f64 {
    let h = 1e-4 * x.abs().max(0.1);
    let at = |x: f64| definition(unary, x);
    (8.0 * (at(x + h) - at(x - h)) - (at(x + 2.0 * h) - at(x - 2.0 * h))) / (12.0 * h)
}

const FUNCTIONS: [Unary<'static>; 18] = [
    Sigmoid,
    HardSigmoid { alpha: 0.2, beta: 0.5 },
    HardSwish,
    Silu,
    Gelu,
    GeluTanh,
    Softplus,
    Mish,
    Erf,
    Tanh,
    Clip { min: 0.0, max: 6.0 },
    LeakyRelu { alpha: 0.1 },
    Elu { alpha: 1.25 },
    Sqrt,
    Pow { exponent: 2.0 },
    Pow { exponent: 3.0 },
    Pow { exponent: 0.5 },
    Pow { exponent: -0.5 },
];

/// Whether there is nothing below 0.
fn roots(unary: &Unary<'_>) -> bool {
    matches!(unary, Sqrt | Pow { exponent: 0.5 | -0.5 })
}

/// All bits but those of the last block's slots that hold no channel.
fn live(channels: usize) -> Vec<u16> {
    let blocks = channels.div_ceil(16);
    let bits = |block: usize| ((1u32 << (channels - 16 * block).min(16)) - 1) as u16;
    (0..blocks).map(bits).collect()
}

#[test]
fn functions_are_their_definitions_forward_and_backward() {
    let contexts = contexts();
    for seed in 0..cases(20) {
        let mut random = Random(8000 + seed);
        let random = &mut random;
        let (channels, height, width) =
            (random.within(1..=40), random.within(1..=9), random.within(1..=23));
        for unary in FUNCTIONS {
            let mut x = Planes::random(channels, height, width, random);
            for x in &mut x.data {
                *x *= 4.0;
                // Away from corners, which have no slope to measure.
                let near = [0.0, 2.5, -2.5, 3.0, -3.0].into_iter().find(|y| (*x - y).abs() < 0.01);
                *x = f64::from(near.map_or(*x, |corner| corner + 0.02) as f32);
            }
            if roots(&unary) {
                x.data.iter_mut().for_each(|x| *x = x.abs() + 0.25);
            }
            let dy = Planes::random(channels, height, width, random);
            let (mut y, mut dx) = (x.empty(), x.empty());
            for i in 0..x.data.len() {
                let x = f64::from(x.data[i] as f32);
                y.data[i] = definition(&unary, x);
                dx.data[i] = dy.data[i] * slope(&unary, x);
            }
            let live = live(channels);
            let [xm, ym, gm, dm] = [(); 4].map(|()| x.map(random.within(0..=3)));
            let (values, gradient) = (x.blocked(&xm), dy.blocked(&gm));
            let what = format!("case {seed}: {unary:?}");
            check_set(&what, &contexts, &y, &ym, |cx, y| {
                unary::forward(cx, unary, &live, values.read(), y.write());
            });
            check_backward(&what, &contexts, random, &dx, &dm, |cx, dx| {
                unary::backward(cx, unary, &live, values.read(), gradient.read(), dx);
            });
        }
    }
}

#[test]
fn parametric_relu_has_a_slope_for_each_channel() {
    let contexts = contexts();
    for seed in 0..cases(20) {
        let mut random = Random(8100 + seed);
        let random = &mut random;
        let channels = random.within(1..=40);
        let x = Planes::random(channels, random.within(1..=9), random.within(1..=23), random);
        let slopes = Planes::random(channels, 1, 1, random);
        let slope = slopes.blocked(&slopes.map(0)).vectors;
        let dy = Planes::random(channels, x.height, x.width, random);
        let (mut y, mut dx) = (x.empty(), x.empty());
        for (c, row, column) in x.places() {
            let (value, gradient) = (x.at(c, row, column), dy.at(c, row, column));
            let factor = if value > 0.0 { 1.0 } else { slopes.at(c, 0, 0) };
            *y.at_mut(c, row, column) = factor * value;
            *dx.at_mut(c, row, column) = factor * gradient;
        }
        let (live, map) = (live(channels), x.map(random.within(0..=3)));
        let (values, gradient) = (x.blocked(&map), dy.blocked(&map));
        let unary = PRelu { slope: &slope };
        check_set("parametric ReLU", &contexts, &y, &map, |cx, y| {
            unary::forward(cx, unary, &live, values.read(), y.write());
        });
        check_backward("parametric ReLU", &contexts, random, &dx, &map, |cx, dx| {
            unary::backward(cx, unary, &live, values.read(), gradient.read(), dx);
        });
    }
}

/// The values and slopes that one level gives for sixteen `xs` at a time.
fn evaluate(cx: &kernels::Context, unary: Unary<'_>, xs: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let planes = Planes::zeros(16, 1, xs.len() / 16);
    let map = planes.map(0);
    let of = |values: &[f32]| Blocked {
        map,
        vectors: values.chunks(16).map(|values| Vec16(values.try_into().unwrap())).collect(),
    };
    let (x, ones) = (of(xs), of(&vec![1.0; xs.len()]));
    let (mut y, mut dx) = (Blocked::rubbish(&map), Blocked::rubbish(&map));
    unary::forward(cx, unary, &[u16::MAX], x.read(), y.write());
    let to = kernels::Destination::overwrite(dx.write());
    unary::backward(cx, unary, &[u16::MAX], x.read(), ones.read(), to);
    let flat = |blocked: Blocked| blocked.vectors.iter().flat_map(|vector| vector.0).collect();
    (flat(y), flat(dx))
}

/// How far values and slopes of the exponential functions may be off, relative to 1 or the value itself if
/// that is larger: a few units in the last place of 1.
const EXPONENTIAL: f64 = 6e-7;

#[test]
fn exponentials_are_exact_to_a_few_units_everywhere() {
    // From tiny to far beyond where exp ends, both signs.
    let mut xs: Vec<f32> = (0..4096).map(|i| (i as f32 / 4096.0 - 0.5) * 24.0).collect();
    xs.extend((0..2048).map(|i| (i as f32 / 2048.0 - 0.5) * 400.0));
    xs.extend((0..64).flat_map(|i| [1e-20 * 4f32.powi(i), -1e-20 * 4f32.powi(i)]));
    xs.extend([0.0; 16]);
    for [cx, _] in contexts() {
        for unary in [Sigmoid, Silu, Gelu, GeluTanh, Erf, Tanh, Elu { alpha: 1.0 }] {
            let (ys, slopes) = evaluate(&cx, unary, &xs);
            for ((&x, y), found) in xs.iter().zip(ys).zip(slopes) {
                let wanted = definition(&unary, x.into());
                let off = (f64::from(y) - wanted).abs() / wanted.abs().max(1.0);
                assert!(off < EXPONENTIAL, "{unary:?}({x}) is {y}, not {wanted}, {}", cx.level());
                // Differences are no measure of a slope at a corner, or where x swallows them.
                if x != 0.0 && x.abs() < 1e3 && x.abs() > 1e-3 {
                    let wanted = slope(&unary, x.into());
                    let off = (f64::from(found) - wanted).abs();
                    let level = cx.level();
                    assert!(
                        off < 2e-6,
                        "slope of {unary:?} at {x}: {found}, not {wanted}, {level}"
                    );
                }
                assert!(found.is_finite(), "slope of {unary:?} at {x}: {found}");
            }
        }
    }
}
