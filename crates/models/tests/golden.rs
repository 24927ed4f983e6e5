//! Activations and gradients of the real networks, against numbers computed elsewhere.
//!
//! Scalar kernels have to give the reference's numbers; fast kernels add in another order, and one
//! ReLU or one maximum decided otherwise moves a gradient by a few thousandths.

use std::path::Path;

use cpu::Cpu;
use graph::{Backend, Network, OutputGradient, Shape, Size, Tensor};
use kernels::{Context, CpuLevel, Threads};
use safetensors::SafeTensors;
use testkit::shared;

/// Relative L2 error allowed in activations, by any kernel.
const ACTIVATION: f64 = 1e-5;
/// In gradients, by any but the scalar kernels.
const GRADIENT_FAST: f64 = 1e-2;

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect()
}

/// Height × width × channels as channels × height × width.
fn planar(shape: &[usize], data: &[f32]) -> Tensor {
    let mut tensor = Tensor::zeros(Shape::new(shape[2], shape[0], shape[1]));
    for (i, &x) in data.iter().enumerate() {
        tensor.data[i % shape[2] * tensor.shape.plane() + i / shape[2]] = x;
    }
    tensor
}

/// Compares the named layers (all that the file has, if none is named).
fn compare(network: &Network, golden: &Path, layers: &[&str], level: CpuLevel, gradient: f64) {
    let bytes = std::fs::read(golden).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let picture = file.tensor("image").unwrap();
    let picture = planar(picture.shape(), &floats(picture.data()));
    let mut compared = 0;
    for key in file.names() {
        let Some(key) = key.strip_suffix(".activation") else { continue };
        let layer = key.replace('.', "/");
        if !layers.is_empty() && !layers.contains(&layer.as_str()) {
            continue;
        }
        let target = network.graph.find_target(&layer).unwrap();
        let backend = Cpu::new(Context::new(Threads::new(2).unwrap(), level));
        let executable = backend.compile(network, &[target]).unwrap();
        let size = Size::new(picture.shape.height, picture.shape.width);
        let mut session = executable.session(size).unwrap();
        session.forward(&picture).unwrap();
        let activation = session.activation(0).unwrap();
        let expected = file.tensor(&format!("{key}.activation")).unwrap();
        let shape = activation.shape;
        assert_eq!([shape.channels, shape.height, shape.width], expected.shape(), "{layer}");
        let off = testkit::error(&activation.data, &floats(expected.data()));
        assert!(off <= ACTIVATION, "{layer} at {level}: activation differs by {off:e}");

        let mut found = Tensor::zeros(picture.shape);
        session.backward(&[OutputGradient::Activation { weight: 1.0 }], &mut found).unwrap();
        let expected = file.tensor(&format!("{key}.gradient")).unwrap();
        let expected = planar(expected.shape(), &floats(expected.data()));
        let off = testkit::error(&found.data, &expected.data);
        assert!(off <= gradient, "{layer} at {level}: gradient differs by {off:e}");
        compared += 1;
    }
    assert!(compared >= layers.len().max(1), "{} has not every layer", golden.display());
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn squeezenet_is_the_reference_at_scalar_level() {
    let shared = shared();
    let golden = shared.join("golden/squeezenet1_1_97x130.safetensors");
    compare(&models::squeezenet().unwrap(), &golden, &[], CpuLevel::Scalar, 1e-4);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn squeezenet_is_near_the_reference_at_the_best_level() {
    let shared = shared();
    let golden = shared.join("golden/squeezenet1_1_97x130.safetensors");
    let level = CpuLevel::detect().unwrap();
    compare(&models::squeezenet().unwrap(), &golden, &[], level, GRADIENT_FAST);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn inception_is_the_reference_at_scalar_level() {
    let shared = shared();
    let network = models::load(&shared.join("models/inception5h_like.pb")).unwrap();
    let golden = shared.join("golden/inception5h_like_97x130.safetensors");
    compare(&network, &golden, &[], CpuLevel::Scalar, 1e-3);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn googlenet_is_the_reference_at_scalar_level() {
    let shared = shared();
    let network = models::load(&shared.join("models/bvlc_googlenet.caffemodel")).unwrap();
    let golden = shared.join("golden/bvlc_googlenet_97x130.safetensors");
    compare(&network, &golden, &[], CpuLevel::Scalar, 1e-4);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn larger_networks_are_near_the_reference_at_the_best_level() {
    let shared = shared();
    let level = CpuLevel::detect().unwrap();
    for (model, golden) in [
        ("inception5h_like.pb", "inception5h_like_97x130.safetensors"),
        ("bvlc_googlenet.caffemodel", "bvlc_googlenet_97x130.safetensors"),
    ] {
        let network = models::load(&shared.join("models").join(model)).unwrap();
        compare(&network, &shared.join("golden").join(golden), &[], level, GRADIENT_FAST);
    }
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn googlenet_of_two_files_is_the_reference() {
    let shared = shared();
    let network = models::load(&shared.join("models/bvlc_googlenet.prototxt")).unwrap();
    let golden = shared.join("golden/bvlc_googlenet_97x130.safetensors");
    compare(&network, &golden, &["inception_3b/output"], CpuLevel::Scalar, 1e-4);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn heads_for_training_are_left_out_and_the_classifier_is_not() {
    let shared = shared();
    let network = models::load(&shared.join("models/bvlc_googlenet.caffemodel")).unwrap();
    let names: Vec<String> = network.graph.layers().into_iter().map(|layer| layer.name).collect();
    assert!(!names.iter().any(|name| name.starts_with("loss1") || name.starts_with("loss2")));
    assert_eq!(names.last().unwrap(), "loss3/classifier");
    assert!(!names.iter().any(|name| name.contains("split")));
    assert!(network.graph.find("inception_4c/relu_3x3").is_ok());
    assert_eq!(network.labels.len(), 1000);
    assert_eq!(network.name, "bvlc_googlenet");
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn inception_has_its_layers_and_input() {
    let shared = shared();
    let network = models::load(&shared.join("models/inception5h_like.pb")).unwrap();
    assert_eq!(network.input.mean, [117.0; 3]);
    assert_eq!(network.labels.len(), 1008);
    let layers = network.graph.layers();
    let layer = |name: &str| layers.iter().find(|layer| layer.name == name).unwrap();
    assert_eq!((layer("mixed4c").channels, layer("mixed4c").stride), (512, 16));
    assert_eq!(layer("mixed4d_3x3_bottleneck_pre_relu").channels, 144);
    assert_eq!(layer("softmax2_pre_activation").channels, 1008);
    assert_eq!(network.graph.find("output2").unwrap(), network.graph.find("softmax2").unwrap());
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn inceptions_first_five_classes_are_the_references() {
    const EXPECTED: [(usize, f32); 5] =
        [(971, 0.129071), (818, 0.092539), (885, 0.089158), (815, 0.050711), (911, 0.041143)];
    let shared = shared();
    let network = models::load(&shared.join("models/inception5h_like.pb")).unwrap();
    let target = network.graph.find_target("softmax2").unwrap();
    let level = CpuLevel::detect().unwrap();
    let backend = Cpu::new(Context::new(Threads::new(2).unwrap(), level));
    let executable = backend.compile(&network, &[target]).unwrap();
    let mut session = executable.session(Size::new(224, 224)).unwrap();
    let image: Vec<f32> = testkit::closed_form(224, 224).into_iter().map(f32::from).collect();
    session.forward(&planar(&[224, 224, 3], &image)).unwrap();
    let chances = session.activation(0).unwrap();
    assert_eq!(chances.shape, Shape::new(1008, 1, 1));
    let mut classes: Vec<usize> = (0..1008).collect();
    classes.sort_by(|&a, &b| chances.data[b].total_cmp(&chances.data[a]));
    for (&class, (expected, chance)) in classes.iter().zip(EXPECTED) {
        assert_eq!(class, expected);
        assert!((chances.data[class] - chance).abs() < 1e-4, "{class}: {}", chances.data[class]);
    }
    assert_eq!(network.labels[971], "bubble");
}
