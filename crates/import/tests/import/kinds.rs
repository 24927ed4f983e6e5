//! What people give for a model that is none: each is named, with a way out.

use std::io::Write;
use std::path::Path;

fn refused(bytes: &[u8]) -> String {
    import::load_bytes("model", bytes).expect_err("this should be refused").to_string()
}

fn data(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

/// A protocol buffer of numbered fields: a number, or bytes.
fn message(fields: &[(u8, Result<u8, &[u8]>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, value) in fields {
        match value {
            Ok(value) => bytes.extend([number << 3, *value]),
            Err(value) => {
                bytes.extend([number << 3 | 2, value.len() as u8]);
                bytes.extend(*value);
            }
        }
    }
    bytes
}

/// A zip archive of empty files.
fn zip(names: &[&str]) -> Vec<u8> {
    let (mut bytes, mut table) = (Vec::new(), Vec::new());
    for name in names {
        let length = (name.len() as u16).to_le_bytes();
        let at = (bytes.len() as u32).to_le_bytes();
        bytes.write_all(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0").unwrap();
        bytes.write_all(&[[0; 12].as_slice(), &length, &[0, 0], name.as_bytes()].concat()).unwrap();
        table.write_all(b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0").unwrap();
        table.write_all(&[[0; 12].as_slice(), &length, &[0; 12], &at].concat()).unwrap();
        table.write_all(name.as_bytes()).unwrap();
    }
    let (start, size) = (bytes.len() as u32, table.len() as u32);
    let count = (names.len() as u16).to_le_bytes();
    bytes.extend(table);
    bytes.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count].concat());
    bytes.extend([size.to_le_bytes().as_slice(), &start.to_le_bytes(), &[0, 0]].concat());
    bytes
}

#[test]
fn each_kind_is_named_with_a_way_out() {
    let tar = [[0; 257].as_slice(), b"ustar\x0000"].concat();
    let index = [[1; 40].as_slice(), &0xdb47_7524_8b80_fb57_u64.to_le_bytes()].concat();
    let node = message(&[(1, Err(b"a")), (2, Err(b"Relu"))]);
    let graph = message(&[(1, Err(&node))]);
    let operator = message(&[(1, Err(b"x")), (2, Err(b"y")), (4, Err(b"Conv"))]);
    let core_ml = [message(&[(1, Ok(4)), (2, Err(b"d"))]), vec![0xa2, 0x1f, 0]].concat();
    let cases: &[(&[u8], &str, &str)] = &[
        (b"", "an empty file", "Fetch"),
        (b"\x1f\x8b\x08", "a gzip archive", "Unpack"),
        (&tar, "a tar archive", "Unpack"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack"),
        (b"Rar!\x1a\x07\x01\0", "a RAR archive", "Unpack"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "Keras"),
        (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "PyTorch file is damaged", "again"),
        (b"\x80\x04\x95", "a Python pickle", "torch.onnx.export"),
        (b"\x93NUMPY\x01\0", "a NumPy array", "converted from"),
        (b"\x1c\0\0\0TFL3", "a TensorFlow Lite model", "converted from"),
        (b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1\x0d\0", "a Torch 7 model", "ONNX"),
        (b"\0\0\0\0\x02\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0\0\0", "a Darknet network's", "ONNX"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture", "as the picture"),
        (b"\0\0\0\x20ftypisom", "an MP4 or QuickTime video", "as the picture"),
        (&index, "a TensorFlow checkpoint's index", "freeze_graph"),
        (&message(&[(1, Err(b"i")), (2, Err(&graph))]), "(.meta)", "freeze_graph"),
        (&message(&[(1, Ok(1)), (2, Err(&graph))]), "SavedModel", "write_graph"),
        (
            &message(&[(1, Ok(8)), (7, Err(&graph)), (8, Err(b""))]),
            "for a batch of pictures",
            "input",
        ),
        (b"\x08\x07\x12\x07pytorch\x3a\x80\x80\x04\x0a", "ONNX model is damaged", "again"),
        (&core_ml, "a Core ML model", "converted from"),
        (&message(&[(1, Err(b"n")), (2, Err(&operator))]), "a Caffe 2 network", "ONNX"),
        (
            &message(&[(1, Ok(1)), (2, Ok(3)), (3, Ok(1)), (4, Ok(1)), (5, Err(&[0; 12]))]),
            "such as a mean image",
            "caffemodel",
        ),
        (&message(&[(1, Ok(9)), (3, Err(b"b"))]), "a Caffe solver", "caffemodel"),
        (b"net: \"a.prototxt\"\nbase_lr: 0.1\n", "a Caffe solver", "caffemodel"),
        (b"\n <!DOCTYPE html><html>", "a web page", "fetch it again"),
        (b"<?xml version=\"1.0\"?>\n<net name=\"n\">", "an OpenVINO network", "converted from"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer", "git lfs pull"),
        (b"[net]\nbatch=1\n[convolutional]\n", "a Darknet network's structure", "ONNX"),
        (b"node {\n name: \"a\"\n op: \"Relu\"\n}", "as text (.pbtxt)", "binary .pb"),
        (b"model_checkpoint_path: \"m\"\n", "a TensorFlow checkpoint", "freeze_graph"),
        (b"{\"modelTopology\": {}}", "a TensorFlow.js model", "converted from"),
        (b"{\"class_name\": \"Functional\"}", "a Keras network's structure", "no weights"),
        (b"hello", "a text", "Models are"),
        (b"\xfe\x01\xff\0\0", "data of an unknown kind", "Models are"),
        (&zip(&["m/data.pkl", "m/data/0"]), "PyTorch file is damaged", "again"),
        (&zip(&["m/archive_format", "m/models/model.json"]), "`torch.export`", "torch.export.load"),
        (&zip(&["config.json", "model.weights.h5"]), "a Keras model (.keras)", "write_graph"),
        (&zip(&["conv1.npy"]), "a NumPy archive", "converted from"),
        (&zip(&["LICENSE", "graph.pb"]), "a zip archive", "inside: graph.pb"),
        (&data("vgg.pth"), "PyTorch", "torch"),
        (&data("tf1model.ckpt.meta"), "the graph of a TensorFlow checkpoint", "freeze_graph"),
    ];
    for (bytes, kind, way_out) in cases {
        let refusal = refused(bytes);
        assert!(refusal.contains(kind) && refusal.contains(way_out), "{kind}: {refusal}");
    }
}

#[test]
fn a_file_that_breaks_off_is_no_other_kind() {
    assert!(refused(b"\x0a\x7fabc\x01").contains("damaged: it breaks off"));
    assert!(refused(b"\xff\0\0\0\0\0\0\0{}").contains("breaks off"));
    assert!(refused(b"PK\x03\x04\0\0").contains("breaks off"));
}

#[test]
fn what_is_no_model_by_its_first_bytes_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sparse.pb");
    // Larger than any model: what is said tells that its size did not matter.
    std::fs::File::create(&path).unwrap().set_len(import::MAX_FILE + 1).unwrap();
    let refusal = import::load(&path).unwrap_err().to_string();
    assert!(refusal.contains("data of an unknown kind"), "{refusal}");
}

#[test]
fn folders_are_told_by_what_is_inside() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = || import::load(folder.path()).unwrap_err().to_string();
    assert!(refusal().contains("a folder"), "{}", refusal());
    let write = |name: &str| std::fs::write(folder.path().join(name), b"").unwrap();
    write("graph.pb");
    assert!(refusal().contains("Give the model that is inside: graph.pb"), "{}", refusal());
    write("saved_model.pb");
    assert!(refusal().contains("a TensorFlow SavedModel"), "{}", refusal());
}

#[test]
fn where_the_content_says_nothing_the_name_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.ckpt.data-00000-of-00001");
    std::fs::write(&path, [0x9c; 400]).unwrap();
    let refusal = import::load(&path).unwrap_err().to_string();
    assert!(refusal.contains("a TensorFlow checkpoint, by its name"), "{refusal}");
}
