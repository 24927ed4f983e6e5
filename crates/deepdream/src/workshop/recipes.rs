//! Recipes as the studio changes them.

use dream::{Channels, ModelId, NoiseStart, Preset, Recipe, Term};
use graph::Network;
use serde_json::Value;
use studio::{Change, Sample};

use super::files;
use crate::request::field;
use crate::{Error, Fault, Result, targets};

/// The longest side at which small pictures are laid out.
const SMALL: u32 = 224;

/// The most steps on an octave of a small picture of a look.
const MOST_STEPS: u32 = 16;

/// The recipe that a dream begins with.
pub(super) fn usual(network: &Network, noise: Option<NoiseStart>) -> Recipe {
    with_preset(network, Preset::Default, noise)
}

/// What a recipe's settings were before anybody changed them.
pub(super) fn base(network: &Network, recipe: &Recipe) -> Recipe {
    with_preset(network, recipe.preset, recipe.noise)
}

fn with_preset(network: &Network, preset: Preset, noise: Option<NoiseStart>) -> Recipe {
    let mut recipe = Recipe { noise, ..Recipe::with_preset(network, preset) };
    if noise.is_some() {
        recipe.start_from_noise();
    }
    recipe
}

/// The recipe with a change, for the network that it has then.
///
/// # Errors
/// What cannot be, with a way out.
pub(super) fn changed(mut recipe: Recipe, network: &Network, change: &Change) -> Result<Recipe> {
    match change {
        Change::Set { path, value } => {
            let before = of_classes(&recipe);
            recipe.set(path, &toml_of(path, value)?)?;
            if path == field::OBJECTIVE {
                targets::check(network, &recipe, None)?;
                suit_classes(&mut recipe, network, before);
            }
        }
        Change::Reset { path } if path.is_empty() => {
            let before = base(network, &recipe);
            let Recipe { seed, size, regions, .. } = recipe;
            recipe = Recipe { seed, size, regions, ..before };
        }
        Change::Reset { path } => {
            let before = base(network, &recipe);
            reset(&mut recipe, path, &before)?;
        }
        Change::Look { name } => {
            let preset: Preset = name.parse().map_err(|what| Error::new(Fault::Usage, what))?;
            recipe = look(&recipe, network, preset);
        }
        Change::Network { .. } => {
            recipe.objective = base(network, &recipe).objective;
            recipe.model = ModelId::of(network);
            files::guided_again(&mut recipe, network);
            targets::check(network, &recipe, None)?;
        }
        Change::Guide { id, name } => files::guided(&mut recipe, network, id, name)?,
        Change::Unguide { name } => files::unguided(&mut recipe, network, name),
        Change::Mask { id } => files::masked(&mut recipe, id.as_deref())?,
    }
    recipe.validate()?;
    Ok(recipe)
}

/// A recipe that somebody brings, for what is dreamt on `now`.
///
/// # Errors
/// A recipe of another network of that name, or one that names files which are not kept.
pub(super) fn imported(recipe: Recipe, network: &Network, now: &Recipe) -> Result<Recipe> {
    files::check_files(&recipe)?;
    let ours = ModelId::of(network);
    if !recipe.model.hash.is_empty() && recipe.model.hash != ours.hash {
        let what = format!("this recipe was made with another network called {}", ours.name);
        return Err(Error::new(Fault::Model, what));
    }
    let (size, noise) = (None, now.noise);
    let recipe = Recipe { model: ours, size, noise, zoom: None, video: None, ..recipe };
    targets::check(network, &recipe, None)?;
    Ok(recipe)
}

/// Whether a recipe dreams of nothing but classes.
fn of_classes(recipe: &Recipe) -> bool {
    !recipe.objective.is_empty() && recipe.objective.iter().all(|term| term.class.is_some())
}

/// Takes the steps that classes need, as a request for classes does, once a recipe is of nothing but classes, and
/// the usual ones once it is not; whoever has chosen others keeps them.
fn suit_classes(recipe: &mut Recipe, network: &Network, before: bool) {
    let usual = base(network, recipe);
    let mut classes = usual.clone();
    classes.start_with_classes();
    let (from, to) = match (before, of_classes(recipe)) {
        (false, true) => (usual, classes),
        (true, false) => (classes, usual),
        _ => return,
    };
    if (recipe.ascent.iterations, recipe.penalty.tv) == (from.ascent.iterations, from.penalty.tv) {
        (recipe.ascent.iterations, recipe.penalty.tv) = (to.ascent.iterations, to.penalty.tv);
    }
}

/// A look's rules. Layers that somebody has chosen stay, and what they look to and where they count.
fn look(recipe: &Recipe, network: &Network, preset: Preset) -> Recipe {
    let chosen = recipe.objective != base(network, recipe).objective;
    let mut looks = with_preset(network, preset, recipe.noise);
    (looks.seed, looks.size) = (recipe.seed, recipe.size);
    looks.guides = recipe.guides.clone();
    looks.regions = recipe.regions.clone();
    looks.vectors = recipe.vectors.clone();
    if chosen {
        looks.objective = recipe.objective.clone();
    }
    looks
}

/// A recipe as a look: what is of one photo is left out.
pub(super) fn as_look(mut recipe: Recipe) -> Recipe {
    recipe.objective.iter_mut().for_each(|term| term.region = None);
    recipe.regions.clear();
    Recipe { seed: 0, size: None, noise: None, zoom: None, video: None, ..recipe }
}

/// A look that was saved, for what is dreamt `now`: its photo, its mask, its size and its seed stay, and its layers
/// with what they look to unless the look's `layers` are wanted.
///
/// # Errors
/// Another network of that name, layers that it does not have, or a guide that is not kept.
pub(super) fn with_look(
    now: &Recipe,
    mut look: Recipe,
    network: &Network,
    layers: bool,
) -> Result<Recipe> {
    if !layers {
        if look.model.name != now.model.name {
            let what = format!("this look is of {}, which has other layers", look.model.name);
            return Err(Error::new(Fault::Usage, what).hint("Take the whole look."));
        }
        look.objective = now.objective.clone();
        look.guides = now.guides.clone();
        look.vectors = now.vectors.clone();
    }
    let look = imported(look, network, now)?;
    let regions = now.regions.clone();
    let recipe = Recipe { seed: now.seed, size: now.size, regions, ..look };
    recipe.validate()?;
    Ok(recipe)
}

/// Takes a setting from another recipe.
fn reset(recipe: &mut Recipe, path: &str, before: &Recipe) -> Result<()> {
    let text = before.to_toml();
    let table: toml::Table = text.parse().expect("it reads what it writes");
    let mut value = toml::Value::Table(table);
    for part in path.split('.') {
        match value.get(part) {
            Some(inner) => value = inner.clone(),
            None => return Ok(recipe.set(path, "none")?),
        }
    }
    Ok(recipe.set(path, &value.to_string())?)
}

/// A small picture's recipe.
///
/// # Errors
/// A layer or a look that there is not.
pub(super) fn sample(recipe: &Recipe, network: &Network, of: &Sample) -> Result<Recipe> {
    let mut small = match of {
        Sample::Saved(_, text) => quick(Recipe::from_toml(text)?),
        Sample::Layer(layer) => alone(Term::layer(layer), network)?,
        Sample::Channel(layer, channel) => {
            let listed = Channels::Listed(vec![*channel]);
            let mut small = alone(Term::layer(layer).with_channels(listed), network)?;
            // One channel is a quiet thing: it is to be told from the next.
            small.ascent.strength *= 2.0;
            small.octaves.count = 3;
            small
        }
        Sample::Look(name) => {
            let preset: Preset = name.parse().map_err(|what| Error::new(Fault::Usage, what))?;
            let mut small = quick(look(recipe, network, preset));
            // A look is of the whole picture.
            small.regions.clear();
            small.objective.iter_mut().for_each(|term| term.region = None);
            small
        }
    };
    (small.seed, small.size, small.noise) = (0, None, recipe.noise);
    small.octaves.anchor = SMALL;
    Ok(small)
}

/// A look's recipe that takes no longer than a small picture may.
fn quick(mut look: Recipe) -> Recipe {
    look.ascent.iterations = look.ascent.iterations.min(MOST_STEPS);
    look.octaves.count = look.octaves.count.min(3);
    look
}

/// A small picture's recipe for a term by itself.
fn alone(term: Term, network: &Network) -> Result<Recipe> {
    targets::find(network, &term.layer)?;
    let mut small = Recipe::with_preset(network, Preset::Default);
    small.objective = vec![term];
    small.ascent.iterations = 10;
    small.octaves.count = 2;
    Ok(small)
}

/// A value that a page has sent as recipes write it.
fn toml_of(path: &str, value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(switch) => Ok(switch.to_string()),
        value => toml::Value::try_from(value).map(|value| value.to_string()).map_err(|error| {
            Error::new(Fault::Usage, format!("`{path}` cannot be {value}: {error}"))
        }),
    }
}
