//! Layers with known results, and broken networks: each is refused in its own words, and none breaks
//! the program.

mod geometry;

use graph::{Network, Shape, Tensor, reference};
use prost::Message;
use prost::bytes::Bytes;

use super::Read;
use super::proto::*;
use crate::ImportError;
use crate::squeezenet::CAFFE_INPUT;

fn read(bytes: Bytes) -> Result<Read, ImportError> {
    super::read(&bytes.into())
}

fn read_pair(prototxt: &[u8], caffemodel: Bytes) -> Result<Read, ImportError> {
    super::read_pair(prototxt, &caffemodel.into())
}

fn blob(sizes: &[i64], values: &[f32]) -> Bytes {
    let shape = Some(BlobShape { dim: sizes.to_vec() });
    Blob { shape, data: values.to_vec(), ..Blob::default() }.encode_to_vec().into()
}

fn layer(name: &str, kind: &str, bottom: &[&str], top: &str, blobs: Vec<Bytes>) -> Layer {
    Layer {
        name: name.into(),
        r#type: kind.into(),
        bottom: bottom.iter().map(|name| (*name).into()).collect(),
        top: vec![top.into()],
        blobs,
        ..Layer::default()
    }
}

/// 1×1, from 3 channels to 2: blue twice, and minus green.
fn conv(name: &str, bottom: &str) -> Layer {
    let weights = blob(&[2, 3, 1, 1], &[2.0, 0.0, 0.0, 0.0, -1.0, 0.0]);
    let param = Convolution { num_output: 2, kernel_size: vec![1], ..Convolution::default() };
    Layer {
        convolution_param: Some(param),
        ..layer(name, "Convolution", &[bottom], name, vec![weights, blob(&[2], &[0.0, 1.0])])
    }
}

fn encode(layers: &[Layer]) -> Vec<u8> {
    let layer = layers.iter().map(|layer| layer.encode_to_vec().into()).collect();
    Net { layer, input: vec!["data".into()], input_dim: vec![1, 3, 8, 8], ..Net::default() }
        .encode_to_vec()
}

fn small() -> Vec<Layer> {
    vec![conv("conv", "data"), layer("relu", "ReLU", &["conv"], "conv", vec![])]
}

fn refused(layers: &[Layer]) -> String {
    refusal(read(encode(layers).into()))
}

fn refusal(read: Result<Read, ImportError>) -> String {
    read.err().expect("this should be refused").to_string()
}

/// The values of a layer for one pixel of blue 3, green 5, red 7 above the mean.
fn values(layers: &[Layer], name: &str) -> Vec<f32> {
    let graph = read(encode(layers).into()).unwrap().graph;
    let target = graph.find_target(name).unwrap();
    let (hash, labels) = (String::new(), Vec::new());
    let network = Network { name: "test".into(), hash, graph, input: CAFFE_INPUT, labels };
    let mut picture = Tensor::zeros(Shape::new(3, 1, 1));
    picture.data = vec![130.0, 122.0, 107.0].into();
    reference::forward::<f64>(&network, &[target], &picture)
        .unwrap()
        .activation(target)
        .data
        .into_vec()
}

#[test]
fn a_blob_in_place_has_its_last_value_and_each_layer_its_own() {
    let mut layers = small();
    layers[0].name = "first".into();
    layers.push(layer("drop", "Dropout", &["conv"], "conv", vec![]));
    assert_eq!(values(&layers, "conv"), [6.0, 0.0]);
    assert_eq!(values(&layers, "relu"), [6.0, 0.0]);
    assert_eq!(values(&layers, "drop"), [6.0, 0.0]);
    assert_eq!(values(&layers, "first"), [6.0, -4.0]);
}

#[test]
fn batch_norm_divides_by_its_count_and_scale_follows_in_place() {
    let mut layers = vec![conv("conv", "data")];
    let statistics = vec![blob(&[2], &[8.0, -8.0]), blob(&[2], &[16.0, 4.0]), blob(&[1], &[4.0])];
    let norm = BatchNorm { eps: Some(0.0) };
    layers.push(Layer {
        batch_norm_param: Some(norm),
        ..layer("bn", "BatchNorm", &["conv"], "conv", statistics)
    });
    assert_eq!(values(&layers, "conv"), [2.0, -2.0]);
    let scale = vec![blob(&[2], &[3.0, 0.5]), blob(&[2], &[1.0, 0.0])];
    let param = Scale { bias_term: true, ..Scale::default() };
    layers.push(Layer {
        scale_param: Some(param),
        ..layer("scale", "Scale", &["conv"], "conv", scale)
    });
    assert_eq!(values(&layers, "conv"), [7.0, -1.0]);
}

#[test]
fn a_scale_and_shift_in_the_same_layer_are_used_and_what_nobody_uses_is_refused() {
    let statistics = [blob(&[2], &[8.0, -8.0]), blob(&[2], &[16.0, 4.0]), blob(&[1], &[4.0])];
    let scale = [blob(&[2], &[3.0, 0.5]), blob(&[2], &[1.0, 0.0])];
    let with = |blobs: &[Bytes]| {
        let norm = layer("bn", "BatchNorm", &["conv"], "conv", blobs.to_vec());
        let eps = BatchNorm { eps: Some(0.0) };
        vec![conv("conv", "data"), Layer { batch_norm_param: Some(eps), ..norm }]
    };
    let five = [&statistics[..], &scale[..]].concat();
    assert_eq!(values(&with(&five), "conv"), [7.0, -1.0]);
    let refusal = refused(&with(&five[..4]));
    assert!(refusal.contains("`bn`: the number of its arrays of weights should be 3"), "{refusal}");

    let mut layers = small();
    layers[0].convolution_param.as_mut().unwrap().bias_term = Some(false);
    assert!(refused(&layers).contains("`conv`: the number of its arrays of weights should be 1"));
    let mut layers = small();
    layers[1].blobs = vec![blob(&[1], &[1.0])];
    assert!(refused(&layers).contains("`relu`: the number of its arrays of weights should be 0"));
}

#[test]
fn rectifiers_with_slopes_and_powers_of_one() {
    let mut layers = vec![conv("conv", "data")];
    layers[0].relu_param = None;
    layers.push(Layer {
        relu_param: Some(Relu { negative_slope: 0.5 }),
        ..layer("leaky", "ReLU", &["conv"], "leaky", vec![])
    });
    let slopes = vec![blob(&[2], &[0.1, 0.25])];
    layers.push(layer("prelu", "PReLU", &["conv"], "prelu", slopes));
    let power_param = Some(Power { power: None, scale: Some(2.0), shift: 1.0 });
    layers.push(Layer { power_param, ..layer("power", "Power", &["conv"], "power", vec![]) });
    layers.push(layer("six", "ReLU6", &["power"], "six", vec![]));
    layers.push(layer("join", "Concat", &["leaky", "prelu", "six"], "join", vec![]));
    assert_eq!(values(&layers, "leaky"), [6.0, -2.0]);
    assert_eq!(values(&layers, "prelu"), [6.0, -1.0]);
    assert_eq!(values(&layers, "power"), [13.0, -7.0]);
    assert_eq!(values(&layers, "six"), [6.0, 0.0]);
}

#[test]
fn a_pool_whose_windows_may_lie_in_the_padding_is_refused_as_caffe_does() {
    let mut layers = small();
    let param = |pad| Pooling { kernel_size: vec![2], pad: vec![pad], ..Pooling::default() };
    let pool = layer("pool", "Pooling", &["conv"], "pool", vec![]);
    layers.push(Layer { pooling_param: Some(param(1)), ..pool });
    assert!(read(encode(&layers).into()).is_ok());
    layers[2].pooling_param = Some(param(2));
    assert!(refused(&layers).contains("`pool`: the padding of its rows is 2"));
}

#[test]
fn layers_of_one_name_are_chosen_before_they_get_weights() {
    let rule = |phase| vec![Rule { phase: Some(phase), ..Rule::default() }];
    let statistics = vec![blob(&[2], &[8.0, -8.0]), blob(&[2], &[16.0, 4.0]), blob(&[1], &[4.0])];
    let norm = |phase| Layer {
        batch_norm_param: Some(BatchNorm { eps: Some(0.0) }),
        include: rule(phase),
        ..layer("bn", "BatchNorm", &["conv"], "conv", statistics.clone())
    };
    let both = [conv("conv", "data"), norm(0), norm(1)];
    assert_eq!(values(&both, "conv"), [2.0, -2.0]);
    // Saved while training, the file has no other.
    assert_eq!(values(&[conv("conv", "data"), norm(0)], "conv"), [2.0, -2.0]);
    let stage = |stages: &[&str], not: &[&str]| Rule {
        stage: stages.iter().map(|&stage| stage.into()).collect(),
        not_stage: not.iter().map(|&stage| stage.into()).collect(),
        ..Rule::default()
    };
    let mut layers = vec![conv("conv", "data")];
    for (name, rule) in [
        ("deployed", stage(&["deploy"], &[])),
        ("validated", stage(&["val"], &[])),
        ("not_deployed", stage(&[], &["deploy"])),
    ] {
        let relu = layer(name, "ReLU", &["conv"], "conv", vec![]);
        layers.push(Layer { include: vec![rule], ..relu });
    }
    let graph = read(encode(&layers).into()).unwrap().graph;
    let there = ["deployed", "validated", "not_deployed"].map(|name| graph.find(name).is_ok());
    assert_eq!(there, [true, false, false]);
}

#[test]
fn sums_joins_and_matrices() {
    let mut layers = small();
    layers.push(conv("other", "data"));
    layers.push(layer("sum", "Eltwise", &["conv", "other"], "sum", vec![]));
    assert_eq!(values(&layers, "sum"), [12.0, -4.0]);
    layers.push(layer("join", "Concat", &["sum", "other"], "join", vec![]));
    assert_eq!(values(&layers, "join"), [12.0, -4.0, 6.0, -4.0]);
    let legacy = Blob { num: 1, channels: 1, height: 4, width: 1, ..Blob::default() };
    let legacy = Blob { double_data: vec![1.0, 2.0, 0.0, 0.5], ..legacy };
    let param = InnerProduct { num_output: 1, bias_term: Some(false), transpose: true, axis: None };
    layers.push(Layer {
        inner_product_param: Some(param),
        ..layer("ip", "InnerProduct", &["join"], "ip", vec![legacy.encode_to_vec().into()])
    });
    assert_eq!(values(&layers, "ip"), [2.0]);
}

#[test]
fn groups_divide_the_channels() {
    let weights = blob(&[3, 1, 1, 1], &[1.0, 10.0, 100.0]);
    let group = Some(3);
    let param = Convolution {
        num_output: 3,
        kernel_h: Some(1),
        kernel_w: Some(1),
        group,
        ..Default::default()
    };
    let param = Convolution { bias_term: Some(false), ..param };
    let conv = layer("conv", "Convolution", &["data"], "conv", vec![weights]);
    let layers = [Layer { convolution_param: Some(param), ..conv }];
    assert_eq!(values(&layers, "conv"), [3.0, 50.0, 700.0]);
}

#[test]
fn rules_and_heads_for_training_leave_layers_out() {
    let mut layers = small();
    let mut training = layer("noise", "Odd", &["conv"], "conv", vec![]);
    training.include = vec![Rule { phase: Some(0), ..Rule::default() }];
    layers.push(training);
    layers.push(layer("head", "ReLU", &["conv"], "head", vec![]));
    layers.push(layer("loss", "SoftmaxWithLoss", &["head", "label"], "loss", vec![]));
    let mut next = conv("next", "data");
    next.bottom = vec!["conv".into()];
    next.convolution_param.as_mut().unwrap().num_output = 1;
    next.blobs = vec![blob(&[1, 2, 1, 1], &[1.0, 1.0]), blob(&[1], &[0.0])];
    layers.push(next);
    assert_eq!(values(&layers, "next"), [6.0]);
    let graph = read(encode(&layers).into()).unwrap().graph;
    assert!(graph.find("head").is_err() && graph.find("loss").is_err());
}

#[test]
fn a_data_layer_tells_the_mean() {
    let mut data = layer("data", "Data", &[], "data", vec![]);
    data.top.push("label".into());
    let mean_value = vec![1.0, 2.0, 3.0];
    data.transform_param = Some(Transform { scale: Some(0.5), mean_value });
    let mut layers = vec![data];
    layers.extend(small());
    let layer = layers.iter().map(|layer| layer.encode_to_vec().into()).collect();
    let input =
        read(Net { layer, ..Net::default() }.encode_to_vec().into()).unwrap().input.unwrap();
    assert_eq!((input.mean, input.scale), ([1.0, 2.0, 3.0], [0.5; 3]));
}

#[test]
fn what_is_wrong_is_named() {
    let mut layers = small();
    layers[0].blobs.clear();
    assert!(refused(&layers).contains("`conv` has no weights"));

    let mut layers = small();
    layers[0].blobs[0] = blob(&[2, 3, 3, 3], &[0.0; 54]);
    let error = refused(&layers);
    assert!(error.contains("[2, inputs, 1, 1]") && error.contains("[2, 3, 3, 3]"), "{error}");

    let mut layers = small();
    layers[0].blobs[0] = blob(&[2, 3, 1, 1], &[0.0; 5]);
    assert!(refused(&layers).contains("`conv`: the number of weights should be 6, but is 5"));

    let mut layers = small();
    layers[0].blobs[0] = blob(&[2, -3, 1, 1], &[0.0; 5]);
    assert!(refused(&layers).contains("[2, -3, 1, 1]"));

    let mut layers = small();
    layers[0].bottom[0] = "date".into();
    assert!(refused(&layers).contains("`conv` reads `date`"));

    let mut layers = small();
    layers[0].convolution_param.as_mut().unwrap().stride = vec![0];
    assert!(refused(&layers).contains("the stride is 0; from 1 to"));

    let mut layers = small();
    layers[0].convolution_param.as_mut().unwrap().pad = vec![u32::MAX];
    assert!(refused(&layers).contains("the padding is 4294967295"));

    let mut layers = small();
    layers[0].convolution_param.as_mut().unwrap().group = Some(0);
    assert!(refused(&layers).contains("the number of groups is 0"));

    let error = refusal(read(Net::default().encode_to_vec().into()));
    assert!(error.contains("the number of layers is 0"), "{error}");
}

const PROTOTXT: &str = r#"
    name: 'small' # a comment with { and "
    a_field_of_a_fork: { deep: { deeper: -1.5e3 } list: [1, 2] }
    input: "data"
    input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }
    layer {
      name: "conv" type: "Convolution" bottom: "data" top: "conv"
      param { lr_mult: 1 } param { lr_mult: 2 },
      convolution_param: <
        num_output: 2; kernel_size: 1 engine: CUDNN
        weight_filler { type: "xavier" std: -0.1 } mystery: "a } b" 'c'
      >
    }
    layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" another_param { x: MAX } }
"#;

#[test]
fn text_gives_the_structure_and_fields_of_forks_are_passed_over() {
    let read = read_pair(PROTOTXT.as_bytes(), encode(&small()).into()).unwrap();
    let names: Vec<String> = read.graph.layers().into_iter().map(|layer| layer.name).collect();
    assert_eq!(names, ["conv"]);
    assert!(read.graph.find("relu").is_ok());
}

#[test]
fn wrong_text_is_shown_by_its_line() {
    let weights = || Bytes::from(encode(&small()));
    let broken = PROTOTXT.replace("num_output: 2", "num_output: many");
    let error = refusal(read_pair(broken.as_bytes(), weights()));
    assert!(error.contains("line 10:"), "{error}");
    let cut = PROTOTXT.trim_end().strip_suffix('}').unwrap();
    assert!(refusal(read_pair(cut.as_bytes(), weights())).contains("at the end"));
    let renamed = PROTOTXT.replace("\"conv\" type", "\"convolution\" type");
    let error = refusal(read_pair(renamed.as_bytes(), weights()));
    assert!(error.contains("`convolution` has no weights"), "{error}");
}

/// Every field of the text's schema arrives in the message's field of the same name.
#[test]
fn text_and_binary_agree_on_every_field() {
    let text = r#"
        input: "a" input_dim: 1 input_shape { dim: 2 }
        layers { name: "old" type: SOFTMAX_LOSS bottom: "x" top: "y"
          include { phase: TEST min_level: 1 max_level: 2 stage: "s" not_stage: "n" }
          exclude { phase: TRAIN }
          concat_param { concat_dim: 1 axis: 2 } convolution_param { num_output: 3 }
          inner_product_param { num_output: 1 bias_term: true axis: 2 transpose: true }
          lrn_param { local_size: 1 alpha: 2 beta: 3 norm_region: WITHIN_CHANNEL k: 5 }
          pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 3 pad: 4 kernel_h: 5 kernel_w: 6
            stride_h: 7 stride_w: 8 pad_h: 9 pad_w: 10 global_pooling: true round_mode: FLOOR }
          eltwise_param { operation: MAX coeff: 0.5 } relu_param { negative_slope: 0.5 }
          power_param { power: 1 scale: 2 shift: 3 }
          transform_param { scale: 2 mean_value: 104 } softmax_param { axis: 2 } }
        layer { name: "new" type: "T" bottom: "x" top: "y" include { } exclude { }
          transform_param { } concat_param { } eltwise_param { } inner_product_param { }
          lrn_param { } pooling_param { } power_param { } relu_param { } softmax_param { axis: 1 }
          convolution_param { num_output: 1 bias_term: false pad: 2 kernel_size: 3 group: 4 stride: 5
            pad_h: 6 pad_w: 7 kernel_h: 8 kernel_w: 9 stride_h: 10 stride_w: 11 axis: 12 dilation: 13 }
          batch_norm_param { eps: 0.5 } scale_param { axis: 1 num_axes: 2 bias_term: true }
          input_param { shape { dim: 7 } } }
    "#;
    let net = super::text::read(text.as_bytes()).unwrap();
    assert_eq!((net.input, net.input_dim), (vec!["a".into()], vec![1]));
    assert_eq!(net.input_shape[0].dim, [2]);
    let old: Layer = V1Layer::decode(net.layers[0].clone()).unwrap().into();
    let new = Layer::decode(net.layer[0].clone()).unwrap();
    assert_eq!((old.name.as_str(), old.r#type.as_str()), ("old", "SoftmaxWithLoss"));
    let (stage, not_stage) = (vec!["s".into()], vec!["n".into()]);
    let rule = Rule { phase: Some(1), min_level: Some(1), max_level: Some(2), stage, not_stage };
    assert_eq!(old.include, [rule]);
    assert_eq!(old.exclude[0].phase, Some(0));
    assert_eq!(old.concat_param.unwrap(), Concat { concat_dim: Some(1), axis: Some(2) });
    assert_eq!(old.convolution_param.unwrap().num_output, 3);
    assert_eq!(
        old.inner_product_param.unwrap(),
        InnerProduct { num_output: 1, bias_term: Some(true), axis: Some(2), transpose: true }
    );
    let (local_size, alpha, beta, k) = (Some(1), Some(2.0), Some(3.0), Some(5.0));
    assert_eq!(old.lrn_param.unwrap(), Lrn { local_size, alpha, beta, norm_region: 1, k });
    assert_eq!(
        old.pooling_param.unwrap(),
        Pooling {
            pool: 2,
            kernel_size: vec![2],
            stride: vec![3],
            pad: vec![4],
            kernel_h: Some(5),
            kernel_w: Some(6),
            stride_h: Some(7),
            stride_w: Some(8),
            pad_h: Some(9),
            pad_w: Some(10),
            global_pooling: true,
            round_mode: 1,
        }
    );
    assert_eq!(old.eltwise_param.unwrap(), Eltwise { operation: Some(2), coeff: vec![0.5] });
    assert_eq!(old.relu_param.unwrap().negative_slope, 0.5);
    let power = Power { power: Some(1.0), scale: Some(2.0), shift: 3.0 };
    assert_eq!(old.power_param.unwrap(), power);
    let transform = Transform { scale: Some(2.0), mean_value: vec![104.0] };
    assert_eq!(old.transform_param.unwrap(), transform);
    assert_eq!(old.softmax_param.unwrap().axis, Some(2));
    assert_eq!(
        new.convolution_param.unwrap(),
        Convolution {
            num_output: 1,
            bias_term: Some(false),
            pad: vec![2],
            kernel_size: vec![3],
            group: Some(4),
            stride: vec![5],
            pad_h: Some(6),
            pad_w: Some(7),
            kernel_h: Some(8),
            kernel_w: Some(9),
            stride_h: Some(10),
            stride_w: Some(11),
            axis: Some(12),
            dilation: vec![13],
        }
    );
    assert_eq!(new.batch_norm_param.unwrap().eps, Some(0.5));
    assert_eq!(
        new.scale_param.unwrap(),
        Scale { axis: Some(1), num_axes: Some(2), bias_term: true }
    );
    assert_eq!(new.input_param.unwrap().shape[0].dim, [7]);
    assert_eq!(new.softmax_param.unwrap().axis, Some(1));
    assert!(new.transform_param.is_some() && new.concat_param.is_some() && new.lrn_param.is_some());
    assert!(new.eltwise_param.is_some() && new.inner_product_param.is_some());
    assert!(new.pooling_param.is_some() && new.relu_param.is_some() && new.power_param.is_some());
    assert!(new.include.len() == 1 && new.exclude.len() == 1);
}

#[test]
fn no_truncation_or_mutation_breaks_the_readers() {
    let whole = encode(&small());
    for end in 0..whole.len() {
        let _ = read(Bytes::copy_from_slice(&whole[..end]));
    }
    for end in (0..PROTOTXT.len()).filter(|&end| PROTOTXT.is_char_boundary(end)) {
        let _ = read_pair(&PROTOTXT.as_bytes()[..end], Bytes::copy_from_slice(&whole));
    }
    crate::mutated(&whole, 4000, |bytes| {
        if let Ok(read) = read(bytes.into()) {
            crate::measured(&read.graph);
        }
    });
    crate::mutated(PROTOTXT.as_bytes(), 2000, |bytes| {
        if let Ok(read) = read_pair(&bytes, Bytes::copy_from_slice(&whole)) {
            crate::measured(&read.graph);
        }
    });
}
