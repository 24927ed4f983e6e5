//! What every backend has to do: the reference's numbers for every operation and for whole networks, in
//! both directions, again and again in the same memory.
//!
//! ```ignore
//! testkit::conformance::check(&MyBackend::new());
//! ```

use std::sync::Arc;

use graph::reference;
use graph::*;

use crate::backwards::backwards_of_one_forward;
use crate::networks::{inception, network, random_graph, same, unary_ops, with_clips};
use crate::{Random, error};

/// Relative L2 error of an activation after a few layers in `f32`.
pub const ACTIVATION: f64 = 1e-5;
/// Relative L2 error of an image's gradient in `f32` where no ReLU or maximum was decided otherwise.
pub const GRADIENT: f64 = 1e-4;
/// Relative error of `½ · Σ activation²`, summed up in `f32`.
pub const HALF_SUM_SQUARES: f64 = 1e-4;

/// Runs the whole suite.
///
/// # Panics
/// Where `backend` is wrong, with the operation or network.
pub fn check(backend: &dyn Backend) {
    every_operation(backend);
    what_is_broadcast(backend);
    inceptions(backend);
    random_graphs(backend);
    unmasked_channels_pass_every_gradient(backend);
    a_shift_rolls_the_image(backend);
    memory_grows_with_the_image(backend);
    what_cannot_run_is_refused(backend);
}

/// Every operation alone, over generated shapes and parameters, behind a convolution that gives it its input.
fn every_operation(backend: &dyn Backend) {
    let random = &mut Random(31);
    for _ in 0..6 {
        let channels = random.range(1, 40);
        for op in operations(random, channels) {
            let joins = match op {
                Op::Add | Op::Concat => random.range(2, 4),
                Op::Binary(_) => 2,
                Op::Attention(_) => 3,
                _ => 1,
            };
            let mut builder = GraphBuilder::new("image", 3);
            let mut inputs = Vec::new();
            for index in 0..joins {
                // What is added has the same channels, what is joined has its own.
                let join = matches!(op, Op::Concat) && index > 0;
                let channels = if join { random.range(1, 40) } else { channels };
                let conv = random.conv(same(1, 1), 3, channels, 1);
                inputs.push(builder.add(format!("input{index}"), conv, &[builder.input()]));
            }
            let target = builder.add("operation", op.clone(), &inputs);
            let size = Size::new(random.range(9, 21), random.range(9, 21));
            compare(backend, &network(builder.finish()), &[target], size, random, &describe(&op));
        }
    }
    for _ in 0..6 {
        // What has the size of another, which others read too or nobody does.
        let (channels, others) = (random.range(1, 40), random.range(1, 40));
        let mut builder = GraphBuilder::new("image", 3);
        let conv = random.conv(same(3, 1), 3, channels, 1);
        let conv = builder.add("conv", conv, &[builder.input()]);
        let other = random.conv(same(3, 2), 3, others, 1);
        let other = builder.add("other", other, &[builder.input()]);
        let relu = builder.add("relu", Op::Relu, &[other]);
        let resize = Op::Resize(Resize {
            size: [Extent::OfSecond; 2],
            coordinates: Coordinates::HalfPixel,
            interpolation: Interpolation::Linear,
        });
        let own = builder.add("of its own size", resize.clone(), &[relu, relu]);
        let resized = builder.add("resized", resize, &[conv, relu]);
        let offset = [random.range(0, 3), random.range(0, 3)];
        let cropped = Op::CropLike(CropLike { offset });
        let cropped = builder.add("cropped", cropped, &[conv, relu]);
        let both = builder.add("both", Op::Concat, &[resized, cropped]);
        let all = builder.add("all", Op::Concat, &[relu, both, cropped]);
        let (size, network) = (Size::new(random.range(9, 21), 11), network(builder.finish()));
        for target in [own, resized, cropped, all] {
            let name = &network.graph.node(target).name;
            compare(backend, &network, &[target], size, random, name);
        }
    }
    for _ in 0..6 {
        // Queries of other positions than keys, which have holes between their channels; one of them thrice.
        let heads = random.range(1, 3);
        let (keys, values) = (heads * random.range(1, 9), heads * random.range(1, 9));
        let mut builder = GraphBuilder::new("image", 3);
        let mut conv = |stride: usize, channels: usize, name: &str| {
            let conv = random.conv(same(3, stride), 3, channels, 1);
            builder.add(name, conv, &[builder.input()])
        };
        let (q, v) = (conv(2, keys, "q"), conv(3, values, "v"));
        let (first, second) = (conv(3, 1, "k0"), conv(3, keys - 1 + usize::from(keys == 1), "k1"));
        let joined = builder.add("k", Op::Concat, &[first, second]);
        let k = if keys == 1 { first } else { joined };
        let across = builder.add("across", random.attention(keys, heads), &[q, k, v]);
        let itself = builder.add("itself", random.attention(keys, heads), &[k, k, k]);
        let (size, network) = (Size::new(random.range(9, 21), 13), network(builder.finish()));
        for target in [across, itself] {
            let name = &network.graph.node(target).name;
            compare(backend, &network, &[target], size, random, name);
        }
    }
    for _ in 0..6 {
        let (shuffle, channels) = (random.depth_to_space(), random.range(1, 20));
        let mut builder = GraphBuilder::new("image", 3);
        let deep = random.conv(same(1, 1), 3, channels * shuffle.pixels(), 1);
        let deep = builder.add("input", deep, &[builder.input()]);
        let target = builder.add("operation", Op::DepthToSpace(shuffle), &[deep]);
        let (size, name) = (Size::new(random.range(3, 9), 7), format!("{shuffle:?}"));
        compare(backend, &network(builder.finish()), &[target], size, random, &name);
    }
    let (channels, size) = (11, Size::new(5, 7));
    let mut builder = GraphBuilder::new("image", 3);
    let input = random.conv(same(1, 1), 3, channels, 1);
    let input = builder.add("input", input, &[builder.input()]);
    let dense = random.dense(Shape::new(channels, size.height, size.width), 19);
    let target = builder.add("operation", dense, &[input]);
    compare(backend, &network(builder.finish()), &[target], size, random, "dense");
}

/// One of each operation that takes images of any size, for an input of so many channels.
fn operations(random: &mut Random, channels: usize) -> Vec<Op> {
    let mut dilated = random.window(4);
    dilated.dilation = [random.range(1, 2), random.range(1, 2)];
    let outputs = random.range(1, 40);
    let groups = if channels.is_multiple_of(2) { 2 } else { 1 };
    let rounding = [Rounding::Floor, Rounding::Ceil][random.range(0, 1)];
    let (max, average) = (random.window(3), random.window(3));
    let count_padding = random.range(0, 1) == 1;
    let size = 1 + 2 * random.range(0, 5);
    vec![
        random.conv(dilated, channels, outputs, 1),
        random.conv(same(1, 1), channels, outputs, 1),
        random.conv(same(3, 1), channels, outputs, 1),
        random.conv(same(5, 2), channels, groups * outputs, groups),
        random.conv(same(3, 1), channels, channels, channels),
        Op::Relu,
        Op::MaxPool(MaxPool { window: Window { rounding, ..max } }),
        Op::AveragePool(AveragePool { window: Window { rounding, ..average }, count_padding }),
        Op::GlobalAveragePool,
        Op::GlobalMaxPool,
        Op::Lrn(Lrn { size, alpha: 0.1, beta: 0.75, bias: 2.0 }),
        Op::Concat,
        Op::Add,
        Op::ChannelMean,
        Op::Binary(Binary::Mul),
        Op::Binary(Binary::Sub),
        random.affine(channels),
        random.prelu(channels),
        random.layer_norm(channels),
        random.group_norm(channels, groups),
        random.group_norm(channels, channels),
        Op::Softmax,
        random.attention(channels, groups),
        random.attention(channels, channels),
        random.tokens(channels),
        random.position_embedding(channels),
        random.select_channels(channels),
        Op::SpaceToDepth(SpaceToDepth(random.depth_to_space())),
        random.pad(),
        random.crop(),
        random.resize(),
        random.conv_transpose(channels, groups * outputs, groups),
        random.conv_transpose(channels, channels, channels),
    ]
    .into_iter()
    .chain(unary_ops().into_iter().filter(|op| !roots(op)).map(Op::Unary))
    .collect()
}

/// Whether there is no value below 0.
fn roots(op: &Unary) -> bool {
    match op {
        Unary::Sqrt => true,
        Unary::Pow { exponent } => exponent.fract() != 0.0,
        _ => false,
    }
}

/// Sums, products, differences and quotients of maps of unlike extents, in both orders and of a map with
/// itself; roots and quotients of what is above 0.
fn what_is_broadcast(backend: &dyn Backend) {
    let random = &mut Random(32);
    let binaries = [Binary::Mul, Binary::Sub, Binary::Div].map(Op::Binary);
    let roots = unary_ops().into_iter().filter(roots).map(Op::Unary);
    let ops: Vec<Op> = binaries.into_iter().chain([Op::Add]).collect();
    for case in 0..6 {
        let channels = random.range(2, 40);
        let mut builder = GraphBuilder::new("image", 3);
        let conv = random.conv(same(3, 2), 3, channels, 1);
        let conv = builder.add("conv", conv, &[builder.input()]);
        let whole = if case % 2 == 0 {
            // Channels with a hole between them.
            let other = random.conv(same(3, 2), 3, 7, 1);
            let other = builder.add("other", other, &[builder.input()]);
            builder.add("whole", Op::Concat, &[conv, other])
        } else {
            conv
        };
        // Above 0, as gates are.
        let whole = builder.add("gate", Op::Unary(Unary::Sigmoid), &[whole]);
        let pooled = builder.add("pooled", Op::GlobalAveragePool, &[whole]);
        let mean = builder.add("mean", Op::ChannelMean, &[whole]);
        let point = builder.add("point", Op::ChannelMean, &[pooled]);
        let mut targets = Vec::new();
        for other in [whole, pooled, mean, point] {
            for op in &ops {
                for inputs in [[whole, other], [other, whole]] {
                    if other == whole && matches!(op, Op::Binary(Binary::Div)) {
                        // Always 1: what is left of its gradient is rounding.
                        continue;
                    }
                    targets.push(builder.add(format!("{op:?}"), op.clone(), &inputs));
                }
            }
        }
        // What ends at 0.5 in one part of a whole.
        let [ended, rest] = ["ended", "rest"].map(|name| {
            let conv = random.conv(same(3, 2), 3, 9, 1);
            builder.add(name, conv, &[builder.input()])
        });
        let ends = Op::Unary(Unary::Clip { min: 0.0, max: 0.5 });
        let ended = builder.add("ends", ends, &[ended]);
        targets.push(builder.add("parts", Op::Concat, &[rest, ended]));
        targets.push(builder.add("outer", Op::Binary(Binary::Mul), &[pooled, mean]));
        targets.push(builder.add("three", Op::Add, &[point, mean, whole]));
        for op in roots.clone() {
            targets.push(builder.add(format!("{op:?}"), op, &[whole]));
        }
        let network = network(builder.finish());
        let size = Size::new(random.range(9, 21), random.range(9, 21));
        for target in targets {
            let node = network.graph.node(target);
            let name = format!("{} of {:?}", node.name, node.inputs);
            compare(backend, &network, &[target], size, random, &name);
        }
    }
}

fn describe(op: &Op) -> String {
    // Without the weights.
    match op {
        Op::Conv2d(conv) => format!(
            "convolution {} → {} in {} groups by {:?}",
            conv.in_channels * conv.groups,
            conv.out_channels,
            conv.groups,
            conv.window
        ),
        Op::Affine(_) => "affine".into(),
        Op::PRelu(_) => "parametric ReLU".into(),
        Op::Tokens(tokens) => format!("a row behind {} positions", tokens.count()),
        Op::PositionEmbedding(of) => format!("a position embedding of {:?}", of.grid),
        Op::LayerNorm(_) => "layer normalisation".into(),
        Op::GroupNorm(norm) => format!("normalisation in {} groups", norm.groups),
        Op::ConvTranspose2d(conv) => format!(
            "transposed convolution {} → {} in {} groups by {:?}, stride {:?}, dilation {:?}, without \
             {:?} before and {:?} after",
            conv.in_channels,
            conv.out_channels,
            conv.groups,
            conv.kernel,
            conv.stride,
            conv.dilation,
            conv.before,
            conv.after
        ),
        op => format!("{op:?}"),
    }
}

/// An Inception at every kind of layer, and at several at once.
fn inceptions(backend: &dyn Backend) {
    let random = &mut Random(21);
    for (second, size) in [(16, Size::new(41, 38)), (13, Size::new(34, 47))] {
        let network = network(inception(random, second));
        let find = |name: &str| network.graph.find_target(name).unwrap();
        for layer in ["conv0/pre_relu", "norm0", "mixed/pool", "mixed", "next", "softmax"] {
            compare(backend, &network, &[find(layer)], size, random, layer);
        }
        let several = [find("mixed"), find("mixed/3x3"), find("conv0")];
        compare(backend, &network, &several, size, random, "several layers");
    }
}

/// Layers that branch and join at random.
fn random_graphs(backend: &dyn Backend) {
    let random = &mut Random(22);
    for number in 0..25 {
        let network = network(random_graph(random));
        let layers = network.graph.layers();
        let find = |layer: &Layer| network.graph.find_target(&layer.name).unwrap();
        let (last, middle) = (find(&layers[layers.len() - 1]), find(&layers[layers.len() / 2]));
        let size = Size::new(random.range(17, 33), random.range(17, 33));
        let name = format!("random graph {number}");
        compare(backend, &network, &[last], size, random, &name);
        compare(backend, &network, &[middle, last], size, random, &name);
    }
}

/// Channels that are taken for alive pass what reaches them, in layers that join ReLUs and in others.
fn unmasked_channels_pass_every_gradient(backend: &dyn Backend) {
    let random = &mut Random(26);
    let network = network(with_clips(&inception(random, 13), random));
    let find = |name: &str| network.graph.find_target(name).unwrap();
    let size = Size::new(41, 38);
    let (image, oracle) = (random.image(size), reference::Reference::<f64>::default());
    let sets = [
        &["mixed"][..],
        &["conv0", "next"],
        &["mixed", "mixed/pool"],
        &["relu6"],
        &["mixed with relu6"],
        &["next/pre_relu"],
    ];
    for (layers, channels) in sets.iter().flat_map(|set| [(set, &[0, 19, 20, 7][..]), (set, &[])]) {
        let targets: Vec<NodeId> = layers.iter().map(|layer| find(layer)).collect();
        let given = random.range(0, 1 << 20) as u64;
        let gradient = |backend: &dyn Backend, unmasked: bool| {
            let mut session = backend.compile(&network, &targets).unwrap().session(size).unwrap();
            let random = &mut Random(given);
            let given: Vec<Tensor> = (0..targets.len())
                .map(|target| random.tensor(session.target_shape(target)))
                .collect();
            let output = |gradient| match unmasked {
                true => OutputGradient::Unmasked { gradient, channels },
                false => OutputGradient::Gradient(gradient),
            };
            let mut gradient = Tensor::zeros(image.shape);
            session.forward(&image).unwrap();
            session.backward(&given.iter().map(output).collect::<Vec<_>>(), &mut gradient).unwrap();
            gradient
        };
        let (found, expected) = (gradient(backend, true), gradient(&oracle, true));
        let off = error(&found.data, &expected.data);
        assert!(off < GRADIENT, "unmasked {channels:?} of {layers:?}: off by {off:e}");
        let masked = gradient(&oracle, false);
        let same = channels.is_empty() || layers[0].ends_with("pre_relu");
        assert_eq!(masked == expected, same, "{channels:?} of {layers:?}");
    }
}

/// Runs `network` to `targets` and compares with the reference in `f64`.
///
/// # Panics
/// Where the numbers are further apart than the tolerances.
pub fn compare(
    backend: &dyn Backend,
    network: &Network,
    targets: &[NodeId],
    size: Size,
    random: &mut Random,
    name: &str,
) {
    let image = random.image(size);
    let run = reference::forward::<f64>(network, targets, &image).unwrap();
    let own: Vec<Tensor> = targets.iter().map(|&target| run.activation(target)).collect();
    let given: Vec<Tensor> = own.iter().map(|own| random.tensor(own.shape)).collect();
    let half = |tensor: &Tensor| Tensor {
        data: tensor.data.iter().map(|x| 0.5 * x).collect(),
        ..tensor.clone()
    };
    let expected = |outputs: &[Tensor]| {
        let outputs: Vec<(NodeId, &Tensor)> = targets.iter().copied().zip(outputs).collect();
        reference::backward(network, &run, &outputs)
    };
    let from_given = expected(&given);
    let from_own = expected(&own.iter().map(half).collect::<Vec<_>>());

    let executable = backend.compile(network, targets).unwrap();
    let mut session = Arc::clone(&executable).session(size).unwrap();
    assert_eq!(session.size(), size);
    let mut gradient = Tensor::zeros(image.shape);
    let near = |what: &str, found: &Tensor, expected: &Tensor, tolerance: f64| {
        let off = error(&found.data, &expected.data);
        assert!(off < tolerance, "{name}: {what} is off by {off:e}");
    };
    // Twice, since the second round finds the first one's values in its memory.
    for _ in 0..2 {
        session.forward(&image).unwrap();
        for (target, own) in own.iter().enumerate() {
            assert_eq!(session.target_shape(target), own.shape, "{name}");
            near("activation", &session.activation(target).unwrap(), own, ACTIVATION);
            let expected: f64 = own.data.iter().map(|&x| 0.5 * f64::from(x).powi(2)).sum();
            let found = session.half_sum_squares(target).unwrap();
            let off = (found - expected).abs();
            assert!(off <= HALF_SUM_SQUARES * expected, "{name}: {found} instead of {expected}");
        }
        let outputs: Vec<_> = given.iter().map(OutputGradient::Gradient).collect();
        session.backward(&outputs, &mut gradient).unwrap();
        near("gradient of a given one", &gradient, &from_given, GRADIENT);
    }
    session.forward(&image).unwrap();
    let outputs = vec![OutputGradient::Activation { weight: 0.5 }; targets.len()];
    session.backward(&outputs, &mut gradient).unwrap();
    near("gradient of its own activation", &gradient, &from_own, GRADIENT);
    let again = backwards_of_one_forward(&executable, &image, &given);
    assert!(again.contains(&gradient), "{name}: the last backward pass");
}

/// A session that shifts gives, to the bit, what one gives for the image rolled.
fn a_shift_rolls_the_image(backend: &dyn Backend) {
    let random = &mut Random(23);
    let network = network(inception(random, 13));
    let target = network.graph.find_target("mixed").unwrap();
    let executable = backend.compile(&network, &[target]).unwrap();
    let (size, [down, right]) = (Size::new(33, 29), [7, 21]);
    let Size { height, width } = size;
    let image = random.image(size);
    let mut rolled = Tensor::zeros(image.shape);
    let roll = |i: usize| {
        let (c, y, x) = (i / (height * width), i / width % height, i % width);
        (c * height + (y + down) % height) * width + (x + right) % width
    };
    (0..image.data.len()).for_each(|i| rolled.data[roll(i)] = image.data[i]);

    let mut session = executable.session(size).unwrap();
    let outputs = [OutputGradient::Activation { weight: 1.0 }];
    let (mut plain, mut shifted) = (Tensor::zeros(image.shape), Tensor::zeros(image.shape));
    session.forward(&rolled).unwrap();
    session.backward(&outputs, &mut plain).unwrap();
    session.set_shift([down + height, right]);
    session.forward(&image).unwrap();
    session.backward(&outputs, &mut shifted).unwrap();
    assert!((0..image.data.len()).all(|i| shifted.data[i] == plain.data[roll(i)]), "the shift");
}

/// Memory is known before a session is made, and grows as the image does.
fn memory_grows_with_the_image(backend: &dyn Backend) {
    let network = network(inception(&mut Random(24), 13));
    let target = network.graph.find_target("next").unwrap();
    let executable = backend.compile(&network, &[target]).unwrap();
    let memory = |side: usize| executable.memory(Size::new(side, side)).unwrap();
    let (small, large) = (memory(64), memory(128));
    assert!(small > 64 * 64 * 4 && large > 3 * small && large < 5 * small, "{small}, {large}");
}

/// Images too small, targets that see no image, operations that nobody has.
fn what_cannot_run_is_refused(backend: &dyn Backend) {
    let random = &mut Random(25);
    let mut builder = GraphBuilder::new("image", 3);
    let conv = random.conv(Window::new([5, 5], [1, 1]), 3, 4, 1);
    let conv = builder.add("conv", conv, &[builder.input()]);
    let kind = "Mystery".to_owned();
    let unknown = builder.add("unknown", Op::Unsupported { kind }, &[conv]);
    let Op::ConvTranspose2d(up) = random.conv_transpose(4, 6, 2) else { unreachable!() };
    let impossible = [
        ConvTranspose2d { stride: [1, 0], ..up.clone() },
        ConvTranspose2d { groups: 0, ..up.clone() },
        ConvTranspose2d { dilation: [0, 1], ..up.clone() },
        ConvTranspose2d { after: [isize::MIN, 0], ..up.clone() },
        ConvTranspose2d { groups: 1, ..up },
    ]
    .map(|up| builder.add("impossible", Op::ConvTranspose2d(up), &[conv]));
    let (input, network) = (builder.input(), network(builder.finish()));
    let refusal = |target| backend.compile(&network, &[target]).err();
    assert!(matches!(refusal(unknown), Some(GraphError::Unsupported { .. })));
    for impossible in impossible {
        assert!(matches!(refusal(impossible), Some(GraphError::Shape { .. })));
    }
    assert!(matches!(refusal(input), Some(GraphError::NoGradient { .. })));
    let executable = backend.compile(&network, &[conv]).unwrap();
    for size in [Size::new(4, 9), Size::new(9, 4), Size::new(0, 0)] {
        let error = executable.memory(size).unwrap_err();
        assert!(matches!(error, GraphError::TooSmall { .. }), "{error}");
        let error = executable.clone().session(size).err().unwrap();
        assert!(matches!(error, GraphError::TooSmall { .. }), "{error}");
    }
}
