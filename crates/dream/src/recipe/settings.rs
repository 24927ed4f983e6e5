//! Every setting of a recipe by its path, with what help, forms and completions say about it, and
//! the nearest ones to a path that does not exist.

use strsim::normalized_damerau_levenshtein as alike;
use toml::{Table, Value};

use super::documented::Field;
use super::{
    Ascent, Finish, Guide, Kind, ModelId, Motion, Octaves, Penalty, Recipe, RecipeError, Region,
    Rhythm, Vector, Video, Wobble, Zoom, kind, names,
};

/// One setting of a recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Where a recipe has it, with dots between: `octaves.count`. `NAME` stands for any name in
    /// `regions.NAME.mask` and the like.
    pub path: String,
    /// What it is.
    pub about: String,
    /// Its default, as words or as the recipe has it in TOML.
    pub default: String,
    /// The words it may be, where it is a choice. Some have settings of their own, which have paths
    /// of their own: `tiles.rolled.size`.
    pub choices: &'static [&'static str],
    /// What its value is, and the least and the most a number may be.
    pub kind: Kind,
    /// Whether a zoom's keyframes may set it.
    pub in_keyframes: bool,
}

/// The groups of settings, by their paths.
const GROUPS: [(&str, &[Field]); 14] = [
    ("", Recipe::FIELDS),
    ("model", ModelId::FIELDS),
    ("octaves", Octaves::FIELDS),
    ("ascent", Ascent::FIELDS),
    ("ascent.wobble", Wobble::FIELDS),
    ("penalty", Penalty::FIELDS),
    ("finish", Finish::FIELDS),
    ("zoom", Zoom::FIELDS),
    ("zoom.motion", Motion::FIELDS),
    ("zoom.rhythm", Rhythm::FIELDS),
    ("video", Video::FIELDS),
    ("vectors.NAME", Vector::FIELDS),
    ("guides.NAME", Guide::FIELDS),
    ("regions.NAME", Region::FIELDS),
];

/// The groups that hold groups by names of the recipe's own choice.
const NAMED: [&str; 3] = ["guides", "regions", "vectors"];

/// The choices, and their words.
const CHOICES: [(&str, &[&str]); 14] = [
    (
        "preset",
        &[
            "default",
            "figures",
            "visualise",
            "classic",
            "google",
            "tensorflow",
            "tensorflow-laplacian",
            "hvass",
        ],
    ),
    ("noise_kind", &["soft", "spectrum"]),
    ("balance", &["auto", "shares", "raw"]),
    ("tiles", &["whole", "rolled", "scattered", "exact"]),
    ("octaves.detail", &["reinject", "blend", "replace"]),
    ("octaves.filter", &["bilinear", "triangle", "catmull-rom", "lanczos"]),
    ("ascent.normalisation", &["mean-abs", "std", "laplacian"]),
    ("ascent.optimiser", &["plain", "adam"]),
    ("ascent.parametrisation", &["pixels", "spectrum"]),
    ("ascent.bound", &["clip", "sigmoid", "none"]),
    ("penalty.of", &["dream", "picture"]),
    ("finish.curve", &["soft", "straight"]),
    ("video.coherence", &["flow", "blend", "independent"]),
    ("regions.NAME.follow", &["screen", "picture"]),
];

/// The settings that belong to one choice, or to a size.
const OF_CHOICES: [Field; 10] = [
    ("noise.width", "Columns of the noise to start from. Default: none."),
    ("noise.height", "Rows of the noise to start from. Default: none."),
    ("tiles.rolled.size", "Side of a rolled tile in pixels. Default: 512."),
    ("tiles.scattered.size", "Side of a scattered tile in pixels, nearly. Default: 512."),
    (
        "tiles.exact.size",
        "Longest side of an exact tile in pixels; 0 for the largest that memory allows. Default: 0.",
    ),
    ("octaves.detail.blend.share", "The picture's share of an octave's start, 0–1. Default: 0.2."),
    (
        "ascent.normalisation.laplacian.levels",
        "How often the gradient is halved; the pyramid has one level more than that. Default: 4.",
    ),
    (
        "ascent.optimiser.adam.betas",
        "How slowly the mean of the directions and that of their squares are forgotten, 0–0.9999 each. \
         Default: [0.9, 0.999].",
    ),
    (
        "video.coherence.flow.persistence",
        "How much of the last frame's dream lives on in the next, 0–0.99; the rest is dreamt anew. \
         Default: 0.8.",
    ),
    (
        "video.coherence.blend.share",
        "The last dream's share of what a frame's dream starts from, 0–0.99; the rest is the frame. \
         Default: 0.5.",
    ),
];

/// Settings, and groups of them, that are the same for a whole zoom.
const FIXED: [&str; 21] = [
    "schema",
    "version",
    "model",
    "preset",
    "seed",
    "size",
    "noise",
    "balance",
    "vectors",
    "noise_kind",
    "pictures",
    "diversity",
    "ascent.parametrisation",
    "finish",
    "video",
    "zoom.fps",
    "zoom.length",
    "zoom.rhythm",
    "zoom.keyframes",
    "guides",
    "regions",
];

/// What only keyframes have: the settings of choices, whichever word the choice is at the time.
const OF_KEYFRAMES: [&str; 3] = ["tile_size", "octaves.blend_share", "ascent.laplacian_levels"];

/// How many settings are suggested for one that does not exist, at the most.
const SUGGESTIONS: usize = 3;

impl Recipe {
    /// Every setting, in the order in which a recipe has them.
    pub fn settings() -> Vec<Setting> {
        let mut settings = Vec::new();
        for (group, fields) in GROUPS {
            for (name, doc) in fields {
                let path = joined(group, name);
                if GROUPS.iter().any(|(group, _)| *group == path) || NAMED.contains(&&*path) {
                    continue;
                }
                settings.push(setting(path.clone(), doc));
                let own = OF_CHOICES.iter().filter(|(of, _)| is_within(of, &path));
                settings.extend(own.map(|(path, doc)| setting((*path).to_owned(), doc)));
            }
        }
        settings
    }
}

fn setting(path: String, doc: &str) -> Setting {
    let doc = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    let (about, default) = doc.split_once(" Default: ").unwrap_or((&doc, ""));
    let choices =
        CHOICES.iter().find(|(choice, _)| *choice == path).map_or(&[][..], |(_, all)| all);
    Setting {
        about: about.to_owned(),
        default: default.trim_end_matches('.').replace('`', ""),
        choices,
        kind: kind::of(&path, choices),
        in_keyframes: !FIXED.iter().any(|fixed| is_within(&path, fixed)),
        path,
    }
}

/// Whether `path` is a choice, whose settings are there for one of its words alone.
pub(crate) fn is_choice(path: &str) -> bool {
    CHOICES.iter().any(|(choice, _)| *choice == path)
}

/// Whether `path` is `group` or part of it.
pub(crate) fn is_within(path: &str, group: &str) -> bool {
    path.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether `path` is that of a group of settings and of none by itself.
pub(crate) fn is_group(path: &str) -> bool {
    let known = general(path);
    let settings = Recipe::settings();
    let inside = settings.iter().any(|setting| is_within(&setting.path, &known));
    inside && settings.iter().all(|setting| setting.path != known)
}

pub(crate) fn joined(group: &str, name: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{group}.{name}") }
}

/// `path` with `NAME` in the place of a name that the recipe has chosen.
pub(crate) fn general(path: &str) -> String {
    let mut parts: Vec<&str> = path.split('.').collect();
    if NAMED.contains(&parts[0]) && parts.len() > 1 {
        parts[1] = "NAME";
    }
    parts.join(".")
}

/// The setting at `path`.
///
/// # Errors
/// With the nearest ones, if there is none.
pub(crate) fn find(path: &str) -> Result<Setting, RecipeError> {
    let settings = Recipe::settings();
    let known = general(path);
    if let Some(setting) = settings.iter().find(|setting| setting.path == known) {
        return Ok(setting.clone());
    }
    // All that has such names, or one of them, as a table.
    let whole = |group: &str| path == group || known == joined(group, "NAME");
    if NAMED.iter().any(|group| whole(group)) {
        return Ok(Setting {
            path: path.to_owned(),
            about: String::new(),
            default: "none".to_owned(),
            choices: &[],
            kind: Kind::Other,
            in_keyframes: false,
        });
    }
    Err(RecipeError::Unknown { path: path.to_owned(), near: nearest(path, &settings), line: None })
}

/// The path of the setting that a keyframe calls `name`: a path, a name of version 0.1, or the last
/// part of a path that no other setting as near to the root has which keyframes may set.
pub(crate) fn keyframe_path(name: &str) -> Result<String, RecipeError> {
    let name = names::path_in_keyframe(name).unwrap_or(name);
    if OF_KEYFRAMES.contains(&name) {
        return Ok(name.to_owned());
    }
    let settings = Recipe::settings();
    let depth = |setting: &Setting| setting.path.split('.').count();
    let named = settings.iter().filter(|setting| setting.path.rsplit('.').next() == Some(name));
    let mut nearest: Vec<&Setting> = named.collect();
    if nearest.iter().any(|setting| setting.in_keyframes) {
        nearest.retain(|setting| setting.in_keyframes);
    }
    let least = nearest.iter().map(|setting| depth(setting)).min();
    nearest.retain(|setting| Some(depth(setting)) == least);
    let exact = settings.iter().find(|setting| setting.path == name);
    let setting = match (exact, &nearest[..]) {
        (Some(setting), _) => setting,
        (None, [setting]) => *setting,
        (None, []) => &find(name)?,
        (None, several) => {
            let near = several.iter().map(|setting| setting.path.clone()).collect();
            return Err(RecipeError::Unknown { path: name.to_owned(), near, line: None });
        }
    };
    if !setting.in_keyframes {
        return Err(RecipeError::Fixed { setting: setting.path.clone() });
    }
    Ok(setting.path.clone())
}

/// The settings whose paths are nearest to `path`, nearest first: for a group those in it.
fn nearest(path: &str, settings: &[Setting]) -> Vec<String> {
    let within = |group: &str| -> Vec<String> {
        let inside = settings.iter().filter(|setting| is_within(&setting.path, group));
        inside.map(|setting| setting.path.clone()).take(SUGGESTIONS).collect()
    };
    let mut known = names::paths_of(path);
    known.retain(|path| settings.iter().any(|setting| setting.path == *path));
    if !known.is_empty() {
        return known;
    }
    let group = within(path);
    if !group.is_empty() {
        return group;
    }
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let mut scored: Vec<(f64, &str)> = settings
        .iter()
        .map(|setting| {
            let whole = alike(path, &setting.path);
            let part = alike(&last(path), &last(&setting.path));
            (whole.max(0.9 * part), setting.path.as_str())
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    let near = scored.iter().filter(|(score, _)| *score >= 0.5 && *score >= best - 0.1);
    near.map(|(_, path)| (*path).to_owned()).take(SUGGESTIONS).collect()
}

/// The first setting in a recipe's table that does not exist, or that a keyframe may not set.
pub(crate) fn check(table: &Table) -> Result<(), RecipeError> {
    let settings = Recipe::settings();
    check_group(table, "", &settings, false)?;
    let keyframes = table.get("zoom").and_then(|zoom| zoom.get("keyframes"));
    for keyframe in keyframes.and_then(Value::as_array).into_iter().flatten() {
        let Some(set) = keyframe.get("set").and_then(Value::as_table) else { continue };
        let at = keyframe.get("at").and_then(number).unwrap_or(f64::NAN);
        check_group(set, "", &settings, true).map_err(|error| error.in_keyframe(at))?;
    }
    Ok(())
}

pub(crate) fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
}

/// The path of the first value in a table that is at `path`.
fn leaf(path: String, value: &Value) -> String {
    match value.as_table().and_then(|table| table.iter().next()) {
        Some((name, value)) => leaf(joined(&path, name), value),
        None => path,
    }
}

fn check_group(
    table: &Table,
    group: &str,
    settings: &[Setting],
    in_keyframe: bool,
) -> Result<(), RecipeError> {
    for (name, value) in table {
        let path = joined(group, name);
        let known = general(&path);
        let is_group = settings
            .iter()
            .any(|setting| setting.path != known && is_within(&setting.path, &known));
        match (value, settings.iter().find(|setting| setting.path == known)) {
            (Value::Table(table), _) if is_group => {
                check_group(table, &path, settings, in_keyframe)?
            }
            (_, Some(setting)) if in_keyframe && !setting.in_keyframes => {
                return Err(RecipeError::Fixed { setting: path });
            }
            (_, Some(_)) => {}
            (_, None) if in_keyframe && OF_KEYFRAMES.contains(&&*path) => {}
            (value, None) => {
                let inside = settings.iter().find(|setting| is_within(&setting.path, &known));
                if let (Some(inside), false) = (inside, value.is_table()) {
                    let problem = format!("it is a group of settings, such as `{}`", inside.path);
                    let value = value.to_string();
                    return Err(RecipeError::Value { setting: path, value, problem });
                }
                let path = leaf(path, value);
                let near = nearest(&path, settings);
                return Err(RecipeError::Unknown { path, near, line: None });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NoiseStart;

    /// A recipe that has every setting that is no part of a choice.
    fn full() -> Recipe {
        let zoom = Zoom { length: Some(1.0), ..Zoom::default() };
        let named = || "a".to_owned();
        let vector = Vector { file: named(), sha256: named(), values: vec![1.0] };
        let region = Region { color: Some("#ff0000".into()), ..Region::default() };
        Recipe {
            size: Some(1),
            noise: Some(NoiseStart { width: 1, height: 1 }),
            zoom: Some(zoom),
            video: Some(Video::default()),
            guides: [("NAME".into(), Guide::default())].into(),
            vectors: [("NAME".into(), vector)].into(),
            regions: [("NAME".into(), region)].into(),
            ..Recipe::default()
        }
    }

    fn leaves(prefix: &str, table: &Table, paths: &mut Vec<String>) {
        for (name, value) in table {
            let path = joined(prefix, name);
            match value {
                Value::Table(table) => leaves(&path, table, paths),
                _ => paths.push(path),
            }
        }
    }

    #[test]
    fn every_field_is_a_setting_that_says_what_it_is() {
        let settings = Recipe::settings();
        let mut written = Vec::new();
        leaves("", &Table::try_from(full()).unwrap(), &mut written);
        for path in &written {
            assert!(settings.iter().any(|setting| setting.path == *path), "{path}");
        }
        for setting in &settings {
            let Setting { path, about, default, .. } = setting;
            assert!(!about.is_empty() && !default.is_empty(), "{path}: {about}; {default}");
            assert!(!about.contains("Default"), "{path}");
        }
        let mut paths: Vec<&str> = settings.iter().map(|setting| &*setting.path).collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), settings.len());
    }

    #[test]
    fn defaults_are_what_the_docs_say() {
        for setting in Recipe::settings() {
            let mut recipe = full();
            let words =
                ["none", "empty", "this program's", "the network's", "which", "a slow", "nothing"];
            if words.iter().any(|word| setting.default.starts_with(word)) {
                continue;
            }
            recipe.set(&setting.path, &setting.default).unwrap();
            let of_choice = OF_CHOICES.iter().any(|(path, _)| *path == setting.path);
            assert!(of_choice || recipe == full(), "{}: {}", setting.path, setting.default);
            if let Some((choice, _)) =
                CHOICES.iter().find(|(path, _)| is_within(&setting.path, path))
            {
                // The usual settings of a choice are those that its word alone stands for.
                let word =
                    setting.path[choice.len()..].split('.').nth(1).unwrap_or(&setting.default);
                let mut plain = full();
                plain.set(choice, word).unwrap();
                assert_eq!(recipe, plain, "{}", setting.path);
            }
        }
    }

    #[test]
    fn choices_are_those_that_can_be_read() {
        for setting in Recipe::settings() {
            for choice in setting.choices {
                full().set(&setting.path, choice).unwrap();
            }
            if !setting.choices.is_empty() {
                let said = full().set(&setting.path, "nonsense").unwrap_err().to_string();
                assert!(said.contains(&format!("`{}`", setting.choices[1])), "{said}");
                let listed = said.matches('`').count();
                assert!(listed >= 2 * setting.choices.len(), "{}: {said}", setting.path);
            }
        }
    }

    #[test]
    fn keyframes_may_set_what_a_partial_recipe_has() {
        for setting in Recipe::settings() {
            let mut table = Table::new();
            let value = match &*setting.path {
                "objective" => Value::Array(Vec::new()),
                _ if setting.default == "none" => Value::Integer(1),
                _ => super::super::set::value(&setting.default),
            };
            super::super::set::place(&mut table, &setting.path, value);
            let read = crate::recipe::text::of_table::<crate::PartialRecipe>(&table);
            assert_eq!(read.is_ok(), setting.in_keyframes, "{}: {read:?}", setting.path);
        }
    }

    #[test]
    fn a_misspelt_path_finds_what_was_meant() {
        for (path, near) in [
            ("octave.count", &["octaves.count"][..]),
            ("octaves.cuont", &["octaves.count"]),
            ("iterations", &["ascent.iterations"]),
            ("tile_size", &["tiles.rolled.size", "tiles.scattered.size"]),
            ("movie.motion.zom", &["zoom.motion.zoom"]),
            ("octave_scale", &["octaves.scale"]),
            ("video", &["video.coherence"]),
            ("xyzzy", &[]),
        ] {
            let Err(RecipeError::Unknown { near: found, .. }) = find(path) else {
                panic!("{path}")
            };
            assert!(
                near.iter().all(|near| found.contains(&(*near).to_owned())),
                "{path}: {found:?}"
            );
            assert_eq!(near.is_empty(), found.is_empty(), "{path}: {found:?}");
        }
        let error = find("octave.count").unwrap_err().to_string();
        assert!(
            error.starts_with("there is no setting `octave.count`: did you mean `octaves.count`"),
            "{error}"
        );
    }
}
