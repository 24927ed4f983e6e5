//! The recipe that a movie carries: found in MP4 and GIF without help, in other kinds by ffprobe.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use ::gif::streaming_decoder::{Decoded, OutputBuffer, StreamingDecoder};
use ::gif::{AnyExtension, Extension};
use mp4_atom::{Atom, Header, Ilst, Moov, ReadFrom};

use crate::FileKind;
use crate::ffmpeg::{FfmpegError, ProbeOutput};

/// The most bytes of a recipe.
const MOST_BYTES: usize = 1 << 20;

/// The most bytes of an MP4's index that are looked at: hours of frames.
const MOST_INDEX: u64 = 1 << 28;

/// The text of the recipe that a movie carries, if it does.
///
/// # Errors
/// Only ffprobe could tell, and it is missing or cannot read the file.
pub(crate) fn recipe_of(path: &Path, kind: FileKind) -> Result<Option<String>, FfmpegError> {
    let found = match kind {
        FileKind::Gif => return Ok(of_gif(path).ok().flatten()),
        FileKind::Mp4 => of_mp4(path),
        _ => None,
    };
    match found {
        Some(text) => Ok(Some(text)),
        None => Ok(ProbeOutput::of(path)?.recipe()),
    }
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
