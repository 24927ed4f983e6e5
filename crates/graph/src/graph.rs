//! The graph: named operations in an order in which each comes after its inputs.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{GraphError, Op, Shape, Weights};

/// A node's place in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

impl NodeId {
    /// The node's number, from 0, in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// An operation with its name and inputs.
#[derive(Clone, Debug)]
pub struct Node {
    /// The name the model file gives it.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// From what.
    pub inputs: Vec<NodeId>,
}

/// A network's operations. The first node is the picture; every node's inputs stand before it.
#[derive(Clone, Debug)]
pub struct Graph {
    nodes: Vec<Node>,
    names: HashMap<String, NodeId>,
}

/// A layer one can dream on, as [`Graph::layers`] lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// How many channels it has.
    pub channels: usize,
    /// How many of the picture's pixels one step along a row is.
    pub stride: usize,
    /// How many operations with weights lie between the picture and it, at the most.
    pub depth: usize,
}

/// Builds a [`Graph`] node by node.
#[derive(Debug)]
pub struct GraphBuilder {
    graph: Graph,
}

impl GraphBuilder {
    /// A graph that is only the picture, `name`d as the model file does.
    pub fn new(name: impl Into<String>, channels: usize) -> Self {
        let name = name.into();
        let names = HashMap::from([(name.clone(), NodeId(0))]);
        let nodes = vec![Node { name, op: Op::Input { channels }, inputs: Vec::new() }];
        Self { graph: Graph { nodes, names } }
    }

    /// The picture.
    pub fn input(&self) -> NodeId {
        NodeId(0)
    }

    /// Adds an operation on `inputs`. A name that was already used now means the new node.
    pub fn add(&mut self, name: impl Into<String>, op: Op, inputs: &[NodeId]) -> NodeId {
        let (id, name) = (NodeId(self.graph.nodes.len()), name.into());
        debug_assert!(inputs.iter().all(|input| input.0 < id.0));
        self.graph.names.insert(name.clone(), id);
        self.graph.nodes.push(Node { name, op, inputs: inputs.to_vec() });
        id
    }

    /// Lets `name` mean `node` too; an in-place layer's blob, a no-op, a renamed output.
    pub fn alias(&mut self, name: impl Into<String>, node: NodeId) {
        self.graph.names.insert(name.into(), node);
    }

    /// The node that `name` means so far.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.graph.names.get(name).copied()
    }

    /// The node itself.
    pub fn node(&self, id: NodeId) -> &Node {
        self.graph.node(id)
    }

    /// The finished graph.
    pub fn finish(self) -> Graph {
        self.graph
    }
}

impl Graph {
    /// Every node, the picture first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Lets a node compute something else from the same inputs.
    pub(crate) fn replace_op(&mut self, id: NodeId, op: Op) {
        self.nodes[id.0].op = op;
    }

    /// The picture.
    pub fn input(&self) -> NodeId {
        NodeId(0)
    }

    /// Channels of the picture.
    pub fn input_channels(&self) -> usize {
        match self.nodes[0].op {
            Op::Input { channels } => channels,
            _ => unreachable!("a builder starts with the picture"),
        }
    }

    /// The node that `name` means.
    ///
    /// # Errors
    /// [`GraphError::UnknownLayer`] with the names most like it.
    pub fn find(&self, name: &str) -> Result<NodeId, GraphError> {
        self.names.get(name).copied().ok_or_else(|| GraphError::UnknownLayer {
            name: name.to_owned(),
            nearest: self.nearest(name),
        })
    }

    /// The node that `name` means, if it can be dreamt on: everything it needs is supported and
    /// depends on the picture.
    ///
    /// # Errors
    /// [`GraphError::UnknownLayer`], or what [`Self::check_target`] refuses.
    pub fn find_target(&self, name: &str) -> Result<NodeId, GraphError> {
        let target = self.find(name)?;
        self.check_target(target)?;
        Ok(target)
    }

    /// Whether `target` can be dreamt on: everything it needs is supported and depends on the picture.
    ///
    /// # Errors
    /// [`GraphError::Unsupported`], [`GraphError::NoGradient`] or, for an operation's impossible parameters,
    /// [`GraphError::Shape`].
    pub fn check_target(&self, target: NodeId) -> Result<(), GraphError> {
        let layer = || self.node(target).name.clone();
        let ancestors = self.ancestors(&[target]);
        for &id in &ancestors {
            if let Op::Unsupported { kind } = &self.node(id).op {
                let (node, kind) = (self.node(id).name.clone(), kind.clone());
                return Err(GraphError::Unsupported { layer: layer(), node, kind });
            }
            self.node(id).op.check().map_err(|problem| GraphError::Shape {
                node: self.node(id).name.clone(),
                problem,
            })?;
        }
        if target == self.input() || !ancestors.contains(&self.input()) {
            return Err(GraphError::NoGradient { layer: layer() });
        }
        Ok(())
    }

    /// `targets` and all they are computed from, in order.
    pub fn ancestors(&self, targets: &[NodeId]) -> Vec<NodeId> {
        let mut needed = vec![false; self.nodes.len()];
        for target in targets {
            needed[target.0] = true;
        }
        for index in (0..self.nodes.len()).rev() {
            if needed[index] {
                for input in &self.nodes[index].inputs {
                    needed[input.0] = true;
                }
            }
        }
        (0..self.nodes.len()).filter(|index| needed[*index]).map(NodeId).collect()
    }

    /// The weights of all nodes that the targets need, to be held while they are used.
    ///
    /// # Errors
    /// [`GraphError::Weights`].
    pub fn hold_weights(&self, targets: &[NodeId]) -> Result<Vec<Arc<Vec<f32>>>, GraphError> {
        let nodes = self.ancestors(targets).into_iter().map(|id| self.node(id));
        let weights = nodes.filter_map(|node| Some((node, node.op.weights()?)));
        let hold = |(node, weights): (&Node, &Weights)| {
            weights.get().map_err(|unread| GraphError::weights(&node.name, unread))
        };
        weights.map(hold).collect()
    }

    /// The shapes of all nodes that the targets need, for a picture of `height` × `width`; `None`
    /// elsewhere.
    ///
    /// # Errors
    /// [`GraphError::TooSmall`] with the least size that fits, or [`GraphError::Shape`].
    pub fn shapes(
        &self,
        targets: &[NodeId],
        height: usize,
        width: usize,
    ) -> Result<Vec<Option<Shape>>, GraphError> {
        let needed = self.ancestors(targets);
        self.try_shapes(&needed, height, width)?.map_err(|node| {
            let layer = targets
                .iter()
                .find(|target| self.ancestors(&[**target]).contains(&node))
                .unwrap_or(&node);
            GraphError::TooSmall {
                layer: self.node(*layer).name.clone(),
                width,
                height,
                min_width: self.least(width, |least| (height.max(LARGE), least), &needed),
                min_height: self.least(height, |least| (least, width.max(LARGE)), &needed),
            }
        })
    }

    /// The node at which the picture became too small, inside the `Ok`.
    pub(crate) fn try_shapes(
        &self,
        needed: &[NodeId],
        height: usize,
        width: usize,
    ) -> Result<Result<Vec<Option<Shape>>, NodeId>, GraphError> {
        let mut shapes = vec![None; self.nodes.len()];
        for &id in needed {
            let node = self.node(id);
            shapes[id.0] = if let Op::Input { channels } = node.op {
                Some(Shape::new(channels, height, width))
            } else {
                let inputs: Vec<Shape> =
                    node.inputs.iter().filter_map(|input| shapes[input.0]).collect();
                let shape = node
                    .op
                    .output_shape(&inputs)
                    .map_err(|problem| GraphError::Shape { node: node.name.clone(), problem })?;
                match shape {
                    Some(shape) if !shape.is_empty() => Some(shape),
                    _ => return Ok(Err(id)),
                }
            };
        }
        Ok(Ok(shapes))
    }

    /// The least extent along one axis, up from `from`, for which every window fits.
    fn least(
        &self,
        from: usize,
        size: impl Fn(usize) -> (usize, usize),
        needed: &[NodeId],
    ) -> usize {
        (from..LARGE)
            .find(|&extent| {
                let (height, width) = size(extent);
                !matches!(self.try_shapes(needed, height, width), Ok(Err(_)))
            })
            .unwrap_or(LARGE)
    }

    /// Every layer one can dream on, in order.
    pub fn layers(&self) -> Vec<Layer> {
        let mut channels = vec![None; self.nodes.len()];
        let mut stride = vec![1.0f64; self.nodes.len()];
        let mut depth = vec![0; self.nodes.len()];
        channels[0] = Some(self.input_channels());
        for (index, node) in self.nodes.iter().enumerate().skip(1) {
            let inputs = || node.inputs.iter().map(|input| input.0);
            let sizing = node.op.sizing(&node.inputs).iter().map(|input| input.0);
            stride[index] = sizing.map(|input| stride[input]).fold(0.0, f64::max) * node.op.step();
            depth[index] = inputs().map(|input| depth[input]).max().unwrap_or(0);
            let known: Option<Vec<usize>> = inputs().map(|input| channels[input]).collect();
            channels[index] = known.and_then(|known| node.op.channels(&known));
            depth[index] += usize::from(node.op.weights().is_some());
        }
        let mut layers = Vec::new();
        for (index, node) in self.nodes.iter().enumerate().skip(1) {
            if let Some(channels) = channels[index]
                && self.names.get(&node.name) == Some(&NodeId(index))
            {
                let (stride, depth) = (stride[index].round().max(1.0) as usize, depth[index]);
                layers.push(Layer { name: node.name.clone(), channels, stride, depth });
            }
        }
        layers
    }

    /// The first operation that is not supported and depends on the picture, unless it is the end of a branch
    /// beside what others make of the same.
    pub fn first_unsupported(&self) -> Option<NodeId> {
        self.first_unsupported_behind(|_| true)
    }

    /// The first operation that is not supported although what it reads has rows and columns still: because
    /// of it, a network can be dreamt with in part only.
    pub fn first_unsupported_of_maps(&self) -> Option<NodeId> {
        self.first_unsupported_behind(|op| {
            !matches!(op, Op::Dense(_) | Op::GlobalAveragePool | Op::GlobalMaxPool | Op::Softmax)
        })
    }

    /// The first operation that is not supported and reads the picture through what `passes` alone.
    fn first_unsupported_behind(&self, passes: impl Fn(&Op) -> bool) -> Option<NodeId> {
        let mut readers = vec![0usize; self.nodes.len()];
        for input in self.nodes.iter().flat_map(|node| &node.inputs) {
            readers[input.0] += 1;
        }
        let mut reached = vec![false; self.nodes.len()];
        reached[0] = true;
        for (index, node) in self.nodes.iter().enumerate().skip(1) {
            let reads = node.inputs.iter().any(|input| reached[input.0]);
            if reads && matches!(node.op, Op::Unsupported { .. }) {
                let beside = node.inputs.iter().all(|input| readers[input.0] > 1);
                if readers[index] > 0 || !beside {
                    return Some(NodeId(index));
                }
            }
            reached[index] = reads && passes(&node.op);
        }
        None
    }

    /// The names most like `name`: first those that have it in them, and of these the ones that join
    /// branches, as the layers people dream on do.
    fn nearest(&self, name: &str) -> Vec<String> {
        let wanted = name.to_lowercase();
        let rank = |(candidate, id): (&'_ String, &NodeId)| {
            let has = !wanted.is_empty() && candidate.to_lowercase().contains(&wanted);
            let joins = matches!(self.node(*id).op, Op::Concat | Op::Add);
            let far = distance(&wanted, &candidate.to_lowercase());
            (!has, has && !joins, far, candidate.clone())
        };
        let names = self.names.iter().filter(|(_, id)| id.0 != 0);
        let mut ranked: Vec<_> = names.map(rank).collect();
        ranked.sort();
        let close = |far: usize| far <= 3.max(name.chars().count() / 2);
        let near =
            ranked.into_iter().take(3).filter(|(has_not, _, far, _)| !has_not || close(*far));
        near.map(|(.., name)| name).collect()
    }
}

/// An extent no network's windows exceed; bounds the search for the least one.
const LARGE: usize = 4096;

/// Edit distance: the least number of letters to insert, remove or change (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
