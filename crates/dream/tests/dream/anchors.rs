//! Anchors: a large dream begins with the small one, and keeps its figures.

use std::ops::ControlFlow;
use std::sync::Arc;

use cpu::Cpu;
use dream::{Machine, Octaves, Plan, Preset, Progress, Recipe, Tensor, Tiles, dream, resize};
use graph::{Network, Size};
use kernels::{Context, CpuLevel, Threads};

use crate::common::{edited, machine, picture, toy};

/// The dream, and the picture at the end of each octave.
fn octaves(
    recipe: &Recipe,
    network: &Network,
    machine: &Machine,
    start: &Tensor,
) -> (Tensor, Vec<Tensor>) {
    let plan = Plan::new(recipe, network, start.shape.size(), machine).unwrap();
    let mut ends = Vec::new();
    let dreamt = dream(&plan, start.clone(), &mut |progress: &Progress<'_>| {
        if progress.iteration == progress.iterations {
            ends.push(progress.picture.clone());
        }
        ControlFlow::Continue(())
    });
    (dreamt.unwrap(), ends)
}

fn small(tiles: Tiles) -> Recipe {
    edited(Recipe { tiles, ..Recipe::default() }, |recipe| {
        recipe.octaves.count = 3;
        recipe.octaves.anchor = 80;
        recipe.ascent.iterations = 2;
        recipe.ascent.jitter = 5;
    })
}

#[test]
fn a_large_dreams_first_octaves_are_the_small_dream_to_the_byte() {
    for tiles in [Tiles::Whole, Tiles::Rolled { size: 32 }, Tiles::Scattered { size: 32 }] {
        let of_size = |size| {
            let recipe = Recipe { size, ..small(tiles) };
            octaves(&recipe, &toy(), &machine(1), &picture(131, 173))
        };
        let (preview, first) = of_size(Some(80));
        assert_eq!(preview.shape.size(), Size::new(61, 80));
        for larger in [Some(81), None, Some(300)] {
            let (_, ends) = of_size(larger);
            assert!(ends.len() > 3);
            assert!(ends[..3] == first[..], "{tiles:?} at {larger:?}");
            assert!(ends[2] == preview);
        }
    }
}

#[test]
fn a_small_dreams_recipe_gives_its_figures_at_any_size() {
    let recipe = Recipe { size: Some(60), ..small(Tiles::Whole) };
    let start = picture(131, 173);
    let plan = Plan::new(&recipe, &toy(), start.shape.size(), &machine(1)).unwrap();
    assert_eq!(plan.recipe().octaves.anchor, 60);
    let (preview, _) = octaves(&recipe, &toy(), &machine(1), &start);
    let again = Recipe { size: None, ..plan.recipe().clone() };
    let (_, ends) = octaves(&again, &toy(), &machine(1), &start);
    assert!(ends[2] == preview && ends.len() > 3);
    // What is laid out from the full size stays so, whatever that is.
    let full = edited(recipe, |recipe| recipe.octaves.anchor = Octaves::FULL);
    let plan = Plan::new(&full, &toy(), start.shape.size(), &machine(1)).unwrap();
    assert_eq!(plan.recipe().octaves.anchor, Octaves::FULL);
}

#[test]
fn steps_above_the_anchor_are_as_long_as_the_recipe_says() {
    let start = picture(131, 173);
    let ends = |refine| {
        let recipe = edited(small(Tiles::Whole), |recipe| recipe.ascent.refine = refine);
        octaves(&recipe, &toy(), &machine(1), &start).1
    };
    let (whole, half) = (ends(1.0), ends(0.5));
    assert!(whole[..3] == half[..3]);
    assert!(whole[3] != half[3]);
}

/// How alike two fields of values are, from -1 to 1.
fn correlation(a: &Tensor, b: &Tensor) -> f64 {
    let mean = |t: &Tensor| t.data.iter().map(|x| f64::from(*x)).sum::<f64>() / t.data.len() as f64;
    let (of_a, of_b) = (mean(a), mean(b));
    let mut sums = [0.0; 3];
    for (a, b) in a.data.iter().zip(&b.data) {
        let (a, b) = (f64::from(*a) - of_a, f64::from(*b) - of_b);
        sums.iter_mut().zip([a * b, a * a, b * b]).for_each(|(sum, product)| *sum += product);
    }
    sums[0] / (sums[1] * sums[2]).sqrt()
}

#[test]
fn figures_stay_where_they_are_when_a_dream_is_made_larger() {
    let network = models::squeezenet().unwrap();
    let context = Context::new(Threads::new(2).unwrap(), CpuLevel::detect().unwrap());
    let machine = Machine {
        backend: Arc::new(Cpu::new(context.clone())),
        context,
        memory: 1 << 33,
        scratch: Default::default(),
    };
    let start = picture(300, 400);
    let seen = Size::new(96, 128);
    // What was added, as it looks in the small size.
    let added = |anchor, size| {
        let recipe = edited(Recipe::with_preset(&network, Preset::Classic), |recipe| {
            recipe.size = Some(size);
            recipe.octaves.count = 3;
            recipe.octaves.anchor = anchor;
            recipe.ascent.iterations = 6;
        });
        let (mut dreamt, _) = octaves(&recipe, &network, &machine, &start);
        let base = resize(&start, dreamt.shape.size(), dream::Filter::CatmullRom);
        dreamt.data.iter_mut().zip(&base.data).for_each(|(dreamt, base)| *dreamt -= base);
        resize(&dreamt, seen, dream::Filter::Triangle)
    };
    let small = added(128, 128);
    let anchored = correlation(&small, &added(128, 400));
    let from_full = correlation(&small, &added(Octaves::FULL, 400));
    assert!(anchored > 0.8, "{anchored}");
    assert!(from_full < 0.5, "{from_full}");
}
