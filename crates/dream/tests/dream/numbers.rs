//! What is no number becomes no dream: layers and gradients that are not finite, and gradients of nothing.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::common::{Watch, edited, machine, picture, toy};
use dream::{
    Bound, Coherence, DreamError, Normalisation, Observer, Plan, Progress, Recipe, Tensor, Tiles,
    Video, VideoDreamer, Zoom, ZoomDreamer, dream,
};
use graph::{Conv2d, GraphBuilder, Network, Op, Size, Window};

/// A network of 1 × 1 convolutions of three channels, each of one weight and one bias, and a ReLU.
fn convolutions(each: &[(f32, f32)]) -> Network {
    let mut builder = GraphBuilder::new("data", 3);
    let mut last = builder.input();
    for (index, &(weight, bias)) in each.iter().enumerate() {
        let conv = Conv2d {
            window: Window::new([1, 1], [1, 1]),
            out_channels: 3,
            in_channels: 3,
            groups: 1,
            weights: vec![weight; 9].into(),
            bias: [bias; 3].into(),
        };
        last = builder.add(format!("conv{}", index + 1), Op::Conv2d(conv), &[last]);
    }
    builder.add("relu", Op::Relu, &[last]);
    let mut network = toy();
    (network.graph, network.input.mean) = (builder.finish(), [0.0; 3]);
    network
}

fn recipe() -> Recipe {
    edited(Recipe::default(), |recipe| {
        recipe.octaves.count = 2;
        recipe.ascent.iterations = 2;
    })
}

/// The recipe with every kind of normalisation, smoothing and tiles.
fn recipes() -> Vec<Recipe> {
    let normalised = |normalisation| edited(recipe(), |it| it.ascent.normalisation = normalisation);
    vec![
        recipe(),
        normalised(Normalisation::Std),
        normalised(Normalisation::Laplacian { levels: 3 }),
        edited(recipe(), |recipe| recipe.ascent.smoothing = 1.0),
        edited(recipe(), |recipe| recipe.ascent.bound = Bound::None),
        edited(recipe(), |recipe| recipe.tiles = Tiles::Rolled { size: 32 }),
        edited(recipe(), |recipe| recipe.tiles = Tiles::Scattered { size: 32 }),
        edited(recipe(), |recipe| {
            recipe.tiles = Tiles::Scattered { size: 32 };
            recipe.ascent.normalisation = Normalisation::Std;
        }),
    ]
}

fn error(network: &Network, recipe: &Recipe) -> DreamError {
    let plan = Plan::new(recipe, network, Size::new(50, 70), &machine(1)).unwrap();
    dream(&plan, picture(50, 70), &mut Watch::default()).unwrap_err()
}

#[test]
fn the_first_layer_that_is_not_finite_is_named() {
    let overflow = convolutions(&[(1e10, 0.0), (1e30, 0.0), (1e10, 0.0), (0.0, 1.0)]);
    let wrong_weight = convolutions(&[(1.0, 0.0), (f32::NAN, 0.0), (1.0, 0.0)]);
    for network in [overflow, wrong_weight] {
        for recipe in recipes() {
            let wanted = DreamError::NotFinite { layer: "conv2".into() };
            assert_eq!(error(&network, &recipe), wanted, "{recipe:?}");
        }
    }
}

#[test]
fn a_gradient_that_overflows_is_told_from_a_layer_that_does() {
    for recipe in recipes() {
        let wanted = DreamError::GradientNotFinite { layers: vec!["relu".into()] };
        assert_eq!(error(&convolutions(&[(1e20, 0.0)]), &recipe), wanted, "{recipe:?}");
    }
}

#[test]
fn a_still_without_any_gradient_is_no_dream() {
    for network in [convolutions(&[(1e-30, 0.0)]), convolutions(&[(1.0, -1e6)])] {
        for recipe in recipes() {
            let wanted = DreamError::NoGradient { layers: vec!["relu".into()] };
            assert_eq!(error(&network, &recipe), wanted, "{recipe:?}");
        }
    }
}

#[test]
fn steps_of_no_length_need_no_gradient() {
    let recipe = edited(recipe(), |recipe| {
        recipe.octaves.count = 1;
        recipe.ascent.step = 0.0;
    });
    let dead = convolutions(&[(1.0, -1e6)]);
    let plan = Plan::new(&recipe, &dead, Size::new(50, 70), &machine(1)).unwrap();
    let dreamt = dream(&plan, picture(50, 70), &mut Watch::default()).unwrap();
    assert_eq!(dreamt, picture(50, 70));
    assert!(matches!(error(&convolutions(&[(1e38, 0.0)]), &recipe), DreamError::NotFinite { .. }));
}

/// Remembers at how many frames there was no gradient.
#[derive(Default)]
struct Undreamt(u64);

impl Observer for Undreamt {
    fn step(&mut self, _: &Progress<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn no_gradient(&mut self) {
        self.0 += 1;
    }
}

/// A network that is silent on pictures darker than 100.
fn blind_in_the_dark() -> Network {
    convolutions(&[(1.0, -300.0)])
}

fn black(picture: &Tensor) -> Tensor {
    Tensor { data: vec![0.0; picture.data.len()].into(), ..picture.clone() }
}

#[test]
fn a_black_frame_of_a_video_is_left_as_it_is() {
    for coherence in [Coherence::flow(), Coherence::Independent] {
        let recipe = edited(recipe(), |recipe| recipe.video = Some(Video { coherence }));
        let bright = picture(50, 70);
        let size = bright.shape.size();
        let mut dreamer =
            VideoDreamer::new(&recipe, &blind_in_the_dark(), &machine(1), size).unwrap();
        let mut undreamt = Undreamt::default();
        for (source, count) in [(black(&bright), 1), (bright.clone(), 1)] {
            let frame = dreamer.frame(source.clone(), &mut undreamt).unwrap();
            assert_eq!(frame == source, source == black(&bright), "{coherence:?}");
            assert_eq!(undreamt.0, count, "{coherence:?}");
        }
        let dead = convolutions(&[(1e-30, 0.0)]);
        let mut dreamer = VideoDreamer::new(&recipe, &dead, &machine(1), size).unwrap();
        let error = dreamer.frame(bright, &mut undreamt).unwrap_err();
        assert!(matches!(error, DreamError::NoGradient { .. }), "{error}");
    }
}

#[test]
fn a_zoom_through_black_goes_on() {
    let recipe = edited(recipe(), |recipe| recipe.zoom = Some(Zoom::default()));
    let first = black(&picture(50, 70));
    let frame = |network: Network, undreamt: &mut Undreamt| {
        let mut dreamer =
            ZoomDreamer::new(&recipe, Arc::new(network), &machine(1), &first).unwrap();
        dreamer.frame(1, &first, undreamt)
    };
    let mut undreamt = Undreamt::default();
    assert_eq!(frame(blind_in_the_dark(), &mut undreamt).unwrap(), first);
    assert_eq!(undreamt.0, 1);
    let error = frame(convolutions(&[(1e-30, 0.0)]), &mut undreamt).unwrap_err();
    assert!(matches!(error, DreamError::NoGradient { .. }), "{error}");
    let error = frame(convolutions(&[(1.0, f32::INFINITY)]), &mut undreamt).unwrap_err();
    assert_eq!(error, DreamError::NotFinite { layer: "conv1".into() });
}
