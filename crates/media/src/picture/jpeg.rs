//! The markers of a JPEG file (ITU-T T.81, annex B): its size, whether all of it is there, which decoder
//! reads it right, and a place for XMP.

use std::io::{self, BufRead, Read};

use jpeg_decoder::{Decoder, PixelFormat};

use super::facts::most_bytes;
use super::source::Stream;

/// Start of image, end of image, start of scan, and the segment for XMP.
const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP1: u8 = 0xe1;

/// What a segment with XMP starts with.
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// Coded ones, which no code begins with: a decoder that needs them is past the end of its data.
const FILLER: [u8; 32] = *b"\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0";

/// What the markers of a file say.
#[derive(Default)]
pub(super) struct Scan {
    /// Columns and rows, if there is a frame header.
    pub(super) size: Option<(u32, u32)>,
    /// Where the picture's last byte is: its end marker's, or the file's. What follows is no part of it.
    pub(super) length: u64,
    /// Whether the end marker is there.
    pub(super) has_end: bool,
    /// What no decoder here reads in it.
    pub(super) beyond: Option<&'static str>,
    /// Whether the components come in scans of their own and not bit by bit.
    is_apart: bool,
    /// Whether some scan has not all components.
    is_split: bool,
    /// How often each component is sampled across and down, and where the first byte of that is.
    sampling: Vec<(u8, u8)>,
    sampling_at: usize,
    /// Whether the file goes on for longer than any picture of its size.
    pub(super) is_endless: bool,
    /// Where the data of each scan end.
    ends: Vec<u64>,
    /// Which coefficients of each component have all their bits.
    complete: Vec<(u8, u64)>,
}

impl Scan {
    /// Whether the usual decoder gets it wrong: components in scans of their own, colours that are finer
    /// than the brightness, or three samples in a row.
    pub(super) fn is_rare(&self) -> bool {
        let [first, rest @ ..] = &self.sampling[..] else { return false };
        let is_coarse = rest.iter().any(|other| first.0 < other.0 || first.1 < other.1);
        let has_three = self.sampling.iter().any(|(across, down)| *across == 3 || *down == 3);
        self.is_apart || !rest.is_empty() && (is_coarse || has_three)
    }

    /// Whether the other decoder counts the blocks of a component wrong, as it does in scans of their own
    /// for those sampled more than once, but not as often as others.
    fn is_miscounted(&self) -> bool {
        let most = |side: fn(&(u8, u8)) -> u8| self.sampling.iter().map(side).max().unwrap_or(1);
        let (across, down) = (most(|sampling| sampling.0), most(|sampling| sampling.1));
        let between = |(a, d): &(u8, u8)| (2..across).contains(a) || (2..down).contains(d);
        self.is_split && self.sampling.iter().any(between)
    }

    /// The file as the usual decoder takes its headers whatever the sampling.
    pub(super) fn with_plain_sampling(&self, file: &[u8]) -> Vec<u8> {
        let mut file = file.to_vec();
        for at in (self.sampling_at..).step_by(3).take(self.sampling.len()) {
            file.get_mut(at).into_iter().for_each(|byte| *byte = 0x11);
        }
        file
    }
}

/// What is not read in a frame that begins with `marker`, has samples of `bits` and `height` rows.
fn beyond(marker: u8, bits: u8, height: u16) -> Option<&'static str> {
    Some(match marker {
        0xf7 => "it is a JPEG-LS picture, which is not supported",
        0xc9..=0xcb => "it is a JPEG with arithmetic coding, which is not supported",
        0xc3 => "it is a lossless JPEG, which is not supported",
        0xc5..=0xc7 | 0xcd..=0xcf => "it is a hierarchical JPEG, which is not supported",
        _ if bits != 8 => "it is a JPEG with more than 8 bits per channel, which is not supported",
        _ if height == 0 => "its header does not say how high it is, which is not supported",
        _ => return None,
    })
}

/// Reads a JPEG from marker to marker, and keeps nothing of its data. The end marker of a thumbnail,
/// which lies inside a segment, does not count.
///
/// # Errors
/// The stream cannot be read.
pub(super) fn scan(stream: &mut dyn Stream) -> io::Result<Scan> {
    let mut scan = Scan::default();
    let mut is_sequential = false;
    loop {
        let (width, height) = scan.size.unwrap_or_default();
        let most = most_bytes(width, height);
        let marker = next_marker(stream, most)?;
        scan.length = stream.stream_position()?;
        if scan.length > most {
            scan.is_endless = true;
            return Ok(scan);
        }
        if let Some(last) = scan.ends.last_mut().filter(|end| **end == 0) {
            *last = scan.length - if marker.is_some() { 2 } else { 0 };
        }
        let segment = match marker {
            Some(SOI) => continue,
            Some(EOI) => {
                scan.has_end = true;
                return Ok(scan);
            }
            Some(_) => segment(stream)?,
            None => None,
        };
        let (Some(marker), Some(segment)) = (marker, segment) else {
            scan.length = stream.stream_position()?;
            return Ok(scan);
        };
        match (marker, &segment[..]) {
            (SOS, [count, rest @ ..]) => {
                let count = usize::from(*count);
                let (Some(components), Some([from, to, bits, ..])) =
                    (rest.get(..2 * count), rest.get(2 * count..))
                else {
                    continue;
                };
                scan.ends.push(0);
                scan.is_split |= count < scan.complete.len();
                scan.is_apart |= is_sequential && count < scan.complete.len();
                for component in components.chunks_exact(2) {
                    let known = scan.complete.iter_mut().filter(|(id, _)| *id == component[0]);
                    let last_bits = is_sequential || bits & 15 == 0;
                    let range = if is_sequential { 0..=63 } else { *from..=(*to).min(63) };
                    known
                        .filter(|_| last_bits)
                        .for_each(|(_, done)| range.clone().for_each(|at| *done |= 1 << at));
                }
            }
            (0xc0..=0xcf | 0xf7, [bits, a, b, c, d, _, rest @ ..])
                if !matches!(marker, 0xc4 | 0xc8 | 0xcc) && scan.size.is_none() =>
            {
                let side = |bytes| u32::from(u16::from_be_bytes(bytes));
                scan.size = Some((side([*c, *d]), side([*a, *b])));
                is_sequential = matches!(marker, 0xc0 | 0xc1);
                scan.beyond = beyond(marker, *bits, u16::from_be_bytes([*a, *b]));
                let sampling = |component: &[u8]| (component[1] >> 4, component[1] & 15);
                scan.sampling = rest.chunks_exact(3).map(sampling).collect();
                let at = stream.stream_position()?.saturating_sub(rest.len() as u64) + 1;
                scan.sampling_at = usize::try_from(at).unwrap_or(usize::MAX);
                scan.complete = rest.chunks_exact(3).map(|component| (component[0], 0)).collect();
            }
            _ => {}
        }
    }
}

/// Skips coded data up to the next marker; `None` at the end of the stream, or after `most` bytes. A
/// stuffed zero, a restart and a temporary marker belong to the data.
fn next_marker(stream: &mut dyn Stream, most: u64) -> io::Result<Option<u8>> {
    loop {
        let left = most.saturating_sub(stream.stream_position()?) + 1;
        (&mut *stream).take(left).skip_until(0xff)?;
        let mut byte = [0xff];
        while byte == [0xff] {
            if stream.read(&mut byte)? == 0 {
                return Ok(None);
            }
        }
        if !matches!(byte[0], 0 | 1 | 0xd0..=0xd7) {
            return Ok(Some(byte[0]));
        }
        if stream.stream_position()? > most {
            return Ok(None);
        }
    }
}

/// Reads the segment after a marker; `None` if it is cut off.
fn segment(stream: &mut dyn Stream) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 2];
    match stream.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = u64::from(u16::from_be_bytes(length)).saturating_sub(2);
    let mut segment = Vec::new();
    stream.take(length).read_to_end(&mut segment)?;
    Ok((segment.len() as u64 == length).then_some(segment))
}

/// What a look at all of a picture's data finds.
pub(super) enum Look {
    /// All blocks are there; their samples, and how many there are for a pixel.
    Whole(Vec<u8>, usize),
    /// Blocks are missing.
    Cut,
    /// The data break the rules somewhere, so that a part may be wrong.
    Damaged(String),
    /// The decoder does not know this variety.
    Unknown,
}

/// Decodes all of a picture to see whether it is whole, from the file's bytes up to `scan.length`.
///
/// Decoders fill up what is missing without a word. Here the data of each scan are followed by what no
/// decoder can take for a code.
pub(super) fn look(bytes: &[u8], scan: &Scan) -> Look {
    if scan.complete.iter().any(|(_, done)| *done != u64::MAX) {
        return Look::Cut;
    }
    if scan.is_miscounted() {
        return Look::Unknown;
    }
    // The first half of an end marker.
    let half = bytes.iter().rev().take_while(|byte| **byte == 0xff).count();
    let bytes = &bytes[..bytes.len() - half];
    let mut file = Vec::with_capacity(bytes.len() + scan.ends.len() * FILLER.len() + 2);
    let mut from = 0;
    for end in &scan.ends {
        let end = usize::try_from(*end).unwrap_or(usize::MAX).clamp(from, bytes.len());
        file.extend_from_slice(&bytes[from..end]);
        file.extend_from_slice(&FILLER);
        from = end;
    }
    let last = file.len();
    file.extend_from_slice(&bytes[from..]);
    file.extend_from_slice(&[0xff, EOI]);
    let mut left = &file[..];
    let mut decoder = Decoder::new(&mut left);
    let decoded = decoder.decode();
    let format = decoder.info().map(|info| info.pixel_format);
    match (decoded, format) {
        (Ok(samples), Some(PixelFormat::L8)) => Look::Whole(samples, 1),
        (Ok(samples), Some(PixelFormat::RGB24)) => Look::Whole(samples, 3),
        (Ok(samples), Some(PixelFormat::CMYK32)) => Look::Whole(rgb_of_cmyk(&samples), 3),
        (Err(jpeg_decoder::Error::Unsupported(_)), _) | (Ok(_), _) => Look::Unknown,
        (Err(error), _) => {
            let ran_out = file.len() - left.len() + FILLER.len() > last;
            if ran_out { Look::Cut } else { Look::Damaged(error.to_string()) }
        }
    }
}

/// Red, green and blue of cyan, magenta, yellow and black, of which 255 is full ink.
fn rgb_of_cmyk(samples: &[u8]) -> Vec<u8> {
    let left =
        |ink: u8, black: u8| ((u32::from(255 - ink) * u32::from(255 - black) + 127) / 255) as u8;
    let pixel = |cmyk: &[u8]| [0, 1, 2].map(|ink| left(cmyk[ink], cmyk[3]));
    samples.chunks_exact(4).flat_map(pixel).collect()
}

/// Puts XMP into a file, after the segment that says it is a JPEG; `None` if it is too long for a
/// segment, or `file` is no JPEG.
pub(super) fn with_xmp(file: &[u8], packet: &str) -> Option<Vec<u8>> {
    let length = u16::try_from(2 + XMP.len() + packet.len()).ok()?;
    let first = file.get(4..6)?;
    let at = 4 + usize::from(u16::from_be_bytes([first[0], first[1]]));
    let (before, after) = file.split_at_checked(at)?;
    let segment = [&[0xff, APP1], &length.to_be_bytes()[..], XMP, packet.as_bytes()].concat();
    Some([before, &segment, after].concat())
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Seek};

    use super::*;

    /// A frame header for 3 × 2 pixels, a scan with a stuffed byte and a restart, an end.
    const PLAIN: &[u8] = b"\xff\xd8\xff\xc0\0\x08\x08\0\x02\0\x03\0\xff\xda\0\x06\0\0\x3f\0\x11\xff\0\xff\xd0\x22\xff\xff\xd9";

    fn scan_of(bytes: &[u8]) -> Scan {
        scan(&mut Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn the_end_marker_is_found_where_it_counts() {
        let said = scan_of(PLAIN);
        assert_eq!((said.size, said.has_end), (Some((3, 2)), true));
        assert_eq!(said.ends, [PLAIN.len() as u64 - 2]);
        for length in 0..PLAIN.len() {
            assert!(!scan_of(&PLAIN[..length]).has_end, "{length} bytes");
        }
        let thumbnail =
            [&PLAIN[..2], b"\xff\xe1\0\x04\xff\xd9", &PLAIN[2..PLAIN.len() - 2]].concat();
        assert!(!scan_of(&thumbnail).has_end);
        // What stands behind the picture is not read.
        let followed = [PLAIN, &[7; 100]].concat();
        assert_eq!(scan_of(&followed).length, PLAIN.len() as u64);
    }

    #[test]
    fn data_that_no_picture_of_the_size_has_are_not_read() {
        /// As large as asked for, and nothing but zeros behind the picture's beginning.
        struct Sparse {
            at: u64,
            read: u64,
        }
        const LENGTH: u64 = 6 << 30;
        impl io::Read for Sparse {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = buffer.len().min(usize::try_from(LENGTH - self.at).unwrap());
                for (offset, byte) in buffer[..count].iter_mut().enumerate() {
                    let at = self.at as usize + offset;
                    *byte = PLAIN[..20].get(at).copied().unwrap_or(0);
                }
                self.at += count as u64;
                self.read += count as u64;
                Ok(count)
            }
        }
        impl Seek for Sparse {
            fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
                match to {
                    io::SeekFrom::Start(at) => self.at = at,
                    io::SeekFrom::Current(by) => self.at = self.at.strict_add_signed(by),
                    io::SeekFrom::End(by) => self.at = LENGTH.strict_add_signed(by),
                }
                Ok(self.at)
            }
        }
        let mut stream = io::BufReader::with_capacity(1 << 16, Sparse { at: 0, read: 0 });
        let said = scan(&mut stream).unwrap();
        assert!(said.is_endless && !said.has_end);
        assert!(stream.get_ref().read < 2 * most_bytes(3, 2), "{}", stream.get_ref().read);
    }

    #[test]
    fn xmp_stands_after_the_first_segment() {
        let file = b"\xff\xd8\xff\xe0\0\x04ab\xff\xd9";
        let with = with_xmp(file, "<x/>").unwrap();
        assert!(with.starts_with(b"\xff\xd8\xff\xe0\0\x04ab\xff\xe1\0\x23http://ns.adobe.com/"));
        assert!(with.ends_with(b"\0<x/>\xff\xd9"));
        assert!(with_xmp(file, &"x".repeat(65_535)).is_none());
        assert!(with_xmp(b"\xff\xd8", "<x/>").is_none());
    }
}
