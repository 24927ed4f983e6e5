//! What becomes of the picture and of each operation that is made of others.

use graph::{ChannelOrder, InputSpec, Network, Tensor, reference};

use super::*;

/// What the network wants for input, with these steps between the placeholder of `sizes` and `conv`, which
/// reads `last`.
fn entered(sizes: &[i64], last: &str, steps: Vec<NodeDef>) -> InputSpec {
    let mut nodes = small();
    let sizes = AttrValue { shape: Some(shape(sizes)), ..Default::default() };
    nodes[5] = with(node("input", "Placeholder", &[]), "shape", sizes);
    nodes[2].input[0] = last.into();
    nodes.extend(steps);
    let read = crate::tensorflow::read(&encode(&nodes).into()).unwrap();
    read.graph.find_target("relu").unwrap();
    let names: Vec<String> = read.graph.layers().into_iter().map(|layer| layer.name).collect();
    assert_eq!(names, ["conv", "bias_add", "relu"], "what comes before the network is no layer");
    read.input.unwrap_or_default()
}

#[test]
fn what_comes_before_the_network_becomes_its_input_statistics() {
    let float = || AttrValue { r#type: Some(DataType::Float.into()), ..Default::default() };
    let maps = &[-1, -1, -1, 3];
    let spec = entered(
        &[-1, -1, 3],
        "scaled",
        vec![
            with(node("float", "Cast", &["input"]), "DstT", float()),
            integers("front", &[], &[0]),
            node("batch", "ExpandDims", &["float", "front"]),
            integers("size", &[2], &[299, 299]),
            node("resized", "ResizeBilinear", &["batch", "size"]),
            constant("mean", &[], &[128.0]),
            node("centred", "Sub", &["resized", "mean"]),
            constant("factor", &[], &[0.0078125]),
            node("scaled", "Mul", &["factor", "centred"]),
        ],
    );
    assert_eq!((spec.mean, spec.scale), ([128.0; 3], [0.0078125; 3]));
    assert_eq!(spec.order, ChannelOrder::Rgb);

    let spec = entered(
        maps,
        "less",
        vec![
            constant("divisor", &[], &[127.5]),
            node("divided", "RealDiv", &["input", "divisor"]),
            constant("one", &[], &[1.0]),
            node("less", "Sub", &["divided", "one"]),
        ],
    );
    assert_eq!((spec.mean, spec.scale), ([127.5; 3], [1.0 / 127.5; 3]));

    let caffes = || constant("means", &[3], &[-104.0, -117.0, -123.0]);
    let bgr = (ChannelOrder::Bgr, [104.0, 117.0, 123.0]);
    let ellipsis = node("reversed", "StridedSlice", &["input", "begin", "begin", "strides"]);
    let ellipsis = with(with(ellipsis, "ellipsis_mask", integer(1)), "begin_mask", integer(2));
    let spec = entered(
        maps,
        "minus",
        vec![
            integers("begin", &[2], &[0, 0]),
            integers("strides", &[2], &[1, -1]),
            with(ellipsis, "end_mask", integer(2)),
            caffes(),
            node("minus", "BiasAdd", &["reversed", "means"]),
        ],
    );
    assert_eq!((spec.order, spec.mean), bgr);

    let spec = entered(
        maps,
        "joined",
        vec![
            integers("axis", &[], &[3]),
            with(node("colours", "Split", &["axis", "input"]), "num_split", integer(3)),
            constant("red", &[], &[123.0]),
            constant("green", &[], &[117.0]),
            constant("blue", &[], &[104.0]),
            node("reds", "Sub", &["colours", "red"]),
            node("greens", "Sub", &["colours:1", "green"]),
            node("blues", "Sub", &["colours:2", "blue"]),
            node("joined", "ConcatV2", &["blues", "greens", "reds", "axis"]),
        ],
    );
    assert_eq!((spec.order, spec.mean), bgr);
}

#[test]
fn a_picture_used_in_two_ways_gives_both() {
    let mut nodes = small();
    nodes.extend([
        constant("half", &[], &[0.5]),
        node("dark", "Mul", &["input", "half"]),
        conv("other", &["dark", "w"]),
    ]);
    let read = crate::tensorflow::read(&encode(&nodes).into()).unwrap();
    let (hash, labels) = (String::new(), Vec::new());
    let input = read.input.unwrap_or_default();
    let network = Network { name: String::new(), hash, graph: read.graph, input, labels };
    let targets = ["conv", "other"].map(|name| network.graph.find_target(name).unwrap());
    let picture = Tensor { shape: graph::Shape::new(3, 1, 1), data: vec![10.0, 20.0, 30.0].into() };
    let run = reference::forward::<f64>(&network, &targets, &picture).unwrap();
    let values = targets.map(|target| run.activation(target).data[0]);
    assert_eq!(values, [60.0, 30.0]);
}

/// The channels of `conv`'s output for a picture whose channels come first, and those of a matrix over all
/// of it, with the weights that TensorFlow has for it.
#[test]
fn pictures_with_their_channels_first_are_read() {
    let format = || AttrValue { s: Some(Bytes::from_static(b"NCHW")), ..AttrValue::default() };
    let sizes = AttrValue { shape: Some(shape(&[-1, 3, -1, -1])), ..Default::default() };
    let mut nodes = small();
    nodes[5] = with(node("input", "Placeholder", &[]), "shape", sizes);
    let refusal = refused(&nodes);
    assert!(
        refusal.contains("channels last (NHWC) of a picture with channels first (NCHW)"),
        "{refusal}"
    );
    nodes[2] = with(nodes[2].clone(), "data_format", format());
    nodes[1] = with(nodes[1].clone(), "data_format", format());
    let mut matrix = vec![0.0; 8];
    matrix[5] = 1.0;
    nodes.extend([
        integers("sizes", &[2], &[-1, 8]),
        node("flat", "Reshape", &["relu", "sizes"]),
        constant("matrix", &[8, 1], &matrix),
        node("fifth", "MatMul", &["flat", "matrix"]),
        integers("axes", &[2], &[2, 3]),
        node("mean", "Mean", &["relu", "axes"]),
        integers("order", &[4], &[0, 2, 3, 1]),
        node("turned", "Transpose", &["relu", "order"]),
        conv("last", &["turned", "w2"]),
        constant("w2", &[1, 1, 2, 1], &[1.0, 1.0]),
    ]);
    let graph = read(&nodes).unwrap();
    let (hash, labels) = (String::new(), Vec::new());
    let input = InputSpec::default();
    let network = Network { name: String::new(), hash, graph, input, labels };
    let targets = ["fifth", "mean", "last"].map(|name| network.graph.find_target(name).unwrap());
    let data = (0..12).map(|i| i as f32).collect();
    let picture = Tensor { shape: graph::Shape::new(3, 2, 2), data };
    let run = reference::forward::<f64>(&network, &targets, &picture).unwrap();
    // The channels' sums are 12, 15, 18, 21, with the biases ±0.5 in turn.
    assert_eq!(run.activation(targets[0]).data, [14.5]);
    assert_eq!(run.activation(targets[1]).data, [17.0, 16.0]);
    assert_eq!(run.activation(targets[2]).data, [24.0, 30.0, 36.0, 42.0]);
}

#[test]
fn the_picture_is_the_placeholder_that_convolutions_read() {
    let typed = |name: &str, kind: DataType| {
        let kind = AttrValue { r#type: Some(kind.into()), ..Default::default() };
        with(node(name, "Placeholder", &[]), "dtype", kind)
    };
    let mut nodes = vec![typed("phase", DataType::Bool), typed("keep", DataType::Float)];
    nodes.extend(small());
    let default = constant("one", &[], &[1.0]);
    nodes.extend([default, node("rate", "PlaceholderWithDefault", &["one"])]);
    nodes.push(node("kept", "Mul", &["relu", "rate"]));
    let graph = read(&nodes).unwrap();
    assert_eq!(graph.node(graph.input()).name, "input");
    assert!(graph.find_target("kept").is_ok());
    let mut nodes = vec![typed("keep", DataType::Float)];
    nodes.extend(small());
    nodes.extend([node("kept", "Mul", &["relu", "keep"]), conv("last", &["kept", "w2"])]);
    nodes.push(constant("w2", &[1, 1, 2, 1], &[1.0; 2]));
    let graph = read(&nodes).unwrap();
    assert_eq!(graph.node(graph.input()).name, "input", "a rate is read second");
    let wrong = vec![typed("phase", DataType::Bool), typed("labels", DataType::Int64)];
    assert!(refused(&wrong).contains("no placeholder of floating-point numbers"));
}

#[test]
fn clipped_and_leaky_rectifiers_quotients_and_bounds() {
    let mut nodes = small();
    nodes.extend([
        constant("c", &[2], &[2.0, 4.0]),
        node("quotient", "RealDiv", &["bias_add", "c"]),
        node("six", "Relu6", &["bias_add"]),
        node("leaky", "LeakyRelu", &["bias_add"]),
        node("most", "Minimum", &["bias_add", "c"]),
        node("least", "Maximum", &["c", "bias_add"]),
        node("rest", "Sub", &["c", "bias_add"]),
    ]);
    let graph = read(&nodes).unwrap();
    let (hash, labels) = (String::new(), Vec::new());
    let input = InputSpec::default();
    let network = Network { name: String::new(), hash, graph, input, labels };
    let value = |name: &str, x: f32| -> [f32; 2] {
        let target = network.graph.find_target(name).unwrap();
        let picture = Tensor { shape: graph::Shape::new(3, 1, 1), data: vec![x; 3].into() };
        let run = reference::forward::<f64>(&network, &[target], &picture).unwrap();
        run.activation(target).data.into_vec().try_into().unwrap()
    };
    // Before each, the values are 3x + 0.5 and 3x − 0.5.
    assert_eq!(value("quotient", 0.5), [1.0, 0.25]);
    assert_eq!(value("six", 2.0), [6.0, 5.5]);
    assert_eq!(value("leaky", -0.5), [-0.2, -0.4]);
    assert_eq!(value("most", 1.0), [2.0, 2.5]);
    assert_eq!(value("least", 1.0), [3.5, 4.0]);
    assert_eq!(value("rest", 1.0), [-1.5, 1.5]);
}

#[test]
fn quantised_weights_are_dequantised_by_the_formula_of_their_mode() {
    let weights = |mode: &'static [u8], kind: DataType, bytes: &'static [u8]| {
        let mut nodes = small();
        let tensor = TensorProto {
            dtype: kind.into(),
            tensor_shape: Some(shape(&[2])),
            tensor_content: Bytes::from_static(bytes),
            ..TensorProto::default()
        };
        let value = AttrValue { tensor: Some(tensor), ..Default::default() };
        let mode = AttrValue { s: Some(Bytes::from_static(mode)), ..Default::default() };
        nodes[4] = with(node("q", "Const", &[]), "value", value);
        nodes.extend([
            constant("min", &[], &[-1.0]),
            constant("max", &[], &[1.0]),
            with(node("b", "Dequantize", &["q", "min", "max"]), "mode", mode),
        ]);
        let graph = read(&nodes).unwrap();
        let node = graph.node(graph.find_target("bias_add").unwrap());
        let graph::Op::Conv2d(conv) = &node.op else { panic!("{node:?}") };
        conv.bias.to_vec()
    };
    assert_eq!(weights(b"MIN_COMBINED", DataType::Quint8, b"\x00\xff"), [-1.0, 1.0]);
    assert_eq!(weights(b"MIN_COMBINED", DataType::Qint8, b"\x80\x7f"), [-1.0, 1.0]);
    let step = 2.0 / 255.0;
    assert_eq!(weights(b"MIN_FIRST", DataType::Quint8, b"\x00\x80"), [-128.0 * step, 0.0]);
    assert_eq!(weights(b"SCALED", DataType::Qint8, b"\x7f\x81"), [1.0, -1.0]);
}

#[test]
fn a_picture_that_no_network_can_take_is_refused_at_its_node() {
    let refused = |steps: Vec<NodeDef>, last: &str| {
        let mut nodes =
            vec![node("input", "Placeholder", &[]), constant("w", &[1, 1, 3, 1], &[1.0; 3])];
        nodes.extend(steps);
        nodes.push(conv("conv", &[last, "w"]));
        super::refused(&nodes)
    };
    for (op, number) in [("Mul", 0.0), ("RealDiv", 0.0), ("Mul", f32::INFINITY), ("Sub", f32::NAN)]
    {
        let said =
            refused(vec![constant("m", &[], &[number]), node("a", op, &["input", "m"])], "a");
        assert!(
            said.starts_with("`a`: no layer") && said.contains(": the picture multiplied by 0"),
            "{said}"
        );
    }
    let order = integers("order", &[4], &[0, 2, 1, 3]);
    let said = refused(vec![order, node("t", "Transpose", &["input", "order"])], "t");
    assert!(said.starts_with("`t`: no layer") && said.contains("axes in an order"), "{said}");
    let second = vec![node("b", "Placeholder", &[]), node("s", "Add", &["input", "b"])];
    let said = refused(second, "s");
    assert!(
        said.starts_with("`b`: no layer") && said.contains(": Placeholder, a second input"),
        "{said}"
    );
    let mean = constant("m", &[1, 2, 2, 3], &[0.5; 12]);
    let said = refused(vec![mean, node("a", "Sub", &["input", "m"])], "a");
    assert!(said.contains("use the mean of each channel instead"), "{said}");
}

/// The weights that a convolution gets out of `steps`, the last of which is called `w`.
fn folded(steps: Vec<NodeDef>) -> Vec<f32> {
    let mut nodes = vec![node("input", "Placeholder", &[])];
    nodes.extend(steps);
    nodes.push(conv("conv", &["input", "w"]));
    let graph = read(&nodes).unwrap();
    let conv = graph.node(graph.find_target("conv").unwrap());
    let graph::Op::Conv2d(conv) = &conv.op else { panic!("{:?}", conv.op) };
    conv.weights.get().unwrap().to_vec()
}

#[test]
fn weights_made_of_constants_are_computed() {
    let three = || constant("x", &[3], &[1.0, 2.0, 3.0]);
    let sizes = || integers("sizes", &[4], &[1, 1, 3, 1]);
    let slice = |mask: &str, bits: i64, count: usize| {
        let row = |name: &str, value: i32| integers(name, &[count as i64], &vec![value; count]);
        let slice = node("w", "StridedSlice", &["x", "begin", "end", "step"]);
        let slice = with(with(slice, mask, integer(bits)), "end_mask", integer(!0));
        let slice = with(slice, "begin_mask", integer(!0));
        [row("begin", 0), row("end", 0), row("step", -1), slice]
    };
    let map = || constant("x", &[1, 1, 3, 1], &[1.0, 2.0, 3.0]);
    let with_map = |steps: [NodeDef; 4]| std::iter::once(map()).chain(steps).collect();
    let one = || constant("x", &[1, 1, 1, 1], &[2.0]);
    let order = integers("order", &[4], &[2, 1, 0, 3]);
    let turned = constant("x", &[3, 1, 1, 1], &[1.0, 2.0, 3.0]);
    let range = |node: NodeDef| {
        with(node, "DstT", AttrValue { r#type: Some(DataType::Float.into()), ..Default::default() })
    };
    let cases: Vec<(Vec<NodeDef>, [f32; 3])> = vec![
        (vec![sizes(), constant("x", &[], &[2.0]), node("w", "Fill", &["sizes", "x"])], [2.0; 3]),
        (vec![one(), sizes(), node("w", "BroadcastTo", &["x", "sizes"])], [2.0; 3]),
        (vec![one(), sizes(), node("w", "Tile", &["x", "sizes"])], [2.0; 3]),
        (vec![turned, order, node("w", "Transpose", &["x", "order"])], [1.0, 2.0, 3.0]),
        (with_map(slice("shrink_axis_mask", 0, 4)), [3.0, 2.0, 1.0]),
        // The last axis alone is turned.
        (with_map(slice("ellipsis_mask", 1, 2)), [1.0, 2.0, 3.0]),
        (
            vec![
                integers("a", &[], &[5]),
                integers("b", &[], &[-1]),
                integers("c", &[], &[-2]),
                node("range", "Range", &["a", "b", "c"]),
                range(node("x", "Cast", &["range"])),
                sizes(),
                node("w", "Reshape", &["x", "sizes"]),
            ],
            [5.0, 3.0, 1.0],
        ),
        (
            vec![
                three(),
                constant("min", &[], &[0.0]),
                constant("max", &[], &[2.55]),
                node("q", "FakeQuantWithMinMaxVars", &["x", "min", "max"]),
                sizes(),
                node("w", "Reshape", &["q", "sizes"]),
            ],
            [1.0, 2.0, 2.55],
        ),
    ];
    for (steps, expected) in cases {
        let op = steps.iter().map(|node| node.op.clone()).collect::<Vec<_>>();
        let weights = folded(steps);
        let close = weights.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close && weights.len() == 3, "{op:?}: {weights:?}");
    }
}

#[test]
fn the_node_that_stops_the_computing_of_weights_is_named() {
    let said = refused(&[
        node("input", "Placeholder", &[]),
        constant("x", &[1, 1, 3, 1], &[1.0; 3]),
        node("odd", "Erfinv", &["x"]),
        node("w", "Neg", &["odd"]),
        conv("conv", &["input", "w"]),
    ]);
    assert!(
        said.starts_with("`conv`") && said.contains("Conv2D of what `odd` computes by Erfinv"),
        "{said}"
    );
    let sizes = integers("sizes", &[4], &[4096, 4096, 3, 1]);
    let value = constant("x", &[], &[1.0]);
    let said = refused(&[
        node("input", "Placeholder", &[]),
        sizes,
        value,
        node("w", "Fill", &["sizes", "x"]),
        conv("conv", &["input", "w"]),
    ]);
    assert!(
        said.starts_with("`conv`") && said.contains("Conv2D of what `w` computes by Fill"),
        "{said}"
    );
}
