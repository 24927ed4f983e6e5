//! Going on from where a dream stood.

use std::ops::ControlFlow;

use crate::common::{Watch, edited, machine, picture, toy};
use dream::{
    Bound, Checkpoint, DreamError, Optimiser, Parametrisation, Plan, PlanError, Preset, Progress,
    Recipe, Tensor, Tiles, dream, dream_from,
};
use graph::Size;

/// Three octaves, of which two are no larger than the anchor, of three steps each.
fn recipe(preset: Preset) -> Recipe {
    edited(Recipe::with_preset(&toy(), preset), |recipe| {
        recipe.octaves.count = 2;
        recipe.octaves.anchor = 50;
        recipe.ascent.iterations = 3;
        if let Tiles::Rolled { size } | Tiles::Scattered { size } = &mut recipe.tiles {
            *size = 32;
        }
    })
}

fn plan(recipe: &Recipe) -> Plan {
    Plan::new(recipe, &toy(), Size::new(50, 64), &machine(1)).unwrap()
}

fn start() -> Tensor {
    picture(50, 64)
}

/// Where the dream stands after so many steps, from `checkpoint` on.
fn steps(plan: &Plan, checkpoint: Option<Checkpoint>, count: usize) -> Checkpoint {
    let mut watch = Watch { stop_after: Some(count), ..Watch::default() };
    dream_from(plan, start(), checkpoint, &mut watch).unwrap()
}

#[test]
fn a_dream_goes_on_from_any_step_as_if_it_had_not_stopped() {
    let climbs = [Bound::Sigmoid, Bound::None].map(|bound| {
        edited(recipe(Preset::Default), |recipe| {
            recipe.ascent.optimiser = Optimiser::adam();
            recipe.ascent.parametrisation = Parametrisation::Spectrum;
            (recipe.ascent.bound, recipe.ascent.step) = (bound, 0.05);
        })
    });
    let adam = edited(recipe(Preset::Default), |it| it.ascent.optimiser = Optimiser::adam());
    for recipe in Preset::ALL.map(recipe).into_iter().chain(climbs).chain([adam]) {
        let plan = plan(&recipe);
        let octaves = plan.octaves().len();
        let whole = dream(&plan, start(), &mut Watch::default()).unwrap();
        for stop in 1..=3 * octaves {
            let checkpoint = steps(&plan, None, stop);
            let place = (checkpoint.octave(), checkpoint.iteration() as usize);
            assert_eq!(place, ((stop - 1) / 3, (stop - 1) % 3 + 1));
            assert_eq!(checkpoint.is_whole(&plan), stop == 3 * octaves);
            let mut watch = Watch::default();
            let end = dream_from(&plan, start(), Some(checkpoint), &mut watch).unwrap();
            assert!(end.is_whole(&plan));
            assert!(*end.picture() == whole, "{recipe:?} after step {stop}");
            assert_eq!(watch.objectives.len(), 3 * octaves - stop);
            assert!(watch.done.last().is_none_or(|done| *done == watch.total));
        }
    }
}

#[test]
fn a_dream_goes_on_as_often_as_it_is_stopped() {
    let plan = plan(&recipe(Preset::Default));
    let whole = dream(&plan, start(), &mut Watch::default()).unwrap();
    let mut checkpoint = steps(&plan, None, 1);
    while !checkpoint.is_whole(&plan) {
        checkpoint = steps(&plan, Some(checkpoint), 1);
    }
    assert!(checkpoint.into_picture() == whole);
}

#[test]
fn a_small_dream_goes_on_as_a_large_one() {
    let large = plan(&recipe(Preset::Default));
    let small = plan(&edited(recipe(Preset::Default), |recipe| recipe.size = Some(50)));
    let whole = dream(&large, start(), &mut Watch::default()).unwrap();
    let preview = dream_from(&small, start(), None, &mut Watch::default()).unwrap();
    assert!(preview.is_whole(&small) && !preview.is_whole(&large));
    let mut octaves = Vec::new();
    let mut watch = |progress: &Progress<'_>| {
        octaves.push(progress.octave);
        ControlFlow::Continue(())
    };
    let end = dream_from(&large, start(), Some(preview), &mut watch).unwrap();
    assert!(end.into_picture() == whole);
    assert_eq!(octaves, [2, 2, 2]);
}

#[test]
fn where_another_dream_stood_is_refused() {
    let two = steps(&plan(&recipe(Preset::Classic)), None, 5);
    let refused = |edit: fn(&mut Recipe)| {
        let plan = plan(&edited(recipe(Preset::Classic), edit));
        dream_from(&plan, start(), Some(two.clone()), &mut Watch::default()).unwrap_err()
    };
    for edit in [
        |recipe: &mut Recipe| recipe.octaves.count = 1,
        |recipe: &mut Recipe| recipe.octaves.anchor = 40,
        |recipe: &mut Recipe| recipe.ascent.iterations = 1,
        |recipe: &mut Recipe| recipe.ascent.optimiser = Optimiser::adam(),
    ] {
        let error = refused(edit);
        assert!(matches!(error, DreamError::Plan(PlanError::Checkpoint { .. })), "{error}");
        assert!(error.to_string().contains("step 2 of octave 2, a picture of 50×39"), "{error}");
    }
}
