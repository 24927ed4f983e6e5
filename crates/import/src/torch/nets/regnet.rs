//! RegNet X and Y as torchvision has them (Radosavovic et al. 2020): blocks with groups, and in Y a gate.

use graph::{NodeId, Op, Unary};

use super::super::blocks::Gate;
use super::super::build::Builder;
use super::super::dict::StateDict;
use crate::ImportError;

pub(super) fn fits(dict: &StateDict) -> bool {
    dict.has("trunk_output.block1.block1-0.f.a.0.weight") && dict.has("stem.0.weight")
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let mut x = b.input();
    x = b.unit("stem", x, 2, Some(Op::Relu))?;
    for group in 1..=4 {
        let name = format!("trunk_output.block{group}");
        let blocks = b.dict.indices(&format!("{name}.block{group}-"));
        for (index, place) in blocks.into_iter().enumerate() {
            let stride = if index == 0 { 2 } else { 1 };
            x = block(b, &format!("{name}.block{group}-{place}"), x, stride)?;
        }
        b.alias(&name, x);
    }
    x = b.global_average("avgpool", x)?;
    b.linear("fc", x).map(drop)
}

fn block(
    b: &mut Builder<'_>,
    name: &str,
    input: NodeId,
    stride: usize,
) -> Result<NodeId, ImportError> {
    let mut x = b.unit(&format!("{name}.f.a"), input, 1, Some(Op::Relu))?;
    x = b.unit(&format!("{name}.f.b"), x, stride, Some(Op::Relu))?;
    if b.dict.has(&format!("{name}.f.se.fc1.weight")) {
        let gate = Gate { inner: Op::Relu, outer: Unary::Sigmoid };
        x = b.gated(&format!("{name}.f.se"), x, gate)?;
    }
    x = b.unit(&format!("{name}.f.c"), x, 1, None)?;
    b.alias(&format!("{name}.f"), x);
    let mut shortcut = input;
    if b.dict.has(&format!("{name}.proj.0.weight")) {
        shortcut = b.unit(&format!("{name}.proj"), input, stride, None)?;
    }
    x = b.add(&format!("{name}.add"), shortcut, x)?;
    b.relu(name, x)
}
