//! What layers make of a part of an image: as much as can be is what they make of the whole.

use std::ops::Range;

use graph::reference::Reference;
use graph::{
    Apart, AveragePool, Backend, Conv2d, Coordinates, Extent, GraphBuilder, InputSpec,
    Interpolation, Lrn, MaxPool, Nearest, Network, NodeId, Op, Pad, PadMode, Padding, Partial,
    Resize, Rounding, Shape, Size, Tensor, Window,
};

fn convolution(inputs: usize, outputs: usize, window: Window) -> Op {
    let elements = window.kernel[0] * window.kernel[1];
    let values = (0..outputs * inputs * elements).map(|i| ((i * 37 % 23) as f32 - 10.0) / 20.0);
    let bias = (0..outputs).map(|i| i as f32 * 0.1).collect();
    Op::Conv2d(Conv2d {
        window,
        out_channels: outputs,
        in_channels: inputs,
        groups: 1,
        weights: values.collect(),
        bias,
    })
}

/// Each kind of window, padding and rounding there is, with branches of different reach.
fn network() -> (Network, Vec<NodeId>) {
    let mut builder = GraphBuilder::new("data", 3);
    let same = |kernel, stride| Window::new(kernel, stride).padded(Padding::Same);
    let input = builder.input();
    let pad = Op::Pad(Pad { rows: [2, 2], columns: [2, 2], mode: PadMode::Reflect });
    let padded = builder.add("padded", pad, &[input]);
    let first = convolution(3, 4, Window::new([5, 5], [2, 2]));
    let first = builder.add("first", first, &[padded]);
    let relu = builder.add("relu", Op::Relu, &[first]);
    let pool = Op::MaxPool(MaxPool {
        window: Window { rounding: Rounding::Ceil, ..Window::new([3, 3], [2, 2]) },
    });
    let pool = builder.add("pool", pool, &[relu]);
    let lrn = Op::Lrn(Lrn { size: 3, alpha: 0.1, beta: 0.75, bias: 1.0 });
    let lrn = builder.add("lrn", lrn, &[pool]);
    let wide = builder.add("wide", convolution(4, 3, same([1, 7], [1, 1])), &[lrn]);
    let tall = builder.add("tall", convolution(4, 2, same([5, 1], [1, 1])), &[lrn]);
    let mean = AveragePool { window: same([3, 3], [1, 1]), count_padding: false };
    let mean = builder.add("mean", Op::AveragePool(mean), &[lrn]);
    let joined = builder.add("joined", Op::Concat, &[wide, tall, mean]);
    let last = builder.add("last", convolution(9, 4, same([3, 3], [2, 2])), &[joined]);
    let counted = Window::new([3, 3], [1, 1]).padded(Padding::symmetric(1, 1));
    let counted = Op::AveragePool(AveragePool { window: counted, count_padding: true });
    let counted = builder.add("counted", counted, &[last]);
    let resize = |interpolation| {
        let size = [Extent::Scale(2.0); 2];
        Op::Resize(Resize { size, coordinates: Coordinates::HalfPixel, interpolation })
    };
    let nearest = resize(Interpolation::Nearest(Nearest::Floor));
    let twice = builder.add("twice", nearest, &[counted]);
    let larger = builder.add("larger", resize(Interpolation::Linear), &[counted]);
    let network = Network {
        name: "parts".into(),
        hash: String::new(),
        graph: builder.finish(),
        input: InputSpec::default(),
        labels: Vec::new(),
    };
    (network, vec![joined, twice, larger])
}

fn picture(size: Size, other: usize) -> Tensor {
    let mut picture = Tensor::zeros(Shape::new(3, size.height, size.width));
    for (at, x) in picture.data.iter_mut().enumerate() {
        *x = ((at * (7919 + other) + other) % 251) as f32;
    }
    picture
}

/// A part of a picture along an axis, or what is beside it made another picture's.
fn cut(picture: &Tensor, axis: usize, part: &Range<usize>) -> Tensor {
    let Shape { height, width, .. } = picture.shape;
    let mut sides = [0..height, 0..width];
    sides[axis] = part.clone();
    let [rows, columns] = sides;
    let mut data = Vec::new();
    for c in 0..3 {
        for y in rows.clone() {
            data.extend_from_slice(&picture.channel(c)[y * width..][columns.clone()]);
        }
    }
    Tensor { shape: Shape::new(3, rows.len(), columns.len()), data: data.into() }
}

fn activations(network: &Network, targets: &[NodeId], picture: &Tensor) -> Vec<Tensor> {
    let backend = Reference::<f64>::default();
    let executable = backend.compile(network, targets).unwrap();
    let mut session = executable.session(picture.shape.size()).unwrap();
    session.forward(picture).unwrap();
    (0..targets.len()).map(|target| session.activation(target).unwrap()).collect()
}

/// All values of one position of an axis.
fn line(tensor: &Tensor, axis: usize, at: usize) -> Vec<f32> {
    let Shape { width, .. } = tensor.shape;
    let is_there = |index: &usize| {
        let (y, x) = (index % tensor.shape.plane() / width, index % width);
        [y, x][axis] == at
    };
    (0..tensor.data.len()).filter(is_there).map(|index| tensor.data[index]).collect()
}

#[test]
fn what_is_the_same_is_all_that_does_not_depend_on_the_rest() {
    let (network, targets) = network();
    let graph = &network.graph;
    for axis in [0, 1] {
        let grid = graph.grid(&targets, axis);
        assert_eq!(grid, 8);
        for side in [120, 121, 126, 127] {
            let mut sides = [29, 29];
            sides[axis] = side;
            let whole = Size::new(sides[0], sides[1]);
            let shown = picture(whole, 0);
            let all = activations(&network, &targets, &shown);
            let length = 72 + side % grid;
            for start in (0..=side - length).step_by(grid) {
                let part = start..start + length;
                let partials = graph.partials(&targets, whole, axis, &part).unwrap();
                let own = activations(&network, &targets, &cut(&shown, axis, &part));
                // The same part in another picture.
                let mut other = picture(whole, 3);
                let width = whole.width;
                for (at, x) in other.data.iter_mut().enumerate() {
                    if part.contains(&[at / width % whole.height, at % width][axis]) {
                        *x = shown.data[at];
                    }
                }
                let other = activations(&network, &targets, &other);
                for (index, Partial { first, same }) in partials.into_iter().enumerate() {
                    let (all, own, other) = (&all[index], &own[index], &other[index]);
                    let positions = [all.shape.height, all.shape.width][axis];
                    for at in 0..positions {
                        let wanted = line(all, axis, at);
                        if same.contains(&at) {
                            let found = line(own, axis, at - first);
                            assert!(found == wanted, "{index} {side} {part:?} {at}");
                        }
                        let depends = line(other, axis, at) != wanted;
                        assert_eq!(depends, !same.contains(&at), "{index} {side} {part:?} {at}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_sees_everything_or_lies_between_the_lines_is_said() {
    let (network, targets) = network();
    let partials = |part| network.graph.partials(&targets, Size::new(120, 120), 0, &part);
    assert_eq!(partials(4..76), Err(Apart::OffGrid));
    assert_eq!(partials(8..16), Err(Apart::OffGrid));
    let mut builder = GraphBuilder::new("data", 3);
    let mean = builder.add("mean", Op::GlobalAveragePool, &[builder.input()]);
    let gated = builder.add("gated", Op::Add, &[builder.input(), mean]);
    let graph = builder.finish();
    let found = graph.partials(&[gated], Size::new(20, 20), 1, &(0..10));
    assert_eq!(found, Err(Apart::Everywhere(mean)));
}

/// A file can say any stride.
#[test]
fn grids_that_meet_nowhere_are_as_far_apart_as_can_be() {
    let mut builder = GraphBuilder::new("data", 3);
    let ends = [usize::MAX / 2 + 1, 3].map(|stride| {
        let pool = Op::MaxPool(MaxPool { window: Window::new([1, 1], [stride, stride]) });
        builder.add(format!("every {stride}"), pool, &[builder.input()])
    });
    assert_eq!(builder.finish().grid(&ends, 0), usize::MAX);
}
