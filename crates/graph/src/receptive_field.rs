//! How much of the picture a layer's values depend on.

use crate::{Graph, NodeId};

impl Graph {
    /// How many of the picture's pixels along a row one value of a node depends on at the most. A mean or
    /// maximum of all positions counts as what each of these sees, since all values behind it share it. Attention
    /// compares positions with each other, so it sees more than any picture has.
    pub fn receptive_field(&self, node: NodeId) -> usize {
        let mut fields = vec![1.0f64; node.0 + 1];
        let mut strides = fields.clone();
        for (index, node) in self.nodes().iter().enumerate().take(node.0 + 1).skip(1) {
            let last = node.inputs.len().saturating_sub(1);
            // Of an input that only gives the size, no value counts.
            let (read, sizing) = match node.op.sized_by_last() {
                true => (&node.inputs[..last], &node.inputs[last..]),
                false => (&node.inputs[..], &node.inputs[..]),
            };
            let most = |of: &[f64], inputs: &[NodeId]| {
                inputs.iter().map(|input| of[input.0]).fold(0.0, f64::max)
            };
            let stride = if node.inputs.is_empty() { 1.0 } else { most(&strides, read) };
            fields[index] = most(&fields, read).max(1.0) + node.op.reach() as f64 * stride;
            strides[index] = match node.inputs.is_empty() {
                true => 1.0,
                false => most(&strides, sizing) * node.op.step(),
            };
        }
        fields[node.0].ceil() as usize
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Attention, Coordinates, CropLike, Extent, GraphBuilder, Interpolation, MaxPool, Nearest,
        Op, Padding, Resize, Window,
    };

    #[test]
    fn windows_reach_as_far_as_their_strides_carry_them() {
        let mut builder = GraphBuilder::new("data", 3);
        let pool = |kernel, stride| {
            let window = Window::new([1, kernel], [1, stride]).padded(Padding::Same);
            Op::MaxPool(MaxPool { window })
        };
        let input = builder.input();
        let first = builder.add("first", pool(7, 2), &[input]);
        let second = builder.add("second", pool(3, 2), &[first]);
        let wide = builder.add("wide", pool(5, 1), &[second]);
        let narrow = builder.add("narrow", pool(3, 1), &[second]);
        let joined = builder.add("joined", Op::Concat, &[wide, narrow]);
        let relu = builder.add("relu", Op::Relu, &[joined]);
        let mut dilated = Window::new([1, 3], [1, 1]).padded(Padding::Same);
        dilated.dilation = [1, 2];
        let last = builder.add("last", Op::MaxPool(MaxPool { window: dilated }), &[relu]);
        let graph = builder.finish();
        let field = |node| graph.receptive_field(node);
        assert_eq!([input, first, second].map(field), [1, 7, 11]);
        assert_eq!([wide, narrow, joined, relu].map(field), [27, 19, 27, 27]);
        assert_eq!(field(last), 27 + 4 * 4);
    }

    #[test]
    fn attention_sees_the_whole_picture() {
        let mut builder = GraphBuilder::new("data", 3);
        let patches = Op::MaxPool(MaxPool { window: Window::new([16, 16], [16, 16]) });
        let patches = builder.add("patches", patches, &[builder.input()]);
        let attention = Op::Attention(Attention { heads: 1, scale: 1.0 });
        let block = builder.add("block", attention, &[patches; 3]);
        let relu = builder.add("relu", Op::Relu, &[block]);
        let graph = builder.finish();
        let fields = [patches, block, relu].map(|node| graph.receptive_field(node));
        assert!(fields[0] == 16 && fields[1..].iter().all(|&field| field > 1 << 30), "{fields:?}");
    }

    #[test]
    fn what_is_enlarged_has_smaller_steps_and_what_only_gives_a_size_is_not_seen() {
        let mut builder = GraphBuilder::new("data", 3);
        let pool = |kernel, stride| {
            let window = Window::new([1, kernel], [1, stride]).padded(Padding::Same);
            Op::MaxPool(MaxPool { window })
        };
        let resize = |size, interpolation| {
            Op::Resize(Resize {
                size: [size; 2],
                coordinates: Coordinates::HalfPixel,
                interpolation,
            })
        };
        let input = builder.input();
        let small = builder.add("small", pool(4, 4), &[input]);
        let nearest = Interpolation::Nearest(Nearest::Floor);
        let twice = builder.add("twice", resize(Extent::Scale(2.0), nearest), &[small]);
        let after = builder.add("after", pool(3, 1), &[twice]);
        let wide = builder.add("wide", pool(9, 1), &[input]);
        let like = resize(Extent::OfSecond, Interpolation::Linear);
        let like = builder.add("like", like, &[small, wide]);
        let beside = builder.add("beside", pool(3, 1), &[like]);
        let cropped = Op::CropLike(CropLike { offset: [0, 0] });
        let cropped = builder.add("cropped", cropped, &[like, wide]);
        let graph = builder.finish();
        let field = |node| graph.receptive_field(node);
        assert_eq!([small, twice, after].map(field), [4, 4, 4 + 2 * 2]);
        assert_eq!([like, beside, cropped].map(field), [4 + 4, 4 + 4 + 2, 4 + 4]);
    }
}
