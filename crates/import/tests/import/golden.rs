//! Networks of several exporters, against the numbers of TensorFlow and PyTorch.

use graph::{InputSpec, Network, OutputGradient, Shape, Size, Tensor, reference};
use safetensors::SafeTensors;

/// How far activations and gradients may be off, relative to their length.
const ACTIVATION: f64 = 1e-4;
const GRADIENT: f64 = 1e-3;
/// Of layers behind ReLU6s, one of which a change of the picture by 1e-4 turns.
const LOOSE_GRADIENT: f64 = 2e-2;

/// How many layers of a network are as the other program says; `input` is what the network was given, where
/// it does not say that itself.
fn agreeing(format: &str, file: &str, input: Option<InputSpec>) -> usize {
    let folder = testkit::shared().join("networks");
    let mut network = import::load(&folder.join("models").join(format).join(file)).unwrap();
    network.input = input.unwrap_or(network.input);
    let name = network.name.clone();
    let golden = folder.join(format!("golden/{format}_{name}.safetensors"));
    let bytes = std::fs::read(golden).unwrap();
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
    let keys = file.names().into_iter().filter_map(|name| name.strip_suffix(".activation"));
    keys.map(|key| {
        let (activation, gradient) = response(&network, key, &image);
        let off = testkit::error(&activation, &floats(&format!("{key}.activation")));
        assert!(off < ACTIVATION, "{name}, {key}: the activation is off by {off:e}");
        let off = testkit::error(&gradient, &planar(&format!("{key}.gradient")).data);
        let loose = ["block_12", "block_16"].iter().any(|block| key.contains(block));
        let most = if loose { LOOSE_GRADIENT } else { GRADIENT };
        assert!(off < most, "{name}, {key}: the gradient is off by {off:e}");
    })
    .count()
}

/// A layer's activation and gradient; in f64, so that no ReLU near zero is decided otherwise than it was
/// there. The layer's name has dots for slashes.
fn response(network: &Network, key: &str, image: &Tensor) -> (Vec<f32>, Vec<f32>) {
    let layers = network.graph.layers();
    let layer = layers.iter().find(|layer| layer.name.replace('/', ".") == key);
    // What works in place has a name that is not listed.
    let name = layer.map_or(key, |layer| &layer.name);
    let target = network.graph.find_target(name).unwrap();
    let backend: &dyn graph::Backend = &reference::Reference::<f64>::default();
    let size = Size::new(image.shape.height, image.shape.width);
    let mut session = backend.compile(network, &[target]).unwrap().session(size).unwrap();
    session.forward(image).unwrap();
    let activation = session.activation(0).unwrap().data;
    let mut gradient = Tensor::zeros(image.shape);
    session.backward(&[OutputGradient::Activation { weight: 1.0 }], &mut gradient).unwrap();
    (activation, gradient.data)
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn frozen_graphs_give_tensorflows_numbers() {
    let minus = |mean| InputSpec { mean: [mean; 3], ..InputSpec::default() };
    let centred = InputSpec { scale: [1.0 / 127.5; 3], ..minus(127.5) };
    assert_eq!(agreeing("tf", "keras3_resnet50.pb", Some(minus(117.0))), 2);
    for file in ["keras2_inception_v3.pb", "keras2_mobilenet_v2.pb", "slim_inception_v1.pb"] {
        assert!(agreeing("tf", file, Some(centred)) >= 3, "{file}");
    }
    // It subtracts 128 and multiplies by 1/128 itself.
    assert!(agreeing("tf", "inception_2015.pb", None) >= 3);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn caffes_networks_give_pytorchs_numbers() {
    for name in ["nin", "resnet50", "vgg16"] {
        for end in ["caffemodel", "prototxt"] {
            let file = format!("{name}.{end}");
            assert!(agreeing("caffe", &file, None) >= 3, "{file}");
        }
    }
}
