//! A convolution and the max pooling behind it, or normalisation and max pooling, strip by strip.

use kernels::conv::{Output, SharedMap, SharedMask};
use kernels::quantised::{QuantisedRef, quantise};
use kernels::winograd::Winograd;
use kernels::{Destination, MapMut, MapRef, Relu, WriteMode, lrn_pool, pool};

use super::{CpuSession, Prepared, kernel, max_pool, parts};
use crate::program::Kind;

/// How many rows of tiles make a strip, when so many rows of the map between are kept and so many of them are needed
/// besides those of the tiles.
fn strip(conv: &Winograd, kept: usize, besides: usize) -> usize {
    (kept.saturating_sub(besides) / conv.rows()).max(1)
}

impl CpuSession {
    pub(super) fn forward_strips(&mut self, [conv, max]: [usize; 2]) {
        let (plan, program, cx) = (&self.plan, &self.executable.program, &self.executable.cx);
        let (layer, output) = (&program.layers[conv], program.layers[max].output);
        let (Some(Prepared::Winograd(conv)), Some(window)) =
            (&self.forward[conv], &plan.windows[max])
        else {
            unreachable!("the plan chose Winograd's algorithm")
        };
        let [xp, between, yp] =
            [layer.inputs[0], layer.output, output].map(|value| plan.activation(program, value));
        let relu = program.values[layer.output].relu.zip(plan.mask(program, layer.output));
        let lrn = match &program.layers[max].kind {
            Kind::LrnMaxPool(lrn, _) => Some(kernel(lrn, plan.shapes[layer.output].channels)),
            _ => None,
        };
        let max_window = max_pool(&program.layers[max].kind, window);
        let quantised = plan.quantised(layer.output);
        let kept_range = quantised.map_or(0..0, |quantised| quantised.range());
        let ranges = [xp.range, between.range, yp.range, kept_range];
        let [x, middle, y, to_keep] = parts(&mut self.vectors, ranges);
        let argmax = &mut self.argmax[plan.argmax[max].clone()];
        let (height, wanted) = (between.map.height(), yp.map.height());
        let (all, kept) = (height.div_ceil(conv.rows()), between.map.kept());
        let reach = (window.kernel()[0] - 1) * window.dilation()[0] + 1 + window.stride()[0];
        let step = strip(conv, kept, reach);
        let mut pooled = 0;
        for first in (0..all).step_by(step) {
            let end = (first + step).min(all);
            let to = SharedMap::new(MapMut::new(between.map, &mut *middle));
            let mask = relu
                .clone()
                .map(|(most, mask)| SharedMask::new(Relu { mask: &mut self.masks[mask], most }));
            let mode = WriteMode::Overwrite;
            let output = Output { y: &to, mode, bias: true, relu_mask: mask.as_ref(), mask: None };
            conv.run_rows(cx, MapRef::new(xp.map, x), &output, first..end);
            let ready = window.rows_within(end * conv.rows(), height, wanted);
            let rows = pooled..ready.max(pooled);
            pooled = rows.end;
            let (from, to) = (MapRef::new(between.map, middle), MapMut::new(yp.map, &mut *y));
            if let Some(quantised) = quantised {
                let made = first * conv.rows()..height.min(end * conv.rows());
                quantise(cx, from, (quantised.map, &mut *to_keep), made);
            }
            match &lrn {
                Some(lrn) => lrn_pool::forward_rows(cx, lrn, window, from, (to, argmax), rows),
                None => pool::max_forward_rows(cx, &max_window, from, to, argmax, rows),
            }
        }
    }

    pub(super) fn backward_strips(&mut self, step: usize, [conv, max]: [usize; 2]) {
        let (plan, program, cx) = (&self.plan, &self.executable.program, &self.executable.cx);
        let contributions = plan.backward[step].layers();
        let [of_conv, of_max] = [0, 1].map(|layer: usize| contributions[layer].1[0]);
        let layer = &program.layers[conv];
        let (Some(Prepared::Winograd(conv)), Some(window)) =
            (&self.backward[conv], &plan.windows[max])
        else {
            unreachable!("the plan chose Winograd's algorithm")
        };
        let shape = plan.shapes[layer.output];
        let lrn = match &program.layers[max].kind {
            Kind::LrnMaxPool(lrn, _) => Some(kernel(lrn, shape.channels)),
            _ => None,
        };
        let quantised = plan.quantised(layer.output);
        let kept_range = quantised.map_or(0..0, |quantised| quantised.range());
        let values = [program.layers[max].output, layer.output, layer.inputs[0]];
        let [dyp, between, dxp] = values.map(|value| plan.gradient(program, value));
        let mask = |value: usize, contribution| {
            plan.completing(program, value, contribution).map(|mask| &self.masks[mask])
        };
        let masks = [mask(layer.output, of_max), mask(layer.inputs[0], of_conv)];
        let ranges = [dyp.range, between.range, dxp.range, kept_range];
        let [dy, middle, dx, values] = parts(&mut self.vectors, ranges);
        let normalised = lrn
            .zip(quantised)
            .map(|(lrn, quantised)| (lrn, QuantisedRef::new(quantised.map, values)));
        let (dy, dx) = (MapRef::new(dyp.map, dy), SharedMap::new(MapMut::new(dxp.map, dx)));
        let argmax = &self.argmax[plan.argmax[max].clone()];
        let (all, kept) = (dxp.map.height().div_ceil(conv.rows()), between.map.kept());
        let step = strip(conv, kept, conv.rows_besides());
        let mut made = 0;
        for first in (0..all).step_by(step) {
            let end = (first + step).min(all);
            let needed = conv.rows_read(end, between.map.height()).max(made);
            // A window that begins below the picture's first row needs none of those above.
            let start = made.max(needed.saturating_sub(kept));
            let to = MapMut::new(between.map, &mut *middle);
            let to = Destination::new(to, of_max.mode, masks[0]);
            match &normalised {
                Some((lrn, x)) => {
                    let rows = start..needed;
                    lrn_pool::backward_rows(cx, lrn, window, *x, (dy, argmax), to, rows);
                }
                None => pool::max_backward_rows(cx, window, dy, argmax, to, start..needed),
            }
            made = needed;
            let (mode, mask) = (of_conv.mode, masks[1]);
            let output = Output { y: &dx, mode, bias: false, relu_mask: None, mask };
            conv.run_rows(cx, MapRef::new(between.map, middle), &output, first..end);
        }
    }
}
