//! Numbers that small graphs give: of what is written as several operations here, and of whole numbers.

use graph::{InputSpec, Network, Shape, Tensor, reference};

use super::*;

/// What a layer gives for a picture of 2 × 2 whose values are 0, 1, 2 and so on, less 5.
fn given(nodes: &[NodeProto], weights: &[TensorProto], sizes: [i64; 4]) -> Vec<f32> {
    let Read { graph, stated, usual, .. } = read_model(&model(nodes, weights, sizes)).unwrap();
    let last = graph.find_target(&nodes.last().unwrap().output[0]).unwrap();
    let mut picture = Tensor::zeros(Shape::new(3, 2, 2));
    picture.data.iter_mut().zip(-5i16..).for_each(|(x, value)| *x = value.into());
    let (name, hash, labels) = (String::new(), String::new(), Vec::new());
    let plain = InputSpec { order: usual.order, ..InputSpec::default() };
    let network = Network { name, hash, graph, input: stated.unwrap_or(plain), labels };
    reference::forward::<f64>(&network, &[last], &picture).unwrap().activation(last).data.to_vec()
}

fn bytes(name: &str, kind: i32, dims: &[i64], values: &[i32]) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: dims.to_vec(),
        data_type: Some(kind),
        int32_data: values.to_vec(),
        ..TensorProto::default()
    }
}

const UINT8: i32 = 2;
const INT8: i32 = 3;

#[test]
fn the_larger_of_two_values_and_of_channels() {
    let relu = node("Neg", &["image"], "less");
    for (op, wanted) in [("Max", 5.0), ("Min", -5.0)] {
        let found = given(&[relu.clone(), node(op, &["image", "less"], "y")], &[], ANY);
        assert_eq!(found[0], wanted);
        let all = (-5i16..7).map(f32::from).map(|x| if op == "Max" { x.abs() } else { -x.abs() });
        assert!(found.iter().copied().eq(all), "{found:?}");
    }
    let relu = node("Relu", &["image"], "x");
    let largest = with_integers(node("ReduceMax", &["x"], "y"), "axes", &[1]);
    assert_eq!(given(&[relu, largest], &[], ANY), [3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn lengths_are_those_of_vectors_and_of_what_the_file_is_made_for() {
    let same = node("Neg", &["image"], "x");
    let along =
        |op: &str, axes: &[i64]| [same.clone(), with_integers(node(op, &["x"], "y"), "axes", axes)];
    let squares = [25.0f32 + 1.0 + 9.0, 16.0 + 16.0, 9.0 + 1.0 + 25.0, 4.0 + 4.0 + 36.0];
    let found = given(&along("ReduceSumSquare", &[1]), &[], ANY);
    assert!(found.iter().zip(squares).all(|(a, b)| (a - b).abs() < 1e-4), "{found:?}");
    let found = given(&along("ReduceL2", &[1]), &[], ANY);
    assert!(found.iter().zip(squares).all(|(a, b)| (a - b.sqrt()).abs() < 1e-4), "{found:?}");
    let found = given(&along("ReduceL2", &[2, 3]), &[], [1, 3, 2, 2]);
    let squares = [25.0f32 + 16.0 + 9.0 + 4.0, 1.0 + 0.0 + 1.0 + 4.0, 9.0 + 16.0 + 25.0 + 36.0];
    assert!(found.iter().zip(squares).all(|(a, b)| (a - b.sqrt()).abs() < 1e-4), "{found:?}");
    // Of any size there is no such number.
    let length = with_integers(node("ReduceL2", &["x"], "y"), "axes", &[2, 3]);
    let graph = read_nodes(&[node("Relu", &["image"], "x"), length], &[]).unwrap().graph;
    assert!(graph.find_target("x").is_ok() && graph.find_target("y").is_err());
}

#[test]
fn what_is_rounded_and_back_is_only_bound() {
    let weights = [floats("scale", &[], &[0.25]), bytes("zero", UINT8, &[], &[8])];
    let there = node("QuantizeLinear", &["image", "scale", "zero"], "whole");
    let pool = with_integers(node("MaxPool", &["whole"], "pooled"), "kernel_shape", &[1, 1]);
    let back = node("DequantizeLinear", &["pooled", "scale", "zero"], "y");
    let nodes = [there.clone(), pool, back];
    let found = given(&nodes, &weights, ANY);
    let all = (-5i16..7).map(f32::from).map(|x| x.max(-2.0));
    assert!(found.iter().copied().eq(all), "{found:?}");
    // Another scale than the values were rounded by.
    let other = [&weights[..], &[floats("other", &[], &[0.5])]].concat();
    let back = node("DequantizeLinear", &["whole", "other", "zero"], "y");
    let graph = read_nodes(&[there.clone(), back], &other).unwrap().graph;
    assert!(graph.find_target("y").is_err());
    // No other operation is done to whole numbers.
    let graph = read_nodes(&[there, node("Relu", &["whole"], "y")], &weights).unwrap().graph;
    let error = graph.find_target("y").unwrap_err().to_string();
    assert!(error.contains("Relu of whole numbers; use the network without"), "{error}");
}

#[test]
fn weights_stay_rounded() {
    let weights = [
        floats("w", &[2, 3, 1, 1], &[0.26, 0.0, 0.0, 0.0, 100.0, -0.9]),
        floats("scales", &[2], &[0.5, 0.25]),
        bytes("zeros", INT8, &[2], &[0, 0]),
    ];
    let inputs = &["w", "scales", "zeros"];
    let whole = with_integer(node("QuantizeLinear", inputs, "whole"), "axis", 0);
    let inputs = &["whole", "scales", "zeros"];
    let back = with_integer(node("DequantizeLinear", inputs, "back"), "axis", 0);
    let nodes = [whole, back, node("Conv", &["image", "back"], "y")];
    let found = given(&nodes, &weights, ANY);
    // 0.26 is nearer to 0.5 than to 0, 100 is too large, and −0.9 is nearer to −1 than to −0.75.
    let (first, second, third) = (-5.0f32, -1.0f32, 3.0f32);
    assert_eq!(found[0], 0.5 * first);
    assert_eq!(found[4], 127.0 * 0.25 * second - third);
}

#[test]
fn convolutions_of_whole_numbers_are_those_of_what_they_stand_for() {
    let weights = [
        floats("scale", &[], &[0.25]),
        bytes("zero", UINT8, &[], &[128]),
        bytes("w", INT8, &[1, 3, 1, 1], &[2, -4, 6]),
        floats("of_w", &[1], &[0.5]),
        bytes("zero_w", INT8, &[1], &[0]),
        floats("to", &[], &[0.125]),
        bytes("at", UINT8, &[], &[0]),
        bytes("bias", 6, &[1], &[16]),
    ];
    let inputs = ["whole", "scale", "zero", "w", "of_w", "zero_w", "to", "at", "bias"];
    let nodes = [
        node("QuantizeLinear", &["image", "scale", "zero"], "whole"),
        node("QLinearConv", &inputs, "conv"),
        node("DequantizeLinear", &["conv", "to", "at"], "y"),
    ];
    let found = given(&nodes, &weights, ANY);
    // 1, −2 and 3, and a bias of 16 · 0.25 · 0.5, from 0 on.
    let value = |at: i16| {
        let [a, b, c] = [0, 4, 8].map(|plane| f32::from(at + plane - 5));
        (a - 2.0 * b + 3.0 * c + 2.0).clamp(0.0, 255.0 * 0.125)
    };
    assert!(found.iter().copied().eq((0..4).map(value)), "{found:?}");
}

#[test]
fn channels_are_taken_by_numbers_along_several_axes() {
    let weights =
        [whole("flat", &[3]), TensorProto { dims: vec![1, 3, 1, 1], ..whole("at", &[2, 0, 1]) }];
    let nodes = [
        node("GlobalAveragePool", &["image"], "mean"),
        node("Reshape", &["mean", "flat"], "row"),
        node("Gather", &["row", "at"], "again"),
        node("Mul", &["image", "again"], "y"),
    ];
    let found = given(&nodes, &weights, ANY);
    assert_eq!((found[0], found[11]), (-5.0 * 4.5, 6.0 * 0.5));
}

#[test]
fn what_is_rounded_by_the_picture_itself_is_not_rounded_here() {
    let weights = [
        bytes("w", UINT8, &[1, 3, 1, 1], &[130, 126, 128]),
        bytes("zero_w", UINT8, &[], &[128]),
        floats("of_w", &[], &[0.5]),
    ];
    let mut rounds = node("DynamicQuantizeLinear", &["image"], "whole");
    rounds.output.extend(["scale".into(), "zero".into()]);
    let nodes = [
        rounds,
        node("ConvInteger", &["whole", "w", "zero", "zero_w"], "conv"),
        with_integer(node("Cast", &["conv"], "cast"), "to", 1),
        node("Mul", &["scale", "of_w"], "scales"),
        node("Mul", &["cast", "scales"], "y"),
    ];
    // The first colour less the second, of which each value is 4 more.
    assert_eq!(given(&nodes, &weights, ANY), [-4.0; 4]);
}

#[test]
fn constants_are_bound_as_they_are_computed() {
    let weights = [
        floats("w", &[3, 1, 1], &[-3.0, 0.5, 9.0]),
        floats("least", &[], &[0.0]),
        floats("most", &[], &[2.0]),
    ];
    let sum = |bound: &[&str]| {
        let relu = node("Relu", &["image"], "x");
        given(
            &[relu, node("Clip", bound, "bound"), node("Add", &["x", "bound"], "y")],
            &weights,
            ANY,
        )
    };
    let found = sum(&["w", "least", "most"]);
    assert_eq!([found[0], found[4], found[8]], [0.0, 0.5, 5.0]);
    assert_eq!(sum(&["w", "", "most"])[0], -3.0);
}

#[test]
fn weights_that_are_normalised_as_a_batch_are_weights() {
    let weights = [
        floats("w", &[1, 3, 2], &[0.0, 4.0, 3.0, 3.0, -1.0, 1.0]),
        floats("scale", &[3], &[2.0, 1.0, 0.5]),
        floats("shift", &[3], &[0.0, 7.0, 1.0]),
        floats("mean", &[3], &[9.0; 3]),
        floats("variance", &[3], &[0.25, 4.0, 16.0]),
        whole("map", &[1, 3, 2, 1]),
    ];
    let sum = |training: i64| {
        let inputs = ["w", "scale", "shift", "mean", "variance"];
        let norm =
            with_integer(node("BatchNormalization", &inputs, "norm"), "training_mode", training);
        let nodes = [
            node("Relu", &["image"], "x"),
            norm,
            node("Reshape", &["norm", "map"], "plane"),
            with_integers(node("ReduceMean", &["plane"], "means"), "axes", &[2]),
            node("Mul", &["x", "means"], "y"),
        ];
        given(&nodes, &weights, ANY)
    };
    // Of the weights themselves, whose means are 2, 3 and 0, and then of the numbers that are given.
    let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-4, "{a} for {b}");
    let found = sum(1);
    near(found[7], 2.0 * 7.0);
    near(found[11], 6.0);
    let found = sum(0);
    near(found[7], 2.0 * ((3.0 - 9.0) / 2.0 + 7.0));
    near(found[11], 6.0 * (0.5 * (0.0 - 9.0) / 4.0 + 1.0));
}

#[test]
fn one_group_is_all_channels_and_positions() {
    let weights = [
        whole("flat", &[0, 1, -1]),
        whole("map", &[0, 3, 2, 2]),
        floats("one", &[1], &[1.0]),
        floats("none", &[1], &[0.0]),
    ];
    let nodes = [
        node("Reshape", &["image", "flat"], "row"),
        node("InstanceNormalization", &["row", "one", "none"], "norm"),
        node("Reshape", &["norm", "map"], "y"),
    ];
    let found = given(&nodes, &weights, [1, 3, 2, 2]);
    let variance = (-5i16..7).map(|x| (f32::from(x) - 0.5).powi(2)).sum::<f32>() / 12.0;
    let all = (-5i16..7).map(|x| (f32::from(x) - 0.5) / (variance + 1e-5).sqrt());
    assert!(found.iter().zip(all).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}");
}

#[test]
fn what_was_trained_for_each_place_of_a_map_is_added_there() {
    let values: Vec<f32> = (0u8..12).map(|value| f32::from(value) * 0.25).collect();
    let less = node("Relu", &["image"], "x");
    let all = |at: i16, value: f32| f32::from(at - 5).max(0.0) + value;
    let found = given(
        &[less.clone(), node("Add", &["x", "w"], "y")],
        &[floats("w", &[1, 3, 2, 2], &values)],
        [1, 3, 2, 2],
    );
    assert!(
        found.iter().copied().eq((0..12).zip(&values).map(|(at, value)| all(at, *value))),
        "{found:?}"
    );
    // With the channels last.
    let last = with_integers(node("Transpose", &["x"], "last"), "perm", &[0, 2, 3, 1]);
    let back = with_integers(node("Transpose", &["sum"], "y"), "perm", &[0, 3, 1, 2]);
    let nodes = [less, last, node("Add", &["last", "w"], "sum"), back];
    let found = given(&nodes, &[floats("w", &[1, 2, 2, 3], &values)], [1, 3, 2, 2]);
    let value = |at: usize| values[at % 4 * 3 + at / 4];
    assert!(
        found.iter().copied().eq((0i16..12).map(|at| all(at, value(at as usize)))),
        "{found:?}"
    );
}

#[test]
fn fewer_keys_than_queries_make_no_larger_step() {
    // As networks have them whose keys are those of a smaller map, block after block.
    let weights = [
        floats("w", &[3, 3, 8, 8], &[0.01; 576]),
        whole("flat", &[0, 3, -1]),
        whole("map", &[0, 3, 64, 64]),
    ];
    let mut nodes = vec![node("Neg", &["image"], "x0")];
    for block in 0..8 {
        let name = |what: &str| format!("{what}{block}");
        let turned = |from: &str, to: &str| {
            with_integers(node("Transpose", &[from], to), "perm", &[0, 2, 1])
        };
        let (x, y) = (name("x"), format!("x{}", block + 1));
        nodes.push(with_integers(node("Conv", &[&x, "w"], &name("less")), "strides", &[8, 8]));
        nodes.push(node("Reshape", &[&x, "flat"], &name("q")));
        nodes.push(turned(&name("q"), &name("queries")));
        nodes.push(node("Reshape", &[&name("less"), "flat"], &name("keys")));
        nodes.push(node("MatMul", &[&name("queries"), &name("keys")], &name("scores")));
        nodes.push(node("Softmax", &[&name("scores")], &name("weights")));
        nodes.push(turned(&name("keys"), &name("values")));
        nodes.push(node("MatMul", &[&name("weights"), &name("values")], &name("mean")));
        nodes.push(turned(&name("mean"), &name("rows")));
        nodes.push(node("Reshape", &[&name("rows"), "map"], &y));
    }
    let graph = read_model(&model(&nodes, &weights, [1, 3, 64, 64])).unwrap().graph;
    let last = graph.layers().into_iter().next_back().unwrap();
    assert_eq!(last.stride, 1, "{last:?}");
}

#[test]
fn a_list_of_channels_is_taken_as_newer_exporters_write_it() {
    let list = TensorProto { dims: vec![3, 1], ..whole("list", &[2, 1, 0]) };
    let turned =
        |from: &str, to: &str| with_integers(node("Transpose", &[from], to), "perm", &[1, 0, 2, 3]);
    // On the way into the network, and within it.
    for begins in [true, false] {
        let first = if begins { "Identity" } else { "Relu" };
        let nodes = [
            node(first, &["image"], "x"),
            turned("x", "first"),
            node("GatherND", &["first", "list"], "taken"),
            turned("taken", "back"),
            node("Relu", &["back"], "y"),
        ];
        let found = given(&nodes, std::slice::from_ref(&list), ANY);
        assert_eq!(found, [3.0, 4.0, 5.0, 6.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    }
}

#[test]
fn operations_of_whole_numbers_are_those_of_what_they_stand_for() {
    let weights = [
        floats("scale", &[], &[0.25]),
        bytes("zero", UINT8, &[], &[128]),
        floats("half", &[], &[0.5]),
        bytes("low", UINT8, &[], &[4]),
        bytes("ten", UINT8, &[], &[138]),
        bytes("w", INT8, &[3, 2], &[2, 0, 0, 4, -2, 0]),
        floats("columns", &[2], &[0.5, 0.25]),
        bytes("none", INT8, &[2], &[0, 0]),
        whole("bias", &[8, 16]),
        whole("row", &[1, 3]),
    ];
    let there = || node("QuantizeLinear", &["image", "scale", "zero"], "x");
    let of = |mut operation: NodeProto, runtime: bool| {
        operation.domain = runtime.then(|| "com.microsoft".into());
        let back = node("DequantizeLinear", &["z", "half", "low"], "y");
        given(&[there(), operation, back], &weights, [1, 3, 2, 2])
    };
    let x = ["x", "scale", "zero"];
    let within = |x: f32| x.max(-2.0);
    let picture: Vec<f32> = (-5i16..7).map(f32::from).collect();
    let each = |f: &dyn Fn(f32) -> f32| picture.iter().map(|&x| within(f(x))).collect::<Vec<_>>();
    let with_bounds = |first: &[&'static str]| [first, &["half", "low"]].concat();

    let twice = [x, x].concat();
    let found = of(node("QLinearMul", &with_bounds(&twice), "z"), true);
    assert_eq!(found, each(&|x| x * x));
    let number = [&x[..], &["ten", "scale", "zero"]].concat();
    let found = of(node("QLinearMul", &with_bounds(&number), "z"), true);
    assert_eq!(found, each(&|x| 2.5 * x));
    let found = of(node("QLinearAdd", &with_bounds(&twice), "z"), true);
    assert_eq!(found, each(&|x| 2.0 * x));
    let joined = [&["half", "low"], &twice[..]].concat();
    let found = of(with_integer(node("QLinearConcat", &joined, "z"), "axis", 1), true);
    assert_eq!(found, [each(&|x| x), each(&|x| x)].concat());
    let found = of(node("QLinearGlobalAveragePool", &with_bounds(&x), "z"), true);
    assert_eq!(found, [-3.5f32, 0.5, 4.5].map(within));
    let pool =
        with_integers(node("QLinearAveragePool", &with_bounds(&x), "z"), "kernel_shape", &[1, 2]);
    assert_eq!(of(pool, true), [-4.5f32, -2.5, -0.5, 1.5, 3.5, 5.5].map(within));
    let leaky = with(
        node("QLinearLeakyRelu", &with_bounds(&x), "z"),
        AttributeProto { name: Some("alpha".into()), f: Some(0.25), ..AttributeProto::default() },
    );
    assert_eq!(of(leaky, true), each(&|x| if x < 0.0 { x / 4.0 } else { x }));

    // The head: means of −3.5, 0.5 and 4.5, bounded by nothing here.
    let mean = |head: NodeProto| {
        let mut mean = node("QLinearGlobalAveragePool", &[&x[..], &x[1..]].concat(), "mean");
        mean.domain = Some("com.microsoft".into());
        let flat = node("Reshape", &["mean", "row"], "flat");
        let back = node("DequantizeLinear", &["z", "half", "low"], "y");
        given(&[there(), mean, flat, head, back], &weights, [1, 3, 2, 2])
    };
    let product = ["flat", "scale", "zero", "w", "columns", "none", "half", "low"];
    assert_eq!(mean(node("QLinearMatMul", &product, "z")), [-2.0, 0.5]);
    let head = ["flat", "scale", "zero", "w", "columns", "none", "bias", "half", "low"];
    let mut head = node("QGemm", &head, "z");
    head.domain = Some("com.microsoft".into());
    // The bias is in steps of 0.125 and 0.0625.
    assert_eq!(mean(head), [-2.0, 0.5 + 1.0]);

    // With channels last, or scales that differ.
    let last =
        with_integer(node("QLinearGlobalAveragePool", &with_bounds(&x), "z"), "channels_last", 1);
    let refused = |mut operation: NodeProto| {
        operation.domain = Some("com.microsoft".into());
        let graph = read_nodes(&[there(), operation], &weights).unwrap().graph;
        graph.find_target("z").unwrap_err().to_string()
    };
    assert!(refused(last).contains("QLinearGlobalAveragePool with weights of such a kind"));
}
