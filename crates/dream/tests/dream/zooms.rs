//! Films: what hundreds of frames, each made from the one before, leave of the first one's colours.

use std::sync::Arc;

use crate::common::{Watch, edited, machine, picture, toy};
use dream::{Preset, Recipe, Rhythm, Tensor, Zoom, ZoomDreamer};

/// How far colours are from grey: the root mean square of what each pixel's channels differ by from
/// their mean.
fn colourfulness(picture: &Tensor) -> f64 {
    let [red, green, blue] = [0, 1, 2].map(|channel| picture.channel(channel));
    let squares = red.iter().zip(green).zip(blue).map(|((&red, &green), &blue)| {
        let colour = [red, green, blue].map(f64::from);
        let grey = colour.iter().sum::<f64>() / 3.0;
        colour.iter().map(|value| (value - grey).powi(2)).sum::<f64>()
    });
    (squares.sum::<f64>() / red.len() as f64).sqrt()
}

/// Colourfulness of the frames with these numbers, relative to the first one's.
fn kept(levels: f64, numbers: &[u64]) -> Vec<f64> {
    let (network, machine) = (Arc::new(toy()), machine(2));
    let recipe = edited(Recipe::with_preset(&network, Preset::Classic), |recipe| {
        recipe.octaves.count = 1;
        recipe.ascent.iterations = 1;
        recipe.zoom = Some(Zoom { levels, pace: 30.0, ..Zoom::default() });
    });
    let mut frame = picture(40, 56);
    let first = colourfulness(&frame);
    let mut dreamer = ZoomDreamer::new(&recipe, Arc::clone(&network), &machine, &frame).unwrap();
    let mut kept = Vec::new();
    for number in 1..=*numbers.last().unwrap() {
        frame = dreamer.frame(number, &frame, &mut Watch::default()).unwrap();
        if numbers.contains(&number) {
            kept.push(colourfulness(&frame) / first);
        }
    }
    kept
}

#[test]
fn colourfulness_holds_over_three_hundred_frames() {
    for kept in kept(1.0, &[1, 50, 150, 300]) {
        assert!((kept - 1.0).abs() < 0.03, "{kept}");
    }
    let free = kept(0.0, &[300])[0];
    assert!((free - 1.0).abs() > 0.2, "without levels it drifts: {free}");
}

#[test]
fn a_frame_of_a_fade_depends_on_the_one_before_alone() {
    let (network, machine) = (Arc::new(toy()), machine(2));
    let keys = r#"
        schema = 1
        octaves = { count = 2 }
        ascent = { iterations = 4 }
        [[zoom.keyframes]]
        at = 0
        set = { objective = [{ layer = "relu1" }] }
        [[zoom.keyframes]]
        at = 1
        set = { objective = [{ layer = "relu2" }] }
    "#;
    let recipe = Recipe::from_toml(keys).unwrap();
    let first = picture(40, 56);
    let dreamer = || ZoomDreamer::new(&recipe, Arc::clone(&network), &machine, &first).unwrap();
    let mut whole = dreamer();
    let mut frames = vec![first.clone()];
    for number in 1..6 {
        let before = &frames[number as usize - 1];
        frames.push(whole.frame(number, before, &mut Watch::default()).unwrap());
    }
    let resumed = dreamer().frame(5, &frames[4], &mut Watch::default()).unwrap();
    assert_eq!(resumed, frames[5]);
    let objective = recipe.at(5.0 / 30.0).unwrap().objective;
    let plain = Recipe { objective, zoom: Some(Zoom::default()), ..recipe.clone() };
    let mut plain = ZoomDreamer::new(&plain, Arc::clone(&network), &machine, &first).unwrap();
    let unbalanced = plain.frame(5, &frames[4], &mut Watch::default()).unwrap();
    assert_ne!(unbalanced, frames[5]);
}

#[test]
fn frames_that_go_by_a_curve_depend_on_the_one_before_alone() {
    let (network, machine) = (Arc::new(toy()), machine(2));
    let curve = (0..20).map(|at| at * 5 % 31).collect();
    let recipe = edited(Recipe::with_preset(&network, Preset::Classic), |recipe| {
        (recipe.octaves.count, recipe.ascent.smoothing_growth) = (1, 0.5);
        let rhythm = Rhythm { curve, ..Rhythm::default() };
        recipe.zoom = Some(Zoom { fps: 25.0, pace: 60.0, rhythm, ..Zoom::default() });
    });
    let mut frame = picture(40, 56);
    let new =
        |first: &Tensor| ZoomDreamer::new(&recipe, Arc::clone(&network), &machine, first).unwrap();
    let mut one = new(&frame);
    for number in 1..=4 {
        let apart = new(&picture(40, 56)).frame(number, &frame, &mut Watch::default()).unwrap();
        frame = one.frame(number, &frame, &mut Watch::default()).unwrap();
        assert_eq!(apart, frame, "{number}");
    }
}

/// The curve's first values are 0: nothing moves and nothing is dreamt until it rises.
#[test]
fn a_zoom_goes_by_its_curve() {
    let (network, machine) = (Arc::new(toy()), machine(2));
    let rhythm = |motion, pace| Rhythm { curve: vec![0, 0, 0, 80, 100, 90], motion, pace };
    let apart = |rhythm: Rhythm, number: u64| {
        let recipe = edited(Recipe::with_preset(&network, Preset::Classic), |recipe| {
            recipe.octaves.count = 1;
            recipe.zoom = Some(Zoom { fps: 25.0, levels: 0.0, rhythm, ..Zoom::default() });
        });
        let first = picture(40, 56);
        let mut dreamer =
            ZoomDreamer::new(&recipe, Arc::clone(&network), &machine, &first).unwrap();
        let frame = dreamer.frame(number, &first, &mut Watch::default()).unwrap();
        frame.data.iter().zip(&first.data).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()))
    };
    assert!(apart(rhythm(1.0, 1.0), 1) < 1e-3, "it rests");
    assert!(apart(rhythm(1.0, 0.0), 1) > 1.0, "it dreams");
    assert!(apart(rhythm(0.0, 1.0), 1) > 1.0, "it moves");
    assert!(apart(rhythm(1.0, 1.0), 4) > 1.0, "it moves and dreams");
}
