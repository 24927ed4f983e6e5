//! A recipe as its plan takes it: with nothing left to choose that a picture does not choose.

use graph::Network;

use super::together;
use crate::recipe::default_objective;
use crate::{ModelId, PlanError, Recipe};

/// The recipe with its network, layers and version filled in.
pub(super) fn resolved(recipe: &Recipe, network: &Network) -> Result<Recipe, PlanError> {
    recipe.validate()?;
    recipe.validate_together()?;
    let channels = network.graph.input_channels();
    if channels != 3 {
        return Err(PlanError::Channels { name: network.name.clone(), channels });
    }
    if !recipe.model.hash.is_empty() && recipe.model.hash != network.hash {
        return Err(PlanError::OtherNetwork {
            wanted: recipe.model.name.clone(),
            wanted_hash: recipe.model.hash.clone(),
            given: network.name.clone(),
            given_hash: network.hash.clone(),
        });
    }
    let mut recipe = recipe.clone();
    recipe.version = Recipe::default().version;
    recipe.model = ModelId::of(network);
    together::settle(&mut recipe);
    if recipe.objective.is_empty() {
        recipe.objective = default_objective(&network.graph);
    }
    if recipe.objective.is_empty() {
        return Err(PlanError::NoLayer { name: network.name.clone() });
    }
    // What a picture chooses stays as it is.
    recipe.settled(network, &mut |_, wanted| Ok(wanted.clone()))
}

/// The terms' weights, and whether they are shares.
pub(super) fn weights(recipe: &Recipe) -> (Vec<f32>, bool) {
    let terms = &recipe.objective;
    (terms.iter().map(|term| term.weight).collect(), recipe.balance.is_shares(terms))
}

/// The network as the recipe lets it see: with its mean subtracted or not.
pub(super) fn as_seen(network: &Network, recipe: &Recipe) -> Network {
    let mut network = network.clone();
    if !recipe.subtract_mean {
        network.input.mean = [0.0; 3];
    }
    network
}
