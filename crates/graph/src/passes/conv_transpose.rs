//! Transposed convolutions become convolutions, which every backend has.
//!
//! Outputs whose positions leave the same rest when divided by the stride are a convolution of stride 1 (Shi
//! et al. 2016, "Is the deconvolution layer the same as a convolutional layer?"). All rests are channels of one
//! convolution, and its channels then become pixels.

use std::sync::Arc;

use super::{Rewriter, Rewritten};
use crate::{
    BlockOrder, Conv2d, ConvTranspose2d, Crop, Cut, DepthToSpace, Graph, NodeId, Op, Padding,
    Weights, Window,
};

/// Each transposed convolution as a convolution of stride 1, whose channels become pixels, of which some may
/// be cropped. The last of these has its name.
pub fn expand_conv_transpose(graph: &Graph, targets: &[NodeId]) -> Rewritten {
    let mut rewriter = Rewriter::new(graph);
    for (index, node) in graph.nodes().iter().enumerate() {
        let id = NodeId(index);
        match &node.op {
            _ if rewriter.has(id) => {}
            Op::ConvTranspose2d(conv) => rewriter.expand(id, expanded(conv), node),
            op => rewriter.replace(&[id], &node.name, op.clone(), &node.inputs),
        }
    }
    rewriter.finish(targets)
}

/// A transposed convolution along one axis: output `stride · q + rest` is the sum over `t` of input
/// `q + first + t` times the kernel's element `rest + before − stride · (first + t)`.
#[derive(Clone, Copy)]
struct Axis {
    stride: usize,
    dilation: usize,
    reach: isize,
    before: isize,
    first: isize,
    elements: usize,
    /// Padding after the input.
    padding: usize,
    cut: Cut,
}

impl Axis {
    fn new(conv: &ConvTranspose2d, axis: usize) -> Self {
        let reach = conv.reached(axis).expect("a kernel that fits the address space") as isize;
        let (stride, left_out) = (conv.stride[axis] as isize, conv.before[axis] as isize);
        let elements = |before: isize| {
            let first = -(reach - 1 - before).div_euclid(stride);
            (first, (stride - 1 + before).div_euclid(stride) - first + 1)
        };
        // As few elements as can be, and then as little to crop.
        let all = 0..=left_out.min(reach - 1);
        let before = all.min_by_key(|&before| (elements(before).1, -before)).unwrap_or(0);
        let (first, count) = elements(before);
        // By how much the wanted outputs are more than `stride · (inputs − 1)`, and positions than inputs.
        let wanted = reach - before - conv.after[axis];
        let needed = (wanted - 1).div_euclid(stride);
        // Elements of weight 0, so that no position lies wholly in the padding.
        let beside = (needed + first).max(0);
        let (first, count) = (first - beside, count + beside);
        let padding = (needed + first + count - 1).max(0);
        let excess = (padding - first - count + 2) * stride - wanted;
        Self {
            stride: conv.stride[axis],
            dilation: conv.dilation[axis],
            reach,
            before,
            first,
            elements: count as usize,
            padding: padding as usize,
            cut: Cut {
                start: (left_out - before) as i64,
                end: if excess == 0 { i64::MAX } else { -(excess as i64) },
                step: 1,
            },
        }
    }

    /// The kernel's element of a rest and an element, if it has that.
    fn element(&self, rest: usize, element: usize) -> Option<usize> {
        let step = self.stride as isize * (self.first + element as isize);
        let distance = rest as isize + self.before - step;
        let inside = (0..self.reach).contains(&distance);
        (inside && (distance as usize).is_multiple_of(self.dilation))
            .then_some(distance as usize / self.dilation)
    }
}

/// The operations that a transposed convolution is made of, one after the other.
fn expanded(conv: &ConvTranspose2d) -> Vec<Op> {
    let axes = [Axis::new(conv, 0), Axis::new(conv, 1)];
    let each = |value: fn(&Axis) -> usize| [value(&axes[0]), value(&axes[1])];
    let block = each(|axis| axis.stride);
    let before = each(|axis| axis.first.unsigned_abs());
    let after = each(|axis| axis.padding);
    let padding =
        Padding::Explicit { top: before[0], bottom: after[0], left: before[1], right: after[1] };
    let pixels = block[0] * block[1];
    let order = order(conv);
    let bias: Arc<[f32]> = match order {
        BlockOrder::PixelsFirst => conv.bias.repeat(pixels).into(),
        BlockOrder::ChannelsFirst => {
            conv.bias.iter().flat_map(|&bias| vec![bias; pixels]).collect()
        }
    };
    let mut ops = vec![Op::Conv2d(Conv2d {
        window: Window::new(each(|axis| axis.elements), [1, 1]).padded(padding),
        out_channels: conv.out_channels * pixels,
        in_channels: conv.in_channels / conv.groups,
        groups: conv.groups,
        weights: weights(conv, axes),
        bias,
    })];
    if pixels > 1 {
        ops.push(Op::DepthToSpace(DepthToSpace { block, order }));
    }
    let crop = Crop { rows: axes[0].cut, columns: axes[1].cut };
    if crop != (Crop { rows: Cut::ALL, columns: Cut::ALL }) {
        ops.push(Op::Crop(crop));
    }
    ops
}

/// All channels of a pixel lie together, which moves them at once, unless groups want all pixels of a channel.
fn order(conv: &ConvTranspose2d) -> BlockOrder {
    if conv.groups == 1 { BlockOrder::PixelsFirst } else { BlockOrder::ChannelsFirst }
}

/// The weights of the convolution, for each output channel with each pixel of the stride.
fn weights(conv: &ConvTranspose2d, axes: [Axis; 2]) -> Weights {
    let (ins, outs) = (conv.in_channels / conv.groups, conv.out_channels / conv.groups);
    let (out_channels, [high, wide]) = (conv.out_channels, conv.kernel);
    let [rows, columns] = axes;
    let area = rows.elements * columns.elements;
    let len = out_channels * rows.stride * columns.stride * ins * area;
    let (pixels, order) = (rows.stride * columns.stride, order(conv));
    let arrange = move |from: &[f32]| {
        let mut weights = Vec::with_capacity(len);
        for output in 0..out_channels * pixels {
            let (o, pixel) = match order {
                BlockOrder::PixelsFirst => (output % out_channels, output / out_channels),
                BlockOrder::ChannelsFirst => (output / pixels, output % pixels),
            };
            for i in 0..ins {
                let kernel = ((o / outs * ins + i) * outs + o % outs) * high * wide;
                for element in 0..area {
                    let row = rows.element(pixel / columns.stride, element / columns.elements);
                    let column =
                        columns.element(pixel % columns.stride, element % columns.elements);
                    let weight = row.zip(column).map(|(row, column)| row * wide + column);
                    weights.push(weight.map_or(0.0, |weight| from[kernel + weight]));
                }
            }
        }
        weights
    };
    conv.weights.clone().map(len, arrange)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, GraphBuilder, Shape};

    /// What `ops`, one after the other, make of `data`; `None` where nothing is left of it.
    fn run(ops: &[Op], mut shape: Shape, data: &[f64]) -> Option<(Shape, Vec<f64>)> {
        let mut data = data.to_vec();
        for op in ops {
            let output = op.output_shape(&[shape]).unwrap().filter(|shape| !shape.is_empty())?;
            data = op.forward(&[Activation { shape, data: &data }], output);
            shape = output;
        }
        Some((shape, data))
    }

    /// Along one axis, with small whole numbers, so that nothing is rounded.
    fn conv(
        kernel: usize,
        stride: usize,
        dilation: usize,
        before: usize,
        after: isize,
        groups: usize,
    ) -> Op {
        Op::ConvTranspose2d(ConvTranspose2d {
            kernel: [1, kernel],
            stride: [1, stride],
            dilation: [1, dilation],
            before: [0, before],
            after: [0, after],
            out_channels: 4,
            in_channels: 2,
            groups,
            weights: (0..8 / groups * kernel).map(|i| (i * i % 13) as f32 - 5.0).collect(),
            bias: [1.0, 2.0, 3.0, 4.0].into(),
        })
    }

    #[test]
    fn every_transposed_convolution_is_what_it_is_made_of() {
        let (shape, data) =
            (Shape::new(2, 1, 5), [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0]);
        for case in 0..4 * 4 * 2 * 6 * 8 {
            let (kernel, stride, dilation) = (1 + case % 4, 1 + case / 4 % 4, 1 + case / 16 % 2);
            let (before, after) = (case / 32 % 6, (case / 192) as isize - 4);
            let op = conv(kernel, stride, dilation, before, after, 1 + case % 2);
            let Op::ConvTranspose2d(transposed) = &op else { unreachable!() };
            let found = run(&expanded(transposed), shape, &data);
            assert_eq!(found, run(std::slice::from_ref(&op), shape, &data), "{op:?}");
        }
    }

    #[test]
    fn the_last_part_has_the_name() {
        let mut builder = GraphBuilder::new("image", 2);
        let up = builder.add("up", conv(3, 2, 1, 0, 0, 2), &[builder.input()]);
        let relu = builder.add("relu", Op::Relu, &[up]);
        let Rewritten { graph, targets } = expand_conv_transpose(&builder.finish(), &[up, relu]);
        assert_eq!(graph.node(targets[1]).inputs, [targets[0]]);
        assert_eq!(graph.find("up").unwrap(), targets[0]);
        assert!(matches!(graph.node(targets[0]).op, Op::Crop(_)));
    }
}
