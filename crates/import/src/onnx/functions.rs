//! Functions of the file itself: a node that calls one becomes the function's nodes.

use std::collections::HashMap;

use super::model::{Function, Functions};
use super::node::Node;
use crate::ImportError;
use crate::kit::{MAX_NODES, within};

/// The most functions that call each other.
const MAX_DEPTH: usize = 32;
/// The most bytes of names that all calls make.
const MAX_NAMES: usize = 1 << 26;
/// The most inputs and outputs of all calls.
const MAX_FORMALS: usize = 1 << 20;
/// The most attributes that calls give to the nodes of functions.
const MAX_GIVEN: usize = 1 << 20;

/// The nodes with each that calls a function replaced by what the function is made of.
///
/// # Errors
/// More nodes or calls than any network has, or functions that call themselves.
pub(super) fn inlined(nodes: Vec<Node>, functions: &Functions) -> Result<Vec<Node>, ImportError> {
    if functions.is_empty() {
        return Ok(nodes);
    }
    let out = Vec::with_capacity(nodes.len());
    let mut inlining = Inlining { functions, out, calls: 0, formals: 0, names: 0, given: 0 };
    for node in nodes {
        inlining.add(node, 0)?;
    }
    Ok(inlining.out)
}

/// The nodes so far, and what has been made for them: a small file can call its functions very often.
struct Inlining<'a> {
    functions: &'a Functions,
    out: Vec<Node>,
    calls: usize,
    formals: usize,
    names: usize,
    given: usize,
}

impl Inlining<'_> {
    fn add(&mut self, node: Node, depth: usize) -> Result<(), ImportError> {
        let key = (node.op.clone(), node.overload.clone());
        let Some(function) = self.functions.get(&key) else {
            within(&node.name, "the number of nodes before it", self.out.len(), 0, MAX_NODES)?;
            self.out.push(node);
            return Ok(());
        };
        within(&node.name, "the number of functions inside each other", depth, 0, MAX_DEPTH)?;
        self.calls += 1;
        within(&node.name, "the number of calls before it", self.calls - 1, 0, MAX_NODES)?;
        let formals = function.inputs.len().saturating_add(function.outputs.len());
        self.formals = self.formals.saturating_add(formals);
        let what = "the number of inputs and outputs of all calls so far";
        within(&node.name, what, self.formals, 0, MAX_FORMALS)?;
        let names = names(function, &node);
        let name = |inner: &str| match names.get(inner) {
            _ if inner.is_empty() => String::new(),
            Some(&name) => name.to_owned(),
            None => format!("{}/{inner}", node.name),
        };
        for inner in &function.nodes {
            let inputs = inner.inputs.iter().map(|input| name(input)).collect();
            let outputs = inner.outputs.iter().map(|output| name(output)).collect();
            let own = format!("{}/{}", node.name, inner.name);
            self.given = self.given.saturating_add(inner.references());
            within(&own, "the number of attributes so far", self.given, 0, MAX_GIVEN)?;
            let inner = inner.called_by(&node, &function.defaults, own, inputs, outputs);
            self.names = self.names.saturating_add(inner.text_length());
            within(&node.name, "the length of all names so far", self.names, 0, MAX_NAMES)?;
            self.add(inner, depth + 1)?;
        }
        Ok(())
    }
}

/// What the names of a function's inputs and outputs mean where `node` calls it. An input that is left out has
/// none; an output that nobody reads has a name of the function's own, as all that is inside.
fn names<'a>(function: &'a Function, node: &'a Node) -> HashMap<&'a str, &'a str> {
    let given = |list: &'a [String], place: usize| list.get(place).map_or("", String::as_str);
    let inputs = function.inputs.iter().enumerate();
    let mut names: HashMap<&str, &str> =
        inputs.map(|(place, formal)| (&**formal, given(&node.inputs, place))).collect();
    for (place, formal) in function.outputs.iter().enumerate() {
        let actual = given(&node.outputs, place);
        if !actual.is_empty() {
            names.insert(formal, actual);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(inputs: &[&str], nodes: Vec<Node>) -> Function {
        let inputs = inputs.iter().map(|&name| name.to_owned()).collect();
        Function { inputs, outputs: vec!["out".into()], nodes, defaults: HashMap::new() }
    }

    fn key(name: &str) -> (String, String) {
        (name.to_owned(), String::new())
    }

    #[test]
    fn a_call_becomes_the_functions_nodes() {
        let inner = vec![Node::of("Relu", &["x"], "y"), Node::of("Add", &["y", "x"], "out")];
        let functions = HashMap::from([(key("f"), function(&["x"], inner))]);
        let nodes = vec![Node::of("f", &["image"], "a"), Node::of("f", &["a"], "b")];
        let nodes = inlined(nodes, &functions).unwrap();
        let reads: Vec<String> = nodes.iter().map(|node| node.inputs.join(",")).collect();
        assert_eq!(reads, ["image", "a/y,image", "a", "b/y,a"]);
        assert_eq!(nodes[3].outputs, ["b"]);
    }

    #[test]
    fn a_function_that_calls_itself_is_refused() {
        let inner = vec![Node::of("f", &["x"], "y"), Node::of("f", &["y"], "out")];
        let functions = HashMap::from([(key("f"), function(&["x"], inner))]);
        let error = inlined(vec![Node::of("f", &["image"], "a")], &functions).unwrap_err();
        assert!(matches!(error, ImportError::Limit { .. }), "{error}");
    }

    #[test]
    fn calls_are_counted_although_they_make_no_nodes() {
        let call = |depth: usize| Node::of(&format!("f{depth}"), &["x"], "y");
        let body = |depth: usize| if depth == 20 { vec![] } else { vec![call(depth + 1); 20] };
        let functions = (0..=20).map(|i| (key(&format!("f{i}")), function(&["x"], body(i))));
        let error = inlined(vec![call(0)], &functions.collect()).unwrap_err();
        assert!(error.to_string().contains("the number of calls"), "{error}");
    }

    #[test]
    fn inputs_and_outputs_of_calls_are_counted() {
        let formals = vec!["x"; 1000];
        let functions = HashMap::from([(key("f"), function(&formals, vec![]))]);
        let calls = vec![Node::of("f", &["image"], "a"); 2000];
        let error = inlined(calls, &functions).unwrap_err();
        assert!(error.to_string().contains("inputs and outputs of all calls"), "{error}");
    }

    #[test]
    fn what_a_call_leaves_out_is_empty_inside_and_what_nobody_reads_has_a_name() {
        let inner = vec![Node::of("Clip", &["x", "min"], "out"), Node::of("Relu", &["out"], "y")];
        let functions = HashMap::from([(key("f"), function(&["x", "min"], inner))]);
        let mut call = Node::of("f", &["image"], "");
        call.name = "call".into();
        let nodes = inlined(vec![call], &functions).unwrap();
        assert_eq!(nodes[0].inputs, ["image", ""]);
        assert_eq!((&*nodes[0].outputs[0], &*nodes[1].inputs[0]), ("call/out", "call/out"));
    }

    #[test]
    fn names_that_calls_make_are_counted() {
        let inner = vec![Node::of("Relu", &["x"], "y"); 1000];
        let functions = HashMap::from([(key("f"), function(&["x"], inner))]);
        let call = Node::of("f", &["image"], &"a".repeat(1 << 16));
        let error = inlined(vec![call], &functions).unwrap_err();
        assert!(error.to_string().contains("the length of all names"), "{error}");
    }
}
