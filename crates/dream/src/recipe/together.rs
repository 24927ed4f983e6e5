//! What settings of a recipe cannot be together, each of them being right by itself.

use super::{Bound, Finish, Optimiser, Parametrisation, Recipe, RecipeError, Term, Tiles};

/// The longest step of a spectrum.
const LONGEST_STEP: f32 = 1.0;

/// The most that a penalty and a plain step's length may be when they are multiplied: beyond that each step
/// takes back far more than the one before has given. In flat places the total variation's forces change by
/// up to eight for each value; the others' by 1 / 64 and by 1.
const TREMBLING: [(&str, f32); 3] =
    [("penalty.tv", 2.0), ("penalty.pull", 64.0), ("penalty.blur", 1.0)];

impl Recipe {
    /// The same for one picture, which keeps apart from none.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { pictures: 1, diversity: None, ..self }
    }

    /// Whether the settings go together. [`Recipe::validate`] asks for each alone, so that they can be set
    /// one after another; a [`crate::Plan`] asks for both.
    ///
    /// # Errors
    /// The first that does not, with a way out.
    pub fn validate_together(&self) -> Result<(), RecipeError> {
        let ascent = &self.ascent;
        if ascent.wobble.is_any() && !self.tiles.is_seamless() {
            return Err(RecipeError::WobbleOfTiles);
        }
        if self.pictures == 1 && self.diversity.is_some_and(|share| share > 0.0) {
            return Err(RecipeError::DiversityOfOne);
        }
        let way_out = match self.pictures {
            1 => None,
            _ if self.noise.is_none() => {
                Some("start from noise, or set `pictures` to 1 and `diversity` to 0")
            }
            _ if self.tiles != Tiles::Whole => Some("set `tiles` to \"whole\", or `pictures` to 1"),
            _ => None,
        };
        if let Some(way_out) = way_out {
            return Err(RecipeError::Together { way_out });
        }
        let keyframes = self.zoom.iter().flat_map(|zoom| &zoom.keyframes);
        let lists = keyframes.filter_map(|keyframe| keyframe.set.objective.as_ref());
        let mut terms = lists.chain([&self.objective]).flatten();
        if terms.any(Term::is_placed) && (ascent.wobble.is_any() || self.tiles != Tiles::Whole) {
            return Err(RecipeError::PlaceOfParts);
        }
        match ascent.parametrisation {
            Parametrisation::Pixels if ascent.bound == Bound::Sigmoid => {
                return Err(RecipeError::SigmoidOfPixels);
            }
            Parametrisation::Spectrum if ascent.step > LONGEST_STEP => {
                return Err(RecipeError::LongStep { step: ascent.step });
            }
            Parametrisation::Spectrum => return Ok(()),
            Parametrisation::Pixels => {}
        }
        if ascent.optimiser != Optimiser::Plain {
            return Ok(());
        }
        let strengths = [self.penalty.tv, self.penalty.pull, self.penalty.blur];
        for ((setting, limit), value) in TREMBLING.into_iter().zip(strengths) {
            if ascent.step * value > limit {
                let most = (100.0 * limit / ascent.step).floor() / 100.0;
                return Err(RecipeError::Trembling { setting, value, step: ascent.step, most });
            }
        }
        Ok(())
    }

    /// Whether the settings go together where frames are made from those that are written.
    pub(crate) fn validate_frames(&self) -> Result<(), RecipeError> {
        if self.pictures > 1 {
            let way_out = "a frame is one picture, so leave `pictures` out";
            return Err(RecipeError::Together { way_out });
        }
        let (Finish { mix, levels, saturation, contrast, curve: _ }, usual) =
            (&self.finish, Finish::default());
        for (setting, changed) in [
            ("finish.mix", *mix != usual.mix),
            ("finish.levels", *levels != usual.levels),
            ("finish.saturation", *saturation != usual.saturation),
            ("finish.contrast", *contrast != usual.contrast),
        ] {
            if changed {
                return Err(RecipeError::FinishOfFrames { setting });
            }
        }
        Ok(())
    }
}
