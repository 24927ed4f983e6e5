//! Pixel gradients of terms on a real network, against numbers computed elsewhere.

use crate::common::{edited, machine};
use dream::{Balance, Evaluated, Plan, Preset, Recipe, Tensor, Vector, evaluate};
use graph::{Network, Shape};
use safetensors::SafeTensors;
use testkit::shared;

/// Relative L2 error allowed in gradients by plain loops.
const GRADIENT: f64 = 1e-4;

fn read(name: &str) -> Vec<u8> {
    std::fs::read(shared().join(format!("reference/{name}.safetensors"))).unwrap()
}

fn floats(file: &SafeTensors<'_>, key: &str) -> Vec<f32> {
    let bytes = file.tensor(key).unwrap();
    bytes.data().as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect()
}

fn doubles(file: &SafeTensors<'_>, key: &str) -> Vec<f64> {
    let bytes = file.tensor(key).unwrap();
    bytes.data().as_chunks().0.iter().map(|&eight| f64::from_le_bytes(eight)).collect()
}

/// Height × width × RGB as planes.
fn planar(data: &[f32]) -> Tensor {
    let mut tensor = Tensor::zeros(Shape::new(3, 97, 130));
    for (i, &x) in data.iter().enumerate() {
        tensor.data[i % 3 * 97 * 130 + i / 3] = x;
    }
    tensor
}

struct Case {
    network: Network,
    picture: Tensor,
    vector: Vec<f32>,
}

impl Case {
    fn new() -> Self {
        let path = shared().join("models/bvlc_googlenet.caffemodel");
        let inputs = read("inputs");
        let inputs = SafeTensors::deserialize(&inputs).unwrap();
        Self {
            network: models::load(&path).unwrap(),
            picture: planar(&floats(&inputs, "picture")),
            vector: floats(&inputs, "vector"),
        }
    }

    fn evaluated(&self, terms: &str, balance: Balance) -> Evaluated {
        let mut recipe = edited(Recipe::with_preset(&self.network, Preset::Classic), |recipe| {
            recipe.octaves.count = 1;
            recipe
                .vectors
                .insert("v".into(), Vector { values: self.vector.clone(), ..Vector::default() });
            recipe.balance = balance;
        });
        recipe.set("objective", terms).unwrap();
        let size = self.picture.shape.size();
        let plan = Plan::new(&recipe, &self.network, size, &machine(2)).unwrap();
        evaluate(&plan, &self.picture).unwrap()
    }
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn gradients_of_terms_are_those_computed_elsewhere() {
    let case = Case::new();
    let layer = "layer = \"inception_4c/output\"";
    for (file, key, terms, positions) in [
        ("terms_layer", "layer_energy", "{ LAYER }", 0.0),
        ("terms_layer", "layer_linear", "{ LAYER, measure = \"linear\" }", 0.0),
        ("terms_channel", "channel_linear", "{ LAYER, channels = [5] }", 0.0),
        ("terms_channel", "channel_energy", "{ LAYER, channels = [5], measure = \"energy\" }", 0.0),
        (
            "terms_channel",
            "channels_mix",
            "{ LAYER, channels = [342], weight = 0.7 }, { LAYER, channels = 487, weight = -0.3 }",
            0.0,
        ),
        ("terms_place", "neuron", "{ LAYER, channels = [342], at = [0.5, 0.5] }", 0.0),
        ("terms_direction", "direction", "{ LAYER, vector = \"v\" }", 0.0),
        ("terms_direction", "direction_cosine1", "{ LAYER, vector = \"v\", cosine = 1 }", 0.0),
        ("terms_direction", "direction_cosine2", "{ LAYER, vector = \"v\", cosine = 2 }", 0.0),
        ("terms_class", "logit", "{ class = \"tabby\" }", 12.0),
        ("terms_class", "class_819_cosine2", "{ class = 819, cosine = 2 }", 0.0),
        ("terms_redirect", "redirect_target", "{ LAYER, channels = [6] }", 0.0),
        ("terms_redirect", "redirect_5_and_6", "{ LAYER, channels = [5, 6] }", 0.0),
    ] {
        let found = case.evaluated(&format!("[{}]", terms.replace("LAYER", layer)), Balance::Raw);
        let bytes = read(file);
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let mut expected = planar(&floats(&file, &format!("{key}.gradient")));
        // The logit is a mean over positions.
        if positions > 0.0 {
            expected.data.iter_mut().for_each(|x| *x *= positions as f32);
        }
        let off = testkit::error(&found.gradient.data, &expected.data);
        assert!(off < GRADIENT, "{key}: the gradient is off by {off:e}");
        if let Ok(value) = file.tensor(&format!("{key}.value")) {
            let value = f64::from_le_bytes(value.data().try_into().unwrap());
            if positions == 0.0 {
                assert!((found.value / value - 1.0).abs() < 1e-4, "{key}: {}", found.value);
            }
        }
    }
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn a_class_is_its_logit_whatever_the_size() {
    let case = Case::new();
    let bytes = read("terms_class");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let logit = doubles(&file, "logit.value")[0];
    let found = case.evaluated("[{ class = 281 }]", Balance::Raw).value / 12.0;
    let graph = &case.network.graph;
    let bias = graph.node(graph.find("loss3/classifier").unwrap()).op.vectors()[0][281];
    let found = found + f64::from(bias);
    assert!((found / logit - 1.0).abs() < 1e-4, "{found} instead of {logit}");
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn shares_are_those_of_the_gradient() {
    let case = Case::new();
    let terms = ["3b", "4c", "5b"].map(|name| {
        let weight = if name == "4c" { 2 } else { 1 };
        format!("{{ layer = \"inception_{name}/output\", weight = {weight} }}")
    });
    let found = case.evaluated(&format!("[{}]", terms.join(", ")), Balance::Shares);
    let bytes = read("shares");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let expected = planar(&floats(&file, "gradient"));
    let off = testkit::error(&found.gradient.data, &expected.data);
    assert!(off < GRADIENT, "the gradient is off by {off:e}");
    let strengths = doubles(&file, "strength");
    for ((weight, strength), share) in found.weights.iter().zip(strengths).zip([0.25, 0.5, 0.25]) {
        let measured = share / f64::from(*weight);
        assert!((measured / strength - 1.0).abs() < 1e-4, "{measured} instead of {strength}");
    }
}
