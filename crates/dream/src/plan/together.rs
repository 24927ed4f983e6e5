//! Pictures that are dreamt together: what they start from, and how far they keep apart.

use graph::Tensor;

use crate::{NoiseStart, Plan, Recipe};

/// How far they keep apart where nothing else is said.
const DIVERSITY: f32 = 0.5;

/// Says how far the pictures of a recipe keep apart, if there are several.
pub(super) fn settle(recipe: &mut Recipe) {
    if recipe.pictures > 1 {
        recipe.diversity.get_or_insert(DIVERSITY);
    }
}

impl Plan {
    /// The noise that each of the pictures starts from that are dreamt together.
    pub(crate) fn starts(&self) -> impl Iterator<Item = Tensor> {
        let size = self.recipe.noise.map_or(self.size(), NoiseStart::size);
        let seeds = (0..u64::from(self.recipe.pictures)).map(|number| self.recipe.seed + number);
        seeds.map(move |seed| Recipe { seed, ..self.recipe.clone() }.noise_of(size, self.context()))
    }

    /// How far pictures that are dreamt together keep apart, as a share of what drives each of them; `None` for
    /// not at all.
    pub(crate) fn diversity(&self) -> Option<f32> {
        let several = self.recipe.pictures > 1;
        self.recipe.diversity.filter(|share| several && *share > 0.0)
    }
}
