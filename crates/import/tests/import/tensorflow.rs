//! Every TensorFlow operation that is read, against TensorFlow's own numbers
//! (`data/make_tensorflow.py`).

use graph::{Shape, Tensor, reference};
use safetensors::SafeTensors;

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect()
}

#[test]
fn every_operation_gives_tensorflows_values() {
    let network = import::load_bytes("ops", include_bytes!("../data/tensorflow_ops.pb")).unwrap();
    let file =
        SafeTensors::deserialize(include_bytes!("../data/tensorflow_ops.safetensors")).unwrap();
    let mut picture = Tensor::zeros(Shape::new(3, 9, 11));
    for (i, x) in floats(file.tensor("input").unwrap().data()).into_iter().enumerate() {
        picture.data[i % 3 * 99 + i / 3] = x;
    }
    let mut compared = 0;
    for name in file.names().into_iter().filter(|name| *name != "input") {
        let target = network.graph.find_target(name).unwrap();
        let run = reference::forward::<f64>(&network, &[target], &picture).unwrap();
        let (found, expected) = (run.activation(target), file.tensor(name).unwrap());
        let shape = [found.shape.channels, found.shape.height, found.shape.width];
        let flat = [found.shape.channels];
        assert!(expected.shape() == shape || expected.shape() == flat, "{name}: {shape:?}");
        for (i, (a, b)) in found.data.iter().zip(floats(expected.data())).enumerate() {
            assert!((a - b).abs() <= 1e-5 * (1.0 + b.abs()), "{name}[{i}]: {a} instead of {b}");
        }
        compared += 1;
    }
    assert_eq!(compared, 21);
}

#[test]
fn a_convolution_is_there_with_and_without_its_bias() {
    let network = import::load_bytes("ops", include_bytes!("../data/tensorflow_ops.pb")).unwrap();
    let graph = &network.graph;
    let (with, without) = (graph.find("same").unwrap(), graph.find("Conv2D").unwrap());
    let bias = |node| match &graph.node(node).op {
        graph::Op::Conv2d(conv) => conv.bias.clone(),
        other => panic!("{other:?}"),
    };
    assert!(bias(without).iter().all(|&x| x == 0.0));
    assert!(bias(with).iter().any(|&x| x != 0.0));
    assert_eq!(graph.node(with).inputs, [graph.input()]);
}

#[test]
fn fully_connected_behind_positions_slides_over_larger_pictures() {
    let network = import::load_bytes("ops", include_bytes!("../data/tensorflow_ops.pb")).unwrap();
    let graph = &network.graph;
    let slides = graph.find_target("of_mean").unwrap();
    assert!(graph.shapes(&[slides], 20, 30).is_ok());
    let fixed = graph.find_target("hidden").unwrap();
    assert!(graph.shapes(&[fixed], 20, 30).unwrap_err().to_string().contains("trained"));
}
