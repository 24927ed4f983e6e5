//! Tiny relatives of torchvision's networks as state dicts, against PyTorch's numbers in double precision.

use std::path::Path;

use graph::{Backend, Network, OutputGradient, Shape, Size, Tensor, reference};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// How far activations and gradients may be off, relative to their length.
const ACTIVATION: f64 = 1e-5;
const GRADIENT: f64 = 1e-4;

/// A file of `tests/data/torch/nets`, which `make_nets.py` has made.
struct Reference(Vec<u8>);

impl Reference {
    fn read(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/torch/nets");
        Self(std::fs::read(folder.join(format!("{name}.safetensors"))).unwrap())
    }

    fn file(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.0).unwrap()
    }

    /// The network that its weights are of, read from a `.safetensors` file that has nothing else.
    fn network(&self) -> Network {
        let file = self.file();
        let weights: Vec<(String, TensorView<'_>)> = file
            .tensors()
            .into_iter()
            .filter_map(|(name, view)| Some((name.strip_prefix("weights.")?.to_owned(), view)))
            .collect();
        let bytes = safetensors::serialize(weights, None).unwrap();
        import::load_bytes("net", &bytes).unwrap()
    }

    fn numbers(&self, name: &str) -> Vec<f32> {
        let (file, name) = (self.file(), name);
        let view = file.tensor(name).unwrap();
        match view.dtype() {
            Dtype::U8 => view.data().iter().map(|&x| f32::from(x)).collect(),
            Dtype::F32 => {
                view.data().as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect()
            }
            other => panic!("{name} is {other:?}"),
        }
    }

    /// Rows, columns, channels as channels, rows, columns.
    fn planar(&self, name: &str) -> Tensor {
        let shape = self.file().tensor(name).unwrap().shape().to_vec();
        let mut tensor = Tensor::zeros(Shape::new(shape[2], shape[0], shape[1]));
        for (i, x) in self.numbers(name).into_iter().enumerate() {
            tensor.data[i % shape[2] * tensor.shape.plane() + i / shape[2]] = x;
        }
        tensor
    }

    fn modules(&self) -> Vec<String> {
        let file = self.file();
        let names = file.names().into_iter().filter_map(|name| name.strip_suffix(".activation"));
        names.map(str::to_owned).collect()
    }
}

/// Compares every module that the file has numbers of.
fn agrees(name: &str, layer: impl Fn(&str) -> String) {
    let reference = Reference::read(name);
    let (network, image) = (reference.network(), reference.planar("image"));
    let backend = reference::Reference::<f64>::default();
    let size = Size::new(image.shape.height, image.shape.width);
    let (mut activations, mut gradients) = (0, 0);
    for module in reference.modules() {
        let target = network.graph.find_target(&layer(&module)).unwrap();
        let mut session = backend.compile(&network, &[target]).unwrap().session(size).unwrap();
        session.forward(&image).unwrap();
        let expected = reference.numbers(&format!("{module}.activation"));
        let off = testkit::error(&session.activation(0).unwrap().data, &expected);
        assert!(off < ACTIVATION, "{name}, {module}: the activation is off by {off:e}");
        activations += 1;
        let gradient = format!("{module}.gradient");
        if reference.file().tensor(&gradient).is_ok() {
            let mut found = Tensor::zeros(image.shape);
            session.backward(&[OutputGradient::Activation { weight: 1.0 }], &mut found).unwrap();
            let off = testkit::error(&found.data, &reference.planar(&gradient).data);
            assert!(off < GRADIENT, "{name}, {module}: the gradient is off by {off:e}");
            gradients += 1;
        }
    }
    assert!(activations >= 2 && gradients == 1, "{name}: {activations} and {gradients}");
}

#[test]
fn networks_give_pytorchs_numbers_under_its_names() {
    for name in [
        "clip",
        "densenet",
        "efficientnet_v2",
        "mnasnet",
        "mobilenet_v3_small",
        "nin",
        "regnet",
        "robust",
        "shufflenet",
        "vgg_bn",
        "vit",
    ] {
        agrees(name, str::to_owned);
    }
}

#[test]
fn convnext_has_its_authors_names_where_they_wrote_the_file() {
    // Stages 1, 2 and 3 stand at 3, 5 and 7 in torchvision's sequence.
    agrees("convnext", |module| {
        module.replace("features.3.", "stages.1.").replace("features.5.", "stages.2.")
    });
}

#[test]
fn the_input_is_the_publishers() {
    let input = |name: &str| Reference::read(name).network().input;
    let near = |found: [f32; 3], expected: [f32; 3]| {
        found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3 * b.abs())
    };
    // What a robust network's own buffers say.
    assert!(near(input("robust").mean, [0.485, 0.456, 0.406].map(|x| x * 255.0)));
    assert!(near(input("clip").mean, [122.771, 116.746, 104.094]));
    assert_eq!(input("nin"), import::CAFFE_INPUT);
}
