//! What the store knows of an installed network: `manifest.toml` in its folder.
//!
//! It is a file a person may edit (to mend the input statistics, say), so it is read with bounds and
//! every file it names has to lie in the folder itself.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use graph::{ChannelOrder, InputSpec, Network};
use serde::{Deserialize, Serialize};

use crate::{ModelError, load};

/// The manifest's name in its folder.
pub(crate) const MANIFEST: &str = "manifest.toml";

/// More than any manifest or list of classes has, in bytes.
const MAX_TEXT: u64 = 1 << 20;

/// One installed network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifest {
    /// The model file's name in the folder.
    pub file: String,
    /// Its SHA-256.
    pub sha256: String,
    /// The address or the path it came from.
    pub source: String,
    /// The licence's name or terms, where they are known.
    pub licence: Option<String>,
    /// The licence's text, a file in the folder.
    pub licence_file: Option<String>,
    /// What the network wants for input; without it, what the model file's reader says.
    pub(crate) input: Option<Input>,
}

/// [`InputSpec`] as it is written down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The order in which the network takes the colours.
    pub(crate) channel_order: Order,
    /// Subtracted from each channel, in that order, in units of 0–255.
    pub(crate) mean: [f32; 3],
    /// Multiplied with each channel after that.
    pub(crate) scale: [f32; 3],
}

/// [`ChannelOrder`] as it is written down.
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
        let manifest: Self = toml::from_str(&read_text(&path)?)
            .map_err(|error| unusable(&path, name, error.message()))?;
        let files = [Some(&manifest.file), manifest.licence_file.as_ref()];
        if let Some(file) = files.into_iter().flatten().find(|file| !is_plain(file)) {
            return Err(unusable(
                &path,
                name,
                &format!("`{file}` is not the name of a file beside it"),
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

    /// Loads the network that lies in `folder` and completes it with what is known here.
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

/// A short text file.
pub(crate) fn read_text(path: &Path) -> Result<String, ModelError> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_TEXT).read_to_string(&mut text))
        .map_err(ModelError::file(path))?;
    Ok(text)
}

/// Whether it names a file and no way through folders.
fn is_plain(file: &str) -> bool {
    Path::new(file).file_name().is_some_and(|name| name == file) && !file.contains(['/', '\\', ':'])
}

fn unusable(path: &Path, name: &str, problem: &str) -> ModelError {
    ModelError::Manifest {
        path: PathBuf::from(path),
        name: name.to_owned(),
        problem: problem.to_owned(),
    }
}
