//! Guides against numbers computed elsewhere, and by what must hold for any.

use std::sync::Arc;

use graph::{OutputGradient, Shape, Size, Tensor};
use safetensors::SafeTensors;
use testkit::{Random, shared};

use super::guide::{Guiding, Matched, Matching, average, seen};
use super::place::View;
use super::seeds::{Active, Seeding, Seeds};
use crate::ascent::Shift;
use crate::testing::{context, threads};
use crate::{Machine, Measure};

fn read(path: &str) -> Vec<u8> {
    std::fs::read(shared().join(path)).unwrap()
}

/// A tensor of channels × height × width, or of as many as there are.
fn floats(file: &SafeTensors<'_>, key: &str) -> Tensor {
    let view = file.tensor(key).unwrap();
    let &[.., height, width] = view.shape() else { panic!("{key} has {:?}", view.shape()) };
    let data: Vec<f32> =
        view.data().as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    Tensor { shape: Shape::new(data.len() / (height * width), height, width), data: data.into() }
}

/// A picture of height × width × 3.
fn picture(file: &SafeTensors<'_>, key: &str) -> Tensor {
    let view = file.tensor(key).unwrap();
    let mut picture = Tensor::zeros(Shape::new(3, view.shape()[0], view.shape()[1]));
    let plane = picture.shape.plane();
    for (at, four) in view.data().as_chunks::<4>().0.iter().enumerate() {
        picture.data[at % 3 * plane + at / 3] = f32::from_le_bytes(*four);
    }
    picture
}

fn column(features: &Tensor) -> Tensor {
    let shape = Shape::new(features.shape.channels, 1, features.shape.plane());
    Tensor { shape, data: features.data.clone() }
}

fn seeding(features: &Tensor, cosine: f32) -> Seeding {
    let matching = Matching::new(&context(), &Arc::new(column(features)), cosine > 0.0);
    Seeding {
        direction: Vec::new(),
        listed: Vec::new(),
        guiding: Some(Guiding::Match(Arc::new(matching))),
        measure: Measure::Linear,
        cosine,
        at: None,
    }
}

/// One that looks to the same place of a guide.
fn placed(cosine: f32) -> Seeding {
    let picture = Arc::new(Tensor::zeros(Shape::new(3, 32, 32)));
    Seeding {
        direction: Vec::new(),
        listed: Vec::new(),
        guiding: Some(Guiding::Place(picture)),
        measure: Measure::Linear,
        cosine,
        at: None,
    }
}

/// The value and the output gradient of one term, whose guide has these values at the same places.
fn evaluated_at(activation: &Tensor, seeding: &Seeding, guide: Option<&Tensor>) -> (f64, Tensor) {
    let mut seeds = Seeds::new(activation.shape, [Some(seeding)].into_iter());
    seeds.activation().data.copy_from_slice(&activation.data);
    if let Some(guide) = guide {
        seeds.placed(0).expect("it looks to a place").data.copy_from_slice(&guide.data);
    }
    let view = View::whole(Size::new(97, 130), Shift::default());
    let active = [0].map(|_| Active { seeding: Some(seeding), weight: 1.0 });
    let active = active.iter().map(|it| Active { seeding: it.seeding, weight: it.weight });
    let value = seeds.update(&threads(), &view, active);
    match seeds.output_gradient() {
        OutputGradient::Gradient(gradient) => (value, gradient.clone()),
        _ => unreachable!("a guide revives no channel"),
    }
}

fn positive(random: &mut Random, shape: Shape) -> Tensor {
    let mut tensor = random.tensor(shape);
    tensor.data.iter_mut().for_each(|x| *x = x.abs() + 0.1);
    tensor
}

#[test]
fn output_gradients_are_the_slopes_of_the_values() {
    let random = &mut Random(11);
    let (mut activation, guide) =
        (positive(random, Shape::new(7, 3, 4)), positive(random, Shape::new(7, 2, 5)));
    let same = positive(random, activation.shape);
    for (cosine, place) in [0.0, 1.0, 2.0].into_iter().flat_map(|it| [(it, false), (it, true)]) {
        let seeding = if place { placed(cosine) } else { seeding(&guide, cosine) };
        let evaluated =
            |activation: &Tensor| evaluated_at(activation, &seeding, place.then_some(&same));
        let (_, gradient) = evaluated(&activation);
        for at in (0..activation.data.len()).step_by(5) {
            const STEP: f32 = 1e-3;
            let before = activation.data[at];
            let [more, less] = [STEP, -STEP].map(|step| {
                activation.data[at] = before + step;
                evaluated(&activation).0
            });
            activation.data[at] = before;
            let slope = (more - less) / f64::from(2.0 * STEP);
            let found = f64::from(gradient.data[at]);
            assert!((found - slope).abs() < 1e-2 * slope.abs().max(0.1), "{found} for {slope}");
        }
    }
}

#[test]
fn what_is_most_like_a_picture_is_itself() {
    let random = &mut Random(12);
    let activation = positive(random, Shape::new(9, 6, 7));
    let features = Arc::new(column(&activation));
    let matching = Matching::new(&context(), &features, true);
    let mut matched = Matched::new(42);
    matching.choose(&activation, &mut matched);
    let own: Vec<u32> = (0..42).collect();
    assert_eq!(matched.best(), own);
    // And so is the direction.
    for channel in 0..9 {
        let direction: Vec<f32> = matching.direction(&matched, channel).collect();
        assert_eq!(direction, activation.channel(channel));
    }
}

#[test]
fn an_average_is_the_mean_or_shares() {
    let features =
        Tensor { shape: Shape::new(2, 1, 3), data: vec![1.0, 2.0, 3.0, -1.0, 0.0, -5.0].into() };
    assert_eq!(average(&features, false), [2.0, -2.0]);
    assert_eq!(average(&features, true), [0.5, -0.5]);
    assert_eq!(average(&Tensor::zeros(features.shape), true), [0.0, 0.0]);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn guides_are_seen_matched_and_averaged_as_in_the_reference() {
    let network = models::load(&shared().join("models/bvlc_googlenet.caffemodel")).unwrap();
    let cx = context();
    let backend = Arc::new(cpu::Cpu::new(cx.clone()));
    let machine =
        Machine { backend, context: cx.clone(), memory: 1 << 32, scratch: Default::default() };
    let inputs = read("reference/inputs.safetensors");
    let inputs = SafeTensors::deserialize(&inputs).unwrap();
    let guide = picture(&inputs, "guide_small");
    let seen = |layer: &str| seen(layer, &[&guide], &network, &machine).unwrap();
    let features = seen("inception_3b/output");
    let bytes = read("reference/guide_features.safetensors");
    let expected = floats(&SafeTensors::deserialize(&bytes).unwrap(), "guide_small_3b");
    assert!(testkit::error(&features.data, &expected.data) < 1e-5);

    let bytes = read("golden/bvlc_googlenet_97x130.safetensors");
    let golden = SafeTensors::deserialize(&bytes).unwrap();
    let activation = floats(&golden, "inception_3b.output.activation");
    for (name, cosine) in [("guide_match_dot", false), ("guide_match_cosine", true)] {
        let bytes = read(&format!("reference/terms_{name}.safetensors"));
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let matching = Matching::new(&cx, &Arc::new(column(&expected)), cosine);
        let mut matched = Matched::new(activation.shape.plane());
        let value = matching.choose(&activation, &mut matched);
        let chosen = file.tensor(&format!("{name}.chosen")).unwrap();
        let number = |four: &[u8; 4]| f32::from_le_bytes(*four) as u32;
        let chosen: Vec<u32> = chosen.data().as_chunks().0.iter().map(number).collect();
        assert_eq!(matched.best(), chosen, "{name}");
        if !cosine {
            let expected = file.tensor(&format!("{name}.value")).unwrap();
            let expected = f64::from_le_bytes(expected.data().try_into().unwrap());
            assert!((value / expected - 1.0).abs() < 1e-5, "{value} for {expected}");
        }
    }
    let bytes = read("reference/terms_guide_channels.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let weights = file.tensor("guide_channels.weights").unwrap();
    let number = |four: &[u8; 4]| f32::from_le_bytes(*four);
    let weights: Vec<f32> = weights.data().as_chunks().0.iter().map(number).collect();
    assert!(testkit::error(&average(&expected, true), &weights) < 1e-5);
    let bytes = read("reference/terms_guide_other.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mean = file.tensor("guide_average_4c").unwrap();
    let mean: Vec<f32> = mean.data().as_chunks().0.iter().map(number).collect();
    let found = average(&seen("inception_4c/output"), false);
    assert!(testkit::error(&found, &mean) < 1e-5);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn the_same_place_of_a_guide_is_as_in_the_reference() {
    let inputs = read("reference/inputs.safetensors");
    let activation = floats(&SafeTensors::deserialize(&inputs).unwrap(), "act_4c");
    let bytes = read("reference/terms_guide_other.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let guide = floats(&file, "guide_same_4c");
    let (value, seed) = evaluated_at(&activation, &placed(1.0), Some(&guide));
    let expected = file.tensor("guide_place_cosine1.value").unwrap();
    let expected = f64::from_le_bytes(expected.data().try_into().unwrap());
    assert!((value / expected - 1.0).abs() < 1e-5, "{value} for {expected}");
    let off = testkit::error(&seed.data, &floats(&file, "guide_place_cosine1.seed").data);
    assert!(off < 1e-5, "{off:e}");
}
