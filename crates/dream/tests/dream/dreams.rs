//! What holds for every dream, on a toy network.

use crate::common::{Watch, edited, machine, picture, toy, toy_unpadded};
use dream::{
    Ascent, Bound, Detail, DreamError, Filter, Normalisation, Octaves, Optimiser, Parametrisation,
    Plan, Preset, Recipe, Tensor, Tiles, dream,
};
use graph::{Network, Size};

fn run(network: &Network, recipe: &Recipe, start: Tensor, threads: usize) -> (Tensor, Watch) {
    let (height, width) = (start.shape.height, start.shape.width);
    let plan = Plan::new(recipe, network, Size::new(height, width), &machine(threads)).unwrap();
    let mut watch = Watch::default();
    let dream = dream(&plan, start, &mut watch).unwrap();
    (dream, watch)
}

const NORMALISATIONS: [Normalisation; 3] =
    [Normalisation::MeanAbs, Normalisation::Std, Normalisation::Laplacian { levels: 4 }];

/// A small dream by the preset's rules, with tiles small enough that there are several.
fn small(preset: Preset) -> Recipe {
    edited(Recipe::with_preset(&toy(), preset), |recipe| {
        recipe.octaves.count = 2;
        recipe.ascent.iterations = 2;
        if let Tiles::Rolled { size } | Tiles::Scattered { size } = &mut recipe.tiles {
            *size = 32;
        }
    })
}

/// A small dream by Adam on the spectrum.
fn spectral() -> Recipe {
    edited(small(Preset::Google), |recipe| {
        let Ascent { optimiser, parametrisation, bound, step, .. } = &mut recipe.ascent;
        *optimiser = Optimiser::adam();
        *parametrisation = Parametrisation::Spectrum;
        (*bound, *step) = (Bound::Sigmoid, 0.05);
    })
}

#[test]
fn same_bytes_on_one_thread_and_two() {
    let mut recipes: Vec<Recipe> = Preset::ALL.map(small).into();
    let pixels = edited(small(Preset::Google), |recipe| {
        recipe.ascent.optimiser = Optimiser::adam();
        recipe.ascent.chroma = 0.5;
    });
    let clipped = edited(spectral(), |recipe| recipe.ascent.bound = Bound::Clip);
    let tiled = edited(spectral(), |recipe| recipe.tiles = Tiles::Rolled { size: 32 });
    recipes.extend([pixels, spectral(), clipped, tiled]);
    for recipe in recipes {
        let (one, _) = run(&toy(), &recipe, picture(90, 71), 1);
        let (two, _) = run(&toy(), &recipe, picture(90, 71), 2);
        assert!(one.data == two.data, "{recipe:?}");
        assert!(one.data.iter().all(|x| x.is_finite()), "{recipe:?}");
        assert_ne!(one.data, picture(90, 71).data, "{recipe:?}");
    }
}

/// Blue and red less brightness, as JPEG has them, at each pixel.
fn colors(picture: &Tensor) -> Vec<[f32; 2]> {
    let [red, green, blue] = [0, 1, 2].map(|c| picture.channel(c));
    let pixels = red.iter().zip(green).zip(blue);
    pixels
        .map(|((r, g), b)| {
            let bright = 0.299 * r + 0.587 * g + 0.114 * b;
            [b - bright, r - bright]
        })
        .collect()
}

#[test]
fn without_chroma_a_dream_keeps_the_colours() {
    let without = |recipe: Recipe| {
        edited(recipe, |recipe| {
            (recipe.ascent.chroma, recipe.ascent.bound) = (0.0, Bound::None);
            recipe.ascent.smoothing = 0.5;
        })
    };
    let adam = edited(small(Preset::Google), |it| it.ascent.optimiser = Optimiser::adam());
    for recipe in [small(Preset::Google), small(Preset::TensorflowLaplacian), adam, spectral()] {
        let start = picture(60, 50);
        let (dream, _) = run(&toy(), &without(recipe.clone()), start.clone(), 1);
        let apart = |a: &[[f32; 2]], b: &[[f32; 2]]| {
            let pairs = a.iter().flatten().zip(b.iter().flatten());
            pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        let off = apart(&colors(&dream), &colors(&start));
        assert!(off < 2e-3, "{off} by {recipe:?}");
        assert!(testkit::error(&dream.data, &start.data) > 1e-3, "{recipe:?}");
        let (colored, _) = run(&toy(), &recipe, start.clone(), 1);
        assert!(apart(&colors(&colored), &colors(&start)) > 0.5, "{recipe:?}");
    }
}

#[test]
fn pictures_of_any_size_have_a_spectrum() {
    for (height, width) in [(9, 1), (1, 9), (2, 2), (17, 23), (37, 64)] {
        let (dream, _) = run(&toy(), &spectral(), picture(height, width), 2);
        assert!(dream.data.iter().all(|x| (0.0..=255.0).contains(x)), "{height} x {width}");
        assert_ne!(dream.data, picture(height, width).data);
    }
}

#[test]
fn another_seed_is_another_dream() {
    for preset in Preset::ALL {
        let recipe = small(preset);
        let other = Recipe { seed: 1, ..recipe.clone() };
        let (first, _) = run(&toy(), &recipe, picture(90, 70), 1);
        let (second, _) = run(&toy(), &other, picture(90, 70), 1);
        assert_ne!(first.data, second.data, "{preset}");
    }
}

#[test]
fn reinjected_detail_gives_the_picture_back_where_no_step_is_taken() {
    for filter in [Filter::Bilinear, Filter::Triangle, Filter::CatmullRom, Filter::Lanczos] {
        let recipe = Recipe {
            octaves: Octaves { count: 5, filter, detail: Detail::Reinject, ..Octaves::default() },
            ascent: Ascent { step: 0.0, iterations: 1, bound: Bound::None, ..Ascent::default() },
            ..Recipe::default()
        };
        let (dream, _) = run(&toy(), &recipe, picture(47, 61), 1);
        assert_eq!(dream, picture(47, 61), "{filter:?}");
    }
}

#[test]
fn blended_detail_keeps_the_pictures_share() {
    let detail = Detail::Blend { share: 0.25 };
    let recipe = Recipe {
        octaves: Octaves { count: 2, scale: 2.0, detail, ..Octaves::default() },
        ascent: Ascent { step: 0.0, iterations: 1, bound: Bound::None, ..Ascent::default() },
        ..Recipe::default()
    };
    let start = picture(40, 60);
    let (dreamt, _) = run(&toy(), &recipe, start.clone(), 1);
    let small = dream::resize(&start, Size::new(20, 30), recipe.octaves.filter);
    let large = dream::resize(&small, Size::new(40, 60), recipe.octaves.filter);
    for ((dreamt, start), large) in dreamt.data.iter().zip(&start.data).zip(&large.data) {
        assert!((dreamt - (0.25 * start + 0.75 * large)).abs() < 1e-3);
    }
}

#[test]
fn the_objective_rises() {
    for bound in [Bound::Clip, Bound::Sigmoid, Bound::None] {
        let recipe = edited(spectral(), |recipe| {
            recipe.octaves.count = 1;
            (recipe.ascent.iterations, recipe.ascent.bound) = (8, bound);
        });
        let (_, watch) = run(&toy(), &recipe, picture(64, 64), 1);
        let (first, last) = (watch.objectives[0], watch.objectives[7]);
        assert!(last > 1.05 * first, "{bound:?}: {first} to {last}");
    }
    for normalisation in NORMALISATIONS {
        for tiles in [Tiles::Whole, Tiles::Rolled { size: 32 }, Tiles::Scattered { size: 32 }] {
            let recipe = Recipe {
                octaves: Octaves { count: 1, ..Octaves::default() },
                ascent: Ascent { iterations: 8, jitter: 4, normalisation, ..Ascent::default() },
                tiles,
                ..Recipe::default()
            };
            let (_, watch) = run(&toy(), &recipe, picture(64, 64), 1);
            let (first, last) = (watch.objectives[0], watch.objectives[7]);
            assert!(last > 1.05 * first, "{normalisation:?} {tiles:?}: {first} to {last}");
        }
    }
}

#[test]
fn a_negative_weight_calms_the_layer() {
    let mut recipe = Recipe::with_preset(&toy(), Preset::Classic);
    recipe.octaves.count = 1;
    recipe.objective[0].weight = -1.0;
    let (_, watch) = run(&toy(), &recipe, picture(40, 40), 1);
    assert!(watch.objectives[0] < 0.0);
    assert!(watch.objectives[9] > 0.9 * watch.objectives[0]);
}

/// The toy's layer sees nine pixels: its steps are √(9/64) times as long.
#[test]
fn steps_on_a_shallow_layer_are_shorter_where_they_are_to_suit_its_depth() {
    for preset in [Preset::Figures, Preset::Classic] {
        let recipe = edited(small(preset), |recipe| recipe.ascent.by_depth = false);
        let of = |by_depth, times: f32| {
            let recipe = edited(recipe.clone(), |recipe| {
                recipe.ascent.by_depth = by_depth;
                recipe.ascent.step *= times;
            });
            run(&toy(), &recipe, picture(50, 40), 1).0
        };
        assert!(of(true, 1.0) == of(false, 0.375), "{preset}");
        assert!(of(true, 1.0) != of(false, 1.0), "{preset}");
    }
}

#[test]
fn a_clamped_dream_stays_in_the_pictures_range() {
    let recipe = edited(small(Preset::Google), |recipe| recipe.ascent.step = 40.0);
    let (dream, _) = run(&toy(), &recipe, picture(50, 40), 1);
    assert!(dream.data.iter().all(|x| (0.0..=255.0).contains(x)));
    assert!(dream.data.contains(&0.0) && dream.data.contains(&255.0));
}

#[test]
fn it_stops_at_the_step_at_which_it_is_told_to() {
    let plan = Plan::new(&small(Preset::Google), &toy(), Size::new(50, 40), &machine(1)).unwrap();
    let mut watch = Watch { stop_after: Some(3), ..Watch::default() };
    assert_eq!(dream(&plan, picture(50, 40), &mut watch), Err(DreamError::Stopped));
    assert_eq!(watch.objectives.len(), 3);
}

#[test]
fn progress_counts_all_the_work() {
    let recipe = small(Preset::Google);
    let (_, watch) = run(&toy(), &recipe, picture(50, 40), 1);
    let (small, full) = (36 * 29, 50 * 40);
    assert_eq!(watch.done, [small, 2 * small, 2 * small + full, 2 * small + 2 * full]);
    assert_eq!(watch.total, 2 * (small + full));
}

#[test]
fn tiles_too_thin_for_the_network_see_their_neighbours() {
    let network = toy_unpadded();
    for preset in [Preset::Tensorflow, Preset::Hvass] {
        for side in 13..44 {
            let recipe = edited(small(preset), |recipe| recipe.ascent.iterations = 3);
            run(&network, &recipe, picture(side, 50), 1);
        }
    }
}

#[test]
fn a_picture_of_another_size_is_resized_to_the_plans() {
    let recipe = Recipe { size: Some(30), ..small(Preset::Google) };
    let (dream, _) = run(&toy(), &recipe, picture(50, 40), 1);
    assert_eq!((dream.shape.height, dream.shape.width), (30, 24));
}

#[test]
fn steps_of_no_length_leave_every_preset_s_picture_as_it_is() {
    let mut start = picture(50, 40);
    (start.data[0], start.data[1]) = (0.0, 255.0);
    for preset in [Preset::Figures, Preset::Classic] {
        let recipe = edited(small(preset), |recipe| recipe.ascent.step = 0.0);
        assert!(run(&toy(), &recipe, start.clone(), 1).0 == start, "{preset}");
    }
}
