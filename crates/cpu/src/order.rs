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

/// Moves each step that is the last to read a value up to the one that reads it before, if it makes no more than it
/// reads. What reads the same value keeps its order, in which gradients are summed up.
pub(super) fn free_early(program: &Program, shapes: &[Shape], steps: &mut Vec<Vec<usize>>) {
    let root = |value: ValueId| program.values[value].root;
    let makes = |step: &[usize], value: ValueId| {
        step.iter().any(|&layer| program.layers[layer].output == value)
    };
    let reads = |step: &[usize]| -> Vec<ValueId> {
        let inputs = step.iter().flat_map(|&layer| program.layers[layer].inputs.iter().copied());
        inputs.filter(|&input| !makes(step, input)).collect()
    };
    for position in 1..steps.len() {
        let (before, rest) = steps.split_at(position);
        let (step, after) = (&rest[0], &rest[1..]);
        let inputs = reads(step);
        let Some(&input) = inputs.first() else { continue };
        let same = |value: &ValueId| root(*value) == root(input);
        let touches = |other: &[usize]| {
            reads(other).iter().any(same)
                || other.iter().any(|&layer| same(&program.layers[layer].output))
        };
        let needed = inputs.iter().any(|&other| other != input)
            || program.targets.iter().any(same)
            || after.iter().any(|other| touches(other));
        if needed {
            continue;
        }
        let outputs = step.iter().map(|&layer| program.layers[layer].output);
        let read_here =
            |value: &ValueId| step.iter().any(|&l| program.layers[l].inputs.contains(value));
        let made: usize =
            outputs.filter(|value| !read_here(value)).map(|value| shapes[value].len()).sum();
        let place = before.iter().rposition(|other| touches(other)).map_or(0, |last| last + 1);
        if place < position && made <= shapes[input].len() {
            let step = steps.remove(position);
            steps.insert(place, step);
        }
    }
}
