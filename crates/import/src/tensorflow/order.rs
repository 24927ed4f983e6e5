//! Nodes in an order in which each comes after its inputs; the file may have any.

use std::collections::HashMap;

use super::proto::NodeDef;
use crate::{ImportError, kit};

/// One input of a node: which node, and which of its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) node: usize,
    pub(super) output: usize,
}

/// For each node its inputs, without those that only say what runs first (`^name`).
///
/// # Errors
/// Two nodes of one name, or an input that is no node.
pub(super) fn sources(nodes: &[NodeDef]) -> Result<Vec<Vec<Source>>, ImportError> {
    let mut places = HashMap::new();
    for (place, node) in nodes.iter().enumerate() {
        if places.insert(node.name.as_str(), place).is_some() {
            return Err(ImportError::Duplicate { layer: node.name.clone() });
        }
    }
    let source = |node: &NodeDef, input: &str| {
        let (name, output) = match input.rsplit_once(':') {
            Some((name, output)) => (name, output.parse().ok()),
            None => (input, Some(0)),
        };
        places.get(name).zip(output).map(|(&node, output)| Source { node, output }).ok_or_else(
            || ImportError::MissingInput { layer: node.name.clone(), input: input.into() },
        )
    };
    nodes
        .iter()
        .map(|node| {
            let data = node.input.iter().filter(|input| !input.starts_with('^'));
            data.map(|input| source(node, input)).collect()
        })
        .collect()
}

/// The nodes' places, inputs first and otherwise in the order of the file.
///
/// # Errors
/// [`ImportError::Cycle`]
pub(super) fn order(nodes: &[NodeDef], sources: &[Vec<Source>]) -> Result<Vec<usize>, ImportError> {
    let inputs: Vec<Vec<usize>> =
        sources.iter().map(|sources| sources.iter().map(|source| source.node).collect()).collect();
    kit::order(&inputs).map_err(|node| ImportError::Cycle { layer: nodes[node].name.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(list: &[(&str, &[&str])]) -> Vec<NodeDef> {
        list.iter()
            .map(|(name, inputs)| NodeDef {
                name: (*name).into(),
                input: inputs.iter().map(|input| (*input).into()).collect(),
                ..NodeDef::default()
            })
            .collect()
    }

    fn names(nodes: &[NodeDef]) -> Result<Vec<&str>, ImportError> {
        let order = order(nodes, &sources(nodes)?)?;
        Ok(order.into_iter().map(|place| nodes[place].name.as_str()).collect())
    }

    #[test]
    fn inputs_come_first() {
        let nodes = nodes(&[("c", &["b", "a:1"]), ("b", &["a", "^d"]), ("a", &[]), ("d", &[])]);
        assert_eq!(names(&nodes).unwrap(), ["a", "b", "c", "d"]);
        assert_eq!(sources(&nodes).unwrap()[0][1], Source { node: 2, output: 1 });
    }

    #[test]
    fn a_circle_is_named() {
        let error = names(&nodes(&[("a", &["c"]), ("b", &["a"]), ("c", &["b"])])).unwrap_err();
        assert!(matches!(error, ImportError::Cycle { layer } if layer == "a"));
    }

    #[test]
    fn a_name_is_used_once_and_every_input_is_there() {
        let error = names(&nodes(&[("a", &[]), ("a", &[])])).unwrap_err();
        assert!(matches!(error, ImportError::Duplicate { layer } if layer == "a"));
        let error = names(&nodes(&[("a", &["b"])])).unwrap_err();
        assert!(matches!(error, ImportError::MissingInput { input, .. } if input == "b"));
        let error = names(&nodes(&[("a", &["a:x"])])).unwrap_err();
        assert!(matches!(error, ImportError::MissingInput { input, .. } if input == "a:x"));
    }
}
