//! A network as a dream sees it: the graph, the input it expects, and its identity.

use crate::{Graph, GraphError, NodeId};

/// In which order a network takes its colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ChannelOrder {
    /// Red first.
    #[default]
    Rgb,
    /// Blue first, as Caffe's networks have it.
    Bgr,
}

/// How a picture of RGB values 0–255 becomes the network's input:
/// `input[c] = (picture[order(c)] − mean[c]) · scale[c]`, with `c` in the network's own order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputSpec {
    /// The network's channel order.
    pub order: ChannelOrder,
    /// Subtracted from each channel, in units of 0–255.
    pub mean: [f32; 3],
    /// Multiplied with each channel after that.
    pub scale: [f32; 3],
}

impl InputSpec {
    /// The picture's channel (0 red, 1 green, 2 blue) that the network's channel `c` reads.
    pub fn picture_channel(&self, c: usize) -> usize {
        match self.order {
            ChannelOrder::Rgb => c,
            ChannelOrder::Bgr => 2 - c,
        }
    }
}

impl Default for InputSpec {
    /// RGB, 0–255 as it is.
    fn default() -> Self {
        Self { order: ChannelOrder::Rgb, mean: [0.0; 3], scale: [1.0; 3] }
    }
}

/// A trained network.
#[derive(Clone, Debug)]
pub struct Network {
    /// What it is called: a known name, or its file's.
    pub name: String,
    /// SHA-256 of the model file, in hexadecimal.
    pub hash: String,
    /// What it computes.
    pub graph: Graph,
    /// What it wants for input.
    pub input: InputSpec,
    /// The classes of its last layer, in order, where they are known.
    pub labels: Vec<String>,
}

impl Network {
    /// Whether a backend can run images forward to `targets` and their gradients back.
    ///
    /// # Errors
    /// An operation that is not supported, a target that does not depend on the image, or an input that is
    /// not of three channels.
    pub fn check_targets(&self, targets: &[NodeId]) -> Result<(), GraphError> {
        for &target in targets {
            self.graph.check_target(target)?;
        }
        match self.graph.input_channels() {
            3 => Ok(()),
            channels => Err(GraphError::Graph(format!(
                "its input has {channels} channels, a picture has 3"
            ))),
        }
    }
}
