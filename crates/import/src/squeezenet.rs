//! SqueezeNet v1.1 (Iandola et al., 2016) from `.safetensors`.
//!
//! The file has only weights, `NAME.weight` and `NAME.bias` in output, input, row, column order under
//! the names of Caffe's release; the structure is here.

use graph::{
    ChannelOrder, Conv2d, InputSpec, MaxPool, Network, NodeId, Op, Padding, Rounding, Window,
};
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use safetensors::Dtype;

use crate::kit::Assembly;
use crate::tensors::{Stored, Tensors};
use crate::{ImportError, printable};

/// What Caffe's networks are trained with: blue first, minus ImageNet's mean colour.
pub const CAFFE_INPUT: InputSpec =
    InputSpec { order: ChannelOrder::Bgr, mean: [104.0, 117.0, 123.0], scale: [1.0; 3] };

/// Whether a `.safetensors` file is of this network.
pub(crate) fn fits(file: &Tensors) -> bool {
    file.get("fire2/squeeze1x1.weight").is_some()
}

/// Reads the network out of a file that [`fits`].
///
/// # Errors
/// Weights that do not fit.
pub(crate) fn read(name: &str, file: &Tensors) -> Result<Network, ImportError> {
    let own = |name: &String| {
        let layer = name.trim_end_matches(".weight").trim_end_matches(".bias");
        *name != layer && (["conv1", "conv10"].contains(&layer) || layer.starts_with("fire"))
    };
    if let Some(name) = file.iter().map(|(name, _)| name).find(|name| !own(name)) {
        let problem = "SqueezeNet v1.1 has no such weights; is this another network?".into();
        return Err(ImportError::Layer { layer: printable(name), problem });
    }
    let mut reader = Reader { file, assembly: Assembly::new("data", 3)? };
    let mut x = reader.assembly.input();
    x = reader.conv("conv1", x, 3, 2, 0)?;
    x = reader.pool("pool1", x)?;
    for fire in 2..=9 {
        x = reader.fire(&format!("fire{fire}"), x)?;
        if fire == 3 || fire == 5 {
            x = reader.pool(&format!("pool{fire}"), x)?;
        }
    }
    x = reader.conv("conv10", x, 1, 1, 0)?;
    x = reader.assembly.add("pool10", Op::GlobalAveragePool, &[x])?;
    reader.assembly.add("prob", Op::Softmax, &[x])?;
    Ok(Network {
        name: name.into(),
        hash: String::new(),
        graph: reader.assembly.finish(),
        input: CAFFE_INPUT,
        labels: Vec::new(),
    })
}

struct Reader<'a> {
    file: &'a Tensors,
    assembly: Assembly,
}

impl Reader<'_> {
    /// A convolution and the ReLU after it, which takes over its name, as it works in place.
    fn conv(
        &mut self,
        name: &str,
        input: NodeId,
        kernel: usize,
        stride: usize,
        padding: usize,
    ) -> Result<NodeId, ImportError> {
        let (shape, weights) = self.tensor(name, "weight")?;
        let (_, bias) = self.tensor(name, "bias")?;
        let (out_channels, in_channels) = match shape[..] {
            [o, i, height, width] if [height, width] == [kernel; 2] => (o, i),
            _ => {
                return Err(ImportError::Mismatch {
                    layer: name.into(),
                    what: "the shape of its weights",
                    expected: format!("[outputs, inputs, {kernel}, {kernel}]"),
                    found: format!("{shape:?}"),
                });
            }
        };
        let conv = Conv2d {
            window: Window::new([kernel; 2], [stride; 2])
                .padded(Padding::symmetric(padding, padding)),
            out_channels,
            in_channels,
            groups: 1,
            weights: weights.into(),
            bias: bias.into(),
        };
        let conv = self.assembly.add(name, Op::Conv2d(conv), &[input])?;
        let relu = self.assembly.add(name, Op::Relu, &[conv])?;
        let in_place = match name.rsplit_once('/') {
            Some((fire, conv)) => format!("{fire}/relu_{conv}"),
            None => format!("relu_{name}"),
        };
        self.assembly.alias(&in_place, relu);
        Ok(relu)
    }

    fn pool(&mut self, name: &str, input: NodeId) -> Result<NodeId, ImportError> {
        let window = Window { rounding: Rounding::Ceil, ..Window::new([3; 2], [2; 2]) };
        self.assembly.add(name, Op::MaxPool(MaxPool { window }), &[input])
    }

    fn fire(&mut self, name: &str, input: NodeId) -> Result<NodeId, ImportError> {
        let squeezed = self.conv(&format!("{name}/squeeze1x1"), input, 1, 1, 0)?;
        let ones = self.conv(&format!("{name}/expand1x1"), squeezed, 1, 1, 0)?;
        let threes = self.conv(&format!("{name}/expand3x3"), squeezed, 3, 1, 1)?;
        self.assembly.add(&format!("{name}/concat"), Op::Concat, &[ones, threes])
    }

    fn tensor(&self, layer: &str, weight: &str) -> Result<(Vec<usize>, Vec<f32>), ImportError> {
        let tensor = self.file.get(&format!("{layer}.{weight}")).ok_or_else(|| {
            ImportError::MissingWeight { layer: layer.into(), weight: weight.into() }
        })?;
        Ok((tensor.shape.clone(), floats(layer, tensor)?))
    }
}

fn floats(layer: &str, tensor: &Stored) -> Result<Vec<f32>, ImportError> {
    let bytes = tensor.content.read().map_err(|error| ImportError::unread(layer, &error))?;
    match tensor.dtype {
        Dtype::F16 => {
            let bits: Vec<u16> =
                bytes.as_chunks().0.iter().map(|&pair| u16::from_le_bytes(pair)).collect();
            // All at once uses the processor's own conversion.
            Ok(bits.reinterpret_cast::<half::f16>().to_f32_vec())
        }
        Dtype::F32 => {
            Ok(bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect())
        }
        other => Err(ImportError::Layer {
            layer: layer.into(),
            problem: format!("its weights are {other:?}; only F16 and F32 are read"),
        }),
    }
}
