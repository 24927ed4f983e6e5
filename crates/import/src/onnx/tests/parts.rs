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

#[test]
fn the_branch_that_a_known_condition_chooses_takes_the_nodes_place() {
    let graph = |nodes: &[NodeProto], output: &str, weights: &[TensorProto]| {
        let output = ValueInfoProto { name: Some(output.into()), r#type: None };
        let graph = GraphProto {
            node: nodes.iter().map(|node| node.encode_to_vec().into()).collect(),
            initializer: weights.iter().map(|tensor| tensor.encode_to_vec().into()).collect(),
            output: vec![output.encode_to_vec().into()],
            ..GraphProto::default()
        };
        Some(graph.encode_to_vec().into())
    };
    let branch =
        |name: &str, g| AttributeProto { name: Some(name.into()), g, ..Default::default() };
    let choice = |condition: &str| {
        let yes = graph(
            &[node("Mul", &["relu", "two"], "twice")],
            "twice",
            &[floats("two", &[], &[2.0])],
        );
        let no = graph(&[node("Einsum", &["relu"], "strange")], "strange", &[]);
        let choice = node("If", &[condition], "chosen");
        with(with(choice, branch("then_branch", yes)), branch("else_branch", no))
    };
    let sum = || node("Add", &["chosen", "relu"], "sum");
    // The branch reads what is made after the node in the file.
    let nodes = |condition: &str| [choice(condition), node("Relu", &["image"], "relu"), sum()];
    for (holds, works) in [(1, true), (0, false)] {
        let condition = TensorProto {
            data_type: Some(9),
            int32_data: vec![holds],
            int64_data: vec![],
            dims: vec![],
            ..whole("condition", &[0])
        };
        let graph = read_nodes(&nodes("condition"), &[condition]).unwrap().graph;
        assert_eq!(graph.find_target("sum").is_ok(), works, "{holds}");
        assert!(graph.find_target("relu").is_ok());
        if works {
            assert_eq!(graph.find("chosen").unwrap(), graph.find("twice").unwrap());
        }
    }
    // One that depends on the picture.
    let computed = read_nodes(&nodes("relu"), &[]).unwrap().graph;
    let error = computed.find_target("sum").unwrap_err().to_string();
    assert!(error.contains("a branch"), "{error}");
    // Graphs inside each other without end.
    let mut deep = choice("condition");
    for _ in 0..9 {
        let inner = graph(&[deep], "chosen", &[]);
        let outer =
            with(node("If", &["condition"], "chosen"), branch("then_branch", inner.clone()));
        deep = with(outer, branch("else_branch", inner));
    }
    let error = refused(&[deep], &[]);
    assert!(error.contains("the number of graphs around it"), "{error}");
}

#[test]
fn the_largest_value_of_each_channel_is_a_pool() {
    let nodes = [
        node("Relu", &["image"], "relu"),
        node("GlobalMaxPool", &["relu"], "pool"),
        with_integers(node("ReduceMax", &["relu"], "largest"), "axes", &[2, 3]),
        with_integers(node("ReduceMax", &["relu"], "of_channels"), "axes", &[1]),
        with_integers(node("ReduceSum", &["relu"], "sum"), "axes", &[-3]),
    ];
    let graph = read_nodes(&nodes, &[]).unwrap().graph;
    for name in ["pool", "largest"] {
        assert!(matches!(graph.node(graph.find(name).unwrap()).op, Op::GlobalMaxPool), "{name}");
    }
    assert!(graph.find_target("of_channels").is_ok() && graph.find_target("sum").is_ok());
}

#[test]
fn gates_are_spread_over_the_map_that_they_weigh() {
    // As `y.expand_as(x)` is exported.
    let nodes = [
        node("Relu", &["image"], "relu"),
        node("GlobalAveragePool", &["relu"], "mean"),
        node("Sigmoid", &["mean"], "gate"),
        node("Shape", &["relu"], "shape"),
        node("Expand", &["gate", "shape"], "spread"),
        node("Concat", &["relu", "spread"], "joined"),
    ];
    let folded = whole("shape", &[1, 3, 8, 8]);
    for (sizes, weights) in [(ANY, &[][..]), ([1, 3, 8, 8], &[folded])] {
        let nodes = nodes.iter().filter(|node| weights.is_empty() || node.output != ["shape"]);
        let nodes: Vec<NodeProto> =
            nodes.map(|node| with_integer(node.clone(), "axis", 1)).collect();
        let graph = read_model(&model(&nodes, weights, sizes)).unwrap().graph;
        let joined = graph.find_target("joined").unwrap();
        let shapes = graph.shapes(&[joined], 8, 10).unwrap();
        assert_eq!(shapes[joined.index()].unwrap(), graph::Shape::new(6, 8, 10));
    }
}

#[test]
fn weights_that_are_standardised_while_the_network_runs_are_weights() {
    let nodes = [
        with_integers(node("ReduceMean", &["w"], "mean"), "axes", &[1, 2, 3]),
        node("Sub", &["w", "mean"], "centred"),
        node("Sigmoid", &["gain"], "gate"),
        node("Mul", &["centred", "gate"], "standard"),
        node("Conv", &["image", "standard"], "conv"),
    ];
    let weights = [floats("w", &[1, 3, 1, 1], &[1.0, 2.0, 6.0]), floats("gain", &[], &[0.0])];
    let graph = read_nodes(&nodes, &weights).unwrap().graph;
    match &graph.node(graph.find("conv").unwrap()).op {
        Op::Conv2d(conv) => assert_eq!(conv.weights.get().unwrap()[..], [-1.0, -0.5, 1.5]),
        op => panic!("{op:?}"),
    }
}

#[test]
fn half_of_shuffled_channels_is_taken_in_their_new_order() {
    let shuffle = with_integers(node("Transpose", &["apart"], "turned"), "perm", &[0, 2, 1, 3, 4]);
    let nodes = [
        node("Conv", &["image", "w"], "conv"),
        node("Reshape", &["conv", "split"], "apart"),
        shuffle,
        node("Reshape", &["turned", "joined"], "shuffled"),
        node("Slice", &["shuffled", "start", "end", "axis"], "half"),
        node("Relu", &["half"], "relu"),
    ];
    let weights = [
        floats("w", &[4, 3, 1, 1], &[0.5; 12]),
        whole("split", &[1, 2, 2, 8, 8]),
        whole("joined", &[1, 4, 8, 8]),
        whole("start", &[0]),
        whole("end", &[2]),
        whole("axis", &[1]),
    ];
    let graph = read_model(&model(&nodes, &weights, [1, 3, 8, 8])).unwrap().graph;
    let relu = graph.node(graph.find_target("relu").unwrap());
    let half = graph.node(relu.inputs[0]);
    let shuffled = graph.node(half.inputs[0]);
    let chosen = |op: &Op| match op {
        Op::SelectChannels(select) => select.channels.to_vec(),
        op => panic!("{op:?}"),
    };
    assert_eq!([chosen(&half.op), chosen(&shuffled.op)], [vec![0, 1], vec![0, 2, 1, 3]]);
}

#[test]
fn what_a_shape_gives_for_every_picture_is_a_number() {
    // As attention is scaled by the square root of its channels.
    let cast = with_integer(node("Cast", &["channels"], "float"), "to", 1);
    let nodes = [
        node("Relu", &["image"], "relu"),
        node("Shape", &["relu"], "shape"),
        node("Gather", &["shape", "one"], "channels"),
        cast,
        node("Sqrt", &["float"], "root"),
        node("Mul", &["relu", "root"], "scaled"),
    ];
    let one = TensorProto { dims: vec![], ..whole("one", &[1]) };
    let graph = read_nodes(&nodes, &[one]).unwrap().graph;
    match &graph.node(graph.find_target("scaled").unwrap()).op {
        Op::Affine(affine) => assert_eq!(affine.scale[..], [3f32.sqrt(); 3]),
        op => panic!("{op:?}"),
    }
}

#[test]
fn what_rounds_sizes_up_to_multiples_is_left_out() {
    let last = |name: &str, values: &[i64]| whole(name, values);
    let weights = [
        last("multiple", &[32]),
        last("less", &[31]),
        last("none", &[0, 0]),
        last("before", &[0, 0, 0, 0]),
        floats("w", &[2, 3, 3, 3], &[0.1; 54]),
    ];
    let size = with_integer(node("Shape", &["x"], "size"), "start", 2);
    let nodes = [
        node("Relu", &["image"], "x"),
        size,
        node("Add", &["size", "less"], "more"),
        node("Div", &["more", "multiple"], "count"),
        node("Mul", &["count", "multiple"], "rounded"),
        node("Sub", &["rounded", "size"], "after"),
        with_integer(node("Concat", &["before", "none", "after"], "pads"), "axis", 0),
        node("Pad", &["x", "pads"], "padded"),
        node("Conv", &["padded", "w"], "conv"),
        node("Sigmoid", &["padded"], "gate"),
    ];
    let graph = read_nodes(&nodes, &weights).unwrap().graph;
    for (layer, shape) in
        [("conv", graph::Shape::new(2, 98, 38)), ("gate", graph::Shape::new(3, 100, 40))]
    {
        let layer = graph.find_target(layer).unwrap();
        assert_eq!(graph.shapes(&[layer], 100, 40).unwrap()[layer.index()], Some(shape));
    }
}
