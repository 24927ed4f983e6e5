//! The record of an installed network: `manifest.toml` in its folder.
//!
//! People may edit it, to correct the input statistics for example. So it is read within limits, and the
//! files it names have to be in the same folder.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use graph::{ChannelOrder, InputSpec, Network};
use import::printable;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::load::load;

/// The file name of a manifest.
pub(crate) const MANIFEST: &str = "manifest.toml";

/// The largest manifest or list of classes that is read, in bytes.
const MAX_TEXT: u64 = 1 << 20;

/// The record of an installed network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifest {
    /// The model file's name in the folder.
    pub file: String,
    /// Its SHA-256.
    pub sha256: String,
    /// The URL or path it came from.
    pub source: String,
    /// The licence's name or terms, if known.
    pub licence: Option<String>,
    /// The file name of the licence's text in the folder, if there is one.
    pub licence_file: Option<String>,
    /// The input the network expects, where it differs from what loading the model file gives.
    pub(crate) input: Option<Input>,
}

/// The serialised form of [`InputSpec`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The network's channel order.
    pub(crate) channel_order: Order,
    /// Subtracted from each channel, in that order, in units of 0–255.
    pub(crate) mean: [f32; 3],
    /// What each channel is multiplied by after that.
    pub(crate) scale: [f32; 3],
}

/// The serialised form of [`ChannelOrder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

impl From<InputSpec> for Input {
    fn from(spec: InputSpec) -> Self {
        let channel_order = match spec.order {
            ChannelOrder::Rgb => Order::Rgb,
            ChannelOrder::Bgr => Order::Bgr,
        };
        Self { channel_order, mean: spec.mean, scale: spec.scale }
    }
}

impl From<Input> for InputSpec {
    fn from(input: Input) -> Self {
        let order = match input.channel_order {
            Order::Rgb => ChannelOrder::Rgb,
            Order::Bgr => ChannelOrder::Bgr,
        };
        Self { order, mean: input.mean, scale: input.scale }
    }
}

impl Manifest {
    /// Reads the manifest of the network `name` in `folder`.
    pub(crate) fn read(folder: &Path, name: &str) -> Result<Self, ModelError> {
        let path = folder.join(MANIFEST);
        let mut manifest: Self = toml::from_str(&read_text(&path)?)
            .map_err(|error| unusable(&path, name, error.message()))?;
        manifest.source = printable(&manifest.source);
        manifest.licence = manifest.licence.as_deref().map(printable);
        let files = [Some(&manifest.file), manifest.licence_file.as_ref()];
        if let Some(file) = files.into_iter().flatten().find(|file| !is_plain(file)) {
            return Err(unusable(
                &path,
                name,
                &format!("`{file}` is not the name of a file in its folder"),
            ));
        }
        let finite = |input: Input| input.mean.iter().chain(&input.scale).all(|v| v.is_finite());
        if !manifest.input.is_none_or(finite) {
            return Err(unusable(&path, name, "an input statistic is not a number"));
        }
        Ok(manifest)
    }

    /// Writes the manifest into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), ModelError> {
        let path = folder.join(MANIFEST);
        let text = toml::to_string(self).expect("strings and numbers can be written as TOML");
        std::fs::write(&path, text).map_err(ModelError::file(&path))
    }

    /// Loads the network in `folder` and applies the manifest to it.
    pub(crate) fn load(&self, folder: &Path, name: &str) -> Result<Network, ModelError> {
        let mut network = load(&folder.join(&self.file)).map_err(|error| match error {
            ModelError::Load { source, .. } => {
                ModelError::Installed { name: name.to_owned(), source }
            }
            error => error,
        })?;
        network.name = name.to_owned();
        if let Some(input) = self.input {
            network.input = input.into();
        }
        Ok(network)
    }
}

/// Reads a short text file.
pub(crate) fn read_text(path: &Path) -> Result<String, ModelError> {
    let read = || {
        if !path.metadata()?.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let mut text = String::new();
        File::open(path)?.take(MAX_TEXT + 1).read_to_string(&mut text)?;
        match text.len() as u64 > MAX_TEXT {
            true => Err(io::ErrorKind::FileTooLarge.into()),
            false => Ok(text),
        }
    };
    read().map_err(ModelError::file(path))
}

/// Whether this is a file name without any folder.
fn is_plain(file: &str) -> bool {
    Path::new(file).file_name().is_some_and(|name| name == file) && !file.contains(['/', '\\', ':'])
}

fn unusable(path: &Path, name: &str, problem: &str) -> ModelError {
    ModelError::Manifest {
        path: PathBuf::from(path),
        name: name.to_owned(),
        problem: printable(problem),
    }
}
