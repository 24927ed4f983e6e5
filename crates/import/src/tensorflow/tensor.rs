//! Constants of a TensorFlow graph, and their weights in this program's order.

use graph::Weights;

use super::proto::{DataType, TensorProto};
use crate::content::Content;
use crate::kit::{Array, Values, all_finite, check_size, no_numbers, read_again};
use crate::{ImportError, wire};

/// A constant may be written as one value that fills it all; only as many as this are filled, so that
/// a few bytes cannot ask for all memory.
const MOST_FILLED: usize = 1 << 16;

/// The most values that decide what becomes of a picture before the network begins.
const SMALL: usize = 16;

/// A constant's shape and where its values are.
pub(super) struct Constant {
    pub(super) shape: Vec<usize>,
    stored: Stored,
}

enum Stored {
    /// As the file has them, in its content if there is any.
    File(Box<TensorProto>, Content),
    /// Computed from other constants.
    Computed(Values),
}

impl From<Array> for Constant {
    fn from(array: Array) -> Self {
        let (shape, values) = array.into_parts();
        Self { shape, stored: Stored::Computed(values) }
    }
}

impl Constant {
    /// # Errors
    /// A shape that is negative or too large to be counted.
    pub(super) fn new(
        name: &str,
        tensor: TensorProto,
        file: &Content,
    ) -> Result<Self, ImportError> {
        let dims = tensor.tensor_shape.iter().flat_map(|shape| &shape.dim);
        let shape: Option<Vec<usize>> = dims.map(|dim| usize::try_from(dim.size).ok()).collect();
        let shape = shape.filter(|shape| count(shape).is_some()).ok_or_else(|| {
            let problem = "its constant has an impossible shape".into();
            ImportError::Layer { layer: name.into(), problem }
        })?;
        let content = match tensor.tensor_content.is_empty() {
            true => Some(Content::from(Vec::new())),
            false => wire::place(&tensor.tensor_content, file),
        };
        let content = content.ok_or_else(|| {
            let problem = "the values of its constant lie nowhere".into();
            ImportError::Layer { layer: name.into(), problem }
        })?;
        Ok(Self { shape, stored: Stored::File(Box::new(tensor), content) })
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        count(&self.shape).expect("checked when it was made")
    }

    /// All values, in the order of the file.
    ///
    /// # Errors
    /// Another type, or another number of values than the shape says.
    pub(super) fn floats(&self, name: &str) -> Result<Vec<f32>, ImportError> {
        let (tensor, content) = match &self.stored {
            Stored::File(tensor, content) => (tensor, content),
            Stored::Computed(Values::Floats(values)) => return Ok(values.clone()),
            Stored::Computed(Values::Integers(_)) => {
                let problem = "a constant of floating point was expected".into();
                return Err(ImportError::Layer { layer: name.into(), problem });
            }
        };
        let content = &content.read().map_err(|error| ImportError::unread(name, &error))?[..];
        let values: Vec<f32> = match (DataType::try_from(tensor.dtype), content.is_empty()) {
            (Ok(DataType::Float), false) => four_bytes(content, f32::from_le_bytes),
            (Ok(DataType::Float), true) => tensor.float_val.clone(),
            (Ok(DataType::Double), false) => {
                content.as_chunks().0.iter().map(|&x| f64::from_le_bytes(x) as f32).collect()
            }
            (Ok(DataType::Double), true) => tensor.double_val.iter().map(|&x| x as f32).collect(),
            (Ok(DataType::Half), false) => content
                .as_chunks()
                .0
                .iter()
                .map(|&x| half::f16::from_le_bytes(x).to_f32())
                .collect(),
            (Ok(DataType::Half), true) => {
                tensor.half_val.iter().map(|&x| half::f16::from_bits(x as u16).to_f32()).collect()
            }
            (Ok(DataType::Bfloat16), false) => content
                .as_chunks()
                .0
                .iter()
                .map(|&x| half::bf16::from_le_bytes(x).to_f32())
                .collect(),
            (Ok(DataType::Bfloat16), true) => {
                tensor.half_val.iter().map(|&x| half::bf16::from_bits(x as u16).to_f32()).collect()
            }
            _ => {
                let kind = DataType::try_from(tensor.dtype)
                    .map_or_else(|_| format!("type {}", tensor.dtype), |kind| format!("{kind:?}"));
                let problem = format!(
                    "its weights are TensorFlow's {kind}, but only floating point is read. Use the \
                     network without quantisation"
                );
                return Err(ImportError::Layer { layer: name.into(), problem });
            }
        };
        self.filled(name, content.is_empty(), values)
    }

    /// All values of a constant of whole numbers.
    ///
    /// # Errors
    /// Another type, or another number of values than the shape says.
    pub(super) fn integers(&self, name: &str) -> Result<Vec<i64>, ImportError> {
        let whole = || {
            let problem = "a constant of whole numbers was expected".into();
            ImportError::Layer { layer: name.into(), problem }
        };
        let (tensor, content) = match &self.stored {
            Stored::File(tensor, content) => (tensor, content),
            Stored::Computed(Values::Integers(values)) => return Ok(values.clone()),
            Stored::Computed(Values::Floats(_)) => return Err(whole()),
        };
        let content = &content.read().map_err(|error| ImportError::unread(name, &error))?[..];
        let values: Vec<i64> = match (DataType::try_from(tensor.dtype), content.is_empty()) {
            (Ok(DataType::Int32), false) => four_bytes(content, |x| i32::from_le_bytes(x).into()),
            (Ok(DataType::Uint8 | DataType::Quint8 | DataType::Bool), false) => {
                content.iter().map(|&x| x.into()).collect()
            }
            (Ok(DataType::Int8 | DataType::Qint8), false) => {
                content.iter().map(|&x| (x as i8).into()).collect()
            }
            (Ok(DataType::Int16 | DataType::Qint16), false) => {
                content.as_chunks().0.iter().map(|&x| i16::from_le_bytes(x).into()).collect()
            }
            (Ok(DataType::Uint16 | DataType::Quint16), false) => {
                content.as_chunks().0.iter().map(|&x| u16::from_le_bytes(x).into()).collect()
            }
            (Ok(DataType::Qint32), false) => four_bytes(content, |x| i32::from_le_bytes(x).into()),
            (Ok(DataType::Bool), true) => tensor.bool_val.iter().map(|&x| x.into()).collect(),
            (Ok(kind), true) if kind.is_integer() && kind != DataType::Int64 => {
                tensor.int_val.iter().map(|&x| x.into()).collect()
            }
            (Ok(DataType::Int64), false) => {
                content.as_chunks().0.iter().map(|&x| i64::from_le_bytes(x)).collect()
            }
            (Ok(DataType::Int64), true) => tensor.int64_val.clone(),
            _ => return Err(whole()),
        };
        self.filled(name, content.is_empty(), values)
    }

    /// All values, to compute with.
    pub(super) fn array(&self) -> Option<Array> {
        let integers = match &self.stored {
            Stored::Computed(values) => return Array::new(self.shape.clone(), values.clone()),
            Stored::File(tensor, _) => {
                DataType::try_from(tensor.dtype).is_ok_and(DataType::is_integer)
            }
        };
        let values = match integers {
            true => Values::Integers(self.integers("").ok()?),
            false => Values::Floats(self.floats("").ok()?),
        };
        Array::new(self.shape.clone(), values)
    }

    /// As [`Self::array`], of a few values.
    pub(super) fn small_array(&self) -> Option<Array> {
        (self.len() <= SMALL).then(|| self.array())?
    }

    /// The type that the file has it in; `None` of what was computed.
    pub(super) fn stored_type(&self) -> Option<DataType> {
        match &self.stored {
            Stored::File(tensor, _) => DataType::try_from(tensor.dtype).ok(),
            Stored::Computed(_) => None,
        }
    }

    /// Of values that are `listed`, the last stands for all that are left out; where none is, all are 0.
    fn filled<T: Copy + Default>(
        &self,
        name: &str,
        listed: bool,
        mut values: Vec<T>,
    ) -> Result<Vec<T>, ImportError> {
        let expected = self.len();
        if listed && values.len() < expected && expected <= MOST_FILLED {
            values.resize(expected, values.last().copied().unwrap_or_default());
        }
        check_size(name, "the number of values in a constant", expected, values.len())?;
        Ok(values)
    }

    /// A convolution's weights: from rows, columns, inputs, outputs to outputs, inputs, rows, columns.
    pub(super) fn convolution(&self, name: &str) -> Result<Weights, ImportError> {
        self.permuted(name, self.four(name)?, [3, 2, 0, 1])
    }

    /// A depthwise convolution's weights: from rows, columns, inputs, multiplier to
    /// inputs × multiplier, 1, rows, columns.
    pub(super) fn depthwise(&self, name: &str) -> Result<Weights, ImportError> {
        self.permuted(name, self.four(name)?, [2, 3, 0, 1])
    }

    /// A matrix's weights as outputs × channels × positions, where the file's inputs are
    /// positions × channels, or the other way round where the `channels_first`, and come first, or last
    /// where it is `transposed`.
    pub(super) fn matrix(
        &self,
        name: &str,
        channels: usize,
        channels_first: bool,
        transposed: bool,
    ) -> Result<Weights, ImportError> {
        let (inputs, outputs) = self.two(name, transposed)?;
        let positions = inputs / channels;
        match (transposed, channels_first) {
            (true, false) => self.permuted(name, [1, outputs, positions, channels], [1, 3, 2, 0]),
            (false, false) => self.permuted(name, [1, positions, channels, outputs], [3, 2, 1, 0]),
            (true, true) => self.permuted(name, [1, outputs, channels, positions], [1, 2, 3, 0]),
            (false, true) => self.permuted(name, [1, channels, positions, outputs], [3, 1, 2, 0]),
        }
    }

    /// All values, which are of this `shape`, with its axes in another order: first the one numbered
    /// `axes[0]`.
    fn permuted(
        &self,
        name: &str,
        shape: [usize; 4],
        axes: [usize; 4],
    ) -> Result<Weights, ImportError> {
        // Sizes that stand beside a 0 would be bounded by nothing.
        if shape.contains(&0) {
            return Err(self.wrong_shape(name, "without a 0"));
        }
        let content = match &self.stored {
            Stored::File(tensor, content) if tensor.dtype == DataType::Float as i32 => content,
            _ => &Content::from(Vec::new()),
        };
        let len = self.len();
        if content.len() == 0 || content.len() / 4 != len {
            return Ok(permuted(&self.floats(name)?, shape, axes).into());
        }
        let mut finite = true;
        content
            .each_piece(4, |piece| finite &= all_finite(&four_bytes(piece, f32::from_le_bytes)))
            .map_err(|error| ImportError::unread(name, &error))?;
        if !finite {
            return Err(no_numbers(name));
        }
        let content = content.clone();
        let stored = Weights::later(len, move || {
            read_again(len, |f| {
                content.each_piece(4, |piece| f(&four_bytes(piece, f32::from_le_bytes)))
            })
        });
        Ok(stored.map(len, move |values| permuted(values, shape, axes)))
    }

    /// The shape as (inputs, outputs).
    pub(super) fn two(&self, name: &str, transposed: bool) -> Result<(usize, usize), ImportError> {
        match self.shape[..] {
            [outputs, inputs] if transposed => Ok((inputs, outputs)),
            [inputs, outputs] => Ok((inputs, outputs)),
            _ => Err(self.wrong_shape(name, "[inputs, outputs]")),
        }
    }

    /// The shape of a convolution's weights.
    pub(super) fn four(&self, name: &str) -> Result<[usize; 4], ImportError> {
        let four: [usize; 4] = self.shape[..]
            .try_into()
            .map_err(|_| self.wrong_shape(name, "[rows, columns, inputs, outputs]"))?;
        Ok(four)
    }

    fn wrong_shape(&self, name: &str, expected: &str) -> ImportError {
        ImportError::Mismatch {
            layer: name.into(),
            what: "the shape of its weights",
            expected: expected.into(),
            found: format!("{:?}", self.shape),
        }
    }
}

/// The product of all sizes, if one can count so far in bytes of `f64`.
fn count(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size))
        .filter(|&product| product <= usize::MAX / 16)
}

fn four_bytes<T>(bytes: &[u8], number: impl Fn([u8; 4]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|&x| number(x)).collect()
}

/// As [`Constant::permuted`].
fn permuted(values: &[f32], shape: [usize; 4], axes: [usize; 4]) -> Vec<f32> {
    let mut to = vec![0.0; values.len()];
    let steps = axes.map(|axis| shape[axis + 1..].iter().product::<usize>());
    let shape = axes.map(|axis| shape[axis]);
    let inner = shape[1] * shape[2] * shape[3];
    // A cache line's worth of outputs at a time: both sides are then read and written along lines.
    for first in (0..shape[0]).step_by(16) {
        let block = first..(first + 16).min(shape[0]);
        let mut at = 0;
        for b in 0..shape[1] {
            for c in 0..shape[2] {
                for d in 0..shape[3] {
                    let from = b * steps[1] + c * steps[2] + d * steps[3];
                    for a in block.clone() {
                        to[a * inner + at] = values[a * steps[0] + from];
                    }
                    at += 1;
                }
            }
        }
    }
    to
}
