//! The reference's gradients are its activations' slopes: finite differences in `f64`.

use graph::*;
use testkit::Random;

/// Relative error of a slope from central differences.
const SLOPE: f64 = 1e-6;

fn activations<'a>(values: &'a [Vec<f64>], shapes: &[Shape]) -> Vec<Activation<'a, f64>> {
    values.iter().zip(shapes).map(|(data, &shape)| Activation { shape, data }).collect()
}

/// Checks the slope of `Σ dy · op(x)` along a random direction.
fn check(op: &Op, shapes: &[Shape], random: &mut Random) {
    let out = op.output_shape(shapes).unwrap().unwrap();
    let draw = |random: &mut Random, count: usize| -> Vec<f64> {
        (0..count).map(|_| f64::from(random.value())).collect()
    };
    let xs: Vec<Vec<f64>> = shapes.iter().map(|shape| draw(random, shape.len())).collect();
    let steps: Vec<Vec<f64>> = shapes.iter().map(|shape| draw(random, shape.len())).collect();
    let dy = draw(random, out.len());
    let at = |t: f64| -> f64 {
        let moved: Vec<Vec<f64>> = xs
            .iter()
            .zip(&steps)
            .map(|(x, step)| x.iter().zip(step).map(|(x, step)| x + t * step).collect())
            .collect();
        op.forward(&activations(&moved, shapes), out).iter().zip(&dy).map(|(y, dy)| y * dy).sum()
    };
    let inputs = activations(&xs, shapes);
    let y = op.forward(&inputs, out);
    let slope: f64 = op
        .backward(&inputs, Activation { shape: out, data: &y }, &dy)
        .iter()
        .zip(&steps)
        .map(|(dx, step)| dx.iter().zip(step).map(|(dx, step)| dx * step).sum::<f64>())
        .sum();
    // Fourth order; where maxima decide, too near for any to be decided otherwise.
    let corners = matches!(
        op,
        Op::MaxPool(_)
            | Op::GlobalMaxPool
            | Op::Relu
            | Op::PRelu(_)
            | Op::Unary(
                Unary::HardSigmoid { .. }
                    | Unary::HardSwish
                    | Unary::Clip { .. }
                    | Unary::LeakyRelu { .. }
                    | Unary::Elu { .. }
            )
    );
    let h = if corners { 1e-7 } else { 1e-4 };
    let measured = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
    let scale = slope.abs().max(1.0);
    assert!((slope - measured).abs() / scale < SLOPE, "{op:?}: {slope} against {measured}");
}

#[test]
fn windows_have_the_slopes_of_finite_differences() {
    let mut random = Random(11);
    for _ in 0..30 {
        let groups = [1, 1, 3][random.range(0, 2)];
        let (ins, outs) = (groups * random.range(1, 3), groups * random.range(1, 3));
        let mut window = random.window(4);
        window.dilation = [random.range(1, 2), random.range(1, 2)];
        let shape = Shape::new(ins, random.range(8, 12), random.range(8, 12));
        check(&random.conv(window, ins, outs, groups), &[shape], &mut random);
        let window = random.window(3);
        let rounding = [Rounding::Floor, Rounding::Ceil][random.range(0, 1)];
        let window = Window { rounding, ..window };
        check(&Op::MaxPool(MaxPool { window }), &[shape], &mut random);
        let count_padding = random.range(0, 1) == 0;
        check(&Op::AveragePool(AveragePool { window, count_padding }), &[shape], &mut random);
    }
}

#[test]
fn everything_else_has_the_slopes_of_finite_differences() {
    let mut random = Random(12);
    let shape = Shape::new(7, 3, 4);
    for size in [1, 3, 5, 11] {
        let lrn = Lrn { size, alpha: 0.3, beta: 0.75, bias: 2.0 };
        check(&Op::Lrn(lrn), &[shape], &mut random);
    }
    check(&Op::Relu, &[shape], &mut random);
    check(&Op::GlobalAveragePool, &[shape], &mut random);
    check(&Op::GlobalMaxPool, &[shape], &mut random);
    check(&Op::Concat, &[shape, Shape::new(2, 3, 4), shape], &mut random);
    check(&Op::Add, &[shape, shape, shape], &mut random);
    check(&Op::ChannelMean, &[shape], &mut random);
    check(&Op::Softmax, &[shape], &mut random);
    let affine = random.affine(7);
    check(&affine, &[shape], &mut random);
    let dense = random.dense(shape, 5);
    check(&dense, &[shape], &mut random);
}

#[test]
fn functions_of_single_values_have_the_slopes_of_finite_differences() {
    let mut random = Random(13);
    for op in testkit::unary_ops() {
        // Of values below 0 there is no root.
        if !matches!(op, Unary::Sqrt | Unary::Pow { .. }) {
            check(&Op::Unary(op), &[Shape::new(5, 6, 4)], &mut random);
        }
    }
    for op in [Unary::Sqrt, Unary::Pow { exponent: -0.5 }, Unary::Pow { exponent: 3.0 }] {
        for x in [0.01, 0.3, 1.0, 7.5] {
            let measured = (op.value(x + 1e-6) - op.value(x - 1e-6)) / 2e-6;
            let slope = op.slope(x);
            assert!((slope - measured).abs() < 1e-6 * slope.abs().max(1.0), "{op:?} at {x}");
        }
    }
    check(&random.prelu(7), &[Shape::new(7, 3, 4)], &mut random);
}

#[test]
fn what_is_broadcast_has_the_slopes_of_finite_differences() {
    let mut random = Random(14);
    let shape = Shape::new(7, 3, 4);
    let smaller = [(7, 3, 4), (7, 1, 1), (1, 3, 4), (1, 1, 1), (7, 1, 4), (7, 3, 1), (1, 3, 1)];
    for (channels, height, width) in smaller {
        let other = Shape::new(channels, height, width);
        for op in [Binary::Mul, Binary::Sub] {
            check(&Op::Binary(op), &[shape, other], &mut random);
            check(&Op::Binary(op), &[other, shape], &mut random);
        }
        check(&Op::Add, &[other, shape, other], &mut random);
    }
    // A quotient's slopes are steep near 0, so its parts are far from it.
    let (a, b) = (vec![3.0, -5.0], vec![2.0, -0.5]);
    let shape = Shape::new(2, 1, 1);
    let of = |data| Activation { shape, data };
    let quotient = Op::Binary(Binary::Div);
    let y = quotient.forward(&[of(&a[..]), of(&b[..])], shape);
    assert_eq!(y, [1.5, 10.0]);
    let slopes = quotient.backward(&[of(&a[..]), of(&b[..])], of(&y[..]), &[1.0, 1.0]);
    assert_eq!(slopes, [[0.5, -2.0], [-0.75, 20.0]]);
    let both = Op::Binary(Binary::Mul).output_shape(&[Shape::new(1, 3, 1), Shape::new(7, 1, 4)]);
    assert_eq!(both, Ok(Some(Shape::new(7, 3, 4))));
    let error = Op::Add.output_shape(&[Shape::new(2, 3, 4), Shape::new(7, 3, 4)]).unwrap_err();
    assert!(error.contains("2×3×4 and 7×3×4"), "{error}");
}

#[test]
fn normalisations_have_the_slopes_of_finite_differences() {
    let mut random = Random(15);
    let shape = Shape::new(6, 3, 4);
    check(&random.layer_norm(6), &[shape], &mut random);
    for groups in [1, 2, 6] {
        check(&random.group_norm(6, groups), &[shape], &mut random);
    }
    let error = random.group_norm(6, 4).output_shape(&[shape]).unwrap_err();
    assert!(error.contains("4 groups"), "{error}");
}

#[test]
fn transformers_operations_have_the_slopes_of_finite_differences() {
    let mut random = Random(17);
    for heads in [1, 2, 3] {
        let [q, k, v] = [Shape::new(6, 3, 4), Shape::new(6, 2, 5), Shape::new(12, 2, 5)];
        let op = Op::Attention(Attention { heads, scale: 0.75 });
        check(&op, &[q, k, v], &mut random);
        let error = op.output_shape(&[q, k, q]).unwrap_err();
        assert!(error.contains("2×5 positions, but its values have 3×4"), "{error}");
        let error = op.output_shape(&[q, v, v]).unwrap_err();
        assert!(error.contains("queries have 6 channels, but its keys have 12"), "{error}");
        let odd = op.output_shape(&[q, k, Shape::new(11, 2, 5)]);
        assert!(heads == 1 || odd.unwrap_err().contains("do not divide"));
    }
    let shape = Shape::new(5, 3, 4);
    check(&random.tokens(5), &[shape], &mut random);
    check(&random.position_embedding(5), &[shape], &mut random);
    let row = Op::Tokens(Tokens { channels: 5, before: vec![0.0; 10].into() });
    assert_eq!(row.output_shape(&[shape]), Ok(Some(Shape::new(5, 1, 14))));
}

#[test]
fn what_moves_channels_and_pixels_has_the_slopes_of_finite_differences() {
    let mut random = Random(16);
    for _ in 0..40 {
        let shape = Shape::new(random.range(1, 9), random.range(6, 9), random.range(6, 9));
        check(&random.select_channels(shape.channels), &[shape], &mut random);
        let shuffle = random.depth_to_space();
        let deep = Shape { channels: shape.channels * shuffle.pixels(), ..shape };
        check(&Op::DepthToSpace(shuffle), &[deep], &mut random);
        check(&Op::SpaceToDepth(SpaceToDepth(shuffle)), &[shape], &mut random);
        check(&random.pad(), &[shape], &mut random);
        check(&random.crop(), &[shape], &mut random);
        check(&random.resize(), &[shape], &mut random);
        let like = Shape::new(random.range(1, 4), random.range(1, 5), random.range(1, 5));
        let offset = [random.range(0, 1), random.range(0, 1)];
        check(&Op::CropLike(CropLike { offset }), &[shape, like], &mut random);
        if let Op::Resize(resize) = random.resize() {
            let resize = Resize { size: [Extent::OfSecond; 2], ..resize };
            check(&Op::Resize(resize), &[shape, like], &mut random);
        }
        for groups in [1, shape.channels] {
            let outs = groups * random.range(1, 3);
            check(&random.conv_transpose(shape.channels, outs, groups), &[shape], &mut random);
        }
    }
}
