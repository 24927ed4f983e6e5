//! Arrays of numbers into files that NumPy and its relatives read.

use std::path::Path;

use npyz::WriterBuilder;
use safetensors::tensor::{Dtype, TensorView};

use crate::exit::{Failure, Fault};

/// An array that is to become a file.
pub(crate) struct Array<'a> {
    /// Its key, where the format has keys.
    pub(crate) name: &'static str,
    /// The slowest dimension first.
    pub(crate) shape: [usize; 3],
    /// All the values.
    pub(crate) data: &'a [f32],
}

/// A kind of file for arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArrayFormat {
    /// Named arrays.
    Safetensors,
    /// One array.
    Npy,
}

impl ArrayFormat {
    /// What a file of this name is to become.
    ///
    /// # Errors
    /// Another extension.
    pub(crate) fn of_name(path: &Path) -> Result<Self, Failure> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("safetensors") => Ok(Self::Safetensors),
            Some("npy") => Ok(Self::Npy),
            _ => {
                let what = format!("{}: the name does not say the format", path.display());
                Err(Failure::new(Fault::Output, what).or("end it in .safetensors or .npy"))
            }
        }
    }
}

impl Array<'_> {
    /// The file's bytes, little-endian 32-bit floats.
    pub(crate) fn encode(&self, format: ArrayFormat) -> Result<Vec<u8>, Failure> {
        match format {
            ArrayFormat::Safetensors => self.safetensors(),
            ArrayFormat::Npy => self.npy(),
        }
        .map_err(|error| Failure::new(Fault::Output, error))
    }

    fn safetensors(&self) -> Result<Vec<u8>, String> {
        let bytes: Vec<u8> = self.data.iter().flat_map(|value| value.to_le_bytes()).collect();
        TensorView::new(Dtype::F32, self.shape.to_vec(), &bytes)
            .and_then(|view| safetensors::serialize([(self.name, view)], None))
            .map_err(|error| error.to_string())
    }

    fn npy(&self) -> Result<Vec<u8>, String> {
        let shape = self.shape.map(|extent| extent as u64);
        let mut file = Vec::new();
        let options = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut file);
        options
            .begin_nd()
            .and_then(|mut writer| {
                writer.extend(self.data.iter())?;
                writer.finish()
            })
            .map_err(|error| error.to_string())?;
        Ok(file)
    }
}
