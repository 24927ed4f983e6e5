//! Networks of several exporters, against the numbers of TensorFlow and PyTorch.

use cpu::Cpu;
use graph::{
    Backend, InputSpec, Network, OutputGradient, Shape, Size, Tensor, reference::Reference,
};
use kernels::{Context, CpuLevel, Threads};
use safetensors::SafeTensors;

/// How far activations and gradients may be off, relative to their length: of all layers but the [`DEEP`] ones, and
/// of these.
struct Bounds {
    activation: [f64; 2],
    gradient: [f64; 2],
}

/// By definition, in `f64`: what is off is what the weights, or the other program, are rounded by.
const DEFINITION: Bounds = Bounds { activation: [1e-5, 1.5e-5], gradient: [1e-4; 2] };
/// In plain Rust.
const SCALAR: Bounds = Bounds { activation: [1e-5, 5e-5], gradient: [1e-4, 5e-2] };
/// With vector instructions and Winograd's products, whose sums have another order: that can decide a ReLU or
/// the largest value of a window otherwise, which moves all of a gradient.
const VECTORS: Bounds = Bounds { activation: [2e-5, 1e-4], gradient: [1e-2, 5e-2] };

/// Layers so deep in ResNet50, ResNeXt50 and MobileNetV2 with weights from a seed that rounding to `f32` comes to
/// more, and turns ReLUs, whoever computes: ONNX Runtime is off by 1e-5 to 5e-5 there.
const DEEP: [&str; 10] = [
    "layer3.5.conv2",
    "layer4.2.relu_2",
    "relu_48",
    "features.17.",
    "res3d_relu",
    "scale4b_branch2b",
    "res5c_relu",
    "conv4_block6_out",
    "block_12_",
    "block_16_",
];

/// How networks are computed, each way with its bounds.
fn ways() -> Vec<(String, Box<dyn Backend>, Bounds)> {
    let mut ways: Vec<(String, Box<dyn Backend>, Bounds)> =
        vec![("definition".into(), Box::new(Reference::<f64>::default()), DEFINITION)];
    for level in CpuLevel::available() {
        let cx = Context::new(Threads::new(1).unwrap(), level);
        let bounds = if level == CpuLevel::Scalar { SCALAR } else { VECTORS };
        ways.push((level.to_string(), Box::new(Cpu::new(cx)), bounds));
    }
    ways
}

/// How many layers of a network are as the other program says; `input` is what the network was given, where
/// it does not say that itself.
fn agreeing(format: &str, file: &str, input: Option<InputSpec>) -> usize {
    let folder = testkit::shared().join("networks");
    let mut network = import::load(&folder.join("models").join(format).join(file)).unwrap();
    network.input = input.unwrap_or(network.input);
    let golden = Golden::read(&format!("{format}_{}", network.name));
    let keys = golden.keys();
    keys.iter().for_each(|key| golden.check(&network, key, key));
    keys.len()
}

/// How many modules of PyTorch's network `file` are as PyTorch says.
fn agreeing_modules(file: &str, golden: &str) -> usize {
    let folder = testkit::shared().join("networks/models/torch");
    let network = import::load(&folder.join(file)).unwrap();
    let golden = Golden::read(golden);
    let modules = golden.modules();
    modules.iter().for_each(|(module, key)| golden.check(&network, module, key));
    modules.len()
}

/// Numbers of another program.
pub(crate) struct Golden {
    name: String,
    bytes: Vec<u8>,
    image: Tensor,
}

impl Golden {
    pub(crate) fn read(name: &str) -> Self {
        let path = testkit::shared().join(format!("networks/golden/{name}.safetensors"));
        let bytes = std::fs::read(path).unwrap();
        let image = planar(&SafeTensors::deserialize(&bytes).unwrap(), "image");
        Self { name: name.to_owned(), bytes, image }
    }

    fn keys(&self) -> Vec<String> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let keys = file.names().into_iter().filter_map(|name| name.strip_suffix(".activation"));
        keys.map(str::to_owned).collect()
    }

    /// What is noted beside the numbers.
    pub(crate) fn note(&self, key: &str) -> serde_json::Value {
        let (_, metadata) = SafeTensors::read_metadata(&self.bytes).unwrap();
        serde_json::from_str(&metadata.metadata().as_ref().unwrap()[key]).unwrap()
    }

    /// The paths of PyTorch's modules with the keys of their numbers.
    fn modules(&self) -> Vec<(String, String)> {
        self.named("module")
    }

    /// What each layer is called, with the key of its numbers.
    pub(crate) fn named(&self, name: &str) -> Vec<(String, String)> {
        let layers = self.note("layers");
        let text = |layer: &serde_json::Value, key: &str| layer[key].as_str().unwrap().to_owned();
        layers
            .as_array()
            .unwrap()
            .iter()
            .map(|layer| (text(layer, name), text(layer, "key")))
            .collect()
    }

    pub(crate) fn check(&self, network: &Network, layer: &str, key: &str) {
        let name = &self.name;
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let activation = floats(&file, &format!("{key}.activation"));
        let gradient = planar(&file, &format!("{key}.gradient"));
        let deep = usize::from(DEEP.iter().any(|layer| key.contains(layer)));
        for (way, backend, bounds) in ways() {
            let found = response(&*backend, network, layer, &self.image);
            let off = testkit::error(&found.0, &activation);
            let what = format!("{name}, {key}, by {way}");
            assert!(off < bounds.activation[deep], "{what}: the activation is off by {off:e}");
            let off = testkit::error(&found.1, &gradient.data);
            assert!(off < bounds.gradient[deep], "{what}: the gradient is off by {off:e}");
        }
    }
}

pub(crate) fn floats(file: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    let data = file.tensor(name).unwrap().data().to_vec();
    data.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect()
}

/// Rows, columns, channels as channels, rows, columns.
fn planar(file: &SafeTensors<'_>, name: &str) -> Tensor {
    let shape = file.tensor(name).unwrap().shape().to_vec();
    let mut tensor = Tensor::zeros(Shape::new(shape[2], shape[0], shape[1]));
    for (i, x) in floats(file, name).into_iter().enumerate() {
        tensor.data[i % shape[2] * tensor.shape.plane() + i / shape[2]] = x;
    }
    tensor
}

/// A layer's activation and gradient. The layer's name has dots for slashes.
fn response(
    backend: &dyn Backend,
    network: &Network,
    key: &str,
    image: &Tensor,
) -> (Vec<f32>, Vec<f32>) {
    let layers = network.graph.layers();
    let layer = layers.iter().find(|layer| layer.name.replace('/', ".") == key);
    // What works in place has a name that is not listed.
    let name = layer.map_or(key, |layer| &layer.name);
    let target = network.graph.find_target(name).unwrap();
    let size = Size::new(image.shape.height, image.shape.width);
    let mut session = backend.compile(network, &[target]).unwrap().session(size).unwrap();
    session.forward(image).unwrap();
    let activation = session.activation(0).unwrap().data;
    let mut gradient = Tensor::zeros(image.shape);
    session.backward(&[OutputGradient::Activation { weight: 1.0 }], &mut gradient).unwrap();
    (activation.into_vec(), gradient.data.into_vec())
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

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn state_dicts_give_pytorchs_numbers() {
    for (file, golden) in [
        ("resnet18.pth", "resnet18_legacy17_batchnorm"),
        ("resnet50.pth", "resnet50_legacy13"),
        ("resnext50.pth", "resnext50_dynamo18"),
        ("alexnet.pth", "alexnet_legacy11"),
        ("alexnet_places365_style.pth.tar", "alexnet_legacy11"),
        ("squeezenet1_0.pth", "squeezenet1_0_legacy13"),
        ("squeezenet1_1.pth", "squeezenet1_1_dynamo18"),
        ("vgg16.pth", "vgg16_legacy11"),
        ("googlenet.pth", "googlenet_legacy17"),
        ("inception_v3.pth", "inception_v3_legacy11"),
        ("mobilenet_v2.pth", "mobilenet_v2_legacy11"),
        ("mobilenet_v3_large.safetensors", "mobilenet_v3_large_legacy13"),
        ("efficientnet_b0.safetensors", "efficientnet_b0_legacy17"),
        ("convnext_tiny.pth", "convnext_tiny_legacy13"),
    ] {
        assert!(agreeing_modules(file, golden) >= 3, "{file}");
    }
}
