//! The engine gives what the reference gives, for generated networks of every operation, at every CPU
//! level, and the same bytes with any number of threads.

use std::sync::Arc;

use cpu::*;
use graph::*;
use kernels::{Context, CpuLevel, Threads};
use testkit::{Random, error, network};

/// Relative L2 error of an activation after a few layers.
const ACTIVATION: f64 = 1e-5;
/// Relative L2 error of a picture's gradient where no ReLU or maximum was decided otherwise.
const GRADIENT: f64 = 1e-4;

/// Runs `network` to `targets` at every level and compares with the reference in `f64`.
fn check(network: &Network, targets: &[NodeId], size: [usize; 2], random: &mut Random) {
    let picture = random.picture(size[0], size[1]);
    let run = reference::forward::<f64>(network, targets, &picture).unwrap();
    let shapes: Vec<Shape> = targets.iter().map(|&target| run.shape(target)).collect();
    let given: Vec<Tensor> = shapes.iter().map(|&shape| random.tensor(shape)).collect();
    let own: Vec<Tensor> = targets.iter().map(|&target| run.activation(target)).collect();
    let weighted: Vec<Tensor> = own
        .iter()
        .map(|tensor| Tensor {
            data: tensor.data.iter().map(|x| 0.5 * x).collect(),
            ..tensor.clone()
        })
        .collect();
    let truth = |seeds: &[Tensor]| {
        let seeds: Vec<(NodeId, &Tensor)> = targets.iter().copied().zip(seeds).collect();
        reference::backward(network, &run, &seeds)
    };
    let (from_given, from_own) = (truth(&given), truth(&weighted));
    for level in CpuLevel::available() {
        let mut first: Option<(Tensor, Tensor)> = None;
        for count in [1, 2] {
            let threads = Threads::new(count).unwrap();
            let backend = Cpu::new(Context::new(threads, level));
            let executable = backend.compile(network, targets).unwrap();
            let mut session = executable.session(Size::new(size[0], size[1])).unwrap();
            let mut gradient = Tensor::zeros(picture.shape);
            // Twice, since the second run finds the first one's values in its memory.
            for round in 0..2 {
                session.forward(&picture).unwrap();
                for (index, own) in own.iter().enumerate() {
                    let got = error(&session.activation(index).unwrap().data, &own.data);
                    assert!(got < ACTIVATION, "{level}, round {round}, target {index}: {got:e}");
                    let square: f64 = own.data.iter().map(|&x| 0.5 * f64::from(x).powi(2)).sum();
                    let got = session.half_sum_squares(index).unwrap();
                    assert!((got - square).abs() <= 1e-4 * square, "{got} against {square}");
                }
                let outputs: Vec<_> = given.iter().map(OutputGradient::Gradient).collect();
                session.backward(&outputs, &mut gradient).unwrap();
                let got = error(&gradient.data, &from_given.data);
                assert!(got < GRADIENT, "{level}, round {round}, given seeds: {got:e}");
            }
            let other = gradient.clone();
            session.forward(&picture).unwrap();
            let outputs = vec![OutputGradient::Activation { weight: 0.5 }; targets.len()];
            session.backward(&outputs, &mut gradient).unwrap();
            let got = error(&gradient.data, &from_own.data);
            assert!(got < GRADIENT, "{level}, own activation: {got:e}");
            match &first {
                Some(first) => assert!(*first == (other, gradient), "threads change the result"),
                None => first = Some((other, gradient)),
            }
        }
    }
}

/// Adds a convolution with a ReLU.
fn conv_relu(
    builder: &mut GraphBuilder,
    random: &mut Random,
    name: &str,
    input: NodeId,
    (window, ins, outs): (Window, usize, usize),
) -> NodeId {
    let conv = random.conv(window, ins, outs, 1);
    let conv = builder.add(format!("{name}/pre_relu"), conv, &[input]);
    builder.add(name, Op::Relu, &[conv])
}

fn same(size: usize, stride: usize) -> Window {
    Window::new([size; 2], [stride; 2]).padded(Padding::Same)
}

/// The first layers and one mixed layer of an Inception, `second` channels wide in its second branch.
fn inception(random: &mut Random, second: usize) -> Graph {
    let mut b = GraphBuilder::new("input", 3);
    let x = b.input();
    let x = conv_relu(&mut b, random, "conv0", x, (same(7, 2), 3, 24));
    let mut window = same(3, 2);
    let x = b.add("pool0", Op::MaxPool(MaxPool { window }), &[x]);
    let lrn = Lrn { size: 11, alpha: 0.01, beta: 0.5, bias: 2.0 };
    let x = b.add("norm0", Op::Lrn(lrn), &[x]);
    window.stride = [1, 1];
    let one = conv_relu(&mut b, random, "mixed/1x1", x, (same(1, 1), 24, 20));
    let reduce = conv_relu(&mut b, random, "mixed/3x3_reduce", x, (same(1, 1), 24, 10));
    let three = conv_relu(&mut b, random, "mixed/3x3", reduce, (same(3, 1), 10, second));
    let reduce = conv_relu(&mut b, random, "mixed/5x5_reduce", x, (same(1, 1), 24, 5));
    let five = conv_relu(&mut b, random, "mixed/5x5", reduce, (same(5, 1), 5, 17));
    let pool = b.add("mixed/pool", Op::MaxPool(MaxPool { window }), &[x]);
    let pool = conv_relu(&mut b, random, "mixed/pool_proj", pool, (same(1, 1), 24, 8));
    let mixed = b.add("mixed", Op::Concat, &[one, three, five, pool]);
    let next = conv_relu(&mut b, random, "next", mixed, (same(1, 1), 45 + second, 33));
    let average = b.add("average", Op::GlobalAveragePool, &[next]);
    let dense = random.dense(Shape::new(33, 1, 1), 12);
    let dense = b.add("dense", dense, &[average]);
    b.add("softmax", Op::Softmax, &[dense]);
    b.finish()
}

#[test]
fn inception_agrees_with_the_reference_at_every_kind_of_layer() {
    let mut random = Random(21);
    for (second, size) in [(16, [41, 38]), (13, [34, 47])] {
        let network = network(inception(&mut random, second));
        let find = |name: &str| network.graph.find_target(name).unwrap();
        for layer in ["conv0/pre_relu", "norm0", "mixed/pool", "mixed", "next", "softmax"] {
            check(&network, &[find(layer)], size, &mut random);
        }
        check(&network, &[find("mixed"), find("mixed/3x3"), find("conv0")], size, &mut random);
    }
}

/// A graph of random layers that branch and join.
fn random_graph(random: &mut Random) -> Graph {
    let mut b = GraphBuilder::new("input", 3);
    let mut ends = vec![(b.input(), 3, 1)];
    for index in 0..random.range(4, 9) {
        let (x, channels, stride) = ends[random.range(0, ends.len() - 1)];
        let name = format!("layer{index}");
        let same_size = |b: &mut GraphBuilder, op: Op| (b.add(&name, op, &[x]), channels, stride);
        let end = match random.range(0, 9) {
            0 | 1 => {
                let window =
                    same(random.range(1, 5), if stride < 4 { random.range(1, 2) } else { 1 });
                let outs = random.range(3, 40);
                let conv = random.conv(window, channels, outs, 1);
                (b.add(&name, conv, &[x]), outs, stride * window.stride[0])
            }
            2 => {
                let conv = random.conv(same(3, 1), channels, channels, channels);
                same_size(&mut b, conv)
            }
            3 => {
                let mut window = same(3, 1);
                window.dilation = [2, 1];
                let conv = random.conv(window, channels, 19, 1);
                (b.add(&name, conv, &[x]), 19, stride)
            }
            4 => same_size(&mut b, Op::Relu),
            5 => {
                let affine = random.affine(channels);
                same_size(&mut b, affine)
            }
            6 => {
                let pool =
                    AveragePool { window: same(3, 1), count_padding: random.range(0, 1) == 1 };
                same_size(&mut b, Op::AveragePool(pool))
            }
            7 => same_size(&mut b, Op::Lrn(Lrn { size: 5, alpha: 0.1, beta: 0.6, bias: 1.0 })),
            8 => {
                let like = |end: &&(NodeId, usize, usize)| end.2 == stride;
                let parts: Vec<_> = ends.iter().filter(like).copied().collect();
                let ids: Vec<NodeId> = parts.iter().map(|part| part.0).collect();
                let total = parts.iter().map(|part| part.1).sum();
                (b.add(&name, Op::Concat, &ids), total, stride)
            }
            _ => {
                let like = |end: &&(NodeId, usize, usize)| (end.1, end.2) == (channels, stride);
                let ids: Vec<NodeId> = ends.iter().filter(like).map(|end| end.0).collect();
                (b.add(&name, Op::Add, &ids), channels, stride)
            }
        };
        ends.push(end);
    }
    b.finish()
}

#[test]
fn random_graphs_agree_with_the_reference() {
    let mut random = Random(22);
    for _ in 0..25 {
        let network = network(random_graph(&mut random));
        let layers = network.graph.layers();
        let last = network.graph.find_target(&layers[layers.len() - 1].name).unwrap();
        let middle = network.graph.find_target(&layers[layers.len() / 2].name).unwrap();
        let size = [random.range(17, 33), random.range(17, 33)];
        check(&network, &[last], size, &mut random);
        check(&network, &[middle, last], size, &mut random);
    }
}

#[test]
fn a_shift_is_a_roll_of_the_picture() {
    let mut random = Random(23);
    let network = network(inception(&mut random, 13));
    let target = network.graph.find_target("mixed").unwrap();
    let cx = Context::new(Threads::new(1).unwrap(), CpuLevel::Scalar);
    let executable = Arc::new(CpuExecutable::new(&network, &[target], cx).unwrap());
    let ([height, width], [down, right]) = ([33, 29], [7, 21]);
    let picture = random.picture(height, width);
    let mut rolled = Tensor::zeros(picture.shape);
    let roll = |i: usize| {
        let (c, y, x) = (i / (height * width), i / width % height, i % width);
        (c * height + (y + down) % height) * width + (x + right) % width
    };
    (0..picture.data.len()).for_each(|i| rolled.data[roll(i)] = picture.data[i]);

    let mut session = executable.cpu_session(Size::new(height, width)).unwrap();
    let outputs = [OutputGradient::Activation { weight: 1.0 }];
    let (mut plain, mut shifted) = (Tensor::zeros(picture.shape), Tensor::zeros(picture.shape));
    session.forward(&rolled).unwrap();
    session.backward(&outputs, &mut plain).unwrap();
    session.set_shift([down + height, right]);
    session.forward(&picture).unwrap();
    session.backward(&outputs, &mut shifted).unwrap();
    assert!((0..picture.data.len()).all(|i| shifted.data[i] == plain.data[roll(i)]));
}

#[test]
fn memory_is_what_a_session_takes_and_grows_with_the_picture() {
    let network = network(inception(&mut Random(24), 13));
    let target = network.graph.find_target("next").unwrap();
    let cx = Context::new(Threads::new(1).unwrap(), CpuLevel::Scalar);
    let executable = Arc::new(CpuExecutable::new(&network, &[target], cx).unwrap());
    let (small, large) = (
        executable.memory(Size::new(64, 64)).unwrap(),
        executable.memory(Size::new(128, 128)).unwrap(),
    );
    assert!(small > 64 * 64 * 4 && large > 3 * small && large < 5 * small, "{small}, {large}");
    let too_small = executable.memory(Size::new(64, 0)).unwrap_err();
    assert!(matches!(too_small, GraphError::TooSmall { .. }), "{too_small}");
}

#[test]
fn choices_of_another_session_are_taken_over() {
    let random = &mut Random(26);
    let network = network(inception(random, 13));
    let target = network.graph.find_target("next").unwrap();
    let cx = Context::new(Threads::new(1).unwrap(), CpuLevel::Scalar);
    let executable = Arc::new(CpuExecutable::new(&network, &[target], cx).unwrap());
    let [one, other] = [(); 2].map(|()| random.picture(40, 44));
    let gradient = |session: &mut CpuSession| {
        let seed = Tensor {
            data: vec![1.0; session.activation(0).unwrap().data.len()],
            ..session.activation(0).unwrap()
        };
        let mut gradient = Tensor::zeros(one.shape);
        session.backward(&[OutputGradient::Gradient(&seed)], &mut gradient).unwrap();
        gradient
    };
    let mut first = Arc::clone(&executable).cpu_session(Size::new(40, 44)).unwrap();
    let mut second = Arc::clone(&executable).cpu_session(Size::new(40, 44)).unwrap();
    first.forward(&one).unwrap();
    second.forward(&one).unwrap();
    assert_eq!(second.copy_activation_pattern(&first), 0.0);
    let wanted = gradient(&mut second);
    first.forward(&other).unwrap();
    let changed = second.copy_activation_pattern(&first);
    assert!(0.0 < changed && changed < 1.0, "{changed}");
    second.forward(&one).unwrap();
    second.copy_activation_pattern(&first);
    assert_ne!(gradient(&mut second), wanted);
}
