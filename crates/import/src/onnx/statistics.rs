//! What a network wants for input, as far as its file says it: what the graph does to the picture first tells
//! in which range it expects that.

use std::collections::HashMap;

use graph::{ChannelOrder, InputSpec};

use crate::CAFFE_INPUT;
use crate::statistics::{IMAGENET, IMAGENET_DEVIATION, IMAGENET_MEAN, INCEPTION};

/// Colours from 0 to 1.
const UNIT: InputSpec =
    InputSpec { order: ChannelOrder::Rgb, mean: [0.0; 3], scale: [1.0 / 255.0; 3] };

/// What is usual for the program that wrote a file.
pub(super) fn usual(producer: &str, input: &str, channels_last: bool) -> InputSpec {
    let caffe = producer.to_lowercase().contains("caffe") || input.starts_with("gpu_0/data");
    match channels_last {
        _ if caffe => CAFFE_INPUT,
        true => INCEPTION,
        false => IMAGENET,
    }
}

/// The input of a network that itself computes `wanted` from it first, if that tells what it expects: 0 to 255,
/// 0 to 1, or what was already normalised for ImageNet and is to be between −1 and 1.
pub(super) fn stated(wanted: InputSpec) -> Option<InputSpec> {
    let all = |test: &dyn Fn(usize) -> bool| (0..3).all(test);
    let (mean, scale) = (wanted.mean, wanted.scale.map(f32::abs));
    let near = |a: f32, b: f32| (a - b).abs() < 2e-3;
    let rescaled = |c: usize| {
        near(wanted.scale[c], 2.0 * IMAGENET_DEVIATION[c])
            && near(-mean[c] * wanted.scale[c], 2.0 * IMAGENET_MEAN[c] - 1.0)
    };
    if wanted.order == ChannelOrder::Rgb && all(&rescaled) {
        return Some(after(IMAGENET, wanted));
    }
    if mean.iter().any(|&mean| mean > 1.5) || all(&|c| scale[c] < 0.05) {
        return Some(wanted);
    }
    let of_unit = |c: usize| (0.0..=1.0).contains(&mean[c]) && (1.5..=10.0).contains(&scale[c]);
    if all(&of_unit) || all(&|c| scale[c] >= 100.0) {
        return Some(after(UNIT, wanted));
    }
    None
}

/// The input of a network that computes `wanted`, if anything, from what it is given, which is as `usual`.
pub(super) fn before(usual: InputSpec, wanted: Option<InputSpec>) -> InputSpec {
    wanted.map_or(usual, |wanted| after(usual, wanted))
}

/// `wanted` of what `given` makes of a picture.
fn after(given: InputSpec, wanted: InputSpec) -> InputSpec {
    let source = |c: usize| if wanted.order == ChannelOrder::Bgr { 2 - c } else { c };
    let order = if given.order == wanted.order { ChannelOrder::Rgb } else { ChannelOrder::Bgr };
    let mean = |c: usize| given.mean[source(c)] + wanted.mean[c] / given.scale[source(c)];
    let scale = |c: usize| given.scale[source(c)] * wanted.scale[c];
    InputSpec { order, mean: [0, 1, 2].map(mean), scale: [0, 1, 2].map(scale) }
}

/// The names of classes among what the writer noted: a list or a dictionary as Python or JSON writes it.
pub(super) fn labels(metadata: &HashMap<String, String>) -> Vec<String> {
    let noted = ["names", "labels", "classes"].iter().find_map(|&key| metadata.get(key));
    let Some(text) = noted else { return Vec::new() };
    let mut labels = Vec::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find(['\'', '"']) {
        let quote = &rest[start..=start];
        let inside = &rest[start + 1..];
        let Some(end) = inside.find(quote) else { break };
        // In JSON, what a colon follows is a number.
        if !inside[end + 1..].trim_start().starts_with(':') {
            labels.push(crate::printable(&inside[..end]));
        }
        rest = &inside[end + 1..];
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(mean: [f32; 3], scale: [f32; 3]) -> InputSpec {
        InputSpec { order: ChannelOrder::Rgb, mean, scale }
    }

    fn value(input: InputSpec, c: usize, x: f32) -> f32 {
        (x - input.mean[c]) * input.scale[c]
    }

    #[test]
    fn a_graph_that_subtracts_and_divides_says_what_it_expects() {
        let of_unit = stated(spec(IMAGENET_MEAN, IMAGENET_DEVIATION.map(|x| 1.0 / x))).unwrap();
        for c in 0..3 {
            assert!((value(of_unit, c, 90.0) - value(IMAGENET, c, 90.0)).abs() < 1e-4);
        }
        let bytes = spec([103.9, 116.8, 123.7], [1.0; 3]);
        assert_eq!(stated(bytes), Some(bytes));
        let divided = spec([0.0; 3], [1.0 / 255.0; 3]);
        assert_eq!(stated(divided), Some(divided));
        assert_eq!(stated(spec([0.0; 3], [0.9; 3])), None);
    }

    #[test]
    fn what_torchvision_rescales_is_centred() {
        let scale = IMAGENET_DEVIATION.map(|deviation| 2.0 * deviation);
        let mean = [0, 1, 2].map(|c| (1.0 - 2.0 * IMAGENET_MEAN[c]) / scale[c]);
        let input = stated(spec(mean, scale)).unwrap();
        for c in 0..3 {
            assert!((value(input, c, 0.0) + 1.0).abs() < 1e-4);
            assert!((value(input, c, 255.0) - 1.0).abs() < 1e-4);
        }
    }

    #[test]
    fn swapped_channels_take_their_statistics_along() {
        let wanted = InputSpec { order: ChannelOrder::Bgr, mean: [0.0; 3], scale: [1.0; 3] };
        let input = before(IMAGENET, Some(wanted));
        assert_eq!(input.order, ChannelOrder::Bgr);
        assert_eq!(input.mean[0], IMAGENET.mean[2]);
    }

    #[test]
    fn labels_are_read_as_python_and_json_write_them() {
        let of = |text: &str| labels(&HashMap::from([("names".into(), text.into())]));
        assert_eq!(of("{0: 'cat', 1: \"dog's\"}"), ["cat", "dog's"]);
        assert_eq!(of(r#"{"0": "cat", "1": "dog"}"#), ["cat", "dog"]);
        assert_eq!(of(r#"["cat", "dog"]"#), ["cat", "dog"]);
    }
}
