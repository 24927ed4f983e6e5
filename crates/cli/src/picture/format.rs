//! The kinds of picture files the program reads and writes.

use std::io::Read;
use std::path::Path;

use image::ImageFormat;

use crate::exit::{Failure, Fault};

/// A kind of picture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// PNG, 8 or 16 bits.
    Png,
    /// JPEG, baseline.
    Jpeg,
    /// WebP; written without loss.
    WebP,
    /// TIFF, 8 or 16 bits.
    Tiff,
    /// BMP.
    Bmp,
}

/// Every format, for texts.
pub(super) const ALL: &str = "PNG, JPEG, WebP, TIFF and BMP";

impl Format {
    /// What a file's content is, from its first bytes; its name does not matter.
    ///
    /// # Errors
    /// A file that cannot be opened, is empty, or is no picture of these formats.
    pub(crate) fn of_file(path: &Path) -> Result<Format, Failure> {
        let mut start = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(32).read_to_end(&mut start))
            .map_err(|error| unreadable(path, &error))?;
        let name = path.display();
        if start.is_empty() {
            return Err(Failure::new(Fault::Picture, format!("{name}: the file is empty")));
        }
        let guess = image::guess_format(&start).ok();
        guess.and_then(Format::from_image).ok_or_else(|| {
            let found = match guess.and_then(|guess| guess.extensions_str().first()) {
                Some(kind) => format!("{name}: {kind} pictures are not read"),
                None => format!("{name}: this is not a picture"),
            };
            Failure::new(Fault::Picture, found).or(format!("{ALL} are read"))
        })
    }

    /// What a file of this name is to become.
    ///
    /// # Errors
    /// An extension of no known format.
    pub(crate) fn of_name(path: &Path) -> Result<Format, Failure> {
        ImageFormat::from_path(path).ok().and_then(Format::from_image).ok_or_else(|| {
            let what = format!("{}: the name does not say which format to write", path.display());
            Failure::new(Fault::Output, what)
                .or("end it in .png, .jpg, .webp, .tif or .bmp, or give a folder")
        })
    }

    /// The extension its files usually have.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Format::Png => "png",
            Format::Jpeg => "jpg",
            Format::WebP => "webp",
            Format::Tiff => "tif",
            Format::Bmp => "bmp",
        }
    }

    /// Why its files cannot hold a picture of this height and width, if they cannot.
    pub(crate) fn refuses(self, (height, width): (usize, usize)) -> Option<String> {
        let most = match self {
            Format::WebP => 16_384,
            Format::Jpeg => 65_535,
            Format::Png | Format::Tiff | Format::Bmp => i32::MAX as usize,
        };
        (height.max(width) > most)
            .then(|| format!("{width}×{height} is too large for its format, whose sides are {most} pixels at most"))
    }

    /// Whether its files may be transparent.
    pub(super) fn has_alpha(self) -> bool {
        self != Format::Jpeg
    }

    /// Whether its files have a place for the recipe.
    pub(crate) fn has_metadata(self) -> bool {
        self != Format::Bmp
    }

    /// Whether its files may have 16 bits for each value.
    pub(super) fn has_sixteen_bits(self) -> bool {
        matches!(self, Format::Png | Format::Tiff)
    }

    fn from_image(format: ImageFormat) -> Option<Format> {
        match format {
            ImageFormat::Png => Some(Format::Png),
            ImageFormat::Jpeg => Some(Format::Jpeg),
            ImageFormat::WebP => Some(Format::WebP),
            ImageFormat::Tiff => Some(Format::Tiff),
            ImageFormat::Bmp => Some(Format::Bmp),
            _ => None,
        }
    }

    pub(super) fn image(self) -> ImageFormat {
        match self {
            Format::Png => ImageFormat::Png,
            Format::Jpeg => ImageFormat::Jpeg,
            Format::WebP => ImageFormat::WebP,
            Format::Tiff => ImageFormat::Tiff,
            Format::Bmp => ImageFormat::Bmp,
        }
    }
}

/// The failure for a file the operating system will not give.
pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let name = path.display();
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::new(Fault::Picture, format!("{name}: there is no such file"))
        }
        std::io::ErrorKind::IsADirectory => {
            Failure::new(Fault::Picture, format!("{name}: this is a folder, not a picture"))
        }
        _ => Failure::new(Fault::Picture, format!("{name}: cannot be read: {error}")),
    }
}
