//! Bounds on what a model file says, and the words for what is beyond them.

use std::io;

use graph::Unread;

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
    Err(no_numbers(name))
}

/// Whether all are numbers. Each is looked at, so that many can be in one go.
pub(crate) fn all_finite(weights: &[f32]) -> bool {
    weights.iter().fold(true, |finite, weight| finite & weight.is_finite())
}

/// A layer's `len` weights, which were checked when the file was opened, as `read` gives them again piece by piece.
///
/// # Errors
/// If that fails, or gives others.
pub(crate) fn read_again(
    len: usize,
    read: impl FnOnce(&mut dyn FnMut(&[f32])) -> io::Result<()>,
) -> Result<Vec<f32>, Unread> {
    let mut weights = vec![0.0; len];
    let (mut at, mut finite) = (0usize, true);
    read(&mut |piece| {
        if let Some(to) = weights.get_mut(at..at + piece.len()) {
            to.copy_from_slice(piece);
        }
        at += piece.len();
        finite &= all_finite(piece);
    })
    .map_err(|error| Unread(error.to_string()))?;
    if at != len || !finite {
        return Err(Unread("they are others than when the file was opened".into()));
    }
    Ok(weights)
}

/// The error of a layer with such weights.
pub(crate) fn no_numbers(name: &str) -> ImportError {
    let problem = "there are weights that are no numbers; fetch the model again".into();
    ImportError::Layer { layer: name.into(), problem }
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
