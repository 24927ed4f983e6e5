//! Network in Network (Lin, Chen and Yan 2013), as neural-dream has Caffe's weights.

use graph::{InputSpec, Op};

use super::super::build::{Builder, Pool};
use super::super::dict::StateDict;
use crate::{CAFFE_INPUT, ImportError};

/// The places of the convolutions in `features`, a ReLU behind each; a pool ends each group but the last.
const GROUPS: [[usize; 3]; 4] = [[0, 2, 4], [7, 9, 11], [14, 16, 18], [22, 24, 26]];

pub(super) fn fits(dict: &StateDict) -> bool {
    matches!(dict.shape("features.0.weight"), [_, 3, 11, 11])
        && dict.indices("features.") == GROUPS.as_flattened()
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let mut x = b.input();
    for (index, places) in GROUPS.iter().enumerate() {
        for &place in places {
            let name = format!("features.{place}");
            x = if place == 0 { b.valid(&name, x, 4)? } else { b.conv(&name, x, 1)? };
            x = b.relu(&format!("features.{}", place + 1), x)?;
            b.alias(&format!("relu{}", index * 3 + (place - places[0]) / 2), x);
        }
        if index < 3 {
            x = b.max_pool(&format!("features.{}", places[2] + 2), x, Pool::new(3, 2).up())?;
        }
    }
    x = b.global_average("pool", x)?;
    b.op("prob", Op::Softmax, &[x]).map(drop)
}

pub(super) fn input(_: &StateDict) -> InputSpec {
    CAFFE_INPUT
}
