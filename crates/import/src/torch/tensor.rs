//! PyTorch's tensors: numbers of several types, seen through offsets and strides into a shared storage.

use std::io;

use graph::Weights;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use half::{bf16, f16};

use crate::content::Content;
use crate::kit::{MAX_GROWN, all_finite, no_numbers, read_again};
use crate::{ImportError, kit};

/// The most dimensions of a tensor.
const MAX_RANK: usize = 8;

/// How many times as far as they would reach in a row the numbers of a tensor may reach in its storage.
const SCATTERED: usize = 16;

/// The types of numbers that weights have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dtype {
    F16,
    Bf16,
    F32,
    F64,
    /// Whole numbers and truths, which are counted but never weights; of so many bytes.
    Other(usize),
}

impl Dtype {
    /// By what PyTorch calls the storage (`FloatStorage`) or the type (`float32`).
    pub(super) fn of_torch(name: &str) -> Option<Self> {
        let name = name.rsplit('.').next().unwrap_or_default();
        let name = name.trim_end_matches("Storage").trim_end_matches("Tensor");
        Some(match name {
            "Half" | "float16" => Self::F16,
            "BFloat16" | "bfloat16" => Self::Bf16,
            "Float" | "float32" => Self::F32,
            "Double" | "float64" => Self::F64,
            "Long" | "int64" | "ComplexFloat" | "complex64" => Self::Other(8),
            "Int" | "int32" | "QInt32" | "qint32" => Self::Other(4),
            "Short" | "int16" => Self::Other(2),
            "ComplexDouble" | "complex128" => Self::Other(16),
            "Char" | "int8" | "Byte" | "uint8" | "Bool" | "bool" | "QInt8" | "QUInt8"
            | "Untyped" => Self::Other(1),
            _ => return None,
        })
    }

    /// Bytes of one number.
    pub(super) fn size(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Other(size) => size,
        }
    }
}

/// A tensor's numbers, still as the file has them.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    dtype: Dtype,
    /// The whole storage.
    storage: Content,
    big_endian: bool,
    /// In numbers, not bytes.
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

/// A storage: its numbers' type, their bytes and the order of these.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    pub(super) dtype: Dtype,
    pub(super) content: Content,
    pub(super) big_endian: bool,
}

impl Tensor {
    /// A part of a storage.
    ///
    /// # Errors
    /// One that lies beyond the storage, or repeats its numbers more often than any layer would.
    pub(super) fn new(
        storage: Storage,
        offset: usize,
        shape: Vec<usize>,
        strides: Vec<usize>,
    ) -> Result<Self, String> {
        let Storage { dtype, content: storage, big_endian } = storage;
        let wrong = || format!("a tensor of shape {shape:?} does not fit into its storage");
        if shape.len() > MAX_RANK || shape.len() != strides.len() {
            return Err(wrong());
        }
        let count = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size));
        let count = count.ok_or_else(wrong)?;
        let stored = storage.len() / dtype.size();
        if count > 0 {
            let steps = shape.iter().zip(&strides).try_fold(offset, |last, (&size, &stride)| {
                (size - 1).checked_mul(stride).and_then(|step| last.checked_add(step))
            });
            if steps.is_none_or(|last| last >= stored) || count > stored.max(MAX_GROWN) {
                return Err(wrong());
            }
        }
        Ok(Self { dtype, storage, big_endian, offset, shape, strides })
    }

    /// A tensor that is its storage, row by row.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn whole(storage: Storage, shape: Vec<usize>) -> Result<Self, String> {
        let strides = row_by_row(&shape);
        Self::new(storage, 0, shape, strides)
    }

    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether its numbers can be weights.
    pub(super) fn is_real(&self) -> bool {
        !matches!(self.dtype, Dtype::Other(_))
    }

    /// Its numbers in order of its axes.
    ///
    /// # Errors
    /// If the file does not give them any more.
    pub(super) fn values(&self) -> io::Result<Vec<f32>> {
        let mut values = Vec::with_capacity(self.len());
        self.each_piece(|numbers| values.extend_from_slice(numbers))?;
        Ok(values)
    }

    /// Gives all of its numbers to `f`, as many at a time as are in memory at once.
    fn each_piece(&self, mut f: impl FnMut(&[f32])) -> io::Result<()> {
        let (size, (dtype, big_endian)) = (self.dtype.size(), (self.dtype, self.big_endian));
        let in_a_row = row_by_row(&self.shape);
        let mut steps = self.strides.iter().zip(in_a_row).zip(&self.shape);
        if self.len() > 1 && !steps.all(|((&own, step), &size)| size == 1 || own == step) {
            f(&numbers(dtype, &self.gathered()?, big_endian));
            return Ok(());
        }
        let start = self.offset.saturating_mul(size).min(self.storage.len());
        let end = (start + self.len() * size).min(self.storage.len());
        let stored = self.storage.slice(start..end);
        stored.each_piece(size, |piece| f(&numbers(dtype, piece, big_endian)))
    }

    /// Its numbers' bytes, one number after another.
    fn gathered(&self) -> io::Result<Vec<u8>> {
        let size = self.dtype.size();
        let steps = self.shape.iter().zip(&self.strides).map(|(size, stride)| (size - 1) * stride);
        let span = (steps.sum::<usize>() + 1) * size;
        if span > SCATTERED * self.len() * size + MAX_GROWN {
            return Err(io::Error::other("they lie scattered over the file"));
        }
        let start = self.offset * size;
        let storage = self.storage.slice(start..start + span).read()?;
        let mut bytes = Vec::with_capacity(self.len() * size);
        let mut index = vec![0usize; self.shape.len()];
        for _ in 0..self.len() {
            let place = index.iter().zip(&self.strides).map(|(i, stride)| i * stride);
            let at = place.sum::<usize>() * size;
            bytes.extend_from_slice(&storage[at..at + size]);
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                if index[axis] < self.shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
        Ok(bytes)
    }

    /// Whether all of its numbers are finite.
    ///
    /// # Errors
    /// As [`Self::values`].
    pub(super) fn is_finite(&self) -> io::Result<bool> {
        let mut finite = true;
        self.each_piece(|numbers| finite &= all_finite(numbers))?;
        Ok(finite)
    }

    /// The numbers as a layer's weights, made once they are needed.
    ///
    /// # Errors
    /// What is no number.
    pub(super) fn weights(&self, layer: &str) -> Result<Weights, ImportError> {
        if !self.is_finite().map_err(|error| ImportError::unread(layer, &error))? {
            return Err(no_numbers(layer));
        }
        let (len, tensor) = (self.len(), self.clone());
        Ok(Weights::later(len, move || read_again(len, |f| tensor.each_piece(f))))
    }

    /// The numbers of a layer's vector of `length`.
    ///
    /// # Errors
    /// Another length.
    pub(super) fn vector(
        &self,
        layer: &str,
        what: &'static str,
        length: usize,
    ) -> Result<Vec<f32>, ImportError> {
        kit::check_size(layer, what, length, self.len())?;
        self.values().map_err(|error| ImportError::unread(layer, &error))
    }
}

fn row_by_row(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis].max(1));
    }
    strides
}

/// Bytes as numbers, rounded to single precision.
fn numbers(dtype: Dtype, bytes: &[u8], big_endian: bool) -> Vec<f32> {
    fn all<const N: usize>(bytes: &[u8], turned: bool) -> impl Iterator<Item = [u8; N]> {
        bytes.as_chunks::<N>().0.iter().map(move |&number| {
            let mut number = number;
            if turned {
                number.reverse();
            }
            number
        })
    }
    match dtype {
        Dtype::F32 => all(bytes, big_endian).map(f32::from_le_bytes).collect(),
        Dtype::F64 => all(bytes, big_endian).map(|x| f64::from_le_bytes(x) as f32).collect(),
        Dtype::F16 | Dtype::Bf16 => {
            let bits: Vec<u16> = all(bytes, big_endian).map(u16::from_le_bytes).collect();
            // All at once uses the processor's own conversion.
            if dtype == Dtype::F16 {
                bits.reinterpret_cast::<f16>().to_f32_vec()
            } else {
                bits.reinterpret_cast::<bf16>().to_f32_vec()
            }
        }
        Dtype::Other(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(dtype: Dtype, bytes: Vec<u8>) -> Storage {
        Storage { dtype, content: bytes.into(), big_endian: false }
    }

    fn six() -> Storage {
        storage(Dtype::F32, (0..6).flat_map(|i| (i as f32).to_le_bytes()).collect())
    }

    #[test]
    fn strides_and_offsets_are_followed() {
        let plain = Tensor::whole(six(), vec![2, 3]).unwrap();
        assert_eq!(plain.values().unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let turned = Tensor::new(six(), 0, vec![3, 2], vec![1, 3]).unwrap();
        assert_eq!(turned.values().unwrap(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        let part = Tensor::new(six(), 4, vec![2], vec![1]).unwrap();
        assert_eq!(part.values().unwrap(), [4.0, 5.0]);
        assert_eq!(Tensor::new(six(), 5, vec![], vec![]).unwrap().values().unwrap(), [5.0]);
    }

    #[test]
    fn what_lies_beyond_the_storage_is_refused() {
        assert!(Tensor::new(six(), 5, vec![2], vec![1]).is_err());
        assert!(Tensor::new(six(), 0, vec![usize::MAX, 2], vec![0, 0]).is_err());
        assert!(Tensor::new(six(), usize::MAX, vec![2], vec![usize::MAX]).is_err());
        assert!(Tensor::new(six(), 0, vec![1 << 30], vec![0]).is_err(), "a billion of six");
        assert!(Tensor::new(six(), 0, vec![1; 9], vec![1; 9]).is_err());
        assert!(Tensor::new(six(), 9, vec![0], vec![1]).unwrap().values().unwrap().is_empty());
        assert!(
            Tensor::new(six(), usize::MAX, vec![0], vec![1]).unwrap().values().unwrap().is_empty()
        );
        assert!(
            Tensor::whole(six(), vec![0, usize::MAX, usize::MAX])
                .unwrap()
                .values()
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn only_what_numbers_reach_over_is_read_and_not_too_far() {
        let far = || storage(Dtype::F32, vec![0; 4 * (MAX_GROWN + 64)]);
        let last = MAX_GROWN + 63;
        assert_eq!(
            Tensor::new(far(), last, vec![1, 1], vec![9, 9]).unwrap().values().unwrap(),
            [0.0]
        );
        let scattered = Tensor::new(far(), 0, vec![2], vec![last]).unwrap();
        assert!(scattered.values().unwrap_err().to_string().contains("scattered"));
        assert!(scattered.weights("layer").is_err());
        // Of an axis with one place, the stride counts for nothing.
        let row = Tensor::new(six(), 0, vec![1, 3, 2], vec![1, 2, 1]).unwrap();
        assert_eq!(row.values().unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn numbers_of_each_type_are_read() {
        let read = |dtype, bytes: &[u8]| {
            Tensor::whole(storage(dtype, bytes.to_vec()), vec![1]).unwrap().values().unwrap()
        };
        assert_eq!(read(Dtype::F16, &[0, 0x3e]), [1.5]);
        assert_eq!(read(Dtype::Bf16, &[0xc0, 0x3f]), [1.5]);
        assert_eq!(read(Dtype::F64, &1.5f64.to_le_bytes()), [1.5]);
        let content = 1.5f32.to_be_bytes().to_vec().into();
        let big = Storage { dtype: Dtype::F32, content, big_endian: true };
        assert_eq!(Tensor::whole(big, vec![1]).unwrap().values().unwrap(), [1.5]);
        assert!(!Tensor::whole(storage(Dtype::Other(8), vec![0; 8]), vec![1]).unwrap().is_real());
    }
}
