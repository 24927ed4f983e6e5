//! Functions of each value by itself, and their gradients.

use std::f32::consts::{FRAC_2_SQRT_PI, SQRT_2};
use std::ops::Range;

use crate::exponential::{MOST, exp, ln_1p, normal, sigmoid, within};
use crate::rows::{RowKernel, Sink, Source, of_block, run_rows};
use crate::simd::Simd;
use crate::{Context, Destination, MapMut, MapRef, Vec16};

/// A function of each value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary<'a> {
    /// `1 / (1 + exp(−x))`
    Sigmoid,
    /// `min(max(alpha · x + beta, 0), 1)`
    HardSigmoid {
        /// The slope.
        alpha: f32,
        /// The value at 0.
        beta: f32,
    },
    /// `x · min(max(x / 6 + ½, 0), 1)`
    HardSwish,
    /// `x · sigmoid(x)`
    Silu,
    /// `½ · x · (1 + erf(x / √2))`
    Gelu,
    /// `½ · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))`
    GeluTanh,
    /// `ln(1 + exp(x))`
    Softplus,
    /// `x · tanh(ln(1 + exp(x)))`
    Mish,
    /// The error function.
    Erf,
    /// `tanh(x)`
    Tanh,
    /// `min(max(x, min), max)`
    Clip {
        /// The least value.
        min: f32,
        /// The largest value.
        max: f32,
    },
    /// `x` above 0, `alpha · x` elsewhere.
    LeakyRelu {
        /// The slope below 0.
        alpha: f32,
    },
    /// `x` above 0, `slope · x` elsewhere.
    PRelu {
        /// For each block the slopes of its channels.
        slope: &'a [Vec16],
    },
    /// `x` above 0, `alpha · (exp(x) − 1)` elsewhere.
    Elu {
        /// What the function approaches far below 0, negated.
        alpha: f32,
    },
    /// `√x`
    Sqrt,
    /// `x` to the power of `exponent`.
    Pow {
        /// The exponent.
        exponent: f32,
    },
}

/// `$call` with `$function` being what computes `$unary`.
macro_rules! dispatch {
    ($unary:expr, $function:ident => $call:expr) => {
        dispatch!(@arms $unary, $function, $call;
            Unary::Sigmoid => Sigmoid {},
            Unary::HardSigmoid { alpha, beta } => HardSigmoid { alpha, beta },
            Unary::HardSwish => HardSwish {},
            Unary::Silu => Silu {},
            Unary::Gelu => Gelu {},
            Unary::GeluTanh => GeluTanh {},
            Unary::Softplus => Softplus {},
            Unary::Mish => Mish {},
            Unary::Erf => Erf {},
            Unary::Tanh => Tanh {},
            Unary::Clip { min, max } => Clip { min, max },
            Unary::LeakyRelu { alpha } => LeakyRelu { alpha },
            Unary::PRelu { slope } => PRelu { slope },
            Unary::Elu { alpha } => Elu { alpha },
            Unary::Sqrt => Sqrt {},
            Unary::Pow { exponent } => Pow { exponent })
    };
    (@arms $unary:expr, $function:ident, $call:expr; $($pattern:pat => $value:expr),*) => {
        match $unary {
            $($pattern => {
                let $function = $value;
                $call
            })*
        }
    };
}

/// `y` = the function of `x`. `live` has, for each block, a bit for each slot that holds a channel; the others
/// become 0.
///
/// # Panics
/// If a slice does not have its length, or the maps differ in more than their halos.
pub fn forward(cx: &Context, unary: Unary<'_>, live: &[u16], x: MapRef<'_>, y: MapMut<'_>) {
    x.map().assert_same_extent(y.map());
    check(&unary, live, x.map().blocks());
    let (x, y) = (Source::new(x), Sink::overwrite(y));
    let (blocks, height, row_bytes) = (x.map.blocks(), x.map.height(), 2 * x.row_bytes());
    dispatch!(unary, function => {
        let kernel = Forward { function, live, x, y };
        // SAFETY: each row is made from the input alone.
        unsafe { run_rows(cx, blocks, height, row_bytes, &kernel) }
    });
}

/// The gradient of [`forward`]: the function's slope at `x`, times `dy`.
///
/// # Panics
/// If a slice does not have its length, or the maps differ in more than their halos.
pub fn backward(
    cx: &Context,
    unary: Unary<'_>,
    live: &[u16],
    x: MapRef<'_>,
    dy: MapRef<'_>,
    dx: Destination<'_>,
) {
    x.map().assert_same_extent(dx.map());
    dy.map().assert_same_extent(dx.map());
    check(&unary, live, x.map().blocks());
    let (x, dy, dx) = (Source::new(x), Source::new(dy), Sink::new(dx));
    let (blocks, height, row_bytes) = (x.map.blocks(), x.map.height(), 3 * x.row_bytes());
    dispatch!(unary, function => {
        let kernel = Backward { function, live, x, dy, dx };
        // SAFETY: each row is made from the inputs alone.
        unsafe { run_rows(cx, blocks, height, row_bytes, &kernel) }
    });
}

fn check(unary: &Unary<'_>, live: &[u16], blocks: usize) {
    assert_eq!(live.len(), blocks, "the live slots of each block");
    if let Unary::PRelu { slope } = unary {
        assert_eq!(slope.len(), blocks, "one vector for each block");
    }
}

struct Forward<'a, F> {
    function: F,
    live: &'a [u16],
    x: Source<'a>,
    y: Sink<'a>,
}

impl<F: Function> RowKernel for Forward<'_, F> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            let (parameter, live) = (self.function.parameter::<S>(block), self.live[block]);
            for row in rows.clone() {
                let (from, to) = (self.x.row(block, row), self.y.row(block, row));
                for column in 0..self.x.map.width() {
                    let y = self.function.value::<S>(parameter, S::load(from.add(column * 16)));
                    to.put::<S>(column, S::keep(y, live));
                }
            }
            self.y.close(block, rows);
        }
    }
}

struct Backward<'a, F> {
    function: F,
    live: &'a [u16],
    x: Source<'a>,
    dy: Source<'a>,
    dx: Sink<'a>,
}

impl<F: Function> RowKernel for Backward<'_, F> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            let (parameter, live) = (self.function.parameter::<S>(block), self.live[block]);
            for row in rows.clone() {
                let (x, dy) = (self.x.row(block, row), self.dy.row(block, row));
                let to = self.dx.row(block, row);
                for column in 0..self.x.map.width() {
                    let slope = self.function.slope::<S>(parameter, S::load(x.add(column * 16)));
                    let dx = S::mul(slope, S::load(dy.add(column * 16)));
                    to.put::<S>(column, S::keep(dx, live));
                }
            }
            self.dx.close(block, rows);
        }
    }
}

/// A function and its slope.
///
/// # Safety
/// The functions want a processor that has the level, and a block of the maps.
trait Function: Sync {
    /// What the channels of a block have of their own.
    #[inline(always)]
    unsafe fn parameter<S: Simd>(&self, _block: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::zero() }
    }
    unsafe fn value<S: Simd>(&self, parameter: S::V, x: S::V) -> S::V;
    unsafe fn slope<S: Simd>(&self, parameter: S::V, x: S::V) -> S::V;
}

/// Implements [`Function`] for one that has no parameter of its own for each channel.
macro_rules! function {
    ($name:ident { $($field:ident),* }, $level:ident, $x:ident => $value:expr, $slope:expr) => {
        struct $name { $($field: f32),* }

        impl Function for $name {
            #[inline(always)]
            unsafe fn value<$level: Simd>(&self, _: $level::V, $x: $level::V) -> $level::V {
                $(let $field = self.$field;)*
                // SAFETY: the caller's promise.
                unsafe { $value }
            }
            #[inline(always)]
            unsafe fn slope<$level: Simd>(&self, _: $level::V, $x: $level::V) -> $level::V {
                $(let $field = self.$field;)*
                // SAFETY: the caller's promise.
                unsafe { $slope }
            }
        }
    };
}

/// 1 where `low` < `x` < `high`, times `slope`, else 0.
///
/// # Safety
/// The processor has the level.
#[inline(always)]
unsafe fn between<S: Simd>(x: S::V, low: f32, high: f32, slope: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let below = S::select_greater(S::splat(high), x, slope, S::zero());
        S::select_greater(x, S::splat(low), below, S::zero())
    }
}

/// `x` between 0 and 1.
///
/// # Safety
/// The processor has the level.
#[inline(always)]
unsafe fn clamp<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { S::min(S::max(x, S::zero()), S::splat(1.0)) }
}

function!(Sigmoid {}, S, x => sigmoid::<S>(x), {
    let y = sigmoid::<S>(x);
    S::mul(y, S::sub(S::splat(1.0), y))
});

function!(HardSigmoid { alpha, beta }, S, x =>
    clamp::<S>(S::fma(x, S::splat(alpha), S::splat(beta))),
    between::<S>(S::fma(x, S::splat(alpha), S::splat(beta)), 0.0, 1.0, S::splat(alpha))
);

function!(HardSwish {}, S, x =>
    S::mul(x, clamp::<S>(S::fma(x, S::splat(1.0 / 6.0), S::splat(0.5)))),
    {
        let middle = S::fma(x, S::splat(1.0 / 3.0), S::splat(0.5));
        let slope = S::select_greater(S::splat(3.0), x, middle, S::splat(1.0));
        S::select_greater(x, S::splat(-3.0), slope, S::zero())
    }
);

// Far from 0 the sigmoid is not told from its end, and `x` only scales what is left of it.
function!(Silu {}, S, x => S::mul(S::max(x, S::splat(-MOST)), sigmoid::<S>(x)), {
    let (x, y) = (within::<S>(x, MOST), sigmoid::<S>(x));
    S::mul(y, S::fma(x, S::sub(S::splat(1.0), y), S::splat(1.0)))
});

/// `1 / √(2π)`
const DENSITY: f32 = 0.398_942_3;

function!(Gelu {}, S, x => S::mul(S::max(x, S::splat(-MOST)), normal::<S>(x).0), {
    let (below, density) = normal::<S>(x);
    S::fma(S::mul(within::<S>(x, MOST), S::splat(DENSITY)), density, below)
});

/// `2 · √(2/π)`: ½ · (1 + tanh(u)) is the sigmoid of 2 · u.
const TWICE: f32 = SQRT_2 * FRAC_2_SQRT_PI;
/// Where the sigmoid in it is no longer told from its end.
const GELU_END: f32 = 10.0;

function!(GeluTanh {}, S, x => {
    let near = within::<S>(x, GELU_END);
    let inner = S::fma(S::mul(near, near), S::splat(0.044_715 * TWICE), S::splat(TWICE));
    S::mul(S::max(x, S::splat(-GELU_END)), sigmoid::<S>(S::mul(near, inner)))
}, {
    let near = within::<S>(x, GELU_END);
    let square = S::mul(near, near);
    let inner = S::fma(square, S::splat(0.044_715 * TWICE), S::splat(TWICE));
    let y = sigmoid::<S>(S::mul(near, inner));
    let slope = S::fma(square, S::splat(3.0 * 0.044_715 * TWICE), S::splat(TWICE));
    S::fma(S::mul(S::mul(near, slope), y), S::sub(S::splat(1.0), y), y)
});

// Above 0, x more than at −x.
function!(Softplus {}, S, x => {
    let below = S::sub(S::zero(), S::max(x, S::sub(S::zero(), x)));
    S::add(S::max(x, S::zero()), ln_1p::<S>(exp::<S>(below)))
}, sigmoid::<S>(x));

/// Where the hyperbolic tangent in it is no longer told from 1.
const MISH_END: f32 = 20.0;

/// The hyperbolic tangent of softplus: with w = exp(x), (w² + 2w) / (w² + 2w + 2).
///
/// # Safety
/// The processor has the level.
#[inline(always)]
unsafe fn mish_gate<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let w = exp::<S>(S::min(x, S::splat(MISH_END)));
        let n = S::mul(w, S::add(w, S::splat(2.0)));
        S::div(n, S::add(n, S::splat(2.0)))
    }
}

// Far below 0 the gate is as good as 0, and `x` only scales what is left of it.
function!(Mish {}, S, x => S::mul(S::max(x, S::splat(-MOST)), mish_gate::<S>(x)), {
    let gate = mish_gate::<S>(x);
    let steep = S::mul(within::<S>(x, MOST), sigmoid::<S>(x));
    S::fma(steep, S::sub(S::splat(1.0), S::mul(gate, gate)), gate)
});

function!(Erf {}, S, x => {
    let below = normal::<S>(S::mul(x, S::splat(SQRT_2))).0;
    S::sub(S::add(below, below), S::splat(1.0))
}, {
    let density = normal::<S>(S::mul(x, S::splat(SQRT_2))).1;
    S::mul(density, S::splat(FRAC_2_SQRT_PI))
});

// 2 · sigmoid(2x) − 1
function!(Tanh {}, S, x => {
    let y = sigmoid::<S>(S::add(x, x));
    S::sub(S::add(y, y), S::splat(1.0))
}, {
    let y = sigmoid::<S>(S::add(x, x));
    S::mul(S::mul(y, S::splat(4.0)), S::sub(S::splat(1.0), y))
});

function!(Clip { min, max }, S, x =>
    S::min(S::max(x, S::splat(min)), S::splat(max)),
    between::<S>(x, min, max, S::splat(1.0))
);

function!(LeakyRelu { alpha }, S, x =>
    S::select_greater(x, S::zero(), x, S::mul(x, S::splat(alpha))),
    S::select_greater(x, S::zero(), S::splat(1.0), S::splat(alpha))
);

function!(Elu { alpha }, S, x => {
    let below = S::mul(S::sub(exp::<S>(S::min(x, S::zero())), S::splat(1.0)), S::splat(alpha));
    S::select_greater(x, S::zero(), x, below)
}, {
    let below = S::mul(exp::<S>(S::min(x, S::zero())), S::splat(alpha));
    S::select_greater(x, S::zero(), S::splat(1.0), below)
});

function!(Sqrt {}, S, x => S::sqrt(x), S::div(S::splat(0.5), S::sqrt(x)));

function!(Pow { exponent }, S, x =>
    power::<S>(x, exponent),
    S::mul(S::splat(exponent), power::<S>(x, exponent - 1.0))
);

/// `x` to the power of `exponent`.
///
/// # Safety
/// The processor has the level.
#[inline(always)]
unsafe fn power<S: Simd>(x: S::V, exponent: f32) -> S::V {
    // SAFETY: the caller's promise, and the array has room for sixteen values.
    unsafe {
        if exponent == 1.0 {
            return x;
        }
        if exponent == 2.0 {
            return S::mul(x, x);
        }
        if exponent == 3.0 {
            return S::mul(S::mul(x, x), x);
        }
        if exponent == 0.5 {
            return S::sqrt(x);
        }
        if exponent == -0.5 {
            return S::div(S::splat(1.0), S::sqrt(x));
        }
        let mut values = [0.0; 16];
        S::store(values.as_mut_ptr(), x);
        values.iter_mut().for_each(|x| *x = x.powf(exponent));
        S::load(values.as_ptr())
    }
}

struct PRelu<'a> {
    slope: &'a [Vec16],
}

impl Function for PRelu<'_> {
    #[inline(always)]
    unsafe fn parameter<S: Simd>(&self, block: usize) -> S::V {
        // SAFETY: there is a vector for each block.
        unsafe { of_block::<S>(self.slope, block) }
    }
    #[inline(always)]
    unsafe fn value<S: Simd>(&self, slope: S::V, x: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::select_greater(x, S::zero(), x, S::mul(x, slope)) }
    }
    #[inline(always)]
    unsafe fn slope<S: Simd>(&self, slope: S::V, x: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::select_greater(x, S::zero(), S::splat(1.0), slope) }
    }
}
