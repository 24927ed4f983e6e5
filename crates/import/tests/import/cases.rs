//! Small files that other programs' users had trouble with.

use std::path::{Path, PathBuf};

use graph::{Network, Shape, Tensor, reference};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn load(name: &str) -> Network {
    import::load(&data(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn refused(name: &str) -> String {
    import::load(&data(name)).expect_err("this should be refused").to_string()
}

fn values(network: &Network, layer: &str) -> Vec<f32> {
    let target = network.graph.find_target(layer).unwrap();
    let shape = Shape::new(3, 6, 6);
    let data = (0..shape.len()).map(|i| (i * 37 % 256) as f32).collect();
    let picture = Tensor { shape, data };
    reference::forward::<f64>(network, &[target], &picture)
        .unwrap()
        .activation(target)
        .data
        .into_vec()
}

#[test]
fn nvidias_batch_norm_is_that_of_a_scale_layer() {
    let (five, three) = (load("bn5.caffemodel"), load("bn3scale.caffemodel"));
    for (one, other) in [("bn1", "sc1"), ("conv2", "conv2")] {
        let off = testkit::error(&values(&five, one), &values(&three, other));
        assert!(off < 1e-6, "{one}: {off:e}");
    }
}

#[test]
fn layers_of_one_name_for_two_phases_are_read_with_their_weights() {
    let (pair, alone) = (load("twice.prototxt"), load("twice.caffemodel"));
    assert_eq!(values(&pair, "conv2"), values(&alone, "conv2"));
}

#[test]
fn comments_may_be_in_any_encoding() {
    let (pair, alone) = (load("gbk.prototxt"), load("gbk.caffemodel"));
    assert_eq!(values(&pair, "conv2"), values(&alone, "conv2"));
    let text = std::fs::read(data("gbk.prototxt")).unwrap();
    let weights = std::fs::read(data("gbk.caffemodel")).unwrap();
    let text = String::from_utf8_lossy(&text);
    let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes);
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(utf16).collect();
    let network = import::load_pair_bytes("utf16", &utf16, &weights).unwrap();
    assert_eq!(values(&network, "conv2"), values(&alone, "conv2"));
}

#[test]
fn a_switch_for_training_is_not_the_picture() {
    let network = load("tf1_phase.pb");
    assert_eq!(network.graph.node(network.graph.input()).name, "image");
    assert!(values(&network, "relu1").iter().any(|&x| x > 0.0));
}

#[test]
fn relu6_is_read_and_bounded() {
    let most = values(&load("tf_relu6.pb"), "act1").into_iter().fold(0.0, f32::max);
    assert!((most - 6.0).abs() < 1e-5, "{most}");
    assert!(load("tf_relu6.pb").graph.find_target("relu2").is_ok());
}

#[test]
fn quantised_weights_are_read() {
    assert!(values(&load("tf_dequant.pb"), "relu1").iter().any(|&x| x > 0.0));
}

#[test]
fn channels_in_an_order_that_its_layers_do_not_take_are_said() {
    let refusal = refused("tf_nchw.pb");
    assert!(refusal.contains("of a picture with channels first (NCHW)"), "{refusal}");
}

#[test]
fn a_few_bytes_cannot_ask_for_gigabytes() {
    for (name, words) in [
        ("tf-conv-out-2p33.pb", "without a 0"),
        ("tf-conv-out-2p40.pb", "without a 0"),
        ("tf-depthwise-sat.pb", "without a 0"),
        ("tf-matmul-bigx0.pb", "without a 0"),
        ("tf-cycle.pb", "loops through"),
        ("tf-lrn-huge.pb", "the number of channels summed"),
        ("caffe-conv-1G-zero.caffemodel", "[1000000000, 0, 1, 1]"),
        ("caffe-ip-4G-transposed.caffemodel", "[0, 4294967295]"),
    ] {
        let refusal = refused(&format!("hostile/{name}"));
        assert!(refusal.contains(words), "{name}: {refusal}");
    }
}

#[test]
fn names_that_would_steer_a_terminal_are_escaped() {
    let graph = load("hostile/terminal-escapes.pb").graph;
    let name = r"\u{1b}]0;pwned\u{7}\u{1b}[2J\u{1b}[31mr\u{202e}evil";
    assert!(graph.find_target(name).is_ok());
    let refusal = graph.find_target("u").unwrap_err().to_string();
    assert!(refusal.contains(r"Foo\u{1b}[5m"), "{refusal}");
}
