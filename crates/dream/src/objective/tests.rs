//! Values and output gradients against finite differences, and against numbers computed elsewhere.

use graph::{OutputGradient, Shape, Size, Tensor};
use safetensors::SafeTensors;
use testkit::{Random, shared};

use super::place::View;
use super::seeds::{Active, Seeding, Seeds};
use crate::Measure;
use crate::ascent::Shift;
use crate::testing::threads;

const SIZE: Size = Size { height: 97, width: 130 };

fn view() -> View {
    View::whole(SIZE, Shift::default())
}

fn seeding(direction: &[f32], measure: Measure) -> Seeding {
    let (direction, listed) = (direction.to_vec(), Vec::new());
    Seeding { direction, listed, guiding: None, measure, cosine: 0.0, at: None }
}

/// The value and the output gradient of weighted terms of a layer's values.
fn evaluated(activation: &Tensor, terms: &[(Option<Seeding>, f32)]) -> (f64, Tensor, Vec<usize>) {
    let seedings = terms.iter().map(|(seeding, _)| seeding.as_ref());
    let mut seeds = Seeds::new(activation.shape, seedings);
    let mut value = 0.0;
    // Twice, since the second round finds the first one's values.
    for _ in 0..2 {
        seeds.activation().data.copy_from_slice(&activation.data);
        let terms = terms.iter();
        let active = |(seeding, weight): &'_ (Option<Seeding>, f32)| (seeding.clone(), *weight);
        let owned: Vec<_> = terms.map(active).collect();
        let active = owned
            .iter()
            .map(|(seeding, weight)| Active { seeding: seeding.as_ref(), weight: *weight });
        value = seeds.update(&threads(), &view(), active);
    }
    match seeds.output_gradient() {
        OutputGradient::Gradient(gradient) => (value, gradient.clone(), Vec::new()),
        OutputGradient::Unmasked { gradient, channels } => {
            (value, gradient.clone(), channels.to_vec())
        }
        OutputGradient::Activation { .. } => unreachable!("seeds are tensors"),
    }
}

fn alone(activation: &Tensor, seeding: Seeding) -> (f64, Tensor) {
    let (value, gradient, _) = evaluated(activation, &[(Some(seeding), 1.0)]);
    (value, gradient)
}

#[test]
fn output_gradients_are_the_slopes_of_the_values() {
    let random = &mut Random(5);
    let shape = Shape::new(7, 5, 6);
    let mut activation = random.tensor(shape);
    activation.data.iter_mut().for_each(|x| *x = x.max(-0.2) + 0.2);
    let direction = random.values(shape.channels);
    let at = Some([0.6, 0.3]);
    let terms = [Measure::Energy, Measure::Linear].into_iter().flat_map(|measure| {
        let plain = seeding(&direction, measure);
        let mut all = vec![plain.clone(), Seeding { at, ..plain.clone() }];
        if measure == Measure::Linear {
            let cosine = |cosine, at| Seeding { cosine, at, ..plain.clone() };
            all.extend([cosine(1.0, None), cosine(2.0, None), cosine(0.5, at)]);
        }
        all
    });
    for term in terms {
        let (_, gradient) = alone(&activation, term.clone());
        let mut moved = activation.clone();
        for index in 0..moved.data.len() {
            const STEP: f32 = 1.0 / 1024.0;
            let mut at = |x: f32| {
                moved.data[index] = x;
                alone(&moved, term.clone()).0
            };
            let x = activation.data[index];
            let slope = (at(x + STEP) - at(x - STEP)) / f64::from(2.0 * STEP);
            moved.data[index] = x;
            let found = f64::from(gradient.data[index]);
            assert!((slope - found).abs() < 2e-3, "{term:?} at {index}: {found} but {slope}");
        }
    }
}

#[test]
fn terms_of_a_layer_add_up_by_their_weights() {
    let random = &mut Random(6);
    let activation = random.tensor(Shape::new(9, 4, 5));
    let linear = seeding(&random.values(9), Measure::Linear);
    let cosine = Seeding { cosine: 1.0, ..seeding(&random.values(9), Measure::Linear) };
    let whole = evaluated(&activation, &[(None, 1.0)]);
    assert_eq!(whole.1.data, activation.data);
    let parts = [alone(&activation, linear.clone()), alone(&activation, cosine.clone())];
    let terms = [(None, 0.5), (Some(linear), -2.0), (Some(cosine), 3.0)];
    let (value, gradient, _) = evaluated(&activation, &terms);
    let expected = 0.5 * whole.0 - 2.0 * parts[0].0 + 3.0 * parts[1].0;
    assert!((value - expected).abs() < 1e-6 * expected.abs().max(1.0));
    for index in 0..gradient.data.len() {
        let [linear, cosine] = [0, 1].map(|part: usize| parts[part].1.data[index]);
        let expected = 0.5 * activation.data[index] - 2.0 * linear + 3.0 * cosine;
        assert!((gradient.data[index] - expected).abs() < 1e-5);
    }
}

#[test]
fn listed_channels_that_are_dead_are_revived_where_more_of_them_is_wanted() {
    let mut activation = Tensor::zeros(Shape::new(4, 2, 3));
    activation.channel_mut(1)[2] = 3.0;
    let listed = |channels: &[usize]| {
        let mut direction = vec![0.0; 4];
        channels.iter().for_each(|&channel| direction[channel] = 1.0);
        Seeding { listed: channels.to_vec(), ..seeding(&direction, Measure::Linear) }
    };
    let revived = |terms: &[(Option<Seeding>, f32)]| evaluated(&activation, terms);
    let (_, gradient, channels) = revived(&[(Some(listed(&[0, 1, 3])), 1.0)]);
    assert_eq!(channels, [0, 3]);
    assert_eq!(gradient.channel(3), [1.0; 6]);
    assert_eq!(revived(&[(Some(listed(&[0])), -1.0)]).2, [0; 0]);
    assert_eq!(revived(&[(None, 1.0), (Some(listed(&[1])), 1.0)]).2, [0; 0]);
    // Less of a dead channel is no way to grow it, whatever another term says.
    let (_, gradient, channels) = revived(&[(Some(listed(&[0])), 1.0), (Some(listed(&[0])), -3.0)]);
    assert_eq!(channels, [0]);
    assert_eq!(gradient.channel(0), [0.0; 6]);
    let energy = Seeding { measure: Measure::Energy, ..listed(&[0]) };
    assert_eq!(revived(&[(Some(energy), 1.0)]).2, [0; 0]);
}

fn floats(file: &SafeTensors<'_>, key: &str) -> Tensor {
    let tensor = file.tensor(key).unwrap();
    let [channels, height, width] = match *tensor.shape() {
        [channels, height, width] => [channels, height, width],
        [count] => [count, 1, 1],
        _ => panic!("{key}"),
    };
    let data = tensor.data().as_chunks().0.iter().map(|&four| f32::from_le_bytes(four));
    Tensor { shape: Shape::new(channels, height, width), data: data.collect() }
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn output_gradients_are_those_computed_elsewhere() {
    let read =
        |name: &str| std::fs::read(shared().join(format!("reference/{name}.safetensors"))).unwrap();
    let inputs = read("inputs");
    let inputs = SafeTensors::deserialize(&inputs).unwrap();
    let [of_4c, of_5b] = ["act_4c", "act_5b"].map(|key| floats(&inputs, key));
    let vector = floats(&inputs, "vector").data;
    let row = {
        let network = models::load(&shared().join("models/bvlc_googlenet.caffemodel")).unwrap();
        move |class| {
            let classes = super::class::Classes::of(&network).unwrap();
            assert_eq!(network.graph.node(classes.node).name, "inception_5b/output");
            classes.direction(&network.graph, class, 1024).unwrap()
        }
    };
    let channel = |channels: &[usize], measure| {
        let mut direction = vec![0.0; 512];
        channels.iter().for_each(|&channel| direction[channel] = 1.0);
        seeding(&direction, measure)
    };
    let with_cosine = |cosine, seeding: Seeding| Seeding { cosine, ..seeding };
    let linear = |direction: &[f32]| seeding(direction, Measure::Linear);
    type Terms = Vec<(Option<Seeding>, f32)>;
    let cases: Vec<(&str, &str, &Tensor, Terms)> = vec![
        ("terms_layer", "layer_energy", &of_4c, vec![(None, 1.0)]),
        ("terms_layer", "layer_linear", &of_4c, vec![(Some(linear(&[1.0; 512])), 1.0)]),
        (
            "terms_channel",
            "channel_linear",
            &of_4c,
            vec![(Some(channel(&[5], Measure::Linear)), 1.0)],
        ),
        (
            "terms_channel",
            "channel_energy",
            &of_4c,
            vec![(Some(channel(&[5], Measure::Energy)), 1.0)],
        ),
        (
            "terms_channel",
            "channels_mix",
            &of_4c,
            vec![
                (Some(channel(&[342], Measure::Linear)), 0.7),
                (Some(channel(&[487], Measure::Linear)), -0.3),
            ],
        ),
        (
            "terms_place",
            "neuron",
            &of_4c,
            vec![(Some(Seeding { at: Some([0.5, 0.5]), ..channel(&[342], Measure::Linear) }), 1.0)],
        ),
        ("terms_direction", "direction", &of_4c, vec![(Some(linear(&vector)), 1.0)]),
        (
            "terms_direction",
            "direction_cosine1",
            &of_4c,
            vec![(Some(with_cosine(1.0, linear(&vector))), 1.0)],
        ),
        (
            "terms_direction",
            "direction_cosine2",
            &of_4c,
            vec![(Some(with_cosine(2.0, linear(&vector))), 1.0)],
        ),
        (
            "terms_class",
            "class_819_cosine2",
            &of_5b,
            vec![(Some(with_cosine(2.0, linear(&row(819)))), 1.0)],
        ),
    ];
    for (file, key, activation, terms) in cases {
        let bytes = read(file);
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let expected = floats(&file, &format!("{key}.seed"));
        let value = file.tensor(&format!("{key}.value")).unwrap();
        let value = f64::from_le_bytes(value.data().try_into().unwrap());
        let (found_value, found, _) = evaluated(activation, &terms);
        let off = testkit::error(&found.data, &expected.data);
        assert!(off < 1e-5, "{key}: the output gradient is off by {off:e}");
        assert!((found_value / value - 1.0).abs() < 1e-5, "{key}: {found_value}, not {value}");
    }
    // The logit is the mean over positions, and has a bias that no direction has.
    let bytes = read("terms_class");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (_, found) = alone(&of_5b, linear(&row(281)));
    let expected = floats(&file, "logit.seed");
    let scaled: Vec<f32> = expected.data.iter().map(|x| 12.0 * x).collect();
    assert!(testkit::error(&found.data, &scaled) < 1e-5);
}
