//! What a file lacks, or has in a way that is not read, costs the layers that need it, and no others.

use super::super::proto::FunctionProto;
use super::*;

#[test]
fn layers_before_missing_weights_dream() {
    let nodes = [node("Relu", &["image"], "relu"), node("Conv", &["relu", "w"], "conv")];
    let impossible = floats("w", &[2, -3, 1, 1], &[]);
    for weights in [&[][..], &[impossible]] {
        let graph = read_nodes(&nodes, weights).unwrap().graph;
        assert!(graph.find_target("relu").is_ok());
        let error = graph.find_target("conv").unwrap_err().to_string();
        assert!(error.contains("`w`") || error.contains("`conv`"), "{error}");
    }
}

#[test]
fn layers_before_a_head_of_another_size_dream() {
    // Of a file for pictures of any size, the head works for those that it is made for.
    let nodes = [
        node("Relu", &["image"], "relu"),
        node("Flatten", &["relu"], "flat"),
        node("Gemm", &["flat", "w"], "head"),
    ];
    let graph = read_nodes(&nodes, &[floats("w", &[12, 2], &[0.5; 24])]).unwrap().graph;
    let head = graph.find("head").unwrap();
    assert!(graph.shapes(&[head], 2, 2).is_ok() && graph.shapes(&[head], 8, 8).is_err());
    for (rows, sizes) in [(13, ANY), (12, [1, 3, 8, 8])] {
        let weights = floats("w", &[rows, 2], &vec![0.5; 2 * rows as usize]);
        let graph = read_model(&model(&nodes, &[weights], sizes)).unwrap().graph;
        assert!(graph.find_target("relu").is_ok() && graph.find_target("head").is_err());
    }
}

#[test]
fn further_outputs_of_what_is_computed_while_reading_stand_as_unsupported() {
    let mut dropout = node("Dropout", &["row"], "same");
    dropout.output.push("mask".into());
    let nodes =
        [node("Relu", &["image"], "relu"), dropout, node("Mul", &["relu", "mask"], "product")];
    let graph = read_nodes(&nodes, &[floats("row", &[1], &[2.0])]).unwrap().graph;
    match graph.find_target("product").unwrap_err() {
        GraphError::Unsupported { node, kind, .. } => {
            assert_eq!([&*node, &*kind], ["mask", "a further output of Dropout"]);
        }
        error => panic!("{error}"),
    }
}

#[test]
fn pictures_that_would_be_made_smaller_smoothly_are_told() {
    let relu = node("Relu", &["image"], "relu");
    let smaller = with_text(node("Resize", &["relu", "", "", "size"], "small"), "mode", "linear");
    for (antialias, works) in [(0, true), (1, false)] {
        let resize = with_integer(smaller.clone(), "antialias", antialias);
        let mut file = model(&[relu.clone(), resize], &[whole("size", &[1, 3, 4, 4])], ANY);
        let opset = OperatorSetIdProto { domain: None, version: Some(18) };
        file.opset_import = vec![opset.encode_to_vec().into()];
        let graph = read_model(&file).unwrap().graph;
        assert_eq!(graph.find_target("small").is_ok(), works);
    }
}

#[test]
fn functions_are_told_apart_and_have_attributes_of_their_own() {
    let alpha = |f: f32, name: &str| AttributeProto {
        name: Some(name.into()),
        f: Some(f),
        ..AttributeProto::default()
    };
    let refers = AttributeProto { ref_attr_name: Some("slope".into()), ..alpha(0.0, "alpha") };
    let function = |overload: &str, slope: f32| {
        let mut inner = node("LeakyRelu", &["x"], "y");
        let refers = AttributeProto { f: None, ..refers.clone() };
        inner.attribute.push(refers.encode_to_vec().into());
        FunctionProto {
            name: Some("leaky".into()),
            domain: Some("own".into()),
            overload: Some(overload.into()),
            input: vec!["x".into()],
            output: vec!["y".into()],
            attribute_proto: vec![alpha(slope, "slope").encode_to_vec().into()],
            node: vec![inner.encode_to_vec().into()],
            ..FunctionProto::default()
        }
    };
    let call = |overload: &str, input: &str, output: &str| NodeProto {
        domain: Some("own".into()),
        overload: Some(overload.into()),
        ..node("leaky", &[input], output)
    };
    let mut given = call("", "b", "c");
    given.attribute.push(alpha(0.75, "slope").encode_to_vec().into());
    let mut file = model(&[call("", "image", "a"), call("2", "a", "b"), given], &[], ANY);
    file.functions =
        [function("", 0.25), function("2", 0.5)].map(|f| f.encode_to_vec().into()).to_vec();
    let graph = read_model(&file).unwrap().graph;
    let slopes = ["a", "b", "c"].map(|name| match graph.node(graph.find(name).unwrap()).op {
        Op::Unary(graph::Unary::LeakyRelu { alpha }) => alpha,
        ref op => panic!("{op:?}"),
    });
    assert_eq!(slopes, [0.25, 0.5, 0.75]);
}
