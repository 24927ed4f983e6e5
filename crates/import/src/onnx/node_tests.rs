//! ONNX's own tests of each operation: `cargo xtask onnx-nodes FOLDER` runs all of them.
//!
//! Each is a graph of mostly one node with its inputs and outputs. What is a constant to the reader is computed
//! while it reads; what is a picture to it is computed by definition. A test passes if one of these gives the
//! numbers expected, fails if one gives others, and is not supported if none gives any.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use graph::{Activation, NodeId, Op, SelectChannels, Shape, Size};
use prost::Message;

use super::external::External;
use super::form::{Form, Kind, Part};
use super::model::Model;
use super::model::TENSOR;
use super::proto::TensorProto;
use super::reader::{Reader, Value};
use super::tensor::Constant;
use super::tensor::Tensor;
use super::{build, names};
use crate::content::Content;
use crate::kit::{Array, Assembly};
use crate::wire::skeleton;

/// The tests that pass, one a line.
const LIST: &str = "tests/data/onnx/passing_node_tests.txt";
/// How far a number may be off: of its size, and at all, as ONNX's own runner has it.
const NEAR: [f32; 2] = [1e-3, 1e-6];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Passed,
    Failed,
    NotSupported,
}
use Outcome::{Failed, NotSupported, Passed};

/// A graph with what it is given and what it should give.
struct Case {
    model: Vec<u8>,
    inputs: Vec<Constant>,
    outputs: Vec<Constant>,
}

fn tensors(folder: &Path, kind: &str) -> Option<Vec<Constant>> {
    let path = |i: usize| folder.join(format!("test_data_set_0/{kind}_{i}.pb"));
    (0..)
        .map(path)
        .take_while(|path| path.is_file())
        .map(|path| {
            let file = Content::from(std::fs::read(path).ok()?);
            let tensor = TensorProto::decode(skeleton(&file, &TENSOR).ok()?).ok()?;
            Constant::new(Tensor::new(tensor, &file).ok()?)
        })
        .collect()
}

impl Case {
    /// `None` for tests of sequences and other things that are no tensors.
    fn read(folder: &Path) -> Option<Self> {
        let model = std::fs::read(folder.join("model.onnx")).ok()?;
        let (inputs, outputs) = (tensors(folder, "input")?, tensors(folder, "output")?);
        Some(Self { model, inputs, outputs })
    }

    fn run(&self) -> Outcome {
        let mut outcomes = vec![self.folded()];
        for pictures in [1, self.inputs.len()] {
            outcomes.extend(self.pictured(pictures));
        }
        if outcomes.contains(&Passed) {
            Passed
        } else if outcomes.contains(&Failed) {
            Failed
        } else {
            NotSupported
        }
    }

    /// What the reader makes of the graph, with the first inputs being as given and the others constants.
    fn values(
        &self,
        assembly: Assembly,
        size: Size,
        first: impl FnOnce(&mut Reader) -> Option<Vec<Value>>,
    ) -> Option<(Reader, Vec<Value>)> {
        let mut model = Model::read(&self.model.clone().into()).ok()?;
        names::name(&mut model.nodes);
        let mut reader = Reader::new(assembly, [size; 3], 1 << 24);
        let first = first(&mut reader)?;
        let constant = |constant: &Constant| Value::Constant(Arc::new(constant.clone()));
        let rest = self.inputs.iter().skip(first.len()).map(constant);
        let given = model.inputs.iter().filter(|input| !input.name.is_empty());
        for (input, value) in given.zip(first.iter().cloned().chain(rest)) {
            reader.set(&input.name, value);
        }
        for (name, tensor) in model.initializers.drain() {
            reader.set(&name, Value::Constant(Arc::new(Constant::new(tensor)?)));
        }
        let mut none = |_: &str| unreachable!("the tests have no files beside them");
        build(&mut reader, &mut model.nodes, &mut External::new(&mut none)).ok()?;
        let outputs = model.outputs.iter().map(|name| reader.get(name));
        let outputs = outputs.collect::<Option<Vec<Value>>>()?;
        Some((reader, outputs))
    }

    /// All inputs as constants.
    fn folded(&self) -> Outcome {
        let Ok(assembly) = Assembly::of_channels("picture", 1) else { return NotSupported };
        let read = self.values(assembly, Size::new(1, 1), |_| Some(Vec::new()));
        let Some((_, outputs)) = read else { return NotSupported };
        let found: Option<Vec<Array>> =
            outputs.iter().map(|output| output.constant()?.array()).collect();
        found.map_or(NotSupported, |found| self.compare(&found))
    }

    /// The first inputs as pictures, joined along the channels, in each way in which they may be such.
    fn pictured(&self, count: usize) -> Vec<Outcome> {
        let pictures: Option<Vec<Array>> =
            self.inputs.iter().take(count).map(Constant::array).collect();
        let Some(pictures) = pictures.filter(|all| !all.is_empty()) else { return Vec::new() };
        let shape = pictures[0].shape().to_vec();
        let alike = pictures.iter().all(|p| p.as_floats().is_some() && p.shape() == shape);
        if !alike || pictures[0].len() == 0 {
            return Vec::new();
        }
        layouts(&shape).into_iter().map(|layout| self.laid_out(&pictures, &layout)).collect()
    }

    fn laid_out(&self, pictures: &[Array], layout: &[Option<Kind>]) -> Outcome {
        let shape = pictures[0].shape();
        let batch = if layout[0].is_none() { shape[0] } else { 1 };
        let mut items = Vec::new();
        for item in 0..batch {
            match self.item(pictures, layout, item) {
                Some(values) => items.push(values),
                None => return NotSupported,
            }
        }
        // What works across a batch is not asked for: the reader takes one picture.
        let failed = if items.len() > 1 { NotSupported } else { Failed };
        let outputs = items[0].len();
        let joined = (0..outputs).map(|output| {
            let parts: Vec<Array> = items.iter().map(|item| item[output].clone()).collect();
            if parts.len() == 1 { parts.into_iter().next() } else { Array::concat(&parts, 0) }
        });
        let joined = joined.collect::<Option<Vec<Array>>>();
        match joined.map_or(NotSupported, |found| self.compare(&found)) {
            Failed => failed,
            outcome => outcome,
        }
    }

    /// The outputs for one picture of a batch.
    fn item(&self, pictures: &[Array], layout: &[Option<Kind>], item: usize) -> Option<Vec<Array>> {
        let size = |kind: Kind| {
            let axis = layout.iter().position(|&own| own == Some(kind));
            axis.map_or(1, |axis| pictures[0].shape()[axis])
        };
        let (channels, rows, columns) =
            (size(Kind::Channels), size(Kind::Rows), size(Kind::Columns));
        let shape = Shape::new(channels * pictures.len(), rows, columns);
        let axis =
            |kind: &Option<Kind>| kind.map_or(vec![], |kind| vec![Part::whole(kind, size(kind))]);
        let form = Form(layout.iter().map(axis).collect());
        let own = Shape::new(channels, rows, columns);
        let mut data = Vec::new();
        for picture in pictures {
            let values = picture.as_floats()?;
            let one = own.len();
            let places = places(&form, own);
            let mut plane = vec![0.0; one];
            places
                .iter()
                .enumerate()
                .for_each(|(i, &at)| plane[at] = f64::from(values[item * one + i]));
            data.extend(plane);
        }
        let assembly = Assembly::of_channels("picture", shape.channels).ok()?;
        let (reader, outputs) = self.values(assembly, shape.size(), |reader| {
            let input = reader.assembly.input();
            if pictures.len() == 1 {
                return Some(vec![Value::Node(input, reader.settled(input, form))]);
            }
            let part = |i: usize| {
                let select = SelectChannels {
                    in_channels: shape.channels,
                    channels: (i * channels..(i + 1) * channels).collect(),
                };
                let id = reader.add("part", Op::SelectChannels(select), &[input]).ok()?;
                Some(Value::Node(id, reader.settled(id, form.clone())))
            };
            (0..pictures.len()).map(part).collect()
        })?;
        let targets: Option<Vec<(NodeId, Form)>> =
            outputs.iter().map(|value| value.node().map(|(id, form)| (id, form.clone()))).collect();
        let targets = targets?;
        let graph = reader.assembly.finish();
        let ids: Vec<NodeId> = targets.iter().map(|(id, _)| *id).collect();
        let mut values: Vec<(Shape, Vec<f64>)> =
            vec![(Shape::new(0, 0, 0), Vec::new()); graph.nodes().len()];
        for id in graph.ancestors(&ids) {
            let node = graph.node(id);
            if id == graph.input() {
                values[id.index()] = (shape, data.clone());
                continue;
            }
            if matches!(node.op, Op::Unsupported { .. }) {
                return None;
            }
            let inputs = node.inputs.iter().map(|input| &values[input.index()]);
            let inputs: Vec<Activation<'_, f64>> =
                inputs.map(|(shape, data)| Activation { shape: *shape, data }).collect();
            let shapes: Vec<Shape> = inputs.iter().map(|input| input.shape).collect();
            let output = node.op.output_shape(&shapes).ok()??;
            values[id.index()] = (output, node.op.forward(&inputs, output));
        }
        let array = |(id, form): &(NodeId, Form)| {
            let (shape, data) = &values[id.index()];
            let places = places(form, *shape);
            let sizes: Vec<usize> = form.sizes();
            let values = places.iter().map(|&at| data[at] as f32).collect();
            Array::new(sizes, crate::kit::Values::Floats(values))
        };
        targets.iter().map(array).collect()
    }

    fn compare(&self, found: &[Array]) -> Outcome {
        let expected: Option<Vec<Array>> = self.outputs.iter().map(Constant::array).collect();
        let Some(expected) = expected else { return NotSupported };
        let same = found.len() >= expected.len()
            && expected.iter().zip(found).all(|(expected, found)| {
                let (a, b) = (expected.clone().into_floats(), found.clone().into_floats());
                let (Some(a), Some(b)) = (a.as_floats(), b.as_floats()) else { return false };
                let near = |(&a, &b): (&f32, &f32)| {
                    a == b
                        || a.is_nan() && b.is_nan()
                        || (a - b).abs() <= NEAR[1] + NEAR[0] * a.abs()
                };
                expected.shape() == found.shape() && a.iter().zip(b).all(near)
            });
        if same { Passed } else { Failed }
    }
}

/// How the axes of an input may be those of a picture; the first is a batch's where it is none of a picture's.
fn layouts(shape: &[usize]) -> Vec<Vec<Option<Kind>>> {
    use Kind::{Channels, Columns, Rows};
    let some = |kinds: &[Kind]| kinds.iter().map(|&kind| Some(kind)).collect::<Vec<_>>();
    let batch = |kinds: &[Kind]| std::iter::once(None).chain(some(kinds)).collect::<Vec<_>>();
    match shape.len() {
        1 => vec![some(&[Channels])],
        2 => vec![batch(&[Channels]), some(&[Rows, Channels]), some(&[Channels, Rows])],
        3 => vec![
            some(&[Channels, Rows, Columns]),
            some(&[Rows, Columns, Channels]),
            batch(&[Channels, Rows]),
            batch(&[Rows, Channels]),
        ],
        4 => vec![batch(&[Channels, Rows, Columns]), batch(&[Rows, Columns, Channels])],
        _ => Vec::new(),
    }
}

/// For each value in the order of the file, where it lies among channels, rows and columns.
fn places(form: &Form, shape: Shape) -> Vec<usize> {
    let parts: Vec<Part> = form.0.iter().flatten().copied().collect();
    let count = parts.iter().map(|part| part.size).product();
    let mut places = vec![0usize; count];
    let mut along = 1;
    for part in parts.iter().rev() {
        let step = part.step
            * match part.kind {
                Kind::Channels => shape.plane(),
                Kind::Rows => shape.width,
                Kind::Columns => 1,
            };
        places.iter_mut().enumerate().for_each(|(i, place)| *place += i / along % part.size * step);
        along *= part.size;
    }
    places
}

#[test]
#[ignore = "needs ONNX's own tests: cargo xtask onnx-nodes FOLDER"]
fn all_node_tests() {
    let Some(folder) = std::env::var_os("DEEPDREAM_ONNX_NODES").map(PathBuf::from) else {
        return println!("left out: run `cargo xtask onnx-nodes FOLDER`");
    };
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("test_"))
        .collect();
    names.sort();
    let mut outcomes: BTreeMap<Outcome, Vec<&str>> = BTreeMap::new();
    for name in &names {
        let case = Case::read(&folder.join(name));
        outcomes.entry(case.map_or(NotSupported, |case| case.run())).or_default().push(name);
    }
    let of = |outcome| outcomes.get(&outcome).map_or(&[][..], Vec::as_slice);
    for name in of(Failed) {
        println!("failed: {name}");
    }
    let (passed, failed) = (of(Passed), of(Failed));
    println!(
        "{} passed, {} failed, {} not supported",
        passed.len(),
        failed.len(),
        of(NotSupported).len()
    );
    let list = std::fs::read_to_string(LIST).unwrap();
    let lost: Vec<&str> = list
        .lines()
        .filter(|name| names.iter().any(|n| n == name) && !passed.contains(name))
        .collect();
    assert!(lost.is_empty(), "no longer passed: {}", lost.join(", "));
    let new: Vec<&&str> =
        passed.iter().filter(|name| !list.lines().any(|line| line == **name)).collect();
    if !new.is_empty() {
        // The list only grows.
        let mut all: Vec<&str> = list.lines().chain(passed.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        std::fs::write(LIST, all.join("\n") + "\n").unwrap();
        println!("{} more passed than before: {LIST} has them now", new.len());
    }
}
