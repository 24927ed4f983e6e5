//! `.safetensors`: a table of names, types and shapes, and behind it the numbers of all tensors.

use std::collections::BTreeMap;

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use crate::content::Content;
use crate::{ImportError, printable};

/// The longest table, in bytes.
const MAX_TABLE: usize = 100_000_000;

/// A file's tensors by their names.
pub(crate) struct Tensors(BTreeMap<String, Stored>);

/// A tensor as the file has it.
pub(crate) struct Stored {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    pub(crate) content: Content,
}

impl Tensors {
    /// Reads a file's table.
    ///
    /// # Errors
    /// What breaks off, or has another length than the table says.
    pub(crate) fn read(content: &Content) -> Result<Self, ImportError> {
        Self::of(content).map_err(|problem| ImportError::Damaged {
            format: "safetensors file",
            problem: printable(&problem),
        })
    }

    fn of(content: &Content) -> Result<Self, String> {
        let breaks_off = || "it breaks off".to_owned();
        let read = |content: &Content| content.read().map_err(|error| error.to_string());
        let length = read(&content.first(8))?;
        let length = length.first_chunk().ok_or_else(breaks_off)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|e| e.to_string())?;
        if length > MAX_TABLE {
            return Err(format!("its table is longer than {MAX_TABLE} bytes"));
        }
        let table = read(&content.get(8, length).ok_or_else(breaks_off)?)?;
        // Sees that tensors lie one after the other and are as long as their shapes say.
        let table: Metadata = serde_json::from_slice(&table).map_err(|e| e.to_string())?;
        let numbers = content.slice(8 + length..content.len());
        if table.data_len() != numbers.len() {
            let (said, there) = (table.data_len(), numbers.len());
            return Err(format!("its tensors take {said} bytes, but there are {there}"));
        }
        let stored = |(name, info): (String, &safetensors::tensor::TensorInfo)| {
            let (start, end) = info.data_offsets;
            let content = numbers.slice(start..end);
            (name, Stored { dtype: info.dtype, shape: info.shape.clone(), content })
        };
        Ok(Self(table.tensors().into_iter().map(stored).collect()))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Stored> {
        self.0.get(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Stored)> {
        self.0.iter()
    }
}
