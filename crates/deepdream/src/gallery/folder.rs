//! The folder of a gallery's pictures: each has its recipe, so that a later run knows which are there.

use std::fs;
use std::path::{Path, PathBuf};

use dream::Recipe;
use media::{Image, ImageFormat};

use super::Cell;
use crate::output::{Output, remove, unwritable};
use crate::{Error, Fault, Knob, Result, picture};

/// What the sheet is called in the folder until it is complete.
const SHEET: &str = "_sheet.png";

/// The folder.
pub(crate) struct CellFolder {
    path: PathBuf,
    overwrite: bool,
    /// Whether the pictures stay once the sheet is complete.
    keep: bool,
}

impl CellFolder {
    /// The folder at a path, which need not be there.
    pub(crate) fn new(path: PathBuf, overwrite: bool, keep: bool) -> Self {
        Self { path, overwrite, keep }
    }

    /// Makes the folder, if it is not there.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn make(&self) -> Result<()> {
        fs::create_dir_all(&self.path).map_err(|error| unwritable(&self.path, error))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self, cell: &Cell) -> PathBuf {
        self.path.join(format!("{}.png", cell.file))
    }

    /// The picture of a cell, if an earlier run has made it by this recipe.
    ///
    /// # Errors
    /// One that was made otherwise.
    pub(crate) fn find(&self, cell: &Cell, recipe: &Recipe, memory: u64) -> Result<Option<Image>> {
        let path = self.file(cell);
        if !path.exists() {
            return Ok(None);
        }
        let made_by = picture::recipe_of(&path).and_then(|text| Recipe::from_toml(&text).ok());
        if made_by.is_some_and(|made_by| recipe.differences(&made_by).is_empty()) {
            return picture::read(&path, memory).map(Some);
        }
        if self.overwrite {
            return Ok(None);
        }
        let what = format!("{} is there already, and was made by another recipe", path.display());
        Err(Error::new(Fault::Output, what)
            .at(&path)
            .turn(Knob::Output, "Choose another name or folder.")
            .turn(Knob::Overwrite, "Or replace the pictures."))
    }

    /// Writes the picture of a cell; returns where.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn write(&self, cell: &Cell, image: &Image, recipe: &Recipe) -> Result<PathBuf> {
        let path = self.file(cell);
        let bytes = picture::encode(image, ImageFormat::Png, &recipe.to_toml(), &path)?;
        Output::claim(path.clone(), self.overwrite)?.write(&bytes)?;
        Ok(path)
    }

    /// Writes the sheet as it is so far.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn write_sheet(&self, png: &[u8]) -> Result<()> {
        Output::claim(self.path.join(SHEET), true)?.write(png)
    }

    /// Removes the sheet so far and, unless they are to stay, the pictures: the sheet is complete. What is not
    /// of the gallery stays.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn close(self, cells: &[Cell]) -> Result<()> {
        let sheet = self.path.join(SHEET);
        let made = cells.iter().filter(|_| !self.keep).map(|cell| self.file(cell)).chain([sheet]);
        made.filter(|path| path.exists()).try_for_each(|path| remove(&path))?;
        if !self.keep {
            // Other files may be there.
            let _ = fs::remove_dir(&self.path);
        }
        Ok(())
    }
}
