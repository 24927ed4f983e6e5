//! What a recipe says about a movie: the motion from frame to frame, levels, and keyframes.
//!
//! A keyframe sets knobs at a time. Between two that set the same knob, numbers go evenly from one
//! value to the other and layers fade into each other, by their shares of the gradient; before the
//! first and after the last, its value holds. What cannot be between two values (a rule's name, yes or
//! no) changes at the second.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::fade::Fade;
use crate::{LayerWeight, Motion, Recipe, RecipeError};

/// Knobs that are the same for a whole movie.
const FIXED: [&str; 8] = ["version", "model", "preset", "size", "noise", "seed", "movie", "video"];

/// How a movie's frames follow from each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Movie {
    /// Frames in a second. Default: 30.
    pub fps: f64,
    /// When the motion is to have come to rest again, in seconds, where it has an `ease_out`.
    /// Default: none, which means it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<f64>,
    /// How many of the recipe's dreams there are to a second of the movie, spread over its frames, so
    /// that the look does not depend on `fps`: a frame, which goes on from what those before it have
    /// dreamt, takes its share of the recipe's steps, at the most all of them. Default: 2.
    pub pace: f64,
    /// How far brightness, contrast and colours are led back to the first frame's, 0–1. Default: 1.
    pub levels: f64,
    /// How frames move. Default: a slow zoom.
    pub motion: Motion,
    /// What changes, and when. Default: nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Key>,
}

impl Default for Movie {
    fn default() -> Self {
        Self {
            fps: 30.0,
            length: None,
            pace: 2.0,
            levels: 1.0,
            motion: Motion::default(),
            keys: Vec::new(),
        }
    }
}

/// Knobs set at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Seconds from the first frame.
    pub at: f64,
    /// Values of the recipe's fields, of `pace` and `levels`, and of `motion`'s fields in a table of
    /// that name.
    pub set: Table,
}

impl Movie {
    /// Seconds of motion at full speed between the frame before `frame` and `frame`.
    pub fn motion_before(&self, frame: u64) -> f64 {
        let length = self.length.unwrap_or(f64::INFINITY);
        let eased = |frame: u64| self.motion.eased(frame as f64 / self.fps, length);
        eased(frame) - eased(frame.saturating_sub(1))
    }

    /// The steps of one frame on each octave, and the length of each: this frame's share of the steps
    /// that `recipe` takes. They are as few as can be without any being longer than the recipe's.
    pub(crate) fn share(&self, recipe: &Recipe) -> (u32, f32) {
        let share = f64::from(recipe.iterations) * (self.pace / self.fps).min(1.0);
        // Not one step more because of a fraction that rounding left over.
        let steps = (share - 1e-9).ceil().max(1.0);
        (steps as u32, (f64::from(recipe.step) * share / steps) as f32)
    }

    /// Whether each value makes sense by itself.
    pub(crate) fn validate(&self) -> Result<(), RecipeError> {
        let wrong = |problem: String| Err(RecipeError::Movie(problem));
        if !(1e-3..=1000.0).contains(&self.fps) {
            return wrong(format!("`fps` is {}, but must be between 0.001 and 1000", self.fps));
        }
        if !(0.0..=1e6).contains(&self.pace) {
            return wrong(format!("`pace` is {}, but must be between 0 and 1000000", self.pace));
        }
        if !(0.0..=1.0).contains(&self.levels) {
            return wrong(format!("`levels` is {}, but must be between 0 and 1", self.levels));
        }
        if self.length.is_some_and(|length| !(0.0..=1e6).contains(&length)) {
            return wrong("`length` must be between 0 and 1000000 seconds".into());
        }
        if let Some(key) = self.keys.iter().find(|key| !(0.0..=1e6).contains(&key.at)) {
            return wrong(format!(
                "keyframe at {} s must be between 0 and 1000000 seconds",
                key.at
            ));
        }
        self.motion.validate().map_err(|error| RecipeError::Movie(error.to_string()))
    }
}

impl Recipe {
    /// The recipe as its keyframes make it `time` seconds after the first frame; without keyframes
    /// itself.
    ///
    /// # Errors
    /// A keyframe that sets what cannot be set, or to what it cannot be.
    pub fn at(&self, time: f64) -> Result<Recipe, RecipeError> {
        let Some(movie) = self.movie.as_ref().filter(|movie| !movie.keys.is_empty()) else {
            return Ok(self.clone());
        };
        let wrong = |problem: String| RecipeError::Movie(problem);
        let still = Movie { keys: Vec::new(), ..movie.clone() };
        let still = Recipe { movie: Some(still), ..self.clone() };
        let mut table = Table::try_from(&still).map_err(|error| wrong(error.to_string()))?;
        for (path, track) in tracks(&movie.keys)? {
            let [way @ .., knob] = &path[..] else { continue };
            let place = way.iter().try_fold(&mut table, |table, name| {
                table.get_mut(*name).and_then(Value::as_table_mut)
            });
            let old = place.and_then(|table| table.get_mut(*knob)).ok_or_else(|| {
                wrong(format!("keyframe at {} s sets `{knob}`, which is no knob", track[0].0))
            })?;
            *old = between(old, &track, time);
        }
        let recipe = Recipe::deserialize(table)
            .map_err(|error| wrong(format!("keyframes: {}", error.to_string().trim())))?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// Which layers fade into which at `time`, if any do.
    pub(crate) fn fade(&self, time: f64) -> Result<Option<Fade>, RecipeError> {
        let keys = self.movie.as_ref().map_or(&[][..], |movie| &movie.keys);
        let tracks = tracks(keys)?;
        let Some(track) = tracks.get(&vec!["layers"]) else { return Ok(None) };
        let next = track.partition_point(|(at, _)| *at <= time);
        let (Some((start, from)), Some((end, to))) =
            (next.checked_sub(1).map(|last| track[last]), track.get(next))
        else {
            return Ok(None);
        };
        let share = (time - start) / (end - start);
        let fade = layers(from).zip(layers(to)).map(|(from, to)| Fade { from, to, share });
        Ok(fade.filter(|fade| fade.share > 0.0))
    }
}

/// A value as a list of layers, if it is one.
fn layers(value: &Value) -> Option<Vec<LayerWeight>> {
    let list = value.as_array()?.iter();
    list.map(|value| LayerWeight::deserialize(value.clone()).ok()).collect()
}

/// Values of one knob, by time.
type Track<'a> = Vec<(f64, &'a Value)>;

/// For each knob that keyframes set, by where a recipe has it: when it is set to what, in order.
fn tracks(keys: &[Key]) -> Result<BTreeMap<Vec<&str>, Track<'_>>, RecipeError> {
    let mut keys: Vec<&Key> = keys.iter().collect();
    keys.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut tracks: BTreeMap<Vec<&str>, Track> = BTreeMap::new();
    for key in keys {
        for (knob, value) in &key.set {
            let mut add = |path: &[&'static str], knob, value| {
                let path = path.iter().copied().chain([knob]).collect();
                tracks.entry(path).or_default().push((key.at, value));
            };
            match (knob.as_str(), value) {
                ("motion", Value::Table(motion)) => {
                    motion.iter().for_each(|(knob, value)| add(&["movie", "motion"], knob, value));
                }
                ("pace" | "levels", value) => add(&["movie"], knob, value),
                (knob, value) if !FIXED.contains(&knob) => add(&[], knob, value),
                _ => {
                    return Err(RecipeError::Movie(format!(
                        "keyframe at {} s sets `{knob}`, which is the same for the whole movie",
                        key.at
                    )));
                }
            }
        }
    }
    Ok(tracks)
}

/// The value at `time` of a knob that was `old` before any keyframe, from the keyframes that set it,
/// in order.
fn between(old: &Value, track: &[(f64, &Value)], time: f64) -> Value {
    let next = track.iter().position(|(at, _)| *at > time);
    let value = match next {
        Some(0) => track[0].1.clone(),
        None => track[track.len() - 1].1.clone(),
        Some(next) => {
            let ((start, from), (end, to)) = (track[next - 1], track[next]);
            mixed(from, to, (time - start) / (end - start))
        }
    };
    match (old, &value) {
        (Value::Integer(_), Value::Float(number)) => Value::Integer(number.round() as i64),
        _ => value,
    }
}

/// `share` of the way from one value to the other.
fn mixed(from: &Value, to: &Value, share: f64) -> Value {
    let number = |value: &Value| match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    };
    if let (Some(a), Some(b)) = (number(from), number(to)) {
        return Value::Float(a + share * (b - a));
    }
    if let (Some(a), Some(b)) = (layers(from), layers(to)) {
        let faded = faded(&a, &b, share as f32);
        return Value::try_from(faded).unwrap_or_else(|_| from.clone());
    }
    let (Value::Array(a), Value::Array(b)) = (from, to) else { return from.clone() };
    if a.len() == b.len() {
        return a.iter().zip(b).map(|(a, b)| mixed(a, b, share)).collect::<Vec<_>>().into();
    }
    from.clone()
}

/// Layers of both lists, their weights `share` of the way from the first to the second.
fn faded(from: &[LayerWeight], to: &[LayerWeight], share: f32) -> Vec<LayerWeight> {
    let mut layers: Vec<LayerWeight> = Vec::new();
    let ends = from.iter().map(|layer| (layer, 1.0 - share)).chain(to.iter().map(|l| (l, share)));
    for (layer, part) in ends {
        let weight = layer.weight * part;
        match layers.iter_mut().find(|known| known.name == layer.name) {
            Some(known) => known.weight += weight,
            None => layers.push(LayerWeight { name: layer.name.clone(), weight }),
        }
    }
    layers.retain(|layer| layer.weight != 0.0);
    layers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(keys: &str) -> Recipe {
        Recipe::from_toml(&format!("step = 1.0\n[movie]\nfps = 25\n{keys}")).unwrap()
    }

    const FADE: &str = r#"
        [[movie.keys]]
        at = 6
        set = { step = 2.0, layers = [{ name = "b" }], motion = { zoom = 3.0, shift = [0.2, 0.0] } }
        [[movie.keys]]
        at = 2
        set = { layers = [{ name = "a", weight = 0.5 }], motion = { zoom = 1.0, shift = [0.0, 0.4] }, levels = 0.5, pace = 2 }
        [[movie.keys]]
        at = 10
        set = { step = 4, octaves = 7, detail = "replace" }
        [[movie.keys]]
        at = 0
        set = { octaves = 2, detail = "carry" }
    "#;

    #[test]
    fn knobs_go_from_key_to_key_and_layers_fade() {
        let recipe = recipe(FADE);
        let at = |time| recipe.at(time).unwrap();
        assert_eq!(at(0.0).step, 2.0);
        assert_eq!(at(7.0).step, 2.5);
        assert_eq!(at(99.0).step, 4.0);
        assert_eq!(at(5.0).octaves, 5);
        assert_eq!(at(9.9).detail, crate::Detail::Carry);
        assert_eq!(at(10.0).detail, crate::Detail::Replace);
        let movie = at(3.0).movie.unwrap();
        assert_eq!(movie.motion.zoom, 1.5);
        assert!((movie.motion.shift[0] - 0.05).abs() < 1e-12);
        assert!((movie.motion.shift[1] - 0.3).abs() < 1e-12);
        assert_eq!((movie.levels, movie.pace), (0.5, 2.0));
        let layers = |time| -> Vec<(String, f32)> {
            at(time).layers.into_iter().map(|layer| (layer.name, layer.weight)).collect()
        };
        assert_eq!(layers(1.0), [("a".to_owned(), 0.5)]);
        assert_eq!(layers(3.0), [("a".to_owned(), 0.375), ("b".to_owned(), 0.25)]);
        assert_eq!(layers(6.0), [("b".to_owned(), 1.0)]);
        let fading = |time| recipe.fade(time).unwrap().map(|fade| fade.share);
        assert_eq!([1.0, 2.0, 3.0, 6.0, 7.0].map(fading), [None, None, Some(0.25), None, None]);
        assert_eq!(Recipe::default().fade(3.0), Ok(None));
    }

    #[test]
    fn a_second_has_as_many_steps_at_any_frame_rate() {
        let recipe = Recipe { iterations: 15, step: 1.2, ..Recipe::default() };
        for (fps, wanted) in [(30.0, 2), (12.0, 4), (90.0, 1), (3.0, 15), (45.0, 1)] {
            let movie = Movie { fps, pace: 3.0, ..Movie::default() };
            let (steps, length) = movie.share(&recipe);
            assert_eq!(steps, wanted, "at {fps}");
            let climb = fps * f64::from(steps) * f64::from(length);
            assert!((climb - 3.0 * 15.0 * 1.2).abs() < 1e-4, "at {fps}: {climb}");
        }
        let whole = Movie { fps: 1.0, pace: 3.0, ..Movie::default() };
        assert_eq!(whole.share(&recipe), (15, 1.2));
        assert_eq!(Movie { pace: 0.0, ..whole }.share(&recipe), (1, 0.0));
    }

    #[test]
    fn the_schedule_is_part_of_the_recipe() {
        let recipe = recipe(FADE);
        assert_eq!(Recipe::from_toml(&recipe.to_toml()).unwrap(), recipe);
    }

    #[test]
    fn keys_that_make_no_sense_are_refused() {
        for (set, wanted) in [
            ("stepp = 1", "`stepp`"),
            ("seed = 1", "whole movie"),
            ("step = \"big\"", "keyframes"),
            ("step = 5000.0", "`step`"),
            ("motion = { zoom = 0.0 }", "`zoom`"),
            ("motion = { zom = 1.0 }", "`zom`"),
        ] {
            let text = format!("[movie]\n[[movie.keys]]\nat = 1\nset = {{ {set} }}");
            let said = Recipe::from_toml(&text).unwrap_err().to_string();
            assert!(said.contains(wanted), "{set}: {said}");
        }
        assert!(Recipe::from_toml("[movie]\nfps = 0").is_err());
        assert!(Recipe::from_toml("[movie]\nlevels = 2").is_err());
        assert!(Recipe::from_toml("[movie]\npace = -1").is_err());
    }
}
