//! Activation functions that are made of ReLUs, scales, shifts and sums.

use std::sync::Arc;

use graph::{Affine, NodeId, Op, Unary};

use super::Assembly;
use crate::ImportError;

/// A function of each value, or of each value of a channel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Activation {
    /// `min(max(x, 0), most)`, as ReLU6 with 6.
    Clipped { most: f32 },
    /// `min(x, most)`, with one number for each channel.
    AtMost { most: Vec<f32> },
    /// `max(x, least)`, likewise.
    AtLeast { least: Vec<f32> },
    /// `x` above 0 and `slope · x` below, likewise: leaky and parametric ReLU.
    Leaky { slope: Vec<f32> },
}

impl Activation {
    /// Adds the function of `source`; `name` means its result.
    ///
    /// # Errors
    /// What does not fit, as [`Assembly::add`] says.
    pub(crate) fn add(
        self,
        assembly: &mut Assembly,
        name: &str,
        source: NodeId,
    ) -> Result<NodeId, ImportError> {
        let Some(channels) = assembly.channels(source) else {
            let kind = "an activation of what is not supported".into();
            return assembly.add(name, Op::Unsupported { kind }, &[source]);
        };
        let mut affine = |source, scale: f32, shift: &[f32]| {
            let scale: Arc<[f32]> = vec![scale; channels].into();
            assembly.add(name, Op::Affine(Affine { scale, shift: shift.into() }), &[source])
        };
        match self {
            Self::Clipped { most } => {
                let clip = Unary::Clip { min: 0.0, max: most };
                assembly.add(name, Op::Unary(clip), &[source])
            }
            // most − max(most − x, 0)
            Self::AtMost { most } => {
                let below = affine(source, -1.0, &most)?;
                let below = assembly.add(name, Op::Relu, &[below])?;
                let op = Affine { scale: vec![-1.0; channels].into(), shift: most.into() };
                assembly.add(name, Op::Affine(op), &[below])
            }
            Self::AtLeast { least } if least.iter().all(|&least| least == 0.0) => {
                assembly.add(name, Op::Relu, &[source])
            }
            // least + max(x − least, 0)
            Self::AtLeast { least } => {
                let minus: Vec<f32> = least.iter().map(|least| -least).collect();
                let above = affine(source, 1.0, &minus)?;
                let above = assembly.add(name, Op::Relu, &[above])?;
                let op = Affine { scale: vec![1.0; channels].into(), shift: least.into() };
                assembly.add(name, Op::Affine(op), &[above])
            }
            // max(x, 0) − slope · max(−x, 0)
            Self::Leaky { slope } => {
                let zeros: Arc<[f32]> = vec![0.0; channels].into();
                let minus = affine(source, -1.0, &zeros)?;
                let minus = assembly.add(name, Op::Relu, &[minus])?;
                let scale = slope.iter().map(|slope| -slope).collect();
                let below =
                    assembly.add(name, Op::Affine(Affine { scale, shift: zeros }), &[minus])?;
                let above = assembly.add(name, Op::Relu, &[source])?;
                assembly.add(name, Op::Add, &[above, below])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use graph::{InputSpec, Network, Shape, Tensor, reference};

    use super::*;

    /// The function of −2, 0.5 and 7, and its slope there.
    fn values(activation: Activation) -> ([f32; 3], [f32; 3]) {
        at([-2.0, 0.5, 7.0], activation)
    }

    /// The function of three values, and its slope there.
    fn at(x: [f32; 3], activation: Activation) -> ([f32; 3], [f32; 3]) {
        let mut assembly = Assembly::new("picture", 3).unwrap();
        let input = assembly.input();
        let id = activation.add(&mut assembly, "act", input).unwrap();
        let graph = assembly.finish();
        assert_eq!(graph.find("act").unwrap(), id);
        assert_eq!(graph.layers().len(), 1, "what it is made of is no layer");
        let (name, hash, labels) = (String::new(), String::new(), Vec::new());
        let network = Network { name, hash, graph, input: InputSpec::default(), labels };
        let picture = Tensor { shape: Shape::new(3, 1, 1), data: x.to_vec().into() };
        let run = reference::forward::<f64>(&network, &[id], &picture).unwrap();
        let y = run.activation(id).data.into_vec().try_into().unwrap();
        let ones = Tensor { shape: Shape::new(3, 1, 1), data: vec![1.0; 3].into() };
        let slopes = reference::backward(&network, &run, &[(id, &ones)]);
        (y, slopes.data.into_vec().try_into().unwrap())
    }

    #[test]
    fn each_has_its_values_and_slopes() {
        let relu6 = Activation::Clipped { most: 6.0 };
        assert_eq!(values(relu6), ([0.0, 0.5, 6.0], [0.0, 1.0, 0.0]));
        // Small values keep all their digits.
        let relu6 = Activation::Clipped { most: 6.0 };
        assert_eq!(at([1e-9, 1e-20, -1e-9], relu6).0, [1e-9, 1e-20, 0.0]);
        let most = Activation::AtMost { most: vec![-3.0, 1.0, 6.0] };
        assert_eq!(values(most), ([-3.0, 0.5, 6.0], [0.0, 1.0, 0.0]));
        let least = Activation::AtLeast { least: vec![-3.0, 1.0, 6.0] };
        assert_eq!(values(least), ([-2.0, 1.0, 7.0], [1.0, 0.0, 1.0]));
        let leaky = Activation::Leaky { slope: vec![0.25; 3] };
        assert_eq!(values(leaky), ([-0.5, 0.5, 7.0], [0.25, 1.0, 1.0]));
    }
}
