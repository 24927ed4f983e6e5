//! What a dream starts from: a photo, or noise of a size.

use std::path::PathBuf;

use serde::Serialize;

use crate::workshop::Source;

/// What a dream starts from, and what people call it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Start {
    /// The hash of its file, or the size of the noise.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) noise: bool,
    #[serde(skip)]
    pub(crate) file: PathBuf,
}

impl Start {
    /// Noise of a size.
    pub(crate) fn noise(width: u32, height: u32) -> Self {
        let id = format!("noise-{width}x{height}");
        let name = format!("noise, {width} × {height}");
        Self { id, name, width, height, noise: true, file: PathBuf::new() }
    }

    /// The same for the workshop.
    pub(crate) fn source(&self) -> Source {
        match self.noise {
            true => Source::Noise { width: self.width, height: self.height },
            false => Source::File(self.file.clone()),
        }
    }
}
