//! The first directory of a TIFF, read by itself: what the picture is where no decoder takes it.

use std::io::{self, Read, SeekFrom};

use super::source::Stream;

/// The tags that tell it.
const BITS: u16 = 258;
const PHOTOMETRIC: u16 = 262;
const SAMPLES: u16 = 277;
const FORMAT: u16 = 339;

/// LinearRaw: the samples of a camera's sensor with three colours for each pixel.
const LINEAR_RAW: u32 = 34892;

/// The values of the tags above; what is not there has its default.
pub(super) struct Directory {
    bits: u32,
    photometric: u32,
    samples: u32,
    format: u32,
}

impl Directory {
    /// The first directory; `None` for a `BigTIFF` and for what is cut off.
    pub(super) fn first(stream: &mut dyn Stream) -> Option<Self> {
        Self::read(stream).ok().flatten()
    }

    fn read(stream: &mut dyn Stream) -> io::Result<Option<Self>> {
        let mut head = [0; 8];
        stream.rewind()?;
        stream.read_exact(&mut head)?;
        let is_big_endian = match &head[..4] {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return Ok(None),
        };
        let number = |bytes: &[u8]| {
            let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
            if is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
        };
        stream.seek(SeekFrom::Start(number(&head[4..]).into()))?;
        let mut count = [0; 2];
        stream.read_exact(&mut count)?;
        let mut entries = Vec::new();
        (&mut *stream).take(12 * u64::from(number(&count))).read_to_end(&mut entries)?;
        let mut directory = Self { bits: 1, photometric: 0, samples: 1, format: 1 };
        for entry in entries.chunks_exact(12) {
            let value = match number(&entry[..2]) as u16 {
                BITS => &mut directory.bits,
                PHOTOMETRIC => &mut directory.photometric,
                SAMPLES => &mut directory.samples,
                FORMAT => &mut directory.format,
                _ => continue,
            };
            let mut first = [entry[8], entry[9]];
            // Of more than two, the values stand elsewhere.
            if number(&entry[4..8]) > 2 {
                stream.seek(SeekFrom::Start(number(&entry[8..]).into()))?;
                stream.read_exact(&mut first)?;
            }
            *value = number(&first);
        }
        Ok(Some(directory))
    }

    /// Whether the samples are those of a camera's sensor.
    pub(super) fn is_linear_raw(&self) -> bool {
        self.photometric == LINEAR_RAW
    }

    /// What the picture is, for a person whose decoder does not take it.
    pub(super) fn refusal(&self) -> String {
        let Self { bits, samples, .. } = *self;
        let colors = match self.photometric {
            0 | 1 if samples == 2 => "in grey with transparency".to_owned(),
            0 | 1 => "in grey".to_owned(),
            2 => "in RGB".to_owned(),
            3 => "with a palette".to_owned(),
            5 => "in CMYK".to_owned(),
            6 => "in YCbCr".to_owned(),
            8..=10 => "in CIE Lab".to_owned(),
            other => format!("with colours of type {other}"),
        };
        let format = match self.format {
            2 => "signed numbers",
            3 => "floating-point numbers",
            _ => "whole numbers",
        };
        let channels = if samples == 1 { "channel" } else { "channels" };
        format!(
            "a TIFF {colors}, with {samples} {channels} of {format} of {bits} bits, is not supported"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A directory of these tags, each a number of 16 bits, in either byte order.
    fn directory(tags: &[(u16, u16)], is_big_endian: bool) -> Option<Directory> {
        let order = |bytes: &[u8]| -> Vec<u8> {
            if is_big_endian { bytes.to_vec() } else { bytes.iter().rev().copied().collect() }
        };
        let mut file = if is_big_endian { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
        file.extend(order(&8_u32.to_be_bytes()));
        file.extend(order(&(tags.len() as u16).to_be_bytes()));
        for (tag, value) in tags {
            file.extend(order(&tag.to_be_bytes()));
            file.extend(order(&3_u16.to_be_bytes()));
            file.extend(order(&1_u32.to_be_bytes()));
            file.extend(order(&value.to_be_bytes()));
            file.extend([0; 2]);
        }
        Directory::first(&mut Cursor::new(file))
    }

    #[test]
    fn a_picture_that_no_decoder_takes_is_told_in_words() {
        for is_big_endian in [false, true] {
            let tags = [(BITS, 32), (PHOTOMETRIC, 1), (SAMPLES, 1), (FORMAT, 3)];
            let words = directory(&tags, is_big_endian).unwrap().refusal();
            assert!(words.contains("in grey, with 1 channel of floating-point numbers of 32 bits"));
            let tags = [(BITS, 8), (PHOTOMETRIC, 1), (SAMPLES, 2)];
            let words = directory(&tags, is_big_endian).unwrap().refusal();
            assert!(words.contains("in grey with transparency"), "{words}");
            let raw = directory(&[(PHOTOMETRIC, 34892)], is_big_endian).unwrap();
            assert!(raw.is_linear_raw());
        }
        assert!(Directory::first(&mut Cursor::new(b"II*\0\xff\xff\xff\xff")).is_none());
    }
}
