//! Keyframes: settings that change during a zoom.
//!
//! A keyframe sets part of the recipe at a time. Between two that set the same setting, numbers go
//! evenly from one value to the other and objectives fade into each other; before the first and after
//! the last, its value holds. What cannot be between two values changes at the second.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::interpolate::Interpolate;
use super::{
    Detail, Normalisation, PartialRecipe, Recipe, RecipeError, Term, Tiles, set, settings, text,
};

/// Settings at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyframe {
    /// Seconds from the first frame.
    pub at: f64,
    /// What is set.
    pub set: PartialRecipe,
}

/// Where a zoom is between two objectives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fading {
    pub(crate) from: Vec<Term>,
    pub(crate) to: Vec<Term>,
    /// How far it has come, above 0 and below 1.
    pub(crate) share: f64,
}

impl Recipe {
    /// The recipe as its keyframes make it `time` seconds after the first frame; without keyframes
    /// itself.
    ///
    /// # Errors
    /// A keyframe that sets what cannot be.
    pub fn at(&self, time: f64) -> Result<Recipe, RecipeError> {
        let Some(zoom) = self.zoom.as_ref().filter(|zoom| !zoom.keyframes.is_empty()) else {
            return Ok(self.clone());
        };
        self.without_keyframes().keyed(&zoom.keyframes, time)
    }

    /// This recipe with no keyframes.
    pub(super) fn without_keyframes(&self) -> Recipe {
        let mut recipe = self.clone();
        if let Some(zoom) = &mut recipe.zoom {
            zoom.keyframes.clear();
        }
        recipe
    }

    /// This recipe, which has no keyframes of its own, as some make it at a time.
    pub(super) fn keyed(&self, keyframes: &[Keyframe], time: f64) -> Result<Recipe, RecipeError> {
        let keys = Keys::new(keyframes, time);
        let mut zoom = self.zoom.clone().unwrap_or_default();
        keys.set(|set| &set.zoom.pace, &mut zoom.pace);
        keys.set(|set| &set.zoom.levels, &mut zoom.levels);
        keys.set(|set| &set.zoom.shoulder, &mut zoom.shoulder);
        let motion = &mut zoom.motion;
        keys.set(|set| &set.zoom.motion.zoom, &mut motion.zoom);
        keys.set(|set| &set.zoom.motion.rotate, &mut motion.rotate);
        keys.set(|set| &set.zoom.motion.shift, &mut motion.shift);
        keys.set(|set| &set.zoom.motion.centre, &mut motion.centre);
        keys.set(|set| &set.zoom.motion.tint, &mut motion.tint);
        keys.set(|set| &set.zoom.motion.ease_in, &mut motion.ease_in);
        keys.set(|set| &set.zoom.motion.ease_out, &mut motion.ease_out);

        let mut recipe = Recipe { zoom: Some(zoom), ..self.clone() };
        keys.set(|set| &set.objective, &mut recipe.objective);
        keys.set(|set| &set.tiles, &mut recipe.tiles);
        keys.set(|set| &set.subtract_mean, &mut recipe.subtract_mean);
        let octaves = &mut recipe.octaves;
        keys.count("octaves.count", |set| &set.octaves.count, &mut octaves.count)?;
        keys.count("octaves.anchor", |set| &set.octaves.anchor, &mut octaves.anchor)?;
        keys.single(|set| &set.octaves.scale, &mut octaves.scale);
        keys.set(|set| &set.octaves.detail, &mut octaves.detail);
        keys.single(|set| &set.octaves.blur, &mut octaves.blur);
        keys.set(|set| &set.octaves.filter, &mut octaves.filter);
        let ascent = &mut recipe.ascent;
        keys.count("ascent.iterations", |set| &set.ascent.iterations, &mut ascent.iterations)?;
        keys.single(|set| &set.ascent.step, &mut ascent.step);
        keys.single(|set| &set.ascent.strength, &mut ascent.strength);
        keys.set(|set| &set.ascent.wobble.scale, &mut ascent.wobble.scale);
        keys.set(|set| &set.ascent.wobble.angle, &mut ascent.wobble.angle);
        keys.count("ascent.jitter", |set| &set.ascent.jitter, &mut ascent.jitter)?;
        keys.set(|set| &set.ascent.normalisation, &mut ascent.normalisation);
        keys.single(|set| &set.ascent.smoothing, &mut ascent.smoothing);
        keys.single(|set| &set.ascent.smoothing_growth, &mut ascent.smoothing_growth);
        keys.set(|set| &set.ascent.optimiser, &mut ascent.optimiser);
        keys.set(|set| &set.ascent.bound, &mut ascent.bound);
        keys.single(|set| &set.ascent.chroma, &mut ascent.chroma);
        keys.set(|set| &set.ascent.by_depth, &mut ascent.by_depth);
        keys.single(|set| &set.ascent.refine, &mut ascent.refine);
        let penalty = &mut recipe.penalty;
        keys.single(|set| &set.penalty.tv, &mut penalty.tv);
        keys.single(|set| &set.penalty.pull, &mut penalty.pull);
        keys.single(|set| &set.penalty.blur, &mut penalty.blur);
        keys.set(|set| &set.penalty.of, &mut penalty.of);
        keys.single(|set| &set.penalty.tv_exponent, &mut penalty.tv_exponent);
        keys.single(|set| &set.penalty.pull_exponent, &mut penalty.pull_exponent);
        keys.single(|set| &set.penalty.blur_width, &mut penalty.blur_width);
        if let Tiles::Rolled { size } | Tiles::Scattered { size } = &mut recipe.tiles {
            keys.count("tile_size", |set| &set.tile_size, size)?;
        }
        if let Detail::Blend { share } = &mut recipe.octaves.detail {
            keys.set(|set| &set.octaves.blend_share, share);
        }
        if let Normalisation::Laplacian { levels } = &mut recipe.ascent.normalisation {
            keys.count("ascent.laplacian_levels", |set| &set.ascent.laplacian_levels, levels)?;
        }
        recipe.validate()?;
        Ok(recipe)
    }

    /// Which objectives fade into each other at `time`, if any do.
    pub(crate) fn fading(&self, time: f64) -> Option<Fading> {
        let zoom = self.zoom.as_ref()?;
        let keys = Keys::new(&zoom.keyframes, time);
        let (from, to, share) = keys.around(|set| &set.objective)?;
        let to = to.filter(|_| share > 0.0)?;
        Some(Fading { from: from.clone(), to: to.clone(), share })
    }
}

/// Keyframes in order of time, as seen from one time.
struct Keys<'a> {
    keys: Vec<&'a Keyframe>,
    time: f64,
}

impl<'a> Keys<'a> {
    fn new(keys: &'a [Keyframe], time: f64) -> Self {
        let mut keys: Vec<&Keyframe> = keys.iter().collect();
        keys.sort_by(|a, b| a.at.total_cmp(&b.at));
        Self { keys, time }
    }

    /// The values of a setting before and after the time, and how far it is from the one to the other.
    /// Where only one of them is, it is the first.
    fn around<T: 'a>(
        &self,
        setting: impl Fn(&'a PartialRecipe) -> &'a Option<T>,
    ) -> Option<(&'a T, Option<&'a T>, f64)> {
        let track = self.keys.iter().filter_map(|key| Some((key.at, setting(&key.set).as_ref()?)));
        let (mut last, mut next) = (None, None);
        for (at, value) in track {
            if at > self.time {
                next = Some((at, value));
                break;
            }
            last = Some((at, value));
        }
        match (last, next) {
            (Some((start, from)), Some((end, to))) => {
                Some((from, Some(to), (self.time - start) / (end - start)))
            }
            (only, None) | (None, only) => only.map(|(_, value)| (value, None, 0.0)),
        }
    }

    fn value<T: Interpolate + 'a>(
        &self,
        setting: impl Fn(&'a PartialRecipe) -> &'a Option<T>,
    ) -> Option<T> {
        let (from, to, share) = self.around(setting)?;
        Some(to.map_or_else(|| from.clone(), |to| from.towards(to, share)))
    }

    fn set<T: Interpolate + 'a>(
        &self,
        setting: impl Fn(&'a PartialRecipe) -> &'a Option<T>,
        target: &mut T,
    ) {
        if let Some(value) = self.value(setting) {
            *target = value;
        }
    }

    fn single(&self, setting: impl Fn(&'a PartialRecipe) -> &'a Option<f64>, target: &mut f32) {
        if let Some(value) = self.value(setting) {
            *target = value as f32;
        }
    }

    fn count(
        &self,
        path: &str,
        setting: impl Fn(&'a PartialRecipe) -> &'a Option<f64>,
        target: &mut u32,
    ) -> Result<(), RecipeError> {
        let Some(value) = self.value(setting).map(f64::round) else { return Ok(()) };
        if !(0.0..=f64::from(u32::MAX)).contains(&value) {
            return Err(RecipeError::Value {
                setting: path.to_owned(),
                value: value.to_string(),
                problem: "it must be a whole number, 0 or above".into(),
            });
        }
        *target = value as u32;
        Ok(())
    }
}

/// `6s:layer=mixed4c,step=2,zoom=1.2`: a time in seconds, and settings by their whole paths or by
/// what is unmistakable of them. `layer=NAME=WEIGHT` may come again; the numbers of a list have `/`
/// between them.
impl FromStr for Keyframe {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let usage = "write 6s:layer=NAME,step=2, for example";
        let (time, assignments) = text.split_once(':').ok_or(usage)?;
        let at = time
            .strip_suffix('s')
            .unwrap_or(time)
            .trim()
            .parse::<f64>()
            .map_err(|_| format!("`{time}` is not a time: use seconds, as in 6s:"))?;
        let mut table = Table::new();
        let mut terms = Vec::new();
        for assignment in assignments.split(',') {
            let (name, value) = assignment.split_once('=').ok_or(usage)?;
            let (name, value) = (name.trim().replace('-', "_"), value.trim());
            if name == "layer" {
                terms.push(value.parse::<Term>()?);
                continue;
            }
            let path = settings::keyframe_path(&name).map_err(|error| error.to_string())?;
            let value = match value.split_once('/') {
                Some(_) => value.split('/').map(set::value).collect::<Vec<_>>().into(),
                None => set::value(value),
            };
            set::place(&mut table, &path, value);
        }
        if !terms.is_empty() {
            let terms = Value::try_from(terms).map_err(|error| error.to_string())?;
            table.insert("objective".into(), terms);
        }
        Ok(Self { at, set: text::of_table(&table)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(keys: &str) -> Recipe {
        let text = format!("schema = 1\n[ascent]\nstep = 1.0\n[zoom]\nfps = 25\n{keys}");
        Recipe::from_toml(&text).unwrap()
    }

    const FADE: &str = r#"
        [[zoom.keyframes]]
        at = 6
        [zoom.keyframes.set]
        objective = [{ layer = "b" }]
        ascent = { step = 2.0 }
        zoom = { motion = { zoom = 3.0, shift = [0.2, 0.0] } }
        [[zoom.keyframes]]
        at = 2
        [zoom.keyframes.set]
        objective = [{ layer = "a", weight = 0.5 }]
        zoom = { pace = 2, levels = 0.5, motion = { zoom = 1.0, shift = [0.0, 0.4] } }
        tiles = { rolled = { size = 100 } }
        [[zoom.keyframes]]
        at = 10
        [zoom.keyframes.set]
        ascent = { step = 4 }
        octaves = { count = 7, detail = "replace" }
        tiles = { rolled = { size = 200 } }
        [[zoom.keyframes]]
        at = 0
        [zoom.keyframes.set]
        octaves = { count = 2, detail = "reinject" }
    "#;

    #[test]
    fn settings_go_from_key_to_key_and_objectives_fade() {
        let recipe = recipe(FADE);
        let at = |time| recipe.at(time).unwrap();
        assert_eq!(at(0.0).ascent.step, 2.0);
        assert_eq!(at(7.0).ascent.step, 2.5);
        assert_eq!(at(99.0).ascent.step, 4.0);
        assert_eq!(at(5.0).octaves.count, 5);
        assert_eq!(at(9.9).octaves.detail, Detail::Reinject);
        assert_eq!(at(10.0).octaves.detail, Detail::Replace);
        assert_eq!(at(4.0).tiles, Tiles::Rolled { size: 125 });
        let zoom = at(3.0).zoom.unwrap();
        assert_eq!(zoom.motion.zoom, 1.5);
        assert!((zoom.motion.shift[0] - 0.05).abs() < 1e-12);
        assert!((zoom.motion.shift[1] - 0.3).abs() < 1e-12);
        assert_eq!((zoom.levels, zoom.pace), (0.5, 2.0));
        let layers = |time| -> Vec<(String, f32)> {
            at(time).objective.into_iter().map(|term| (term.layer, term.weight)).collect()
        };
        assert_eq!(layers(1.0), [("a".to_owned(), 0.5)]);
        assert_eq!(layers(3.0), [("a".to_owned(), 0.375), ("b".to_owned(), 0.25)]);
        assert_eq!(layers(6.0), [("b".to_owned(), 1.0)]);
        let share = |time| recipe.fading(time).map(|fading| fading.share);
        assert_eq!([1.0, 2.0, 3.0, 6.0, 7.0].map(share), [None, None, Some(0.25), None, None]);
        assert_eq!(Recipe::default().fading(3.0), None);
    }

    #[test]
    fn keyframes_are_part_of_the_recipe() {
        let recipe = recipe(FADE);
        assert_eq!(Recipe::from_toml(&recipe.to_toml()).unwrap(), recipe);
    }

    #[test]
    fn keyframes_that_make_no_sense_are_refused_when_they_are_read() {
        for (set, wanted) in [
            ("ascent = { stepp = 1 }", "did you mean `ascent.step`"),
            ("seed = 1", "keyframe at 1 s: `seed` is the same for the whole zoom"),
            ("zoom = { fps = 1 }", "`zoom.fps` is the same for the whole zoom"),
            ("model = { name = \"x\" }", "`model.name` is the same"),
            ("ascent = { step = \"big\" }", "big"),
            ("ascent = { step = 5000.0 }", "keyframe at 1 s: `ascent.step` is 5000, but must be"),
            ("octaves = { count = -1 }", "`octaves.count`"),
            ("octaves = { count = nan }", "`octaves.count`"),
            ("tile_size = 8", "`tile_size` is 8"),
            ("octaves = { blend_share = 2 }", "`octaves.blend_share` is 2"),
            ("ascent = { laplacian_levels = 0 }", "`ascent.laplacian_levels` is 0"),
            ("zoom = { motion = { zoom = 0.0 } }", "`zoom.motion.zoom` is 0"),
            ("zoom = { motion = { zom = 1.0 } }", "`zoom.motion.zom`"),
        ] {
            let keys = format!("[[zoom.keyframes]]\nat = 1\nset = {{ {set} }}");
            let said = Recipe::from_toml(&format!("schema = 1\n{keys}")).unwrap_err().to_string();
            assert!(said.contains(wanted), "{set}: {said}");
        }
    }

    #[test]
    fn keyframes_are_read_from_one_line() {
        let text = "6s:layer=mixed4d,layer=mixed3b=0.5,step=2,octaves=3,detail=replace,zoom=1.2,\
             shift=0.1/-0.2,levels=0.5,tiles.rolled.size=300,clip=false";
        let read: Keyframe = text.parse().unwrap();
        let expected = r#"
            at = 6
            [set]
            objective = [{ layer = "mixed4d" }, { layer = "mixed3b", weight = 0.5 }]
            tiles = { rolled = { size = 300 } }
            octaves = { count = 3, detail = "replace" }
            ascent = { step = 2, bound = "none" }
            zoom = { levels = 0.5, motion = { zoom = 1.2, shift = [0.1, -0.2] } }
        "#;
        assert_eq!(read, toml::from_str(expected).unwrap());
        // Settings that no keyframe may set do not stand in the way.
        let [blend, whole] = ["1:share=0.3", "1:octaves.detail.blend.share=0.3"].map(str::parse);
        assert_eq!(blend, whole as Result<Keyframe, String>);
        for (wrong, what) in [
            ("6s", "write 6s:"),
            ("x:step=1", "not a time"),
            ("1:step", "write 6s:"),
            ("1:zoom=fast", "fast"),
            ("1:layer=a=b", "not a weight"),
            ("1:sede=1", "did you mean"),
            ("1:seed=1", "same for the whole zoom"),
        ] {
            let said = wrong.parse::<Keyframe>().unwrap_err();
            assert!(said.contains(what), "{wrong}: {said}");
        }
    }
}
