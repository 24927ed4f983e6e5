//! The recipe that a movie carries: in MP4 and GIF found by ourselves, in other kinds by ffprobe.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use ::gif::streaming_decoder::{Decoded, OutputBuffer, StreamingDecoder};
use ::gif::{AnyExtension, Extension};
use mp4_atom::{Atom, Header, Ilst, Moov, ReadFrom};

use crate::exit::{Failure, Fault};

/// The most bytes of a recipe.
const MOST_BYTES: usize = 1 << 20;

/// The most bytes of an MP4's index that are looked at: hours of frames.
const MOST_INDEX: u64 = 1 << 28;

/// The kinds that are told apart.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Mp4,
    Gif,
    Matroska,
}

/// What a file is, from its first bytes.
fn kind(path: &Path) -> Option<Kind> {
    let mut start = [0; 8];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).ok()?;
    match &start {
        [_, _, _, _, b'f', b't', b'y', b'p'] => Some(Kind::Mp4),
        [b'G', b'I', b'F', b'8', ..] => Some(Kind::Gif),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some(Kind::Matroska),
        _ => None,
    }
}

/// Whether a file is a movie of a kind that this program writes; APNG, which is a picture too, is not
/// counted.
pub(crate) fn is_movie(path: &Path) -> bool {
    kind(path).is_some()
}

/// The recipe's text that a movie carries.
///
/// # Errors
/// A movie without one, or one that only ffprobe can read, which is not installed.
pub(crate) fn recipe_of(path: &Path) -> Result<String, Failure> {
    let wrong = |what: String| Failure::new(Fault::Recipe, format!("{}: {what}", path.display()));
    let found = match kind(path) {
        Some(Kind::Gif) => of_gif(path).ok().flatten(),
        Some(Kind::Mp4) => of_mp4(path),
        _ => None,
    };
    let found = match found {
        None if kind(path) != Some(Kind::Gif) => {
            crate::video::recipe_of(path).map_err(|error| wrong(error.to_string()))?
        }
        found => found,
    };
    found.filter(|text| text.len() <= MOST_BYTES).ok_or_else(|| {
        wrong("this movie carries no recipe".into())
            .or("use a recipe's TOML file, or a picture or movie that this program dreamt")
    })
}

/// The comment of a GIF.
fn of_gif(path: &Path) -> io::Result<Option<String>> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let mut decoder = StreamingDecoder::new();
    let mut comment = Vec::new();
    loop {
        let buffer = io::BufRead::fill_buf(&mut file)?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let (used, event) =
            decoder.update(buffer, &mut OutputBuffer::None).map_err(io::Error::other)?;
        match event {
            Decoded::SubBlock { ext: AnyExtension(kind), is_last }
                if kind == Extension::Comment as u8 =>
            {
                comment.extend_from_slice(decoder.last_ext_sub_block());
                if is_last || comment.len() > MOST_BYTES {
                    return Ok(String::from_utf8(comment).ok());
                }
            }
            // It stands before the first picture.
            Decoded::FrameMetadata(_) => return Ok(None),
            _ => {}
        }
        io::BufRead::consume(&mut file, used);
    }
}

/// The description in an MP4's index.
fn of_mp4(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let mut at = 0;
    while at < length {
        file.seek(SeekFrom::Start(at)).ok()?;
        let header = <Option<Header> as ReadFrom>::read_from(&mut file).ok()??;
        let body = file.stream_position().ok()?;
        let size = header.size.map_or(length - body, |size| size as u64);
        if header.kind == Moov::KIND {
            if size > MOST_INDEX.min(length - body) {
                return None;
            }
            let mut bytes = vec![0; size as usize];
            file.read_exact(&mut bytes).ok()?;
            let moov = Moov::decode_body(&mut &bytes[..]).ok()?;
            let meta = moov.udta?.meta?;
            return meta.get::<Ilst>()?.desc.clone().map(|description| description.text);
        }
        at = body.checked_add(size)?;
    }
    None
}
