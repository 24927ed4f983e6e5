//! What becomes of channels, rows and columns that are moved.

use graph::{Network, Shape, Tensor, reference};

use super::*;

/// A map of two channels, `conv`: the red and the green of the picture.
fn map() -> Vec<NodeDef> {
    let mut nodes = small();
    nodes[3] = constant("w", &[1, 1, 3, 2], &[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    nodes
}

/// The shape and values of a node: of one row of red 1 to 4 and green 10 to 40.
fn values_of(nodes: &[NodeDef], name: &str) -> (Shape, Vec<f32>) {
    let read = crate::tensorflow::read(&encode(nodes).into()).unwrap();
    let (hash, labels) = (String::new(), Vec::new());
    let input = read.input.unwrap_or_default();
    let network = Network { name: String::new(), hash, graph: read.graph, input, labels };
    let target = network.graph.find_target(name).unwrap();
    let data = vec![1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0, 0.0, 0.0, 0.0, 0.0];
    let picture = Tensor { shape: Shape::new(3, 1, 4), data: data.into() };
    let run = reference::forward::<f64>(&network, &[target], &picture).unwrap();
    (run.shape(target), run.activation(target).data.into_vec())
}

/// What `node`, and what it needs besides the map, make of it.
fn made(node: NodeDef, needed: Vec<NodeDef>) -> (Shape, Vec<f32>) {
    let (mut nodes, name) = (map(), node.name.clone());
    nodes.push(node);
    nodes.extend(needed);
    values_of(&nodes, &name)
}

/// Why `node` cannot be dreamt on.
fn not_made(node: NodeDef, needed: Vec<NodeDef>) -> String {
    let (mut nodes, name) = (map(), node.name.clone());
    nodes.push(node);
    nodes.extend(needed);
    read(&nodes).unwrap().find_target(&name).unwrap_err().to_string()
}

fn text(value: &'static str) -> AttrValue {
    AttrValue { s: Some(Bytes::from_static(value.as_bytes())), ..AttrValue::default() }
}

fn truth() -> AttrValue {
    AttrValue { b: Some(true), ..AttrValue::default() }
}

#[test]
fn rows_and_columns_are_added_around() {
    let pads = || integers("pads", &[4, 2], &[0, 0, 0, 0, 1, 1, 0, 0]);
    let mirror = |mode| with(node("out", "MirrorPad", &["conv", "pads"]), "mode", text(mode));
    let (shape, values) = made(mirror("REFLECT"), vec![pads()]);
    assert_eq!(shape, Shape::new(2, 1, 6));
    assert_eq!(values[..6], [2.0, 1.0, 2.0, 3.0, 4.0, 3.0]);
    let (_, values) = made(mirror("SYMMETRIC"), vec![pads()]);
    assert_eq!(values[..6], [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]);
    let (_, values) = made(node("out", "Pad", &["conv", "pads"]), vec![pads()]);
    assert_eq!(values[..6], [0.0, 1.0, 2.0, 3.0, 4.0, 0.0]);
    let padded = node("out", "PadV2", &["conv", "pads", "value"]);
    let (_, values) = made(padded, vec![pads(), constant("value", &[], &[7.0])]);
    assert_eq!(values[..6], [7.0, 1.0, 2.0, 3.0, 4.0, 7.0]);
    let pads = integers("pads", &[4, 2], &[0, 0, 0, 0, 0, 0, 1, 1]);
    let refusal = not_made(mirror("REFLECT"), vec![pads]);
    assert!(refusal.contains("MirrorPad of channels or pictures"), "{refusal}");
}

#[test]
fn maps_are_resized_to_sizes_and_to_so_many_times_their_own() {
    let size = || integers("size", &[2], &[1, 8]);
    let nearest = || node("out", "ResizeNearestNeighbor", &["conv", "size"]);
    let (shape, values) = made(nearest(), vec![size()]);
    assert_eq!(shape, Shape::new(2, 1, 8));
    assert_eq!(values[..8], [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]);
    let linear = || node("out", "ResizeBilinear", &["conv", "size"]);
    let (_, values) = made(linear(), vec![size()]);
    assert_eq!(values[..8], [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.0]);
    let (_, values) = made(with(linear(), "half_pixel_centers", truth()), vec![size()]);
    assert_eq!(values[..8], [1.0, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4.0]);

    // As Keras's upsampling: twice the rows and columns of its input.
    let limit = |name, at| integers(name, &[1], &[at]);
    let own = |of: &str| {
        vec![
            node("shape", "Shape", &[of]),
            node("own", "StridedSlice", &["shape", "begin", "end", "one"]),
            limit("begin", 1),
            limit("end", 3),
            limit("one", 1),
            integers("twice", &[2], &[2, 2]),
            node("size", "Mul", &["own", "twice"]),
        ]
    };
    let (shape, values) = made(nearest(), own("conv"));
    assert_eq!(shape, Shape::new(2, 2, 8));
    assert_eq!(values[8..16], [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]);
    let mut of_another = own("other");
    of_another.push(node("other", "Relu", &["up"]));
    of_another.push(node("up", "ResizeNearestNeighbor", &["conv", "large"]));
    of_another.push(integers("large", &[2], &[2, 5]));
    let mut same = node("out", "ResizeNearestNeighbor", &["conv", "own"]);
    let (shape, _) = made(same.clone(), of_another.clone());
    assert_eq!(shape, Shape::new(2, 2, 5));
    same.input[1] = "size".into();
    let refusal = not_made(same, of_another);
    assert!(refusal.contains("by the size of another, multiplied"), "{refusal}");
}

#[test]
fn transposed_convolutions_make_what_a_convolution_had_for_input() {
    let pairs =
        || AttrValue { list: Some(ListValue { i: vec![1, 1, 2, 1] }), ..AttrValue::default() };
    // Columns of the kernel × outputs × inputs: of red alone.
    let weights = |columns: i64, values: &[f32]| {
        let values: Vec<f32> = values.iter().flat_map(|&x| [x, 0.0]).collect();
        constant("kernel", &[1, columns, 1, 2], &values)
    };
    let up = |padding| {
        let up = node("out", "Conv2DBackpropInput", &["sizes", "kernel", "conv"]);
        with(with(up, "strides", pairs()), "padding", text(padding))
    };
    let sizes = || integers("sizes", &[4], &[1, 1, 8, 1]);
    let kernel = || weights(3, &[1.0, 10.0, 100.0]);
    let (shape, values) = made(up("SAME"), vec![sizes(), kernel()]);
    assert_eq!(shape, Shape::new(1, 1, 8));
    assert_eq!(values, [1.0, 10.0, 102.0, 20.0, 203.0, 30.0, 304.0, 40.0]);
    let (shape, values) = made(up("VALID"), vec![sizes(), kernel()]);
    assert_eq!(shape, Shape::new(1, 1, 9));
    assert_eq!(values[7..], [40.0, 400.0]);
    let (shape, values) = made(up("SAME"), vec![sizes(), weights(1, &[1.0])]);
    assert_eq!(shape, Shape::new(1, 1, 8));
    assert_eq!(values, [1.0, 0.0, 2.0, 0.0, 3.0, 0.0, 4.0, 0.0]);
}

#[test]
fn channels_and_pixels_change_over() {
    let block = |op| with(node("out", op, &["conv"]), "block_size", integer(1));
    assert_eq!(made(block("DepthToSpace"), vec![]).0, Shape::new(2, 1, 4));
    let mut nodes = map();
    // Four channels: red, green, red, green.
    nodes.push(node("four", "ConcatV2", &["conv", "conv", "axis"]));
    nodes.push(integers("axis", &[], &[3]));
    nodes.push(with(node("wide", "DepthToSpace", &["four"]), "block_size", integer(2)));
    nodes.push(with(node("deep", "SpaceToDepth", &["wide"]), "block_size", integer(2)));
    let (shape, values) = values_of(&nodes, "wide");
    assert_eq!(shape, Shape::new(1, 2, 8));
    assert_eq!(values[..4], [1.0, 10.0, 2.0, 20.0]);
    let (shape, values) = values_of(&nodes, "deep");
    assert_eq!((shape, &values[4..8]), (Shape::new(4, 1, 4), &[10.0, 20.0, 30.0, 40.0][..]));
}

#[test]
fn parts_are_taken_as_numbers_say() {
    let list = |name, values: &[i32]| integers(name, &[values.len() as i64], values);
    let slice = |begin: &[i32], size: &[i32]| {
        let out = node("out", "Slice", &["conv", "begin", "size"]);
        (out, vec![list("begin", begin), list("size", size)])
    };
    let (out, needed) = slice(&[0, 0, 1, 0], &[-1, -1, 2, 2]);
    assert_eq!(made(out, needed), (Shape::new(2, 1, 2), vec![2.0, 3.0, 20.0, 30.0]));
    let (out, needed) = slice(&[0, 0, 0, 1], &[1, 1, 4, 1]);
    assert_eq!(made(out, needed).1, [10.0, 20.0, 30.0, 40.0]);
    let (out, needed) = slice(&[0, 0, 1, 1], &[1, 1, 2, 1]);
    assert_eq!(made(out, needed), (Shape::new(1, 1, 2), vec![20.0, 30.0]));

    let strided = node("out", "StridedSlice", &["conv", "begin", "end", "step"]);
    let strided = with(with(strided, "ellipsis_mask", integer(1)), "begin_mask", integer(2));
    let strided = with(strided, "end_mask", integer(2));
    let limits = vec![list("begin", &[0, 0]), list("end", &[0, 0]), list("step", &[1, -1])];
    assert_eq!(made(strided, limits).1[..4], [10.0, 20.0, 30.0, 40.0]);
    let reverse = node("out", "ReverseV2", &["conv", "axes"]);
    assert_eq!(made(reverse, vec![list("axes", &[2])]).1[..4], [4.0, 3.0, 2.0, 1.0]);
    let gather = node("out", "GatherV2", &["conv", "which", "axis"]);
    let needed = vec![list("which", &[1, 1, 0]), integers("axis", &[], &[-1])];
    let (shape, values) = made(gather, needed);
    assert_eq!((shape.channels, values[0], values[8]), (3, 10.0, 1.0));
}

#[test]
fn splits_give_each_part_its_output() {
    let mut nodes = map();
    nodes.push(integers("axis", &[], &[3]));
    nodes.push(with(node("parts", "Split", &["axis", "conv"]), "num_split", integer(2)));
    nodes.push(node("product", "Mul", &["parts", "parts:1"]));
    assert_eq!(values_of(&nodes, "product").1, [10.0, 40.0, 90.0, 160.0]);
    assert_eq!(values_of(&nodes, "parts:1").1, [10.0, 20.0, 30.0, 40.0]);
    nodes.push(integers("sizes", &[2], &[1, -1]));
    nodes.push(node("own", "SplitV", &["conv", "sizes", "axis"]));
    nodes.push(node("less", "Sub", &["own:1", "own"]));
    assert_eq!(values_of(&nodes, "less").1, [9.0, 18.0, 27.0, 36.0]);
}

#[test]
fn splits_that_do_not_fit_lose_their_own_layer() {
    let mut nodes = map();
    // Numbers whose sum wraps around to the two channels.
    let sizes = [i64::MAX, i64::MAX, 3, 1].into_iter().flat_map(i64::to_le_bytes);
    let tensor = TensorProto {
        dtype: DataType::Int64.into(),
        tensor_shape: Some(shape(&[4])),
        tensor_content: sizes.collect::<Vec<u8>>().into(),
        ..TensorProto::default()
    };
    let value = AttrValue { tensor: Some(tensor), ..Default::default() };
    nodes.push(with(node("sizes", "Const", &[]), "value", value));
    nodes.push(integers("axis", &[], &[3]));
    nodes.push(node("own", "SplitV", &["conv", "sizes", "axis"]));
    nodes.push(with(node("odd", "Split", &["axis", "conv"]), "num_split", integer(3)));
    let graph = read(&nodes).unwrap();
    assert!(graph.find_target("conv").is_ok());
    assert!(graph.find_target("own").is_err() && graph.find_target("odd").is_err());
}

#[test]
fn the_largest_of_all_places_is_found() {
    let largest = with(node("out", "Max", &["conv", "axes"]), "keep_dims", truth());
    let (shape, values) = made(largest, vec![integers("axes", &[2], &[1, 2])]);
    assert_eq!((shape, &values[..]), (Shape::new(2, 1, 1), &[4.0, 40.0][..]));
}

#[test]
fn functions_of_single_values_are_computed() {
    let near = |op, function: fn(f32) -> f32| {
        let values = made(node("out", op, &["conv"]), vec![]).1;
        for (value, x) in values.iter().zip([1.0, 2.0, 3.0, 4.0]) {
            assert!((value - function(x)).abs() < 1e-6, "{op} of {x} is {value}");
        }
    };
    near("Sigmoid", |x| 1.0 / (1.0 + (-x).exp()));
    near("Tanh", f32::tanh);
    near("Elu", |x| x);
}

#[test]
fn constants_without_a_value_are_0() {
    // As TensorFlow writes the offset of a `Rescaling`.
    let tensor = TensorProto {
        dtype: DataType::Float.into(),
        tensor_shape: Some(shape(&[])),
        ..TensorProto::default()
    };
    let value = AttrValue { tensor: Some(tensor), ..Default::default() };
    let offset = with(node("offset", "Const", &[]), "value", value);
    let values = made(node("out", "AddV2", &["conv", "offset"]), vec![offset]).1;
    assert_eq!(values[..4], [1.0, 2.0, 3.0, 4.0]);
}
