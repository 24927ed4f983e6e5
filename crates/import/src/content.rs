//! A model file's bytes: in memory, or where they lie in the file, to be read when they are needed. Most bytes of a
//! large file are weights, and most of these belong to layers behind the one that is dreamt on.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use prost::bytes::Bytes;
use sha2::{Digest, Sha256};

#[cfg(feature = "files")]
use crate::files::ModelFile;
#[cfg(feature = "files")]
use std::sync::Arc;

/// Some bytes of a model. Clones and parts share them.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Memory(Bytes),
    #[cfg(feature = "files")]
    File {
        file: Arc<ModelFile>,
        start: u64,
        len: usize,
    },
}

/// How many bytes are in memory at a time of what is gone through once.
const PIECE: usize = 1 << 18;

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Memory(bytes)
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Memory(bytes.into())
    }
}

impl Content {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            #[cfg(feature = "files")]
            Self::File { len, .. } => *len,
        }
    }

    /// A part of it.
    ///
    /// # Panics
    /// If it does not lie within.
    pub(crate) fn slice(&self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.len(), "a part lies within");
        match self {
            Self::Memory(bytes) => Self::Memory(bytes.slice(range)),
            #[cfg(feature = "files")]
            Self::File { file, start, .. } => Self::File {
                file: Arc::clone(file),
                start: start + range.start as u64,
                len: range.len(),
            },
        }
    }

    /// A part of it, if it lies within.
    pub(crate) fn get(&self, start: usize, len: usize) -> Option<Self> {
        let end = start.checked_add(len).filter(|&end| end <= self.len())?;
        Some(self.slice(start..end))
    }

    /// Its first bytes, so many if it has them.
    pub(crate) fn first(&self, count: usize) -> Self {
        self.slice(0..count.min(self.len()))
    }

    /// All of it in memory.
    ///
    /// # Errors
    /// If the file does not give it any more.
    pub(crate) fn read(&self) -> io::Result<Bytes> {
        match self {
            Self::Memory(bytes) => Ok(bytes.clone()),
            #[cfg(feature = "files")]
            Self::File { file, start, len } => {
                let mut bytes = Vec::new();
                bytes.try_reserve_exact(*len).map_err(|_| io::ErrorKind::OutOfMemory)?;
                bytes.resize(*len, 0);
                file.read_at(*start, &mut bytes)?;
                Ok(bytes.into())
            }
        }
    }

    /// Gives all of it to `f`, piece by piece, each a whole number of times `unit` bytes long but the last.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(crate) fn each_piece(&self, unit: usize, mut f: impl FnMut(&[u8])) -> io::Result<()> {
        let most = PIECE.next_multiple_of(unit.max(1));
        match self {
            Self::Memory(bytes) => bytes.chunks(most).for_each(f),
            #[cfg(feature = "files")]
            Self::File { file, start, len } => {
                let mut piece = vec![0; most.min(*len)];
                for at in (0..*len).step_by(most) {
                    let piece = &mut piece[..most.min(len - at)];
                    file.read_at(start + at as u64, piece)?;
                    f(piece);
                }
            }
        }
        Ok(())
    }
}

/// The SHA-256 of all parts, one after the other, in hexadecimal.
///
/// # Errors
/// As [`Content::read`].
pub(crate) fn hash(parts: &[Content]) -> io::Result<String> {
    let mut hash = Sha256::new();
    for part in parts {
        part.each_piece(1, |piece| hash.update(piece))?;
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Reads a content from somewhere on, as files are read.
pub(crate) struct Cursor {
    content: Content,
    at: u64,
    /// The bytes around the last place, and where they begin.
    window: Bytes,
    start: usize,
}

/// How many bytes are read at once by those who look at a few.
const WINDOW: usize = 1 << 14;

impl Cursor {
    pub(crate) fn new(content: Content) -> Self {
        Self { content, at: 0, window: Bytes::new(), start: 0 }
    }

    /// The bytes from `at` on, at least one if there are any left.
    ///
    /// # Errors
    /// As [`Content::read`].
    pub(crate) fn from(&mut self, at: usize) -> io::Result<&[u8]> {
        let within = at.checked_sub(self.start).filter(|&offset| offset < self.window.len());
        let offset = match within {
            Some(offset) => offset,
            None => {
                let at = at.min(self.content.len());
                (self.window, self.start) = match &self.content {
                    Content::Memory(bytes) => (bytes.clone(), 0),
                    #[cfg(feature = "files")]
                    file => {
                        let end = (at + WINDOW).min(file.len());
                        (file.slice(at..end).read()?, at)
                    }
                };
                at - self.start
            }
        };
        Ok(&self.window[offset..])
    }
}

impl Read for Cursor {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let at = usize::try_from(self.at).unwrap_or(usize::MAX);
        let rest = self.from(at)?;
        let count = rest.len().min(to.len());
        to[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Cursor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => (self.content.len() as u64).checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        self.at = place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
