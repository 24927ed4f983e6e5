//! The graph in the kernels' layout: what each layer computes, and where its values lie.
//!
//! A ReLU becomes part of the convolution before it, or of the max pool behind it. A concatenation costs nothing: its inputs are written into
//! the blocks of its output. If a branch's channels are no multiple of sixteen, the joined map has holes, and a
//! list of slots says where each channel lies.

use std::collections::HashMap;
use std::sync::Arc;

use graph::{
    Affine, Attention, AveragePool, Binary, Conv2d, Dense, DepthToSpace, Graph, GroupNorm,
    LayerNorm, Lrn, MaxPool, NodeId, Op, PRelu, PositionEmbedding, Shape, Tokens, Unary,
};
use kernels::pool;

/// A value's number in [`Program::values`].
pub(super) type ValueId = usize;

/// All that is computed for some targets, independent of the picture's size.
pub(super) struct Program {
    pub(super) values: Vec<Value>,
    /// In an order in which each comes after those it reads.
    pub(super) layers: Vec<Layer>,
    /// The targets, in the caller's order.
    pub(super) targets: Vec<ValueId>,
}

/// An activation, and its gradient.
pub(super) struct Value {
    /// The node whose shape it has.
    pub(super) node: NodeId,
    /// The slot of each channel, from the value's first block on.
    pub(super) slots: Arc<[usize]>,
    /// The value whose memory it is a part of, itself if it has its own.
    pub(super) root: ValueId,
    /// Its first block there.
    pub(super) first: usize,
    /// Where the ReLU ends that it went through, if it did: infinite, as a rule. Its gradient is masked.
    pub(super) relu: Option<f32>,
    /// The values whose channels it has one after the other, if it is a join or a copy.
    pub(super) joined: Vec<ValueId>,
}

impl Value {
    /// Blocks of sixteen channels.
    pub(super) fn blocks(&self) -> usize {
        self.slots.last().map_or(0, |last| last / 16 + 1)
    }
}

/// One step from values to a value.
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) inputs: Vec<ValueId>,
    pub(super) output: ValueId,
}

/// What a layer does.
pub(super) enum Kind {
    /// A convolution, after which negative values may become zero.
    Conv(Conv2d),
    /// A fully connected layer: a convolution with a kernel of its input's size.
    Dense(Dense),
    Relu,
    MaxPool(MaxPool),
    /// A ReLU that ends there and the max pool after it, which come to the same in the other order.
    ReluMaxPool(f32, MaxPool),
    AveragePool(AveragePool),
    GlobalAveragePool,
    GlobalMaxPool,
    Lrn(Lrn),
    /// Both, with nothing between them.
    LrnMaxPool(Lrn, MaxPool),
    Add,
    Binary(Binary),
    Unary(Unary),
    PRelu(PRelu),
    ChannelMean,
    Affine(Affine),
    LayerNorm(LayerNorm),
    GroupNorm(GroupNorm),
    Softmax,
    /// Of queries, keys and values.
    Attention(Attention),
    /// All pixels in one row behind others.
    Tokens(Tokens),
    /// Values added to each pixel.
    PositionEmbedding(PositionEmbedding),
    /// The same channels in other slots.
    Copy,
    /// Chosen channels.
    Select(Arc<[usize]>),
    DepthToSpace(DepthToSpace),
    SpaceToDepth(DepthToSpace),
    /// An operation that adds up rows and columns; of a second input, it has only the size.
    Resample(Op),
}

impl Program {
    /// Lowers a `graph` of which the `targets`, all of them supported, need every node.
    pub(super) fn new(graph: &Graph, targets: &[NodeId]) -> Self {
        let mut builder = Builder {
            graph,
            targets,
            consumers: HashMap::new(),
            values: Vec::new(),
            layers: Vec::new(),
            of: HashMap::new(),
            parents: HashMap::new(),
        };
        let nodes = graph.ancestors(targets);
        for &id in &nodes {
            for &input in &graph.node(id).inputs {
                builder.consumers.entry(input).or_default().push(id);
            }
        }
        for id in nodes {
            if !builder.of.contains_key(&id) {
                builder.add(id);
            }
        }
        builder.finish()
    }
}

struct Builder<'g> {
    graph: &'g Graph,
    targets: &'g [NodeId],
    consumers: HashMap<NodeId, Vec<NodeId>>,
    values: Vec<Value>,
    layers: Vec<Layer>,
    /// The value of each node seen so far; of one that was absorbed, the value it was absorbed into.
    of: HashMap<NodeId, ValueId>,
    /// For a value inside another, that one and the first block in it.
    parents: HashMap<ValueId, (ValueId, usize)>,
}

impl Builder<'_> {
    fn add(&mut self, id: NodeId) {
        let node = self.graph.node(id);
        let inputs: Vec<ValueId> = node.inputs.iter().map(|input| self.of[input]).collect();
        let kind = match &node.op {
            Op::Input { channels } => {
                let value = self.value(id, contiguous(*channels), None);
                self.of.insert(id, value);
                return;
            }
            Op::Unsupported { .. } => unreachable!("the targets are supported"),
            Op::Conv2d(conv) => {
                self.conv(id, conv, inputs);
                return;
            }
            Op::Dense(dense) => {
                let slots = contiguous(dense.out_features);
                self.with_relu(id, Kind::Dense(dense.clone()), inputs, slots);
                return;
            }
            Op::Concat => {
                self.concat(id, inputs);
                return;
            }
            Op::Relu | Op::Unary(Unary::Clip { min: 0.0, .. }) => Kind::Relu,
            Op::MaxPool(pool) => Kind::MaxPool(*pool),
            Op::AveragePool(pool) => Kind::AveragePool(*pool),
            Op::GlobalAveragePool => Kind::GlobalAveragePool,
            Op::GlobalMaxPool => Kind::GlobalMaxPool,
            Op::Lrn(lrn) => {
                self.lrn(id, lrn, inputs[0]);
                return;
            }
            Op::Add => Kind::Add,
            Op::Binary(binary) => Kind::Binary(*binary),
            Op::Unary(unary) => Kind::Unary(*unary),
            Op::PRelu(prelu) => Kind::PRelu(prelu.clone()),
            Op::ChannelMean => Kind::ChannelMean,
            Op::Affine(affine) => Kind::Affine(affine.clone()),
            Op::LayerNorm(norm) => Kind::LayerNorm(norm.clone()),
            Op::GroupNorm(norm) => Kind::GroupNorm(norm.clone()),
            Op::Softmax => Kind::Softmax,
            Op::Pad(_) | Op::Crop(_) | Op::CropLike(_) | Op::Resize(_) => {
                let slots = self.values[inputs[0]].slots.clone();
                self.rearranged(id, Kind::Resample(node.op.clone()), inputs, slots);
                return;
            }
            Op::SelectChannels(select) => {
                let slots = contiguous(select.channels.len());
                self.rearranged(id, Kind::Select(select.channels.clone()), inputs, slots);
                return;
            }
            Op::DepthToSpace(shuffle) => {
                let slots = contiguous(self.values[inputs[0]].slots.len() / shuffle.pixels());
                self.rearranged(id, Kind::DepthToSpace(*shuffle), inputs, slots);
                return;
            }
            Op::SpaceToDepth(shuffle) => {
                let slots = contiguous(self.values[inputs[0]].slots.len() * shuffle.0.pixels());
                self.rearranged(id, Kind::SpaceToDepth(shuffle.0), inputs, slots);
                return;
            }
            Op::Attention(attention) => {
                let inputs: Vec<ValueId> =
                    inputs.into_iter().map(|input| self.without_holes(input)).collect();
                let slots = self.values[inputs[2]].slots.clone();
                self.rearranged(id, Kind::Attention(*attention), inputs, slots);
                return;
            }
            Op::Tokens(tokens) => {
                let slots = self.values[inputs[0]].slots.clone();
                self.rearranged(id, Kind::Tokens(tokens.clone()), inputs, slots);
                return;
            }
            Op::PositionEmbedding(embedding) => {
                let slots = self.values[inputs[0]].slots.clone();
                self.rearranged(id, Kind::PositionEmbedding(embedding.clone()), inputs, slots);
                return;
            }
            Op::ConvTranspose2d(_) => unreachable!("a pass has made convolutions of them"),
        };
        let channels = |input: ValueId| self.values[input].slots.len();
        let most = inputs.iter().map(|&input| channels(input)).max().unwrap_or(0);
        // One channel counts for all that the others have.
        let whole = |input: &ValueId| channels(*input) == most;
        let first = inputs.iter().copied().find(whole).unwrap_or(inputs[0]);
        let differs = |&input: &ValueId| self.values[input].slots != self.values[first].slots;
        let mixed = inputs.iter().any(differs);
        let inputs: Vec<ValueId> = if mixed || matches!(kind, Kind::Softmax) {
            inputs.into_iter().map(|input| self.without_holes(input)).collect()
        } else {
            inputs
        };
        let slots = if matches!(kind, Kind::ChannelMean) {
            contiguous(1)
        } else {
            let slots = |input: &ValueId| self.values[*input].slots.clone();
            inputs.iter().map(slots).find(|slots| slots.len() == most).expect("one has the most")
        };
        if matches!(kind, Kind::Add) {
            self.with_relu(id, kind, inputs, slots);
            return;
        }
        let output = self.value(id, slots, relu(&node.op));
        self.layers.push(Layer { name: node.name.clone(), kind, inputs, output });
        self.of.insert(id, output);
    }

    /// A layer that moves channels, rows or columns to other places.
    fn rearranged(&mut self, id: NodeId, kind: Kind, inputs: Vec<ValueId>, slots: Arc<[usize]>) {
        let output = self.value(id, slots, None);
        let name = self.graph.node(id).name.clone();
        self.layers.push(Layer { name, kind, inputs, output });
        self.of.insert(id, output);
    }

    fn value(&mut self, node: NodeId, slots: Arc<[usize]>, relu: Option<f32>) -> ValueId {
        let root = self.values.len();
        let joined = Vec::new();
        self.values.push(Value { node, slots, root, first: 0, relu, joined });
        root
    }

    /// The one node that reads `id`, if `id`'s own value is wanted by nobody else.
    fn only_consumer(&self, id: NodeId) -> Option<NodeId> {
        match self.consumers.get(&id).map(Vec::as_slice) {
            Some([one]) if !self.targets.contains(&id) => Some(*one),
            _ => None,
        }
    }

    /// A convolution and the ReLU after it.
    fn conv(&mut self, id: NodeId, conv: &Conv2d, inputs: Vec<ValueId>) {
        let depthwise = conv.in_channels == 1 && conv.out_channels == conv.groups;
        let slots = if depthwise {
            self.values[inputs[0]].slots.clone()
        } else {
            contiguous(conv.out_channels)
        };
        self.with_relu(id, Kind::Conv(conv.clone()), inputs, slots);
    }

    /// A normalisation and the max pooling after it.
    fn lrn(&mut self, id: NodeId, lrn: &Lrn, input: ValueId) {
        let input = self.without_holes(input);
        let mut name = self.graph.node(id).name.clone();
        let (mut last, mut kind) = (id, Kind::Lrn(*lrn));
        if let Some(next) = self.only_consumer(id)
            && let Op::MaxPool(max) = &self.graph.node(next).op
            && max.window.kernel[0].saturating_mul(max.window.kernel[1]) <= pool::FEW_ELEMENTS
        {
            name = format!("{name} + {}", self.graph.node(next).name);
            (last, kind) = (next, Kind::LrnMaxPool(*lrn, *max));
        }
        let output = self.value(last, self.values[input].slots.clone(), None);
        self.layers.push(Layer { name, kind, inputs: vec![input], output });
        self.of.insert(id, output);
        self.of.insert(last, output);
    }

    /// A layer, and the ReLU after it if there is one, and the max pool after that.
    fn with_relu(&mut self, id: NodeId, kind: Kind, inputs: Vec<ValueId>, slots: Arc<[usize]>) {
        let relu = self
            .only_consumer(id)
            .and_then(|next| relu(&self.graph.node(next).op).map(|most| (next, most)));
        if let Some((relu, most)) = relu
            && let Some(pool) = self.only_consumer(relu)
            && let Op::MaxPool(max) = self.graph.node(pool).op
        {
            let whole = self.value(id, slots.clone(), None);
            let output = self.value(pool, slots, None);
            let name = |id: NodeId| self.graph.node(id).name.clone();
            let (first, second) = (name(id), name(pool));
            self.layers.push(Layer { name: first, kind, inputs, output: whole });
            let kind = Kind::ReluMaxPool(most, max);
            self.layers.push(Layer { name: second, kind, inputs: vec![whole], output });
            self.of.extend([(id, whole), (relu, whole), (pool, output)]);
            return;
        }
        let last = relu.map_or(id, |(relu, _)| relu);
        let output = self.value(last, slots, relu.map(|(_, most)| most));
        let name = self.graph.node(id).name.clone();
        self.layers.push(Layer { name, kind, inputs, output });
        self.of.insert(id, output);
        self.of.insert(last, output);
    }

    fn concat(&mut self, id: NodeId, inputs: Vec<ValueId>) {
        let mut slots = Vec::new();
        let mut blocks = 0;
        let whole = self.values.len();
        self.value(id, Arc::from([]), None);
        for (place, &input) in inputs.iter().enumerate() {
            let moved = self.parents.contains_key(&input)
                || self.values[input].node == self.graph.input()
                || inputs[..place].contains(&input);
            let input = if moved {
                let slots = self.values[input].slots.clone();
                self.copy(input, slots)
            } else {
                input
            };
            self.parents.insert(input, (whole, blocks));
            self.values[whole].joined.push(input);
            slots.extend(self.values[input].slots.iter().map(|slot| 16 * blocks + slot));
            blocks += self.values[input].blocks();
        }
        self.values[whole].slots = slots.into();
        self.of.insert(id, whole);
    }

    /// `value` itself, or a copy whose channels lie one after the other.
    fn without_holes(&mut self, value: ValueId) -> ValueId {
        let slots = &self.values[value].slots;
        if slots.iter().enumerate().all(|(channel, &slot)| channel == slot) {
            return value;
        }
        let slots = contiguous(slots.len());
        self.copy(value, slots)
    }

    fn copy(&mut self, from: ValueId, slots: Arc<[usize]>) -> ValueId {
        let node = self.values[from].node;
        let output = self.value(node, slots, None);
        self.values[output].joined.push(from);
        let name = self.graph.node(node).name.clone();
        self.layers.push(Layer { name, kind: Kind::Copy, inputs: vec![from], output });
        output
    }

    fn finish(mut self) -> Program {
        for value in 0..self.values.len() {
            let (mut root, mut first) = (value, 0);
            while let Some((parent, offset)) = self.parents.get(&root) {
                first += offset;
                root = *parent;
            }
            self.values[value].root = root;
            self.values[value].first = first;
        }
        Program {
            targets: self.targets.iter().map(|target| self.of[target]).collect(),
            values: self.values,
            layers: self.layers,
        }
    }
}

/// Where a ReLU ends, if the operation is one.
fn relu(op: &Op) -> Option<f32> {
    match *op {
        Op::Relu => Some(f32::INFINITY),
        Op::Unary(Unary::Clip { min: 0.0, max }) => Some(max),
        _ => None,
    }
}

fn contiguous(channels: usize) -> Arc<[usize]> {
    (0..channels).collect()
}

impl Program {
    /// Bytes of the lists of channels.
    pub(super) fn bytes(&self) -> u64 {
        let mut lists: Vec<&Arc<[usize]>> = self.values.iter().map(|value| &value.slots).collect();
        lists.sort_by_key(|list| list.as_ptr());
        lists.dedup_by_key(|list| list.as_ptr());
        lists.iter().map(|list| size_of_val(&list[..]) as u64).sum()
    }

    /// The value in which a channel of `value` was rectified, if it was, and its slot there.
    pub(super) fn rectified(
        &self,
        mut value: ValueId,
        mut channel: usize,
    ) -> Option<(ValueId, usize)> {
        while self.values[value].relu.is_none() {
            let mut joined = self.values[value].joined.iter();
            value = *joined.find(|&&part| {
                let channels = self.values[part].slots.len();
                let there = channel < channels;
                channel -= if there { 0 } else { channels };
                there
            })?;
        }
        Some((value, self.values[value].slots[channel]))
    }

    /// A value's shape, by its node's.
    pub(super) fn shape(&self, value: ValueId, shapes: &[Option<Shape>]) -> Shape {
        shapes[self.values[value].node.index()].expect("every value's node is needed")
    }
}
