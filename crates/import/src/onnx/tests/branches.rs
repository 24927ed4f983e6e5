//! Branches: whose names mean nothing outside, which condition is known, and what a graph does not make.

use super::*;

fn graph(nodes: &[NodeProto], outputs: &[&str]) -> Option<prost::bytes::Bytes> {
    let output = |name: &&str| ValueInfoProto { name: Some((*name).into()), r#type: None };
    let graph = GraphProto {
        node: nodes.iter().map(|node| node.encode_to_vec().into()).collect(),
        output: outputs.iter().map(|name| output(name).encode_to_vec().into()).collect(),
        ..GraphProto::default()
    };
    Some(graph.encode_to_vec().into())
}

/// A choice between `yes` and a graph that cannot be computed.
fn choice(condition: &str, output: &str, yes: &[NodeProto], outputs: &[&str]) -> NodeProto {
    let no = graph(&[node("Einsum", &["relu"], "strange")], &["strange"]);
    let branch =
        |name: &str, g| AttributeProto { name: Some(name.into()), g, ..Default::default() };
    let choice = with(node("If", &[condition], output), branch("then_branch", graph(yes, outputs)));
    with(choice, branch("else_branch", no))
}

fn holds() -> TensorProto {
    TensorProto { dims: vec![], ..whole("holds", &[1]) }
}

#[test]
fn names_inside_branches_mean_nothing_outside() {
    let inside = [node("Relu", &["relu"], "inner"), node("Neg", &["inner"], "out")];
    let nodes = [
        node("Relu", &["image"], "relu"),
        choice("holds", "a", &inside, &["out"]),
        choice("holds", "b", &inside, &["out"]),
        // As the node's own output is called.
        choice("holds", "c", &[node("Neg", &["relu"], "c")], &["c"]),
        node("Sum", &["a", "b", "c"], "sum"),
    ];
    let graph = read_nodes(&nodes, &[holds()]).unwrap().graph;
    assert!(graph.find_target("sum").is_ok());
}

#[test]
fn outputs_that_the_chosen_branch_does_not_make_are_not_inputs_left_out() {
    let mut choice = choice("holds", "first", &[node("Neg", &["relu"], "only")], &["only"]);
    choice.output.push("second".into());
    let nodes = [
        node("Relu", &["image"], "relu"),
        choice,
        node("Relu", &["first"], "last"),
        node("Clip", &["relu", "second"], "clip"),
    ];
    let graph = read_nodes(&nodes, &[holds()]).unwrap().graph;
    assert!(graph.find_target("last").is_ok());
    let error = graph.find_target("clip").unwrap_err().to_string();
    assert!(error.contains("an output that the branch does not make"), "{error}");
}

#[test]
fn what_is_the_same_for_sizes_of_many_divisors_is_not_the_same_for_all() {
    let scalar = |name: &str, number: i64| TensorProto { dims: vec![], ..whole(name, &[number]) };
    let weights = [
        scalar("rows", 2),
        scalar("many", 32),
        scalar("few", 1),
        scalar("none", 0),
        whole("below", &[0, 0, 0, 0, 0, 0, 1, 0]),
    ];
    let yes = [node("Neg", &["relu"], "out")];
    let nodes = [
        node("Relu", &["image"], "relu"),
        node("Shape", &["relu"], "shape"),
        node("Gather", &["shape", "rows"], "height"),
        node("Mod", &["height", "many"], "rest"),
        node("Equal", &["rest", "none"], "divides"),
        node("Greater", &["height", "few"], "several"),
        choice("divides", "guessed", &yes, &["out"]),
        choice("several", "known", &yes, &["out"]),
        node("Mul", &["below", "rest"], "pads"),
        node("Pad", &["relu", "pads"], "padded"),
    ];
    for sizes in [ANY, [1, 3, 64, 64]] {
        let graph = read_model(&model(&nodes, &weights, sizes)).unwrap().graph;
        assert!(graph.find_target("known").is_ok(), "{sizes:?}");
        let error = graph.find_target("guessed").unwrap_err().to_string();
        assert!(
            error.contains("a branch that depends on the picture's size"),
            "{sizes:?}: {error}"
        );
        assert!(graph.find_target("padded").is_err(), "{sizes:?}");
    }
}
