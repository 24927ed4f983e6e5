//! Caffe's weights: shapes old and new, single and double precision.

use prost::Message;
use prost::bytes::Bytes;

use super::proto::Blob;
use crate::ImportError;
use crate::kit::check_size;

/// Weights with their shape.
pub(super) struct Weights {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// Unpacks a layer's weights.
///
/// # Errors
/// Another number of values than the shape says.
pub(super) fn unpack(layer: &str, bytes: &Bytes) -> Result<Weights, ImportError> {
    let problem = |problem: String| ImportError::Layer { layer: layer.into(), problem };
    let blob = Blob::decode(bytes.clone())
        .map_err(|error| problem(format!("its weights are damaged: {error}")))?;
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
    let values = if blob.data.is_empty() {
        blob.double_data.iter().map(|&x| x as f32).collect()
    } else {
        blob.data
    };
    check_size(layer, "the number of weights", count, values.len())?;
    Ok(Weights { shape, values })
}

impl Weights {
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
