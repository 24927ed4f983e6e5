//! Recipes of version 0.1, which are flat: each is read, and gives the dream it gave then.
//!
//! `recipes-0.1` holds texts that version 0.1 wrote (`saved-…`) or that were written by hand for it,
//! and `digests`, made by version 0.1 as [`digest`] makes them.

use std::sync::Arc;

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{Watch, machine, picture, toy};
use dream::{FinishCurve, Plan, Recipe, RecipeError, Tensor, VideoDreamer, ZoomDreamer, sample};
use graph::Size;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes-0.1")
}

/// FNV-1a of all values, rounded to bytes.
fn digest(pictures: &[Tensor]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for value in pictures.iter().flat_map(|picture| &picture.data) {
        hash ^= u64::from(value.round().clamp(0.0, 255.0) as u8);
        hash = hash.wrapping_mul(0x100_0000_01b3);
    }
    format!("{hash:016x}")
}

/// A picture; or some frames of a zoom into it, or of a video in which it moves.
fn dreamt(recipe: &Recipe) -> Vec<Tensor> {
    let (network, machine, mut watch) = (toy(), machine(2), Watch::default());
    let start = match recipe.noise {
        Some(noise) => dream::noise(noise.size(), recipe.seed),
        None => picture(61, 83),
    };
    if recipe.zoom.is_some() {
        let first = ZoomDreamer::first(recipe, &machine, start);
        let mut dreamer = ZoomDreamer::new(recipe, Arc::new(network), &machine, &first).unwrap();
        let mut frames = vec![first];
        for number in 1..=8 {
            frames.push(dreamer.frame(number, frames.last().unwrap(), &mut watch).unwrap());
        }
        return frames;
    }
    if recipe.video.is_some() {
        let mut dreamer = VideoDreamer::new(recipe, &network, &machine, Size::new(61, 83)).unwrap();
        let source = |number: u32| {
            let left = 1.5 * f64::from(number);
            sample(machine.context.threads(), &start, |x, y| [x as f64 - left, y as f64])
        };
        return (0..4).map(|number| dreamer.frame(source(number), &mut watch).unwrap()).collect();
    }
    let (height, width) = (start.shape.height, start.shape.width);
    let plan = Plan::new(recipe, &network, Size::new(height, width), &machine).unwrap();
    vec![dream::dream(&plan, start, &mut watch).unwrap()]
}

#[test]
fn every_recipe_gives_the_dream_it_gave() {
    let digests = fs::read_to_string(folder().join("digests")).unwrap();
    let texts = fs::read_dir(folder()).unwrap().count() - 1;
    assert_eq!(digests.lines().count(), texts);
    for line in digests.lines() {
        let (wanted, name) = line.split_once(' ').unwrap();
        let text = fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap();
        let recipe = Recipe::from_toml_for(&text, &toy()).unwrap();
        assert_eq!(digest(&dreamt(&recipe)), wanted, "{name}");
        // As it is written now, it is the same recipe.
        assert_eq!(Recipe::from_toml(&recipe.to_toml()).unwrap(), recipe, "{name}");
        assert!(recipe.to_toml().starts_with("schema = 1\n"), "{name}");
    }
}

/// So that they can be looked at without the network that they were made with.
#[test]
fn recipes_that_older_versions_wrote_say_everything() {
    let whole = |path: &str| {
        Recipe::says_everything(&fs::read_to_string(folder().join(path)).unwrap()).unwrap()
    };
    for saved in ["saved-default.toml", "saved-hvass.toml", "saved-zoom.toml", "saved-video.toml"] {
        assert!(whole(saved), "{saved}");
    }
    assert!(whole("../recipes-0.2/saved-default.toml"));
    assert!(!whole("bare.toml") && !whole("hvass.toml"));
}

/// As version 0.2 wrote it, and the dream it gave on a picture that is larger than today's anchor.
#[test]
fn a_large_dream_of_version_0_2_keeps_its_bytes() {
    let text = fs::read_to_string(folder().join("../recipes-0.2/saved-default.toml")).unwrap();
    let recipe = Recipe::from_toml_for(&text, &toy()).unwrap();
    let plan = Plan::new(&recipe, &toy(), Size::new(40, 900), &machine(2)).unwrap();
    let dreamt = dream::dream(&plan, picture(40, 900), &mut Watch::default()).unwrap();
    assert_eq!(digest(&[dreamt]), "54208eef8436d206");
    assert_eq!(Recipe::from_toml(&plan.recipe().to_toml()).unwrap(), *plan.recipe());
}

#[test]
fn zooms_that_say_nothing_of_a_shoulder_cut_colours_off_as_they_did() {
    let shoulder = |text: &str| Recipe::from_toml(text).unwrap().zoom.unwrap_or_default().shoulder;
    assert_eq!(shoulder("version = \"0.2.0\"\nschema = 1\n[zoom]\npace = 3.0\n"), 0.0);
    assert_eq!(shoulder("schema = 1\n[zoom]\nshoulder = 16.0\n"), 16.0);
    for saved in ["saved-zoom.toml", "saved-default.toml"] {
        assert_eq!(shoulder(&fs::read_to_string(folder().join(saved)).unwrap()), 0.0, "{saved}");
    }
    let mut recipe = Recipe::for_network(&toy());
    recipe.start_zoom();
    assert_eq!(shoulder(&recipe.to_toml()), 16.0);
}

#[test]
fn errors_name_what_the_text_names() {
    for (text, wanted) in [
        ("octaves = 0", "`octaves` is 0"),
        ("octave_scale = 1.0", "`octave_scale` is 1"),
        ("iterations = 0", "`iterations`"),
        ("laplacian_levels = 0", "`laplacian_levels`"),
        ("tile_size = 8", "`tile_size`"),
        ("blend = 1.5", "`blend`"),
        ("layers = [{ name = \"a\", weight = 1e9 }]", "`weight`"),
        ("octave = 3", "unknown field `octave`"),
        ("octaves = \"three\"", "octaves"),
        ("tiles = \"roled\"", "`rolled`"),
        ("detail = \"reinject\"", "`carry`"),
        ("[movie]\nfps = 0", "`movie.fps` is 0"),
        ("[movie]\nlevels = 2", "`movie.levels` is 2"),
        ("[movie]\npace = -1", "`movie.pace` is -1"),
        ("[movie.motion]\nzoom = 0.0", "`movie.motion.zoom`"),
        ("[video]\ncarry = 1.5", "`video.carry` is 1.5"),
        ("[video]\nblend = -0.1", "`video.blend`"),
        ("[video]\ncarries = 0.5", "`carries`"),
        ("[video]\ncoherence = \"magic\"", "magic"),
    ] {
        let said = Recipe::from_toml(text).unwrap_err().to_string();
        assert!(said.contains(wanted), "{text}: {said}");
    }
}

#[test]
fn errors_of_keyframes_name_what_the_text_names() {
    for (set, wanted) in [
        ("stepp = 1", "keyframe at 1 s: there is no setting `stepp`"),
        ("seed = 1", "`seed` is the same for the whole zoom"),
        ("step = \"big\"", "`step` cannot be \"big\""),
        ("step = 5000.0", "`step` is 5000"),
        ("octaves = 40", "`octaves` is 40"),
        ("jitter = -1", "`jitter` cannot be -1"),
        ("tile_size = 8", "`tile_size` is 8"),
        ("blend = 2", "`blend` is 2"),
        ("laplacian_levels = 0", "`laplacian_levels` is 0"),
        ("pace = -1", "`pace` is -1"),
        ("motion = { zoom = 0.0 }", "`motion.zoom` is 0"),
        ("motion = { zom = 1.0 }", "`zom`"),
        ("layers = [{ nam = \"a\" }]", "`nam`"),
    ] {
        let text = format!("[movie]\n[[movie.keys]]\nat = 1\nset = {{ {set} }}");
        let said = Recipe::from_toml(&text).unwrap_err().to_string();
        assert!(said.contains(wanted), "{set}: {said}");
    }
}

#[test]
fn a_nested_recipe_without_a_schema_is_told_to_name_it() {
    for text in ["[octaves]\ncount = 3", "[ascent]\nstep = 1.0", "[zoom]", "objective = []"] {
        let said = Recipe::from_toml(text).unwrap_err().to_string();
        assert!(said.contains("`schema = 1`"), "{text}: {said}");
    }
    let newer = Recipe::from_toml("schema = 2").unwrap_err();
    assert!(matches!(newer, RecipeError::Schema { .. }));
    assert!(newer.to_string().contains("schema 2") && newer.to_string().contains("newer"));
    assert!(matches!(Recipe::from_toml("schema = \"x\""), Err(RecipeError::Schema { .. })));
}

#[test]
fn a_finish_that_an_earlier_program_wrote_cuts_colours_off_as_it_did() {
    let curve = |text: &str| Recipe::from_toml(text).unwrap().finish.curve;
    let finish = "[finish]\ncontrast = 1.3\n";
    assert_eq!(curve(&format!("version = \"0.2.0\"\nschema = 1\n{finish}")), FinishCurve::Straight);
    assert_eq!(curve("version = \"0.1.0\"\nschema = 1\n"), FinishCurve::Straight);
    assert_eq!(curve(&format!("schema = 1\n{finish}")), FinishCurve::Soft);
    let new = Recipe::for_network(&toy()).to_toml();
    assert_eq!(curve(&new), FinishCurve::Soft);
    // As it was written before there were curves.
    let before = new.replace("curve = \"soft\"\n", "");
    assert_eq!(curve(&before), FinishCurve::Straight);
    let mut recipe = Recipe::from_toml(&before).unwrap();
    recipe.set("finish.curve", "soft").unwrap();
    assert_eq!(curve(&recipe.to_toml()), FinishCurve::Soft);
    // Where it bends nothing, it makes no other recipe.
    let [now, then] = [&new, &before].map(|text| Recipe::from_toml(text).unwrap());
    assert!(now.differences(&then).is_empty());
    let bent = |mut recipe: Recipe| {
        recipe.set("finish.contrast", "1.2").unwrap();
        recipe
    };
    assert_eq!(bent(now).differences(&bent(then)).len(), 1);
}
