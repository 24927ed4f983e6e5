//! Layers that move channels, rows and columns, or that compute value by value, with known results.

use super::*;

/// The values of a layer, for a picture of `size` whose blue counts up from 1 row by row.
fn of_size(layers: &[Layer], name: &str, [height, width]: [usize; 2]) -> (Shape, Vec<f32>) {
    let graph = read(encode(layers).into()).unwrap().graph;
    let target = graph.find_target(name).unwrap();
    let (hash, labels) = (String::new(), Vec::new());
    let network = Network { name: "test".into(), hash, graph, input: CAFFE_INPUT, labels };
    let mut picture = Tensor::zeros(Shape::new(3, height, width));
    for (i, blue) in picture.channel_mut(2).iter_mut().enumerate() {
        *blue = 105.0 + i as f32;
    }
    let run = reference::forward::<f64>(&network, &[target], &picture).unwrap();
    (run.shape(target), run.activation(target).data.into_vec())
}

/// One channel: the blue.
fn blue() -> Layer {
    let weights = blob(&[1, 3, 1, 1], &[1.0, 0.0, 0.0]);
    let param = Convolution {
        num_output: 1,
        kernel_size: vec![1],
        bias_term: Some(false),
        ..Convolution::default()
    };
    let conv = layer("blue", "Convolution", &["data"], "blue", vec![weights]);
    Layer { convolution_param: Some(param), ..conv }
}

fn deconvolution(stride: u32, pad: u32) -> Layer {
    let weights = blob(&[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let param = Convolution {
        num_output: 1,
        kernel_size: vec![2],
        stride: vec![stride],
        pad: vec![pad],
        ..Convolution::default()
    };
    let blobs = vec![weights, blob(&[1], &[0.5])];
    let layer = layer("up", "Deconvolution", &["blue"], "up", blobs);
    Layer { convolution_param: Some(param), ..layer }
}

#[test]
fn a_deconvolution_spreads_its_kernel_and_pads_cut_off() {
    let (shape, values) = of_size(&[blue(), deconvolution(2, 0)], "up", [1, 2]);
    assert_eq!(shape, Shape::new(1, 2, 4));
    assert_eq!(values, [1.5, 2.5, 2.5, 4.5, 3.5, 4.5, 6.5, 8.5]);
    let (shape, values) = of_size(&[blue(), deconvolution(2, 1)], "up", [2, 2]);
    assert_eq!((shape, &values[..]), (Shape::new(1, 2, 2), &[4.5, 6.5, 6.5, 4.5][..]));
    let mut wrong = deconvolution(2, 0);
    wrong.convolution_param.as_mut().unwrap().num_output = 2;
    let refusal = refused(&[blue(), wrong]);
    assert!(refusal.contains("`up`: the number of outputs its weights are for"), "{refusal}");
}

#[test]
fn a_crop_takes_what_another_blob_is_large() {
    let crop = |offset: &[u32]| Layer {
        crop_param: Some(Crop { axis: None, offset: offset.to_vec() }),
        ..layer("crop", "Crop", &["up", "blue"], "crop", vec![])
    };
    let up = deconvolution(2, 0);
    let (shape, values) = of_size(&[blue(), up.clone(), crop(&[1])], "crop", [1, 2]);
    assert_eq!((shape, &values[..]), (Shape::new(1, 1, 2), &[4.5, 6.5][..]));
    let (_, values) = of_size(&[blue(), up.clone(), crop(&[0, 2])], "crop", [1, 2]);
    assert_eq!(values, [2.5, 4.5]);
    let mut channels = crop(&[0]);
    channels.crop_param.as_mut().unwrap().axis = Some(1);
    let graph = read(encode(&[blue(), up, channels]).into()).unwrap().graph;
    let refusal = graph.find_target("crop").unwrap_err().to_string();
    assert!(refusal.contains("Crop of other than rows and columns"), "{refusal}");
}

#[test]
fn a_global_pool_can_take_the_largest() {
    let pooled = |pool| Layer {
        pooling_param: Some(Pooling { pool, global_pooling: true, ..Pooling::default() }),
        ..layer("pool", "Pooling", &["blue"], "pool", vec![])
    };
    let (shape, values) = of_size(&[blue(), pooled(0)], "pool", [2, 3]);
    assert_eq!((shape, values), (Shape::new(1, 1, 1), vec![6.0]));
    assert_eq!(of_size(&[blue(), pooled(1)], "pool", [2, 3]).1, [3.5]);
}

#[test]
fn slices_divide_the_channels() {
    let slice = |points: &[u32]| Layer {
        top: vec!["a".into(), "b".into()],
        slice_param: Some(Slice { slice_point: points.to_vec(), ..Slice::default() }),
        ..layer("slice", "Slice", &["data"], "a", vec![])
    };
    let [a, b] = ["a", "b"].map(|top| values(&[slice(&[1])], top));
    assert_eq!((&a[..], &b[..]), (&[3.0][..], &[5.0, 7.0][..]));
    let of_two = Layer { bottom: vec!["conv".into()], ..slice(&[]) };
    assert_eq!(values(&[conv("conv", "data"), of_two], "b"), [-4.0]);
    assert!(refused(&[slice(&[])]).contains("3 channels cannot be divided by 2"));
    assert!(refused(&[slice(&[3])]).contains("its points do not divide 3 channels"));
    assert!(refused(&[slice(&[1, 2])]).contains("the number of points should be 1"));
}

#[test]
fn values_are_multiplied_weighed_and_compared() {
    let of = |operation: i32, coeff: &[f32]| {
        let param = Eltwise { operation: Some(operation), coeff: coeff.to_vec() };
        let kind = layer("out", "Eltwise", &["a", "b", "a"], "out", vec![]);
        let parts = Layer {
            top: vec!["a".into(), "b".into(), "c".into()],
            ..layer("slice", "Slice", &["data"], "a", vec![])
        };
        values(&[parts, Layer { eltwise_param: Some(param), ..kind }], "out")
    };
    assert_eq!(of(0, &[]), [45.0]);
    assert_eq!(of(1, &[]), [11.0]);
    assert_eq!(of(1, &[2.0, -1.0, 0.5]), [2.5]);
    assert_eq!(of(2, &[]), [5.0]);
}

#[test]
fn functions_of_single_values_are_computed() {
    let blue = |kind: &str| layer("out", kind, &["blue"], "out", vec![]);
    let of = |layer: Layer, blue: f32| {
        let mut layers = vec![self::blue(), layer];
        let weights = blob(&[1, 3, 1, 1], &[blue / 3.0, 0.0, 0.0]);
        layers[0].blobs = vec![weights];
        values(&layers, "out")[0]
    };
    let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-6, "{a} instead of {b}");
    near(of(blue("Sigmoid"), 0.0), 0.5);
    near(of(blue("TanH"), 1.0), 1.0f32.tanh());
    near(of(blue("ELU"), -1.0), (-1.0f32).exp() - 1.0);
    let elu = Layer { elu_param: Some(Elu { alpha: Some(0.5) }), ..blue("ELU") };
    near(of(elu, -1.0), 0.5 * ((-1.0f32).exp() - 1.0));
    let param = Power { power: Some(2.0), scale: Some(3.0), shift: 1.0 };
    near(of(Layer { power_param: Some(param), ..blue("Power") }, 1.0), 16.0);
    let bias = Layer { blobs: vec![blob(&[1], &[4.0])], ..blue("Bias") };
    near(of(bias, 1.0), 5.0);
    let gate = layer("out", "Scale", &["blue", "blue"], "out", vec![]);
    let gate = Layer { scale_param: Some(Scale { axis: Some(0), ..Scale::default() }), ..gate };
    near(of(gate, 3.0), 9.0);
}
