//! The order in which layers run: side by side where they read the same, and such that memory is free early.

use super::convolution::ConvSpec;
use super::program::{Program, ValueId};
use graph::Shape;

/// How many convolutions may run side by side.
pub(super) const SIDE_BY_SIDE: usize = 7;

/// The layers in order, with 1×1 convolutions that read the same value put together.
pub(super) fn side_by_side(program: &Program, specs: &[Option<ConvSpec>]) -> Vec<Vec<usize>> {
    let pointwise = |layer: usize| {
        specs[layer].as_ref().is_some_and(|spec| {
            spec.geometry.kernel() == [1, 1]
                && spec.geometry.stride() == [1, 1]
                && !spec.depthwise()
        })
    };
    let mut steps: Vec<Vec<usize>> = Vec::new();
    for (index, layer) in program.layers.iter().enumerate() {
        let together = pointwise(index)
            .then(|| {
                steps.iter_mut().find(|step| {
                    pointwise(step[0])
                        && step.len() < SIDE_BY_SIDE
                        && program.layers[step[0]].inputs == layer.inputs
                })
            })
            .flatten();
        match together {
            Some(step) => step.push(index),
            None => steps.push(vec![index]),
        }
    }
    steps
}

/// What a step reads that it does not make, and the roots of all that it reads or writes.
struct Touched {
    inputs: Vec<ValueId>,
    roots: Vec<ValueId>,
}

impl Touched {
    fn new(program: &Program, step: &[usize]) -> Self {
        let layers = || step.iter().map(|&layer| &program.layers[layer]);
        let outputs: Vec<ValueId> = layers().map(|layer| layer.output).collect();
        let inputs = layers().flat_map(|layer| layer.inputs.iter().copied());
        let inputs: Vec<ValueId> = inputs.filter(|input| !outputs.contains(input)).collect();
        let mut roots: Vec<ValueId> = inputs.iter().chain(&outputs).copied().collect();
        roots.iter_mut().for_each(|value| *value = program.values[*value].root);
        roots.sort_unstable();
        roots.dedup();
        Self { inputs, roots }
    }
}

/// Moves each step that is the last to read a value up to the one that reads it before, if it makes no more than it
/// reads. What reads the same value keeps its order, in which gradients are summed up.
pub(super) fn free_early(program: &Program, shapes: &[Shape], steps: &mut [Vec<usize>]) {
    let root = |value: ValueId| program.values[value].root;
    let mut touched: Vec<Touched> = steps.iter().map(|step| Touched::new(program, step)).collect();
    // How many of the steps to come touch a root.
    let mut to_come = vec![0; program.values.len()];
    touched.iter().flat_map(|step| &step.roots).for_each(|&root| to_come[root] += 1);
    for position in 0..steps.len() {
        let Touched { inputs, roots } = &touched[position];
        roots.iter().for_each(|&root| to_come[root] -= 1);
        let Some(&input) = inputs.first() else { continue };
        let read = root(input);
        let needed =
            to_come[read] > 0 || program.targets.iter().any(|&target| root(target) == read);
        if needed || inputs.iter().any(|&other| other != input) {
            continue;
        }
        let outputs = steps[position].iter().map(|&layer| program.layers[layer].output);
        let read_here = |value: &ValueId| {
            steps[position].iter().any(|&layer| program.layers[layer].inputs.contains(value))
        };
        let made: usize =
            outputs.filter(|value| !read_here(value)).map(|value| shapes[value].len()).sum();
        let last = touched[..position].iter().rposition(|step| step.roots.contains(&read));
        let place = last.map_or(0, |last| last + 1);
        if made <= shapes[input].len() {
            steps[place..=position].rotate_right(1);
            touched[place..=position].rotate_right(1);
        }
    }
}
