//! What a recipe names and does not hold: its guides and the masks of its regions, decoded. Whoever knows files finds
//! them.

use std::collections::BTreeMap;

use graph::Tensor;

/// Decoded files of a recipe, by the names that it gives them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assets {
    /// For each guide its picture as [`Guide::picture`](crate::Guide::picture) has it: RGB, 0–255.
    pub guides: BTreeMap<String, Tensor>,
    /// For each region its mask as [`Region::map`](crate::Region::map) has it: one channel, 0–1, of any size
    /// that has the picture's proportions.
    pub masks: BTreeMap<String, Tensor>,
}
