//! What people give for a model that is none: each kind is told by its content, with its way out.

use std::fmt::Write as _;
use std::path::Path;

use crate::caffe::text::decoded;
use crate::content::Content;
use crate::{ImportError, printable, torch};

const FREEZE: &str = "Freeze it with TensorFlow: `convert_variables_to_constants_v2` of its function, then \
    `tf.io.write_graph(graph, \".\", \"model.pb\", as_text=False)`";
const FREEZE_CHECKPOINT: &str = "Freeze it with TensorFlow's `freeze_graph`, which makes one .pb of the \
    .meta, .index and .data files";
const FROM_KERAS: &str = "Load it with Keras, and freeze it with TensorFlow's \
    `convert_variables_to_constants_v2` and `tf.io.write_graph` to a binary .pb";
const BESIDE_ONNX: &str = "Give the .onnx file that it belongs to, and leave both in one folder";
const FROM_TORCH: &str = "Export it to ONNX with two lines of Python: \
    `model = torch.load(\"model.pth\", weights_only=False).eval()` and \
    `torch.onnx.export(model, torch.zeros(1, 3, 224, 224), \"model.onnx\", dynamo=False)`";
const FROM_SCRIPT: &str = "Export it to ONNX with two lines of Python: \
    `model = torch.jit.load(\"model.pt\", map_location=\"cpu\").eval()` and \
    `torch.onnx.export(model, torch.zeros(1, 3, 224, 224), \"model.onnx\", dynamo=False)`";
const FROM_EXPORT: &str = "Export it to ONNX with two lines of Python: \
    `model = torch.export.load(\"model.pt2\").module()` and \
    `torch.onnx.export(model, (torch.zeros(1, 3, 224, 224),), \"model.onnx\")`";
const FROM_WEIGHTS: &str = "Make the network in Python, and export it to ONNX with two lines: \
    `model.load_state_dict(weights)` and \
    `torch.onnx.export(model.eval(), torch.zeros(1, 3, 224, 224), \"model.onnx\", dynamo=False)`";
const ORIGINAL: &str = "Use the network that it was converted from";
const TO_ONNX: &str = "Convert it to ONNX, which is read";
const PICTURE: &str = "Give it as the picture to dream on, and a model file as the network";
const UNPACK: &str = "Unpack it and give the model that is inside";
const FETCH: &str = "Fetch the model again";
const STRUCTURE: &str = "It has no weights: a network needs a file with both, or both files";

/// How files that are no models begin: at which byte there is what, the kind, and the way out. The first
/// line that fits counts.
const SIGNATURES: &[(usize, &[u8], &str, &str)] = &[
    (0, b"\x1f\x8b", "a gzip archive", UNPACK),
    (0, b"BZh", "a bzip2 archive", UNPACK),
    (0, b"\xfd7zXZ\0", "an xz archive", UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive", UNPACK),
    (0, b"\x04\x22\x4d\x18", "an LZ4 archive", UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (257, b"ustar", "a tar archive", UNPACK),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes (.h5)", FROM_KERAS),
    (512, b"\x89HDF\r\n\x1a\n", "a MATLAB file", TO_ONNX),
    (0, b"MATLAB 5.0 MAT", "a MATLAB file, as of MatConvNet", TO_ONNX),
    (0, b"\x80\x02", "a Python pickle, as PyTorch and Theano write", FROM_TORCH),
    (0, b"\x80\x03", "a Python pickle, as PyTorch and Theano write", FROM_TORCH),
    (0, b"\x80\x04", "a Python pickle, as PyTorch and Theano write", FROM_TORCH),
    (0, b"\x80\x05", "a Python pickle, as PyTorch and Theano write", FROM_TORCH),
    (0, b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1", "a Torch 7 model (.t7)", TO_ONNX),
    (0, b"\x03\0\0\0\x01\0\0\0", "a Torch 7 table (.t7)", TO_ONNX),
    (0, b"4\n1\n3\nV 1", "a Torch 7 model as text (.t7)", TO_ONNX),
    (0, b"\x93NUMPY", "a NumPy array (.npy)", ORIGINAL),
    (4, b"TFL3", "a TensorFlow Lite model (.tflite)", ORIGINAL),
    (4, b"ORTM", "an ONNX Runtime model (.ort)", ORIGINAL),
    (4, b"ET12", "an ExecuTorch model (.pte)", ORIGINAL),
    (0, b"ptrt", "a TensorRT engine", ORIGINAL),
    (0, b"ftrt", "a TensorRT engine", ORIGINAL),
    (0, b"\x12\x01\0\0\0\0\0\0", "an MXNet model's weights (.params)", TO_ONNX),
    (0, b"GGUF", "a language model (GGUF)", "Use a network for pictures"),
    (0, b"ggml", "a language model (GGML)", "Use a network for pictures"),
    (0, b"lmgg", "a language model (GGML)", "Use a network for pictures"),
    (0, b"\x89PNG", "a PNG picture", PICTURE),
    (0, b"\xff\xd8\xff", "a JPEG picture", PICTURE),
    (0, b"GIF8", "a GIF picture", PICTURE),
    (8, b"WEBP", "a WebP picture", PICTURE),
    (0, b"II*\0", "a TIFF picture", PICTURE),
    (0, b"MM\0*", "a TIFF picture", PICTURE),
    (0, b"8BPS", "a Photoshop picture", PICTURE),
    (0, b"\xff\x0a", "a JPEG XL picture", PICTURE),
    (4, b"ftypavif", "an AVIF picture", PICTURE),
    (4, b"ftyphei", "a HEIC picture", PICTURE),
    (4, b"ftypmif1", "a HEIF picture", PICTURE),
    (4, b"ftyp", "an MP4 or QuickTime video", PICTURE),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM video", PICTURE),
    (8, b"AVI ", "an AVI video", PICTURE),
    (8, b"WAVE", "a sound", "Give a model file as the network"),
    (0, b"OggS", "an Ogg sound or video", "Give a model file as the network"),
    (0, b"fLaC", "a FLAC sound", "Give a model file as the network"),
    (0, b"ID3", "an MP3 sound", "Give a model file as the network"),
    (0, b"%PDF", "a PDF document", "Give a model file as the network"),
    (0, b"\x7fELF", "a program", "Give a model file as the network"),
    (0, b"MZ", "a Windows program", "Give a model file as the network"),
    (0, b"SQLite format 3", "an SQLite database", "Give a model file as the network"),
];

/// How a Windows bitmap begins is too short to tell it alone: the size and a 0 follow.
const BITMAP: &[u8] = b"BM";

/// What is in zip archives: how a member's name ends, the kind, and the way out. The first line that fits
/// any member counts.
const MEMBERS: &[(&str, &str, &str)] = &[
    ("/archive_format", "a program that `torch.export` saved (.pt2)", FROM_EXPORT),
    ("serialized_exported_program.json", "a program that `torch.export` saved (.pt2)", FROM_EXPORT),
    ("model.weights.h5", "a Keras model (.keras)", FROM_KERAS),
    (".mlmodel", "a Core ML package", ORIGINAL),
    ("saved_model.pb", "a zipped TensorFlow SavedModel", FREEZE),
    (".npy", "a NumPy archive (.npz)", ORIGINAL),
    ("[Content_Types].xml", "an Office document", "Give a model file as the network"),
    ("AndroidManifest.xml", "an Android app", "Give a model file as the network"),
];

/// What is in texts, all in small letters and without spaces: what a text begins with or has in it, the
/// kind, and the way out. The first line that fits counts.
const TEXTS: &[(Where, &str, &str, &str)] = &[
    (
        Start,
        "versionhttps://git-lfs",
        "a Git LFS pointer",
        "Fetch the file it stands for (`git lfs pull`)",
    ),
    (Start, "<?xml", "an XML file", "An OpenVINO network is read by what it was converted from"),
    (Start, "<net", "an OpenVINO network", ORIGINAL),
    (Start, "<", "a web page", "The download of the model went wrong: fetch it again"),
    (Start, "7767517", "an ncnn network's structure", ORIGINAL),
    (Start, "(dp", "a Python pickle", FROM_TORCH),
    (Start, "ccollections", "a Python pickle", FROM_TORCH),
    (Inside, "model_checkpoint_path:", "a TensorFlow checkpoint's index", FREEZE_CHECKPOINT),
    (Inside, "\"modeltopology\"", "a TensorFlow.js model", ORIGINAL),
    (Inside, "\"arg_nodes\"", "an MXNet network's structure", STRUCTURE),
    (Inside, "\"class_name\"", "a Keras network's structure", STRUCTURE),
    (Start, "{", "a JSON text", "Give a model file as the network"),
    (Inside, "[convolutional]", "a Darknet network's structure (.cfg)", TO_ONNX),
    (Inside, "base_lr:", "a Caffe solver", "Give the .caffemodel that it trained"),
    (Inside, "node{", "a TensorFlow graph as text (.pbtxt)", "Give the binary .pb"),
    (Inside, "importtorch", "a Python program", FROM_TORCH),
    (Inside, "importtensorflow", "a Python program", FROM_KERAS),
];

/// Where in a text something stands.
enum Where {
    Start,
    Inside,
}
use Where::{Inside, Start};

/// What a folder is by a file in it.
const FOLDERS: &[(&str, &str, &str)] = &[
    ("saved_model.pb", "a TensorFlow SavedModel", FREEZE),
    ("saved_model.pbtxt", "a TensorFlow SavedModel", FREEZE),
    ("keras_metadata.pb", "a Keras model", FROM_KERAS),
    ("model.weights.h5", "an unpacked Keras model", FROM_KERAS),
    ("Manifest.json", "a Core ML package (.mlpackage)", ORIGINAL),
    ("coremldata.bin", "a compiled Core ML model", ORIGINAL),
    ("checkpoint", "a TensorFlow checkpoint", FREEZE_CHECKPOINT),
    ("pytorch_model.bin", "a PyTorch model", FROM_TORCH),
    ("data.pkl", "an unpacked PyTorch model", FROM_TORCH),
    ("model.safetensors", "a PyTorch model", FROM_TORCH),
    ("model.json", "a TensorFlow.js model", ORIGINAL),
];

/// What a file may be whose content says nothing, by a part of its name.
const NAMES: &[(&str, &str, &str)] = &[
    (".data-", "the weights of a TensorFlow checkpoint", FREEZE_CHECKPOINT),
    (".onnx.data", "the weights of an ONNX model", BESIDE_ONNX),
    (".onnx_data", "the weights of an ONNX model", BESIDE_ONNX),
    (".bin", "the weights of an OpenVINO, ncnn or other network", ORIGINAL),
    (".weights", "the weights of a Darknet network", TO_ONNX),
    (".params", "the weights of an MXNet or Paddle network", TO_ONNX),
];

/// How far into a file text is looked for.
pub(crate) const GLANCE: usize = 1 << 16;

/// Bytes at the end of a zip archive, without the comment behind them and with the longest.
const END: usize = 22;
const MAX_END: usize = END + u16::MAX as usize;

/// The most bytes of an archive's table of contents that are looked at.
const MAX_TABLE: usize = 1 << 26;

/// The most members of an archive, or files of a folder, that are looked at.
const MAX_MEMBERS: usize = 10_000;

pub(crate) fn other(kind: &str, way_out: &str) -> ImportError {
    ImportError::OtherKind { kind: kind.into(), way_out: way_out.into() }
}

/// What a file is by its first bytes, if that tells that it is no model.
pub(crate) fn of_start(bytes: &[u8]) -> Option<ImportError> {
    if bytes.is_empty() {
        return Some(other("an empty file", FETCH));
    }
    if torch::container(bytes).is_some() {
        return None;
    }
    if bytes.starts_with(BITMAP) && bytes.get(6..10) == Some(&[0; 4]) {
        return Some(other("a BMP picture", PICTURE));
    }
    // Version 0.1 or 0.2, and a revision.
    if let Some([0, 0, 0, 0, 1 | 2, 0, 0, 0, 0..=5, 0, 0, 0]) = bytes.first_chunk::<12>()
        && bytes.len() > 20
    {
        return Some(other("a Darknet network's weights (.weights)", TO_ONNX));
    }
    let fits = |(at, magic, ..): &&(usize, &[u8], &str, &str)| {
        bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic))
    };
    SIGNATURES.iter().find(fits).map(|(_, _, kind, way_out)| other(kind, way_out))
}

/// Whether a file begins as no model does: no field of a protocol buffer has the number 0, and tensors by
/// name begin with a brace.
pub(crate) fn begins_as_nothing(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|&byte| byte < 8) && bytes.get(8) != Some(&b'{')
}

/// What a whole file is by anything but its first bytes, if that tells that it is no model.
pub(crate) fn of_whole(content: &Content) -> Option<ImportError> {
    // A table of contents begins before its end, which a comment may follow.
    let end = content.slice(content.len().saturating_sub(MAX_END)..content.len()).read().ok()?;
    // The end of an index of LevelDB, as TensorFlow's checkpoints have it.
    if end.ends_with(&0xdb47_7524_8b80_fb57_u64.to_le_bytes()) {
        return Some(other("a TensorFlow checkpoint's index", FREEZE_CHECKPOINT));
    }
    let start = content.first(4).read().ok()?;
    if start.starts_with(b"PK\x03\x04") { of_zip(content, &end) } else { None }
}

/// What a text is, all in small letters and without spaces, if it is no model.
pub(crate) fn of_text(text: &str) -> Option<ImportError> {
    let fits = |(place, what, ..): &&(Where, &str, &str, &str)| match place {
        Start => text.starts_with(what),
        Inside => text.contains(what),
    };
    if text.starts_with("<?xml") && text.contains("<net") {
        return Some(other("an OpenVINO network", ORIGINAL));
    }
    TEXTS.iter().find(fits).map(|(_, _, kind, way_out)| other(kind, way_out))
}

/// The same error, or what the file is by its name, if its content says nothing.
pub(crate) fn by_name(path: &Path, error: ImportError) -> ImportError {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase());
    let name = name.filter(|_| matches!(error, ImportError::Unknown { .. })).unwrap_or_default();
    match NAMES.iter().find(|(part, ..)| name.contains(part)) {
        Some((_, kind, way_out)) => other(&format!("{kind}, by its name"), way_out),
        None => error,
    }
}

/// What a folder is.
pub(crate) fn of_folder(folder: &Path) -> ImportError {
    let names = std::fs::read_dir(folder).into_iter().flatten().take(MAX_MEMBERS);
    let mut names: Vec<String> =
        names.filter_map(|file| file.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    let known = FOLDERS.iter().find(|(name, ..)| names.iter().any(|found| found == name));
    match (known, names.iter().find(|name| is_model(name))) {
        (Some((_, kind, way_out)), _) => other(kind, way_out),
        (None, Some(model)) => {
            other("a folder", &format!("Give the model that is inside: {}", printable(model)))
        }
        (None, None) => other("a folder", "Give a model file"),
    }
}

/// The beginning of a file in small letters and without spaces, if it is text of whatever encoding.
pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    let text = decoded(&bytes[..bytes.len().min(GLANCE)]);
    let strange = text.chars().filter(|&c| c == char::REPLACEMENT_CHARACTER).count();
    let control = text.chars().any(|c| c.is_control() && !c.is_whitespace());
    if control || strange * 3 > text.chars().count() {
        return None;
    }
    Some(text.to_lowercase().split_whitespace().collect())
}

/// What a zip archive is, unless it is one of PyTorch's.
fn of_zip(content: &Content, end: &[u8]) -> Option<ImportError> {
    let Some(members) = members(content, end) else {
        return Some(other("a zip archive that breaks off, as PyTorch and Keras write", FETCH));
    };
    if members.iter().any(|name| torch::is_pickle(name)) {
        return None;
    }
    let known = MEMBERS.iter().find(|(end, ..)| members.iter().any(|name| name.ends_with(end)));
    if let Some((_, kind, way_out)) = known {
        return Some(other(kind, way_out));
    }
    let mut way_out = UNPACK.to_owned();
    if let Some(model) = members.iter().find(|name| is_model(name)) {
        let _ = write!(way_out, ": {}", printable(model));
    }
    Some(other("a zip archive", &way_out))
}

fn is_model(name: &str) -> bool {
    [".pb", ".caffemodel", ".onnx", ".prototxt", ".pth", ".pt", ".safetensors"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// The names of a zip archive's members, from the table at its end.
fn members(content: &Content, last: &[u8]) -> Option<Vec<String>> {
    const ENTRY: usize = 46;
    let end = last.len().checked_sub(END)?;
    let end = (0..=end).rev().find(|&at| last[at..].starts_with(b"PK\x05\x06"))?;
    let number = |at: usize| Some(u32::from_le_bytes(*last.get(at..)?.first_chunk()?) as usize);
    let (size, start) = (number(end + 12)?, number(end + 16)?);
    let end = content.len() - last.len() + end;
    // What lies before the archive moves the table, of which the size is known too.
    let table = |start: usize| {
        let table = content.get(start, end.checked_sub(start)?.min(MAX_TABLE))?.read().ok()?;
        table.starts_with(b"PK\x01\x02").then_some(table)
    };
    let bytes = table(start).or_else(|| table(end.checked_sub(size)?))?;
    let short = |at: usize| Some(usize::from(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?)));
    let is_entry =
        |at: &usize| bytes.get(*at..).is_some_and(|rest| rest.starts_with(b"PK\x01\x02"));
    let mut at = 0;
    let mut names = Vec::new();
    while names.len() < MAX_MEMBERS && is_entry(&at) {
        let length = short(at + 28)?;
        let name = bytes.get(at + ENTRY..)?.get(..length)?;
        names.push(String::from_utf8_lossy(name).into_owned());
        at += ENTRY + length + short(at + 30)? + short(at + 32)?;
    }
    Some(names)
}

/// What protocol buffers are, which are told by their fields.
pub(crate) fn checkpoint_graph() -> ImportError {
    other("the graph of a TensorFlow checkpoint (.meta), without its weights", FREEZE_CHECKPOINT)
}

pub(crate) fn saved_model() -> ImportError {
    other("a TensorFlow SavedModel", FREEZE)
}

pub(crate) fn core_ml() -> ImportError {
    other("a Core ML model (.mlmodel)", ORIGINAL)
}

pub(crate) fn caffe_2() -> ImportError {
    other("a Caffe 2 network", TO_ONNX)
}

pub(crate) fn caffe_blob() -> ImportError {
    other("an array of Caffe's, such as a mean image (.binaryproto)", "Give the .caffemodel")
}

pub(crate) fn caffe_solver_state() -> ImportError {
    other("the state of a Caffe solver (.solverstate)", "Give the .caffemodel saved beside it")
}

/// What PyTorch's files are that hold no state dict of a network that is known.
pub(crate) fn torchscript() -> ImportError {
    other("a TorchScript model, which is a program", FROM_SCRIPT)
}

pub(crate) fn pickled_module() -> ImportError {
    other("a PyTorch module that was saved whole, whose program is elsewhere", FROM_TORCH)
}

pub(crate) fn no_state_dict() -> ImportError {
    other("a PyTorch file without the weights of a network", FROM_TORCH)
}

pub(crate) fn other_weights(kind: &str) -> ImportError {
    other(kind, FROM_WEIGHTS)
}
