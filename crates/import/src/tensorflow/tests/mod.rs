//! Broken graphs: each is refused in its own words, and none breaks the program.

mod gates;
mod geometry;
mod values;

use std::collections::HashMap;

use prost::Message;
use prost::bytes::Bytes;

use super::proto::*;
use crate::ImportError;

fn node(name: &str, op: &str, inputs: &[&str]) -> NodeDef {
    NodeDef {
        name: name.into(),
        op: op.into(),
        input: inputs.iter().map(|input| (*input).into()).collect(),
        attr: HashMap::new(),
    }
}

fn with(mut node: NodeDef, name: &str, value: AttrValue) -> NodeDef {
    node.attr.insert(name.into(), value);
    node
}

fn shape(sizes: &[i64]) -> TensorShape {
    let dim = sizes.iter().map(|&size| Dim { size }).collect();
    TensorShape { dim, unknown_rank: false }
}

fn constant(name: &str, sizes: &[i64], values: &[f32]) -> NodeDef {
    let tensor = TensorProto {
        dtype: DataType::Float.into(),
        tensor_shape: Some(shape(sizes)),
        tensor_content: values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>().into(),
        ..TensorProto::default()
    };
    with(
        node(name, "Const", &[]),
        "value",
        AttrValue { tensor: Some(tensor), ..Default::default() },
    )
}

fn conv(name: &str, inputs: &[&str]) -> NodeDef {
    let conv = node(name, "Conv2D", inputs);
    let padding = AttrValue { s: Some(Bytes::from_static(b"SAME")), ..Default::default() };
    let strides = ListValue { i: vec![1, 1, 1, 1] };
    let strides = AttrValue { list: Some(strides), ..Default::default() };
    with(with(conv, "padding", padding), "strides", strides)
}

/// A picture, a convolution with bias, and a ReLU.
fn small() -> Vec<NodeDef> {
    vec![
        node("relu", "Relu", &["bias_add:0", "^w"]),
        node("bias_add", "BiasAdd", &["conv", "b"]),
        conv("conv", &["input", "w"]),
        constant("w", &[1, 1, 3, 2], &[1.0; 6]),
        constant("b", &[2], &[0.5, -0.5]),
        node("input", "Placeholder", &[]),
    ]
}

fn encode(nodes: &[NodeDef]) -> Vec<u8> {
    GraphDef { node: nodes.iter().map(|node| node.encode_to_vec().into()).collect() }
        .encode_to_vec()
}

fn read(nodes: &[NodeDef]) -> Result<graph::Graph, ImportError> {
    super::read(&encode(nodes).into()).map(|read| read.graph)
}

fn refused(nodes: &[NodeDef]) -> String {
    read(nodes).expect_err("this should be refused").to_string()
}

#[test]
fn a_small_graph_in_any_order_is_read() {
    let graph = read(&small()).unwrap();
    let relu = graph.find_target("relu").unwrap();
    let shapes = graph.shapes(&[relu], 5, 4).unwrap();
    assert_eq!(shapes[relu.index()].unwrap(), graph::Shape::new(2, 5, 4));
}

fn integers(name: &str, sizes: &[i64], values: &[i32]) -> NodeDef {
    let tensor = TensorProto {
        dtype: DataType::Int32.into(),
        tensor_shape: Some(shape(sizes)),
        int_val: values.to_vec(),
        ..TensorProto::default()
    };
    let value = AttrValue { tensor: Some(tensor), ..Default::default() };
    with(node(name, "Const", &[]), "value", value)
}

fn integer(value: i64) -> AttrValue {
    AttrValue { i: Some(value), ..Default::default() }
}

#[test]
fn what_constants_alone_decide_is_computed_while_reading() {
    let float = AttrValue { r#type: Some(DataType::Float.into()), ..Default::default() };
    let mut nodes = small();
    nodes[4] = integers("b", &[2], &[3, -5]);
    nodes[1].input[1] = "bias".into();
    nodes.extend([
        with(node("float", "Cast", &["b"]), "DstT", float),
        integers("axis", &[], &[0]),
        node("row", "ExpandDims", &["float", "axis"]),
        constant("quarter", &[], &[0.25]),
        node("scaled", "Mul", &["row", "quarter"]),
        constant("squares", &[1, 2], &[4.0, 16.0]),
        node("rsqrt", "Rsqrt", &["squares"]),
        node("sum", "AddV2", &["scaled", "rsqrt"]),
        integers("two", &[1], &[-1]),
        node("bias", "Reshape", &["sum", "two"]),
    ]);
    let graph = read(&nodes).unwrap();
    let node = graph.node(graph.find_target("bias_add").unwrap());
    let graph::Op::Conv2d(conv) = &node.op else { panic!("{node:?}") };
    assert_eq!(conv.bias[..], [1.25, -1.0]);
}

#[test]
fn known_parts_of_a_shape_are_constants() {
    let flattened = |begin: i32| {
        let mut nodes = small();
        let slice = node("slice", "StridedSlice", &["shape", "begin", "end", "one"]);
        nodes.extend([
            node("shape", "Shape", &["relu"]),
            integers("begin", &[1], &[begin]),
            integers("end", &[1], &[begin + 1]),
            integers("one", &[1], &[1]),
            with(slice, "shrink_axis_mask", integer(1)),
            integers("rest", &[], &[-1]),
            node("sizes", "Pack", &["slice", "rest"]),
            node("flat", "Reshape", &["relu", "sizes"]),
            constant("matrix", &[8, 3], &[0.5; 24]),
            node("dense", "MatMul", &["flat", "matrix"]),
        ]);
        read(&nodes).unwrap()
    };
    let graph = flattened(0);
    let dense = graph.find_target("dense").unwrap();
    let shapes = graph.shapes(&[dense], 2, 2).unwrap();
    assert_eq!(shapes[dense.index()], Some(graph::Shape::new(3, 1, 1)));
    // How many rows there are, nobody knows yet.
    let refused = flattened(1).find_target("dense").unwrap_err().to_string();
    assert!(refused.contains("StridedSlice of sizes that are not known yet"), "{refused}");
}

#[test]
fn computing_constants_has_an_end() {
    let mut nodes = small();
    nodes.push(constant("large", &[1 << 20], &vec![1.0; 1 << 20]));
    nodes.push(node("add0", "AddV2", &["large", "large"]));
    for i in 1..9 {
        let name = format!("add{}", i - 1);
        nodes.push(node(&format!("add{i}"), "AddV2", &[&name, &name]));
    }
    let graph = read(&nodes).unwrap();
    assert!(graph.find("add0").is_err(), "a constant is no layer");
    let refused = graph.find_target("add8").unwrap_err().to_string();
    assert!(refused.contains("AddV2 of these inputs"), "{refused}");
}

#[test]
fn what_is_wrong_is_named() {
    let mut nodes = small();
    nodes[1].input[0] = "relu".into();
    assert!(refused(&nodes).contains("loops through `relu`"));

    let mut nodes = small();
    nodes[2].input[1] = "weights".into();
    assert!(refused(&nodes).contains("`conv` reads `weights`, which is not in the model"));

    let mut nodes = small();
    nodes.push(node("conv", "Relu", &["input"]));
    assert!(refused(&nodes).contains("two nodes named `conv`"));

    let mut nodes = small();
    nodes[4] = constant("b", &[3], &[0.0; 3]);
    assert!(refused(&nodes).contains("`bias_add`: the number of values should be 2, but is 3"));

    let mut nodes = small();
    nodes[3] = constant("w", &[1, 1, 5, 2], &[0.0; 10]);
    assert!(refused(&nodes).contains("`conv`: the number of input channels should be 5, but is 3"));

    let mut nodes = small();
    nodes[3] = constant("w", &[1, 1, 3, 2], &[0.0; 5]);
    assert!(refused(&nodes).contains("`conv`: the number of values in a constant should be 6"));

    let mut nodes = small();
    nodes[3] = constant("w", &[3, 2], &[0.0; 6]);
    assert!(refused(&nodes).contains("[3, 2]"));

    let mut nodes = small();
    nodes[3] = constant("w", &[1, 1, 3, 2], &[f32::NAN; 6]);
    assert!(refused(&nodes).contains("no numbers"));

    let mut nodes = small();
    nodes.pop();
    nodes.push(node("input", "Variable", &[]));
    assert!(refused(&nodes).contains("no placeholder"));

    let mut nodes = small();
    let one = AttrValue { shape: Some(shape(&[-1, -1, -1, 1])), ..Default::default() };
    nodes[5] = with(node("input", "Placeholder", &[]), "shape", one);
    assert!(refused(&nodes).contains("wants 1 channels"));
}

#[test]
fn a_few_bytes_cannot_ask_for_all_memory() {
    let mut nodes = small();
    let mut huge = constant("w", &[1 << 10, 1 << 10, 1 << 10, 1 << 10], &[1.0]);
    nodes[3] = huge.clone();
    assert!(refused(&nodes).contains("constant"));
    let tensor = huge.attr.get_mut("value").unwrap().tensor.as_mut().unwrap();
    tensor.tensor_shape = Some(shape(&[i64::MAX, i64::MAX, 3, 2]));
    nodes[3] = huge.clone();
    assert!(refused(&nodes).contains("impossible shape"));
    let tensor = huge.attr.get_mut("value").unwrap().tensor.as_mut().unwrap();
    tensor.tensor_shape = Some(shape(&[-1, 1, 3, 2]));
    nodes[3] = huge;
    assert!(refused(&nodes).contains("impossible shape"));

    let many = GraphDef { node: vec![Bytes::new(); 30_000] }.encode_to_vec();
    let error = super::read(&many.into()).err().unwrap().to_string();
    assert!(error.contains("the number of nodes is 30000"), "{error}");
}

#[test]
fn a_listed_value_stands_for_those_left_out() {
    let mut nodes = small();
    let tensor = nodes[4].attr.get_mut("value").unwrap().tensor.as_mut().unwrap();
    (tensor.tensor_content, tensor.float_val) = (Bytes::new(), vec![0.25]);
    let graph = read(&nodes).unwrap();
    match &graph.node(graph.find("bias_add").unwrap()).op {
        graph::Op::Conv2d(conv) => assert_eq!(conv.bias[..], [0.25, 0.25]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn channels_and_steps_cannot_grow_without_end() {
    let mut axis = constant("axis", &[], &[]);
    let tensor = axis.attr.get_mut("value").unwrap().tensor.as_mut().unwrap();
    tensor.dtype = DataType::Int32.into();
    tensor.int_val = vec![3];
    for first in ["relu", "input"] {
        let mut nodes = small();
        nodes.push(axis.clone());
        for i in 0..40 {
            let before = if i == 0 { first.to_owned() } else { format!("join{}", i - 1) };
            nodes.push(node(&format!("join{i}"), "ConcatV2", &[&before, &before, "axis"]));
        }
        let error = refused(&nodes);
        assert!(error.contains("the number of channels is"), "{first}: {error}");
    }

    let mut nodes = small();
    for i in 0..7 {
        let before = if i == 0 { "relu".to_owned() } else { format!("pool{}", i - 1) };
        let mut pool = conv(&format!("pool{i}"), &[&before]);
        pool.op = "MaxPool".into();
        let size = ListValue { i: vec![1, 1000, 1000, 1] };
        let size = AttrValue { list: Some(size), ..Default::default() };
        nodes.push(with(with(pool, "ksize", size.clone()), "strides", size));
    }
    assert!(refused(&nodes).contains("the step in pixels is 1000000"));
}

#[test]
fn an_unknown_operation_matters_only_behind_it() {
    let mut nodes = small();
    nodes.push(node("odd", "FancyOp", &["conv"]));
    nodes.push(node("behind", "Relu", &["odd"]));
    let graph = read(&nodes).unwrap();
    assert!(graph.find_target("relu").is_ok());
    let error = graph.find_target("behind").unwrap_err().to_string();
    assert!(error.contains("`odd`") && error.contains("FancyOp"), "{error}");
    assert!(!graph.layers().iter().any(|layer| layer.name == "odd" || layer.name == "behind"));
}

#[test]
fn no_truncation_or_mutation_breaks_the_reader() {
    let whole = encode(&small());
    for end in 0..whole.len() {
        let _ = super::read(&whole[..end].to_vec().into());
    }
    crate::mutated(&whole, 4000, |bytes| {
        if let Ok(read) = super::read(&bytes.into()) {
            crate::measured(&read.graph);
        }
    });
}
