//! What a file is, told by its content: its name does not matter.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A kind of file that is recognized, whether or not it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// PNG, animated or not.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    WebP,
    /// TIFF.
    Tiff,
    /// BMP.
    Bmp,
    /// GIF.
    Gif,
    /// AVIF.
    Avif,
    /// HEIF, as phones write it.
    Heif,
    /// JPEG XL.
    JpegXl,
    /// A Windows icon.
    Ico,
    /// OpenEXR.
    OpenExr,
    /// Radiance HDR.
    Hdr,
    /// QOI.
    Qoi,
    /// farbfeld.
    Farbfeld,
    /// DirectDraw surface.
    Dds,
    /// MP4, QuickTime and their relatives.
    Mp4,
    /// Matroska and WebM.
    Matroska,
}

/// How many bytes from the start of a file [`FileKind::sniff`] looks at.
pub(crate) const SNIFF_BYTES: usize = 32;

/// How a file of each kind starts: its first bytes, then those at an offset. The first line that
/// matches counts.
const SIGNATURES: &[(&[u8], usize, &[u8], FileKind)] = &[
    (b"\x89PNG\r\n\x1a\n", 0, b"", FileKind::Png),
    (b"\xff\xd8\xff", 0, b"", FileKind::Jpeg),
    (b"RIFF", 8, b"WEBP", FileKind::WebP),
    (b"II*\0", 0, b"", FileKind::Tiff),
    (b"MM\0*", 0, b"", FileKind::Tiff),
    (b"BM", 0, b"", FileKind::Bmp),
    (b"GIF8", 0, b"", FileKind::Gif),
    (b"", 4, b"ftypavif", FileKind::Avif),
    (b"", 4, b"ftypavis", FileKind::Avif),
    (b"", 4, b"ftypheic", FileKind::Heif),
    (b"", 4, b"ftypheix", FileKind::Heif),
    (b"", 4, b"ftypmif1", FileKind::Heif),
    (b"", 4, b"ftyp", FileKind::Mp4),
    (b"\x1a\x45\xdf\xa3", 0, b"", FileKind::Matroska),
    (b"\xff\x0a", 0, b"", FileKind::JpegXl),
    (b"", 4, b"JXL \r\n\x87\n", FileKind::JpegXl),
    (b"\0\0\x01\0", 0, b"", FileKind::Ico),
    (b"\x76\x2f\x31\x01", 0, b"", FileKind::OpenExr),
    (b"#?RADIANCE", 0, b"", FileKind::Hdr),
    (b"qoif", 0, b"", FileKind::Qoi),
    (b"farbfeld", 0, b"", FileKind::Farbfeld),
    (b"DDS ", 0, b"", FileKind::Dds),
];

impl FileKind {
    /// The kind of a file that starts with these bytes, of which the first 32 decide;
    /// `None` for what is not recognized.
    pub fn sniff(start: &[u8]) -> Option<Self> {
        let matches = |(first, at, then, _): &&(&[u8], usize, &[u8], FileKind)| {
            start.starts_with(first) && start.get(*at..).is_some_and(|rest| rest.starts_with(then))
        };
        SIGNATURES.iter().find(matches).map(|(.., kind)| *kind)
    }

    /// The kind of the file at `path`; `None` for what is not recognized.
    ///
    /// # Errors
    /// The file cannot be opened or read.
    pub fn of_file(path: &Path) -> io::Result<Option<Self>> {
        let mut start = Vec::new();
        File::open(path)?.take(SNIFF_BYTES as u64).read_to_end(&mut start)?;
        Ok(Self::sniff(&start))
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
            Self::Gif => "GIF",
            Self::Avif => "AVIF",
            Self::Heif => "HEIF",
            Self::JpegXl => "JPEG XL",
            Self::Ico => "ICO",
            Self::OpenExr => "OpenEXR",
            Self::Hdr => "Radiance HDR",
            Self::Qoi => "QOI",
            Self::Farbfeld => "farbfeld",
            Self::Dds => "DDS",
            Self::Mp4 => "MP4",
            Self::Matroska => "Matroska",
        }
    }

    /// Whether a movie in this container may carry a recipe. An animated PNG is a picture too, and
    /// carries its recipe as one.
    pub fn is_movie(self) -> bool {
        matches!(self, Self::Mp4 | Self::Gif | Self::Matroska)
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_decide() {
        let cases: [(&[u8], Option<FileKind>); 11] = [
            (b"", None),
            (b"Only words, whatever the name says.", None),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some(FileKind::Png)),
            (b"\xff\xd8\xff\xe0", Some(FileKind::Jpeg)),
            (b"RIFF\x10\0\0\0WEBPVP8L", Some(FileKind::WebP)),
            (b"RIFF\x10\0\0\0AVI LIST", None),
            (b"\0\0\0\x20ftypisom", Some(FileKind::Mp4)),
            (b"\0\0\0\x20ftypavif", Some(FileKind::Avif)),
            (b"\0\0\0\x20ftypqt  ", Some(FileKind::Mp4)),
            (b"GIF89a", Some(FileKind::Gif)),
            (b"\x1a\x45\xdf\xa3", Some(FileKind::Matroska)),
        ];
        for (start, kind) in cases {
            assert_eq!(FileKind::sniff(start), kind, "{start:?}");
        }
        let longest =
            SIGNATURES.iter().map(|(first, at, then, _)| first.len().max(at + then.len()));
        assert!(longest.max() <= Some(SNIFF_BYTES));
    }
}
