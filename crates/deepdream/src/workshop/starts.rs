//! What the studio's dreams start from, made once: a knob that is moved decodes no photo and draws no noise again.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use dream::{Filter, NoiseKind, NoiseStart, Plan, Recipe};
use media::Image;

use super::lock;
use crate::Result;
use crate::picture::read;

/// The longest side of what small pictures are made from.
const SMALL: usize = 448;

/// What was asked for last.
#[derive(Default)]
pub(super) struct Starts {
    photo: Mutex<Option<(PathBuf, Image)>>,
    /// A small copy of a photo.
    small: Mutex<Option<(PathBuf, Image)>>,
    /// Noise, with its kind and its seed.
    noise: Mutex<Option<(NoiseStart, NoiseKind, u64, Image)>>,
}

impl Starts {
    /// The photo in a file, decoded with at most `memory` bytes.
    ///
    /// # Errors
    /// As [`read`].
    pub(super) fn photo(&self, path: &Path, memory: u64) -> Result<Image> {
        let mut last = lock(&self.photo);
        match &*last {
            Some((known, image)) if known == path => Ok(image.clone()),
            _ => {
                *last = None;
                let image = read(path, memory)?;
                *last = Some((path.to_owned(), image.clone()));
                Ok(image)
            }
        }
    }

    /// The photo in a file, if it is the last one.
    pub(super) fn known(&self, path: &Path) -> Option<Image> {
        lock(&self.photo)
            .as_ref()
            .filter(|(known, _)| known == path)
            .map(|(_, image)| image.clone())
    }

    /// A copy of the photo that is as large as small pictures need.
    ///
    /// # Errors
    /// As [`read`].
    pub(super) fn small(&self, path: &Path, memory: u64) -> Result<Image> {
        let mut last = lock(&self.small);
        if let Some((_, image)) = last.as_ref().filter(|(known, _)| known == path) {
            return Ok(image.clone());
        }
        let image = self.photo(path, memory)?.flatten();
        let size = image.size();
        let image = match size.longest() > SMALL {
            true => {
                let size = size.with_longest(SMALL);
                Image::from_planes(dream::resize(image.color(), size, Filter::Triangle), None)?
            }
            false => image,
        };
        *last = Some((path.to_owned(), image.clone()));
        Ok(image)
    }

    /// The noise that a plan's dream starts from.
    ///
    /// # Errors
    /// None, as noise has three planes.
    pub(super) fn noise(&self, plan: &Plan, noise: NoiseStart) -> Result<Image> {
        let mut last = lock(&self.noise);
        let Recipe { noise_kind, seed, .. } = *plan.recipe();
        match &*last {
            Some((of, kind, by, image)) if (*of, *kind, *by) == (noise, noise_kind, seed) => {
                Ok(image.clone())
            }
            _ => {
                *last = None;
                let image = Image::from_planes(plan.noise(noise.size()), None)?;
                *last = Some((noise, noise_kind, seed, image.clone()));
                Ok(image)
            }
        }
    }
}
