//! Functions of the file itself: a node that calls one becomes the function's nodes.

use std::collections::HashMap;

use super::model::Function;
use super::node::Node;
use crate::ImportError;
use crate::kit::{MAX_NODES, within};

/// The most functions that call each other.
const MAX_DEPTH: usize = 32;

/// The nodes with each that calls a function replaced by what the function is made of.
///
/// # Errors
/// More nodes than any network has, or functions that call themselves.
pub(super) fn inlined(
    nodes: Vec<Node>,
    functions: &HashMap<String, Function>,
) -> Result<Vec<Node>, ImportError> {
    if functions.is_empty() {
        return Ok(nodes);
    }
    let mut out = Vec::with_capacity(nodes.len());
    for node in nodes {
        inline(node, functions, 0, &mut out)?;
    }
    Ok(out)
}

fn inline(
    node: Node,
    functions: &HashMap<String, Function>,
    depth: usize,
    out: &mut Vec<Node>,
) -> Result<(), ImportError> {
    let Some(function) = functions.get(&node.op) else {
        within(&node.name, "the number of nodes before it", out.len(), 0, MAX_NODES)?;
        out.push(node);
        return Ok(());
    };
    within(&node.name, "the number of functions inside each other", depth, 0, MAX_DEPTH)?;
    let formal = function.inputs.iter().chain(&function.outputs);
    let given = |list: &[String], count: usize| {
        let mut given = list.to_vec();
        given.resize(count, String::new());
        given
    };
    let actual = given(&node.inputs, function.inputs.len()).into_iter();
    let actual = actual.chain(given(&node.outputs, function.outputs.len()));
    let known: HashMap<&str, String> = formal.map(String::as_str).zip(actual).collect();
    let name = |inner: &str| match known.get(inner) {
        _ if inner.is_empty() => String::new(),
        // An output that nobody reads has a name inside all the same.
        Some(name) if !name.is_empty() || function.inputs.iter().any(|input| input == inner) => {
            name.clone()
        }
        _ => format!("{}/{inner}", node.name),
    };
    for inner in &function.nodes {
        let inputs = inner.inputs.iter().map(|input| name(input)).collect();
        let outputs = inner.outputs.iter().map(|output| name(output)).collect();
        let own = format!("{}/{}", node.name, inner.name);
        inline(inner.called_by(&node, own, inputs, outputs), functions, depth + 1, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(inputs: &[&str], nodes: Vec<Node>) -> Function {
        let inputs = inputs.iter().map(|&name| name.to_owned()).collect();
        Function { inputs, outputs: vec!["out".into()], nodes }
    }

    #[test]
    fn a_call_becomes_the_functions_nodes() {
        let inner = vec![Node::of("Relu", &["x"], "y"), Node::of("Add", &["y", "x"], "out")];
        let functions = HashMap::from([("f".to_owned(), function(&["x"], inner))]);
        let nodes = vec![Node::of("f", &["image"], "a"), Node::of("f", &["a"], "b")];
        let nodes = inlined(nodes, &functions).unwrap();
        let reads: Vec<String> = nodes.iter().map(|node| node.inputs.join(",")).collect();
        assert_eq!(reads, ["image", "a/y,image", "a", "b/y,a"]);
        assert_eq!(nodes[3].outputs, ["b"]);
    }

    #[test]
    fn a_function_that_calls_itself_is_refused() {
        let inner = vec![Node::of("f", &["x"], "y"), Node::of("f", &["y"], "out")];
        let functions = HashMap::from([("f".to_owned(), function(&["x"], inner))]);
        let error = inlined(vec![Node::of("f", &["image"], "a")], &functions).unwrap_err();
        assert!(matches!(error, ImportError::Limit { .. }), "{error}");
    }
}
