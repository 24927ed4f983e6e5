//! The recipe that a dream starts from, before its network is known.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use dream::{ModelId, NoiseStart, Recipe};
use graph::Network;
use media::{FileClass, FileKind, ImageError, Limits, RecipeError};

use crate::frames::{Frames, Store};
use crate::memory::free_memory;
use crate::output::{read_text, reason};
use crate::progress::Run;
#[cfg(feature = "video")]
use crate::video::Record;
use crate::{Error, Fault, Knob, Note, Result};

/// The most bytes of a recipe's file.
const MOST_BYTES: u64 = 1 << 20;

/// Where a recipe is found.
#[derive(Clone, Debug)]
pub enum RecipeSource {
    /// In a TOML file, in a dreamt picture or movie, which carries its recipe, or in a folder of frames.
    File(PathBuf),
    /// Here, as TOML.
    Text {
        /// What errors call it.
        name: String,
        /// The recipe.
        text: String,
    },
    /// Here.
    Recipe(Box<Recipe>),
}

/// A recipe as it is written, and what it says by itself.
pub(crate) struct Base {
    /// Where it came from.
    name: String,
    /// The folder that the files it names may lie in.
    folder: Option<PathBuf>,
    text: String,
    stated: Recipe,
}

impl Base {
    /// Reads a recipe.
    ///
    /// # Errors
    /// A file that cannot be read, or what is no recipe.
    pub(crate) fn read(source: &RecipeSource) -> Result<Self> {
        match source {
            RecipeSource::File(path) => {
                let base = Self::of_text(path.display().to_string(), read(path)?)?;
                let folder = if path.is_dir() { Some(&**path) } else { path.parent() };
                Ok(base.beside(folder.unwrap_or(Path::new(""))))
            }
            RecipeSource::Text { name, text } => Self::of_text(name.clone(), text.clone()),
            RecipeSource::Recipe(recipe) => {
                Self::of_text("the recipe".to_owned(), recipe.to_toml())
            }
        }
    }

    /// A recipe's text, and what to call it.
    ///
    /// # Errors
    /// A text that is no recipe.
    pub(crate) fn of_text(name: String, text: String) -> Result<Self> {
        let stated = Recipe::from_toml(&text)
            .map_err(|error| Error::new(Fault::Recipe, format!("{name}: {error}")))?;
        Ok(Self { name, folder: None, text, stated })
    }

    /// The same, whose files may lie in `folder`.
    pub(crate) fn beside(self, folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), ..self }
    }

    /// The folder that the files it names may lie in, if it is known.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The network it was made for, if it says.
    pub(crate) fn network(&self) -> Option<&str> {
        Some(self.stated.model.name.as_str()).filter(|name| !name.is_empty())
    }

    /// The whole recipe, if it leaves nothing to presets and networks.
    pub(crate) fn whole(&self) -> Option<&Recipe> {
        let is_whole = Recipe::says_everything(&self.text).unwrap_or(false);
        is_whole.then_some(&self.stated)
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it names a layer, at whatever time.
    pub(crate) fn asks_for(&self, layer: &str) -> bool {
        let zoom = self.stated.zoom.as_ref();
        let keyframes = zoom.into_iter().flat_map(|zoom| &zoom.keyframes);
        let fading = keyframes.filter_map(|keyframe| keyframe.set.objective.as_ref()).flatten();
        self.stated.objective.iter().chain(fading).any(|term| term.layer == layer)
    }

    /// The noise it started from, if it did.
    pub(crate) fn noise(&self) -> Option<NoiseStart> {
        self.stated.noise
    }

    /// How many pictures were dreamt together.
    pub(crate) fn pictures(&self) -> u32 {
        self.stated.pictures
    }

    /// The recipe for `network`, whose presets fill in what the text leaves out.
    ///
    /// # Errors
    /// What does not make sense with this network.
    pub(crate) fn recipe_for(&self, network: &Network) -> Result<Recipe> {
        Recipe::from_toml_for(&self.text, network)
            .map_err(|error| Error::new(Fault::Recipe, format!("{}: {error}", self.name)))
    }

    /// The error for a network that is not here, with what is known of it.
    pub(crate) fn without_network(&self, error: Error) -> Error {
        let ModelId { name, hash } = &self.stated.model;
        let text = format!(
            "{} was made with `{name}` (SHA-256 {hash}): name its file as the network.",
            self.name
        );
        error.turn(Knob::Network, text)
    }

    /// Notes why the dream may be another than the one the recipe was taken from.
    pub(crate) fn note_differences(&self, network: &Network, run: Run) {
        let (theirs, ours) = (self.stated.version.clone(), env!("CARGO_PKG_VERSION").to_owned());
        if theirs != ours {
            run.note(Note::OtherVersion { recipe: self.name.clone(), theirs, ours });
        }
        let model = &self.stated.model;
        if !model.hash.is_empty() && model.hash != network.hash {
            let (recipe, network) = (self.name.clone(), model.name.clone());
            run.note(Note::OtherNetwork { recipe, network });
        }
    }
}

/// The text of the recipe that the frames in a folder were made by: as their record has it, or the newest frame.
fn of_frames(folder: &Path) -> Result<String> {
    let of_newest = || {
        let frames = Frames::find(folder).ok()?;
        let (_, newest) = frames.iter().next_back()?;
        media::recipe_of(newest, &Limits::memory(free_memory())).ok()
    };
    let recorded = Store::recipe(folder);
    #[cfg(feature = "video")]
    // One that is broken is told of by those who need more of it.
    let recorded = recorded.or_else(|| Some(Record::load(folder).ok()??.recipe));
    recorded.or_else(of_newest).ok_or_else(|| {
        let what = format!("no frames of a zoom or a video were made in {}", folder.display());
        Error::new(Fault::Recipe, what)
            .at(folder)
            .hint("Name a dreamt picture or movie, or a recipe's TOML file.")
    })
}

/// The recipe's text in a file, or in a folder of frames.
fn read(path: &Path) -> Result<String> {
    if path.is_dir() {
        return of_frames(path);
    }
    if path.metadata().is_ok_and(|there| there.is_file()) {
        match media::recipe_of(path, &Limits::memory(free_memory())) {
            Ok(text) => return Ok(text),
            // What is text, or of no kind that is known, may be a recipe's own file.
            Err(RecipeError::NotSupported { kind, .. }) if kind.is_none_or(may_be_recipe) => {}
            Err(RecipeError::Image(ImageError::Read { .. })) => {}
            Err(error) => return Err(error.into()),
        }
    }
    read_text(path, MOST_BYTES).map_err(|error| {
        let name = path.display();
        let what = match error.kind() {
            ErrorKind::FileTooLarge => {
                format!("{name} is neither a recipe nor a picture or movie that carries one")
            }
            _ => format!("could not read the recipe {name}: {}", reason(&error)),
        };
        Error::new(Fault::Recipe, what).at(path)
    })
}

fn may_be_recipe(kind: FileKind) -> bool {
    let is_text = matches!(kind.class(), FileClass::Recipe | FileClass::Text);
    is_text && !matches!(kind, FileKind::Html | FileKind::Xml)
}
