//! Small graphs, written here: what is refused, and how; what is told of a file; files broken at random.

use graph::{GraphError, Op};
use prost::Message;

use super::proto::tensor_shape_proto::{Dimension, dimension};
use super::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TypeProto, ValueInfoProto, type_proto,
};
use super::*;
use crate::{measured, mutated};

mod bounds;
mod branches;
mod numbers;
mod parts;
mod rows;

fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    let texts = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let (input, output) = (texts(inputs), texts(&[output]));
    NodeProto { input, output, op_type: Some(op.into()), ..NodeProto::default() }
}

fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: dims.to_vec(),
        data_type: Some(1),
        float_data: values.to_vec(),
        ..TensorProto::default()
    }
}

fn whole(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: vec![values.len() as i64],
        data_type: Some(7),
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}

fn with(mut node: NodeProto, attribute: AttributeProto) -> NodeProto {
    node.attribute.push(attribute.encode_to_vec().into());
    node
}

fn with_integers(node: NodeProto, name: &str, ints: &[i64]) -> NodeProto {
    let (name, ints) = (Some(name.into()), ints.to_vec());
    with(node, AttributeProto { name, ints, ..AttributeProto::default() })
}

fn with_integer(node: NodeProto, name: &str, i: i64) -> NodeProto {
    let name = Some(name.into());
    with(node, AttributeProto { name, i: Some(i), ..AttributeProto::default() })
}

fn with_text(node: NodeProto, name: &str, text: &str) -> NodeProto {
    let (name, s) = (Some(name.into()), Some(text.to_owned().into()));
    with(node, AttributeProto { name, s, ..AttributeProto::default() })
}

fn model(nodes: &[NodeProto], weights: &[TensorProto], sizes: [i64; 4]) -> ModelProto {
    let size = |&size: &i64| {
        let value = Some(dimension::Value::DimValue(size));
        Dimension { value: value.filter(|_| size > 0) }.encode_to_vec().into()
    };
    let shape = TensorShapeProto { dim: sizes.iter().map(size).collect() };
    let tensor = type_proto::Tensor { elem_type: Some(1), shape: Some(shape) };
    let kind = TypeProto { value: Some(type_proto::Value::TensorType(tensor)) };
    let input = ValueInfoProto { name: Some("image".into()), r#type: Some(kind) };
    let graph = GraphProto {
        node: nodes.iter().map(|node| node.encode_to_vec().into()).collect(),
        initializer: weights.iter().map(|tensor| tensor.encode_to_vec().into()).collect(),
        input: vec![input.encode_to_vec().into()],
        ..GraphProto::default()
    };
    let opset = OperatorSetIdProto { domain: None, version: Some(13) };
    ModelProto {
        opset_import: vec![opset.encode_to_vec().into()],
        graph: Some(graph),
        ..ModelProto::default()
    }
}

const ANY: [i64; 4] = [0, 3, 0, 0];

fn read_model(model: &ModelProto) -> Result<Read, ImportError> {
    read(&model.encode_to_vec().into(), &mut |file| Err(unreadable(file)))
}

fn unreadable(file: &str) -> ImportError {
    ImportError::NoSibling { file: file.into(), reason: "there is none".into() }
}

fn read_nodes(nodes: &[NodeProto], weights: &[TensorProto]) -> Result<Read, ImportError> {
    read_model(&model(nodes, weights, ANY))
}

fn refused(nodes: &[NodeProto], weights: &[TensorProto]) -> String {
    read_nodes(nodes, weights).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn layers_before_what_is_not_supported_dream() {
    let nodes = [
        node("Relu", &["image"], "first"),
        node("Einsum", &["first"], "strange"),
        node("Relu", &["strange"], "last"),
    ];
    let graph = read_nodes(&nodes, &[]).unwrap().graph;
    assert!(graph.find_target("first").is_ok());
    match graph.find_target("last").unwrap_err() {
        GraphError::Unsupported { node, kind, .. } => {
            assert_eq!([&*node, &*kind], ["strange", "Einsum"])
        }
        error => panic!("{error}"),
    }
    let alone = refused(&[node("Einsum", &["image"], "strange")], &[]);
    assert!(alone.contains("`strange`") && alone.contains("Einsum"), "{alone}");
}

#[test]
fn what_attention_cannot_be_is_told() {
    let start = [
        node("Relu", &["image"], "first"),
        node("Reshape", &["first", "flat"], "keys"),
        node("Transpose", &["keys"], "queries"),
        node("MatMul", &["queries", "keys"], "scores"),
        node("Softmax", &["scores"], "weights"),
    ];
    let weights = [whole("flat", &[3, -1]), floats("bias", &[1], &[1.0])];
    let of = |last: NodeProto| {
        let nodes: Vec<NodeProto> = start.iter().cloned().chain([last]).collect();
        let graph = read_nodes(&nodes, &weights).unwrap().graph;
        let id = graph.find("last").unwrap();
        graph.node(id).op.clone()
    };
    let mean = of(node("MatMul", &["weights", "queries"], "last"));
    assert!(matches!(mean, Op::Attention(attention) if attention.heads == 1), "{mean:?}");
    for (last, words) in [
        (node("Relu", &["scores"], "last"), "Relu of products of queries and keys"),
        (node("MatMul", &["scores", "queries"], "last"), "MatMul of products of queries and keys"),
        (node("MatMul", &["weights", "keys"], "last"), "MatMul of products of queries and keys"),
        (node("Add", &["scores", "bias"], "last"), "Add of a number for each pair of positions"),
        (node("MatMul", &["queries", "queries"], "last"), "MatMul of two values that are computed"),
        (
            node("Attention", &["queries", "queries", "queries"], "last"),
            "Attention of queries, keys and values that do not fit each other",
        ),
    ] {
        match of(last) {
            Op::Unsupported { kind } => assert_eq!(kind, words),
            op => panic!("{words}: {op:?}"),
        }
    }
}

#[test]
fn graphs_that_cannot_be_are_refused() {
    let weights = floats("w", &[2, 2, 1, 1], &[1.0; 4]);
    let short = floats("w", &[2, 3, 1, 1], &[1.0; 5]);
    let endless = floats("w", &[2, 3, 1, 1], &[f32::NAN; 6]);
    let conv = [node("Conv", &["image", "w"], "conv")];
    for (nodes, weights, part) in [
        (&conv[..], &[weights][..], "the number of input channels should be 2, but is 3"),
        (&conv, &[short], "the number of values in a constant should be 6, but is 5"),
        (&conv, &[endless], "no numbers"),
        (&conv, &[], "`conv` reads `w`"),
        (&[node("Add", &["a", "b"], "a"), node("Relu", &["a"], "b")], &[], "loops"),
        (&[node("Relu", &["image"], "a"), node("Relu", &["a"], "a")], &[], "two nodes named `a`"),
        (&[node("Relu", &["image", "image"], "a")], &[], "the number of its inputs is 2"),
    ] {
        let error = refused(nodes, weights);
        assert!(error.contains(part), "{part}: {error}");
    }
    let grey = read_model(&model(&[node("Relu", &["image"], "a")], &[], [1, 1, 8, 8]));
    assert!(grey.map(|_| ()).unwrap_err().to_string().contains("wants 1 channels"));
}

#[test]
fn few_bytes_ask_for_no_more_memory_than_there_is() {
    // A shape as large as can be said, filled, joined, repeated.
    let large = whole("shape", &[1 << 20, 1 << 20]);
    let refused = refused(
        &[node("ConstantOfShape", &["shape"], "w"), node("Gemm", &["image", "w"], "out")],
        &[large],
    );
    assert!(refused.contains("cannot be computed"), "{refused}");
    let mut nodes = vec![node("Expand", &["one", "shape"], "c0")];
    for i in 0..40 {
        let (from, to) = (format!("c{i}"), format!("c{}", i + 1));
        nodes.push(with_integer(node("Concat", &[&from, &from], &to), "axis", 0));
    }
    nodes.push(node("Add", &["image", "c40"], "out"));
    nodes.push(node("Relu", &["image"], "relu"));
    let weights = [floats("one", &[1], &[1.0]), whole("shape", &[1 << 16])];
    let graph = read_nodes(&nodes, &weights).unwrap().graph;
    assert!(graph.find_target("out").is_err());
}

#[test]
fn weights_beside_the_model_are_inside_its_folder_and_long_enough() {
    let entry = |key: &str, value: &str| {
        let (key, value) = (Some(key.to_owned()), Some(value.to_owned()));
        StringStringEntryProto { key, value }.encode_to_vec().into()
    };
    let weights = |location: &str, offset: &str| {
        let tensor = TensorProto {
            external_data: vec![
                entry("location", location),
                entry("offset", offset),
                entry("length", "24"),
            ],
            data_location: Some(1),
            float_data: Vec::new(),
            ..floats("w", &[2, 3, 1, 1], &[])
        };
        model(&[node("Conv", &["image", "w"], "conv")], &[tensor], ANY).encode_to_vec()
    };
    let content: Vec<u8> = (0..8).flat_map(|x: u8| f32::from(x).to_le_bytes()).collect();
    let read = |location: &str, offset: &str| {
        read(&weights(location, offset).into(), &mut |file| match file {
            "m.data" => Ok(content.clone().into()),
            file => Err(unreadable(file)),
        })
    };
    let good = read("m.data", "8").unwrap();
    let conv = good.graph.find("conv").unwrap();
    match &good.graph.node(conv).op {
        Op::Conv2d(conv) => assert_eq!(conv.weights.get().unwrap()[..2], [2.0, 3.0]),
        op => panic!("{op:?}"),
    }
    assert_eq!(good.siblings[0].0, "m.data");
    for (location, offset, part) in [
        ("m.data", "9", "8"),
        ("m.data", "18446744073709551615", "up to byte"),
        ("m.data", "x", "no number"),
        ("other.data", "0", "there is none"),
        ("../m.data", "0", "not a path inside"),
        ("/m.data", "0", "not a path inside"),
    ] {
        let error = read(location, offset).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(part) || error.contains("bytes"), "{location}, {offset}: {error}");
    }
}

#[test]
fn a_fixed_size_binds_only_where_it_is_needed() {
    // As exported for 8×8: a shape of numbers before a matrix for that size.
    let nodes = [
        node("Relu", &["image"], "relu"),
        node("Reshape", &["relu", "row"], "flat"),
        node("MatMul", &["flat", "w"], "head"),
    ];
    let weights = [whole("row", &[1, 192]), floats("w", &[192, 2], &[0.5; 384])];
    let graph = read_model(&model(&nodes, &weights, [1, 3, 8, 8])).unwrap().graph;
    let (relu, head) = (graph.find("relu").unwrap(), graph.find("head").unwrap());
    assert!(graph.shapes(&[relu], 50, 60).is_ok());
    assert!(graph.shapes(&[head], 8, 8).is_ok() && graph.shapes(&[head], 9, 8).is_err());
}

#[test]
fn what_the_file_says_of_its_input_and_classes_is_told() {
    let nodes = [
        node("Sub", &["image", "mean"], "centred"),
        node("Div", &["centred", "deviation"], "normal"),
        node("Relu", &["normal"], "relu"),
    ];
    let weights = [
        floats("mean", &[3, 1, 1], &[0.485, 0.456, 0.406]),
        floats("deviation", &[3, 1, 1], &[0.229, 0.224, 0.225]),
    ];
    let mut file = model(&nodes, &weights, ANY);
    let names = StringStringEntryProto {
        key: Some("names".into()),
        value: Some("{0: 'cat', 1: 'dog'}".into()),
    };
    file.metadata_props = vec![names.encode_to_vec().into()];
    let read = read_model(&file).unwrap();
    let stated = read.stated.unwrap();
    assert!((stated.mean[0] - 0.485 * 255.0).abs() < 1e-3);
    assert!((stated.scale[2] - 1.0 / (0.225 * 255.0)).abs() < 1e-6);
    assert_eq!(read.labels, ["cat", "dog"]);
    assert_eq!(read.graph.nodes().len(), 2, "the network begins behind");
    let plain = read_nodes(&[node("Relu", &["image"], "relu")], &[]).unwrap();
    assert!(plain.stated.is_none());
}

#[test]
fn broken_files_break_nothing() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/onnx");
    for name in ["decoder", "functions", "gates", "head", "moved", "weights", "windows"] {
        let bytes = std::fs::read(folder.join(format!("{name}.onnx"))).unwrap();
        mutated(&bytes, 400, |broken| {
            if let Ok(read) = read(&broken.into(), &mut |file| Err(unreadable(file))) {
                measured(&read.graph);
            }
        });
    }
}
