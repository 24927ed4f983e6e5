//! ONNX's files of several exporters, against PyTorch's numbers.

use cpu::Cpu;
use graph::{
    Backend, ChannelOrder, InputSpec, Network, NodeId, OutputGradient, Shape, Tensor, reference,
};
use kernels::{Context, CpuLevel, Threads};
use safetensors::SafeTensors;
use serde_json::Value;

use crate::golden::{Golden, floats};

/// How many layers of `file` are as the numbers of `golden` say; `layers` has their names with the keys of the
/// numbers.
fn agreeing(file: &str, golden: &Golden, layers: &[(String, String)]) -> usize {
    let path = testkit::shared().join("networks/models/onnx").join(file);
    let imported = import::read(&path).unwrap();
    let mut network = imported.network;
    if !imported.input_stated {
        network.input = input(golden);
    }
    layers.iter().for_each(|(layer, key)| golden.check(&network, layer, key));
    layers.len()
}

/// What the network was given.
fn input(golden: &Golden) -> InputSpec {
    let note = golden.note("input");
    // One number for each channel, or one for all.
    let number = |key: &str, c: usize| note[key][c].as_f64().or(note[key].as_f64()).unwrap();
    let three = |key: &str| [0, 1, 2].map(|c| number(key, c));
    let factor = note["scale"].as_f64().unwrap();
    if let Some(offset) = note["offset"].as_f64() {
        let (mean, scale) = ([offset as f32; 3], [factor as f32; 3]);
        return InputSpec { order: ChannelOrder::Rgb, mean, scale };
    }
    let order = match note["order"].as_str().unwrap() {
        "BGR" => ChannelOrder::Bgr,
        _ => ChannelOrder::Rgb,
    };
    let mean = three("mean").map(|mean| (mean / factor) as f32);
    InputSpec { order, mean, scale: three("std").map(|std| (factor / std) as f32) }
}

/// A file with numbers of its own.
fn own(name: &str) {
    let golden = Golden::read(name);
    assert!(agreeing(&format!("{name}.onnx"), &golden, &golden.named("name")) >= 2, "{name}");
}

/// PyTorch's modules are found by their paths, and mean what they give.
fn modules(name: &str) {
    let path = testkit::shared().join(format!("networks/models/onnx/{name}.onnx"));
    let graph = import::load(&path).unwrap().graph;
    let golden = Golden::read(name);
    let names = golden.named("name").into_iter().zip(golden.named("module"));
    for ((output, _), (module, _)) in names {
        assert_eq!(graph.find(&module).unwrap(), graph.find(&output).unwrap(), "{name}: {module}");
    }
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn modules_of_pytorch_are_layers() {
    for name in [
        "alexnet_legacy11",
        "convnext_tiny_legacy13",
        "efficientnet_b0_legacy17",
        "resnext50_dynamo18",
    ] {
        modules(name);
    }
}

/// A file of a network whose numbers are those of another file.
fn other(file: &str) {
    let path = testkit::shared().join("networks/golden/aliases.json");
    let aliases: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let alias = &aliases[file];
    let golden = Golden::read(alias["golden"].as_str().unwrap().trim_end_matches(".safetensors"));
    let layers = alias["layers"].as_object().unwrap().iter();
    let layers: Vec<(String, String)> = layers
        .map(|(name, layer)| (name.clone(), layer["key"].as_str().unwrap().to_owned()))
        .collect();
    assert!(agreeing(file, &golden, &layers) >= 2, "{file}");
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn pytorchs_older_exporter_is_read() {
    for name in [
        "resnet18_f16",
        "resnet18_legacy17_batchnorm",
        "resnet18_normalised_legacy17",
        "resnet50_legacy13",
        "vgg16_legacy11",
        "alexnet_legacy11",
        "squeezenet1_0_legacy13",
        "googlenet_legacy17",
        "inception_v3_legacy11",
        "nin_legacy11",
        "mobilenet_v2_legacy11",
        "mobilenet_v3_large_legacy13",
        "efficientnet_b0_legacy17",
        "efficientnet_v2_legacy13",
        "convnext_tiny_legacy13",
    ] {
        own(name);
    }
    for name in [
        "resnet18_legacy9_inputs",
        "mobilenet_v2_legacy13_dynamic",
        "mobilenet_v2_legacy17_nofold",
        "convnext_tiny_legacy17",
    ] {
        other(&format!("{name}.onnx"));
    }
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn pytorchs_newer_exporter_is_read() {
    for name in ["resnext50_dynamo18", "vgg16_bn_dynamo18", "squeezenet1_1_dynamo18"] {
        own(name);
    }
    for name in [
        "resnet18_dynamo18_external",
        "resnet18_dynamo18_noopt",
        "inception_v3_dynamo18",
        "mobilenet_v2_dynamo18",
    ] {
        other(&format!("{name}.onnx"));
    }
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn other_exporters_are_read() {
    own("caffe2_style_lrn_opset9");
    other("tf2onnx_keras2_inception_v3.onnx");
}

/// A layer's activation and gradient by definition and at every CPU level.
fn responses(network: &Network, target: NodeId, image: &Tensor) -> Vec<(String, [Tensor; 2])> {
    let reference: Box<dyn Backend> = Box::new(reference::Reference::<f64>::default());
    let mut ways = vec![("definition".to_owned(), reference)];
    for level in CpuLevel::available() {
        let cpu = Cpu::new(Context::new(Threads::new(2).unwrap(), level));
        ways.push((level.to_string(), Box::new(cpu)));
    }
    let response = |backend: &dyn Backend| {
        let executable = backend.compile(network, &[target]).unwrap();
        let mut session = executable.session(image.shape.size()).unwrap();
        let mut gradient = Tensor::zeros(image.shape);
        session.forward(image).unwrap();
        let activation = session.activation(0).unwrap();
        session.backward(&[OutputGradient::Activation { weight: 1.0 }], &mut gradient).unwrap();
        [activation, gradient]
    };
    ways.into_iter().map(|(way, backend)| (way, response(&*backend))).collect()
}

/// Vision transformers of PyTorch's exporters, one of which has their attention in one operation.
#[test]
fn vision_transformers_give_pytorchs_numbers() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/onnx/vit");
    let bytes = std::fs::read(folder.join("expected.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let floats = |name: &str| floats(&expected, name);
    let image = Tensor { shape: Shape::new(3, 32, 32), data: floats("image").into() };
    for name in ["legacy17", "dynamo18", "dynamo23"] {
        let mut network = import::load(&folder.join(format!("{name}.onnx"))).unwrap();
        network.input = InputSpec::default();
        let last = network.graph.find(&network.graph.nodes().last().unwrap().name).unwrap();
        network.graph.check_target(last).unwrap();
        for (way, [activation, gradient]) in responses(&network, last, &image) {
            let off = testkit::error(&activation.data, &floats("classes"));
            assert!(off < 1e-5, "{name}, by {way}: the activation is off by {off:e}");
            let off = testkit::error(&gradient.data, &floats("gradient"));
            assert!(off < 1e-4, "{name}, by {way}: the gradient is off by {off:e}");
        }
    }
}

/// Every operation with its attributes, in small files.
#[test]
fn small_files_give_onnx_runtimes_numbers() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/onnx");
    let bytes = std::fs::read(folder.join("expected.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let floats = |name: &str| floats(&expected, name);
    let image = Tensor { shape: Shape::new(3, 12, 16), data: floats("image").into() };
    let mut compared = 0;
    for name in [
        "attention",
        "branches",
        "decoder",
        "enlarged",
        "functions",
        "gates",
        "head",
        "moved",
        "runtime",
        "same",
        "transformer",
        "weights",
        "windows",
    ] {
        let mut network = import::load(&folder.join(format!("{name}.onnx"))).unwrap();
        network.input = InputSpec::default();
        let prefix = format!("{name}/");
        for output in expected.names().iter().filter_map(|key| key.strip_prefix(&prefix)) {
            let target = network.graph.find_target(output).unwrap();
            let expected = floats(&format!("{name}/{output}"));
            for (way, [found, _]) in responses(&network, target, &image) {
                let off = testkit::error(&found.data, &expected);
                assert!(off < 1e-5, "{name}, {output}, by {way}: off by {off:e}");
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 71);
    // At whatever size the picture is.
    for (name, layer, shape) in [
        ("decoder", "joined", Shape::new(9, 7, 10)),
        ("enlarged", "product", Shape::new(4, 13, 19)),
        ("same", "max", Shape::new(4, 4, 5)),
    ] {
        let graph = import::load(&folder.join(format!("{name}.onnx"))).unwrap().graph;
        let layer = graph.find_target(layer).unwrap();
        let shapes = graph.shapes(&[layer], 13, 19).unwrap();
        assert_eq!(shapes[layer.index()], Some(shape), "{name}");
    }
    // So does a transformer that was made for one size: its position embedding is enlarged.
    let network = import::load(&folder.join("transformer.onnx")).unwrap();
    let block = network.graph.find_target("c_block").unwrap();
    let larger = Tensor { shape: Shape::new(3, 20, 26), data: vec![100.0; 3 * 20 * 26].into() };
    let run = reference::forward::<f64>(&network, &[block], &larger).unwrap();
    assert_eq!(run.activation(block).shape, Shape::new(24, 1, 1 + 5 * 6));
    assert!(run.activation(block).data.iter().all(|value| value.is_finite()));
}

/// The architectures that ONNX's package has for tests, whose weights are one number each.
#[test]
fn light_models_are_read_whole() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/onnx/light");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let graph = import::load(&path).unwrap().graph;
        let obstacle = graph.first_unsupported().map(|id| &graph.node(id).name);
        assert_eq!(obstacle, None, "{}", path.display());
        let last = graph.find_target(&graph.nodes().last().unwrap().name).unwrap();
        let shapes = graph.shapes(&[last], 224, 224).unwrap();
        assert_eq!(shapes[last.index()], Some(Shape::new(1000, 1, 1)), "{}", path.display());
        count += 1;
    }
    assert!(count >= 4);
}
