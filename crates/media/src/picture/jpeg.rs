//! The markers of a JPEG file (ITU-T T.81, annex B): whether its end is there, and a place for XMP.

use std::io::{self, BufRead, Read};

/// Start of image, end of image, start of scan, and the segment for XMP.
const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP1: u8 = 0xe1;

/// What a segment with XMP starts with.
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// What the markers of a file say.
pub(super) struct Scan {
    /// Columns and rows, if there is a frame header.
    pub(super) size: Option<(u32, u32)>,
    /// Whether the end marker is there. A decoder would fill up what is cut off with grey.
    pub(super) complete: bool,
}

/// Reads a JPEG from marker to marker, and keeps nothing of it. The end marker of a thumbnail, which
/// lies inside a segment, does not count.
///
/// # Errors
/// The stream cannot be read.
pub(super) fn scan(stream: &mut dyn BufRead) -> io::Result<Scan> {
    let mut size = None;
    loop {
        let marker = next_marker(stream)?;
        let complete = match marker {
            Some(SOI) => continue,
            Some(EOI) => true,
            Some(marker) => match segment(stream, marker)? {
                Segment::Frame(frame) => {
                    size = size.or(Some(frame));
                    continue;
                }
                Segment::Other => continue,
                Segment::Cut => false,
            },
            None => false,
        };
        return Ok(Scan { size, complete });
    }
}

/// Skips coded data up to the next marker; `None` at the end of the stream. A stuffed zero, a restart
/// and a temporary marker belong to the data.
fn next_marker(stream: &mut dyn BufRead) -> io::Result<Option<u8>> {
    loop {
        stream.skip_until(0xff)?;
        let mut byte = [0xff];
        while byte == [0xff] {
            if stream.read(&mut byte)? == 0 {
                return Ok(None);
            }
        }
        if !matches!(byte[0], 0 | 1 | 0xd0..=0xd7) {
            return Ok(Some(byte[0]));
        }
    }
}

enum Segment {
    Frame((u32, u32)),
    Other,
    Cut,
}

/// Reads the segment after a marker.
fn segment(stream: &mut dyn BufRead, marker: u8) -> io::Result<Segment> {
    let mut length = [0; 2];
    match stream.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Segment::Cut),
        read => read?,
    }
    let length = u64::from(u16::from_be_bytes(length)).saturating_sub(2);
    let mut head = Vec::new();
    stream.take(length.min(5)).read_to_end(&mut head)?;
    let rest = length - length.min(5);
    if io::copy(&mut stream.take(rest), &mut io::sink())? < rest {
        return Ok(Segment::Cut);
    }
    let is_frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
    Ok(match head[..] {
        [_, a, b, c, d] if is_frame && marker != SOS => {
            let side = |bytes| u32::from(u16::from_be_bytes(bytes));
            Segment::Frame((side([c, d]), side([a, b])))
        }
        _ => Segment::Other,
    })
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
    use super::*;

    /// A frame header for 3 × 2 pixels, a scan with a stuffed byte and a restart, an end.
    const PLAIN: &[u8] = b"\xff\xd8\xff\xc0\0\x08\x08\0\x02\0\x03\0\xff\xda\0\x03\0\x11\xff\0\xff\xd0\x22\xff\xff\xd9";

    #[test]
    fn the_end_marker_is_found_where_it_counts() {
        let said = scan(&mut &PLAIN[..]).unwrap();
        assert_eq!((said.size, said.complete), (Some((3, 2)), true));
        for length in 0..PLAIN.len() {
            assert!(!scan(&mut &PLAIN[..length]).unwrap().complete, "{length} bytes");
        }
        let thumbnail =
            [&PLAIN[..2], b"\xff\xe1\0\x04\xff\xd9", &PLAIN[2..PLAIN.len() - 2]].concat();
        assert!(!scan(&mut &thumbnail[..]).unwrap().complete);
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
