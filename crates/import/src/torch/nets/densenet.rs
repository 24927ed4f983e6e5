//! DenseNet as torchvision has it (Huang et al. 2016): each layer reads all before it in its block.

use super::super::build::{Builder, Pool};
use super::super::dict::StateDict;
use crate::ImportError;

pub(super) fn fits(dict: &StateDict) -> bool {
    dict.has("features.denseblock1.denselayer1.norm1.weight")
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let mut x = b.input();
    x = b.conv("features.conv0", x, 2)?;
    x = b.norm("features.norm0", x)?;
    x = b.relu("features.relu0", x)?;
    x = b.max_pool("features.pool0", x, Pool::new(3, 2).padded(1))?;
    for block in 1.. {
        let name = format!("features.denseblock{block}");
        let layers = b.dict.indices(&format!("{name}.denselayer"));
        if layers.is_empty() {
            break;
        }
        for (index, layer) in layers.iter().enumerate() {
            let layer_name = format!("{name}.denselayer{layer}");
            let mut y = x;
            for part in 1..=2 {
                y = b.norm(&format!("{layer_name}.norm{part}"), y)?;
                y = b.relu(&format!("{layer_name}.relu{part}"), y)?;
                y = b.conv(&format!("{layer_name}.conv{part}"), y, 1)?;
            }
            b.alias(&layer_name, y);
            let last = index + 1 == layers.len();
            let joined = if last { name.clone() } else { format!("{layer_name}.concat") };
            x = b.concat(&joined, &[x, y])?;
        }
        let transition = format!("features.transition{block}");
        if b.dict.has(&format!("{transition}.conv.weight")) {
            x = b.norm(&format!("{transition}.norm"), x)?;
            x = b.relu(&format!("{transition}.relu"), x)?;
            x = b.conv(&format!("{transition}.conv"), x, 1)?;
            x = b.average_pool(&format!("{transition}.pool"), x, Pool::new(2, 2))?;
            b.alias(&transition, x);
        }
    }
    x = b.norm("features.norm5", x)?;
    x = b.relu("relu", x)?;
    x = b.global_average("avgpool", x)?;
    b.linear("classifier", x).map(drop)
}
