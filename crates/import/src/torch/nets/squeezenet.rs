//! SqueezeNet 1.0 and 1.1 as torchvision has them (Iandola et al. 2016).

use super::super::build::{Builder, Pool};
use super::super::dict::StateDict;
use crate::ImportError;

pub(super) fn fits(dict: &StateDict) -> bool {
    dict.has("features.3.squeeze.weight")
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let places = b.dict.indices("features.");
    let mut x = b.input();
    for (index, &place) in places.iter().enumerate() {
        let name = format!("features.{place}");
        let mut at = place;
        if index == 0 {
            x = b.valid(&name, x, 2)?;
            at += 1;
            x = b.relu(&format!("features.{at}"), x)?;
        } else {
            let mut part = |part: &str, x| -> Result<_, ImportError> {
                let conv = b.conv(&format!("{name}.{part}"), x, 1)?;
                b.relu(&format!("{name}.{part}_activation"), conv)
            };
            let squeezed = part("squeeze", x)?;
            let (ones, threes) = (part("expand1x1", squeezed)?, part("expand3x3", squeezed)?);
            x = b.concat(&name, &[ones, threes])?;
        }
        // Where a place is left out, there is a pool.
        if places.get(index + 1).is_some_and(|&next| next > at + 1) {
            x = b.max_pool(&format!("features.{}", at + 1), x, Pool::new(3, 2).up())?;
        }
    }
    if b.dict.has("classifier.1.weight") {
        x = b.conv("classifier.1", x, 1)?;
        x = b.relu("classifier.2", x)?;
        b.global_average("classifier.3", x)?;
    }
    Ok(())
}
