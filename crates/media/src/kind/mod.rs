//! What a file is, told by its content: its name does not matter. Most kinds cannot be read here; a
//! person who gives one by mistake is told what it is and what to do with it.

mod sniff;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::regular::check_regular;

pub(crate) use sniff::SNIFF_BYTES;

/// What a file of some kind is good for, and so what to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileClass {
    /// A picture of a format that is read.
    Readable,
    /// A picture of another format.
    Picture,
    /// What a camera's sensor has seen, before it is a picture.
    Raw,
    /// A picture in layers, of a program for painting.
    Layered,
    /// Pages or drawings.
    Document,
    /// A video.
    Video,
    /// Sound alone.
    Sound,
    /// Other files in one.
    Archive,
    /// A network, or weights of one.
    Network,
    /// A recipe.
    Recipe,
    /// Text.
    Text,
    /// A program or a database.
    Program,
    /// Something that only stands for a file.
    Nothing,
}

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
    /// HEIF, as phones write it.
    Heif,
    /// AVIF.
    Avif,
    /// JPEG XL.
    JpegXl,
    /// JPEG 2000.
    Jpeg2000,
    /// JPEG XR.
    JpegXr,
    /// A camera's raw file: DNG, NEF, CR2, CR3, ARW, ORF, RW2, RAF, PEF, SRW and others.
    CameraRaw,
    /// Photoshop (PSD).
    Psd,
    /// GIMP (XCF).
    Xcf,
    /// Krita.
    Krita,
    /// OpenRaster.
    OpenRaster,
    /// OpenEXR.
    OpenExr,
    /// Radiance HDR.
    Hdr,
    /// QOI.
    Qoi,
    /// farbfeld.
    Farbfeld,
    /// DDS texture.
    Dds,
    /// KTX texture.
    Ktx,
    /// PBM, PGM, PPM and PAM.
    Netpbm,
    /// PCX.
    Pcx,
    /// TGA.
    Tga,
    /// A Windows icon or cursor.
    Ico,
    /// A macOS icon.
    Icns,
    /// Sun raster.
    SunRaster,
    /// SGI.
    Sgi,
    /// XPM.
    Xpm,
    /// MNG or JNG.
    Mng,
    /// BPG.
    Bpg,
    /// FLIF.
    Flif,
    /// PFM, of floats.
    Pfm,
    /// DjVu.
    DjVu,
    /// DICOM.
    Dicom,
    /// FITS.
    Fits,
    /// PDF, and files of Illustrator.
    Pdf,
    /// PostScript, EPS, and old files of Illustrator.
    PostScript,
    /// SVG.
    Svg,
    /// EMF.
    Emf,
    /// WMF.
    Wmf,
    /// Flash.
    Flash,
    /// RTF.
    Rtf,
    /// MP4 and its relatives.
    Mp4,
    /// QuickTime.
    QuickTime,
    /// Matroska.
    Matroska,
    /// AVI.
    Avi,
    /// FLV.
    Flv,
    /// MPEG transport stream.
    MpegTs,
    /// MPEG.
    MpegPs,
    /// WMV and its relatives.
    Asf,
    /// H.264, IVF or Y4M: pictures without a container that has times.
    RawVideo,
    /// Ogg, with pictures or sound.
    Ogg,
    /// MP3.
    Mp3,
    /// WAV.
    Wav,
    /// FLAC.
    Flac,
    /// AAC.
    Aac,
    /// Sound in an MP4.
    M4a,
    /// AIFF.
    Aiff,
    /// MIDI.
    Midi,
    /// OpenDocument.
    OpenDocument,
    /// A document of Word, Excel or PowerPoint.
    Office,
    /// A ZIP archive of something else.
    Zip,
    /// gzip.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
    /// 7z.
    SevenZip,
    /// RAR.
    Rar,
    /// tar.
    Tar,
    /// A PyTorch model or checkpoint.
    Torch,
    /// safetensors.
    SafeTensors,
    /// A frozen TensorFlow graph.
    GraphDef,
    /// A Caffe model or its description.
    Caffe,
    /// ONNX.
    Onnx,
    /// HDF5, as Keras writes it.
    Hdf5,
    /// TensorFlow Lite.
    TfLite,
    /// Keras 3.
    Keras,
    /// An array of NumPy, or several in an archive.
    NumPy,
    /// GGUF.
    Gguf,
    /// A recipe of this program.
    Recipe,
    /// What stands in a repository for a large file.
    LfsPointer,
    /// HTML.
    Html,
    /// XML.
    Xml,
    /// JSON.
    Json,
    /// Text of any other kind.
    Text,
    /// ELF program.
    Elf,
    /// Windows program.
    WindowsProgram,
    /// macOS program.
    MachO,
    /// SQLite database.
    Sqlite,
    /// A font.
    Font,
    /// WebAssembly.
    Wasm,
    /// Parquet.
    Parquet,
    /// A property list of macOS.
    PropertyList,
    /// What macOS keeps of a folder.
    DesktopStore,
    /// What macOS keeps beside a file.
    AppleDouble,
    /// Nothing but zeros.
    Zeros,
}

/// Every kind: what a file of it is called in a sentence, and its class.
const KINDS: &[(FileKind, &str, FileClass)] = {
    use FileClass::*;
    use FileKind as Kind;
    &[
        (Kind::Png, "a PNG picture", Readable),
        (Kind::Jpeg, "a JPEG picture", Readable),
        (Kind::WebP, "a WebP picture", Readable),
        (Kind::Tiff, "a TIFF picture", Readable),
        (Kind::Bmp, "a BMP picture", Readable),
        (Kind::Gif, "a GIF", Video),
        (Kind::Heif, "a HEIC picture", Picture),
        (Kind::Avif, "an AVIF picture", Picture),
        (Kind::JpegXl, "a JPEG XL picture", Picture),
        (Kind::Jpeg2000, "a JPEG 2000 picture", Picture),
        (Kind::JpegXr, "a JPEG XR picture", Picture),
        (Kind::CameraRaw, "a camera's raw file", Raw),
        (Kind::Psd, "a Photoshop file", Layered),
        (Kind::Xcf, "a GIMP file", Layered),
        (Kind::Krita, "a Krita file", Layered),
        (Kind::OpenRaster, "an OpenRaster file", Layered),
        (Kind::OpenExr, "an OpenEXR picture", Picture),
        (Kind::Hdr, "a Radiance HDR picture", Picture),
        (Kind::Qoi, "a QOI picture", Picture),
        (Kind::Farbfeld, "a farbfeld picture", Picture),
        (Kind::Dds, "a DDS texture", Picture),
        (Kind::Ktx, "a KTX texture", Picture),
        (Kind::Netpbm, "a Netpbm picture (PPM, PGM or PBM)", Picture),
        (Kind::Pcx, "a PCX picture", Picture),
        (Kind::Tga, "a TGA picture", Picture),
        (Kind::Ico, "a Windows icon", Picture),
        (Kind::Icns, "a macOS icon", Picture),
        (Kind::SunRaster, "a Sun raster picture", Picture),
        (Kind::Sgi, "an SGI picture", Picture),
        (Kind::Xpm, "an XPM picture", Picture),
        (Kind::Mng, "an MNG or JNG picture", Picture),
        (Kind::Bpg, "a BPG picture", Picture),
        (Kind::Flif, "a FLIF picture", Picture),
        (Kind::Pfm, "a PFM picture", Picture),
        (Kind::DjVu, "a DjVu file", Document),
        (Kind::Dicom, "a DICOM picture", Picture),
        (Kind::Fits, "a FITS picture", Picture),
        (Kind::Pdf, "a PDF file", Document),
        (Kind::PostScript, "a PostScript file", Document),
        (Kind::Svg, "an SVG drawing", Document),
        (Kind::Emf, "an EMF drawing", Document),
        (Kind::Wmf, "a WMF drawing", Document),
        (Kind::Flash, "a Flash file", Document),
        (Kind::Rtf, "an RTF document", Document),
        (Kind::Mp4, "an MP4 video", Video),
        (Kind::QuickTime, "a QuickTime video", Video),
        (Kind::Matroska, "a Matroska video", Video),
        (Kind::Avi, "an AVI video", Video),
        (Kind::Flv, "an FLV video", Video),
        (Kind::MpegTs, "an MPEG transport stream", Video),
        (Kind::MpegPs, "an MPEG video", Video),
        (Kind::Asf, "a WMV video", Video),
        (Kind::RawVideo, "a raw video stream (H.264, HEVC, IVF or Y4M)", Video),
        (Kind::Ogg, "an Ogg file", Video),
        (Kind::Mp3, "an MP3 file", Sound),
        (Kind::Wav, "a WAV sound file", Sound),
        (Kind::Flac, "a FLAC sound file", Sound),
        (Kind::Aac, "an AAC sound file", Sound),
        (Kind::M4a, "an M4A sound file", Sound),
        (Kind::Aiff, "an AIFF file", Sound),
        (Kind::Midi, "a MIDI sound file", Sound),
        (Kind::OpenDocument, "an OpenDocument file", Document),
        (Kind::Office, "an Office document", Document),
        (Kind::Zip, "a ZIP archive", Archive),
        (Kind::Gzip, "a gzip archive", Archive),
        (Kind::Bzip2, "a bzip2 archive", Archive),
        (Kind::Xz, "an xz archive", Archive),
        (Kind::Zstd, "a Zstandard archive", Archive),
        (Kind::SevenZip, "a 7z archive", Archive),
        (Kind::Rar, "a RAR archive", Archive),
        (Kind::Tar, "a tar archive", Archive),
        (Kind::Torch, "a PyTorch model", Network),
        (Kind::SafeTensors, "a safetensors file with the weights of a network", Network),
        (Kind::GraphDef, "a TensorFlow graph", Network),
        (Kind::Caffe, "a Caffe model", Network),
        (Kind::Onnx, "an ONNX model", Network),
        (Kind::Hdf5, "an HDF5 file, such as a Keras model", Network),
        (Kind::TfLite, "a TensorFlow Lite model", Network),
        (Kind::Keras, "a Keras model", Network),
        (Kind::NumPy, "a NumPy file", Network),
        (Kind::Gguf, "a GGUF model", Network),
        (Kind::Recipe, "a recipe", Recipe),
        (Kind::LfsPointer, "a Git LFS pointer, which only stands for the file", Nothing),
        (Kind::Html, "a web page (HTML)", Text),
        (Kind::Xml, "an XML file", Text),
        (Kind::Json, "a JSON file", Text),
        (Kind::Text, "a text file", Text),
        (Kind::Elf, "a program", Program),
        (Kind::WindowsProgram, "a Windows program", Program),
        (Kind::MachO, "a macOS program", Program),
        (Kind::Sqlite, "a SQLite database", Program),
        (Kind::Font, "a font", Program),
        (Kind::Wasm, "a WebAssembly program", Program),
        (Kind::Parquet, "a Parquet table", Program),
        (Kind::PropertyList, "a property list of macOS", Program),
        (Kind::DesktopStore, "a note of macOS about a folder", Nothing),
        (
            Kind::AppleDouble,
            "a companion of macOS (its name begins with `._`), which only stands beside the file",
            Nothing,
        ),
        (Kind::Zeros, "nothing but zeros", Nothing),
    ]
};

impl FileKind {
    /// The kind of the file at `path`; `None` for what is not recognized.
    ///
    /// # Errors
    /// The file cannot be opened or read, or is a device or a pipe, of which a look would take something away.
    pub fn of_file(path: &Path) -> io::Result<Option<Self>> {
        check_regular(path)?;
        let mut start = Vec::new();
        File::open(path)?.take(SNIFF_BYTES as u64).read_to_end(&mut start)?;
        Ok(Self::sniff(&start))
    }

    /// What files of this kind are good for.
    pub fn class(self) -> FileClass {
        self.entry().1
    }

    /// What to do with such a file where a picture is wanted, in sentences; `None` for what is read.
    pub fn way_out(self) -> Option<&'static str> {
        Some(match self.class() {
            FileClass::Readable => return None,
            FileClass::Picture => {
                "Convert it to PNG or JPEG first, for instance with GIMP or ImageMagick."
            }
            FileClass::Raw => {
                "Develop it first, for instance with darktable or RawTherapee, and save a TIFF or PNG."
            }
            FileClass::Layered => "Export it as PNG or TIFF from the program that made it.",
            FileClass::Document => "Export the page or drawing you want as PNG first.",
            FileClass::Video => "Dream on it as a video, or save the frame you want as PNG first.",
            FileClass::Sound => "There is nothing to see in it: give a picture.",
            FileClass::Archive => "Unpack it and give the picture inside.",
            FileClass::Network if matches!(self, Self::GraphDef | Self::Caffe) => {
                "Give it as the network, and a picture to dream on."
            }
            FileClass::Recipe => "Give it as the recipe, and a picture to dream on.",
            FileClass::Network | FileClass::Text | FileClass::Program => {
                "Give a picture: PNG, JPEG, WebP, TIFF or BMP."
            }
            FileClass::Nothing if self == Self::LfsPointer => {
                "Fetch the file itself with `git lfs pull`."
            }
            FileClass::Nothing if matches!(self, Self::AppleDouble | Self::DesktopStore) => {
                "Give the picture itself."
            }
            FileClass::Nothing => "Copy or download the file again.",
        })
    }

    /// Whether a movie in this container may carry a recipe. An animated PNG is a picture too, and
    /// carries its recipe as one.
    pub fn is_movie(self) -> bool {
        matches!(self, Self::Mp4 | Self::QuickTime | Self::Gif | Self::Matroska)
    }

    fn entry(self) -> (&'static str, FileClass) {
        let entry = KINDS.iter().find(|(kind, ..)| *kind == self);
        entry.map_or(("a file", FileClass::Text), |(_, name, class)| (name, *class))
    }
}

/// What a file of this kind is called, with its article: `a HEIC picture`.
impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry().0)
    }
}
