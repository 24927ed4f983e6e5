//! Recipes: their text, their ranges, and how presets fill them.

mod common;

use common::toy;
use dream::{
    Detail, Filter, LayerWeight, ModelId, NoiseStart, Normalisation, Preset, Recipe, RecipeError,
    Tiles,
};
use proptest::prelude::*;

fn recipe() -> impl Strategy<Value = Recipe> {
    let layer = ("[a-z0-9_/\"\\\\ é]{1,12}", -9.0f32..9.0)
        .prop_filter("a weight", |(_, weight)| *weight != 0.0)
        .prop_map(|(name, weight)| LayerWeight { name, weight });
    let size = prop::option::of(1u32..=65_535);
    let noise = prop::option::of((1u32..=65_535, 1u32..=65_535));
    let first = (
        prop::sample::select(Preset::ALL.to_vec()),
        prop::collection::vec(layer, 0..4),
        (1u32..=32, 1.01f32..16.0, 1u32..=100_000, 0.0f32..1000.0, 0u32..=4096),
        0u64..=i64::MAX as u64,
        (size, noise),
    );
    let second = (
        prop::sample::select(vec![
            Normalisation::MeanAbs,
            Normalisation::Std,
            Normalisation::Laplacian,
        ]),
        prop::sample::select(vec![Tiles::Whole, Tiles::Rolled, Tiles::Scattered]),
        prop::sample::select(vec![Detail::Carry, Detail::Blend, Detail::Replace]),
        prop::sample::select(vec![
            Filter::Bilinear,
            Filter::Triangle,
            Filter::CatmullRom,
            Filter::Lanczos,
        ]),
        (1u32..=12, 0.0f32..64.0, 0.0f32..64.0, 32u32..=16_384, 0.0f32..1.0, 0.0f32..64.0),
        any::<(bool, bool)>(),
    );
    (first, second).prop_map(|((preset, layers, steps, seed, (size, noise)), second)| {
        let (octaves, octave_scale, iterations, step, jitter) = steps;
        let (normalisation, tiles, detail, filter, numbers, (clip, subtract_mean)) = second;
        let (laplacian_levels, smoothing, smoothing_growth, tile_size, blend, blur) = numbers;
        Recipe {
            version: "0.0.1".into(),
            model: ModelId { name: "a \"network\"".into(), hash: "0a".into() },
            preset,
            layers,
            octaves,
            octave_scale,
            iterations,
            step,
            jitter,
            seed,
            size,
            noise: noise.map(|(width, height)| NoiseStart { width, height }),
            normalisation,
            laplacian_levels,
            smoothing,
            smoothing_growth,
            tiles,
            tile_size,
            detail,
            blend,
            blur,
            filter,
            clip,
            subtract_mean,
            movie: None,
            video: None,
        }
    })
}

proptest! {
    #[test]
    fn every_recipe_survives_its_text(recipe in recipe()) {
        prop_assert_eq!(&Recipe::from_toml(&recipe.to_toml()).unwrap(), &recipe);
        prop_assert_eq!(&Recipe::from_toml_for(&recipe.to_toml(), &toy()).unwrap(), &recipe);
    }
}

#[test]
fn numbers_are_written_as_people_write_them() {
    let text = Recipe::default().to_toml();
    assert!(text.contains("octave_scale = 1.4\n"), "{text}");
}

#[test]
fn a_text_that_names_a_preset_takes_the_rest_from_it() {
    let read = Recipe::from_toml_for("preset = \"hvass\"\nstep = 2.0", &toy()).unwrap();
    let expected = Recipe { step: 2.0, ..Recipe::with_preset(&toy(), Preset::Hvass) };
    assert_eq!(read, expected);
    assert_eq!(Recipe::from_toml("").unwrap(), Recipe::default());
    let without_network = Recipe::from_toml("preset = \"hvass\"").unwrap();
    assert_eq!(without_network.detail, Detail::Blend);
    let weighted = Recipe::from_toml("layers = [{ name = \"a\" }]").unwrap();
    assert_eq!(weighted.layers[0].weight, 1.0);
}

#[test]
fn a_wrong_text_is_refused_with_its_place() {
    for (text, word) in [
        ("octave = 3", "unknown field `octave`"),
        ("octaves = \"three\"", "octaves"),
        ("octaves = -1", "octaves"),
        ("preset = \"gogle\"", "gogle"),
        ("octaves = ", "line 1"),
        ("model = { nam = \"x\" }", "nam"),
        ("seed = 99999999999999999999", "seed"),
    ] {
        let error = Recipe::from_toml(text).unwrap_err();
        assert!(matches!(error, RecipeError::Text(_)), "{text}: {error}");
        assert!(error.to_string().contains(word), "{text}: {error}");
    }
    assert!(matches!(Recipe::from_toml("octaves = 0"), Err(RecipeError::Range { .. })));
}

#[test]
fn every_knob_outside_its_range_is_refused_by_name() {
    type Edit = fn(&mut Recipe);
    let edits: [(&str, Edit); 20] = [
        ("octaves", |r| r.octaves = 0),
        ("octaves", |r| r.octaves = 33),
        ("octave_scale", |r| r.octave_scale = 1.0),
        ("octave_scale", |r| r.octave_scale = f32::NAN),
        ("iterations", |r| r.iterations = 0),
        ("step", |r| r.step = -1.0),
        ("step", |r| r.step = f32::INFINITY),
        ("jitter", |r| r.jitter = 5000),
        ("seed", |r| r.seed = u64::MAX),
        ("size", |r| r.size = Some(0)),
        ("noise.width", |r| r.noise = Some(NoiseStart { width: 0, height: 9 })),
        ("noise.height", |r| r.noise = Some(NoiseStart { width: 9, height: 99_999 })),
        ("laplacian_levels", |r| r.laplacian_levels = 0),
        ("smoothing", |r| r.smoothing = -0.1),
        ("smoothing_growth", |r| r.smoothing_growth = 65.0),
        ("tile_size", |r| r.tile_size = 8),
        ("blend", |r| r.blend = 1.5),
        ("blur", |r| r.blur = f32::NAN),
        ("weight", |r| r.layers[0].weight = f32::NAN),
        ("weight", |r| r.layers[0].weight = 1e9),
    ];
    for (name, edit) in edits {
        let mut recipe = Recipe::for_network(&toy());
        recipe.validate().unwrap();
        edit(&mut recipe);
        let error = recipe.validate().unwrap_err();
        assert!(matches!(&error, RecipeError::Range { knob, .. } if *knob == name), "{error}");
        assert!(error.to_string().contains(name) && error.to_string().contains(" to "));
    }
    let mut recipe = Recipe::for_network(&toy());
    recipe.layers[0].weight = 0.0;
    assert_eq!(recipe.validate(), Err(RecipeError::NoWeight));
}

#[test]
fn presets_are_found_by_their_names() {
    for preset in Preset::ALL {
        assert_eq!(preset.name().parse(), Ok(preset));
        assert_eq!(Recipe::with_preset(&toy(), preset).preset, preset);
        Recipe::with_preset(&toy(), preset).validate().unwrap();
    }
    assert!("deep".parse::<Preset>().unwrap_err().contains("google, tensorflow"));
}

#[test]
fn an_unknown_network_dreams_on_a_layer_three_fifths_deep() {
    assert_eq!(Recipe::for_network(&toy()).layers[0].name, "relu2");
}
