//! Several pictures dreamt together from noise, each with a seed of its own. Each file carries the recipe of all
//! of them, as none would be what it is without the others.

use std::path::PathBuf;

use dream::Recipe;

use super::still::{Claim, Stills};
use crate::picture::Start;
use crate::{Error, Fault, Note, Result};

impl Stills<'_> {
    /// Makes the dreams; returns where they are, and the recipe as they carry it. `None` if all are there already.
    pub(super) fn dream_together(&self) -> Result<Option<(Vec<PathBuf>, Recipe)>> {
        let open = self.claims().iter().position(|claim| claim.output().is_some());
        let made = open.map(|first| self.make_together(first)).transpose()?;
        for (index, claim) in self.claims().iter().enumerate() {
            if claim.output().is_none() {
                self.dream(index)?;
            }
        }
        Ok(made)
    }

    /// Makes all of the dreams, and writes those that are not there already, of which this is the `first`.
    fn make_together(&self, first: usize) -> Result<(Vec<PathBuf>, Recipe)> {
        let machine = self.machine();
        let (name, studio) = (self.source(first).name(), self.studio(&machine, first));
        let mut plan = self.plan(first, &machine)?;
        if let Some(noise) = plan.recipe().noise {
            studio.choose(&name, &Start::Noise(noise), &mut plan)?;
        }
        if let Claim::Open(_, format) = &self.claims()[first]
            && !format.has_metadata()
        {
            self.run().note(Note::NoPlaceForRecipe { name: name.clone() });
        }
        let images = studio.dream_together(&name, &plan).map_err(|error| match error.fault() {
            Fault::Cancelled => {
                let outputs = self.claims().iter().filter_map(Claim::output);
                let names: Vec<_> = outputs.map(|it| it.path().display().to_string()).collect();
                let was = if names.len() == 1 { "was" } else { "were" };
                Error::cancelled(format!("stopped: {} {was} not written", names.join(", ")))
            }
            _ => error,
        })?;
        let (recipe, mut wrote) = (plan.recipe(), Vec::new());
        for (index, (image, claim)) in images.into_iter().zip(self.claims()).enumerate() {
            let Claim::Open(output, format) = claim else { continue };
            self.write(index, image, recipe, (output, *format))?;
            wrote.push(output.path().to_owned());
        }
        Ok((wrote, recipe.clone()))
    }
}
