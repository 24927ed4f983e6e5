//! What networks are given: the usual ways in which a picture becomes a network's input, by name.

use graph::{ChannelOrder, InputSpec};

use crate::CAFFE_INPUT;

/// A usual input.
#[derive(Clone, Copy, Debug)]
pub struct Statistics {
    /// Its name.
    pub name: &'static str,
    /// Whose networks want it.
    pub description: &'static str,
    /// The input.
    pub input: InputSpec,
}

/// Of RGB values: the mean subtracted, divided by the standard deviation, both of colours from 0 to 1.
const fn normalized(mean: [f32; 3], std: [f32; 3]) -> InputSpec {
    let [r, g, b] = mean;
    let [u, v, w] = std;
    InputSpec {
        order: ChannelOrder::Rgb,
        mean: [r * 255.0, g * 255.0, b * 255.0],
        scale: [1.0 / (u * 255.0), 1.0 / (v * 255.0), 1.0 / (w * 255.0)],
    }
}

/// The mean and the standard deviation of ImageNet's colours, from 0 to 1.
pub(crate) const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
pub(crate) const IMAGENET_DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// torchvision's networks, and most of those in PyTorch and ONNX.
pub const IMAGENET: InputSpec = normalized(IMAGENET_MEAN, IMAGENET_DEVIATION);

/// Google's networks since Inception v3: colours from −1 to 1.
pub const INCEPTION: InputSpec =
    InputSpec { order: ChannelOrder::Rgb, mean: [127.5; 3], scale: [1.0 / 127.5; 3] };

/// VGG and ResNet of Keras, and Caffe's VGG.
pub const KERAS: InputSpec =
    InputSpec { order: ChannelOrder::Bgr, mean: [103.939, 116.779, 123.68], scale: [1.0; 3] };

/// OpenAI's CLIP.
pub const CLIP: InputSpec =
    normalized([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.261_302_6, 0.275_777_1]);

static STATISTICS: &[Statistics] = &[
    Statistics {
        name: "imagenet",
        description: "most networks of PyTorch and ONNX, Keras' DenseNet",
        input: IMAGENET,
    },
    Statistics {
        name: "inception",
        description: "−1 to 1: Inception, Xception, MobileNet and ResNet v2 of TensorFlow and Keras",
        input: INCEPTION,
    },
    Statistics {
        name: "caffe",
        description: "blue first, minus 104, 117, 123: most networks of Caffe",
        input: CAFFE_INPUT,
    },
    Statistics {
        name: "keras",
        description: "blue first, minus 103.939, 116.779, 123.68: VGG and ResNet of Keras",
        input: KERAS,
    },
    Statistics { name: "clip", description: "OpenAI's CLIP", input: CLIP },
    Statistics {
        name: "unit",
        description: "0 to 1: networks that normalise the picture themselves",
        input: normalized([0.0; 3], [1.0; 3]),
    },
    Statistics {
        name: "raw",
        description: "0 to 255: networks that normalise the picture themselves, as Keras' EfficientNet",
        input: InputSpec { order: ChannelOrder::Rgb, mean: [0.0; 3], scale: [1.0; 3] },
    },
];

/// All usual inputs.
pub fn statistics() -> &'static [Statistics] {
    STATISTICS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_means_of_colours_become_zero_and_one_deviation_one() {
        let value = |input: InputSpec, c: usize, x: f32| (x - input.mean[c]) * input.scale[c];
        for (c, (mean, std)) in
            [(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)].into_iter().enumerate()
        {
            assert!(value(IMAGENET, c, mean * 255.0).abs() < 1e-6);
            assert!((value(IMAGENET, c, (mean + std) * 255.0) - 1.0).abs() < 1e-5);
        }
        assert_eq!([0.0, 255.0].map(|x| value(INCEPTION, 1, x)), [-1.0, 1.0]);
    }

    #[test]
    fn each_has_a_name_of_its_own() {
        let mut names: Vec<&str> = STATISTICS.iter().map(|s| s.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STATISTICS.len());
    }
}
