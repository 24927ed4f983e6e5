//! Positions in a row: what may be put before them and added to them.

use super::*;

/// The picture's positions in a row, as `rows`.
fn rows() -> [NodeProto; 3] {
    [
        node("Relu", &["image"], "relu"),
        node("Reshape", &["relu", "flat"], "flattened"),
        with_integers(node("Transpose", &["flattened"], "rows"), "perm", &[0, 2, 1]),
    ]
}

fn joined(inputs: &[&str], output: &str) -> NodeProto {
    with_integer(node("Concat", inputs, output), "axis", 1)
}

#[test]
fn embeddings_are_added_where_rows_and_columns_can_be_told() {
    let weights = [
        whole("flat", &[1, 3, 4]),
        floats("class", &[1, 1, 3], &[1.0; 3]),
        floats("five", &[1, 5, 3], &[0.5; 15]),
        floats("six", &[1, 6, 3], &[0.5; 18]),
    ];
    let after = [
        joined(&["class", "rows"], "tokens"),
        node("Add", &["tokens", "five"], "at_once"),
        node("Sigmoid", &["tokens"], "between"),
        node("Add", &["between", "five"], "later"),
        joined(&["class", "tokens"], "twice"),
        node("Add", &["twice", "six"], "behind_two"),
    ];
    let nodes: Vec<NodeProto> = rows().into_iter().chain(after).collect();
    let graph = read_model(&model(&nodes, &weights, [1, 3, 2, 2])).unwrap().graph;
    assert!(graph.find_target("at_once").is_ok() && graph.find_target("twice").is_ok());
    for name in ["later", "behind_two"] {
        assert!(graph.find_target(name).is_err(), "{name}");
    }
}

#[test]
fn constants_before_rows_and_added_to_them_are_counted() {
    // A million numbers that one states, each time they are joined or added.
    let weights = [whole("flat", &[1, 3, 4]), whole("shape", &[1, 349_525, 3])];
    let fill = node("ConstantOfShape", &["shape"], "filled");
    for (count, works) in [(1, true), (2, false)] {
        let mut inputs = vec!["filled"; count];
        inputs.push("rows");
        let mut nodes = vec![fill.clone(), joined(&inputs, "tokens")];
        nodes.extend(rows());
        let graph = read_model(&model(&nodes, &weights, [1, 3, 2, 2])).unwrap().graph;
        assert_eq!(graph.find_target("tokens").is_ok(), works, "{count}");
    }
    let weights = [whole("flat", &[1, 3, 589 * 589]), whole("shape", &[1, 589 * 589, 3])];
    let mut nodes: Vec<NodeProto> = rows().into_iter().chain([fill]).collect();
    nodes.push(node("Add", &["rows", "filled"], "first"));
    nodes.push(node("Add", &["rows", "filled"], "second"));
    let graph = read_model(&model(&nodes, &weights, [1, 3, 589, 589])).unwrap().graph;
    assert!(graph.find_target("first").is_ok() && graph.find_target("second").is_err());
}
