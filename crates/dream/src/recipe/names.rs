//! What earlier versions called the settings.

use toml::{Table, Value};

use super::RecipeError;

/// Paths, and their names in version 0.1 and, for what has been renamed since, in 0.2. What is not here
/// had the same name.
const NAMES: [(&str, &str); 26] = [
    ("octaves.count", "octaves"),
    ("octaves.scale", "octave_scale"),
    ("octaves.detail", "detail"),
    ("octaves.detail.blend.share", "blend"),
    ("octaves.blur", "blur"),
    ("octaves.filter", "filter"),
    ("ascent.iterations", "iterations"),
    ("ascent.step", "step"),
    ("ascent.jitter", "jitter"),
    ("ascent.normalisation", "normalisation"),
    ("ascent.normalisation.laplacian.levels", "laplacian_levels"),
    ("ascent.smoothing", "smoothing"),
    ("ascent.smoothing_growth", "smoothing_growth"),
    ("ascent.bound", "clip"),
    ("ascent.bound", "clamp"),
    ("ascent.bound", "ascent.clamp"),
    ("tiles.rolled.size", "tile_size"),
    ("tiles.scattered.size", "tile_size"),
    ("objective", "layers"),
    ("objective.weight", "weight"),
    ("video.coherence.flow.persistence", "video.carry"),
    ("video.coherence.blend.share", "video.blend"),
    ("zoom.keyframes", "movie.keys"),
    // What keyframes alone have.
    ("tile_size", "tile_size"),
    ("octaves.blend_share", "blend"),
    ("ascent.laplacian_levels", "laplacian_levels"),
];

/// Paths that nested recipes had before, and have now.
const MOVED: [(&str, &str); 1] = [("ascent.clamp", "ascent.bound")];

/// How many of the names, from the end, only keyframes have.
const OF_KEYFRAMES: usize = 3;

/// Where a nested recipe has what one of an earlier version had at `path`.
pub(super) fn present(path: &str) -> &str {
    MOVED.iter().find(|(before, _)| *before == path).map_or(path, |(_, now)| now)
}

/// Gives what is in a recipe's table, or in what a keyframe sets, its present names.
pub(super) fn renew(table: &mut Table) {
    for (before, now) in MOVED {
        let (group, before) = before.rsplit_once('.').expect("it is in a group");
        let now = now.rsplit('.').next().expect("it has a name");
        if let Some(group) = table.get_mut(group).and_then(Value::as_table_mut)
            && let Some(value) = group.remove(before)
        {
            group.insert(now.to_owned(), value);
        }
    }
    let keyframes = table.get_mut("zoom").and_then(|zoom| zoom.get_mut("keyframes"));
    for keyframe in keyframes.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(set) = keyframe.get_mut("set").and_then(Value::as_table_mut) {
            renew(set);
        }
    }
}

/// Where what version 0.1 called `name` may be.
pub(super) fn paths_of(name: &str) -> Vec<String> {
    let everywhere = &NAMES[..NAMES.len() - OF_KEYFRAMES];
    let known = everywhere.iter().filter(|(_, old)| *old == name);
    let mut paths: Vec<String> = known.map(|(path, _)| (*path).to_owned()).collect();
    paths.extend(name.strip_prefix("movie.").map(|rest| format!("zoom.{rest}")));
    paths
}

/// The path that a keyframe has for what version 0.1 called `name`, where the two differ.
pub(super) fn path_in_keyframe(name: &str) -> Option<&'static str> {
    // The last, since what only keyframes have comes before what is part of a choice.
    NAMES.iter().rev().find(|(_, old)| *old == name).map(|(path, _)| *path)
}

/// An error of a nested recipe in the words of the flat one that it was read from.
pub(super) fn as_written(error: RecipeError) -> RecipeError {
    match error {
        RecipeError::Range { setting, value, allowed, way_out } => {
            RecipeError::Range { setting: old_name(&setting), value, allowed, way_out }
        }
        RecipeError::Value { setting, value, problem } => {
            RecipeError::Value { setting: old_name(&setting), value, problem }
        }
        RecipeError::Keyframe { at, error } => {
            let mut error = as_written(*error);
            if let RecipeError::Range { setting, .. } = &mut error
                && let Some(own) = setting.strip_prefix("movie.")
            {
                *setting = own.to_owned();
            }
            error.in_keyframe(at)
        }
        error => error,
    }
}

fn old_name(path: &str) -> String {
    if let Some((_, old)) = NAMES.iter().find(|(known, _)| *known == path) {
        return (*old).to_owned();
    }
    match path.strip_prefix("zoom.") {
        Some(rest) => format!("movie.{}", rest.replace("keyframes", "keys")),
        None => path.to_owned(),
    }
}
