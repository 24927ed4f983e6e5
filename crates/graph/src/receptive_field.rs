//! How much of the picture a layer's values depend on.

use crate::{Graph, NodeId};

impl Graph {
    /// How many of the picture's pixels along a row one value of a node depends on at the most. What sees all
    /// positions at once, such as a global average, counts as one that sees what the map before it sees.
    pub fn receptive_field(&self, node: NodeId) -> usize {
        let mut fields = vec![1usize; node.0 + 1];
        let mut strides = fields.clone();
        for index in 1..=node.0 {
            let inputs = || self.nodes()[index].inputs.iter().map(|input| input.0);
            fields[index] = inputs().map(|input| fields[input]).max().unwrap_or(1);
            strides[index] = inputs().map(|input| strides[input]).max().unwrap_or(1);
            if let Some(window) = self.nodes()[index].op.window() {
                let reach = (window.kernel[1] - 1).saturating_mul(window.dilation[1]);
                fields[index] = fields[index].saturating_add(reach.saturating_mul(strides[index]));
                strides[index] = strides[index].saturating_mul(window.stride[1]);
            }
        }
        fields[node.0]
    }
}

#[cfg(test)]
mod tests {
    use crate::{GraphBuilder, MaxPool, Op, Padding, Window};

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
}
