//! Where a step's time goes.

use std::time::Instant;

use super::convolution::{Algorithm, Direction};
use super::plan::Plan;
use super::program::{Kind, Program};
use graph::{Pass, StepTime};

/// Sums up times, in the order in which steps first ran, once it runs: not every system has a clock.
#[derive(Default)]
pub(super) struct Clock {
    runs: bool,
    sums: Vec<(Pass, usize, u64, f64)>,
}

impl Clock {
    /// A clock that runs.
    pub(super) fn running() -> Self {
        Self { runs: true, sums: Vec::new() }
    }

    /// Now, if it runs.
    pub(super) fn start(&self) -> Option<Instant> {
        self.runs.then(Instant::now)
    }

    /// Adds the time since `start` to a step's.
    pub(super) fn add(&mut self, pass: Pass, step: usize, start: Option<Instant>) {
        let Some(start) = start else { return };
        let seconds = start.elapsed().as_secs_f64();
        match self.sums.iter_mut().find(|sum| (sum.0, sum.1) == (pass, step)) {
            Some(sum) => {
                sum.2 += 1;
                sum.3 += seconds;
            }
            None => self.sums.push((pass, step, 1, seconds)),
        }
    }

    /// The times with what they were for.
    pub(super) fn report(&self, program: &Program, plan: &Plan) -> Vec<StepTime> {
        let of = |&(pass, step, runs, seconds): &(Pass, usize, u64, f64)| {
            let work = Work::new(program, plan, (pass, step));
            StepTime {
                pass,
                layers: work.layers,
                kernel: work.kernel,
                runs,
                seconds,
                operations: work.operations,
                bytes: work.bytes,
            }
        };
        self.sums.iter().map(of).collect()
    }
}

struct Work {
    layers: String,
    kernel: &'static str,
    operations: u64,
    bytes: u64,
}

impl Work {
    fn new(program: &Program, plan: &Plan, (pass, step): (Pass, usize)) -> Self {
        let (layers, direction): (Vec<usize>, _) = match pass {
            Pass::Forward => (plan.forward[step].clone(), Direction::Forward),
            Pass::Backward => {
                let layers = plan.backward[step].layers();
                let layers = layers.iter().map(|(layer, _)| *layer).collect();
                (layers, Direction::Backward)
            }
            _ => (Vec::new(), Direction::Forward),
        };
        let kernel = match layers.first() {
            None if pass == Pass::Backward => "clear",
            None => "picture",
            Some(&layer) => {
                match (&program.layers[layer].kind, plan.algorithm(program, layer, direction)) {
                    (_, Some(Algorithm::Winograd(6))) => "winograd 6",
                    (_, Some(Algorithm::Winograd(_))) => "winograd 8",
                    (_, Some(Algorithm::Direct)) => "direct",
                    (_, Some(Algorithm::Depthwise)) => "depthwise",
                    (Kind::Relu, _) => "relu",
                    (Kind::MaxPool(_) | Kind::ReluMaxPool(..) | Kind::GlobalMaxPool, _) => {
                        "max pool"
                    }
                    (Kind::AveragePool(_) | Kind::GlobalAveragePool, _) => "average pool",
                    (Kind::Lrn(_), _) => "lrn",
                    (Kind::LrnMaxPool(..), _) => "lrn, max pool",
                    (Kind::Add, _) => "add",
                    (Kind::Binary(_), _) => "binary",
                    (Kind::Unary(_) | Kind::PRelu(_), _) => "activation",
                    (Kind::ChannelMean, _) => "channel mean",
                    (Kind::LayerNorm(_) | Kind::GroupNorm(_), _) => "normalisation",
                    (Kind::Affine(_), _) => "affine",
                    (Kind::Softmax, _) => "softmax",
                    (Kind::Attention(_), _) => "attention",
                    (Kind::PositionEmbedding(_), _) => "add",
                    (Kind::DepthToSpace(_) | Kind::SpaceToDepth(_), _) => "shuffle",
                    (Kind::Resample(_), _) => "resample",
                    _ => "copy",
                }
            }
        };
        let names: Vec<&str> =
            layers.iter().map(|&layer| program.layers[layer].name.as_str()).collect();
        let values = |layer: usize| {
            let layer = &program.layers[layer];
            layer
                .inputs
                .iter()
                .chain([&layer.output])
                .map(|&v| plan.shapes[v].len() as u64)
                .sum::<u64>()
        };
        let operations = |layer: usize| {
            let weights = match &program.layers[layer].kind {
                Kind::Conv(conv) => conv.weights.len(),
                Kind::Dense(dense) => dense.weights.len(),
                _ => 0,
            };
            2 * (weights * plan.shapes[program.layers[layer].output].plane()) as u64
        };
        Self {
            layers: names.join(" + "),
            kernel,
            operations: layers.iter().map(|&layer| operations(layer)).sum(),
            bytes: layers.iter().map(|&layer| 4 * values(layer)).sum(),
        }
    }
}
