//! MobileNetV3, large and small, as torchvision has it (Howard et al. 2019).

use graph::{Op, Unary};

use super::super::blocks::{Gate, Inverted};
use super::super::build::Builder;
use super::super::dict::StateDict;
use crate::ImportError;

/// What of the two sizes the weights do not say.
struct Plan {
    /// The blocks that halve the size; the first convolution does so too.
    halving: &'static [usize],
    /// The first block with hard-swish instead of ReLU.
    swish_from: usize,
}

const LARGE: Plan = Plan { halving: &[2, 4, 7, 13], swish_from: 7 };
const SMALL: Plan = Plan { halving: &[1, 2, 4, 9], swish_from: 4 };

/// The place of the last convolution of the large one; the small one ends before.
const LAST_OF_LARGE: usize = 16;

pub(super) fn fits(dict: &StateDict) -> bool {
    dict.has("features.1.block.0.0.weight")
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let places = b.dict.indices("features.");
    let plan = if places.contains(&LAST_OF_LARGE) { LARGE } else { SMALL };
    let swish = Op::Unary(Unary::HardSwish);
    let mut x = b.input();
    for place in places {
        let name = format!("features.{place}");
        let stride = if place == 0 || plan.halving.contains(&place) { 2 } else { 1 };
        x = if b.dict.has(&format!("{name}.block.0.0.weight")) {
            let activation = if place >= plan.swish_from { swish.clone() } else { Op::Relu };
            let outer = Unary::HardSigmoid { alpha: 1.0 / 6.0, beta: 0.5 };
            let gate = Gate { inner: Op::Relu, outer };
            b.inverted(&name, x, Inverted { stride, activation, gate })?
        } else {
            b.unit(&name, x, stride, Some(swish.clone()))?
        };
    }
    x = b.global_average("avgpool", x)?;
    let Some(dense) = b.linear("classifier.0", x)? else { return Ok(()) };
    x = b.op("classifier.1", swish, &[dense])?;
    b.linear("classifier.3", x).map(drop)
}
