//! Recipes as the studio changes them.

use dream::{ModelId, NoiseStart, Preset, Recipe, Term};
use graph::Network;
use serde_json::Value;
use studio::{Change, Sample};

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
            recipe.set(path, &toml_of(path, value)?)?;
            if path == field::OBJECTIVE {
                targets::check(network, &recipe, None)?;
            }
        }
        Change::Reset { path } if path.is_empty() => {
            let before = base(network, &recipe);
            recipe = Recipe { seed: recipe.seed, size: recipe.size, ..before };
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
            let Recipe { preset, noise, seed, size, .. } = recipe;
            let of_network = with_preset(network, preset, noise);
            recipe.objective = of_network.objective;
            recipe.model = ModelId::of(network);
            (recipe.seed, recipe.size) = (seed, size);
            targets::check(network, &recipe, None)?;
        }
    }
    recipe.validate()?;
    Ok(recipe)
}

/// A recipe that somebody brings, for what is dreamt on `now`.
///
/// # Errors
/// A recipe of another network of that name, or one that names files.
pub(super) fn imported(recipe: Recipe, network: &Network, now: &Recipe) -> Result<Recipe> {
    let files =
        !(recipe.guides.is_empty() && recipe.regions.is_empty() && recipe.vectors.is_empty());
    if files {
        let what = "this recipe has guides, masks or directions, which are files of their own";
        return Err(Error::new(Fault::Recipe, what)
            .hint("Dream by it on the command line, which finds them."));
    }
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

/// A look's rules. Layers that somebody has chosen stay.
fn look(recipe: &Recipe, network: &Network, preset: Preset) -> Recipe {
    let chosen = recipe.objective != base(network, recipe).objective;
    let mut looks = with_preset(network, preset, recipe.noise);
    (looks.seed, looks.size) = (recipe.seed, recipe.size);
    if chosen {
        looks.objective = recipe.objective.clone();
    }
    looks
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
        Sample::Layer(layer) => {
            targets::find(network, layer)?;
            let mut small = Recipe::with_preset(network, Preset::Default);
            small.objective = vec![Term::layer(layer)];
            small.ascent.iterations = 10;
            small.octaves.count = 2;
            small
        }
        Sample::Look(name) => {
            let preset: Preset = name.parse().map_err(|what| Error::new(Fault::Usage, what))?;
            let mut small = look(recipe, network, preset);
            small.ascent.iterations = small.ascent.iterations.min(MOST_STEPS);
            small.octaves.count = small.octaves.count.min(3);
            small
        }
    };
    (small.seed, small.size, small.noise) = (0, None, recipe.noise);
    small.octaves.anchor = SMALL;
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
