//! Layers by their names: which network has them, who asks for them, and what is said where there are none.

use dream::{Recipe, Term};
use graph::{GraphError, Network, NodeId, Op};

use crate::base::Base;
use crate::{Error, Fault, Knob, Result};

/// Finds a layer that can be dreamt on.
///
/// # Errors
/// No such layer, or one that needs what is not supported; the network is named, and the one that has such
/// a layer.
pub(crate) fn find(network: &Network, layer: &str) -> Result<NodeId> {
    network.graph.find_target(layer).map_err(|error| not_found(network, error))
}

/// Sees that a network has all layers that a recipe names, or one that is chosen where it names none.
///
/// # Errors
/// As [`find`]; a network without a layer to choose. The recipe is named, if it asks for the layer.
pub(crate) fn check(network: &Network, recipe: &Recipe, base: Option<&Base>) -> Result<()> {
    let keyframes = recipe.zoom.iter().flat_map(|zoom| &zoom.keyframes);
    let fading = keyframes.filter_map(|keyframe| keyframe.set.objective.as_ref()).flatten();
    let layers = recipe.objective.iter().chain(fading).filter(|term| term.class.is_none());
    for Term { layer, .. } in layers {
        find(network, layer).map_err(|error| match base.filter(|base| base.asks_for(layer)) {
            Some(base) => error.turn(
                Knob::Network,
                format!("{} asks for this layer: use the network it was made with.", base.name()),
            ),
            None => error,
        })?;
    }
    if recipe.objective.is_empty() {
        return Err(no_default(network));
    }
    Ok(())
}

/// Why a network can be dreamt with in part only, if so: a sentence.
pub fn unsupported_part(network: &Network) -> Option<String> {
    network.graph.first_unsupported_of_maps().map(|node| in_part(network, node))
}

/// The words for a network of which the rest from an unsupported `node` on cannot be used.
pub(crate) fn in_part(network: &Network, node: NodeId) -> String {
    let node = network.graph.node(node);
    let kind = match &node.op {
        Op::Unsupported { kind } => kind.as_str(),
        _ => "another",
    };
    format!(
        "the network {} can be used in part only: `{}` needs the operation {kind}, which is not supported",
        network.name, node.name
    )
}

fn not_found(network: &Network, error: GraphError) -> Error {
    let GraphError::UnknownLayer { name, nearest } = &error else { return error.into() };
    let what = format!("the network {} has no layer `{name}`", network.name);
    let other = models::with_layer(name).filter(|known| known.name != network.name);
    let (near, ending) = (did_you_mean(nearest), models::with_layer_ending(name));
    let error = Error::from(error).saying(what);
    match other {
        Some(known) => error
            .turn(Knob::Network, format!("It is a layer of {}: choose that network.", known.name)),
        None => match (near, ending) {
            (Some(near), _) => error.hint(near),
            (None, Some((known, layer))) => error.turn(
                Knob::Network,
                format!("`{layer}` is a layer of {}: choose that network.", known.name),
            ),
            (None, None) => error,
        },
    }
}

/// Asks whether one of these names was meant; `None` without names.
fn did_you_mean(names: &[String]) -> Option<String> {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let (last, first) = quoted.split_last()?;
    Some(match first {
        [] => format!("Did you mean {last}?"),
        first => format!("Did you mean {} or {last}?", first.join(", ")),
    })
}

fn no_default(network: &Network) -> Error {
    let Some(part) = unsupported_part(network) else {
        let what = format!("the network {} has no layer to dream on", network.name);
        return Error::new(Fault::Model, what).turn(Knob::Network, "Use another network.");
    };
    let error = Error::new(Fault::Model, part);
    let layers = network.graph.layers();
    match layers.iter().rfind(|layer| network.graph.find_target(&layer.name).is_ok()) {
        Some(last) => error.turn(
            Knob::Layer,
            format!("Choose a layer before that, such as `{}`, or use another network.", last.name),
        ),
        None => error.turn(Knob::Network, "Use another network."),
    }
}
