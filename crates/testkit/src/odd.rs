//! Networks of operations with odd attributes, as no exporter writes them but a file may have them.

use graph::{
    AveragePool, Graph, GraphBuilder, Lrn, MaxPool, NodeId, Op, Padding, Rounding, Shape, Size,
    SpaceToDepth, Window,
};

use crate::Random;

/// No activation is larger: the reference takes its time.
const MOST_VALUES: usize = 40_000;

/// A graph of every operation with odd attributes, for images of `size`: strides beyond the window, wide
/// windows, uneven padding, dilation, groups, values joined or added with themselves and with the image.
pub fn odd_graph(random: &mut Random, size: Size) -> Graph {
    let mut builder = GraphBuilder::new("image", 3);
    let mut ends = vec![(builder.input(), Shape::new(3, size.height, size.width))];
    for index in 0..random.range(2, 9) {
        let (op, inputs) = loop {
            let (op, inputs) = operation(random, &ends);
            let shapes: Vec<Shape> = inputs.iter().map(|&input| ends[input].1).collect();
            if let Ok(Some(shape)) = op.output_shape(&shapes)
                && (1..MOST_VALUES).contains(&shape.len())
            {
                break (op, (inputs, shape));
            }
        };
        let (inputs, shape) = inputs;
        let ids: Vec<NodeId> = inputs.iter().map(|&input| ends[input].0).collect();
        ends.push((builder.add(format!("layer{index}"), op, &ids), shape));
    }
    builder.finish()
}

/// An operation on some of the `ends`, which may not fit them.
fn operation(random: &mut Random, ends: &[(NodeId, Shape)]) -> (Op, Vec<usize>) {
    let input = random.range(0, ends.len() - 1);
    let shape = ends[input].1;
    let channels = shape.channels;
    let alike = |random: &mut Random, alike: &dyn Fn(&Shape) -> bool| -> Vec<usize> {
        let all: Vec<usize> = (0..ends.len()).filter(|&end| alike(&ends[end].1)).collect();
        (0..random.range(1, 4)).map(|_| all[random.range(0, all.len() - 1)]).collect()
    };
    let op = match random.range(0, 18) {
        0..=3 => {
            let divisors: Vec<usize> =
                (1..=channels).filter(|n| channels.is_multiple_of(*n)).collect();
            let groups = divisors[random.range(0, divisors.len() - 1)];
            let groups = if random.range(0, 1) == 0 { 1 } else { groups };
            let outs = groups * random.range(1, 1 + 40 / groups.min(40));
            let window = window(random, 8);
            random.conv(window, channels, outs, groups)
        }
        4 => {
            let window = window(random, 5);
            random.conv(window, channels, channels, channels)
        }
        5 => Op::Relu,
        6 => Op::MaxPool(MaxPool { window: window(random, 5) }),
        7 => Op::MaxPool(MaxPool { window: window(random, 30) }),
        8 => {
            let count_padding = random.range(0, 1) == 1;
            Op::AveragePool(AveragePool { window: window(random, 20), count_padding })
        }
        9 => {
            let (alpha, beta) = (0.2 * random.value().abs(), 0.25 + 0.5 * random.value().abs());
            Op::Lrn(Lrn {
                size: random.range(1, 12),
                alpha,
                beta,
                bias: 1.0 + random.value().abs(),
            })
        }
        10 => random.affine(channels),
        11 => {
            let parts = alike(random, &|other| other.size() == shape.size());
            return (Op::Concat, parts);
        }
        12 => {
            let parts = alike(random, &|other| *other == shape);
            return (Op::Add, parts);
        }
        13 => random.select_channels(channels),
        14 => {
            let (outs, groups) = (random.range(1, 20), [1, channels][random.range(0, 1)]);
            random.conv_transpose(channels, outs * groups, groups)
        }
        15 => match random.depth_to_space() {
            shuffle if channels.is_multiple_of(shuffle.pixels()) => Op::DepthToSpace(shuffle),
            shuffle => Op::SpaceToDepth(SpaceToDepth(shuffle)),
        },
        16 => random.pad(),
        17 => [Random::crop, Random::resize][random.range(0, 1)](random),
        _ => match random.range(0, 2) {
            0 => [Op::GlobalAveragePool, Op::GlobalMaxPool][random.range(0, 1)].clone(),
            1 => Op::Softmax,
            _ if shape.len() < 4000 => {
                let outs = random.range(1, 40);
                random.dense(shape, outs)
            }
            _ => Op::Relu,
        },
    };
    (op, vec![input])
}

/// Any window of up to `most` elements a side. No window lies wholly beside what it slides over.
fn window(random: &mut Random, most: usize) -> Window {
    let mut pair = |low: usize, high: usize| [random.range(low, high), random.range(low, high)];
    let kernel = pair(1, most);
    let dilation = if most <= 8 { pair(1, 3) } else { [1, 1] };
    let stride = match pair(0, 3)[0] {
        0 => pair(1, 12),
        _ => pair(1, 3),
    };
    let below = |random: &mut Random, axis: usize| random.range(0, kernel[axis] - 1);
    let padding = match random.range(0, 2) {
        0 => Padding::Same,
        1 => Padding::VALID,
        _ => Padding::Explicit {
            top: below(random, 0),
            bottom: below(random, 0),
            left: below(random, 1),
            right: below(random, 1),
        },
    };
    let rounding = [Rounding::Floor, Rounding::Ceil][random.range(0, 1)];
    Window { kernel, stride, dilation, padding, rounding }
}
