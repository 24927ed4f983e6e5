//! TensorFlow graphs whose batch normalisation, biases and shapes are still computed from constants, as
//! Keras 3 freezes them.

use graph::{Network, Shape, Tensor, reference};

/// The activation of the last layer, which needs all the others, on a picture of one colour.
fn last(network: &Network) -> Tensor {
    let layers = network.graph.layers();
    let target = network.graph.find_target(&layers[layers.len() - 1].name).unwrap();
    let picture = Tensor { shape: Shape::new(3, 8, 8), data: vec![0.5; 192].into() };
    reference::forward::<f64>(network, &[target], &picture).unwrap().activation(target)
}

#[test]
fn a_network_frozen_from_keras_3_is_read_to_its_end() {
    let bytes = include_bytes!("../data/keras3_unfolded.pb");
    let network = import::load_bytes("keras", bytes).unwrap();
    let classes = last(&network);
    assert_eq!(classes.shape, Shape::new(10, 1, 1));
    assert!((classes.data.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    let names = ["functional_1/bn_1/batchnorm/add_1", "functional_1/b_1/Relu"];
    assert!(names.iter().all(|name| network.graph.find_target(name).is_ok()));
}

#[test]
fn batch_normalisation_in_parts_is_that_in_one() {
    let bytes = include_bytes!("../data/batch_norm_unfolded.pb");
    let network = import::load_bytes("unfolded", bytes).unwrap();
    assert_eq!(last(&network).shape, Shape::new(8, 8, 8));
}
