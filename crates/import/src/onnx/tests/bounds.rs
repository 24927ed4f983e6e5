//! Numbers that no network has: what they are in costs its own layer, and no more memory than the file has.

use super::*;

#[test]
fn windows_of_impossible_sizes_lose_their_own_layer() {
    const MOST: i64 = i64::MAX;
    let pad = |node, mode: &str| with_text(node, "auto_pad", mode);
    let weights = [floats("w", &[3, 3, 2, 2], &[0.5; 36])];
    for mode in ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"] {
        for (kernel, name, sizes) in [
            ([2, 2], "strides", [0, 0]),
            ([2, 2], "strides", [MOST, MOST]),
            ([2, 2], "dilations", [0, 1]),
            ([2, 2], "dilations", [1, MOST]),
            ([0, 2], "strides", [1, 1]),
            ([MOST, 2], "strides", [1, 1]),
        ] {
            let pool = with_integers(node("MaxPool", &["relu"], "pool"), "kernel_shape", &kernel);
            let conv = pad(with_integers(node("Conv", &["relu", "w"], "conv"), name, &sizes), mode);
            let up =
                pad(with_integers(node("ConvTranspose", &["relu", "w"], "up"), name, &sizes), mode);
            let relu = || node("Relu", &["image"], "relu");
            let graph = read_nodes(&[relu(), pad(with_integers(pool, name, &sizes), mode)], &[]);
            assert!(graph.unwrap().graph.find_target("pool").is_err(), "{mode} {name} {sizes:?}");
            let _ = read_nodes(&[relu(), conv], &weights);
            let up = with_integers(up, "output_padding", &[i64::MIN, MOST]);
            let _ =
                read_nodes(&[relu(), with_integers(up, "pads", &[MOST, 0, i64::MIN, 0])], &weights);
        }
    }
}

#[test]
fn parts_of_more_channels_than_there_are_lose_their_own_layer() {
    // Numbers whose sum wraps around to the three channels.
    let sizes = whole("sizes", &[i64::MAX, i64::MAX, 5]);
    let split = node("SplitToSequence", &["relu", "sizes"], "parts");
    let nodes = [
        node("Relu", &["image"], "relu"),
        with_integer(split, "axis", 1),
        node("SequenceAt", &["parts", "first"], "part"),
    ];
    let first = TensorProto { dims: vec![], ..whole("first", &[0]) };
    let graph = read_nodes(&nodes, &[sizes, first]).unwrap().graph;
    assert!(graph.find_target("relu").is_ok() && graph.find_target("part").is_err());
}

#[test]
fn values_of_too_many_axes_lose_their_own_layer() {
    let relu = || node("Relu", &["image"], "relu");
    let axes: Vec<i64> = (0..1000).collect();
    for (op, numbers) in [("Reshape", vec![1; 1000]), ("Unsqueeze", axes)] {
        let nodes =
            [relu(), node(op, &["relu", "numbers"], "long"), node("Relu", &["long"], "last")];
        let file = model(&nodes, &[whole("numbers", &numbers)], [1, 3, 1, 1]);
        let graph = read_model(&file).unwrap().graph;
        assert!(graph.find_target("relu").is_ok() && graph.find_target("last").is_err(), "{op}");
    }
}

#[test]
fn models_of_more_domains_than_any_has_are_refused() {
    let mut file = model(&[node("Relu", &["image"], "relu")], &[], ANY);
    let domain = |i: i32| OperatorSetIdProto { domain: Some(i.to_string()), version: Some(1) };
    file.opset_import.extend((0..256).map(|i| domain(i).encode_to_vec().into()));
    let error = read_model(&file).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("the number of domains is 257"), "{error}");
}

#[test]
fn constants_without_values_cost_nothing_however_long_their_other_axes_are() {
    let most = [1 << 40, 1 << 40];
    for dims in [[0, most[0], most[1]], [most[0], 0, most[1]], [most[0], most[1], 0]] {
        let empty = floats("empty", &dims, &[]);
        for (op, axis) in [
            ("ReduceSum", 0),
            ("Transpose", 0),
            ("Concat", 0),
            ("Gather", 0),
            ("BatchNormalization", 0),
        ] {
            let inputs: &[&str] = match op {
                "BatchNormalization" => &["empty"; 5],
                "Gather" => &["empty", "places"],
                "Concat" => &["empty"; 2],
                _ => &["empty"],
            };
            let nodes = [
                node("Relu", &["image"], "relu"),
                with_integer(node(op, inputs, "made"), "axis", axis),
            ];
            let places = whole("places", &[0, 0]);
            let graph = read_nodes(&nodes, &[empty.clone(), places]).unwrap().graph;
            assert!(graph.find_target("relu").is_ok(), "{op} of {dims:?}");
        }
    }
    // So long that nobody would wait for each of its steps.
    let nodes = [node("Relu", &["image"], "relu"), node("ReduceSum", &["empty"], "sum")];
    let graph = read_nodes(&nodes, &[floats("empty", &[most[0], 0], &[])]).unwrap().graph;
    assert!(graph.find_target("relu").is_ok());
}
