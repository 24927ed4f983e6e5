//! Arrays of numbers into files that NumPy and its relatives read.

use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};

use deepdream::{Error, Fault, Result};

/// Bytes of an `.npy` file before its header: what it is, the version, the header's length.
const NPY_START: usize = 10;

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
    pub(crate) fn of_name(path: &Path) -> Result<Self> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("safetensors") => Ok(Self::Safetensors),
            Some("npy") => Ok(Self::Npy),
            _ => {
                let what = format!(
                    "could not tell from the name {} which format to write",
                    path.display()
                );
                Err(Error::new(Fault::Output, what).hint("End it in .safetensors or .npy."))
            }
        }
    }
}

impl Array<'_> {
    /// The file's bytes, little-endian 32-bit floats.
    pub(crate) fn encode(&self, format: ArrayFormat) -> Result<Vec<u8>> {
        match format {
            ArrayFormat::Safetensors => {
                self.safetensors().map_err(|error| Error::new(Fault::Output, error))
            }
            ArrayFormat::Npy => Ok(self.npy()),
        }
    }

    fn safetensors(&self) -> Result<Vec<u8>, String> {
        let bytes: Vec<u8> = self.data.iter().flat_map(|value| value.to_le_bytes()).collect();
        TensorView::new(Dtype::F32, self.shape.to_vec(), &bytes)
            .and_then(|view| safetensors::serialize([(self.name, view)], None))
            .map_err(|error| error.to_string())
    }

    /// Version 1.0 of NumPy's format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>
    fn npy(&self) -> Vec<u8> {
        let [a, b, c] = self.shape;
        let header =
            format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({a}, {b}, {c}), }}");
        // With what stands before it, the header takes a multiple of 64 bytes and ends a line.
        let length = (NPY_START + header.len() + 1).next_multiple_of(64) - NPY_START;
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((length as u16).to_le_bytes());
        file.extend(format!("{header:<0$}\n", length - 1).bytes());
        file.extend(self.data.iter().flat_map(|value| value.to_le_bytes()));
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npy_is_read_by_another_reader() {
        for shape in [[1, 2, 3], [64, 7, 3], [1000, 1, 12]] {
            let data: Vec<f32> = (0..shape.iter().product()).map(|i| i as f32 - 1.5).collect();
            let array = Array { name: "array", shape, data: &data };
            let file = array.encode(ArrayFormat::Npy).unwrap();
            assert_eq!((file.len() - 4 * data.len()) % 64, 0, "the numbers are aligned");
            let read = npyz::NpyFile::new(&file[..]).unwrap();
            assert_eq!(read.shape(), shape.map(|extent| extent as u64));
            assert_eq!(read.order(), npyz::Order::C);
            assert_eq!(read.into_vec::<f32>().unwrap(), data);
        }
    }
}
