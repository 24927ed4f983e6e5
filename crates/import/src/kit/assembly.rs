//! The gate through which every reader's nodes pass into the graph.
//!
//! What a model file says is not trusted: numbers are bounded, weights are counted and channels must
//! fit before a node stands in the [`Graph`], so that nothing behind it needs to ask again and no
//! product of sizes can overflow.

use std::collections::HashSet;

use graph::{
    AveragePool, Conv2d, Graph, GraphBuilder, MaxPool, NodeId, Op, Pad, Padding, Unary, Weights,
    Window,
};

use super::geometry::{check_geometry, expanded_weights};
use super::limits::{MAX_NODES, check_numbers, check_size, within};
use crate::ImportError;

/// The most channels any node may have; also bounds features of fully connected layers.
pub(super) const MAX_CHANNELS: usize = 1 << 18;
/// The largest kernel, stride, dilation or padding along one axis.
pub(crate) const MAX_WINDOW: usize = 1024;
/// The most picture pixels that one step at any node may span.
const MAX_STRIDE: usize = 1 << 16;
/// The most rows or columns that all paddings together may add.
const MAX_PADDING: usize = 1 << 14;

/// The most weights of a whole network, 2 GiB of them; one constant can be used many times, each time in
/// another order.
const MAX_WEIGHTS: usize = 1 << 29;

/// The most channels that all layers which choose some choose together: each keeps a list of them.
const MAX_SELECTED: usize = 1 << 24;

/// A graph being built, with what is known of each node for any size of picture.
pub(crate) struct Assembly {
    builder: GraphBuilder,
    known: Vec<Known>,
    padding: usize,
    weights: usize,
    selected: usize,
    /// The arrays already counted in `weights`, by where they are.
    counted: HashSet<*const f32>,
}

#[derive(Clone, Copy)]
struct Known {
    /// `None` behind an operation that is not supported.
    channels: Option<usize>,
    stride: usize,
}

impl Assembly {
    /// A graph that is only the picture, of 3 channels.
    ///
    /// # Errors
    /// Another number of `channels`.
    pub(crate) fn new(name: &str, channels: usize) -> Result<Self, ImportError> {
        if channels != 3 {
            let problem = format!("`{name}` wants {channels} channels, pictures have 3");
            return Err(ImportError::NoInput { problem });
        }
        Self::of_channels(name, channels)
    }

    /// A graph that is only an input, of so many channels.
    ///
    /// # Errors
    /// More than any activation may have.
    pub(crate) fn of_channels(name: &str, channels: usize) -> Result<Self, ImportError> {
        within(name, "the number of channels", channels, 1, MAX_CHANNELS)?;
        Ok(Self {
            builder: GraphBuilder::new(name, channels),
            known: vec![Known { channels: Some(channels), stride: 1 }],
            padding: 0,
            weights: 0,
            selected: 0,
            counted: HashSet::new(),
        })
    }

    pub(crate) fn input(&self) -> NodeId {
        self.builder.input()
    }

    /// Checks an operation and adds it; `name` now means the new node.
    ///
    /// # Errors
    /// What does not fit, by the node's name.
    pub(crate) fn add(
        &mut self,
        name: &str,
        op: Op,
        inputs: &[NodeId],
    ) -> Result<NodeId, ImportError> {
        within(name, "the number of nodes before it", self.known.len(), 1, MAX_NODES)?;
        let channels = self.channels_after(name, &op, inputs)?;
        let sizing = op.sizing(inputs);
        let stride = sizing.iter().map(|input| self.known[input.index()].stride).max().unwrap_or(1);
        let step = match op.window() {
            Some(window) => window.stride[0].max(window.stride[1]) as f64,
            None => op.step(),
        };
        let stride = (stride as f64 * step).max(1.0) as usize;
        within(name, "the step in pixels", stride, 1, MAX_STRIDE)?;
        if let Op::Pad(Pad { rows, columns, .. }) = &op {
            self.padding += (rows[0] + rows[1]).max(columns[0] + columns[1]);
            within(name, "the padding so far", self.padding, 0, MAX_PADDING)?;
        }
        if let Some(window) = op.window() {
            check_window(name, window)?;
            if let Padding::Explicit { top, bottom, left, right } = window.padding {
                self.padding += (top + bottom).max(left + right);
                within(name, "the padding so far", self.padding, 0, MAX_PADDING)?;
            }
        }
        self.count_weights(name, &op)?;
        self.known.push(Known { channels, stride });
        Ok(self.builder.add(name, op, inputs))
    }

    /// Lets `name` mean `node`.
    pub(crate) fn alias(&mut self, name: &str, node: NodeId) {
        self.builder.alias(name, node);
    }

    /// Whether `name` means a node already.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.builder.find(name).is_some()
    }

    /// The channels of a node, or `None` behind an operation that is not supported.
    pub(crate) fn channels(&self, node: NodeId) -> Option<usize> {
        self.known[node.index()].channels
    }

    pub(crate) fn op(&self, node: NodeId) -> &Op {
        &self.builder.node(node).op
    }

    pub(crate) fn inputs(&self, node: NodeId) -> &[NodeId] {
        &self.builder.node(node).inputs
    }

    pub(crate) fn finish(self) -> Graph {
        self.builder.finish()
    }

    /// Adds an operation's weights to the count, and sees that they are numbers.
    fn count_weights(&mut self, name: &str, op: &Op) -> Result<(), ImportError> {
        if let Op::ConvTranspose2d(conv) = op {
            // A backend may make a convolution for each pixel of its stride.
            let more = expanded_weights(conv).saturating_sub(conv.weights.len());
            self.weights = self.weights.saturating_add(more);
            within(name, "the number of weights so far", self.weights, 0, MAX_WEIGHTS)?;
        }
        if let Op::SelectChannels(select) = op {
            self.selected = self.selected.saturating_add(select.channels.len());
            let what = "the number of channels chosen so far";
            within(name, what, self.selected, 0, MAX_SELECTED)?;
        }
        let later = op.weights().filter(|weights| weights.made().is_none());
        if let Some(weights) = later.filter(|weights| self.counted.insert(weights.address())) {
            self.weights = self.weights.saturating_add(weights.len());
            within(name, "the number of weights so far", self.weights, 0, MAX_WEIGHTS)?;
        }
        let made = op.weights().and_then(Weights::made).map(|made| &made[..]);
        for array in made.into_iter().chain(op.vectors().into_iter().map(|vector| &vector[..])) {
            if !self.counted.insert(array.as_ptr()) {
                continue;
            }
            self.weights = self.weights.saturating_add(array.len());
            within(name, "the number of weights so far", self.weights, 0, MAX_WEIGHTS)?;
            check_numbers(name, array.iter().copied())?;
        }
        Ok(())
    }

    fn channels_after(
        &self,
        name: &str,
        op: &Op,
        inputs: &[NodeId],
    ) -> Result<Option<usize>, ImportError> {
        if !op.takes(inputs.len()) {
            let few = || (1..=3).filter(|&count| op.takes(count));
            let least = few().min().unwrap_or(0);
            let most = if op.takes(MAX_NODES) { MAX_NODES } else { few().max().unwrap_or(0) };
            within(name, "the number of inputs", inputs.len(), least, most)?;
            let problem = format!("it cannot have {} inputs", inputs.len());
            return Err(ImportError::Layer { layer: name.into(), problem });
        }
        let all: Option<Vec<usize>> = inputs.iter().map(|&input| self.channels(input)).collect();
        let same = |what, expected: usize, found: usize| check_size(name, what, expected, found);
        match op {
            Op::Conv2d(conv) => check_conv(name, conv)?,
            Op::MaxPool(MaxPool { window }) | Op::AveragePool(AveragePool { window, .. }) => {
                check_pool(name, window)?;
            }
            Op::Lrn(lrn) => {
                within(name, "the number of channels summed", lrn.size, 1, MAX_WINDOW)?;
                within(name, "that number modulo 2", lrn.size % 2, 1, 1)?;
                if ![lrn.alpha, lrn.beta, lrn.bias].iter().all(|x| x.is_finite()) {
                    let problem = "its parameters are no numbers".into();
                    return Err(ImportError::Layer { layer: name.into(), problem });
                }
            }
            Op::Affine(affine) => {
                same("the number of shifts", affine.scale.len(), affine.shift.len())?;
            }
            Op::LayerNorm(norm) => {
                same("the number of shifts", norm.scale.len(), norm.shift.len())?;
                check_epsilon(name, norm.epsilon)?;
            }
            Op::GroupNorm(norm) => {
                same("the number of shifts", norm.scale.len(), norm.shift.len())?;
                check_epsilon(name, norm.epsilon)?;
                within(name, "the number of groups", norm.groups, 1, MAX_CHANNELS)?;
            }
            Op::Unary(unary) => check_parameters(name, unary)?,
            Op::Attention(_) | Op::Tokens(_) | Op::PositionEmbedding(_) => {
                let layer = || name.to_owned();
                op.check().map_err(|problem| ImportError::Layer { layer: layer(), problem })?;
            }
            Op::Dense(dense) => {
                within(name, "the number of outputs", dense.out_features, 1, MAX_CHANNELS)?;
                within(name, "the number of inputs", dense.in_features, 1, 1 << 28)?;
                let expected = dense.out_features.saturating_mul(dense.in_features);
                same("the number of weights", expected, dense.weights.len())?;
                same("the number of biases", dense.out_features, dense.bias.len())?;
            }
            op => check_geometry(name, op)?,
        }
        let Some(all) = all else { return Ok(None) };
        match op {
            Op::Conv2d(conv) => {
                let expected = conv.in_channels.saturating_mul(conv.groups);
                same("the number of input channels", expected, all[0])?;
            }
            Op::ConvTranspose2d(conv) => {
                same("the number of input channels", conv.in_channels, all[0])?;
            }
            Op::SelectChannels(select) => {
                same("the number of input channels", select.in_channels, all[0])?;
            }
            Op::DepthToSpace(shuffle) => {
                within(name, "the rest of its channels", all[0] % shuffle.pixels(), 0, 0)?;
            }
            Op::Affine(affine) => same("the number of scales", all[0], affine.scale.len())?,
            Op::PRelu(prelu) => same("the number of slopes", all[0], prelu.slope.len())?,
            Op::LayerNorm(norm) => same("the number of scales", all[0], norm.scale.len())?,
            Op::GroupNorm(norm) => {
                same("the number of scales", all[0], norm.scale.len())?;
                within(name, "the channels left over by its groups", all[0] % norm.groups, 0, 0)?;
            }
            Op::Add | Op::Binary(_) => {
                let most = all.iter().copied().max().unwrap_or(1);
                for &other in all.iter().filter(|&&channels| channels != 1) {
                    same("the number of channels that meet", most, other)?;
                }
            }
            Op::Dense(dense) if !dense.in_features.is_multiple_of(all[0]) => {
                return Err(ImportError::Mismatch {
                    layer: name.into(),
                    what: "the number of inputs its weights are for",
                    expected: format!("a multiple of {} channels", all[0]),
                    found: dense.in_features.to_string(),
                });
            }
            _ => {}
        }
        let Some(channels) = op.channels(&all) else { return Ok(None) };
        within(name, "the number of channels", channels, 1, MAX_CHANNELS)?;
        Ok(Some(channels))
    }
}

fn check_window(name: &str, window: &Window) -> Result<(), ImportError> {
    for axis in 0..2 {
        within(name, "the kernel's size", window.kernel[axis], 1, MAX_WINDOW)?;
        within(name, "the stride", window.stride[axis], 1, MAX_WINDOW)?;
        within(name, "the dilation", window.dilation[axis], 1, MAX_WINDOW)?;
    }
    if let Padding::Explicit { top, bottom, left, right } = window.padding {
        for padding in [top, bottom, left, right] {
            within(name, "the padding", padding, 0, MAX_WINDOW)?;
        }
    }
    Ok(())
}

fn check_epsilon(name: &str, epsilon: f32) -> Result<(), ImportError> {
    if epsilon.is_finite() && epsilon >= 0.0 {
        return Ok(());
    }
    let problem = format!("its epsilon is {epsilon}; it is to be a number and at least 0");
    Err(ImportError::Layer { layer: name.into(), problem })
}

/// The ends of a clipping may be infinite, nothing may be no number.
fn check_parameters(name: &str, unary: &Unary) -> Result<(), ImportError> {
    let fine = match *unary {
        Unary::Clip { min, max } => min <= max,
        Unary::HardSigmoid { alpha, beta } => alpha.is_finite() && beta.is_finite(),
        Unary::LeakyRelu { alpha } | Unary::Elu { alpha } => alpha.is_finite(),
        Unary::Pow { exponent } => exponent.is_finite(),
        _ => true,
    };
    if fine {
        return Ok(());
    }
    let problem = format!("its parameters make no function: {unary:?}");
    Err(ImportError::Layer { layer: name.into(), problem })
}

/// A window that may lie in the padding alone would have no value.
fn check_pool(name: &str, window: &Window) -> Result<(), ImportError> {
    let Padding::Explicit { top, bottom, left, right } = window.padding else { return Ok(()) };
    let [rows, columns] = window.kernel.map(|size| size.saturating_sub(1));
    within(name, "the padding of its rows", top.max(bottom), 0, rows)?;
    within(name, "the padding of its columns", left.max(right), 0, columns)
}

fn check_conv(name: &str, conv: &Conv2d) -> Result<(), ImportError> {
    check_window(name, &conv.window)?;
    within(name, "the number of output channels", conv.out_channels, 1, MAX_CHANNELS)?;
    within(name, "the number of input channels", conv.in_channels, 1, MAX_CHANNELS)?;
    within(name, "the number of groups", conv.groups, 1, MAX_CHANNELS)?;
    if !conv.out_channels.is_multiple_of(conv.groups) {
        return Err(ImportError::Mismatch {
            layer: name.into(),
            what: "the number of output channels",
            expected: format!("a multiple of {} groups", conv.groups),
            found: conv.out_channels.to_string(),
        });
    }
    let [height, width] = conv.window.kernel;
    let sizes = [conv.in_channels, height, width];
    let expected = sizes.into_iter().fold(conv.out_channels, usize::saturating_mul);
    check_size(name, "the number of weights", expected, conv.weights.len())?;
    check_size(name, "the number of biases", conv.out_channels, conv.bias.len())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use graph::SelectChannels;

    use super::*;

    #[test]
    fn layers_have_as_many_inputs_as_they_take() {
        let attention = || Op::Attention(graph::Attention { heads: 1, scale: 1.0 });
        for (op, counts) in [(attention(), [0, 1, 2, 4]), (Op::Relu, [0, 2, 3, 4])] {
            for count in counts {
                let mut assembly = Assembly::new("picture", 3).unwrap();
                let inputs = vec![assembly.input(); count];
                let error = assembly.add("layer", op.clone(), &inputs).unwrap_err();
                assert!(error.to_string().contains("number of inputs"), "{count}: {error}");
            }
        }
    }

    #[test]
    fn lists_of_channels_that_are_chosen_are_counted() {
        let mut assembly = Assembly::of_channels("picture", 1 << 18).unwrap();
        let (input, channels) = (assembly.input(), (0..1 << 18).collect::<Arc<[usize]>>());
        let select = SelectChannels { in_channels: 1 << 18, channels };
        let mut add = || assembly.add("layer", Op::SelectChannels(select.clone()), &[input]);
        assert!((0..MAX_SELECTED >> 18).all(|_| add().is_ok()));
        assert!(add().unwrap_err().to_string().contains("channels chosen so far"));
    }

    #[test]
    fn weights_that_layers_share_count_once() {
        let weights = Weights::later(6, || Ok(vec![0.0; 6]));
        let conv = |bias: &[f32]| {
            let (window, weights) = (Window::new([1, 1], [1, 1]), weights.clone());
            let bias = bias.into();
            Op::Conv2d(Conv2d { window, out_channels: 2, in_channels: 3, groups: 1, weights, bias })
        };
        let mut assembly = Assembly::new("picture", 3).unwrap();
        let input = assembly.input();
        assembly.add("plain", conv(&[0.0, 0.0]), &[input]).unwrap();
        assembly.add("biased", conv(&[1.0, 2.0]), &[input]).unwrap();
        assert_eq!(assembly.weights, 6 + 2 + 2);
    }
}
