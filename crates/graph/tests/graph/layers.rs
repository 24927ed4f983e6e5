//! What a graph says about its layers: names like others, and parts that cannot be used.

use graph::{Affine, Graph, GraphBuilder, GraphError, Op};

fn unsupported() -> Op {
    Op::Unsupported { kind: "Odd".into() }
}

/// The names that are offered for one that there is not.
fn nearest(graph: &Graph, name: &str) -> Vec<String> {
    match graph.find(name) {
        Err(GraphError::UnknownLayer { nearest, .. }) => nearest,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_part_of_a_name_finds_the_layer_that_joins_branches() {
    let mut builder = GraphBuilder::new("picture", 3);
    let a = builder.add("mixed4c_1x1", Op::Relu, &[builder.input()]);
    let b = builder.add("mixed4c_3x3", Op::Relu, &[a]);
    builder.add("mixed4c", Op::Concat, &[a, b]);
    builder.add("mixed5b", Op::Concat, &[a, b]);
    let graph = builder.finish();
    assert_eq!(nearest(&graph, "4c")[0], "mixed4c");
    assert_eq!(nearest(&graph, "Mixed4C")[0], "mixed4c");
    assert_eq!(nearest(&graph, "mixde5b")[0], "mixed5b");
    assert_eq!(nearest(&graph, "something else"), [""; 0]);
}

#[test]
fn an_operation_that_is_not_supported_is_found_unless_it_is_beside_the_way() {
    let affine = || {
        let (scale, shift) = ([1.0; 3].into(), [0.0; 3].into());
        Op::Affine(Affine { scale, shift })
    };
    let mut builder = GraphBuilder::new("picture", 3);
    let input = builder.input();
    let trunk = builder.add("trunk", affine(), &[input]);
    builder.add("aside", unsupported(), &[trunk]);
    let second = builder.add("second input", unsupported(), &[]);
    let next = builder.add("next", Op::Relu, &[trunk]);
    let mean = builder.add("mean", Op::GlobalAveragePool, &[next]);
    builder.add("head", unsupported(), &[mean, second]);
    let graph = builder.finish();
    assert_eq!(graph.first_unsupported_of_maps(), None);
    assert_eq!(graph.first_unsupported(), graph.find("head").ok());

    let mut builder = GraphBuilder::new("picture", 3);
    let trunk = builder.add("trunk", affine(), &[input]);
    let odd = builder.add("odd", unsupported(), &[trunk]);
    builder.add("behind", Op::Relu, &[odd]);
    assert_eq!(builder.finish().first_unsupported_of_maps(), Some(odd));
}
