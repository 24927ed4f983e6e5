//! The picture formats that are read and written.

use std::fmt;

use crate::FileKind;

/// A picture format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageFormat {
    /// PNG, 8 or 16 bits.
    Png,
    /// JPEG, baseline; the colours are stored at full resolution.
    Jpeg,
    /// WebP; written without loss.
    WebP,
    /// TIFF, 8 or 16 bits.
    Tiff,
    /// BMP.
    Bmp,
}

/// Every format that is read, for texts.
pub(super) const READ: &str = "PNG, JPEG, WebP, TIFF or BMP";

/// Every usual extension, for texts.
pub(super) const WRITE: &str = ".png, .jpg, .webp, .tif or .bmp";

impl ImageFormat {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Png, Self::Jpeg, Self::WebP, Self::Tiff, Self::Bmp];

    /// The format that a file of this kind is read as; `None` if it is no picture of these formats.
    pub fn of_kind(kind: FileKind) -> Option<Self> {
        match kind {
            FileKind::Png => Some(Self::Png),
            FileKind::Jpeg => Some(Self::Jpeg),
            FileKind::WebP => Some(Self::WebP),
            FileKind::Tiff => Some(Self::Tiff),
            FileKind::Bmp => Some(Self::Bmp),
            _ => None,
        }
    }

    /// The format of files with this extension, in any case; `None` for an unknown one.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "png" | "apng" => Some(Self::Png),
            "jpg" | "jpeg" | "jfif" => Some(Self::Jpeg),
            "webp" => Some(Self::WebP),
            "tif" | "tiff" => Some(Self::Tiff),
            "bmp" => Some(Self::Bmp),
            _ => None,
        }
    }

    /// The extension its files usually have.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::WebP => "webp",
            Self::Tiff => "tif",
            Self::Bmp => "bmp",
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
        }
    }

    /// The longest side its files can have, in pixels.
    pub fn longest_side(self) -> u32 {
        match self {
            Self::WebP => 16_384,
            Self::Jpeg => 65_535,
            Self::Png | Self::Tiff | Self::Bmp => i32::MAX as u32,
        }
    }

    /// Whether its files may be transparent.
    pub fn has_alpha(self) -> bool {
        self != Self::Jpeg
    }

    /// Whether its files have a place for a recipe.
    pub fn has_metadata(self) -> bool {
        self != Self::Bmp
    }

    /// Whether its files may have 16 bits per channel.
    pub fn has_sixteen_bits(self) -> bool {
        matches!(self, Self::Png | Self::Tiff)
    }
}

impl fmt::Display for ImageFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
