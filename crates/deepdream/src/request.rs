//! What a face asks of a recipe and a network. Flags, forms, TOML and bindings fill the same request;
//! what was asked for becomes what will be done here, once the network is known.

use std::str::FromStr;
use std::time::Duration;

use dream::{Assets, Machine, ModelId, Preset, Recipe, Tensor, Term};
use graph::{Network, Size, Storage};
use serde::Serialize;
use toml::Value;

use crate::assets::FoundFile;
use crate::base::Base;
use crate::convert::without_dream;
use crate::progress::Run;
use crate::{
    Error, Fault, GivenFiles, Input, Limits, NetworkChoice, RecipeSource, Result, assets, targets,
};

/// Paths of fields that jobs themselves look at or set.
pub(crate) mod field {
    pub(crate) const OBJECTIVE: &str = "objective";
    pub(crate) const OCTAVES: &str = "octaves.count";
    pub(crate) const PICTURES: &str = "pictures";
    pub(crate) const DIVERSITY: &str = "diversity";
    pub(crate) const FPS: &str = "zoom.fps";
    pub(crate) const EASE_OUT: &str = "zoom.motion.ease_out";
    pub(crate) const COHERENCE: &str = "video.coherence";
}

/// What every dream needs.
#[derive(Clone, Debug, Default)]
pub struct DreamRequest {
    /// The network. Default: the recipe's, or else the preferred one that is installed.
    pub network: NetworkChoice,
    /// The recipe. Default: the one chosen for the network.
    pub recipe: RecipeRequest,
    /// Files for the recipe's guides, regions and vectors, by their names. Default: the files that the recipe
    /// names.
    pub files: GivenFiles,
    /// How much of the machine may be used. Default: all that is free.
    pub limits: Limits,
    /// The shortest time between two previews. Default: no previews.
    pub previews: Option<Duration>,
}

/// A recipe in the making: where it starts from, and what is changed of that.
#[derive(Clone, Debug, Default)]
pub struct RecipeRequest {
    /// The recipe to start from. Default: none; frames that go on start from their own.
    pub base: Option<RecipeSource>,
    /// The preset to start from. With a recipe, what the preset sets replaces what the recipe says. Default: the
    /// recipe's, or the one chosen for the network.
    pub preset: Option<Preset>,
    /// What the dream climbs towards, as people write it. It replaces the objective of the recipe or the preset
    /// before the edits are made. Default: nothing, which leaves that objective.
    pub terms: Vec<TermText>,
    /// What is changed, in order. Default: nothing.
    pub edits: Vec<Edit>,
}

/// A term of the objective as people write it, which is read once the network is known: the name of a layer
/// may have any letters.
#[derive(Clone, Debug, PartialEq)]
pub enum TermText {
    /// `NAME`, `NAME:CHANNELS`, or either with `=WEIGHT` behind it, as [`Term::parse`] reads it.
    Layer(String),
    /// A class, as [`Term::parse_class`] reads it.
    Class(String),
    /// A term that is read already.
    Read(Term),
}

impl TermText {
    /// The term on `network`.
    ///
    /// # Errors
    /// A text that is no such term.
    pub(crate) fn read(&self, network: &Network) -> Result<Term> {
        let read = match self {
            Self::Layer(text) => Term::parse(text, |name| network.graph.find(name).is_ok()),
            Self::Class(text) => Term::parse_class(text),
            Self::Read(term) => Ok(term.clone()),
        };
        read.map_err(|error| Error::new(Fault::Usage, error))
    }
}

/// A field of a recipe and its new value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The field's path, such as `octaves.count`; [`Recipe::settings`] lists them all.
    pub path: String,
    /// The value, as TOML; a word needs no quotes.
    pub value: String,
}

/// Reads `path.to.field=VALUE`.
impl FromStr for Edit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((path, value)) if !path.trim().is_empty() => {
                Ok(Self { path: path.trim().to_owned(), value: value.trim().to_owned() })
            }
            _ => Err(format!("`{text}` sets nothing. Write FIELD=VALUE, such as seed=7")),
        }
    }
}

impl RecipeRequest {
    /// Changes the field at `path` to a value that is written as TOML or is one word.
    pub fn set(&mut self, path: &str, value: impl ToString) {
        self.edits.push(Edit { path: path.to_owned(), value: value.to_string() });
    }

    /// Changes the field at `path` to a list.
    pub fn set_list<T: Serialize>(&mut self, path: &str, list: &[T]) {
        let list = Value::try_from(list).expect("lists of settings can be written");
        self.set(path, list);
    }

    /// Whether it says what the dream climbs towards, over what it starts from.
    pub(crate) fn asks_for_terms(&self) -> bool {
        let named = |edit: &Edit| edit.path.split('.').next() == Some(field::OBJECTIVE);
        !self.terms.is_empty() || self.edits.iter().any(named)
    }

    /// Whether it asks for a dream of nothing but classes, and for no recipe or preset that says how.
    pub(crate) fn asks_for_classes(&self) -> bool {
        let is_class = |term: &TermText| match term {
            TermText::Class(_) => true,
            TermText::Layer(_) => false,
            TermText::Read(term) => term.class.is_some(),
        };
        let open = self.base.is_none() && self.preset.is_none() && !self.sets(field::OBJECTIVE);
        open && !self.terms.is_empty() && self.terms.iter().all(is_class)
    }

    /// Whether a field is changed.
    pub(crate) fn sets(&self, path: &str) -> bool {
        self.edits.iter().any(|edit| edit.path == path)
    }

    /// The number a field is changed to, if it is.
    pub(crate) fn number(&self, path: &str) -> Option<f64> {
        self.edits.iter().rfind(|edit| edit.path == path)?.value.parse().ok()
    }
}

/// What a request comes to on a network.
pub(crate) struct Resolved {
    pub(crate) recipe: Recipe,
    pub(crate) assets: Assets,
    /// The files that the recipe names.
    pub(crate) files: Vec<FoundFile>,
    /// Where those lie that are large, and the pictures of the dream may.
    pub(crate) storage: Storage,
}

impl Resolved {
    /// The files that the recipe names, as inputs of the work.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = Input<'_>> {
        self.files.iter().map(|file| Input::new(file.role, &file.path))
    }
}

impl DreamRequest {
    /// Reads the recipe to start from, if one is asked for.
    ///
    /// # Errors
    /// A file that is neither a recipe nor a picture or movie with one.
    pub(crate) fn base(&self) -> Result<Option<Base>> {
        self.recipe.base.as_ref().map(Base::read).transpose()
    }

    /// How many pictures are dreamt together, as far as that is known before the recipe is.
    pub(crate) fn pictures(&self, base: Option<&Base>) -> usize {
        let asked = self.recipe.number(field::PICTURES);
        let asked = asked.unwrap_or_else(|| base.map_or(1.0, |base| base.pictures().into()));
        (asked as usize).clamp(1, 64)
    }

    /// Opens the network that the request names, or else the recipe's, or else the preferred one; notes
    /// which one, where nobody has named it, and why the dream may be another than the recipe's.
    ///
    /// # Errors
    /// A network that cannot be found or loaded.
    pub(crate) fn open_network(&self, base: Option<&Base>, run: Run) -> Result<Network> {
        let network = self.network.open(base, run)?;
        if let Some(base) = base {
            base.note_differences(&network, run);
        }
        Ok(network)
    }

    /// The recipe that is asked for, with `network`, and the files that it names: where neither a recipe nor a
    /// preset is named, it starts from the `usual` preset. `prepare` changes it before the request's edits do.
    ///
    /// # Errors
    /// A field that does not exist, a value outside its range, a file that is not there, or too little memory.
    pub(crate) fn resolve(
        &self,
        base: Option<&Base>,
        network: &Network,
        usual: Preset,
        prepare: impl FnOnce(&mut Recipe),
        run: Run,
    ) -> Result<(Recipe, Assets)> {
        let Resolved { recipe, assets, .. } =
            self.resolve_sparing(base, network, usual, prepare, run)?;
        Ok((recipe, assets))
    }

    /// As [`Self::resolve`], with the files that were read for it, which no output may replace.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub(crate) fn resolve_sparing(
        &self,
        base: Option<&Base>,
        network: &Network,
        usual: Preset,
        prepare: impl FnOnce(&mut Recipe),
        run: Run,
    ) -> Result<Resolved> {
        self.resolve_moving(base, network, usual, prepare, (run, &mut assets::one_mask))
    }

    /// As [`Self::resolve_sparing`], where masks may be another one for each frame; `moving` takes those.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub(crate) fn resolve_moving(
        &self,
        base: Option<&Base>,
        network: &Network,
        usual: Preset,
        prepare: impl FnOnce(&mut Recipe),
        (run, moving): (Run, &mut assets::Moving),
    ) -> Result<Resolved> {
        self.limits.check()?;
        let RecipeRequest { preset, terms, edits, .. } = &self.recipe;
        let mut recipe = match (base, preset) {
            (Some(base), None) => base.recipe_for(network)?,
            (Some(base), Some(preset)) => base.recipe_for(network)?.following(*preset),
            (None, preset) => Recipe::with_preset(network, preset.unwrap_or(usual)),
        };
        if !matches!(self.network, NetworkChoice::Default) {
            recipe.model = ModelId::of(network);
        }
        prepare(&mut recipe);
        if !terms.is_empty() {
            let read = terms.iter().map(|term| term.read(network));
            recipe.objective = read.collect::<Result<_>>()?;
            recipe.validate()?;
        }
        for edit in edits {
            recipe.set(&edit.path, &edit.value)?;
        }
        if recipe.pictures == 1
            && self.recipe.sets(field::PICTURES)
            && !self.recipe.sets(field::DIVERSITY)
        {
            recipe = recipe.alone();
        }
        recipe.validate()?;
        let asked = base.is_some() || self.recipe.asks_for_terms();
        assets::guide_terms(&mut recipe, &self.files, network, asked);
        targets::check(network, &recipe, base)?;
        let (storage, files) = (self.limits.storage()?, &self.files);
        let room = (self.limits.memory(), &storage);
        let (assets, files) = assets::resolve(&mut recipe, files, base, room, (run, moving))?;
        recipe.validate()?;
        Ok(Resolved { recipe, assets, files, storage })
    }

    /// Suits a `recipe` that this request resolved to, where it says little of how, to a picture of `size`.
    pub(crate) fn suit(&self, recipe: &mut Recipe, size: Size) {
        if self.recipe.asks_for_classes() && !self.recipe.sets(field::OCTAVES) {
            recipe.keep_class_octaves(size);
        }
    }

    /// Lets `image`, planes of RGB of 0–255, choose the layers of a `recipe` that this request resolved to,
    /// where neither it nor a recipe names any and the network is not a known one.
    ///
    /// # Errors
    /// A network that cannot be run.
    pub(crate) fn choose_layers(
        &self,
        base: Option<&Base>,
        recipe: &mut Recipe,
        network: &Network,
        image: &Tensor,
        machine: &Machine,
    ) -> Result<()> {
        let asked = self.recipe.asks_for_terms() || !self.files.guides.is_empty();
        if base.is_none() && !asked && !dream::has_known_layers(&network.graph) {
            recipe.objective =
                dream::measured_objective(network, image, machine).map_err(without_dream)?;
        }
        Ok(())
    }
}
