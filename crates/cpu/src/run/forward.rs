//! One step of the forward pass.

use arrayvec::ArrayVec;
use kernels::conv::{Call, Output, Target, run};
use kernels::{WriteMode, depthwise, elementwise, lrn, lrn_pool, pool};

use super::{CpuSession, Prepared, counted, direct, kernel, parts};
use crate::convolution::geometry;
use crate::plan::SIDE_BY_SIDE;
use crate::program::Kind;

impl CpuSession {
    pub(super) fn forward_step(&mut self, step: usize) {
        let layers = &self.plan.forward[step];
        if layers.iter().all(|&layer| direct(&self.forward, layer).is_some()) {
            self.forward_side_by_side(step);
        } else {
            for index in 0..layers.len() {
                self.forward_layer(self.plan.forward[step][index]);
            }
        }
    }

    /// Direct convolutions that read the same value.
    fn forward_side_by_side(&mut self, step: usize) {
        let (plan, program) = (&self.plan, &self.executable.program);
        let layers = &plan.forward[step];
        let output = |i: usize| layers.get(i).map(|&layer| program.layers[layer].output);
        let x = plan.activation(program, program.layers[layers[0]].inputs[0]).range;
        let ranges: [_; SIDE_BY_SIDE + 1] = std::array::from_fn(|i| match i {
            0 => x.clone(),
            _ => output(i - 1).map_or(0..0, |value| plan.activation(program, value).range),
        });
        let masked = |value: usize| program.values[value].relu;
        let masks: [_; SIDE_BY_SIDE] = std::array::from_fn(|i| {
            output(i)
                .filter(|&value| masked(value))
                .and_then(|value| plan.mask(program, value))
                .unwrap_or(0..0)
        });
        let [x, ys @ ..] = parts(&mut self.vectors, ranges);
        let ys = ys.map(Target::new);
        let relus = parts(&mut self.masks, masks).map(Target::new);
        let calls: ArrayVec<Call<'_>, SIDE_BY_SIDE> = layers
            .iter()
            .zip(&ys)
            .zip(&relus)
            .filter_map(|((&layer, y), relu)| {
                let (convs, placed) = direct(&self.forward, layer)?;
                let relu = masked(program.layers[layer].output).then_some(relu);
                let output =
                    Output { y, write: WriteMode::Overwrite, bias: true, relu, mask: None };
                Some(Call { conv: &convs[0], placed: &placed[0], x, output })
            })
            .collect();
        run(&self.executable.cx, &calls);
    }

    fn forward_layer(&mut self, index: usize) {
        let (plan, program, cx) = (&self.plan, &self.executable.program, &self.executable.cx);
        let layer = &program.layers[index];
        let input = layer.inputs[0];
        let (xp, yp) = (plan.activation(program, input), plan.activation(program, layer.output));
        let (xm, ym) = (&xp.map, &yp.map);
        let shape = plan.shapes[input];
        let mask = plan.mask(program, layer.output).filter(|_| program.values[layer.output].relu);
        if let Kind::Add = layer.kind {
            for (place, &input) in layer.inputs.iter().enumerate() {
                let write = if place == 0 { WriteMode::Overwrite } else { WriteMode::Accumulate };
                let xp = plan.activation(program, input);
                let [x, y] = parts(&mut self.vectors, [xp.range, yp.range.clone()]);
                elementwise::copy(cx, &xp.map, x, ym, y, write, None);
            }
            return;
        }
        let [x, y] = parts(&mut self.vectors, [xp.range, yp.range]);
        match &layer.kind {
            Kind::Conv(_) | Kind::Dense(_) => {
                if let Some(Prepared::Depthwise { weights, bias }) = &self.forward[index]
                    && let Some(spec) = &plan.specs[index]
                {
                    let relu = mask.is_some();
                    let mask = mask.map(|mask| &mut self.masks[mask]);
                    let geometry = &spec.geometry;
                    depthwise::forward(cx, geometry, weights, bias, relu, xm, x, ym, y, mask);
                    return;
                }
                let relu = mask.map(|mask| Target::new(&mut self.masks[mask]));
                let (y, relu) = (Target::new(y), relu.as_ref());
                let output =
                    Output { y: &y, write: WriteMode::Overwrite, bias: true, relu, mask: None };
                match &self.forward[index] {
                    Some(Prepared::Winograd(conv)) => conv.run(cx, xm, x, ym, &output),
                    Some(Prepared::Direct { convs, placed }) => {
                        run(cx, &[Call { conv: &convs[0], placed: &placed[0], x, output }]);
                    }
                    _ => unreachable!("every layer is prepared"),
                }
            }
            Kind::Relu => {
                let mask = mask.map_or(0..0, |mask| mask);
                elementwise::relu_forward(cx, xm, x, ym, y, &mut self.masks[mask]);
            }
            Kind::MaxPool(max) => {
                let argmax = &mut self.argmax[plan.argmax[index].clone()];
                pool::max_forward(cx, &geometry(&max.window, shape), xm, x, ym, y, argmax);
            }
            Kind::AveragePool(average) => {
                let padding = counted(&layer.kind, shape);
                let geometry = geometry(&average.window, shape);
                pool::average_forward(cx, &geometry, padding, xm, x, ym, y);
            }
            Kind::GlobalAveragePool => pool::global_average_forward(cx, xm, x, ym, y),
            Kind::Lrn(lrn) => lrn::forward(cx, &kernel(lrn), shape.channels, xm, x, ym, y),
            Kind::LrnMaxPool(lrn, max) => {
                let argmax = &mut self.argmax[plan.argmax[index].clone()];
                let (lrn, geometry) = (kernel(lrn), geometry(&max.window, shape));
                lrn_pool::forward(cx, &lrn, shape.channels, &geometry, xm, x, ym, y, argmax);
            }
            Kind::Affine(_) => {
                let Some(Prepared::Affine { scale, shift }) = &self.forward[index] else {
                    unreachable!("every layer is prepared")
                };
                elementwise::affine_forward(cx, scale, shift, xm, x, ym, y);
            }
            Kind::Softmax => elementwise::softmax_forward(cx, shape.channels, xm, x, ym, y),
            Kind::Copy => {
                let Some(Prepared::Copy { sources }) = &self.forward[index] else {
                    unreachable!("every layer is prepared")
                };
                elementwise::gather_channels(cx, sources, xm, x, ym, y, WriteMode::Overwrite, None);
            }
            Kind::Add => unreachable!("done above"),
        }
    }
}
