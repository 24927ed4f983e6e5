//! TensorFlow graphs whose batch normalisation, biases and shapes are still computed from constants, as
//! Keras 3 freezes them.

use graph::{InputSpec, Network, OutputGradient, Shape, Size, Tensor, reference};
use safetensors::SafeTensors;

/// Relative L2 error of an activation, of a network of fifty layers computed in `f32` there.
const ACTIVATION: f64 = 1e-4;
/// Of a gradient.
const GRADIENT: f64 = 1e-3;

/// The activation of the last layer, which needs all the others, on a picture of one colour.
fn last(network: &Network) -> Tensor {
    let layers = network.graph.layers();
    let target = network.graph.find_target(&layers[layers.len() - 1].name).unwrap();
    let picture = Tensor { shape: Shape::new(3, 8, 8), data: vec![0.5; 192] };
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

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn resnet50_of_keras_3_gives_tensorflows_numbers() {
    let folder = testkit::shared().join("networks");
    let mut network = import::load(&folder.join("models/tf/keras3_resnet50.pb")).unwrap();
    network.input = InputSpec { mean: [117.0; 3], ..InputSpec::default() };
    let bytes = std::fs::read(folder.join("golden/tf_keras3_resnet50.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let floats = |name: &str| -> Vec<f32> {
        let data = file.tensor(name).unwrap().data().to_vec();
        data.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect()
    };
    // Rows, columns, channels to channels, rows, columns.
    let planar = |name: &str| {
        let shape = file.tensor(name).unwrap().shape().to_vec();
        let mut tensor = Tensor::zeros(Shape::new(shape[2], shape[0], shape[1]));
        for (i, x) in floats(name).into_iter().enumerate() {
            tensor.data[i % shape[2] * tensor.shape.plane() + i / shape[2]] = x;
        }
        tensor
    };
    let image = planar("image");
    let layers = ["resnet50_1/conv2_block3_out_1/Relu", "resnet50_1/conv4_block6_out_1/Relu"];
    let targets = layers.map(|layer| network.graph.find_target(layer).unwrap());
    // In f64, so that no ReLU near zero is decided otherwise than it was there.
    let backend: &dyn graph::Backend = &reference::Reference::<f64>::default();
    for (layer, target) in layers.into_iter().zip(targets) {
        let size = Size::new(image.shape.height, image.shape.width);
        let mut session = backend.compile(&network, &[target]).unwrap().session(size).unwrap();
        session.forward(&image).unwrap();
        let key = layer.replace('/', ".");
        let activation = session.activation(0).unwrap();
        let off = testkit::error(&activation.data, &floats(&format!("{key}.activation")));
        assert!(off < ACTIVATION, "{layer}: the activation is off by {off:e}");
        let mut gradient = Tensor::zeros(image.shape);
        let outputs = [OutputGradient::Activation { weight: 1.0 }];
        session.backward(&outputs, &mut gradient).unwrap();
        let off = testkit::error(&gradient.data, &planar(&format!("{key}.gradient")).data);
        assert!(off < GRADIENT, "{layer}: the gradient is off by {off:e}");
    }
}
