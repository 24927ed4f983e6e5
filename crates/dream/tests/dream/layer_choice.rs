//! Which layer a dream on an unknown network is made of.

use dream::{Preset, Recipe, measured_objective, worth_trying};
use graph::{Conv2d, Graph, GraphBuilder, InputSpec, Network, Op, Window};

use crate::common::{machine, picture};

/// Blocks of a convolution and a ReLU, the second and every other with half the size of the one before; the
/// block `silent` and all behind it are 0 everywhere.
fn network(silent: usize) -> Network {
    let conv = |inputs: usize, stride: usize, sign: f32| {
        let weight = |i: usize| if i % 5 == 1 { -0.7 } else { 0.4 } * sign;
        Op::Conv2d(Conv2d {
            window: Window::new([1, 1], [stride; 2]),
            out_channels: 4,
            in_channels: inputs,
            groups: 1,
            weights: (0..4 * inputs).map(weight).collect(),
            bias: [if sign == 0.0 { -1.0 } else { 0.0 }; 4].into(),
        })
    };
    let mut builder = GraphBuilder::new("image", 3);
    let mut x = builder.add("stem", conv(3, 1, 1.0), &[builder.input()]);
    for block in 0..6 {
        if block % 2 == 1 {
            x = builder.add(format!("half{block}"), conv(4, 2, 1.0), &[x]);
        }
        let sign = if block == silent { 0.0 } else { 1.0 };
        x = builder.add(format!("conv{block}"), conv(4, 1, sign), &[x]);
        x = builder.add(format!("block{block}"), Op::Relu, &[x]);
    }
    with(builder.finish())
}

fn with(graph: Graph) -> Network {
    let (name, hash, labels) = ("unknown".into(), "0".into(), Vec::new());
    Network { name, hash, graph, input: InputSpec::default(), labels }
}

#[test]
fn a_silent_layer_is_not_chosen_for_its_depth() {
    let image = picture(40, 56);
    let chosen = |network: &Network| {
        let terms = measured_objective(network, &image, &machine(2)).unwrap();
        assert_eq!(terms.len(), 1);
        terms[0].layer.clone()
    };
    let by_depth = |network: &Network| Recipe::for_network(network).objective[0].layer.clone();
    let silent = network(3);
    assert_eq!(by_depth(&silent), "block3");
    assert!(["block1", "block2"].contains(&chosen(&silent).as_str()), "{}", chosen(&silent));
    // Where all are silent, depth decides.
    let dead = network(0);
    assert_eq!(chosen(&dead), by_depth(&dead));
    let names: Vec<String> =
        worth_trying(&silent.graph).into_iter().map(|layer| layer.name).collect();
    assert!(names.contains(&chosen(&silent)), "{names:?}");
}

#[test]
fn the_choice_does_not_depend_on_the_number_of_threads() {
    let (network, image) = (network(5), picture(300, 260));
    let chosen = |threads| measured_objective(&network, &image, &machine(threads)).unwrap();
    assert_eq!(chosen(1), chosen(3));
}

#[test]
fn figures_have_layers_of_their_own_and_other_presets_those_they_had() {
    let network = models::squeezenet().unwrap();
    let layers = |preset| -> Vec<(String, f32)> {
        let terms = Recipe::with_preset(&network, preset).objective;
        terms.into_iter().map(|term| (term.layer, term.weight)).collect()
    };
    let named = |layers: &[(&str, f32)]| -> Vec<(String, f32)> {
        layers.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect()
    };
    let figures = named(&[("fire7/concat", 1.0), ("fire8/concat", 2.0)]);
    let usual = named(&[("fire5/concat", 0.5), ("fire8/concat", 1.0), ("fire9/concat", 4.0)]);
    for preset in Preset::ALL {
        let own = matches!(preset, Preset::Default | Preset::Figures | Preset::Visualise);
        assert_eq!(layers(preset), if own { figures.clone() } else { usual.clone() }, "{preset}");
    }
}
