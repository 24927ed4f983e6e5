//! Movie formats: containers and codecs, and which of them a file's name asks for.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::{MovieError, Quality};

/// How frames are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// H.264: plays everywhere.
    H264,
    /// H.265.
    H265,
    /// AV1.
    Av1,
    /// VP9.
    Vp9,
    /// Apple ProRes, for editing.
    Prores,
}

impl Codec {
    /// Its name in texts.
    pub(super) fn title(self) -> &'static str {
        match self {
            Codec::H264 => "H.264 at another than the built-in quality",
            Codec::H265 => "H.265",
            Codec::Av1 => "AV1",
            Codec::Vp9 => "VP9",
            Codec::Prores => "ProRes",
        }
    }

    /// ffmpeg's encoders for it, best first.
    pub(super) fn encoders(self) -> &'static [&'static str] {
        match self {
            Codec::H264 => &["libx264", "libopenh264"],
            Codec::H265 => &["libx265"],
            Codec::Av1 => &["libsvtav1", "libaom-av1", "librav1e"],
            Codec::Vp9 => &["libvpx-vp9"],
            Codec::Prores => &["prores_ks"],
        }
    }

    /// ffmpeg's name for its pixel format.
    pub(super) fn pixels(self, quality: Quality) -> &'static str {
        match (self, quality) {
            (Codec::Prores, Quality::Best) => "yuv444p10le",
            (Codec::Prores, _) => "yuv422p10le",
            _ => "yuv420p",
        }
    }
}

impl Codec {
    /// Every codec.
    pub const ALL: [Self; 5] = [Self::H264, Self::H265, Self::Av1, Self::Vp9, Self::Prores];

    /// Its name in lower case, which is parsed as well.
    pub fn name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::H265 => "h265",
            Self::Av1 => "av1",
            Self::Vp9 => "vp9",
            Self::Prores => "prores",
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Codec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = Self::ALL;
        all.into_iter().find(|codec| codec.name() == text).ok_or_else(|| {
            format!("`{text}` is not a codec: use {}", all.map(Self::name).join(", "))
        })
    }
}

/// A file format that ffmpeg writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// .mp4
    Mp4,
    /// .mov
    Mov,
    /// .webm
    Webm,
    /// .mkv
    Matroska,
}

impl Container {
    /// ffmpeg's name for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Container::Mp4 => "mp4",
            Container::Mov => "mov",
            Container::Webm => "webm",
            Container::Matroska => "matroska",
        }
    }
}

/// How a movie is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MovieFormat {
    /// MP4 with the built-in H.264 encoder.
    #[cfg(feature = "h264")]
    Mp4,
    /// GIF.
    Gif,
    /// Animated PNG.
    Apng,
    /// Anything else, through ffmpeg.
    Ffmpeg(Container, Codec),
}

impl MovieFormat {
    /// The format for a file's name and a codec; `ffmpeg` asks for ffmpeg where a built-in encoder would
    /// do.
    ///
    /// # Errors
    /// A name that says no format, or one of a format that cannot hold the codec.
    pub fn choose(path: &Path, codec: Option<Codec>, ffmpeg: bool) -> Result<Self, MovieError> {
        let extension = path.extension().and_then(|text| text.to_str()).unwrap_or_default();
        let name = || path.display().to_string();
        let (container, usual) = match extension.to_ascii_lowercase().as_str() {
            "gif" | "png" | "apng" if codec.is_some() || ffmpeg => {
                let extension = extension.to_owned();
                return Err(MovieError::NoChoice { name: name(), extension });
            }
            "gif" => return Ok(Self::Gif),
            "png" | "apng" => return Ok(Self::Apng),
            "mp4" | "m4v" => (Container::Mp4, Codec::H264),
            "mov" => (Container::Mov, Codec::Prores),
            "webm" => (Container::Webm, Codec::Av1),
            "mkv" => (Container::Matroska, Codec::H264),
            _ => return Err(MovieError::Name { name: name() }),
        };
        let codec = codec.unwrap_or(usual);
        if container == Container::Webm && !matches!(codec, Codec::Av1 | Codec::Vp9) {
            return Err(MovieError::WebmCodec { name: name() });
        }
        if container == Container::Mp4 && codec == Codec::Prores {
            return Err(MovieError::Mp4Codec { name: name() });
        }
        Ok(match (container, codec, ffmpeg) {
            #[cfg(feature = "h264")]
            (Container::Mp4, Codec::H264, false) => Self::Mp4,
            _ => Self::Ffmpeg(container, codec),
        })
    }

    /// The container, if it can hold sound too.
    pub fn container(self) -> Option<Container> {
        match self {
            #[cfg(feature = "h264")]
            Self::Mp4 => Some(Container::Mp4),
            Self::Ffmpeg(container, _) => Some(container),
            Self::Gif | Self::Apng => None,
        }
    }
}
