//! How files of each kind begin.

use super::FileKind;
use FileKind as Kind;

/// How many bytes from the start of a file [`FileKind::sniff`] looks at.
pub(crate) const SNIFF_BYTES: usize = 4096;

/// What a file of each kind has at an offset. The first line that matches counts.
const SIGNATURES: &[(usize, &[u8], FileKind)] = &[
    (0, b"\x89PNG\r\n\x1a\n", Kind::Png),
    (0, b"\xff\xd8\xff", Kind::Jpeg),
    (0, b"GIF8", Kind::Gif),
    // Raw files that borrow TIFF's beginning.
    (8, b"CR\x02\0", Kind::CameraRaw),
    (0, b"IIRO", Kind::CameraRaw),
    (0, b"IIRS", Kind::CameraRaw),
    (0, b"MMOR", Kind::CameraRaw),
    (0, b"IIU\0", Kind::CameraRaw),
    (0, b"FUJIFILMCCD-RAW", Kind::CameraRaw),
    (0, b"FOVb", Kind::CameraRaw),
    (0, b"\0MRM", Kind::CameraRaw),
    (0, b"II\x1a\0\0\0HEAPCCDR", Kind::CameraRaw),
    (0, b"II\xbc\x01", Kind::JpegXr),
    (0, b"II*\0", Kind::Tiff),
    (0, b"MM\0*", Kind::Tiff),
    (0, b"II+\0", Kind::Tiff),
    (0, b"MM\0+", Kind::Tiff),
    (0, b"\xff\x0a", Kind::JpegXl),
    (4, b"JXL \r\n\x87\n", Kind::JpegXl),
    (4, b"jP  \r\n\x87\n", Kind::Jpeg2000),
    (0, b"\xff\x4f\xff\x51", Kind::Jpeg2000),
    (0, b"8BPS", Kind::Psd),
    (0, b"gimp xcf", Kind::Xcf),
    (0, b"\x76\x2f\x31\x01", Kind::OpenExr),
    (0, b"#?RADIANCE", Kind::Hdr),
    (0, b"#?RGBE", Kind::Hdr),
    (0, b"qoif", Kind::Qoi),
    (0, b"farbfeld", Kind::Farbfeld),
    (0, b"DDS ", Kind::Dds),
    (0, b"\xabKTX ", Kind::Ktx),
    (0, b"icns", Kind::Icns),
    (0, b"\x59\xa6\x6a\x95", Kind::SunRaster),
    (0, b"\x01\xda\x00", Kind::Sgi),
    (0, b"\x01\xda\x01", Kind::Sgi),
    (0, b"/* XPM */", Kind::Xpm),
    (0, b"\x8aMNG\r\n\x1a\n", Kind::Mng),
    (0, b"\x8bJNG\r\n\x1a\n", Kind::Mng),
    (0, b"BPG\xfb", Kind::Bpg),
    (0, b"FLIF", Kind::Flif),
    (0, b"AT&TFORM", Kind::DjVu),
    (128, b"DICM", Kind::Dicom),
    (0, b"SIMPLE  =", Kind::Fits),
    (0, b"%PDF-", Kind::Pdf),
    (0, b"%!PS", Kind::PostScript),
    (0, b"\xc5\xd0\xd3\xc6", Kind::PostScript),
    (40, b" EMF", Kind::Emf),
    (0, b"\xd7\xcd\xc6\x9a", Kind::Wmf),
    (0, b"{\\rtf", Kind::Rtf),
    (0, b"FWS", Kind::Flash),
    (0, b"CWS", Kind::Flash),
    (0, b"ZWS", Kind::Flash),
    (0, b"\x1a\x45\xdf\xa3", Kind::Matroska),
    (0, b"YUV4MPEG2 ", Kind::RawVideo),
    (0, b"DKIF\0\0", Kind::RawVideo),
    // The parameter sets that H.264 and HEVC begin with, or a delimiter before them.
    (0, b"\0\0\0\x01\x67", Kind::RawVideo),
    (0, b"\0\0\0\x01\x27", Kind::RawVideo),
    (0, b"\0\0\0\x01\x09", Kind::RawVideo),
    (0, b"\0\0\x01\x67", Kind::RawVideo),
    (0, b"\0\0\0\x01\x40\x01", Kind::RawVideo),
    (0, b"FLV\x01", Kind::Flv),
    (0, b"\0\0\x01\xba", Kind::MpegPs),
    (0, b"\0\0\x01\xb3", Kind::MpegPs),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind::Asf),
    (0, b"OggS", Kind::Ogg),
    (0, b"ID3", Kind::Mp3),
    (0, b"\xff\xfb", Kind::Mp3),
    (0, b"\xff\xf3", Kind::Mp3),
    (0, b"fLaC", Kind::Flac),
    (0, b"\xff\xf1", Kind::Aac),
    (0, b"\xff\xf9", Kind::Aac),
    (8, b"AIFF", Kind::Aiff),
    (8, b"AIFC", Kind::Aiff),
    (0, b"MThd", Kind::Midi),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind::Office),
    (0, b"\x1f\x8b", Kind::Gzip),
    (0, b"BZh", Kind::Bzip2),
    (0, b"\xfd7zXZ\0", Kind::Xz),
    (0, b"\x28\xb5\x2f\xfd", Kind::Zstd),
    (0, b"7z\xbc\xaf\x27\x1c", Kind::SevenZip),
    (0, b"Rar!\x1a\x07", Kind::Rar),
    (257, b"ustar", Kind::Tar),
    (0, b"\x89HDF\r\n\x1a\n", Kind::Hdf5),
    (4, b"TFL3", Kind::TfLite),
    (0, b"\x93NUMPY", Kind::NumPy),
    (0, b"GGUF", Kind::Gguf),
    (0, b"\x80\x02", Kind::Torch),
    (8, b"{\"", Kind::SafeTensors),
    (0, b"version https://git-lfs", Kind::LfsPointer),
    (0, b"\x7fELF", Kind::Elf),
    (0, b"MZ", Kind::WindowsProgram),
    (0, b"\xcf\xfa\xed\xfe", Kind::MachO),
    (0, b"\xca\xfe\xba\xbe", Kind::MachO),
    (0, b"SQLite format 3\0", Kind::Sqlite),
    (0, b"OTTO\0", Kind::Font),
    (0, b"wOFF", Kind::Font),
    (0, b"wOF2", Kind::Font),
    (0, b"ttcf", Kind::Font),
    (0, b"\0asm", Kind::Wasm),
    (0, b"PAR1", Kind::Parquet),
    (0, b"bplist0", Kind::PropertyList),
    (0, b"\0\0\0\x01Bud1", Kind::DesktopStore),
    (0, b"\0\x05\x16\x07", Kind::AppleDouble),
];

/// What stands behind `RIFF` and a length.
const RIFF: &[(&[u8], FileKind)] =
    &[(b"WEBP", Kind::WebP), (b"AVI ", Kind::Avi), (b"WAVE", Kind::Wav)];

/// The brands of ISO base media files that are no plain MP4.
const BRANDS: &[(&[u8], FileKind)] = &[
    (b"avif", Kind::Avif),
    (b"avis", Kind::Avif),
    (b"hei", Kind::Heif),
    (b"hev", Kind::Heif),
    (b"mif1", Kind::Heif),
    (b"msf1", Kind::Heif),
    (b"crx ", Kind::CameraRaw),
    (b"qt  ", Kind::QuickTime),
    (b"M4A ", Kind::M4a),
    (b"M4B ", Kind::M4a),
];

/// What tells the kinds of ZIP archives apart: a name that stands near the start.
const ZIPPED: &[(&[u8], FileKind)] = &[
    (b"application/x-krita", Kind::Krita),
    (b"image/openraster", Kind::OpenRaster),
    (b"application/vnd.oasis", Kind::OpenDocument),
    (b"[Content_Types].xml", Kind::Office),
    (b"data.pkl", Kind::Torch),
    (b"model.weights.h5", Kind::Keras),
    (b"metadata.json", Kind::Keras),
    (b".npy", Kind::NumPy),
];

/// What tells the kinds of texts apart: a word that stands near the start.
const WRITTEN: &[(&str, FileKind)] = &[
    ("<!doctype html", Kind::Html),
    ("<html", Kind::Html),
    ("<svg", Kind::Svg),
    ("<?xml", Kind::Xml),
    ("\nlayer {", Kind::Caffe),
    ("\nlayers {", Kind::Caffe),
    ("\ninput_dim:", Kind::Caffe),
    ("\nschema = ", Kind::Recipe),
    ("\nseed = ", Kind::Recipe),
    ("\n[octaves]", Kind::Recipe),
];

impl FileKind {
    /// The kind of a file that starts with these bytes, of which the first 4096 decide; `None` for what
    /// is not recognized.
    pub fn sniff(start: &[u8]) -> Option<Self> {
        let start = &start[..start.len().min(SNIFF_BYTES)];
        let at =
            |at: usize, bytes: &[u8]| start.get(at..).is_some_and(|rest| rest.starts_with(bytes));
        if at(0, b"RIFF") {
            return RIFF.iter().find(|(form, _)| at(8, form)).map(|(_, kind)| *kind);
        }
        if at(4, b"ftyp") {
            return Some(branded(start));
        }
        if at(0, b"PK\x03\x04") {
            let inside = ZIPPED.iter().find(|(name, _)| contains(start, name));
            return Some(inside.map_or(Kind::Zip, |(_, kind)| *kind));
        }
        // Cut off before its signature ends.
        if at(0, b"\x89P") && b"\x89PNG\r\n\x1a\n".starts_with(start) {
            return Some(Kind::Png);
        }
        let signed = SIGNATURES.iter().find(|(offset, bytes, _)| at(*offset, bytes));
        signed
            .map(|(.., kind)| *kind)
            .or_else(|| (at(0, b"BM") && bitmap(start)).then_some(Kind::Bmp))
            .or_else(|| wide(start).and_then(|text| written(text.as_bytes())))
            .or_else(|| written(start))
            .or_else(|| unsigned(start))
    }
}

/// The kind of an ISO base media file: its brand tells, or, where that is no more than "pictures", the
/// brands it is compatible with.
fn branded(start: &[u8]) -> FileKind {
    let brands = |brand: &[u8]| BRANDS.iter().find(|(begin, _)| brand.starts_with(begin));
    let major = start.get(8..12).and_then(brands).map_or(Kind::Mp4, |(_, kind)| *kind);
    let length = start.get(..4).map_or(0, |b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let end = start.len().min(length as usize);
    let others = start.get(16..end).unwrap_or_default();
    let is_avif = others.chunks_exact(4).any(|brand| brand == b"avif");
    if major == Kind::Heif && is_avif { Kind::Avif } else { major }
}

/// Whether what starts as a BMP has a header of a size that exists.
fn bitmap(start: &[u8]) -> bool {
    start.len() < 18 || matches!(start[14..18], [12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0])
}

/// What a text in UTF-16 says, which its first two bytes tell.
fn wide(start: &[u8]) -> Option<String> {
    let unit: fn([u8; 2]) -> u16 = match start {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let units = start[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    // A pair of surrogates may be cut in two.
    let text: Result<String, _> = char::decode_utf16(units.take(SNIFF_BYTES / 4)).collect();
    text.ok().filter(|text| !text.is_empty())
}

/// The kind of a text.
fn written(start: &[u8]) -> Option<FileKind> {
    // Text in an older encoding is mostly plain letters too.
    let plain = start.iter().filter(|byte| byte.is_ascii()).count();
    if start.is_empty() || plain * 2 < start.len() {
        return None;
    }
    let text = String::from_utf8_lossy(start);
    let is_space = |letter: char| matches!(letter, '\t' | '\n' | '\r' | '\x0c');
    if text.chars().any(|letter| letter.is_control() && !is_space(letter)) {
        return None;
    }
    let text = format!("\n{}", text.trim_start_matches('\u{feff}').trim_start());
    if matches!(text.as_bytes(), [_, b'P', b'1'..=b'7', b' ' | b'\n' | b'\r' | b'\t', ..]) {
        return Some(Kind::Netpbm);
    }
    if text.starts_with("\nPF\n") || text.starts_with("\nPf\n") {
        return Some(Kind::Pfm);
    }
    if text.starts_with("\n{") || text.starts_with("\n[{") {
        return Some(Kind::Json);
    }
    let lower = text.to_ascii_lowercase();
    let word = WRITTEN.iter().find(|(word, _)| lower.contains(word));
    Some(word.map_or(Kind::Text, |(_, kind)| *kind))
}

/// The kind of a file that has no signature, by the fields that it starts with.
fn unsigned(start: &[u8]) -> Option<FileKind> {
    let zeros = start.len() >= 16 && start.iter().all(|byte| *byte == 0);
    Some(match *start {
        _ if zeros => Kind::Zeros,
        [b'P', b'4'..=b'7', b' ' | b'\n' | b'\r' | b'\t', ..] => Kind::Netpbm,
        [b'P', b'F' | b'f', b'\n' | b' ' | b'\r', b'0'..=b'9', ..] => Kind::Pfm,
        // TrueType: few tables, and the search range of their number.
        [0, 1, 0, 0, 0, 4..=64, range, low, ..] if range > 0 || low >= 64 => Kind::Font,
        [0, 0, 1 | 2, 0, 1..=64, 0, _, _, _, 0, ..] => Kind::Ico,
        [0x0a, 0 | 2 | 3 | 4 | 5, 0 | 1, 1 | 2 | 4 | 8, ..] => Kind::Pcx,
        [0x47, ..] if start.get(188) == Some(&0x47) => Kind::MpegTs,
        [_, _, _, _, 0x47, ..] if start.get(196) == Some(&0x47) => Kind::MpegTs,
        // Atoms that QuickTime began with before there were brands.
        [_, _, _, _, ref atom @ ..]
            if [b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"]
                .iter()
                .any(|name| atom.starts_with(*name)) =>
        {
            Kind::QuickTime
        }
        // Protocol buffers: a network's name; the first node and its name; a version and a producer.
        [0x0a, length, ref rest @ ..] if name(rest, length).is_some_and(is_caffe) => Kind::Caffe,
        [0x0a, ref rest @ ..] if is_node(rest) => Kind::GraphDef,
        [0x08, 1..=20, 0x12, length, ref rest @ ..] if name(rest, length).is_some() => Kind::Onnx,
        // A colour map or none, a type of picture, and one of its numbers of bits.
        [_, 0 | 1, 1..=3 | 9..=11, _, _, _, _, _, _, _, _, _, _, _, _, _, bits, _, ..]
            if matches!(bits, 8 | 15 | 16 | 24 | 32) && start[12..16] != [0; 4] =>
        {
            Kind::Tga
        }
        _ => return None,
    })
}

/// What stands behind a name of printable letters.
fn name(bytes: &[u8], length: u8) -> Option<&[u8]> {
    let (name, rest) = bytes.split_at_checked(length.into())?;
    let printable = !name.is_empty() && name.iter().all(|byte| (0x20..0x7f).contains(byte));
    printable.then_some(rest)
}

/// Whether these are layers, of the old kind or the new, or a Caffe network's inputs.
fn is_caffe(rest: &[u8]) -> bool {
    matches!(*rest, [0x12 | 0x1a, _, ..] | [0xa2, 0x06, ..])
}

/// Whether these are the length of a node, its name and its operation.
fn is_node(bytes: &[u8]) -> bool {
    let digits = bytes.iter().take_while(|byte| **byte >= 0x80).count();
    let Some([0x0a, length, rest @ ..]) = bytes.get(digits + 1..) else { return false };
    digits < 5 && name(rest, *length).is_some_and(|rest| matches!(rest, [0x12, ..]))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_file_decides() {
        let tar = [&[b'a'; 257][..], b"ustar\x0000"].concat();
        let stream = [&b"\x47\x40\0\x10"[..], &[0xff; 184], b"\x47\x40\x11\x10"].concat();
        let tga = [&b"\0\0\x02\0\0\0\0\0\0\0\0\0"[..], b"\x40\0\x30\0\x18\0", &[7; 30]].concat();
        let cases: &[(&[u8], Option<FileKind>)] = &[
            (b"", None),
            (b"\x01\x02\x03\x04\x05\x06\x07", None),
            (b"Only words, whatever the name says.", Some(Kind::Text)),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some(Kind::Png)),
            (b"\xff\xd8\xff\xe0", Some(Kind::Jpeg)),
            (b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", Some(Kind::Bmp)),
            (b"BMW, said the text", Some(Kind::Text)),
            (b"RIFF\x10\0\0\0WEBPVP8L", Some(Kind::WebP)),
            (b"RIFF\x10\0\0\0AVI LIST", Some(Kind::Avi)),
            (b"\0\0\0\x20ftypisom", Some(Kind::Mp4)),
            (b"\0\0\0\x20ftypavif", Some(Kind::Avif)),
            (b"\0\0\0\x24ftypheic\0\0\0\0mif1", Some(Kind::Heif)),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", Some(Kind::Avif)),
            (b"\0\0\0\x18ftypcrx \0\0\0\x01", Some(Kind::CameraRaw)),
            (b"\0\0\0\x20ftypqt  ", Some(Kind::QuickTime)),
            (b"II*\0\x10\0\0\0CR\x02\0", Some(Kind::CameraRaw)),
            (b"GIF89a", Some(Kind::Gif)),
            (b"\x1a\x45\xdf\xa3", Some(Kind::Matroska)),
            (b"PK\x03\x04....vgg/data.pkl", Some(Kind::Torch)),
            (b"PK\x03\x04....word/[Content_Types].xml", Some(Kind::Office)),
            (b"PK\x03\x04....photo.jpg", Some(Kind::Zip)),
            (b"<?xml version=\"1.0\"?>\n<svg xmlns", Some(Kind::Svg)),
            (b"# a dream\nschema = 1\n", Some(Kind::Recipe)),
            (b"{\"a\": 1}", Some(Kind::Json)),
            (b"P5\n3 2\n255\n\0\x80\xff", Some(Kind::Netpbm)),
            (b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0", Some(Kind::Ico)),
            (b"\x0a\x0d\x0a\x05input\x12\x04ABCD", Some(Kind::GraphDef)),
            (b"\x0a\x03net\xa2\x06\x10", Some(Kind::Caffe)),
            (b"\x08\x08\x12\x07pytorch\x1a", Some(Kind::Onnx)),
            (b"\x40\0\0\0\0\0\0\0{\"conv\":", Some(Kind::SafeTensors)),
            (b"version https://git-lfs.github.com/spec/v1\n", Some(Kind::LfsPointer)),
            (b"{\\rtf1 a}", Some(Kind::Rtf)),
            (b"\x89P", Some(Kind::Png)),
            (b"\x89", None),
            (b"\0\0\0\x01\x67\x42\0\x1e", Some(Kind::RawVideo)),
            (b"DKIF\0\0\x20\0VP90", Some(Kind::RawVideo)),
            (b"YUV4MPEG2 W4 H4 F30:1\nFRAME\n", Some(Kind::RawVideo)),
            (b"\0\0\0\x08wide\0\0\x03\xe8mdat", Some(Kind::QuickTime)),
            (b"\0\x01\0\0\0\x0b\x80\0\0\x03\0\0", Some(Kind::Font)),
            (b"wOF2\0\x01\0\0", Some(Kind::Font)),
            (b"FWS\x0a\0\0", Some(Kind::Flash)),
            (b"\0asm\x01\0\0\0", Some(Kind::Wasm)),
            (b"PAR1\x15\x04", Some(Kind::Parquet)),
            (b"bplist00\xd1", Some(Kind::PropertyList)),
            (b"\0\x05\x16\x07\0\x02\0\0Mac OS X", Some(Kind::AppleDouble)),
            (b"\xff\xfeh\0e\0l\0l\0o\0", Some(Kind::Text)),
            (b"\xfe\xff\0<\0s\0v\0g", Some(Kind::Svg)),
            (&[0xff; 64], None),
            (b"\x8aMNG\r\n\x1a\n\0", Some(Kind::Mng)),
            (b"PF\n4 4\n-1.0\n\0\0\0\0", Some(Kind::Pfm)),
            (b"BPG\xfb\0", Some(Kind::Bpg)),
            (&[0; 64], Some(Kind::Zeros)),
            (&tar, Some(Kind::Tar)),
            (&stream, Some(Kind::MpegTs)),
            (&tga, Some(Kind::Tga)),
        ];
        for (start, kind) in cases {
            assert_eq!(FileKind::sniff(start), *kind, "{start:?}");
        }
        let furthest = SIGNATURES.iter().map(|(at, bytes, _)| at + bytes.len());
        assert!(furthest.max() <= Some(SNIFF_BYTES));
    }
}
