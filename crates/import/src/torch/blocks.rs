//! Blocks that several networks are made of: convolutions with their normalisation, gates, inverted
//! residuals, and what networks with layer normalisation have.

use std::sync::Arc;

use graph::{Affine, Binary, Conv2d, LayerNorm, NodeId, Op, Unary, Window};

use super::build::Builder;
use crate::ImportError;
use crate::kit::check_numbers;

type Built = Result<NodeId, ImportError>;

/// What is added to variances in layer normalisations.
const LAYER_EPSILON: f32 = 1e-6;

/// The two functions of a gate (squeeze and excitation, Hu et al. 2017).
#[derive(Clone)]
pub(super) struct Gate {
    /// Between its two layers.
    pub(super) inner: Op,
    /// After them: what opens and closes.
    pub(super) outer: Unary,
}

/// What of an inverted residual the weights do not say.
pub(super) struct Inverted {
    pub(super) stride: usize,
    pub(super) activation: Op,
    pub(super) gate: Gate,
}

impl Builder<'_> {
    /// Modules 0 to 2 of `name`: a convolution, its normalisation and an activation, if there is one.
    /// `name` means the last.
    pub(super) fn unit(
        &mut self,
        name: &str,
        x: NodeId,
        stride: usize,
        activation: Option<Op>,
    ) -> Built {
        let x = self.conv(&format!("{name}.0"), x, stride)?;
        let x = self.norm(&format!("{name}.1"), x)?;
        match activation {
            Some(activation) => self.op(name, activation, &[x]),
            None => {
                self.alias(name, x);
                Ok(x)
            }
        }
    }

    /// `x` multiplied, channel by channel, with what two layers make of its means.
    pub(super) fn gated(&mut self, name: &str, x: NodeId, gate: Gate) -> Built {
        let mut gates = self.global_average(&format!("{name}.avgpool"), x)?;
        gates = self.conv(&format!("{name}.fc1"), gates, 1)?;
        gates = self.op(&format!("{name}.activation"), gate.inner, &[gates])?;
        gates = self.conv(&format!("{name}.fc2"), gates, 1)?;
        gates = self.op(&format!("{name}.scale_activation"), Op::Unary(gate.outer), &[gates])?;
        self.op(name, Op::Binary(Binary::Mul), &[x, gates])
    }

    /// An inverted residual, the modules of `name.block`: wider by a 1×1 convolution, a convolution by
    /// channel, a gate, and narrower again without an activation, as far as there are weights. In a fused one
    /// the first two are one convolution, and with nothing to make narrower it is all.
    pub(super) fn inverted(&mut self, name: &str, input: NodeId, inverted: Inverted) -> Built {
        let Inverted { stride, activation, gate } = inverted;
        let modules = self.dict.indices(&format!("{name}.block."));
        let mut x = input;
        for &module in &modules {
            let part = format!("{name}.block.{module}");
            if self.dict.has(&format!("{part}.fc1.weight")) {
                x = self.gated(&part, x, gate.clone())?;
                continue;
            }
            let weights = self.dict.shape(&format!("{part}.0.weight"));
            // What slides is what has the stride.
            let stride = if weights.get(2).is_some_and(|&size| size > 1) { stride } else { 1 };
            let narrows = modules.len() > 1 && Some(&module) == modules.last();
            x = self.unit(&part, x, stride, (!narrows).then(|| activation.clone()))?;
        }
        if stride == 1 && self.alike(input, x) && !modules.is_empty() {
            return self.add(name, x, input);
        }
        self.alias(name, x);
        Ok(x)
    }

    /// Layer normalisation over the channels.
    pub(super) fn layer_norm(&mut self, name: &str, x: NodeId) -> Built {
        let channels = self.channels(x);
        let read =
            |part: &str| self.tensor(name, part)?.vector(name, "the number of scales", channels);
        let (scale, shift) = (read("weight")?, read("bias")?);
        check_numbers(name, scale.iter().chain(&shift).copied())?;
        let (scale, shift) = (scale.into(), shift.into());
        self.op(name, Op::LayerNorm(LayerNorm { scale, shift, epsilon: LAYER_EPSILON }), &[x])
    }

    /// A fully connected layer at each position: a 1×1 convolution.
    pub(super) fn pointwise(&mut self, name: &str, x: NodeId) -> Built {
        let weights = self.tensor(name, "weight")?;
        let &[out_channels, in_channels, ref rest @ ..] = weights.shape() else {
            return self.valid(name, x, 1);
        };
        if rest.iter().any(|&size| size != 1) {
            return self.valid(name, x, 1);
        }
        let bias = self.bias(name, out_channels, weights.len())?;
        let (window, weights) = (Window::new([1, 1], [1, 1]), weights.weights(name)?);
        let conv = Conv2d { window, out_channels, in_channels, groups: 1, weights, bias };
        self.op(name, Op::Conv2d(conv), &[x])
    }

    /// `x` multiplied with the tensor `name`, channel by channel.
    pub(super) fn scaled(&mut self, name: &str, x: NodeId) -> Built {
        let channels = self.channels(x);
        let missing = || ImportError::MissingWeight { layer: name.into(), weight: "scale".into() };
        let scale = self.get(name).ok_or_else(missing)?;
        let scale: Arc<[f32]> = scale.vector(name, "the number of scales", channels)?.into();
        check_numbers(name, scale.iter().copied())?;
        let shift = vec![0.0; channels].into();
        self.op(name, Op::Affine(Affine { scale, shift }), &[x])
    }
}
