//! Activations and gradients agree with those that other programs computed, through `probe`.

use image::RgbImage;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use crate::room::{Room, shared};

/// Relative error, in L2, of an activation.
const ACTIVATION: f64 = 1e-5;
/// Relative error, in L2, of a gradient whose sums are taken in any order: one flipped ReLU or
/// max-pool choice moves it by some 1e-3.
const GRADIENT: f64 = 1e-2;
/// The same with plain loops, where nothing flips.
const SCALAR_GRADIENT: f64 = 1e-4;

/// The same, compared with numbers that were computed in 32 bits.
const COARSE_GRADIENT: f64 = 1e-3;

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn squeezenet_agrees() {
    agrees(Model::BuiltIn, "squeezenet1_1", None, GRADIENT);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn squeezenet_agrees_in_plain_loops() {
    agrees(Model::BuiltIn, "squeezenet1_1", Some("scalar"), SCALAR_GRADIENT);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn googlenet_agrees() {
    agrees(Model::File("bvlc_googlenet.caffemodel"), "bvlc_googlenet", None, GRADIENT);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn googlenet_agrees_in_plain_loops() {
    let model = Model::File("bvlc_googlenet.prototxt");
    agrees(model, "bvlc_googlenet", Some("scalar"), SCALAR_GRADIENT);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn inception_agrees() {
    agrees(Model::File("inception5h_like.pb"), "inception5h_like", None, GRADIENT);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn inception_agrees_in_plain_loops() {
    let model = Model::File("inception5h_like.pb");
    agrees(model, "inception5h_like", Some("scalar"), COARSE_GRADIENT);
}

/// Where a network comes from.
enum Model {
    BuiltIn,
    File(&'static str),
}

/// Every layer that `golden` has numbers for, at a CPU level.
fn agrees(model: Model, golden: &str, level: Option<&str>, gradient: f64) {
    let golden = shared(format!("golden/{golden}_97x130.safetensors"));
    let model = match model {
        Model::BuiltIn => "squeezenet".into(),
        Model::File(name) => shared("models").join(name).into_os_string(),
    };
    let bytes = std::fs::read(golden).unwrap();
    let golden = SafeTensors::deserialize(&bytes).unwrap();
    let room = Room::new();
    closed_form(130, 97).save(room.path("picture.png")).unwrap();
    let picture: Vec<f64> = closed_form(130, 97).as_raw().iter().copied().map(f64::from).collect();
    assert!(numbers(&golden, "image") == picture, "the picture is another");

    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let layers = metadata.metadata().as_ref().unwrap()["layers"].clone();
    let layers: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&layers).unwrap();
    let mut compared = 0;
    for layer in layers.keys() {
        let key = layer.replace('/', ".");
        if !golden.names().contains(&format!("{key}.activation").as_str()) {
            continue;
        }
        let args = ["probe", "picture.png", "--layer", layer, "--force", "--model"];
        let outputs = ["--activation", "a.safetensors", "--gradient", "g.safetensors"];
        let mut command = room.deepdream();
        command.envs(level.map(|level| ("DEEPDREAM_CPU", level)));
        command.args(args).arg(&model).args(outputs).assert().success();
        for (file, what, bound) in
            [("a.safetensors", "activation", ACTIVATION), ("g.safetensors", "gradient", gradient)]
        {
            let bytes = room.bytes(file);
            let found = SafeTensors::deserialize(&bytes).unwrap();
            let name = format!("{key}.{what}");
            let shape = golden.tensor(&name).unwrap().shape().to_vec();
            assert_eq!(found.tensor(what).unwrap().shape(), shape, "{name}");
            let error = distance(&numbers(&found, what), &numbers(&golden, &name));
            println!("{name}: {error:.1e}");
            assert!(error <= bound, "{name}: {error:e} is more than {bound:e}");
        }
        compared += 1;
    }
    assert!(compared >= 4, "only {compared} layers");
}

#[test]
fn npy_has_the_same_numbers() {
    let room = Room::new();
    room.picture("picture.png");
    let probe = |output: &str| {
        let args = ["probe", "picture.png", "--layer", "conv1", "--gradient", output];
        room.deepdream().args(args).assert().success();
        room.bytes(output)
    };
    let (tensors, npy) = (probe("g.safetensors"), probe("g.npy"));
    let tensors = SafeTensors::deserialize(&tensors).unwrap();
    let npy = npyz::NpyFile::new(&npy[..]).unwrap();
    assert_eq!(npy.shape(), [24, 40, 3]);
    let values: Vec<f64> = npy.into_vec::<f32>().unwrap().into_iter().map(f64::from).collect();
    assert_eq!(values, numbers(&tensors, "gradient"));
}

/// The picture the numbers were computed from.
pub(crate) fn closed_form(width: u32, height: u32) -> RgbImage {
    let bytes = testkit::closed_form(height as usize, width as usize);
    RgbImage::from_raw(width, height, bytes).unwrap()
}

fn numbers(tensors: &SafeTensors, name: &str) -> Vec<f64> {
    let tensor = tensors.tensor(name).unwrap();
    match tensor.dtype() {
        Dtype::F32 => tensor
            .data()
            .chunks_exact(4)
            .map(|bytes| f64::from(f32::from_le_bytes(bytes.try_into().unwrap())))
            .collect(),
        Dtype::U8 => tensor.data().iter().copied().map(f64::from).collect(),
        other => panic!("{name} is {other:?}"),
    }
}

fn distance(found: &[f64], expected: &[f64]) -> f64 {
    let off: f64 = found.iter().zip(expected).map(|(a, b)| (a - b) * (a - b)).sum();
    (off / expected.iter().map(|b| b * b).sum::<f64>()).sqrt()
}
