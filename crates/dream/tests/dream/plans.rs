//! Plans: what they resolve, and what they refuse.

use crate::common::{edited, machine, picture, toy, toy_unpadded};
use dream::{Machine, Plan, PlanError, Preset, Recipe, Term, Tiles};
use graph::{GraphError, Network, Size};

fn plan(
    recipe: &Recipe,
    network: &Network,
    height: usize,
    width: usize,
) -> Result<Plan, PlanError> {
    Plan::new(recipe, network, Size::new(height, width), &machine(1))
}

fn refusal(recipe: &Recipe, network: &Network, height: usize, width: usize) -> PlanError {
    plan(recipe, network, height, width).err().unwrap()
}

#[test]
fn a_plan_leaves_nothing_open() {
    let plan = plan(&Recipe::default(), &toy(), 60, 80).unwrap();
    assert_eq!(plan.recipe().objective, [Term::layer("relu2")]);
    assert_eq!(plan.recipe().model.hash, toy().hash);
    assert_eq!(plan.size(), Size::new(60, 80));
    assert_eq!(plan.octaves().len(), 4);
    assert_eq!(plan.octaves()[3], Size::new(60, 80));
    assert_eq!(plan.dropped_octaves(), 0);
}

#[test]
fn the_longest_side_is_the_recipes() {
    for (size, expected) in
        [(40, Size::new(30, 40)), (160, Size::new(120, 160)), (1, Size::new(1, 1))]
    {
        let recipe = Recipe { size: Some(size), ..Recipe::default() };
        assert_eq!(plan(&recipe, &toy(), 60, 80).unwrap().size(), expected);
    }
}

#[test]
fn octaves_too_small_for_the_layer_are_dropped() {
    let recipe = edited(Recipe::default(), |recipe| recipe.octaves.count = 8);
    let plan = plan(&recipe, &toy_unpadded(), 20, 30).unwrap();
    let sizes: Vec<usize> = plan.octaves().iter().map(|size| size.height).collect();
    assert_eq!(sizes, [10, 14, 20]);
    assert_eq!(plan.dropped_octaves(), 5);
    assert_eq!(plan.recipe().octaves.count, 8);
}

#[test]
fn a_picture_too_small_even_for_one_is_refused_with_the_least_size() {
    let error = refusal(&Recipe::default(), &toy_unpadded(), 5, 30);
    let PlanError::Network(GraphError::TooSmall { min_width, min_height, .. }) = error else {
        panic!("{error}");
    };
    plan(&Recipe::default(), &toy_unpadded(), min_height, min_width.max(30)).unwrap();
    assert!(plan(&Recipe::default(), &toy_unpadded(), min_height - 1, 30).is_err());
}

#[test]
fn an_unknown_layer_is_refused_with_the_nearest() {
    let objective = vec![Term::layer("relu3")];
    let error = refusal(&Recipe { objective, ..Recipe::default() }, &toy(), 60, 80);
    assert!(error.to_string().contains("`relu2`"), "{error}");
}

#[test]
fn a_recipe_for_another_network_is_refused() {
    let mut other = toy();
    other.hash = "abc".into();
    let error = refusal(&Recipe::for_network(&other), &toy(), 60, 80);
    assert!(matches!(error, PlanError::OtherNetwork { .. }), "{error}");
    assert!(error.to_string().contains("abc") && error.to_string().contains("70f"));
}

#[test]
fn a_recipe_out_of_range_or_a_picture_of_nothing_is_refused() {
    let recipe = edited(Recipe::default(), |recipe| recipe.octaves.count = 0);
    assert!(matches!(refusal(&recipe, &toy(), 60, 80), PlanError::Recipe(_)));
    let empty = refusal(&Recipe::default(), &toy(), 0, 80);
    assert_eq!(empty, PlanError::NoPixels { size: Size::new(0, 80) });
}

#[test]
fn names_of_one_layer_add_up() {
    let mut network = toy();
    network.graph = crate::common::aliased();
    let layer = |name: &str, weight| Term::layer(name).weighing(weight);
    let dreamt = |objective| {
        let recipe = edited(Recipe::default(), |recipe| {
            recipe.objective = objective;
            recipe.octaves.count = 1;
            recipe.ascent.iterations = 1;
        });
        let plan = plan(&recipe, &network, 20, 20).unwrap();
        let mut watch = crate::common::Watch::default();
        dream::dream(&plan, picture(20, 20), &mut watch).unwrap();
        watch.objectives[0]
    };
    let (twice, once) =
        (dreamt(vec![layer("relu", 0.5), layer("also", 0.25)]), dreamt(vec![layer("relu", 0.75)]));
    assert_eq!(twice, once);
}

#[test]
fn a_dream_that_does_not_fit_is_refused_with_the_size_that_does() {
    for preset in Preset::ALL {
        for tiles in [Tiles::Rolled { size: 64 }, Tiles::Scattered { size: 64 }] {
            let recipe = Recipe { tiles, ..Recipe::with_preset(&toy(), preset) };
            let whole = plan(&recipe, &toy(), 600, 400).unwrap().memory();
            let small = Machine { memory: whole / 3 * 2, ..machine(1) };
            let error = Plan::new(&recipe, &toy(), Size::new(600, 400), &small).err().unwrap();
            let PlanError::Memory { needed, free, fits: Some(size), .. } = error else {
                panic!("{error}");
            };
            assert_eq!((needed, free), (whole, whole / 3 * 2));
            let fits = Recipe { size: Some(size), ..recipe.clone() };
            let plan = Plan::new(&fits, &toy(), Size::new(600, 400), &small).unwrap();
            assert!(plan.memory() <= small.memory);
            let larger = Recipe { size: Some(size + 1), ..recipe };
            assert!(Plan::new(&larger, &toy(), Size::new(600, 400), &small).is_err());
            assert!(error_text(&larger, &small).contains("(`size`)"));
        }
    }
}

fn error_text(recipe: &Recipe, machine: &Machine) -> String {
    Plan::new(recipe, &toy(), Size::new(600, 400), machine).err().unwrap().to_string()
}

#[test]
fn a_dream_that_fits_in_no_size_says_so() {
    let tiny = Machine { memory: 100, ..machine(1) };
    let error =
        Plan::new(&Recipe::default(), &toy_unpadded(), Size::new(300, 200), &tiny).err().unwrap();
    assert!(matches!(error, PlanError::Memory { fits: None, .. }), "{error}");
}

#[test]
fn a_picture_of_monstrous_sides_is_refused_before_anything_is_allocated() {
    let error = refusal(&Recipe::default(), &toy(), 60_000, 60_000);
    assert!(matches!(error, PlanError::Memory { fits: Some(_), .. }), "{error}");
}
