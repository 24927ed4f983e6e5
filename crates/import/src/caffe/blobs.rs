//! Caffe's weights: shapes old and new, single and double precision.

use std::io;

use graph::Weights;
use prost::Message;

use super::layer::Blob;
use super::proto;
use crate::content::Content;
use crate::kit::{all_finite, check_size, no_numbers, read_again};
use crate::{ImportError, wire};

/// An array of weights, its values where they lie.
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    stored: Stored,
}

#[derive(Clone)]
enum Stored {
    /// One by one in the message, as hardly any program writes them.
    Listed(Vec<f32>),
    /// One after another in the file, of so many bytes each.
    Packed(Vec<Content>, usize),
}

impl Stored {
    fn len(&self) -> usize {
        match self {
            Self::Listed(values) => values.len(),
            Self::Packed(parts, size) => parts.iter().map(|part| part.len() / size).sum(),
        }
    }

    /// Gives all values to `f`, as many at a time as are in memory at once.
    fn each_piece(&self, mut f: impl FnMut(&[f32])) -> io::Result<()> {
        match self {
            Self::Listed(values) => f(values),
            Self::Packed(parts, size) => {
                for part in parts {
                    part.each_piece(*size, |piece| f(&numbers(*size, piece)))?;
                }
            }
        }
        Ok(())
    }

    fn values(&self) -> io::Result<Vec<f32>> {
        let mut values = Vec::with_capacity(self.len());
        self.each_piece(|piece| values.extend_from_slice(piece))?;
        Ok(values)
    }
}

/// Numbers of so many bytes.
fn numbers(size: usize, bytes: &[u8]) -> Vec<f32> {
    match size {
        8 => bytes.as_chunks().0.iter().map(|&x| f64::from_le_bytes(x) as f32).collect(),
        _ => bytes.as_chunks().0.iter().map(|&x| f32::from_le_bytes(x)).collect(),
    }
}

/// Unpacks a layer's weights.
///
/// # Errors
/// Another number of values than the shape says.
pub(super) fn unpack(layer: &str, blob: &Blob) -> Result<Array, ImportError> {
    let problem = |problem: String| ImportError::Layer { layer: layer.into(), problem };
    let damaged = |why: &str| problem(format!("its weights are damaged: {why}"));
    let file = &blob.file;
    let blob =
        proto::Blob::decode(blob.message.clone()).map_err(|error| damaged(&error.to_string()))?;
    let dims = match &blob.shape {
        Some(shape) => shape.dim.clone(),
        None => vec![blob.num, blob.channels, blob.height, blob.width],
    };
    let shape: Vec<usize> = dims
        .iter()
        .map(|&size| usize::try_from(size).ok())
        .collect::<Option<_>>()
        .ok_or_else(|| problem(format!("its weights have the shape {dims:?}")))?;
    let count = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    // Sizes that stand beside a 0 would be bounded by nothing.
    let count = count.filter(|&count| count > 0);
    let count = count.ok_or_else(|| problem(format!("its weights have the shape {dims:?}")))?;
    let packed = |places: &[prost::bytes::Bytes], size: usize| {
        let part = |place| wire::place(place, file).filter(|part| part.len() % size == 0);
        let parts: Option<Vec<Content>> = places.iter().map(|place| part(place)).collect();
        parts.map(|parts| Stored::Packed(parts, size)).ok_or_else(|| damaged("they break off"))
    };
    let stored = match (blob.data.is_empty(), blob.double_data.is_empty()) {
        (true, _) if !blob.packed.is_empty() => packed(&blob.packed, size_of::<f32>())?,
        (true, true) => packed(&blob.packed_doubles, size_of::<f64>())?,
        (true, false) => Stored::Listed(blob.double_data.iter().map(|&x| x as f32).collect()),
        (false, _) if !blob.packed.is_empty() => return Err(damaged("they are in two forms")),
        (false, _) => Stored::Listed(blob.data),
    };
    check_size(layer, "the number of weights", count, stored.len())?;
    Ok(Array { shape, stored })
}

impl Array {
    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.stored.len()
    }

    /// All values.
    ///
    /// # Errors
    /// If the file does not give them any more.
    pub(super) fn values(&self, layer: &str) -> Result<Vec<f32>, ImportError> {
        self.stored.values().map_err(|error| ImportError::unread(layer, &error))
    }

    /// All values as a layer's weights, read when they are needed.
    ///
    /// # Errors
    /// What is no number.
    pub(super) fn weights(&self, layer: &str) -> Result<Weights, ImportError> {
        let (stored, mut finite) = (self.stored.clone(), true);
        stored
            .each_piece(|piece| finite &= all_finite(piece))
            .map_err(|error| ImportError::unread(layer, &error))?;
        if !finite {
            return Err(no_numbers(layer));
        }
        let len = self.len();
        Ok(Weights::later(len, move || read_again(len, |f| stored.each_piece(f))))
    }

    /// The last `N` sizes; those before have to be 1, and those missing are.
    pub(super) fn sizes<const N: usize>(&self, layer: &str) -> Result<[usize; N], ImportError> {
        let mut sizes = [1; N];
        let extra = self.shape.len().saturating_sub(N);
        let (before, last) = self.shape.split_at(extra);
        if before.iter().any(|&size| size != 1) {
            return Err(ImportError::Mismatch {
                layer: layer.into(),
                what: "the shape of its weights",
                expected: format!("of {N} dimensions"),
                found: format!("{:?}", self.shape),
            });
        }
        sizes[N - last.len()..].copy_from_slice(last);
        Ok(sizes)
    }
}
