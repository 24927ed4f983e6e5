//! Files on disk: what they are called, what lies beside them, and what is no model.

use std::fs;
use std::path::Path;

use graph::ChannelOrder;
use import::ImportError;

const OPS: &[u8] = include_bytes!("../data/tensorflow_ops.pb");
const SQUEEZENET: &[u8] = include_bytes!("../../../models/data/squeezenet1_1.safetensors");

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn refused(path: &Path) -> String {
    import::load(path).expect_err("this should be refused").to_string()
}

#[test]
fn the_content_decides_the_format_and_the_file_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let network = import::load(&write(folder.path(), "dreamy.caffemodel", OPS)).unwrap();
    assert_eq!(network.name, "dreamy");
    assert_eq!(network.hash.len(), 64);
    assert_eq!(network.input.order, ChannelOrder::Rgb);
    assert_eq!(network.input.mean, [0.0; 3]);
    assert!(network.labels.is_empty());

    let network = import::load(&write(folder.path(), "renamed.pb", SQUEEZENET)).unwrap();
    assert_eq!(network.name, "renamed");
    assert_eq!(network.input.order, ChannelOrder::Bgr);
}

#[test]
fn what_is_no_model_says_what_it_is_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = |bytes: &[u8]| write(folder.path(), "model.pb", bytes);
    assert!(refused(&folder.path().join("nowhere.pb")).contains("nowhere.pb"));
    assert!(refused(&file(b"")).contains("an empty file"));
    assert!(refused(&file(b"PK\x03\x04...")).contains("breaks off"));
    assert!(refused(&file(b"<html><body>404</body></html>")).contains("web page"));
    assert!(refused(&file(&OPS[..OPS.len() - 100])).contains("Download the file again"));
    assert!(refused(&file(&[0xEE; 5000])).contains("unknown kind"));
    assert!(refused(folder.path()).contains("Give the model that is inside: model.pb"));
}

#[test]
fn a_prototxt_wants_its_weights() {
    let folder = tempfile::tempdir().unwrap();
    let text = "input: 'data' layer { name: 'a' type: 'ReLU' bottom: 'data' top: 'a' }";
    let path = write(folder.path(), "net.prototxt", text);
    assert!(matches!(import::load(&path), Err(ImportError::NoWeights { .. })));
    assert!(refused(&path).contains("net.caffemodel"));
    let bytes = import::load_bytes("net", text.as_bytes());
    assert!(matches!(bytes, Err(ImportError::NoWeights { weights: None })));
}

#[test]
fn a_safetensors_file_of_an_unknown_network_is_named_so() {
    let header = br#"{"a.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend([0; 4]);
    let error = import::load_bytes("other", &bytes).unwrap_err().to_string();
    assert!(error.contains("weights without their network (a.weight"), "{error}");
}

#[test]
fn no_truncation_of_squeezenet_breaks_the_reader() {
    for end in (0..SQUEEZENET.len()).step_by(9973).chain(0..300).chain(4000..4100) {
        assert!(import::load_bytes("cut", &SQUEEZENET[..end]).is_err());
    }
}

#[test]
fn the_seeds_of_fuzzing_are_networks() {
    let prototxt = include_bytes!("../data/small.prototxt");
    let small = include_bytes!("../data/small.caffemodel");
    let old = include_bytes!("../data/old.caffemodel");
    let last = |network: graph::Network| network.graph.layers().pop().unwrap().name;
    assert_eq!(last(import::load_bytes("small", small).unwrap()), "ip");
    assert_eq!(last(import::load_bytes("old", old).unwrap()), "join");
    assert_eq!(last(import::load_pair_bytes("pair", prototxt, small).unwrap()), "pool");
}
