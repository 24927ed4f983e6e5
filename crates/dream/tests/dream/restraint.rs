//! What holds a dream back, how much of it there is, and what is done at its end.

use crate::common::{Watch, edited, machine, picture, toy};
use dream::{
    Finish, NoiseStart, Optimiser, Parametrisation, Penalty, PenaltyOf, Plan, PlanError, Preset,
    Recipe, RecipeError, Tensor, Tiles, VideoDreamer, Wobble, Zoom, ZoomDreamer, dream,
};
use graph::Size;

fn recipe() -> Recipe {
    edited(Recipe::with_preset(&toy(), Preset::Google), |recipe| {
        recipe.octaves.count = 2;
        recipe.ascent.iterations = 6;
    })
}

fn spectral() -> Recipe {
    edited(recipe(), |recipe| {
        recipe.ascent.optimiser = Optimiser::adam();
        recipe.ascent.parametrisation = Parametrisation::Spectrum;
        recipe.ascent.step = 0.05;
    })
}

fn dreamt(recipe: &Recipe) -> Tensor {
    on(recipe, 2)
}

fn on(recipe: &Recipe, threads: usize) -> Tensor {
    let plan = Plan::new(recipe, &toy(), Size::new(60, 51), &machine(threads)).unwrap();
    dream(&plan, picture(60, 51), &mut Watch::default()).unwrap()
}

fn refused(recipe: &Recipe) -> String {
    match Plan::new(recipe, &toy(), Size::new(60, 51), &machine(1)) {
        Err(PlanError::Recipe(error)) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it is not refused: {recipe:?}"),
    }
}

/// The mean difference between neighbours in a row of what was added to the picture.
fn variation(dream: &Tensor) -> f32 {
    let added: Vec<f32> =
        dream.data.iter().zip(&picture(60, 51).data).map(|(x, before)| x - before).collect();
    let pairs = added.chunks(51).flat_map(|row| row.windows(2));
    pairs.map(|pair| (pair[1] - pair[0]).abs()).sum::<f32>() / added.len() as f32
}

/// How far the dream is from the picture.
fn distance(dream: &Tensor) -> f64 {
    testkit::error(&dream.data, &picture(60, 51).data)
}

#[test]
fn penalties_hold_back_what_they_judge() {
    for recipe in [recipe(), spectral()] {
        let free = dreamt(&recipe);
        let held = |penalty| dreamt(&edited(recipe.clone(), |recipe| recipe.penalty = penalty));
        let none = Penalty::default();
        let others = Penalty { of: PenaltyOf::Picture, blur_width: 3.0, tv_exponent: 2.0, ..none };
        assert!(held(others) == free, "penalties of nothing change nothing");
        let smooth = held(Penalty { tv: 0.5, ..none });
        assert!(variation(&smooth) < 0.9 * variation(&free), "{recipe:?}");
        let calm = held(Penalty { blur: 0.5, ..none });
        assert!(variation(&calm) < 0.95 * variation(&free), "{recipe:?}");
        let near = held(Penalty { pull: 20.0, pull_exponent: 2.0, ..none });
        assert!(distance(&near) < 0.9 * distance(&free), "{recipe:?}");
    }
}

/// Of noise there is nothing that a dream on it should stay near to.
#[test]
fn noise_is_judged_as_a_whole() {
    let noise = edited(recipe(), |recipe| {
        recipe.noise = Some(NoiseStart { width: 51, height: 60 });
        recipe.penalty.pull = 5.0;
    });
    let whole = edited(noise.clone(), |recipe| recipe.penalty.of = PenaltyOf::Picture);
    assert!(dreamt(&noise) == dreamt(&whole));
    assert!(dreamt(&noise) != dreamt(&edited(noise.clone(), |recipe| recipe.noise = None)));
}

#[test]
fn penalties_and_wobbles_are_the_same_on_any_number_of_threads() {
    let penalty = Penalty { tv: 0.3, pull: 1.0, blur: 0.1, ..Penalty::default() };
    for recipe in [recipe(), spectral()] {
        let recipe = edited(recipe, |recipe| {
            recipe.penalty = penalty.clone();
            recipe.ascent.wobble = Wobble { scale: [0.9, 1.1], angle: 10.0 };
        });
        let one = on(&recipe, 1);
        assert!(one == on(&recipe, 2), "{recipe:?}");
        let still = edited(recipe.clone(), |recipe| recipe.ascent.wobble = Wobble::default());
        assert!(one != on(&still, 1));
    }
}

#[test]
fn a_wobble_of_next_to_nothing_is_as_good_as_none() {
    let none = Wobble { scale: [1.0, 1.0], angle: 1e-9 };
    let still = edited(recipe(), |recipe| {
        recipe.ascent.jitter = 0;
        recipe.ascent.iterations = 2;
    });
    let wobbling = edited(still.clone(), |recipe| recipe.ascent.wobble = none);
    assert!(testkit::error(&dreamt(&wobbling).data, &dreamt(&still).data) < 1e-3);
}

#[test]
fn strength_is_how_many_dreams_there_are() {
    let of = |strength| edited(recipe(), |recipe| recipe.ascent.strength = strength);
    assert_eq!(dreamt(&of(0.0)), picture(60, 51));
    let plan = |strength| Plan::new(&of(strength), &toy(), Size::new(60, 51), &machine(1)).unwrap();
    assert_eq!([0.25, 0.5, 1.0, 3.0].map(|strength| plan(strength).iterations()), [2, 3, 6, 18]);
    assert_eq!(plan(3.0).recipe().ascent.iterations, 6, "the recipe stays as it was");
    let far = [0.25, 0.5, 1.0, 2.0].map(|strength| distance(&dreamt(&of(strength))));
    assert!(far.is_sorted(), "{far:?}");
    let half = edited(recipe(), |recipe| recipe.ascent.iterations = 3);
    assert_eq!(dreamt(&of(0.5)), dreamt(&half));
}

#[test]
fn a_mix_is_between_the_picture_and_the_dream() {
    let whole = dreamt(&recipe());
    let mixed = dreamt(&edited(recipe(), |recipe| recipe.finish.mix = 0.25));
    for ((mixed, whole), before) in mixed.data.iter().zip(&whole.data).zip(&picture(60, 51).data) {
        assert!((mixed - (before + 0.25 * (whole - before))).abs() < 1e-3);
    }
}

#[test]
fn what_cannot_be_together_is_refused() {
    let mut sigmoid = recipe();
    sigmoid.ascent.bound = dream::Bound::Sigmoid;
    assert!(refused(&sigmoid).contains("needs `ascent.parametrisation` \"spectrum\""));
    let long = edited(spectral(), |recipe| recipe.ascent.step = 1.1);
    assert!(refused(&long).contains("`ascent.step` 1.1 is far too long"), "{}", refused(&long));
    let trembling = edited(recipe(), |recipe| {
        recipe.ascent.step = 1.1;
        recipe.penalty.tv = 5.0;
    });
    assert!(refused(&trembling).contains("would tremble: at most 1.81"), "{}", refused(&trembling));
    let tiled = edited(recipe(), |recipe| {
        recipe.ascent.wobble = Wobble { scale: [0.9, 1.1], angle: 10.0 };
        recipe.tiles = Tiles::Rolled { size: 64 };
    });
    assert!(refused(&tiled).contains("cannot be together"));
}

#[test]
fn frames_that_go_on_from_each_other_have_no_finish() {
    for (finish, setting) in [
        (Finish { contrast: 1.2, ..Finish::default() }, "finish.contrast"),
        (Finish { mix: 0.5, ..Finish::default() }, "finish.mix"),
    ] {
        let recipe = Recipe { finish, zoom: Some(Zoom::default()), ..recipe() };
        let network = std::sync::Arc::new(toy());
        let Err(error) = ZoomDreamer::new(&recipe, network, &machine(1), &picture(40, 40)) else {
            panic!("{setting} is not refused");
        };
        assert_eq!(error, PlanError::Recipe(RecipeError::FinishOfFrames { setting }));
    }
}

#[test]
fn a_video_finishes_what_is_seen_and_not_what_is_carried() {
    let plain = edited(recipe(), |recipe| recipe.video = Some(dream::Video::default()));
    let mixed = edited(plain.clone(), |recipe| recipe.finish.mix = 0.5);
    let dreamer = |recipe| VideoDreamer::new(recipe, &toy(), &machine(1), Size::new(60, 51));
    let (mut plain, mut mixed) = (dreamer(&plain).unwrap(), dreamer(&mixed).unwrap());
    for _ in 0..2 {
        let whole = plain.frame(picture(60, 51), &mut Watch::default()).unwrap();
        let half = mixed.frame(picture(60, 51), &mut Watch::default()).unwrap();
        assert_eq!(plain.state(), mixed.state());
        assert_eq!(mixed.finished(mixed.state().unwrap()), half);
        assert!((distance(&half) - 0.5 * distance(&whole)).abs() < 1e-3);
    }
}

#[test]
fn adam_takes_steps_enough_on_every_frame() {
    let mut recipe = spectral();
    recipe.ascent.iterations = 15;
    recipe.zoom = Some(Zoom::default());
    let mut watch = Watch::default();
    let first = picture(40, 40);
    let mut zoom =
        ZoomDreamer::new(&recipe, std::sync::Arc::new(toy()), &machine(1), &first).unwrap();
    zoom.frame(1, &first, &mut watch).unwrap();
    // The frame's share would be one on each octave.
    assert_eq!(watch.objectives.len(), 2 * 2);
}
