//! State dicts in all their containers, and files that are made to hurt.

use prost::bytes::Bytes;
use testkit::shared;

use super::pickle::{Pickle, Value};
use super::*;
use crate::{measured, mutated};

fn data(name: &str) -> Bytes {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/torch");
    std::fs::read(folder.join(name)).unwrap().into()
}

fn dict_of(bytes: &Bytes) -> Result<StateDict, ImportError> {
    let content = bytes.clone().into();
    match container(bytes) {
        Some(container) => state_dict(container, &content),
        None => StateDict::of_safetensors(&Tensors::read(&content)?),
    }
}

/// Each tensor of one is that of the other, to a relative precision.
fn assert_same(found: &StateDict, reference: &StateDict, precision: f32, file: &str) {
    assert!(found.names().eq(reference.names()), "{file}: {:?}", found.names().collect::<Vec<_>>());
    for name in found.names() {
        assert_eq!(found.shape(name), reference.shape(name), "{file}: {name}");
        let values = |dict: &StateDict| dict.get(name).unwrap().values().unwrap();
        for (x, y) in values(found).into_iter().zip(values(reference)) {
            assert!((x - y).abs() <= precision * y.abs().max(1e-3), "{file}: {name}: {x} {y}");
        }
    }
}

/// How exactly a file of half precision has the weights.
fn precision(file: &str) -> f32 {
    if file.contains("bf16") {
        1.0 / 256.0
    } else if file.contains("f16") {
        1e-3
    } else {
        0.0
    }
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn every_container_gives_the_same_weights_or_is_refused() {
    let folder = shared().join("networks/models/torch/formats");
    let read = |name: &str| Bytes::from(std::fs::read(folder.join(name)).unwrap());
    let reference = dict_of(&read("reference.safetensors")).unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(&folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let bytes = read(&name);
        if ["refuse_trunc", "refuse_html", "full_module", "torchscript"]
            .iter()
            .any(|start| name.starts_with(start))
        {
            assert!(crate::load_bytes("x", &bytes).is_err(), "{name}");
        } else {
            assert_same(&dict_of(&bytes).unwrap(), &reference, precision(&name), &name);
            crate::load_bytes("x", &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        files += 1;
    }
    assert!(files >= 20);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn the_weights_of_a_program_are_found_without_running_it() {
    let folder = shared().join("networks/models/torch/formats");
    let read = |name: &str| Bytes::from(std::fs::read(folder.join(name)).unwrap());
    let reference = dict_of(&read("reference.safetensors")).unwrap();
    for name in ["torchscript_trace.pt", "torchscript_script.pt"] {
        let archive = archive::Archive::open(&read(name).into()).unwrap().unwrap();
        let storages = |dtype, key: &str| archive.storage(dtype, key);
        let outside = Outside::Storages(&storages);
        let tensors = dict::of_script(&archive.pickle().unwrap(), &outside).unwrap();
        assert_same(&StateDict::of(tensors), &reference, 0.0, name);
    }
}

#[test]
fn a_stream_of_python_2_a_tar_and_an_archive_hold_the_same() {
    let archive = dict_of(&data("f16.pth")).unwrap();
    let tar = dict_of(&data("old_tar.pth")).unwrap();
    assert_same(&archive, &tar, 1e-3, "f16.pth");
    let stream = dict_of(&data("python2.pth.tar")).unwrap();
    assert_same(&stream, &tar, 0.0, "python2.pth.tar");
    assert_eq!(stream.shape("layer4.1.conv2.weight"), [16, 16, 3, 3]);
}

#[test]
fn nothing_that_a_pickle_calls_is_called() {
    let read = |bytes: &'static [u8]| Pickle::read(&Bytes::from_static(bytes)).unwrap();
    // os.system("true"), as Python writes it.
    let pickle = read(b"\x80\x02cposix\nsystem\nX\x04\0\0\0true\x85R.");
    let (function, arguments) = pickle.call(pickle.root).unwrap();
    assert_eq!((function, pickle.text(arguments[0])), ("posix.system", Some("true")));
    // {"a": [-1, 258], "b": True} of protocols 0, 2 and 4.
    for bytes in [
        b"(dp0\nS'a'\np1\n(lp2\nI-1\naI258\nasS'b'\np3\nI01\ns.".as_slice(),
        b"\x80\x02}q\0(X\x01\0\0\0aq\x01]q\x02(J\xff\xff\xff\xffM\x02\x01eX\x01\0\0\0bq\x03\x88u.",
        b"\x80\x04\x95\x18\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94]\x94(J\xff\xff\xff\xffM\x02\x01e\x8c\x01b\x94\x88u.",
    ] {
        let pickle = read(bytes);
        let list = pickle.entry(pickle.root, "a").unwrap();
        let numbers: Vec<_> =
            pickle.elements(list).unwrap().iter().map(|&at| pickle.integer(at)).collect();
        assert_eq!(numbers, [Some(-1), Some(258)]);
        let truth = pickle.entry(pickle.root, "b").unwrap();
        assert!(matches!(pickle.value(truth), Value::Bool(true)));
        assert_eq!(pickle.length, bytes.len());
    }
}

#[test]
fn pickles_that_go_wrong_are_told() {
    for bytes in [
        b"".as_slice(),
        b"\x80\x02",
        b".",
        b"\x80\x02(.",
        b"\x80\x02K\x01(\x85.",
        b"\x80\x02h\x07.",
        b"\x80\x02X\xff\xff\xff\xffa.",
        b"\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xff.",
        b"\x80\x02}K\x01s.",
        b"\x80\x02\x82\x01.",
        b"\x80\x02I1",
        b"o.",
    ] {
        assert!(Pickle::read(&Bytes::from_static(bytes)).is_err(), "{bytes:?}");
    }
    // Names of classes: one that is too long, and short ones that are made again and again.
    let text = |length: u8| [b"\x8c".as_slice(), &[length], &vec![b'a'; length.into()]].concat();
    let long = [b"\x80\x04X\x01\x01\0\0".as_slice(), &[b'a'; 257], &text(1), b"\x93."].concat();
    assert!(Pickle::read(&long.into()).unwrap_err().contains("no short text"));
    let again = b"h\0h\0\x93".repeat(100_000);
    let many = [b"\x80\x04".as_slice(), &text(255), b"q\0", &again, b"."].concat();
    assert!(Pickle::read(&many.into()).unwrap_err().contains("too many names"));
    // A list that holds itself, and one inside the other a hundred thousand times.
    // What goes on beyond the bytes that are read at first, or says so.
    let long = |length: u32| {
        let text = vec![b'a'; 3 << 20];
        [b"\x80\x02X".as_slice(), &length.to_le_bytes(), &text, b"."].concat().into()
    };
    let pickle = Pickle::of(&Content::Memory(long(3 << 20))).unwrap();
    assert_eq!(pickle.length, (3 << 20) + 8);
    assert!(Pickle::of(&Content::Memory(long(u32::MAX))).unwrap_err().contains("breaks off"));
    let circle = Pickle::read(&Bytes::from_static(b"\x80\x02]q\0h\0a.")).unwrap();
    assert_eq!(circle.elements(circle.root), Some(&[circle.root][..]));
    let deep = [b"\x80\x02".to_vec(), vec![b']'; 100_000], vec![b'a'; 99_999], vec![b'.']].concat();
    assert!(Pickle::read(&deep.into()).is_ok());
}

#[test]
fn circles_and_shared_numbers_ask_for_no_more_than_the_file_is() {
    // Each name under which a state dict may lie leads back to the same dictionary.
    let names = [b"X\x05\0\0\0model".as_slice(), b"X\x03\0\0\0net", b"X\x06\0\0\0params"];
    let entries: Vec<u8> =
        names.iter().flat_map(|name| [name, b"h\0".as_slice()].concat()).collect();
    let bytes = [b"\x80\x02}q\0(".as_slice(), &entries, b"u."].concat();
    let pickle = Pickle::read(&bytes.into()).unwrap();
    let none = |_, _: &str| Err(String::new());
    assert!(matches!(dict::find(&pickle, &Outside::Storages(&none)), Ok(Found::Nothing)));

    // Objects inside each other, whose attributes' names become longer and longer.
    let name = [b"X\xc8\0\0\0".as_slice(), &[b'a'; 200], b"q\0"].concat();
    let deep = [b"\x80\x02".as_slice(), &name, b"0", &b"}h\0".repeat(4), b"}", b"ssss."].concat();
    let pickle = Pickle::read(&deep.into()).unwrap();
    let error = dict::of_script(&pickle, &Outside::Storages(&none)).unwrap_err();
    assert!(error.contains("512 bytes"), "{error}");

    // A thousand tensors of a million numbers each that are one number.
    let storage = || tensor::Storage {
        dtype: tensor::Dtype::F32,
        content: vec![0; 4].into(),
        big_endian: false,
    };
    let shared = tensor::Tensor::new(storage(), 0, vec![1 << 20], vec![0]).unwrap();
    let tensors = (0..1000).map(|i| (i.to_string(), shared.clone())).collect();
    assert_eq!(StateDict::of(tensors).len(), 1000 << 20);
}

#[test]
fn what_does_not_hold_weights_is_refused_with_the_way_to_onnx() {
    let refused = |bytes: Bytes| dict_of(&bytes).unwrap_err().to_string();
    let stream = |object: &'static [u8]| -> Bytes {
        let magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
        let parts: [&[u8]; 5] =
            [magic, b"\x80\x02M\xe9\x03.", b"\x80\x02}.", object, b"\x80\x02]."];
        parts.concat().into()
    };
    let module = stream(b"\x80\x02cmodels\nNet\n)\x81}X\x08\0\0\0_modules}sb.");
    let refusal = refused(module);
    assert!(refusal.contains("saved whole") && refusal.contains("torch.onnx.export"), "{refusal}");
    let nested = stream(b"\x80\x02}X\x05\0\0\0modelcmodels\nNet\n)\x81}X\x08\0\0\0_modules}sbs.");
    assert!(refused(nested).contains("saved whole"));
    assert!(refused(stream(b"\x80\x02}.")).contains("without the weights"));
    assert!(refused(stream(b"\x80\x02}")).contains("breaks off"));
}

#[test]
fn unknown_networks_are_named_by_what_they_have() {
    let refused = |names: &[&str]| {
        let storage = || tensor::Storage {
            dtype: tensor::Dtype::F32,
            content: vec![0; 4].into(),
            big_endian: false,
        };
        let tensors = names
            .iter()
            .map(|&name| (name.to_owned(), tensor::Tensor::whole(storage(), vec![1]).unwrap()));
        nets::build(&StateDict::of(tensors.collect())).err().unwrap().to_string()
    };
    assert!(refused(&["class_token"]).contains("vision transformer"));
    let swin = refused(&["features.1.0.attn.qkv.weight"]);
    assert!(
        swin.contains("Swin") && swin.contains("windows") && !swin.contains("onnx.export"),
        "{swin}"
    );
    assert!(refused(&["s1.b1.conv1.conv.weight", "stem.conv.weight"]).contains("RegNet"));
    let refusal = refused(&["module.encoder.weight", "module.encoder.bias"]);
    assert!(refusal.contains("encoder.bias") && refusal.contains("torch.onnx.export"), "{refusal}");
}

/// The tensors of a small ResNet under other names, and some beside them.
fn wrapped(prefix: &str, beside: &[&str]) -> StateDict {
    let network = dict_of(&data("old_tar.pth")).unwrap();
    let mut dict = StateDict::default();
    for name in network.names() {
        dict.add(&format!("{prefix}{name}"), network.get(name).unwrap().clone());
    }
    for name in beside {
        dict.add(name, network.get("fc.bias").unwrap().clone());
    }
    dict
}

#[test]
fn the_network_that_others_look_through_is_read() {
    for (prefix, beside) in [
        ("backbone.body.", &["backbone.fpn.inner_blocks.0.0.bias", "rpn.head.conv.bias"][..]),
        ("backbone.", &["head.mlp.0.bias"]),
        ("encoder_q.", &["encoder_k.fc.bias", "queue"]),
        ("encoder.", &[]),
    ] {
        let read = nets::build(&wrapped(prefix, beside)).unwrap();
        assert!(read.graph.find_target("layer2.0").is_ok(), "{prefix}");
    }
    // What segments has other strides than the network alone.
    let dilated = nets::build(&wrapped("backbone.", &["classifier.4.bias"])).err().unwrap();
    assert!(dilated.to_string().contains("onnx.export"), "{dilated}");
}

#[test]
fn a_network_with_more_than_the_known_one_is_not_taken_for_it() {
    let mut dict = dict_of(&data("old_tar.pth")).unwrap();
    nets::build(&dict).unwrap();
    dict.add("layer1.0.se.fc1.weight", dict.get("layer1.0.conv1.weight").unwrap().clone());
    let refusal = nets::build(&dict).err().unwrap().to_string();
    assert!(refusal.contains("layer1.0.se.fc1.weight") && refusal.contains("onnx"), "{refusal}");
}

/// A layer's activation for a picture of some waves.
fn activation(graph: &Graph, layer: &str) -> Vec<f32> {
    use graph::{Backend, Network, Shape, Size, Tensor};
    let (name, hash, labels) = (String::new(), String::new(), Vec::new());
    let (graph, input) = (graph.clone(), crate::CAFFE_INPUT);
    let network = Network { name, hash, graph, input, labels };
    let target = network.graph.find_target(layer).unwrap();
    let threads = kernels::Threads::new(2).unwrap();
    let backend = cpu::Cpu::new(kernels::Context::new(threads, kernels::CpuLevel::Scalar));
    let size = Size::new(70, 90);
    let mut session = backend.compile(&network, &[target]).unwrap().session(size).unwrap();
    let shape = Shape::new(3, 70, 90);
    let wave = |i: usize| 128.0 + 100.0 * (i as f32 / 7.0).sin();
    session.forward(&Tensor { shape, data: (0..shape.len()).map(wave).collect() }).unwrap();
    session.activation(0).unwrap().data.into_vec()
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn caffes_googlenet_with_its_weights_from_pytorch_is_the_same_network() {
    let caffe = crate::load(&shared().join("models/bvlc_googlenet.caffemodel")).unwrap().graph;
    let tensor = |values: &[f32], shape: &[usize]| {
        let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        let dtype = tensor::Dtype::F32;
        let storage = tensor::Storage { dtype, content: bytes.into(), big_endian: false };
        tensor::Tensor::whole(storage, shape.to_vec()).unwrap()
    };
    let mut tensors = std::collections::BTreeMap::new();
    for node in caffe.nodes().iter().filter(|node| !node.name.starts_with("loss")) {
        let graph::Op::Conv2d(conv) = &node.op else { continue };
        let ([height, width], name) = (conv.window.kernel, node.name.replace('/', "_"));
        let shape = [conv.out_channels, conv.in_channels, height, width];
        tensors.insert(format!("{name}.weight"), tensor(&conv.weights.get().unwrap(), &shape));
        tensors.insert(format!("{name}.bias"), tensor(&conv.bias, &[conv.out_channels]));
    }
    let read = nets::build(&StateDict::of(tensors)).unwrap();
    assert_eq!(read.input, crate::CAFFE_INPUT);
    for layer in ["pool2/3x3_s2", "inception_4c/output", "inception_5b/output"] {
        assert_eq!(activation(&read.graph, layer), activation(&caffe, layer), "{layer}");
    }
}

#[test]
fn small_files_are_whole_networks() {
    for name in ["small.pth", "stream.pth"] {
        let network = crate::load_bytes("x", &data(name)).unwrap();
        let layers: Vec<String> =
            network.graph.layers().into_iter().map(|layer| layer.name).collect();
        let places = [0, 1, 2, 3, 4, 5, 6, 7].map(|place| format!("features.{place}"));
        assert_eq!(layers, places, "{name}");
        assert_eq!(network.graph.find("pool1").unwrap(), network.graph.find("features.4").unwrap());
    }
}

#[test]
fn broken_files_never_panic() {
    let large = ["f16.pth", "old_tar.pth", "python2.pth.tar"].map(|name| (name, 300));
    let small = ["small.pth", "stream.pth"].map(|name| (name, 5000));
    for (name, count) in large.into_iter().chain(small) {
        mutated(&data(name), count, |bytes| {
            if let Ok(network) = crate::load_bytes("x", &bytes) {
                measured(&network.graph);
            }
        });
    }
}
