//! Attention, and what puts pixels in a row and tells them where they are.

use kernels::attention::{self, Input};
use kernels::broadcast::Operand;
use kernels::{Destination, MapMut, MapRef, WriteMode, elementwise, sum, tokens};

use super::{CpuSession, Prepared, parts, written_and_read};
use crate::plan::heads;
use crate::program::Kind;

/// Whether a layer of this kind runs here.
pub(super) fn is(kind: &Kind) -> bool {
    matches!(kind, Kind::Attention(_) | Kind::Tokens(_) | Kind::PositionEmbedding(_))
}

impl CpuSession {
    pub(super) fn forward_transformer(&mut self, index: usize) {
        let (plan, program, cx) = (&self.plan, &self.executable.program, &self.executable.cx);
        let layer = &program.layers[index];
        let yp = plan.activation(program, layer.output);
        let xp = plan.activation(program, layer.inputs[0]);
        match (&layer.kind, &self.forward[index]) {
            (Kind::Attention(attention), _) => {
                let inputs = [0, 1, 2].map(|place| plan.activation(program, layer.inputs[place]));
                let heads = heads(*attention, [0, 1, 2].map(|i| plan.shapes[layer.inputs[i]]));
                let ranges = inputs.each_ref().map(|part| part.range.clone());
                let (y, read) = written_and_read(&mut self.vectors, yp.range, ranges);
                let inputs = [0, 1, 2].map(|i| MapRef::new(inputs[i].map, read[i]));
                attention::forward(cx, &heads, inputs, MapMut::new(yp.map, y));
            }
            (Kind::Tokens(_), Some(Prepared::Before { pixels })) => {
                let [x, y] = parts(&mut self.vectors, [xp.range, yp.range]);
                tokens::forward(cx, pixels, MapRef::new(xp.map, x), MapMut::new(yp.map, y));
            }
            (Kind::PositionEmbedding(_), Some(Prepared::Added { map, vectors, live })) => {
                let [x, y] = parts(&mut self.vectors, [xp.range, yp.range]);
                let operand = |map| Operand { map, one_channel: false };
                let x = operand(MapRef::new(xp.map, x));
                let added = operand(MapRef::new(*map, vectors));
                let y = MapMut::new(yp.map, y);
                sum::forward(cx, live, (x, Some(added)), WriteMode::Overwrite, y, None);
            }
            _ => unreachable!("every layer is prepared"),
        }
    }

    pub(super) fn backward_transformer(&mut self, step: usize, index: usize) {
        let (plan, program, cx) = (&self.plan, &self.executable.program, &self.executable.cx);
        let (number, contributions) = &plan.backward[step].layers()[index];
        let layer = &program.layers[*number];
        let dyp = plan.gradient(program, layer.output);
        if let Kind::Attention(attention) = layer.kind {
            let heads = heads(attention, [0, 1, 2].map(|i| plan.shapes[layer.inputs[i]]));
            let inputs = [0, 1, 2].map(|place| plan.activation(program, layer.inputs[place]));
            let inputs = inputs.map(|part| MapRef::new(part.map, &self.vectors[part.range]));
            let dy = MapRef::new(dyp.map, &self.vectors[dyp.range]);
            let mut gradients = attention::backward(cx, &heads, inputs, dy);
            let which = [Input::Queries, Input::Keys, Input::Values];
            for ((&input, &given), which) in layer.inputs.iter().zip(contributions).zip(which) {
                let dxp = plan.gradient(program, input);
                let mask = plan.completing(program, input, given).map(|mask| &self.masks[mask]);
                let dx = MapMut::new(dxp.map, &mut self.vectors[dxp.range]);
                gradients.write(cx, which, Destination::new(dx, given.mode, mask));
            }
            return;
        }
        let (input, given) = (layer.inputs[0], contributions[0]);
        let dxp = plan.gradient(program, input);
        let mask = plan.completing(program, input, given).map(|mask| &self.masks[mask]);
        let [dy, dx] = parts(&mut self.vectors, [dyp.range, dxp.range]);
        let dy = MapRef::new(dyp.map, dy);
        let dx = Destination::new(MapMut::new(dxp.map, dx), given.mode, mask);
        match &layer.kind {
            Kind::Tokens(of) => tokens::backward(cx, of.count(), dy, dx),
            _ => elementwise::copy(cx, dy, dx),
        }
    }
}
