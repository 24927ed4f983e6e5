//! Recipes: their text, their ranges, and how presets fill them.

use crate::common::{edited, toy};
use dream::{
    Ascent, Bound, Coherence, Detail, Filter, Finish, Keyframe, ModelId, NoiseStart, Normalisation,
    Octaves, Optimiser, Parametrisation, Penalty, PenaltyOf, Preset, Recipe, RecipeError, Term,
    Tiles, Video,
};
use proptest::prelude::*;

fn octaves() -> impl Strategy<Value = Octaves> {
    let detail = prop_oneof![
        Just(Detail::Reinject),
        (0.0..1.0).prop_map(|share| Detail::Blend { share }),
        Just(Detail::Replace),
    ];
    let filters = [Filter::Bilinear, Filter::Triangle, Filter::CatmullRom, Filter::Lanczos];
    let filter = prop::sample::select(filters.to_vec());
    let anchor = prop_oneof![1u32..=65_535, Just(Octaves::FULL)];
    (1u32..=32, anchor, 1.01f32..16.0, detail, 0.0f32..64.0, filter).prop_map(
        |(count, anchor, scale, detail, blur, filter)| Octaves {
            count,
            anchor,
            scale,
            detail,
            blur,
            filter,
        },
    )
}

fn ascent() -> impl Strategy<Value = Ascent> {
    let normalisation = prop_oneof![
        Just(Normalisation::MeanAbs),
        Just(Normalisation::Std),
        (1u32..=12).prop_map(|levels| Normalisation::Laplacian { levels }),
    ];
    let steps = (1u32..=100_000, 0.0f32..1000.0, 0u32..=4096);
    let optimiser = prop_oneof![
        Just(Optimiser::Plain),
        [0.0..=0.9999, 0.0..=0.9999].prop_map(|betas| Optimiser::Adam { betas }),
    ];
    let bound = prop::sample::select(vec![Bound::Clip, Bound::Sigmoid, Bound::None]);
    let of = prop::sample::select(vec![Parametrisation::Pixels, Parametrisation::Spectrum]);
    let lengths = (any::<bool>(), 0.0f32..=4.0);
    let climb = (optimiser, of, bound, 0.0f32..=4.0, lengths);
    (steps, normalisation, 0.0f32..64.0, 0.0f32..64.0, climb).prop_map(
        |((iterations, step, jitter), normalisation, smoothing, smoothing_growth, climb)| {
            let (optimiser, parametrisation, bound, chroma, (by_depth, refine)) = climb;
            Ascent {
                iterations,
                step,
                jitter,
                normalisation,
                smoothing,
                smoothing_growth,
                optimiser,
                parametrisation,
                bound,
                chroma,
                by_depth,
                refine,
                ..Ascent::default()
            }
        },
    )
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let term = ("[a-z0-9_/\"\\\\ é]{1,12}", -9.0f32..9.0)
        .prop_filter("a weight", |(_, weight)| *weight != 0.0)
        .prop_map(|(layer, weight)| Term::layer(layer).weighing(weight));
    let tiles = prop_oneof![
        Just(Tiles::Whole),
        (32u32..=16_384).prop_map(|size| Tiles::Rolled { size }),
        (32u32..=16_384).prop_map(|size| Tiles::Scattered { size }),
    ];
    let video = prop::option::of(prop_oneof![
        (0.0..0.99).prop_map(|persistence| Coherence::Flow { persistence }),
        (0.0..0.99).prop_map(|share| Coherence::Blend { share }),
        Just(Coherence::Independent),
    ]);
    let start = (
        prop::option::of(1u32..=65_535),
        prop::option::of((1u32..=65_535, 1u32..=65_535)),
        0u64..=i64::MAX as u64,
    );
    let preset = prop::sample::select(Preset::ALL.to_vec());
    let rest = (tiles, any::<bool>(), video, prop::collection::vec(term, 0..4));
    (preset, start, octaves(), ascent(), rest).prop_map(|(preset, start, octaves, ascent, rest)| {
        let ((size, noise, seed), (tiles, subtract_mean, video, objective)) = (start, rest);
        Recipe {
            version: "0.0.1".into(),
            model: ModelId { name: "a \"network\"".into(), hash: "0a".into() },
            preset,
            seed,
            size,
            noise: noise.map(|(width, height)| NoiseStart { width, height }),
            objective,
            tiles,
            subtract_mean,
            octaves,
            ascent,
            video: video.map(|coherence| Video { coherence }),
            penalty: Penalty {
                tv: seed as f32 % 10.0,
                of: PenaltyOf::Picture,
                ..Penalty::default()
            },
            finish: Finish { mix: 0.5, levels: 0.25, ..Finish::default() },
            ..Recipe::default()
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
fn what_version_0_2_called_clamp_is_the_bound() {
    let text = "schema = 1\npreset = \"google\"\n[ascent]\nclamp = false\n[[zoom.keyframes]]\nat = 2\n\
                set = { ascent = { clamp = true, step = 2 } }";
    let mut recipe = Recipe::from_toml_for(text, &toy()).unwrap();
    assert_eq!(recipe.ascent.bound, Bound::None);
    assert_eq!(recipe.at(2.0).unwrap().ascent.bound, Bound::Clip);
    let key: Keyframe = "2s:ascent.clamp=true,step=2".parse().unwrap();
    assert_eq!(recipe.zoom.as_ref().unwrap().keyframes, [key]);
    assert!(!recipe.to_toml().contains("clamp"), "{}", recipe.to_toml());
    recipe.set("ascent.clamp", "true").unwrap();
    assert_eq!(recipe.ascent.bound, Bound::Clip);
    let both = "schema = 1\n[ascent]\nclamp = false\nbound = \"clip\"";
    let said = Recipe::from_toml(both).unwrap_err().to_string();
    assert!(said.contains("duplicate field `bound`"), "{said}");
}

#[test]
fn numbers_are_written_as_people_write_them() {
    let text = Recipe::default().to_toml();
    assert!(text.starts_with("schema = 1\n"), "{text}");
    assert!(text.contains("[octaves]\ncount = 4\nanchor = 640\nscale = 1.4\n"), "{text}");
}

#[test]
fn a_text_that_names_a_preset_takes_the_rest_from_it() {
    let text = "schema = 1\npreset = \"hvass\"\n[ascent]\nstep = 2.0";
    let read = Recipe::from_toml_for(text, &toy()).unwrap();
    let hvass = Recipe::with_preset(&toy(), Preset::Hvass);
    assert_eq!(read, edited(hvass, |recipe| recipe.ascent.step = 2.0));
    assert_eq!(Recipe::from_toml("schema = 1").unwrap(), Recipe::default());
    let without_network = Recipe::from_toml("schema = 1\npreset = \"hvass\"").unwrap();
    assert_eq!(without_network.octaves.detail, Detail::Blend { share: 0.2 });
    let weighted = Recipe::from_toml("schema = 1\nobjective = [{ layer = \"a\" }]").unwrap();
    assert_eq!(weighted.objective, [Term::layer("a")]);
}

#[test]
fn an_anchor_is_a_number_or_the_full_size() {
    let anchor = |text: &str| {
        Recipe::from_toml(&format!("schema = 1\noctaves = {{ anchor = {text} }}"))
            .map(|recipe| (recipe.octaves.anchor, recipe.to_toml()))
    };
    for (text, pixels) in [("224", 224), ("\"full\"", Octaves::FULL)] {
        let (read, written) = anchor(text).unwrap();
        assert_eq!(read, pixels);
        assert!(written.contains(&format!("anchor = {text}\n")), "{written}");
    }
    for (text, wanted) in [("0", "`octaves.anchor` is 0"), ("\"large\"", "large"), ("-1", "anchor")]
    {
        let said = anchor(text).unwrap_err().to_string();
        assert!(said.contains(wanted), "{text}: {said}");
    }
}

#[test]
fn dreams_of_version_0_2_stay_laid_out_from_their_full_size() {
    let anchor = |text: &str| Recipe::from_toml_for(text, &toy()).unwrap().octaves.anchor;
    let usual = Recipe::for_network(&toy()).octaves.anchor;
    assert_ne!(usual, Octaves::FULL);
    for version in ["0.2.0", "0.1.0"] {
        let head = format!("schema = 1\nversion = \"{version}\"\n");
        assert_eq!(anchor(&head), Octaves::FULL);
        assert_eq!(anchor(&format!("{head}[octaves]\ncount = 2")), Octaves::FULL);
        assert_eq!(anchor(&format!("{head}[octaves]\nanchor = 300")), 300);
    }
    assert_eq!(anchor("version = \"0.1.0\""), Octaves::FULL);
    assert_eq!(anchor("octaves = 3"), Octaves::FULL);
    assert_eq!(anchor("schema = 1\nversion = \"0.3.0\""), usual);
    assert_eq!(anchor("schema = 1"), usual);
    for preset in [Preset::Google, Preset::Tensorflow, Preset::TensorflowLaplacian, Preset::Hvass] {
        let anchor = Recipe::with_preset(&toy(), preset).octaves.anchor;
        assert_eq!(anchor, Octaves::FULL, "{preset}");
    }
}

#[test]
fn choices_are_words_or_have_settings() {
    for (text, tiles) in [
        ("\"whole\"", Tiles::Whole),
        ("\"rolled\"", Tiles::Rolled { size: 512 }),
        ("{ rolled = {} }", Tiles::Rolled { size: 512 }),
        ("{ scattered = { size = 300 } }", Tiles::Scattered { size: 300 }),
    ] {
        let read = Recipe::from_toml(&format!("schema = 1\ntiles = {text}")).unwrap();
        assert_eq!(read.tiles, tiles);
    }
}

#[test]
fn a_wrong_text_is_refused_with_its_place() {
    for (text, words) in [
        ("octave = { count = 3 }", &["line 2", "no setting `octave", "`octaves.count`"][..]),
        ("octaves = { cuont = 3 }", &["line 2", "did you mean `octaves.count`?"]),
        ("octaves = 3", &["octaves"]),
        ("octaves = { count = \"three\" }", &["line 2", "count"]),
        ("octaves = { count = -1 }", &["count"]),
        ("preset = \"gogle\"", &["line 2", "gogle", "`google`"]),
        ("tiles = { rolled = { siz = 3 } }", &["`tiles.rolled.siz`", "`tiles.rolled.size`"]),
        ("octaves = ", &["line 2"]),
        ("model = { nam = \"x\" }", &["did you mean `model.name`?"]),
        ("seed = 99999999999999999999", &["seed"]),
        ("step = 2.0", &["did you mean `ascent.step`?"]),
    ] {
        let error = Recipe::from_toml(&format!("schema = 1\n{text}")).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{text}: {error}");
    }
    let out_of_range = Recipe::from_toml("schema = 1\noctaves = { count = 0 }");
    assert!(matches!(out_of_range, Err(RecipeError::Range { .. })));
}

#[test]
fn every_setting_outside_its_range_is_refused_by_name() {
    type Edit = fn(&mut Recipe);
    let edits: [(&str, Edit); 26] = [
        ("schema", |r| r.schema = 2),
        ("octaves.count", |r| r.octaves.count = 0),
        ("octaves.count", |r| r.octaves.count = 33),
        ("octaves.anchor", |r| r.octaves.anchor = 0),
        ("octaves.anchor", |r| r.octaves.anchor = 65_536),
        ("octaves.scale", |r| r.octaves.scale = 1.0),
        ("octaves.scale", |r| r.octaves.scale = f32::NAN),
        ("octaves.detail.blend.share", |r| r.octaves.detail = Detail::Blend { share: 1.5 }),
        ("octaves.blur", |r| r.octaves.blur = f32::NAN),
        ("ascent.iterations", |r| r.ascent.iterations = 0),
        ("ascent.step", |r| r.ascent.step = -1.0),
        ("ascent.step", |r| r.ascent.step = f32::INFINITY),
        ("ascent.jitter", |r| r.ascent.jitter = 5000),
        ("ascent.normalisation.laplacian.levels", |r| {
            r.ascent.normalisation = Normalisation::Laplacian { levels: 0 };
        }),
        ("ascent.smoothing", |r| r.ascent.smoothing = -0.1),
        ("ascent.smoothing_growth", |r| r.ascent.smoothing_growth = 65.0),
        ("seed", |r| r.seed = u64::MAX),
        ("size", |r| r.size = Some(0)),
        ("noise.width", |r| r.noise = Some(NoiseStart { width: 0, height: 9 })),
        ("noise.height", |r| r.noise = Some(NoiseStart { width: 9, height: 99_999 })),
        ("tiles.rolled.size", |r| r.tiles = Tiles::Rolled { size: 8 }),
        ("tiles.scattered.size", |r| r.tiles = Tiles::Scattered { size: 99_999 }),
        ("video.coherence.flow.persistence", |r| {
            r.video = Some(Video { coherence: Coherence::Flow { persistence: 1.0 } });
        }),
        ("video.coherence.blend.share", |r| {
            r.video = Some(Video { coherence: Coherence::Blend { share: f64::NAN } });
        }),
        ("objective.weight", |r| r.objective[0].weight = f32::NAN),
        ("objective.weight", |r| r.objective[0].weight = 1e9),
    ];
    for (name, edit) in edits {
        let mut recipe = Recipe::with_preset(&toy(), Preset::Classic);
        recipe.validate().unwrap();
        edit(&mut recipe);
        let error = recipe.validate().unwrap_err();
        assert!(matches!(&error, RecipeError::Range { setting, .. } if setting == name), "{error}");
        assert!(error.to_string().contains(&format!("`{name}` is ")), "{error}");
    }
    let mut recipe = Recipe::for_network(&toy());
    recipe.objective[0].weight = 0.0;
    assert_eq!(recipe.validate(), Err(RecipeError::NoWeight));
}

#[test]
fn differences_are_told_by_path() {
    let before = Recipe::default();
    let now = edited(before.clone(), |recipe| {
        recipe.octaves.scale = 1.5;
        recipe.tiles = Tiles::Rolled { size: 300 };
    });
    let said = now.differences(&before);
    assert_eq!(
        said,
        [
            "octaves.scale was 1.4 and is now 1.5",
            "tiles was \"whole\" and is now nothing",
            "tiles.rolled.size was nothing and is now 300"
        ]
    );
    let older = Recipe { version: "0.1.0".into(), ..now.clone() };
    assert!(now.differences(&older).is_empty(), "a new version goes on with an older one's frames");
}

#[test]
fn presets_are_found_by_their_names() {
    for preset in Preset::ALL {
        assert_eq!(preset.name().parse(), Ok(preset));
        assert_eq!(Recipe::with_preset(&toy(), preset).preset, preset);
        Recipe::with_preset(&toy(), preset).validate().unwrap();
    }
    assert!(
        "deep"
            .parse::<Preset>()
            .unwrap_err()
            .contains("figures, visualise, classic, google, tensorflow")
    );
}

/// What version 0.2 wrote by hand or was written for it leaves out means its default, not today's.
#[test]
fn what_older_recipes_leave_out_is_the_default_of_their_time() {
    let then = |text: &str| Recipe::from_toml_for(text, &toy()).unwrap();
    let classic = Recipe::with_preset(&toy(), Preset::Classic);
    let now = Recipe::for_network(&toy());
    assert_ne!(now.ascent, classic.ascent);
    for text in ["", "version = \"0.1.0\"", "schema = 1\nversion = \"0.2.0\""] {
        let read = then(text);
        assert_eq!((read.preset, &read.ascent), (Preset::Default, &classic.ascent), "{text}");
        assert_eq!(read.octaves, Octaves { anchor: Octaves::FULL, ..classic.octaves.clone() });
    }
    assert_eq!(then("schema = 1"), now);
    assert_eq!(then("schema = 1\npreset = \"classic\""), classic);
}

#[test]
fn noise_gets_more_steps_where_the_preset_is_for_photos() {
    for preset in Preset::ALL {
        let recipe = Recipe::with_preset(&toy(), preset);
        let noisy = edited(recipe.clone(), Recipe::start_from_noise).ascent.iterations;
        let twice = matches!(preset, Preset::Default | Preset::Figures);
        assert_eq!(
            noisy,
            if twice { 2 * recipe.ascent.iterations } else { recipe.ascent.iterations }
        );
    }
}

#[test]
fn an_unknown_network_dreams_on_a_layer_three_fifths_deep() {
    assert_eq!(Recipe::for_network(&toy()).objective[0].layer, "relu2");
}
