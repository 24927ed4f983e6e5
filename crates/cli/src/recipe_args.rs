//! From flags to a recipe: a base, and what the user changed of it.

use std::path::{Path, PathBuf};

use clap::Args;
use dream::{ModelId, Preset, Recipe, RecipeError, Term};
use graph::Network;
use media::{ImageError, Limits};

use crate::exit::{Failure, Fault};
use crate::machine::free_memory;
use crate::model::ModelArgs;

/// The most bytes of a recipe's file.
const MOST_BYTES: u64 = 1 << 20;

/// Arguments that make a recipe.
#[derive(Debug, Args)]
pub(crate) struct RecipeArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Dream on this layer; repeat it to dream on several. A weight below 0 calms a layer. Default:
    /// the layers chosen for the network, each with weight 1.
    #[arg(short, long = "layer", value_name = "NAME[=WEIGHT]", value_parser = str::parse::<Term>)]
    #[arg(help_heading = "Network")]
    layers: Vec<Term>,

    /// Start from the recipe in this TOML file, dreamt picture or movie; other flags change it.
    #[arg(short, long, value_name = "FILE", help_heading = "Recipe")]
    recipe: Option<PathBuf>,
    /// Start from the rules and units of a known program. Default: what was chosen for the network.
    #[arg(short, long, value_name = "NAME", conflicts_with = "recipe", help_heading = "Recipe")]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(Preset::ALL.map(Preset::name)))]
    preset: Option<String>,
    /// Longest side of the dream in pixels. Default: the picture's own size.
    #[arg(short, long, value_name = "PIXELS", help_heading = "Recipe")]
    size: Option<u32>,
    /// How many sizes of the picture to dream on, from small to full. Default: the preset's, which
    /// for google is 4.
    #[arg(long, value_name = "N", help_heading = "Recipe")]
    octaves: Option<u32>,
    /// How much larger each octave is than the one before. Default: the preset's, which for google
    /// is 1.4.
    #[arg(long, value_name = "FACTOR", help_heading = "Recipe")]
    octave_scale: Option<f32>,
    /// Steps on each octave. Default: the preset's, which for google is 10.
    #[arg(short, long, value_name = "N", help_heading = "Recipe")]
    iterations: Option<u32>,
    /// How far each step goes, in pixel values of 0–255. Default: the preset's, which for google is
    /// 1.5.
    #[arg(long, value_name = "VALUES", help_heading = "Recipe")]
    step: Option<f32>,
    /// How many pixels each step may shift the picture by. Default: the preset's, which for google is
    /// 32.
    #[arg(long, value_name = "PIXELS", help_heading = "Recipe")]
    jitter: Option<u32>,
    /// Seed of all that is random; the same seed gives the same dream. Default: 0, or the recipe's.
    #[arg(long, value_name = "N", help_heading = "Recipe")]
    seed: Option<u64>,
}

/// A recipe's own file.
fn text(path: &Path) -> Result<String, Failure> {
    let name = path.display();
    let size = path.metadata().map(|file| file.len());
    if size.is_ok_and(|size| size > MOST_BYTES) {
        let what = format!("{name}: neither a recipe nor a picture or movie that carries one");
        return Err(Failure::new(Fault::Recipe, what));
    }
    std::fs::read_to_string(path).map_err(|error| {
        Failure::new(Fault::Recipe, format!("{name}: the recipe cannot be read: {error}"))
    })
}

impl RecipeArgs {
    /// Loads the network: the one the user names, the recipe's, or the default one, which is then
    /// said unless `quiet`.
    ///
    /// # Errors
    /// A network that cannot be found or loaded.
    pub(crate) fn network(&self, base: Option<&Base>, quiet: bool) -> Result<Network, Failure> {
        let named = base.and_then(Base::network);
        let network = match (base, named, &self.model.model) {
            (Some(base), Some(_), None) => {
                self.model.open(named).map_err(|failure| failure.or(base.way_to_network()))?
            }
            _ => self.model.open(None)?,
        };
        if quiet {
            return Ok(network);
        }
        if named.is_none() && self.model.model.is_none() {
            eprintln!("network: {}; --model chooses another", network.name);
        }
        if let Some(base) = base {
            base.say_differences(&network);
        }
        Ok(network)
    }

    /// Reads the recipe to start from, if there is one.
    ///
    /// # Errors
    /// A file that is neither a recipe nor a picture or movie with one.
    pub(crate) fn base(&self) -> Result<Option<Base>, Failure> {
        let Some(path) = &self.recipe else { return Ok(None) };
        let name = path.display();
        let text = match media::recipe_of(path, &Limits::memory(free_memory())) {
            Ok(text) => text,
            Err(
                media::RecipeError::NotSupported { .. }
                | media::RecipeError::Image(ImageError::Read { .. }),
            ) => text(path)?,
            Err(error) => return Err(error.into()),
        };
        Base::of_text(name.to_string(), text).map(Some)
    }

    /// The recipe that all flags together ask for.
    ///
    /// # Errors
    /// A value outside its range.
    pub(crate) fn recipe(&self, base: Option<&Base>, network: &Network) -> Result<Recipe, Failure> {
        let wrong = |error: RecipeError| Failure::new(Fault::Recipe, error);
        let mut recipe = match (base, &self.preset) {
            (Some(base), _) => Recipe::from_toml_for(&base.text, network)
                .map_err(|error| Failure::new(Fault::Recipe, format!("{}: {error}", base.name)))?,
            (None, Some(name)) => {
                let preset = name.parse().map_err(|error| Failure::new(Fault::Usage, error))?;
                Recipe::with_preset(network, preset)
            }
            (None, None) => Recipe::for_network(network),
        };
        if self.model.model.is_some() {
            recipe.model = ModelId::of(network);
        }
        if !self.layers.is_empty() {
            recipe.objective.clone_from(&self.layers);
        }
        recipe.size = self.size.or(recipe.size);
        let octaves = &mut recipe.octaves;
        octaves.count = self.octaves.unwrap_or(octaves.count);
        octaves.scale = self.octave_scale.unwrap_or(octaves.scale);
        let ascent = &mut recipe.ascent;
        ascent.iterations = self.iterations.unwrap_or(ascent.iterations);
        ascent.step = self.step.unwrap_or(ascent.step);
        ascent.jitter = self.jitter.unwrap_or(ascent.jitter);
        recipe.seed = self.seed.unwrap_or(recipe.seed);
        recipe.validate().map_err(wrong)?;
        Ok(recipe)
    }
}

/// The recipe a dream starts from, before its network is known.
pub(crate) struct Base {
    /// The file it came from.
    name: String,
    text: String,
    said: Recipe,
}

impl Base {
    /// A recipe's text, and what to call it.
    ///
    /// # Errors
    /// A text that is no recipe.
    pub(crate) fn of_text(name: String, text: String) -> Result<Self, Failure> {
        let said = Recipe::from_toml(&text)
            .map_err(|error| Failure::new(Fault::Recipe, format!("{name}: {error}")))?;
        Ok(Self { name, text, said })
    }

    /// The network it was made for, if it says.
    fn network(&self) -> Option<&str> {
        Some(self.said.model.name.as_str()).filter(|name| !name.is_empty())
    }

    fn way_to_network(&self) -> String {
        let ModelId { name, hash } = &self.said.model;
        format!("{} was made with `{name}` (SHA-256 {hash}): --model gives its file", self.name)
    }

    /// Says why the dream may be another than the one the recipe was taken from.
    fn say_differences(&self, network: &Network) {
        let (theirs, ours) = (&self.said.version, env!("CARGO_PKG_VERSION"));
        if theirs != ours {
            eprintln!("{}: made by version {theirs}; this is {ours}, and may differ", self.name);
        }
        let model = &self.said.model;
        if !model.hash.is_empty() && model.hash != network.hash {
            eprintln!("{}: made with another network, `{}`", self.name, model.name);
        }
    }

    /// The noise it started from, if it did.
    pub(crate) fn noise(&self) -> Option<dream::NoiseStart> {
        self.said.noise
    }
}
