//! What the studio needs of a program that dreams. The studio itself knows no networks, no recipes' meaning
//! and no codecs: recipes are texts to it, pictures are what can be made into files.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::render::{Clip, Foreseen, Render, Rendered};

/// Who dreams for the studio.
pub trait Workshop: Send + Sync + 'static {
    /// What a form needs to know of recipes: `settings`, `presets`, the program's `version`.
    fn form(&self) -> Value;

    /// The networks there are, as the page shows them; each has a `name` and says whether it is `ready`.
    fn networks(&self) -> Result<Value, Failure>;

    /// Fetches a network that is known, and tells `watch` how many bytes are there, and how many there are to
    /// be; its answer can end it.
    fn fetch(&self, network: &str, watch: Fetched<'_>) -> Result<(), Failure>;

    /// The layers of a network that is ready, as the page shows them.
    fn layers(&self, network: &str) -> Result<Value, Failure>;

    /// The names of a network's classes, in their order.
    fn classes(&self, network: &str) -> Result<Value, Failure>;

    /// The channels of a layer of a recipe's network, those first that answer a picture most strongly: on the
    /// whole, or at a place, right and down in shares of the picture. Noise has them by their numbers.
    fn channels(
        &self,
        recipe: &str,
        source: &Source,
        layer: &str,
        at: Option<[f64; 2]>,
    ) -> Result<Value, Failure>;

    /// Keeps a picture that recipes name under the hash of its file, where dreams find it.
    fn keep(&self, file: &Path, hash: &str, extension: &str) -> Result<(), Failure>;

    /// The file that is kept under a hash.
    fn kept(&self, hash: &str) -> Option<PathBuf>;

    /// Removes the file that is kept under a hash, if there is one.
    fn remove_kept(&self, hash: &str) -> Result<(), Failure>;

    /// The network that is used where nobody has chosen one.
    fn usual_network(&self) -> String;

    /// Looks at a file that may be a picture. Its `name` is for messages alone.
    fn look(&self, file: &Path, name: &str) -> Result<Look, Failure>;

    /// The recipe that a dream with this network begins with, on a photo or on noise of a size.
    fn begin(&self, network: &str, noise: Option<(u32, u32)>) -> Result<String, Failure>;

    /// The recipe with these settings changed, or the whole look of it.
    fn edit(&self, recipe: &str, changes: &[Change]) -> Result<String, Failure>;

    /// The recipe in a text that somebody brings, for a photo; what only noise has is left out. It follows the
    /// recipe that is there where it says nothing of the network.
    fn import(&self, text: &str, now: &str) -> Result<String, Failure>;

    /// What [`import`](Self::import) would change, setting by setting: its path, its value before and after.
    fn differences(&self, text: &str, now: &str) -> Result<Value, Failure>;

    /// The recipe as the page shows it: its `values` by path, as texts, its `objective`, its network, and which
    /// of the values are not what that network's usual recipe has.
    fn view(&self, recipe: &str) -> Value;

    /// The recipe with a seed that is so many further on.
    fn varied(&self, recipe: &str, by: u64) -> Result<String, Failure>;

    /// A recipe as a look: without photo, mask, size and seed.
    fn as_look(&self, recipe: &str) -> Result<String, Failure>;

    /// The recipe with the rules of a look that was saved, and with its `layers` or its own.
    fn with_look(&self, recipe: &str, look: &str, layers: bool) -> Result<String, Failure>;

    /// What one types to dream by a recipe on the command line, on a file of this name or on noise, with a longest
    /// side of at most so many pixels.
    fn command(&self, recipe: &str, photo: &str, longest: Option<u32>) -> Result<String, Failure>;

    /// The recipe of a small picture that shows what a layer or a look makes of a photo.
    fn sample(&self, recipe: &str, of: &Sample) -> Result<String, Failure>;

    /// Dreams, and tells `watch` of every step.
    fn dream(&self, order: &Order, watch: &mut dyn Watch) -> Result<Arc<dyn Dream>, Failure>;

    /// Looks at a file that may be a video. Its `name` is for messages alone.
    fn look_at_video(&self, file: &Path, name: &str) -> Result<Clip, Failure>;

    /// A video's first frame as a JPEG whose longest side has at most so many pixels.
    fn poster(&self, file: &Path, longest: u32) -> Result<Vec<u8>, Failure>;

    /// What a render would be and would take; nothing is written.
    fn foresee(&self, render: &Render) -> Result<Foreseen, Failure>;

    /// Makes a file, whole or not at all, and tells `watch` how far it is. A movie goes on from where an earlier
    /// attempt at the same place ended. Returns a small JPEG of what was made.
    fn render(&self, render: &Render, watch: Rendered<'_>) -> Result<Vec<u8>, Failure>;

    /// The picture of a file as a JPEG whose longest side has at most so many pixels.
    fn photo(&self, file: &Path, longest: u32) -> Result<Vec<u8>, Failure>;
}

/// Told how much of a file is there: bytes, and how many there are to be, where that is known.
pub type Fetched<'a> = &'a mut dyn FnMut(u64, Option<u64>) -> ControlFlow<()>;

/// What is known of a picture's file before anything is dreamt on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Columns, as it is to be seen.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The ending of names for files of its kind, without a dot.
    pub extension: String,
    /// The text of the recipe that it was dreamt by, if it carries one.
    pub recipe: Option<String>,
}

/// A change of a recipe.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Change {
    /// Gives the setting at a path a value: a text is read as recipes write it.
    Set {
        /// The setting's path.
        path: String,
        /// The value.
        value: Value,
    },
    /// Gives the setting at a path the value that the network's usual recipe has.
    Reset {
        /// The setting's path; empty for all settings.
        path: String,
    },
    /// Takes over a look's rules.
    Look {
        /// The look's name.
        name: String,
    },
    /// Goes over to another network, on its own usual layers.
    Network {
        /// The network's name.
        name: String,
    },
    /// Has the layers that are dreamt on look to a picture that is [kept](Workshop::keep).
    Guide {
        /// Its hash.
        id: String,
        /// What people call it.
        name: String,
    },
    /// Looks to a guide no more.
    Unguide {
        /// The guide's name in the recipe.
        name: String,
    },
    /// Dreams only where a picture that is kept is bright; everywhere without one.
    Mask {
        /// Its hash.
        id: Option<String>,
    },
}

/// What a small picture shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sample {
    /// A layer by itself.
    Layer(String),
    /// A look.
    Look(String),
    /// A channel of a layer by itself.
    Channel(String, u32),
    /// A look that somebody has saved, by its name in the library: its recipe.
    Saved(String, String),
}

/// What a dream starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A picture's file.
    File(PathBuf),
    /// Noise, which the recipe's seed decides.
    Noise {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
}

/// A dream that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// What it starts from.
    pub source: Source,
    /// Its recipe.
    pub recipe: String,
    /// Its longest side in pixels; a smaller picture, or smaller noise, keeps its own.
    pub longest: u32,
    /// Who computes it.
    pub lane: Lane,
}

/// Who computes a dream: each has a machine of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The one that is steered, which goes before all others.
    Steered,
    /// Small pictures, made behind it from a small copy of the photo.
    Behind,
    /// One of a few that are made at the same time, 0–3.
    Beside(usize),
    /// A card that is dreamt again, by itself.
    Again,
}

/// Where a dream stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Step {
    /// The octave, from 1, smallest first.
    pub octave: u32,
    /// How many octaves there are.
    pub octaves: u32,
    /// Steps done on this octave.
    pub step: u32,
    /// Steps of each octave.
    pub steps: u32,
    /// The work done, in pixels × steps.
    pub done: u64,
    /// All the work.
    pub total: u64,
    /// Columns of the picture in this octave.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// Watches a dream; its answer can stop it.
pub trait Watch: Send {
    /// Told once, before the first step: the share of all work that ends with each octave, 0–1.
    fn laid_out(&mut self, octaves: &[f64]);

    /// A step is done; `picture` copies what the dream looks like now.
    fn step(&mut self, at: Step, picture: &dyn Fn() -> Arc<dyn Picture>) -> ControlFlow<()>;
}

/// A picture.
pub trait Picture: Send + Sync {
    /// Columns and rows.
    fn size(&self) -> (u32, u32);

    /// A JPEG whose longest side has at most so many pixels; from a quality of 90 on its colours are as fine
    /// as its brightness.
    fn jpeg(&self, longest: u32, quality: u8) -> Vec<u8>;
}

/// A dream that is whole.
pub trait Dream: Picture {
    /// The recipe, with nothing left to choose.
    fn recipe(&self) -> &str;

    /// The file's bytes in a format that is called by its ending, with the recipe in it.
    fn file(&self, extension: &str) -> Result<Vec<u8>, Failure>;

    /// What decides whether two dreams are the same picture: size, bit depth and all samples.
    fn pixels(&self) -> Vec<u8>;

    /// The same as a picture.
    fn picture(self: Arc<Self>) -> Arc<dyn Picture>;
}

/// Why something was not done, in words for people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Whose fault it is, in a word.
    pub fault: String,
    /// What happened: a sentence.
    pub detail: String,
    /// What to do about it: sentences.
    pub ways_out: Vec<String>,
    /// The path of the setting it is about, if it is about one.
    pub knob: Option<String>,
    /// A value of that setting that would do.
    pub value: Option<String>,
}

impl Failure {
    /// A failure in a sentence.
    pub fn new(fault: &str, detail: impl ToString) -> Self {
        Self { fault: fault.to_owned(), detail: detail.to_string(), ..Self::default() }
    }

    /// The fault of dreams that were stopped.
    pub const STOPPED: &'static str = "stopped";

    /// Whether it is that a dream was stopped.
    pub fn is_stopped(&self) -> bool {
        self.fault == Self::STOPPED
    }

    /// The same with a way out.
    #[must_use]
    pub fn way_out(mut self, text: impl ToString) -> Self {
        self.ways_out.push(text.to_string());
        self
    }
}
