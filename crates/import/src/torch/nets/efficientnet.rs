//! EfficientNet B0 to B7 and V2 as torchvision has them (Tan and Le 2019, 2021).

use graph::{InputSpec, Op, Unary};

use super::super::blocks::{Gate, Inverted};
use super::super::build::Builder;
use super::super::dict::StateDict;
use crate::ImportError;
use crate::statistics::{IMAGENET, INCEPTION};

/// The strides of the stages' first blocks.
const STRIDES: [usize; 7] = [1, 2, 2, 2, 1, 2, 1];

pub(super) fn fits(dict: &StateDict) -> bool {
    dict.has("features.1.0.block.0.0.weight")
}

/// Whether the first stages have plain convolutions: version 2.
fn is_second(dict: &StateDict) -> bool {
    matches!(dict.shape("features.1.0.block.0.0.weight"), &[_, inputs, ..] if inputs > 1)
}

fn blocks_of_first_stage(dict: &StateDict) -> usize {
    dict.indices("features.1.").len()
}

/// B5 to B7, known by their depth, and version 2 add more to the variance than the others.
pub(super) fn epsilon(dict: &StateDict) -> f32 {
    if is_second(dict) || blocks_of_first_stage(dict) >= 3 { 1e-3 } else { 1e-5 }
}

/// The largest of version 2 is the only one that wants colours from −1 to 1.
pub(super) fn input(dict: &StateDict) -> InputSpec {
    if is_second(dict) && blocks_of_first_stage(dict) >= 4 { INCEPTION } else { IMAGENET }
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let silu = Op::Unary(Unary::Silu);
    let mut x = b.input();
    for place in b.dict.indices("features.") {
        let name = format!("features.{place}");
        let strides = STRIDES.get(place.wrapping_sub(1));
        if !b.dict.has(&format!("{name}.0.block.0.0.weight")) {
            x = b.unit(&name, x, if place == 0 { 2 } else { 1 }, Some(silu.clone()))?;
            continue;
        }
        for (index, block) in b.dict.indices(&format!("{name}.")).into_iter().enumerate() {
            let stride = if index == 0 { strides.copied().unwrap_or(1) } else { 1 };
            let gate = Gate { inner: silu.clone(), outer: Unary::Sigmoid };
            let inverted = Inverted { stride, activation: silu.clone(), gate };
            x = b.inverted(&format!("{name}.{block}"), x, inverted)?;
        }
        b.alias(&name, x);
    }
    x = b.global_average("avgpool", x)?;
    b.linear("classifier.1", x).map(drop)
}
