//! One step of the backward pass.

use arrayvec::ArrayVec;
use kernels::conv::{Call, Output, Target, run};
use kernels::{Vec16, depthwise, elementwise, lrn, lrn_pool, pool};

use super::{CpuSession, Prepared, counted, direct, kernel, parts};
use crate::convolution::geometry;
use crate::plan::{Backward, Contribution, SIDE_BY_SIDE};
use crate::program::Kind;

/// How many phases of a stride run side by side.
const PHASES: usize = 16;

impl CpuSession {
    pub(super) fn backward_step(&mut self, step: usize) {
        match &self.plan.backward[step] {
            Backward::Clear { root, blocks } => {
                let range = self.plan.gradient_blocks(*root, blocks);
                self.vectors[range].fill(Vec16::default());
            }
            Backward::Layers(layers) => {
                if layers.iter().all(|(layer, _)| direct(&self.backward, *layer).is_some()) {
                    self.backward_side_by_side(step);
                } else {
                    for index in 0..layers.len() {
                        self.backward_layer(step, index);
                    }
                }
            }
        }
    }

    /// Direct convolutions that write the gradient of the same value, one after the other in each band.
    fn backward_side_by_side(&mut self, step: usize) {
        let (plan, program) = (&self.plan, &self.executable.program);
        let layers = plan.backward[step].layers();
        let input = program.layers[layers[0].0].inputs[0];
        let dx = plan.gradient(program, input).range;
        let ranges: [_; SIDE_BY_SIDE + 1] = std::array::from_fn(|i| match i {
            0 => dx.clone(),
            _ => layers.get(i - 1).map_or(0..0, |(layer, _)| {
                plan.gradient(program, program.layers[*layer].output).range
            }),
        });
        let [dx, dys @ ..] = parts(&mut self.vectors, ranges);
        let dx = Target::new(dx);
        let mut calls: ArrayVec<Call<'_>, PHASES> = ArrayVec::new();
        for ((layer, contributions), dy) in layers.iter().zip(&dys) {
            let Some((convs, placed)) = direct(&self.backward, *layer) else { continue };
            let Contribution { write, .. } = contributions[0];
            let mask = plan.completing(program, input, contributions[0]);
            let mask = mask.map(|mask| &self.masks[mask]);
            let output = Output { y: &dx, write, bias: false, relu: None, mask };
            for (conv, placed) in convs.iter().zip(placed) {
                if calls.is_full() {
                    run(&self.executable.cx, &calls);
                    calls.clear();
                }
                calls.push(Call { conv, placed, x: dy, output });
            }
        }
        run(&self.executable.cx, &calls);
    }

    fn backward_layer(&mut self, step: usize, index: usize) {
        let (plan, program, cx) = (&self.plan, &self.executable.program, &self.executable.cx);
        let (number, contributions) = &plan.backward[step].layers()[index];
        let number = *number;
        let layer = &program.layers[number];
        let dyp = plan.gradient(program, layer.output);
        if let Kind::Add = layer.kind {
            for (&input, &contribution) in layer.inputs.iter().zip(contributions) {
                let dxp = plan.gradient(program, input);
                let mask =
                    plan.completing(program, input, contribution).map(|mask| &self.masks[mask]);
                let [dy, dx] = parts(&mut self.vectors, [dyp.range.clone(), dxp.range]);
                elementwise::copy(cx, &dyp.map, dy, &dxp.map, dx, contribution.write, mask);
            }
            return;
        }
        let input = layer.inputs[0];
        let Contribution { write, .. } = contributions[0];
        let mask = plan.completing(program, input, contributions[0]).map(|mask| &self.masks[mask]);
        let dxp = plan.gradient(program, input);
        let (ym, xm) = (&dyp.map, &dxp.map);
        let shape = plan.shapes[input];
        let kept = match layer.kind {
            Kind::Lrn(_) | Kind::LrnMaxPool(..) => Some(plan.activation(program, input)),
            Kind::Softmax => Some(plan.activation(program, layer.output)),
            _ => None,
        };
        let (kept_range, kept_map) = kept.map_or((0..0, *xm), |part| (part.range, part.map));
        let [dy, dx, kept] = parts(&mut self.vectors, [dyp.range, dxp.range, kept_range]);
        match &layer.kind {
            Kind::Conv(_) | Kind::Dense(_) => {
                if let Some(Prepared::Depthwise { weights, .. }) = &self.backward[number]
                    && let Some(spec) = &plan.specs[number]
                {
                    let geometry = &spec.geometry;
                    depthwise::backward(cx, geometry, weights, ym, dy, xm, dx, write, mask);
                    return;
                }
                let dx = Target::new(dx);
                let output = Output { y: &dx, write, bias: false, relu: None, mask };
                match &self.backward[number] {
                    Some(Prepared::Winograd(conv)) => conv.run(cx, ym, dy, xm, &output),
                    _ => unreachable!("direct convolutions run side by side"),
                }
            }
            Kind::Relu => elementwise::copy(cx, ym, dy, xm, dx, write, mask),
            Kind::MaxPool(max) => {
                let argmax = &self.argmax[plan.argmax[number].clone()];
                let geometry = geometry(&max.window, shape);
                pool::max_backward(cx, &geometry, ym, dy, argmax, xm, dx, write, mask);
            }
            Kind::AveragePool(average) => {
                let padding = counted(&layer.kind, shape);
                let geometry = geometry(&average.window, shape);
                pool::average_backward(cx, &geometry, padding, ym, dy, xm, dx, write, mask);
            }
            Kind::GlobalAveragePool => {
                pool::global_average_backward(cx, ym, dy, xm, dx, write, mask);
            }
            Kind::Lrn(lrn) => {
                let channels = shape.channels;
                let x = (&kept_map, &*kept);
                lrn::backward(cx, &kernel(lrn), channels, x.0, x.1, ym, dy, xm, dx, write, mask);
            }
            Kind::LrnMaxPool(lrn, max) => {
                let (lrn, geometry) = (kernel(lrn), geometry(&max.window, shape));
                let argmax = &self.argmax[plan.argmax[number].clone()];
                lrn_pool::backward(
                    cx,
                    &lrn,
                    shape.channels,
                    &geometry,
                    &kept_map,
                    kept,
                    ym,
                    dy,
                    argmax,
                    xm,
                    dx,
                    write,
                    mask,
                );
            }
            Kind::Affine(_) => {
                let Some(Prepared::Affine { scale, .. }) = &self.backward[number] else {
                    unreachable!("every layer is prepared")
                };
                elementwise::affine_backward(cx, scale, ym, dy, xm, dx, write, mask);
            }
            Kind::Softmax => {
                elementwise::softmax_backward(cx, &kept_map, kept, ym, dy, xm, dx, write, mask);
            }
            Kind::Copy => {
                let Some(Prepared::Copy { sources }) = &self.backward[number] else {
                    unreachable!("every layer is prepared")
                };
                elementwise::gather_channels(cx, sources, ym, dy, xm, dx, write, mask);
            }
            Kind::Add => unreachable!("done above"),
        }
    }
}
