//! One step of the forward pass.

use arrayvec::ArrayVec;
use kernels::conv::{Call, Output, SharedMap, SharedMask, run};
use kernels::{
    Destination, MapMut, MapRef, Relu, WriteMode, depthwise, elementwise, lrn, lrn_pool, pool,
    resample, shuffle,
};

use super::{
    CpuSession, Prepared, counted, direct, kernel, max_pool, parts, pointwise, transformer, views,
};
use crate::order::SIDE_BY_SIDE;
use crate::program::Kind;

impl CpuSession {
    pub(super) fn forward_step(&mut self, step: usize) {
        let layers = &self.plan.forward[step];
        if let Some(strips) = self.executable.program.strips(layers.iter().copied()) {
            self.forward_strips(strips);
        } else if layers.iter().all(|&layer| direct(&self.forward, layer).is_some()) {
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
        let x = plan.activation(program, program.layers[layers[0]].inputs[0]);
        let ranges: [_; SIDE_BY_SIDE + 1] = std::array::from_fn(|i| match i {
            0 => x.range.clone(),
            _ => output(i - 1).map_or(0..0, |value| plan.activation(program, value).range),
        });
        let most = |value: usize| program.values[value].relu;
        let masks: [_; SIDE_BY_SIDE] = std::array::from_fn(|i| {
            output(i)
                .filter(|&value| most(value).is_some())
                .and_then(|value| plan.mask(program, value))
                .unwrap_or(0..0)
        });
        let [xs, ys @ ..] = parts(&mut self.vectors, ranges);
        let ys: ArrayVec<SharedMap<'_>, SIDE_BY_SIDE> = layers
            .iter()
            .zip(ys)
            .map(|(&layer, y)| {
                let map = plan.activation(program, program.layers[layer].output).map;
                SharedMap::new(MapMut::new(map, y))
            })
            .collect();
        let relu_masks = parts(&mut self.masks, masks);
        let relu_masks: ArrayVec<Option<SharedMask<'_>>, SIDE_BY_SIDE> = layers
            .iter()
            .zip(relu_masks)
            .map(|(&layer, mask)| {
                let relu = most(program.layers[layer].output);
                relu.map(|most| SharedMask::new(Relu { mask, most }))
            })
            .collect();
        let x = MapRef::new(x.map, xs);
        let calls: ArrayVec<Call<'_>, SIDE_BY_SIDE> = layers
            .iter()
            .zip(&ys)
            .zip(&relu_masks)
            .filter_map(|((&layer, y), relu_mask)| {
                let output = activation(y, relu_mask.as_ref());
                Some(Call::new(&direct(&self.forward, layer)?[0], x, output))
            })
            .collect();
        run(&self.executable.cx, &calls);
    }

    fn forward_layer(&mut self, index: usize) {
        let (plan, program, cx) = (&self.plan, &self.executable.program, &self.executable.cx);
        let layer = &program.layers[index];
        let input = layer.inputs[0];
        let (xp, yp) = (plan.activation(program, input), plan.activation(program, layer.output));
        let shape = plan.shapes[input];
        let relu = program.values[layer.output].relu.zip(plan.mask(program, layer.output));
        if pointwise::is(&layer.kind) {
            self.forward_pointwise(index);
            return;
        }
        if transformer::is(&layer.kind) {
            self.forward_transformer(index);
            return;
        }
        let argmax = &mut self.argmax[plan.argmax[index].clone()];
        if let Some(window) = plan.windows[index].as_ref().filter(|_| xp.range == yp.range) {
            let x = MapMut::new(xp.map, &mut self.vectors[xp.range]);
            pool::max_forward_in_place(cx, &max_pool(&layer.kind, window), x, argmax);
            return;
        }
        let quantised = plan.quantised(input).filter(|_| matches!(layer.kind, Kind::Lrn(_)));
        let kept = quantised.map_or(0..0, |quantised| quantised.range());
        let [x, y, kept] = parts(&mut self.vectors, [xp.range, yp.range, kept]);
        let (x, y) = (MapRef::new(xp.map, x), MapMut::new(yp.map, y));
        let relu = relu.map(|(most, mask)| Relu { mask: &mut self.masks[mask], most });
        match (&layer.kind, &self.forward[index], &plan.windows[index]) {
            (_, Some(Prepared::Winograd(conv)), _) => {
                let (y, relu_mask) = (SharedMap::new(y), relu.map(SharedMask::new));
                conv.run(cx, x, &activation(&y, relu_mask.as_ref()));
            }
            (_, Some(Prepared::Direct(phases)), _) => {
                let (y, relu_mask) = (SharedMap::new(y), relu.map(SharedMask::new));
                run(cx, &[Call::new(&phases[0], x, activation(&y, relu_mask.as_ref()))]);
            }
            (_, Some(Prepared::Depthwise(conv)), _) => {
                let spec = plan.specs[index].as_ref().expect("it is a convolution");
                depthwise::forward(cx, &spec.geometry, &conv.weights, &conv.bias, x, y, relu);
            }
            (_, Some(Prepared::Affine { scale, shift }), _) => {
                elementwise::affine_forward(cx, scale, shift, x, y);
            }
            (_, Some(Prepared::Copy { sources }), _) => {
                elementwise::gather_channels(cx, &sources[0], x, Destination::overwrite(y));
            }
            (Kind::DepthToSpace(by), Some(Prepared::Shuffle { sources }), _) => {
                shuffle::depth_to_space(cx, by.block, sources, x, Destination::overwrite(y));
            }
            (Kind::SpaceToDepth(by), Some(Prepared::Shuffle { sources }), _) => {
                shuffle::space_to_depth(cx, by.block, sources, x, Destination::overwrite(y));
            }
            (_, Some(Prepared::Resample { taps, fill }), _) => {
                resample::resample(cx, views(taps), fill, x, Destination::overwrite(y));
            }
            (Kind::Relu, ..) => {
                elementwise::relu_forward(cx, x, y, relu.expect("a ReLU has a mask"));
            }
            (Kind::MaxPool(_) | Kind::ReluMaxPool(..) | Kind::GlobalMaxPool, _, Some(window)) => {
                pool::max_forward(cx, &max_pool(&layer.kind, window), x, y, argmax);
            }
            (Kind::AveragePool(_), _, Some(window)) => {
                let padding = counted(&layer.kind, shape);
                pool::average_forward(cx, window, padding, x, y);
            }
            (Kind::GlobalAveragePool, ..) => pool::global_average_forward(cx, x, y),
            (Kind::Lrn(lrn), ..) => {
                let lrn = kernel(lrn, shape.channels);
                match quantised {
                    Some(quantised) => lrn::forward_keeping(cx, &lrn, x, y, (quantised.map, kept)),
                    None => lrn::forward(cx, &lrn, x, y),
                }
            }
            (Kind::LrnMaxPool(lrn, _), _, Some(window)) => {
                let lrn = kernel(lrn, shape.channels);
                lrn_pool::forward(cx, &lrn, window, x, y, argmax);
            }
            (Kind::Softmax, ..) => elementwise::softmax_forward(cx, shape.channels, x, y),
            _ => unreachable!("every layer is prepared, and sums are done above"),
        }
    }
}

/// Where a convolution's activation goes.
fn activation<'a>(y: &'a SharedMap<'a>, relu_mask: Option<&'a SharedMask<'a>>) -> Output<'a> {
    Output { y, mode: WriteMode::Overwrite, bias: true, relu_mask, mask: None }
}
