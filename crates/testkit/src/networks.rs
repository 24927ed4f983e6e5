//! Generated networks.

use graph::{
    AveragePool, ChannelOrder, Graph, GraphBuilder, InputSpec, Lrn, MaxPool, Network, NodeId, Op,
    Padding, Shape, Unary, Window,
};

use crate::Random;

/// A network around a graph.
pub fn network(graph: Graph) -> Network {
    Network {
        name: "generated".into(),
        hash: String::new(),
        graph,
        input: InputSpec {
            order: ChannelOrder::Bgr,
            mean: [104.0, 117.0, 123.0],
            scale: [0.01, 0.02, 0.015],
        },
        labels: Vec::new(),
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

/// A square window with TensorFlow's padding.
pub(crate) fn same(size: usize, stride: usize) -> Window {
    Window::new([size; 2], [stride; 2]).padded(Padding::Same)
}

/// The first layers and one mixed layer of an Inception, `second` channels wide in its second branch.
pub fn inception(random: &mut Random, second: usize) -> Graph {
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

/// What [`inception`] makes, with a ReLU that ends behind its mixed layer, and both joined.
pub(crate) fn with_clips(graph: &Graph, random: &mut Random) -> Graph {
    let mut b = GraphBuilder::new(&*graph.node(graph.input()).name, graph.input_channels());
    for node in &graph.nodes()[1..] {
        b.add(&*node.name, node.op.clone(), &node.inputs);
    }
    let mixed = b.find("mixed").expect("an inception");
    let channels = graph.layers().iter().find(|layer| layer.name == "mixed").map(|it| it.channels);
    let conv = random.conv(same(1, 1), channels.expect("an inception"), 21, 1);
    let conv = b.add("relu6/pre_relu", conv, &[mixed]);
    let clip = b.add("relu6", Op::Unary(Unary::Clip { min: 0.0, max: 0.5 }), &[conv]);
    b.add("mixed with relu6", Op::Concat, &[clip, mixed]);
    b.finish()
}

/// A graph of random layers that branch and join.
pub fn random_graph(random: &mut Random) -> Graph {
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
            4 => {
                let clip = Op::Unary(Unary::Clip { min: 0.0, max: 0.5 });
                let activations = [Op::Relu, clip, Op::Unary(Unary::Silu)];
                same_size(&mut b, activations[random.range(0, 2)].clone())
            }
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

/// Every function of single values, some with other parameters than usual.
pub fn unary_ops() -> Vec<Unary> {
    vec![
        Unary::Sigmoid,
        Unary::HardSigmoid { alpha: 0.2, beta: 0.5 },
        Unary::HardSigmoid { alpha: 1.5, beta: -0.25 },
        Unary::HardSwish,
        Unary::Silu,
        Unary::Gelu,
        Unary::GeluTanh,
        Unary::Softplus,
        Unary::Mish,
        Unary::Erf,
        Unary::Tanh,
        Unary::Clip { min: 0.0, max: 6.0 },
        Unary::Clip { min: 0.0, max: 0.5 },
        Unary::Clip { min: -0.25, max: 0.5 },
        Unary::Clip { min: f32::NEG_INFINITY, max: 0.25 },
        Unary::LeakyRelu { alpha: 0.1 },
        Unary::Elu { alpha: 1.25 },
        Unary::Sqrt,
        Unary::Pow { exponent: 2.0 },
        Unary::Pow { exponent: 3.0 },
        Unary::Pow { exponent: 0.5 },
        Unary::Pow { exponent: -0.5 },
        Unary::Pow { exponent: 1.25 },
    ]
}
