//! Activations and gradients of the real networks, against numbers computed elsewhere.
//!
//! Scalar kernels have to give the reference's numbers; fast kernels add in another order, and one
//! ReLU or one maximum decided otherwise moves a gradient by a few thousandths.

use std::path::{Path, PathBuf};

use kernels::{CpuLevel, Threads};
use net::{Engine, EngineOptions, Network, Seed, Shape, Tensor};
use safetensors::SafeTensors;

/// Relative L2 error allowed in activations, by any kernel.
const ACTIVATION: f64 = 1e-5;
/// In gradients, by any but the scalar kernels.
const GRADIENT_FAST: f64 = 1e-2;

/// The folder of reference files, or `None` where the environment names none.
fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("DEEPDREAM_SHARED").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: DEEPDREAM_SHARED is not set");
    }
    folder
}

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

fn relative_error(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let square = |x: f64| x * x;
    let difference: f64 =
        found.iter().zip(expected).map(|(&a, &b)| square(f64::from(a) - f64::from(b))).sum();
    (difference / expected.iter().map(|&b| square(b.into())).sum::<f64>()).sqrt()
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
        let options = EngineOptions { threads: Threads::new(2).unwrap(), level };
        let engine = Engine::new(network, &[target], options).unwrap();
        let mut workspace = engine.workspace(picture.shape.height, picture.shape.width).unwrap();
        workspace.forward(&picture);
        let activation = workspace.activation(0);
        let expected = file.tensor(&format!("{key}.activation")).unwrap();
        let shape = activation.shape;
        assert_eq!([shape.channels, shape.height, shape.width], expected.shape(), "{layer}");
        let error = relative_error(&activation.data, &floats(expected.data()));
        assert!(error <= ACTIVATION, "{layer} at {level}: activation differs by {error:e}");

        let mut found = Tensor::zeros(picture.shape);
        workspace.backward(&[Seed::Activation { weight: 1.0 }], &mut found);
        let expected = file.tensor(&format!("{key}.gradient")).unwrap();
        let expected = planar(expected.shape(), &floats(expected.data()));
        let error = relative_error(&found.data, &expected.data);
        assert!(error <= gradient, "{layer} at {level}: gradient differs by {error:e}");
        compared += 1;
    }
    assert!(compared >= layers.len().max(1), "{} has not every layer", golden.display());
}

#[test]
fn squeezenet_is_the_reference_at_scalar_level() {
    let Some(shared) = shared() else { return };
    let golden = shared.join("golden/squeezenet1_1_97x130.safetensors");
    compare(&import::built_in().unwrap(), &golden, &[], CpuLevel::Scalar, 1e-4);
}

#[test]
fn squeezenet_is_near_the_reference_at_the_best_level() {
    let Some(shared) = shared() else { return };
    let golden = shared.join("golden/squeezenet1_1_97x130.safetensors");
    let level = CpuLevel::detect().unwrap();
    compare(&import::built_in().unwrap(), &golden, &[], level, GRADIENT_FAST);
}
