//! The steps that work value by value or pixel by pixel: sums, gates, activations, normalisations.

use graph::{Binary, LayerNorm, Unary};
use kernels::broadcast::{self, Operand, Term};
use kernels::{
    Destination, MapMut, MapRef, Relu, Vec16, WriteMode, elementwise, group_norm, layer_norm, sum,
    unary,
};

use super::{CpuSession, Prepared, written_and_read};
use crate::plan::{Contribution, Part};
use crate::program::{Kind, Layer, Program, ValueId};

/// Whether a layer of this kind runs here.
pub(super) fn is(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Add
            | Kind::Binary(_)
            | Kind::Unary(_)
            | Kind::PRelu(_)
            | Kind::ChannelMean
            | Kind::LayerNorm(_)
            | Kind::GroupNorm(_)
    )
}

/// A function in the kernels' terms.
fn function(unary: Unary) -> unary::Unary<'static> {
    match unary {
        Unary::Sigmoid => unary::Unary::Sigmoid,
        Unary::HardSigmoid { alpha, beta } => unary::Unary::HardSigmoid { alpha, beta },
        Unary::HardSwish => unary::Unary::HardSwish,
        Unary::Silu => unary::Unary::Silu,
        Unary::Gelu => unary::Unary::Gelu,
        Unary::GeluTanh => unary::Unary::GeluTanh,
        Unary::Softplus => unary::Unary::Softplus,
        Unary::Mish => unary::Unary::Mish,
        Unary::Erf => unary::Unary::Erf,
        Unary::Tanh => unary::Unary::Tanh,
        Unary::Clip { min, max } => unary::Unary::Clip { min, max },
        Unary::LeakyRelu { alpha } => unary::Unary::LeakyRelu { alpha },
        Unary::Elu { alpha } => unary::Unary::Elu { alpha },
        Unary::Sqrt => unary::Unary::Sqrt,
        Unary::Pow { exponent } => unary::Unary::Pow { exponent },
    }
}

/// A product's, difference's or quotient's name in the kernels' terms.
fn binary(binary: Binary) -> broadcast::Binary {
    match binary {
        Binary::Mul => broadcast::Binary::Mul,
        Binary::Sub => broadcast::Binary::Sub,
        Binary::Div => broadcast::Binary::Div,
    }
}

impl Layer {
    /// Whether the one channel of an input counts for all of the output's.
    fn one_channel(&self, program: &Program, input: ValueId) -> bool {
        let channels = |value: ValueId| program.values[value].slots.len();
        channels(input) == 1 && channels(self.output) > 1
    }
}

/// A layer's functions, vectors and slots as the kernels take them.
enum Step<'a> {
    Unary(unary::Unary<'a>, &'a [u16]),
    LayerNorm(layer_norm::LayerNorm<'a>),
    GroupNorm(group_norm::GroupNorm<'a>),
    Add(&'a [u16]),
    Binary(Binary, &'a [u16]),
    ChannelMean(&'a [u16]),
}

impl<'a> Step<'a> {
    fn new(layer: &'a Layer, prepared: Option<&'a Prepared>, slots: &'a [usize]) -> Self {
        match (&layer.kind, prepared) {
            (Kind::Unary(unary), Some(Prepared::Live { live })) => {
                Self::Unary(function(*unary), live)
            }
            (Kind::PRelu(_), Some(Prepared::PRelu { slope, live })) => {
                Self::Unary(unary::Unary::PRelu { slope }, live)
            }
            (
                Kind::LayerNorm(LayerNorm { epsilon, .. }),
                Some(Prepared::Norm { scale, shift, live }),
            ) => {
                let (channels, epsilon) = (slots.len(), *epsilon);
                Self::LayerNorm(layer_norm::LayerNorm { channels, scale, shift, live, epsilon })
            }
            (Kind::GroupNorm(norm), Some(Prepared::Norm { scale, shift, .. })) => {
                let (groups, epsilon) = (norm.groups, norm.epsilon);
                Self::GroupNorm(group_norm::GroupNorm { groups, slots, scale, shift, epsilon })
            }
            (Kind::Add, Some(Prepared::Live { live })) => Self::Add(live),
            (Kind::Binary(binary), Some(Prepared::Live { live })) => Self::Binary(*binary, live),
            (Kind::ChannelMean, Some(Prepared::Live { live })) => Self::ChannelMean(live),
            _ => unreachable!("every layer is prepared"),
        }
    }
}

impl CpuSession {
    pub(super) fn forward_pointwise(&mut self, index: usize) {
        let (plan, program, cx) = (&self.plan, &self.executable.program, &self.executable.cx);
        let layer = &program.layers[index];
        let slots = &program.values[layer.output].slots;
        let step = Step::new(layer, self.forward[index].as_ref(), slots);
        let part = |value: ValueId| plan.activation(program, value);
        let (xp, yp) = (part(layer.inputs[0]), part(layer.output));
        if let Step::Add(live) = step {
            let passes = layer.inputs.len().div_ceil(2);
            for (pass, inputs) in layer.inputs.chunks(2).enumerate() {
                let parts = [inputs.first(), inputs.get(1)].map(|input| input.map(|&x| part(x)));
                let ranges =
                    parts.each_ref().map(|part| part.as_ref().map_or(0..0, |x| x.range.clone()));
                let (y, [a, b]) = written_and_read(&mut self.vectors, yp.range.clone(), ranges);
                let term = |place: usize, x| {
                    let part = parts[place].as_ref()?;
                    Some(operand(layer, program, inputs[place], part, x))
                };
                let mode = if pass == 0 { WriteMode::Overwrite } else { WriteMode::Accumulate };
                let relu = program.values[layer.output].relu.filter(|_| pass + 1 == passes);
                let relu = relu.zip(plan.mask(program, layer.output));
                let relu = relu.map(|(most, mask)| Relu { mask: &mut self.masks[mask], most });
                let terms = (term(0, a).expect("no empty chunks"), term(1, b));
                sum::forward(cx, live, terms, mode, MapMut::new(yp.map, y), relu);
            }
            return;
        }
        let second = layer.inputs.get(1).map(|&input| (input, part(input)));
        let second_range = second.as_ref().map_or(0..0, |(_, part)| part.range.clone());
        let ranges = [xp.range.clone(), second_range];
        let (y, [a, b]) = written_and_read(&mut self.vectors, yp.range, ranges);
        let (x, y) = (MapRef::new(xp.map, a), MapMut::new(yp.map, y));
        match (step, second) {
            (Step::Unary(function, live), _) => unary::forward(cx, function, live, x, y),
            (Step::LayerNorm(norm), _) => layer_norm::forward(cx, &norm, x, y),
            (Step::GroupNorm(norm), _) => group_norm::forward(cx, &norm, x, y),
            (Step::Binary(of, live), Some((input, bp))) => {
                let a = operand(layer, program, layer.inputs[0], &xp, a);
                let b = operand(layer, program, input, &bp, b);
                broadcast::forward(cx, binary(of), live, a, b, y);
            }
            (Step::ChannelMean(live), _) => {
                let factor = 1.0 / plan.shapes[layer.inputs[0]].channels as f32;
                let mean = Term::Plain { factor };
                broadcast::gather(cx, mean, live, x, true, Destination::overwrite(y));
            }
            _ => unreachable!("sums are done above, and a pair has two inputs"),
        }
    }

    pub(super) fn backward_pointwise(&mut self, step: usize, index: usize) {
        let inputs = self.plan.backward[step].layers()[index].1.len();
        for place in 0..inputs {
            let (number, ref contributions) = self.plan.backward[step].layers()[index];
            let contribution = contributions[place];
            backward_to(self, number, place, contribution);
        }
    }
}

/// Passes a layer's gradient back to one of its inputs.
fn backward_to(session: &mut CpuSession, number: usize, place: usize, given: Contribution) {
    let CpuSession { plan, executable, vectors, masks, .. } = session;
    let (program, cx) = (&executable.program, &executable.cx);
    let layer = &program.layers[number];
    let slots = &program.values[layer.output].slots;
    let step = Step::new(layer, session.backward[number].as_ref(), slots);
    let input = layer.inputs[place];
    let (dyp, dxp) = (plan.gradient(program, layer.output), plan.gradient(program, input));
    let mask = plan.completing(program, input, given).map(|mask| &masks[mask]);
    // What of the forward pass the gradient depends on.
    let kept = |value: Option<&ValueId>| value.map(|&value| plan.activation(program, value));
    let kept = match step {
        Step::Unary(..) | Step::LayerNorm(_) | Step::GroupNorm(_) => {
            [kept(layer.inputs.first()), None]
        }
        Step::Binary(Binary::Mul | Binary::Div, _) => {
            [kept(layer.inputs.first()), kept(layer.inputs.get(1))]
        }
        _ => [None, None],
    };
    let ranges = kept.each_ref().map(|part| part.as_ref().map_or(0..0, |part| part.range.clone()));
    let [of_a, of_b] = ranges;
    let (dx, [dy, a, b]) = written_and_read(vectors, dxp.range, [dyp.range, of_a, of_b]);
    let dy = MapRef::new(dyp.map, dy);
    let dx = Destination::new(MapMut::new(dxp.map, dx), given.mode, mask);
    let one_channel = layer.one_channel(program, input);
    let same = plan.shapes[input] == plan.shapes[layer.output];
    let plain = |factor: f32| Term::Plain { factor };
    match (step, kept) {
        (Step::Unary(function, live), [Some(xp), _]) => {
            unary::backward(cx, function, live, MapRef::new(xp.map, a), dy, dx);
        }
        (Step::LayerNorm(norm), [Some(xp), _]) => {
            layer_norm::backward(cx, &norm, MapRef::new(xp.map, a), dy, dx);
        }
        (Step::GroupNorm(norm), [Some(xp), _]) => {
            group_norm::backward(cx, &norm, MapRef::new(xp.map, a), dy, dx);
        }
        (Step::Add(_), _) if same => elementwise::copy(cx, dy, dx),
        (Step::Add(live), _) => broadcast::gather(cx, plain(1.0), live, dy, one_channel, dx),
        (Step::Binary(of, live), kept) => {
            let operand = |place: usize, vectors| {
                let part = kept[place].as_ref().expect("what the gradient depends on is kept");
                operand(layer, program, layer.inputs[place], part, vectors)
            };
            let term = match (of, place) {
                (Binary::Sub, 0) => plain(1.0),
                (Binary::Sub, _) => plain(-1.0),
                (Binary::Mul, 0) => Term::Times(operand(1, b)),
                (Binary::Mul, _) => Term::Times(operand(0, a)),
                (Binary::Div, 0) => Term::Over(operand(1, b)),
                (Binary::Div, _) => Term::Divisor(operand(0, a), operand(1, b)),
            };
            broadcast::gather(cx, term, live, dy, one_channel, dx);
        }
        (Step::ChannelMean(live), _) => {
            let factor = 1.0 / plan.shapes[input].channels as f32;
            let dy = Operand { map: dy, one_channel: true };
            broadcast::spread(cx, factor, live, dy, dx);
        }
        _ => unreachable!("what the gradient depends on is kept"),
    }
}

/// An input as it is spread out over the output.
fn operand<'a>(
    layer: &Layer,
    program: &Program,
    input: ValueId,
    part: &Part,
    vectors: &'a [Vec16],
) -> Operand<'a> {
    let one_channel = layer.one_channel(program, input);
    Operand { map: MapRef::new(part.map, vectors), one_channel }
}
