//! What is known while a graph is read, and what builders make of a node.
//!
//! Sizes are computed twice, for a picture of the size that the file states or that is as good as any, and
//! for another: what comes out the same does not depend on the picture. A third, of odd sides, tells what only
//! seems not to, such as a size modulo 32; where it fits no layer, nothing is said of it.

use std::collections::HashMap;
use std::sync::Arc;

use graph::{InputSpec, NodeId, Op, Shape, Size};

use super::attention::Scores;
use super::form::{Form, Kind, Part};
use super::node::Node;
use super::padded::Padded;
use super::quantised::Quantised;
use super::tensor::Constant;
use crate::ImportError;
use crate::kit::{Array, Assembly, Entry, between};

/// The values that may be read and made while constants are computed from constants: so many for each
/// byte of the file, and as many more.
const FOLDED: [usize; 2] = [8, 1 << 20];

/// The most weights in all that one number each fills.
const MAX_FILLED: usize = 3 << 26;

/// What a name in the file means.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// An input that is left out.
    Nothing,
    /// The picture on its way into the network.
    Entry(Arc<Entry>),
    /// A node of the graph, and how the file lays out its values.
    Node(NodeId, Form),
    /// A constant.
    Constant(Arc<Constant>),
    /// Several values.
    Sequence(Vec<Value>),
    /// What depends on the picture's size: the constants for both sizes, and for the odd one if it has such.
    Sized([Arc<Constant>; 2], Option<Arc<Constant>>),
    /// Products of queries and keys.
    Scores(Arc<Scores>),
    /// What the file has as whole numbers.
    Quantised(Arc<Quantised>),
    /// A map with rows and columns around it, as many as the picture's size says.
    Padded(Arc<Padded>),
    /// What cannot be computed; there is an unsupported node for it.
    Unknown(NodeId),
}

impl From<Array> for Value {
    fn from(array: Array) -> Self {
        Value::Constant(Arc::new(array.into()))
    }
}

/// Sizes for both pictures, and for the odd one if there are such.
pub(super) struct Sizes {
    pub(super) both: [Vec<i64>; 2],
    pub(super) odd: Option<Vec<i64>>,
}

impl Sizes {
    pub(super) fn map(self, f: impl Fn(Vec<i64>) -> Vec<i64>) -> Self {
        Self { both: self.both.map(&f), odd: self.odd.map(&f) }
    }
}

impl From<Sizes> for Value {
    fn from(sizes: Sizes) -> Self {
        let Sizes { both: [first, second], odd } = sizes;
        if first == second && odd.as_ref().is_none_or(|odd| *odd == first) {
            return Array::integers(first).into();
        }
        let constant = |sizes| Arc::new(Array::integers(sizes).into());
        Value::Sized([first, second].map(constant), odd.map(constant))
    }
}

impl Value {
    pub(super) fn node(&self) -> Option<(NodeId, &Form)> {
        match self {
            Value::Node(id, form) => Some((*id, form)),
            _ => None,
        }
    }

    pub(super) fn constant(&self) -> Option<&Constant> {
        match self {
            Value::Constant(constant) => Some(constant),
            _ => None,
        }
    }

    /// A constant, for the first size of pictures if it depends on that.
    pub(super) fn at_first(&self) -> Option<&Constant> {
        match self {
            Value::Constant(constant) | Value::Sized([constant, _], _) => Some(constant),
            _ => None,
        }
    }

    /// A constant's whole numbers, for both sizes of pictures; none where these are the same, but not those for
    /// the odd one: what they are for others cannot be told from them.
    pub(super) fn whole(&self) -> Option<[Vec<i64>; 2]> {
        match self {
            Value::Constant(constant) => {
                let numbers = constant.integers("").ok()?;
                Some([numbers.clone(), numbers])
            }
            Value::Sized([a, b], odd) => {
                let both = [a.integers("").ok()?, b.integers("").ok()?];
                let differs =
                    |odd: &Arc<Constant>| odd.integers("").ok().as_ref() != Some(&both[0]);
                let misleads = both[0] == both[1] && odd.as_ref().is_some_and(differs);
                (!misleads).then_some(both)
            }
            _ => None,
        }
    }

    /// Whether a condition holds, if that is known and the same for all sizes of pictures.
    pub(super) fn holds(&self) -> Option<bool> {
        let one = |constant: &Constant| match constant.integers("").ok()?[..] {
            [number] => Some(number != 0),
            _ => None,
        };
        match self {
            Value::Constant(constant) => one(constant),
            Value::Sized([a, b], odd) => {
                let holds = one(a)?;
                let others = [one(b), one(odd.as_ref()?)];
                (others == [Some(holds); 2]).then_some(holds)
            }
            _ => None,
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Value::Nothing)
    }

    /// The node that stands for it, if any does.
    pub(super) fn ids(&self) -> Vec<NodeId> {
        match self {
            Value::Node(id, _) | Value::Unknown(id) => vec![*id],
            Value::Scores(scores) => vec![scores.queries, scores.keys],
            Value::Quantised(of) => of.ids(),
            Value::Padded(padded) => vec![padded.source],
            Value::Sequence(values) => values.iter().flat_map(Value::ids).collect(),
            _ => Vec::new(),
        }
    }
}

/// What a builder makes of a node.
pub(super) enum Built {
    /// An operation on these inputs, laid out so.
    Op(Op, Vec<NodeId>, Form),
    /// An operation on these inputs that makes a map, laid out as a batch of channels, rows and columns.
    Map(Op, Vec<NodeId>),
    /// Values that are there already, one for each output.
    Values(Vec<Value>),
    /// What this program does not have, in a few words that go on from the operation's name.
    Unsupported(&'static str),
}

impl Built {
    pub(super) fn same(value: Value) -> Self {
        Built::Values(vec![value])
    }
}

pub(super) const NO_MAP: Built = Built::Unsupported(" of what is no picture");

/// All that is known while reading, for the builders.
pub(super) struct Reader {
    pub(super) assembly: Assembly,
    values: HashMap<String, Value>,
    /// The input that the network itself wants, once it has begun.
    pub(super) input: Option<InputSpec>,
    /// The sizes of pictures for which sizes are computed; the last is odd.
    pub(super) pictures: [Size; 3],
    /// How many pictures the file is made for at once; here it is always one.
    pub(super) batch: usize,
    /// Whether the file is made for pictures of the first size.
    pub(super) is_fixed: bool,
    nodes: Vec<NodeId>,
    /// Each node's shapes for them, where there are such.
    shapes: Vec<[Option<Shape>; 3]>,
    /// Which nodes have their positions in a row.
    in_row: Vec<bool>,
    /// How many values may still be read and made to compute constants.
    foldable: usize,
    /// How many weights have been filled with one number.
    filled: usize,
}

impl Reader {
    /// Before any node is read. The file has so many `bytes`.
    pub(super) fn new(assembly: Assembly, pictures: [Size; 3], bytes: usize) -> Self {
        let channels = assembly.channels(assembly.input()).unwrap_or(0);
        let nodes = vec![assembly.input()];
        let shape = |size: Size| Some(Shape::new(channels, size.height, size.width));
        Self {
            assembly,
            values: HashMap::new(),
            input: None,
            pictures,
            batch: 1,
            is_fixed: false,
            nodes,
            shapes: vec![pictures.map(shape)],
            in_row: vec![false],
            foldable: bytes.saturating_mul(FOLDED[0]).saturating_add(FOLDED[1]),
            filled: 0,
        }
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        if !name.is_empty() {
            self.values.insert(name.to_owned(), value);
        }
    }

    /// Lets `name` mean nothing again.
    pub(super) fn forget(&mut self, name: &str) {
        self.values.remove(name);
    }

    /// What `name` means, [`Value::Nothing`] if it is empty.
    pub(super) fn get(&self, name: &str) -> Option<Value> {
        if name.is_empty() { Some(Value::Nothing) } else { self.values.get(name).cloned() }
    }

    /// Adds an operation, and knows its shapes.
    pub(super) fn add(
        &mut self,
        name: &str,
        op: Op,
        inputs: &[NodeId],
    ) -> Result<NodeId, ImportError> {
        // What is out of bounds is refused before it is asked for its shape.
        let id = self.assembly.add(name, op, inputs)?;
        let shape = |picture: usize| {
            let shapes = inputs.iter().map(|input| self.shapes[input.index()][picture]);
            let shapes: Vec<Shape> = shapes.collect::<Option<_>>()?;
            match self.assembly.op(id) {
                // Whatever it takes, its output is of one size.
                Op::Dense(dense) => Some(Shape::new(dense.out_features, 1, 1)),
                Op::Unsupported { .. } => None,
                op => op.output_shape(&shapes).ok()?.filter(|shape| !shape.is_empty()),
            }
        };
        let shapes = [0, 1, 2].map(shape);
        debug_assert_eq!(id.index(), self.shapes.len());
        self.shapes.push(shapes);
        let in_row = inputs.iter().any(|input| self.in_row[input.index()]);
        let is_row = matches!(self.assembly.op(id), Op::Tokens(_));
        self.in_row.push((in_row || is_row) && !self.is_point(id));
        self.nodes.push(id);
        Ok(id)
    }

    pub(super) fn unsupported(
        &mut self,
        name: &str,
        kind: String,
        inputs: &[NodeId],
    ) -> Result<Value, ImportError> {
        Ok(Value::Unknown(self.add(name, Op::Unsupported { kind }, inputs)?))
    }

    /// Whether a node's positions are in a row behind others, so that its columns are not the picture's.
    pub(super) fn in_row(&self, node: NodeId) -> bool {
        self.in_row[node.index()]
    }

    /// A node's shape, for the first or second size of pictures.
    pub(super) fn shape(&self, node: NodeId, picture: usize) -> Option<Shape> {
        self.shapes[node.index()][picture]
    }

    /// The last node whose shapes for both sizes of pictures are as `wanted`.
    pub(super) fn last(&self, wanted: impl Fn(&[Option<Shape>; 3]) -> bool) -> Option<NodeId> {
        self.nodes.iter().copied().rfind(|node| wanted(&self.shapes[node.index()]))
    }

    pub(super) fn channels(&self, node: NodeId) -> usize {
        self.assembly.channels(node).unwrap_or(0)
    }

    /// Whether a node has one row and one column whatever the picture.
    pub(super) fn is_point(&self, node: NodeId) -> bool {
        self.single(node).len() == 2
    }

    /// Of what a node has one whatever the picture.
    fn single(&self, node: NodeId) -> Vec<Kind> {
        let [Some(a), Some(b), _] = self.shapes[node.index()] else { return Vec::new() };
        let extents = [(Kind::Rows, a.height, b.height), (Kind::Columns, a.width, b.width)];
        extents.into_iter().filter(|(_, a, b)| [*a, *b] == [1, 1]).map(|(kind, ..)| kind).collect()
    }

    /// The form without what there is one of, as all forms of nodes are.
    pub(super) fn settled(&self, node: NodeId, form: Form) -> Form {
        form.without(&self.single(node))
    }

    /// The form of a batch of a node's channels, rows and columns.
    pub(super) fn map_form(&self, node: NodeId) -> Form {
        let shape = self.shape(node, 0).unwrap_or(Shape::new(0, 0, 0));
        let axis = |kind, size| vec![Part::whole(kind, size)];
        let form = Form(vec![
            Vec::new(),
            axis(Kind::Channels, self.channels(node)),
            axis(Kind::Rows, shape.height),
            axis(Kind::Columns, shape.width),
        ]);
        self.settled(node, form)
    }

    /// The sizes of a value's axes.
    pub(super) fn sizes(&self, id: NodeId, form: &Form) -> Option<Sizes> {
        let of = |picture: usize| -> Option<Vec<i64>> {
            let (first, shape) = (self.shape(id, 0)?, self.shape(id, picture)?);
            let size = |part: &Part| match part.kind {
                Kind::Channels => Some(part.size),
                Kind::Rows if part.size == first.height => Some(shape.height),
                Kind::Columns if part.size == first.width => Some(shape.width),
                Kind::Rows if part.step == 1 && shape == first => Some(part.size),
                Kind::Columns if part.step == 1 && shape == first => Some(part.size),
                _ => None,
            };
            let axis = |parts: &Vec<Part>| {
                let size =
                    parts.iter().try_fold(1usize, |all, part| all.checked_mul(size(part)?))?;
                i64::try_from(size).ok()
            };
            form.0.iter().map(axis).collect()
        };
        Some(Sizes { both: [of(0)?, of(1)?], odd: of(2) })
    }

    /// The picture as the network wants it. What the first layer reads becomes the network's input
    /// statistics; what another reads in another way is computed from that.
    pub(super) fn begin(&mut self, name: &str, entry: &Entry) -> Result<Value, ImportError> {
        let picture = self.assembly.input();
        let (channels_last, wanted) = match entry.begun() {
            Ok(begun) => begun,
            Err(why) => return self.unsupported(name, why.into(), &[picture]),
        };
        let mut form = self.map_form(picture);
        if entry.axes.len() == 3 {
            form.0.remove(0);
        }
        if channels_last {
            let at = form.rank() - 3;
            form.0[at..].rotate_left(1);
        }
        let given = *self.input.get_or_insert(wanted);
        if given == wanted {
            return Ok(Value::Node(picture, form));
        }
        if given.order != wanted.order {
            let kind = "the picture in two orders of colours".into();
            return self.unsupported(name, kind, &[picture]);
        }
        Ok(Value::Node(self.add(name, Op::Affine(between(given, wanted)), &[picture])?, form))
    }

    /// Counts values that are read and made to compute constants; `None` where these are too many.
    pub(super) fn count(&mut self, values: usize) -> Option<()> {
        self.foldable = self.foldable.checked_sub(values)?;
        Some(())
    }

    /// One number for all of a shape, if not too many have been filled already.
    pub(super) fn fill(&mut self, shape: Vec<usize>, value: f32) -> Option<Constant> {
        let constant = Constant::filled(shape, value)?;
        self.filled = self.filled.checked_add(constant.len()).filter(|&all| all <= MAX_FILLED)?;
        Some(constant)
    }
}

/// The input at `index`, or [`Value::Nothing`] if it is left out.
pub(super) fn optional(inputs: &[Value], index: usize) -> &Value {
    inputs.get(index).unwrap_or(&Value::Nothing)
}

/// The numbers of a constant for an attribute that later versions have as an input.
pub(super) fn numbers(node: &Node, name: &str, input: &Value) -> Option<[Vec<i64>; 2]> {
    if !input.is_nothing() {
        return input.whole();
    }
    let numbers = node.integers(name)?.to_vec();
    Some([numbers.clone(), numbers])
}

/// As [`numbers`], of what does not depend on the picture.
pub(super) fn fixed_numbers(node: &Node, name: &str, input: &Value) -> Option<Vec<i64>> {
    let [first, second] = numbers(node, name, input)?;
    (first == second).then_some(first)
}
