//! Constants of an ONNX graph: as the file has them, computed, or one value that fills a shape.

use std::io;
use std::sync::Arc;

use graph::Weights;
use half::{bf16, f16};

use super::model::damaged;
use super::proto::TensorProto;
use super::proto::tensor_proto::DataType;
use crate::content::Content;
use crate::kit::{
    Array, MAX_RANK, Values, all_finite, check_numbers, check_size, no_numbers, place, read_again,
    sizes_for, values_of,
};
use crate::{ImportError, wire};

/// The most values that one value fills to compute with. Weights are filled only when they are needed.
const MOST_FILLED: usize = 1 << 20;

/// A tensor of a file, its values perhaps still there.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) proto: TensorProto,
    /// Its values as bytes, if it has them so.
    pub(super) raw: Option<Content>,
}

impl Tensor {
    /// A tensor of the skeleton of `file`.
    ///
    /// # Errors
    /// One whose values have no place there.
    pub(super) fn new(mut proto: TensorProto, file: &Content) -> Result<Self, ImportError> {
        let raw = proto.raw_data.take().map(|place| {
            wire::place(&place, file).ok_or_else(|| damaged("a tensor's values lie nowhere"))
        });
        Ok(Self { proto, raw: raw.transpose()? })
    }
}

/// A constant's shape and where its values are.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) shape: Vec<usize>,
    stored: Stored,
}

#[derive(Clone, Debug)]
enum Stored {
    /// As the file has them.
    File(Arc<Tensor>),
    /// Computed from other constants.
    Computed(Arc<Values>),
    /// The same number everywhere.
    Filled(f32),
}

impl From<Array> for Constant {
    fn from(array: Array) -> Self {
        let (shape, values) = array.into_parts();
        Self { shape, stored: Stored::Computed(Arc::new(values)) }
    }
}

impl Constant {
    /// A tensor of the file; `None` where its shape is negative or too large to be counted.
    pub(super) fn new(tensor: Tensor) -> Option<Self> {
        let shape: Option<Vec<usize>> =
            tensor.proto.dims.iter().map(|&size| usize::try_from(size).ok()).collect();
        let shape = shape.filter(|shape| count(shape).is_some())?;
        Some(Self { shape, stored: Stored::File(Arc::new(tensor)) })
    }

    /// One number for all of a shape, if that can be counted.
    pub(super) fn filled(shape: Vec<usize>, value: f32) -> Option<Self> {
        count(&shape)?;
        Some(Self { shape, stored: Stored::Filled(value) })
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        count(&self.shape).expect("checked when it was made")
    }

    /// The same values in another shape of as many.
    pub(super) fn shaped(&self, shape: Vec<usize>) -> Option<Self> {
        let stored = self.stored.clone();
        (count(&shape)? == self.len()).then_some(Self { shape, stored })
    }

    /// The same values in another shape, in which one size may be −1: what is left.
    pub(super) fn reshaped(&self, sizes: &[i64]) -> Option<Self> {
        self.shaped(sizes_for(sizes, self.len())?)
    }

    /// Without some axes of size 1; without all of them where none is named.
    pub(super) fn squeezed(&self, axes: &[i64]) -> Option<Self> {
        let rank = self.shape.len();
        let axes: Vec<usize> = axes.iter().map(|&axis| place(axis, rank)).collect::<Option<_>>()?;
        let kept = |axis: &usize| match axes.is_empty() {
            true => self.shape[*axis] != 1,
            false => !axes.contains(axis),
        };
        let kept = (0..rank).filter(kept).map(|axis| self.shape[axis]).collect();
        self.shaped(kept)
    }

    /// Whether its values are floating-point numbers.
    pub(super) fn is_float(&self) -> bool {
        match &self.stored {
            Stored::File(tensor) => is_float(kind_of(&tensor.proto)),
            Stored::Computed(values) => matches!(**values, Values::Floats(_)),
            Stored::Filled(_) => true,
        }
    }

    /// The least and the most that the whole numbers can be whose type the file has it in.
    pub(super) fn whole_ends(&self) -> Option<[f32; 2]> {
        let Stored::File(tensor) = &self.stored else { return None };
        Some(match kind_of(&tensor.proto) {
            DataType::Uint4 => [0.0, 15.0],
            DataType::Int4 => [-8.0, 7.0],
            DataType::Uint8 => [0.0, 255.0],
            DataType::Int8 => [-128.0, 127.0],
            DataType::Uint16 => [0.0, 65_535.0],
            DataType::Int16 => [-32_768.0, 32_767.0],
            DataType::Int32 => [i32::MIN as f32, i32::MAX as f32],
            _ => return None,
        })
    }

    /// Whether the file has it in a type of few bits, to which numbers are rounded coarsely.
    pub(super) fn is_coarse(&self) -> bool {
        use DataType::{Bfloat16, Int4, Uint4};
        match &self.stored {
            Stored::File(tensor) => matches!(kind_of(&tensor.proto), Bfloat16 | Int4 | Uint4),
            _ => false,
        }
    }

    /// All values in the order of the file.
    ///
    /// # Errors
    /// Another type, or another number of values than the shape says.
    pub(super) fn floats(&self, name: &str) -> Result<Vec<f32>, ImportError> {
        let tensor = match &self.stored {
            Stored::File(tensor) => tensor,
            Stored::Computed(values) => match &**values {
                Values::Floats(values) => return Ok(values.clone()),
                Values::Integers(_) => return Err(wanted(name, "floating-point numbers")),
            },
            Stored::Filled(value) if self.len() <= MOST_FILLED => {
                return Ok(vec![*value; self.len()]);
            }
            Stored::Filled(_) => return Err(wanted(name, "fewer values")),
        };
        let kind = kind_of(&tensor.proto);
        if !is_float(kind) {
            return Err(wanted(
                name,
                &format!("floating-point numbers, not {}", kind.as_str_name()),
            ));
        }
        let Tensor { proto, raw } = &**tensor;
        let values = match raw {
            Some(raw) => floats_of(kind, raw).map_err(|error| ImportError::unread(name, &error))?,
            None => match kind {
                DataType::Float => proto.float_data.clone(),
                DataType::Double => proto.double_data.iter().map(|&x| x as f32).collect(),
                DataType::Float16 => {
                    proto.int32_data.iter().map(|&x| f16::from_bits(x as u16).to_f32()).collect()
                }
                _ => proto.int32_data.iter().map(|&x| bf16::from_bits(x as u16).to_f32()).collect(),
            },
        };
        check_size(name, "the number of values in a constant", self.len(), values.len())?;
        Ok(values)
    }

    /// All values of a constant of whole numbers, or of truth values as 0 and 1.
    ///
    /// # Errors
    /// Another type, or another number of values than the shape says.
    pub(super) fn integers(&self, name: &str) -> Result<Vec<i64>, ImportError> {
        let tensor = match &self.stored {
            Stored::File(tensor) => tensor,
            Stored::Computed(values) => match &**values {
                Values::Integers(values) => return Ok(values.clone()),
                Values::Floats(_) => return Err(wanted(name, "whole numbers")),
            },
            Stored::Filled(_) => return Err(wanted(name, "whole numbers")),
        };
        let Tensor { proto, raw } = &**tensor;
        let values = match raw {
            Some(raw) => {
                let raw = raw.read().map_err(|error| ImportError::unread(name, &error))?;
                whole(kind_of(proto), &raw, self.len())
            }
            None => match kind_of(proto) {
                DataType::Int64 => Some(proto.int64_data.clone()),
                DataType::Uint32 | DataType::Uint64 => {
                    Some(proto.uint64_data.iter().map(|&x| x as i64).collect())
                }
                DataType::Int4 | DataType::Uint4 => {
                    let bytes: Vec<u8> = proto.int32_data.iter().map(|&x| x as u8).collect();
                    whole(kind_of(proto), &bytes, self.len())
                }
                kind if is_integer(kind) => {
                    Some(proto.int32_data.iter().map(|&x| x.into()).collect())
                }
                _ => None,
            },
        };
        let values = values.ok_or_else(|| wanted(name, "whole numbers"))?;
        check_size(name, "the number of values in a constant", self.len(), values.len())?;
        Ok(values)
    }

    /// All values, to compute with.
    pub(super) fn array(&self) -> Option<Array> {
        let values = match &self.stored {
            Stored::Computed(values) => (**values).clone(),
            _ if self.is_float() => Values::Floats(self.floats("").ok()?),
            _ => Values::Integers(self.integers("").ok()?),
        };
        Array::new(self.shape.clone(), values)
    }

    /// All values as a layer's weights, made when they are needed.
    ///
    /// # Errors
    /// As [`Self::floats`]; values that are no numbers.
    pub(super) fn weights(&self, name: &str) -> Result<Weights, ImportError> {
        let len = self.len();
        match &self.stored {
            Stored::Filled(value) => {
                let value = *value;
                check_numbers(name, std::iter::once(value))?;
                Ok(Weights::later(len, move || Ok(std::iter::repeat_n(value, len).collect())))
            }
            Stored::File(tensor) if is_float(kind_of(&tensor.proto)) => {
                let (kind, Some(raw)) = (kind_of(&tensor.proto), &tensor.raw) else {
                    return Ok(self.floats(name)?.into());
                };
                let size = size_of(kind);
                let (what, expected, found) = match raw.len() % size {
                    0 => ("the number of values in a constant", len, raw.len() / size),
                    _ => ("the number of bytes in a constant", len * size, raw.len()),
                };
                check_size(name, what, expected, found)?;
                let (raw, mut finite) = (raw.clone(), true);
                raw.each_piece(size, |piece| finite &= all_finite(&decoded(kind, piece)))
                    .map_err(|error| ImportError::unread(name, &error))?;
                if !finite {
                    return Err(no_numbers(name));
                }
                Ok(Weights::later(len, move || {
                    read_again(len, |f| raw.each_piece(size, |piece| f(&decoded(kind, piece))))
                }))
            }
            _ => Ok(self.floats(name)?.into()),
        }
    }
}

fn wanted(name: &str, what: &str) -> ImportError {
    ImportError::Layer { layer: name.into(), problem: format!("it wants a constant of {what}") }
}

/// How many values there are, if they can be counted.
fn count(shape: &[usize]) -> Option<usize> {
    values_of(shape).filter(|_| shape.len() <= MAX_RANK)
}

fn kind_of(tensor: &TensorProto) -> DataType {
    tensor.data_type.and_then(|kind| DataType::try_from(kind).ok()).unwrap_or(DataType::Undefined)
}

pub(super) fn is_float(kind: DataType) -> bool {
    use DataType::{Bfloat16, Double, Float, Float16};
    matches!(kind, Float | Double | Float16 | Bfloat16)
}

fn is_integer(kind: DataType) -> bool {
    use DataType::{Bool, Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64};
    matches!(kind, Bool | Int8 | Int16 | Int32 | Int64 | Uint8 | Uint16 | Uint32 | Uint64)
}

fn size_of(kind: DataType) -> usize {
    match kind {
        DataType::Double => 8,
        DataType::Float => 4,
        _ => 2,
    }
}

/// Floating-point numbers of a type, as a file has them.
fn floats_of(kind: DataType, raw: &Content) -> io::Result<Vec<f32>> {
    let mut floats = Vec::with_capacity(raw.len() / size_of(kind));
    raw.each_piece(size_of(kind), |piece| floats.extend(decoded(kind, piece)))?;
    Ok(floats)
}

/// Floating-point numbers of a type out of bytes.
fn decoded(kind: DataType, bytes: &[u8]) -> Vec<f32> {
    match kind {
        DataType::Float => bytes.as_chunks().0.iter().map(|&x| f32::from_le_bytes(x)).collect(),
        DataType::Double => {
            bytes.as_chunks().0.iter().map(|&x| f64::from_le_bytes(x) as f32).collect()
        }
        DataType::Float16 => {
            bytes.as_chunks().0.iter().map(|&x| f16::from_le_bytes(x).to_f32()).collect()
        }
        _ => bytes.as_chunks().0.iter().map(|&x| bf16::from_le_bytes(x).to_f32()).collect(),
    }
}

/// Whole numbers of a type out of bytes, of which two may share one.
fn whole(kind: DataType, bytes: &[u8], count: usize) -> Option<Vec<i64>> {
    let halves = |value: fn(u8) -> i64| {
        let both = bytes.iter().flat_map(|&byte| [value(byte & 15), value(byte >> 4)]);
        both.take(count).collect()
    };
    Some(match kind {
        DataType::Bool | DataType::Uint8 => bytes.iter().map(|&x| x.into()).collect(),
        DataType::Int8 => bytes.iter().map(|&x| (x as i8).into()).collect(),
        DataType::Int16 => {
            bytes.as_chunks().0.iter().map(|&x| i16::from_le_bytes(x).into()).collect()
        }
        DataType::Uint16 => {
            bytes.as_chunks().0.iter().map(|&x| u16::from_le_bytes(x).into()).collect()
        }
        DataType::Int32 => {
            bytes.as_chunks().0.iter().map(|&x| i32::from_le_bytes(x).into()).collect()
        }
        DataType::Uint32 => {
            bytes.as_chunks().0.iter().map(|&x| u32::from_le_bytes(x).into()).collect()
        }
        DataType::Int64 => bytes.as_chunks().0.iter().map(|&x| i64::from_le_bytes(x)).collect(),
        DataType::Uint64 => {
            bytes.as_chunks().0.iter().map(|&x| u64::from_le_bytes(x) as i64).collect()
        }
        DataType::Uint4 => halves(i64::from),
        DataType::Int4 => halves(|half| i64::from((half << 4) as i8 >> 4)),
        _ => return None,
    })
}
