//! Why a recipe is refused: each error names the setting, the value and a way out.

use thiserror::Error;

use super::types;

/// What is wrong with a recipe by itself.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum RecipeError {
    /// The text is not a recipe.
    #[error("could not read the recipe: {0}")]
    Text(String),
    /// The recipe has a layout that this program does not know.
    #[error(
        "the recipe has schema {found}, but this program reads schema {}: use the version of the program that wrote it, or a newer one",
        super::SCHEMA
    )]
    Schema {
        /// What the recipe says.
        found: String,
    },
    /// There is no such setting.
    #[error("{}there is no setting `{path}`{}", place(*.line), meant(.near))]
    Unknown {
        /// What was named.
        path: String,
        /// The settings with the nearest names, nearest first.
        near: Vec<String>,
        /// The line of the recipe's text, from 1, where that is known.
        line: Option<usize>,
    },
    /// A setting cannot have this value.
    #[error("`{setting}` cannot be {value}: {problem}")]
    Value {
        /// The setting.
        setting: String,
        /// What it was to be.
        value: String,
        /// Why it cannot.
        problem: String,
    },
    /// A setting is outside its range.
    #[error("`{setting}` is {value}, but must be {allowed}: {way_out}")]
    Range {
        /// The setting.
        setting: String,
        /// What it is.
        value: String,
        /// What it may be.
        allowed: String,
        /// What to do instead.
        way_out: &'static str,
    },
    /// A keyframe sets what stays as it is.
    #[error("`{setting}` is the same for the whole zoom: set it outside the keyframes")]
    Fixed {
        /// The setting.
        setting: String,
    },
    /// A keyframe is wrong.
    #[error("keyframe at {at} s: {error}")]
    Keyframe {
        /// Its time in seconds.
        at: f64,
        /// What is wrong with it.
        error: Box<RecipeError>,
    },
    /// A term of the objective makes no sense by itself.
    #[error("objective {number} {problem}")]
    Term {
        /// Its place in the objective, from 1.
        number: usize,
        /// What is wrong with it, as the rest of a sentence.
        problem: String,
    },
    /// A wobble of a picture that is seen in tiles.
    #[error("`ascent.wobble` and `tiles` cannot be together: set `tiles` to \"whole\"")]
    WobbleOfTiles,
    /// A picture by itself is to be kept apart from others.
    #[error(
        "`diversity` needs `pictures` of 2 or more, noise and whole pictures: set `pictures` to 4, or leave \
         `diversity` out"
    )]
    DiversityOfOne,
    /// Pictures are to be dreamt together where that cannot be.
    #[error(
        "`pictures` of 2 or more are stills that are dreamt from noise, each of them whole: {way_out}"
    )]
    Together {
        /// What to do instead.
        way_out: &'static str,
    },
    /// A guide that is looked at place by place, where the network does not see the picture as it is.
    #[error(
        "`pick` \"place\" needs the whole picture as it is: set `tiles` to \"whole\" and leave \
         `ascent.wobble` out, or `pick` to \"match\""
    )]
    PlaceOfParts,
    /// The sigmoid is asked for on pixels.
    #[error(
        "`ascent.bound` \"sigmoid\" needs `ascent.parametrisation` \"spectrum\": set that as well, or \
         the bound to \"clip\""
    )]
    SigmoidOfPixels,
    /// A penalty that would take more than there is.
    #[error(
        "`{setting}` {value} with `ascent.step` {step} would tremble: at most {most} with that step"
    )]
    Trembling {
        /// The penalty.
        setting: &'static str,
        /// How strong it is.
        value: f32,
        /// The step.
        step: f32,
        /// How strong it may be.
        most: f32,
    },
    /// What is done at the end, in a zoom, whose every frame goes on from a finished one.
    #[error("`{setting}` would grow from frame to frame: leave it out of zooms and frame folders")]
    FinishOfFrames {
        /// The setting.
        setting: &'static str,
    },
    /// A step that is usual on pixels, on a spectrum.
    #[error(
        "`ascent.step` {step} is far too long for `ascent.parametrisation` \"spectrum\", whose steps are \
         usually 0.02 to 0.1"
    )]
    LongStep {
        /// The step.
        step: f32,
    },
    /// No term of the objective counts.
    #[error(
        "every weight of the objective is 0, so there is nothing to dream of: give at least one layer another weight"
    )]
    NoWeight,
}

impl RecipeError {
    pub(crate) fn of_text(error: &toml::de::Error) -> Self {
        // The line that is shown, with this program's words in the place of serde's.
        let text = error.to_string();
        RecipeError::Text(text.replace(error.message(), &types::in_words(error.message())))
    }

    /// Whether a line of a recipe's text, from 1, has the setting whose value is wrong.
    pub(crate) fn is_at(&self, text: &str, line: usize) -> bool {
        let RecipeError::Value { setting, .. } = self else { return false };
        let name = setting.rsplit('.').next().unwrap_or(setting);
        text.lines().nth(line - 1).is_some_and(|line| line.contains(name))
    }

    pub(crate) fn in_keyframe(self, at: f64) -> Self {
        match self {
            error @ RecipeError::Keyframe { .. } => error,
            error => RecipeError::Keyframe { at, error: Box::new(error) },
        }
    }
}

fn place(line: Option<usize>) -> String {
    line.map(|line| format!("line {line}: ")).unwrap_or_default()
}

fn meant(near: &[String]) -> String {
    let quoted: Vec<String> = near.iter().map(|path| format!("`{path}`")).collect();
    match &quoted[..] {
        [] => String::new(),
        [one] => format!(": did you mean {one}?"),
        [first @ .., last] => format!(": did you mean {} or {last}?", first.join(", ")),
    }
}
