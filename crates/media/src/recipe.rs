//! The recipe in any file that may carry one: text, whatever it means.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::fault::Fault;
use crate::{FileKind, ImageError, ImageFormat, Limits};

/// The most bytes of a recipe.
#[cfg(feature = "movies")]
const MOST_BYTES: usize = 1 << 20;

/// Why no recipe can be read from a file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The file cannot be opened, or is a damaged picture.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The file is neither a picture nor a movie that may carry a recipe.
    #[error("{} is {}", .path.display(), match .kind {
        Some(kind) => format!("{kind}, which carries no recipe"),
        None => "not a picture or a movie that can carry a recipe".to_owned(),
    })]
    NotSupported {
        /// The file.
        path: PathBuf,
        /// What it is, if that is recognized.
        kind: Option<FileKind>,
    },
    /// The file carries none.
    #[error("{} carries no recipe", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Only ffprobe could tell, and it does not.
    #[cfg(feature = "movies")]
    #[error("could not read the recipe of {}: {error}", .path.display())]
    Ffmpeg {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        error: crate::FfmpegError,
    },
}

impl RecipeError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Image(error) => error.fault(),
            #[cfg(feature = "movies")]
            Self::Ffmpeg { error, .. } if error.is_missing() => Fault::Ffmpeg,
            _ => Fault::Input,
        }
    }

    /// What to do about it, if anything.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Image(error) => error.hint(),
            #[cfg(feature = "movies")]
            Self::Ffmpeg { error, .. } => error.hint(),
            Self::NotSupported { .. } | Self::Missing { .. } => Some(
                "Use a recipe's TOML file, or a picture or movie that was dreamt with a recipe."
                    .to_owned(),
            ),
        }
    }
}

/// The text of the recipe that a picture or a movie carries. Of movies, MP4 and GIF are read here,
/// others with ffprobe.
///
/// # Errors
/// A file that cannot be opened, is damaged, is of a kind without recipes, or carries none; or only
/// ffprobe could tell, and it is missing.
pub fn recipe_of(path: &Path, limits: &Limits) -> Result<String, RecipeError> {
    let read = |source| ImageError::Read { name: path.display().to_string(), source };
    let kind = FileKind::of_file(path).map_err(read)?;
    let recipe = match kind {
        Some(kind) if ImageFormat::of_kind(kind).is_some() => {
            crate::picture::recipe_of(path, limits)?
        }
        #[cfg(feature = "movies")]
        Some(kind) if kind.is_movie() => crate::movie::recipe_of(path, kind, limits)
            .map_err(|error| RecipeError::Ffmpeg { path: path.to_owned(), error })?
            .filter(|text| text.len() <= MOST_BYTES),
        kind => return Err(RecipeError::NotSupported { path: path.to_owned(), kind }),
    };
    recipe.ok_or_else(|| RecipeError::Missing { path: path.to_owned() })
}
