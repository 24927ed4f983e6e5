//! One step of the backward pass.

use arrayvec::ArrayVec;
use kernels::conv::{Call, Output, SharedMap, run};
use kernels::quantised::QuantisedRef;
use kernels::{
    Destination, MapMut, MapRef, Vec16, WriteMode, depthwise, elementwise, lrn, lrn_pool, pool,
    resample, shuffle,
};

use super::{CpuSession, Prepared, counted, direct, kernel, parts, pointwise, transformer, views};
use crate::order::SIDE_BY_SIDE;
use crate::plan::{Backward, Contribution, Part};
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
                let numbers = layers.iter().map(|(layer, _)| *layer);
                if let Some(strips) = self.executable.program.strips(numbers) {
                    self.backward_strips(step, strips);
                } else if layers.iter().all(|(layer, _)| direct(&self.backward, *layer).is_some()) {
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
        let dx = plan.gradient(program, input);
        let ranges: [_; SIDE_BY_SIDE + 1] = std::array::from_fn(|i| match i {
            0 => dx.range.clone(),
            _ => layers.get(i - 1).map_or(0..0, |(layer, _)| {
                plan.gradient(program, program.layers[*layer].output).range
            }),
        });
        let mut gaps = layers.iter().filter_map(|&(layer, ref contributions)| {
            let spec = plan.specs[layer].as_ref()?;
            spec.gaps.then_some(contributions[0])
        });
        // The phases of a convolution with gaps do not write all of the gradient. No other runs beside it.
        let gaps = gaps.next();
        let [dxs, dys @ ..] = parts(&mut self.vectors, ranges);
        if gaps.is_some_and(|contribution| contribution.mode == WriteMode::Overwrite) {
            dxs.fill(Vec16::default());
        }
        let dx = SharedMap::new(MapMut::new(dx.map, dxs));
        let mut calls: ArrayVec<Call<'_>, PHASES> = ArrayVec::new();
        for ((layer, contributions), dy) in layers.iter().zip(&dys) {
            let Some(phases) = direct(&self.backward, *layer) else { continue };
            let dy = MapRef::new(plan.gradient(program, program.layers[*layer].output).map, dy);
            let Contribution { mode, .. } = contributions[0];
            let mask = plan.completing(program, input, contributions[0]);
            let mask = mask.map(|mask| &self.masks[mask]);
            for placed in phases {
                if calls.is_full() {
                    run(&self.executable.cx, &calls);
                    calls.clear();
                }
                calls.push(Call::new(placed, dy, gradient(&dx, mode, mask)));
            }
        }
        run(&self.executable.cx, &calls);
        drop(calls);
        let masked = gaps.filter(|contribution| contribution.mode == WriteMode::Accumulate);
        if let Some(mask) = masked.and_then(|it| plan.completing(program, input, it)) {
            let Part { range, map } = plan.gradient(program, input);
            let dx = MapMut::new(map, &mut self.vectors[range]);
            elementwise::apply_mask(&self.executable.cx, dx, &self.masks[mask]);
        }
    }

    fn backward_layer(&mut self, step: usize, index: usize) {
        let (plan, program, cx) = (&self.plan, &self.executable.program, &self.executable.cx);
        let (number, contributions) = &plan.backward[step].layers()[index];
        let number = *number;
        let layer = &program.layers[number];
        if pointwise::is(&layer.kind) {
            self.backward_pointwise(step, index);
            return;
        }
        if transformer::is(&layer.kind) {
            self.backward_transformer(step, index);
            return;
        }
        let dyp = plan.gradient(program, layer.output);
        let input = layer.inputs[0];
        let Contribution { mode, .. } = contributions[0];
        let mask = plan.completing(program, input, contributions[0]).map(|mask| &self.masks[mask]);
        let dxp = plan.gradient(program, input);
        let shape = plan.shapes[input];
        let quantised = plan.quantised(input).filter(|_| matches!(layer.kind, Kind::Lrn(_)));
        let kept = match layer.kind {
            Kind::Lrn(_) | Kind::LrnMaxPool(..) if quantised.is_none() => {
                Some(plan.activation(program, input))
            }
            Kind::Softmax => Some(plan.activation(program, layer.output)),
            _ => None,
        };
        // The gradient may take the place of the values that it depends on.
        let in_place = kept.as_ref().is_some_and(|part| part.range == dxp.range);
        let kept = kept.filter(|_| !in_place);
        let kept_range = match (&kept, quantised) {
            (Some(part), _) => part.range.clone(),
            (None, Some(quantised)) => quantised.range(),
            (None, None) => 0..0,
        };
        if let Some(window) = plan.windows[number].as_ref().filter(|_| dyp.range == dxp.range) {
            let argmax = &self.argmax[plan.argmax[number].clone()];
            let dx = MapMut::new(dxp.map, &mut self.vectors[dxp.range]);
            pool::max_backward_in_place(cx, window, argmax, Destination::new(dx, mode, mask));
            return;
        }
        let [dy, dx, values] = parts(&mut self.vectors, [dyp.range, dxp.range, kept_range]);
        let dy = MapRef::new(dyp.map, dy);
        if let Some(Prepared::Copy { sources }) = &self.backward[number] {
            for (place, sources) in sources.iter().enumerate() {
                let mode = if place == 0 { mode } else { WriteMode::Accumulate };
                let dx = Destination::new(MapMut::new(dxp.map, &mut *dx), mode, mask);
                elementwise::gather_channels(cx, sources, dy, dx);
            }
            return;
        }
        let dx = MapMut::new(dxp.map, dx);
        if let Some(Prepared::Winograd(conv)) = &self.backward[number] {
            conv.run(cx, dy, &gradient(&SharedMap::new(dx), mode, mask));
            return;
        }
        let (dx, values) = (Destination::new(dx, mode, mask), &*values);
        let kept = kept.map(|part| MapRef::new(part.map, values));
        let quantised = quantised.map(|kept| QuantisedRef::new(kept.map, values));
        let argmax = &self.argmax[plan.argmax[number].clone()];
        match (&layer.kind, &self.backward[number], &plan.windows[number], kept) {
            (_, Some(Prepared::Depthwise(conv)), ..) => {
                let spec = plan.specs[number].as_ref().expect("it is a convolution");
                depthwise::backward(cx, &spec.geometry, &conv.weights, dy, dx);
            }
            (_, Some(Prepared::Affine { scale, .. }), ..) => {
                elementwise::affine_backward(cx, scale, dy, dx);
            }
            (Kind::DepthToSpace(by), Some(Prepared::Shuffle { sources }), ..) => {
                shuffle::space_to_depth(cx, by.block, sources, dy, dx);
            }
            (Kind::SpaceToDepth(by), Some(Prepared::Shuffle { sources }), ..) => {
                shuffle::depth_to_space(cx, by.block, sources, dy, dx);
            }
            (_, Some(Prepared::Resample { taps, fill }), ..) => {
                resample::resample(cx, views(taps), fill, dy, dx);
            }
            (Kind::Relu, ..) => elementwise::copy(cx, dy, dx),
            (
                Kind::MaxPool(_) | Kind::ReluMaxPool(..) | Kind::GlobalMaxPool,
                _,
                Some(window),
                _,
            ) => {
                pool::max_backward(cx, window, dy, argmax, dx);
            }
            (Kind::AveragePool(_), _, Some(window), _) => {
                pool::average_backward(cx, window, counted(&layer.kind, shape), dy, dx);
            }
            (Kind::GlobalAveragePool, ..) => pool::global_average_backward(cx, dy, dx),
            (Kind::Lrn(lrn), _, _, kept) => {
                let lrn = kernel(lrn, shape.channels);
                match (quantised, kept) {
                    (Some(x), _) => lrn::backward_kept(cx, &lrn, x, dy, dx),
                    (None, Some(x)) => lrn::backward(cx, &lrn, x, dy, dx),
                    (None, None) => lrn::backward_in_place(cx, &lrn, dy, dx),
                }
            }
            (Kind::LrnMaxPool(lrn, _), _, Some(window), _) if in_place => {
                let lrn = kernel(lrn, shape.channels);
                lrn_pool::backward_in_place(cx, &lrn, window, dy, argmax, dx);
            }
            (Kind::LrnMaxPool(lrn, _), _, Some(window), Some(x)) => {
                let lrn = kernel(lrn, shape.channels);
                lrn_pool::backward(cx, &lrn, window, x, dy, argmax, dx);
            }
            (Kind::Softmax, _, _, Some(y)) => elementwise::softmax_backward(cx, y, dy, dx),
            _ => unreachable!("direct convolutions run side by side, and sums are done above"),
        }
        // Of a second input only the size counts. It may be the first one again, whose gradient is written above.
        if let (Kind::Resample(_), &[_, second], [_, contribution]) =
            (&layer.kind, &layer.inputs[..], &contributions[..])
        {
            let Part { range, map } = plan.gradient(program, second);
            let dx = &mut self.vectors[range];
            if contribution.mode == WriteMode::Overwrite {
                dx.fill(Vec16::default());
            } else if let Some(mask) = plan.completing(program, second, *contribution) {
                elementwise::apply_mask(cx, MapMut::new(map, dx), &self.masks[mask]);
            }
        }
    }
}

/// Where a convolution's gradient goes.
fn gradient<'a>(dx: &'a SharedMap<'a>, mode: WriteMode, mask: Option<&'a [u16]>) -> Output<'a> {
    Output { y: dx, mode, bias: false, relu_mask: None, mask }
}
