//! AlexNet as torchvision has it (Krizhevsky 2014, "One weird trick").

use super::super::build::{Builder, Pool};
use super::super::dict::StateDict;
use crate::ImportError;

/// The places of the convolutions in `features`.
const CONVOLUTIONS: [usize; 5] = [0, 3, 6, 8, 10];

pub(super) fn fits(dict: &StateDict) -> bool {
    dict.indices("features.") == CONVOLUTIONS
        && matches!(dict.shape("features.0.weight"), [_, 3, 11, 11])
}

pub(super) fn build(b: &mut Builder<'_>) -> Result<(), ImportError> {
    let mut x = b.input();
    for (number, place) in (1..).zip(CONVOLUTIONS) {
        let name = format!("features.{place}");
        x = match number {
            1 => b.conv_padded(&name, x, 4, [2, 2])?,
            _ => b.conv(&name, x, 1)?,
        };
        b.alias(&format!("conv{number}"), x);
        x = b.relu(&format!("features.{}", place + 1), x)?;
        b.alias(&format!("relu{number}"), x);
        if [1, 2, 5].contains(&number) {
            x = b.max_pool(&format!("features.{}", place + 2), x, Pool::new(3, 2))?;
            b.alias(&format!("pool{number}"), x);
        }
    }
    super::vgg::classifier(b, x, &["classifier.1", "classifier.4", "classifier.6"])
}
