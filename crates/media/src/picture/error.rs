//! What can be wrong with a picture that is read or written.

use std::io;
use std::path::PathBuf;

use graph::Size;
use thiserror::Error;

use super::ImageFormat;
use super::format::{READ, WRITE};
use crate::fault::{Fault, reason};
use crate::readable_bytes;
use crate::{FileClass, FileKind};

/// Why a picture cannot be read or written. The text says what and where; [`Self::hint`] says what to
/// do about it. `name` is the file's path, or "the image" for one in memory.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file cannot be opened or read.
    #[error("could not read {name}: {}", reason(.source))]
    Read {
        /// The picture.
        name: String,
        /// What the operating system reported.
        source: io::Error,
    },
    /// The file is empty.
    #[error("could not read {name}: the file is empty")]
    Empty {
        /// The picture.
        name: String,
    },
    /// The content is not a picture in a supported format.
    #[error("could not read {name}: {}", other(*.kind))]
    NotSupported {
        /// The picture.
        name: String,
        /// What it is instead, if that is recognized.
        kind: Option<FileKind>,
    },
    /// The end is missing.
    #[error("could not read {name}: the file is cut off: a part of the picture is missing")]
    Truncated {
        /// The picture.
        name: String,
    },
    /// The content breaks the rules of its format.
    #[error("could not read {name}: the picture is damaged: {problem}")]
    Damaged {
        /// The picture.
        name: String,
        /// What the decoder reported.
        problem: String,
    },
    /// The format is supported, but not this variant of it.
    #[error("could not read {name}: {problem}")]
    Variety {
        /// The picture.
        name: String,
        /// What the decoder reported.
        problem: String,
    },
    /// No pixels, or more than are ever read.
    #[error(
        "could not read {name}: its header claims {width}×{height} pixels, but at most {} megapixels are read",
        most >> 20
    )]
    Dimensions {
        /// The picture.
        name: String,
        /// Columns, as the header says.
        width: u32,
        /// Rows.
        height: u32,
        /// The most pixels.
        most: u64,
    },
    /// The picture would take more memory than it may.
    #[error(
        "could not read {name}: {} needs {} of memory, but only {} may be used",
        match .size { Some(size) => format!("a picture of {size} pixels"), None => "it".to_owned() },
        readable_bytes(*.needed),
        readable_bytes(*.available)
    )]
    Memory {
        /// The picture.
        name: String,
        /// Its size, once that is known.
        size: Option<Size>,
        /// Bytes it takes at least.
        needed: u64,
        /// Bytes it may take.
        available: u64,
    },
    /// The picture would take more room on the disk, while it is worked on, than there is.
    #[error(
        "could not read {name}: a picture of {size} pixels needs {} of scratch files, but {place} has room for {} only",
        readable_bytes(*.needed),
        readable_bytes(*.room)
    )]
    Scratch {
        /// The picture.
        name: String,
        /// Its size.
        size: Size,
        /// Bytes it takes at least.
        needed: u64,
        /// Bytes that are free.
        room: u64,
        /// The folder.
        place: String,
    },
    /// Planes, bytes and size do not match.
    #[error("the samples do not make an image: {0}")]
    Samples(String),
    /// The name does not say which format to write.
    #[error("could not tell from the name {} which picture format to write", .path.display())]
    Name {
        /// The name.
        path: PathBuf,
    },
    /// A side is longer than the format allows.
    #[error("{size} is too large for {format}, whose sides can have at most {most} pixels")]
    TooLarge {
        /// The format.
        format: ImageFormat,
        /// The size.
        size: Size,
        /// The longest side.
        most: u32,
    },
    /// The recipe is longer than the format allows.
    #[error("the recipe is too long for {format}")]
    RecipeTooLong {
        /// The format.
        format: ImageFormat,
    },
    /// The encoder failed.
    #[error("could not encode the picture as {format}: {problem}")]
    Encode {
        /// The format.
        format: ImageFormat,
        /// What the encoder reported.
        problem: String,
    },
    /// The file cannot be written.
    #[error("could not write {}: {source}", .path.display())]
    Write {
        /// Where it was to go.
        path: PathBuf,
        /// What the operating system reported.
        source: io::Error,
    },
}

/// What a file of this kind is in place of a picture that is read.
fn other(kind: Option<FileKind>) -> String {
    let Some(kind) = kind else { return "this is not a picture".to_owned() };
    let is_picture = matches!(kind.class(), FileClass::Picture | FileClass::Layered);
    match is_picture || kind == FileKind::Gif {
        true => format!("this is {kind}, which is not supported"),
        false => format!("this is {kind}, not a picture"),
    }
}

impl ImageError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Read { .. }
            | Self::Empty { .. }
            | Self::NotSupported { .. }
            | Self::Truncated { .. }
            | Self::Damaged { .. }
            | Self::Variety { .. }
            | Self::Dimensions { .. } => Fault::Input,
            Self::Memory { .. } | Self::Scratch { .. } => Fault::Memory,
            Self::Samples(_) => Fault::Request,
            Self::Name { .. }
            | Self::TooLarge { .. }
            | Self::RecipeTooLong { .. }
            | Self::Encode { .. }
            | Self::Write { .. } => Fault::Output,
        }
    }

    /// What to do about it, if anything.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotSupported { kind, .. } => Some(match kind.and_then(FileKind::way_out) {
                Some(way_out) => way_out.to_owned(),
                None => format!("Use {READ}."),
            }),
            Self::Truncated { .. } | Self::Damaged { .. } => Some(
                "Copy or download it again, or save what an image editor shows of it as PNG."
                    .to_owned(),
            ),
            Self::Variety { .. } => {
                Some(
                "Convert it to a PNG with 8 or 16 bits per channel first, for instance with GIMP or ImageMagick."
                    .to_owned(),
            )
            }
            Self::Scratch { .. } => {
                Some("Make room there, or choose a folder on another disk.".to_owned())
            }
            Self::Memory { .. } => {
                Some("Make the picture smaller first, or allow more memory.".to_owned())
            }
            Self::Dimensions { .. } => Some("Make the picture smaller first.".to_owned()),
            Self::Name { .. } => Some(format!("End the name in {WRITE}.")),
            Self::TooLarge { .. } | Self::RecipeTooLong { .. } => {
                Some("Write a PNG instead.".to_owned())
            }
            _ => None,
        }
    }
}
