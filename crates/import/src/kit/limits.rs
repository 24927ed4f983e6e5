//! Bounds on what a model file says, and the words for what is beyond them.

use crate::ImportError;

/// The most nodes a network may have.
pub(crate) const MAX_NODES: usize = 20_000;

/// Sees that weights are numbers: weights that are made later must have been checked by who knows them.
///
/// # Errors
/// An infinite value, or none.
pub(crate) fn check_numbers(
    name: &str,
    weights: impl Iterator<Item = f32>,
) -> Result<(), ImportError> {
    // All of them, so that many can be looked at in one go.
    if weights.fold(true, |numbers, weight| numbers & weight.is_finite()) {
        return Ok(());
    }
    let problem = "there are weights that are no numbers; fetch the model again".into();
    Err(ImportError::Layer { layer: name.into(), problem })
}

/// Sees that two sizes that have to be the same are.
///
/// # Errors
/// [`ImportError::Mismatch`]
pub(crate) fn check_size(
    name: &str,
    what: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), ImportError> {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (expected.to_string(), found.to_string());
    Err(ImportError::Mismatch { layer: name.into(), what, expected, found })
}

/// Sees that a number is one that a network can have.
///
/// # Errors
/// [`ImportError::Limit`]
pub(crate) fn within(
    name: &str,
    what: &'static str,
    value: usize,
    least: usize,
    most: usize,
) -> Result<(), ImportError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let (value, least, most) = (value as u64, least as u64, most as u64);
    Err(ImportError::Limit { layer: name.into(), what, value, least, most })
}
