//! What the builders of networks share: layers by the names of their modules, sizes from the weights.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use graph::{
    Affine, AveragePool, Conv2d, Dense, Graph, MaxPool, NodeId, Op, Padding, Rounding, Unary,
    Window,
};

use super::dict::StateDict;
use super::tensor::Tensor;
use crate::ImportError;
use crate::kit::{Assembly, check_numbers, normalised_by};

type Built = Result<NodeId, ImportError>;

/// Builds a graph from a state dict.
pub(super) struct Builder<'a> {
    pub(super) dict: &'a StateDict,
    assembly: Assembly,
    /// What is added to variances, which no state dict says.
    epsilon: f32,
    /// The names of the tensors that have found their place.
    used: RefCell<HashSet<String>>,
}

/// What of a pool is not the same everywhere.
#[derive(Clone, Copy, Default)]
pub(super) struct Pool {
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) rounding: Rounding,
}

impl Pool {
    pub(super) fn new(kernel: usize, stride: usize) -> Self {
        Self { kernel, stride, ..Self::default() }
    }

    pub(super) fn padded(self, padding: usize) -> Self {
        Self { padding, ..self }
    }

    pub(super) fn up(self) -> Self {
        Self { rounding: Rounding::Ceil, ..self }
    }

    fn window(self) -> Window {
        let window = Window::new([self.kernel; 2], [self.stride; 2]);
        let window = window.padded(Padding::symmetric(self.padding, self.padding));
        Window { rounding: self.rounding, ..window }
    }
}

impl<'a> Builder<'a> {
    /// A graph that is only the picture; `epsilon` is that of its normalisations.
    pub(super) fn new(dict: &'a StateDict, epsilon: f32) -> Result<Self, ImportError> {
        let assembly = Assembly::new("input", 3)?;
        Ok(Self { dict, assembly, epsilon, used: RefCell::default() })
    }

    pub(super) fn input(&self) -> NodeId {
        self.assembly.input()
    }

    /// The tensor of this name, which then has its place in the network.
    pub(super) fn get(&self, name: &str) -> Option<&'a Tensor> {
        let tensor = self.dict.get(name);
        if tensor.is_some() {
            self.used.borrow_mut().insert(name.to_owned());
        }
        tensor
    }

    /// The first tensor that has no place in what was built.
    pub(super) fn left_over(&self) -> Option<&'a str> {
        let used = self.used.borrow();
        self.dict.names().find(|name| !used.contains(*name)).map(String::as_str)
    }

    pub(super) fn finish(self) -> Graph {
        self.assembly.finish()
    }

    pub(super) fn alias(&mut self, name: &str, node: NodeId) {
        self.assembly.alias(name, node);
    }

    pub(super) fn op(&mut self, name: &str, op: Op, inputs: &[NodeId]) -> Built {
        self.assembly.add(name, op, inputs)
    }

    pub(super) fn channels(&self, node: NodeId) -> usize {
        self.assembly.channels(node).unwrap_or(0)
    }

    /// Whether two nodes have as many channels.
    pub(super) fn alike(&self, a: NodeId, b: NodeId) -> bool {
        self.channels(a) == self.channels(b)
    }

    /// A convolution with as much padding as keeps the size at stride 1.
    pub(super) fn conv(&mut self, name: &str, x: NodeId, stride: usize) -> Built {
        let shape = self.dict.shape(&format!("{name}.weight"));
        let half = |axis: usize| shape.get(axis).map_or(0, |size| size / 2);
        let padding = [half(2), half(3)];
        self.conv_padded(name, x, stride, padding)
    }

    /// A convolution without padding.
    pub(super) fn valid(&mut self, name: &str, x: NodeId, stride: usize) -> Built {
        self.conv_padded(name, x, stride, [0, 0])
    }

    /// A convolution with so many rows and columns of padding. Its groups are as many as its weights want
    /// for the channels of `x`.
    pub(super) fn conv_padded(
        &mut self,
        name: &str,
        x: NodeId,
        stride: usize,
        [rows, columns]: [usize; 2],
    ) -> Built {
        let weights = self.tensor(name, "weight")?;
        let &[out_channels, in_channels, height, width] = weights.shape() else {
            return Err(ImportError::Mismatch {
                layer: name.into(),
                what: "the shape of its weights",
                expected: "[outputs, inputs, rows, columns]".into(),
                found: format!("{:?}", weights.shape()),
            });
        };
        let channels = self.channels(x);
        let groups = match channels.checked_div(in_channels) {
            Some(groups) if groups * in_channels == channels && groups > 0 => groups,
            _ => 1,
        };
        let bias = self.bias(name, out_channels, weights.len())?;
        let conv = Conv2d {
            window: Window::new([height, width], [stride; 2])
                .padded(Padding::symmetric(rows, columns)),
            out_channels,
            in_channels,
            groups,
            weights: weights.weights(name)?,
            bias,
        };
        self.op(name, Op::Conv2d(conv), &[x])
    }

    /// Batch normalisation with its running statistics.
    pub(super) fn norm(&mut self, name: &str, x: NodeId) -> Built {
        let channels = self.channels(x);
        let what = "the number of statistics";
        let read = |part: &str| self.tensor(name, part)?.vector(name, what, channels);
        let (mean, variance) = (read("running_mean")?, read("running_var")?);
        let has = |part: &str| self.dict.has(&format!("{name}.{part}"));
        let gamma = if has("weight") { read("weight")? } else { vec![1.0; channels] };
        let beta = if has("bias") { read("bias")? } else { vec![0.0; channels] };
        let of = |c: usize| {
            let statistics = [gamma[c], beta[c], mean[c], variance[c]].map(f64::from);
            let (scale, shift) = normalised_by(statistics, self.epsilon);
            (scale as f32, shift as f32)
        };
        let (scale, shift): (Vec<f32>, Vec<f32>) = (0..channels).map(of).unzip();
        check_numbers(name, scale.iter().chain(&shift).copied())?;
        self.op(name, Op::Affine(Affine { scale: scale.into(), shift: shift.into() }), &[x])
    }

    pub(super) fn relu(&mut self, name: &str, x: NodeId) -> Built {
        self.op(name, Op::Relu, &[x])
    }

    pub(super) fn relu6(&mut self, name: &str, x: NodeId) -> Built {
        self.op(name, Op::Unary(Unary::Clip { min: 0.0, max: 6.0 }), &[x])
    }

    pub(super) fn max_pool(&mut self, name: &str, x: NodeId, pool: Pool) -> Built {
        self.op(name, Op::MaxPool(MaxPool { window: pool.window() }), &[x])
    }

    /// An average pool that counts its padding, as PyTorch's do.
    pub(super) fn average_pool(&mut self, name: &str, x: NodeId, pool: Pool) -> Built {
        let pool = AveragePool { window: pool.window(), count_padding: true };
        self.op(name, Op::AveragePool(pool), &[x])
    }

    pub(super) fn global_average(&mut self, name: &str, x: NodeId) -> Built {
        self.op(name, Op::GlobalAveragePool, &[x])
    }

    pub(super) fn concat(&mut self, name: &str, inputs: &[NodeId]) -> Built {
        self.op(name, Op::Concat, inputs)
    }

    pub(super) fn add(&mut self, name: &str, a: NodeId, b: NodeId) -> Built {
        self.op(name, Op::Add, &[a, b])
    }

    /// A fully connected layer, if the file has it: classifiers may be cut off.
    pub(super) fn linear(&mut self, name: &str, x: NodeId) -> Result<Option<NodeId>, ImportError> {
        let Some(weights) = self.get(&format!("{name}.weight")) else { return Ok(None) };
        let &[out_features, in_features] = weights.shape() else { return Ok(None) };
        let bias = self.bias(name, out_features, weights.len())?;
        let weights = weights.weights(name)?;
        let dense = Dense { out_features, in_features, weights, bias };
        self.op(name, Op::Dense(dense), &[x]).map(Some)
    }

    /// A layer's biases, or as many zeros; there are never more than weights.
    pub(super) fn bias(
        &self,
        layer: &str,
        count: usize,
        weights: usize,
    ) -> Result<Arc<[f32]>, ImportError> {
        match self.get(&format!("{layer}.bias")) {
            Some(bias) => {
                let bias = bias.vector(layer, "the number of biases", count)?;
                Ok(bias.into())
            }
            None => Ok(vec![0.0; count.min(weights)].into()),
        }
    }

    /// A tensor of a layer.
    ///
    /// # Errors
    /// One that is not there.
    pub(super) fn tensor(&self, layer: &str, part: &str) -> Result<&'a Tensor, ImportError> {
        let tensor = self.get(&format!("{layer}.{part}"));
        tensor
            .ok_or_else(|| ImportError::MissingWeight { layer: layer.into(), weight: part.into() })
    }
}
