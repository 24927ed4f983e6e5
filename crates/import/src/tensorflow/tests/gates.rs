//! Swish and gates (squeeze and excitation) as Keras writes them.

use graph::{Network, Shape, Tensor, reference};

use super::*;

#[test]
fn swish_and_gates_are_computed() {
    let mut nodes = small();
    let slice = node("batch", "StridedSlice", &["shape", "begin", "end", "one"]);
    nodes.extend([
        node("sigmoid", "Sigmoid", &["conv"]),
        node("product", "Mul", &["sigmoid", "conv"]),
        // It has a gradient of its own, and as second output what that is computed from.
        node("swish", "IdentityN", &["product", "conv"]),
        integers("axes", &[2], &[1, 2]),
        node("means", "Mean", &["swish", "axes"]),
        node("shape", "Shape", &["means"]),
        integers("begin", &[1], &[0]),
        integers("end", &[1], &[1]),
        integers("one", &[1], &[1]),
        with(slice, "shrink_axis_mask", integer(1)),
        integers("single", &[], &[1]),
        integers("channels", &[], &[2]),
        node("sizes", "Pack", &["batch", "single", "single", "channels"]),
        node("map", "Reshape", &["means", "sizes"]),
        node("gate", "Tanh", &["map"]),
        node("gated", "Mul", &["swish", "gate"]),
    ]);
    let (name, hash, labels) = (String::new(), String::new(), Vec::new());
    let graph = read(&nodes).unwrap();
    let target = graph.find_target("gated").unwrap();
    let network = Network { name, hash, graph, input: Default::default(), labels };
    let picture =
        Tensor { shape: Shape::new(3, 1, 2), data: vec![0.5, -1.0, 0.0, 0.5, 0.25, -0.5].into() };
    let run = reference::forward::<f64>(&network, &[target], &picture).unwrap();
    // The convolution adds the colours up: 0.75 and −1.
    let swish = [0.75f64, -1.0].map(|x| x / (1.0 + (-x).exp()));
    let gate = ((swish[0] + swish[1]) / 2.0).tanh();
    for (found, expected) in run.activation(target).data.iter().zip(swish.repeat(2)) {
        assert!((f64::from(*found) - expected * gate).abs() < 1e-6, "{found} {expected}");
    }
}
