//! The presets' rules, computed once more by their description: pixel by pixel, in `f64`, with no
//! code of the crate's but its resizing.

use crate::common::{machine, picture, toy};
use dream::{Plan, Preset, Recipe, Tensor, Tiles, dream};
use graph::{Network, NodeId, Shape, Size, reference};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A number of `0..count`, drawn as the recipes' generator is documented to.
fn draw(random: &mut ChaCha8Rng, count: u32) -> usize {
    ((u64::from(random.next_u32()) * u64::from(count)) >> 32) as usize
}

/// The gradient of ½·Σ activation² of `relu2`.
fn network_gradient(network: &Network, picture: &Tensor) -> Tensor {
    let target: NodeId = network.graph.find("relu2").unwrap();
    let run = reference::forward::<f32>(network, &[target], picture).unwrap();
    reference::backward(network, &run, &[(target, &run.activation(target))])
}

fn at(picture: &Tensor, c: usize, y: i64, x: i64) -> f64 {
    let Shape { height, width, .. } = picture.shape;
    let (y, x) = (y.rem_euclid(height as i64) as usize, x.rem_euclid(width as i64) as usize);
    f64::from(picture.data[(c * height + y) * width + x])
}

/// A picture whose every value is `value(channel, row, column)`.
fn build(height: usize, width: usize, value: impl Fn(usize, i64, i64) -> f64) -> Tensor {
    let mut picture = Tensor::zeros(Shape::new(3, height, width));
    for c in 0..3 {
        for y in 0..height {
            for x in 0..width {
                picture.data[(c * height + y) * width + x] = value(c, y as i64, x as i64) as f32;
            }
        }
    }
    picture
}

/// Rolled so that what was at (y, x) is at (y + down, x + right).
fn rolled(picture: &Tensor, down: i64, right: i64) -> Tensor {
    build(picture.shape.height, picture.shape.width, |c, y, x| at(picture, c, y - down, x - right))
}

fn cut(picture: &Tensor, (top, bottom): (usize, usize), (left, right): (usize, usize)) -> Tensor {
    build(bottom - top, right - left, |c, y, x| at(picture, c, y + top as i64, x + left as i64))
}

fn paste(target: &mut Tensor, tile: &Tensor, top: usize, left: usize) {
    for c in 0..3 {
        for y in 0..tile.shape.height {
            for x in 0..tile.shape.width {
                let width = target.shape.width;
                target.channel_mut(c)[(top + y) * width + left + x] =
                    at(tile, c, y as i64, x as i64) as f32;
            }
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
    sum / count
}

fn mean_abs(tensor: &Tensor) -> f64 {
    mean(tensor.data.iter().map(|x| f64::from(x.abs())))
}

fn deviation(tensor: &Tensor) -> f64 {
    let middle = mean(tensor.data.iter().map(|x| f64::from(*x)));
    mean(tensor.data.iter().map(|x| (f64::from(*x) - middle).powi(2))).sqrt()
}

fn assert_close(ours: &Tensor, expected: &Tensor) {
    assert_eq!(ours.shape, expected.shape);
    let square = |x: f64| x * x;
    let difference: f64 = ours
        .data
        .iter()
        .zip(&expected.data)
        .map(|(x, y)| square(f64::from(*x) - f64::from(*y)))
        .sum();
    let rms = (difference / ours.data.len() as f64).sqrt();
    assert!(rms < 0.02, "they differ by an RMS of {rms} pixel values");
}

fn ours(recipe: &Recipe, network: &Network, start: &Tensor) -> Tensor {
    let (height, width) = (start.shape.height, start.shape.width);
    let plan = Plan::new(recipe, network, Size::new(height, width), &machine(2)).unwrap();
    dream(&plan, start.clone(), &mut crate::common::Watch::default()).unwrap()
}

/// The picture's octaves from small to large, and the dream on each from its start on.
fn with_reinjected_detail(
    recipe: &Recipe,
    start: &Tensor,
    mut steps: impl FnMut(Tensor) -> Tensor,
) -> Tensor {
    let mut bases = vec![start.clone()];
    for _ in 1..recipe.octaves.count {
        let Shape { height, width, .. } = bases[0].shape;
        let less = |side: usize| (side as f64 / 1.4).round() as usize;
        bases.insert(
            0,
            dream::resize(&bases[0], Size::new(less(height), less(width)), recipe.octaves.filter),
        );
    }
    let mut detail = Tensor::zeros(bases[0].shape);
    let mut dreamt = bases[0].clone();
    for base in &bases {
        let Shape { height, width, .. } = base.shape;
        let larger = dream::resize(&detail, Size::new(height, width), recipe.octaves.filter);
        dreamt = steps(build(height, width, |c, y, x| at(base, c, y, x) + at(&larger, c, y, x)));
        detail = build(height, width, |c, y, x| at(&dreamt, c, y, x) - at(base, c, y, x));
    }
    dreamt
}

#[test]
fn google() {
    let (network, start) = (toy(), picture(61, 47));
    let mut recipe = Recipe::with_preset(&network, Preset::Google);
    recipe.octaves.count = 3;
    recipe.ascent.iterations = 3;
    recipe.seed = 5;
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let expected = with_reinjected_detail(&recipe, &start, |mut x| {
        for _ in 0..3 {
            let right = draw(&mut random, 65) as i64 - 32;
            let down = draw(&mut random, 65) as i64 - 32;
            let shifted = rolled(&x, down, right);
            let g = network_gradient(&network, &shifted);
            let scale = 1.5 / mean_abs(&g);
            let climbed = build(x.shape.height, x.shape.width, |c, row, column| {
                (at(&shifted, c, row, column) + scale * at(&g, c, row, column)).clamp(0.0, 255.0)
            });
            x = rolled(&climbed, -down, -right);
        }
        x
    });
    assert_close(&ours(&recipe, &network, &start), &expected);
}

/// TensorFlow's notebook: the gradient of a picture rolled by up to a tile, tile by tile.
fn tiled_gradient(network: &Network, x: &Tensor, tile: usize, random: &mut ChaCha8Rng) -> Tensor {
    let right = draw(random, tile as u32) as i64;
    let down = draw(random, tile as u32) as i64;
    let shifted = rolled(x, down, right);
    let Shape { height, width, .. } = x.shape;
    let mut g = Tensor::zeros(x.shape);
    for top in (0..height.saturating_sub(tile / 2).max(tile)).step_by(tile) {
        for left in (0..width.saturating_sub(tile / 2).max(tile)).step_by(tile) {
            let (bottom, right) = ((top + tile).min(height), (left + tile).min(width));
            let seen = cut(&shifted, (top, bottom), (left, right));
            paste(&mut g, &network_gradient(network, &seen), top, left);
        }
    }
    rolled(&g, -down, -right)
}

#[test]
fn tensorflow() {
    let (network, start) = (toy(), picture(85, 110));
    let mut recipe = Recipe::with_preset(&network, Preset::Tensorflow);
    recipe.octaves.count = 2;
    recipe.ascent.iterations = 3;
    recipe.tiles = Tiles::Rolled { size: 32 };
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let expected = with_reinjected_detail(&recipe, &start, |mut x| {
        for _ in 0..3 {
            let g = tiled_gradient(&network, &x, 32, &mut random);
            let scale = 1.5 / (mean_abs(&g) + 1e-7);
            x = build(x.shape.height, x.shape.width, |c, row, column| {
                at(&x, c, row, column) + scale * at(&g, c, row, column)
            });
        }
        x
    });
    assert_close(&ours(&recipe, &network, &start), &expected);
}

const KERNEL: [f64; 5] = [1.0, 4.0, 6.0, 4.0, 1.0];

/// Row and column.
type Place = (usize, usize);

/// Each pair of a fine and a coarse position that the strided kernel joins, with its weight.
fn joined(height: usize, width: usize) -> Vec<(Place, Place, f64)> {
    let before = |side: usize| if side.is_multiple_of(2) { 1 } else { 2 };
    let mut pairs = Vec::new();
    for y in 0..height.div_ceil(2) {
        for x in 0..width.div_ceil(2) {
            for i in 0..5 {
                for j in 0..5 {
                    let row = (2 * y + i).wrapping_sub(before(height));
                    let column = (2 * x + j).wrapping_sub(before(width));
                    if row < height && column < width {
                        pairs.push(((row, column), (y, x), KERNEL[i] * KERNEL[j] / 256.0));
                    }
                }
            }
        }
    }
    pairs
}

fn lower(fine: &Tensor) -> Tensor {
    let Shape { height, width, .. } = fine.shape;
    let mut coarse = Tensor::zeros(Shape::new(3, height.div_ceil(2), width.div_ceil(2)));
    for (from, to, weight) in joined(height, width) {
        for c in 0..3 {
            coarse.data[(c * height.div_ceil(2) + to.0) * width.div_ceil(2) + to.1] +=
                weight as f32 * fine.data[(c * height + from.0) * width + from.1];
        }
    }
    coarse
}

fn raise(coarse: &Tensor, height: usize, width: usize) -> Tensor {
    let mut fine = Tensor::zeros(Shape::new(3, height, width));
    for (to, from, weight) in joined(height, width) {
        for c in 0..3 {
            fine.data[(c * height + to.0) * width + to.1] +=
                4.0 * weight as f32 * at(coarse, c, from.0 as i64, from.1 as i64) as f32;
        }
    }
    fine
}

fn by_rms(level: &Tensor) -> Tensor {
    let rms = mean(level.data.iter().map(|x| f64::from(*x).powi(2))).sqrt().max(1e-10);
    build(level.shape.height, level.shape.width, |c, y, x| at(level, c, y, x) / rms)
}

fn laplacian_normalised(g: &Tensor, levels: u32) -> Tensor {
    if levels == 0 {
        return by_rms(g);
    }
    let Shape { height, width, .. } = g.shape;
    let low = lower(g);
    let back = raise(&low, height, width);
    let high = by_rms(&build(height, width, |c, y, x| at(g, c, y, x) - at(&back, c, y, x)));
    let merged = raise(&laplacian_normalised(&low, levels - 1), height, width);
    build(height, width, |c, y, x| at(&high, c, y, x) + at(&merged, c, y, x))
}

#[test]
fn tensorflow_laplacian() {
    let (network, start) = (toy(), picture(75, 101));
    let mut recipe = Recipe::with_preset(&network, Preset::TensorflowLaplacian);
    recipe.octaves.count = 2;
    recipe.ascent.iterations = 2;
    recipe.tiles = Tiles::Rolled { size: 64 };
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let expected = with_reinjected_detail(&recipe, &start, |mut x| {
        for _ in 0..2 {
            let g = laplacian_normalised(&tiled_gradient(&network, &x, 64, &mut random), 4);
            x = build(x.shape.height, x.shape.width, |c, row, column| {
                at(&x, c, row, column) + at(&g, c, row, column)
            });
        }
        x
    });
    assert_close(&ours(&recipe, &network, &start), &expected);
}

/// SciPy's gaussian along one axis of `side` values, whose value at an index is `value(index)`.
fn gaussian(sigma: f64, side: usize, index: usize, value: impl Fn(i64) -> f64) -> f64 {
    let radius = (4.0 * sigma + 0.5).floor() as i64;
    let weight = |k: i64| (-((k * k) as f64) / (2.0 * sigma * sigma)).exp();
    let total: f64 = (-radius..=radius).map(weight).sum();
    let side = side as i64;
    (-radius..=radius)
        .map(|k| {
            let mut from = (index as i64 + k).rem_euclid(2 * side);
            if from >= side {
                from = 2 * side - 1 - from;
            }
            weight(k) / total * value(from)
        })
        .sum()
}

/// Blurred along rows and columns and, if `colours`, across channels.
fn blurred(x: &Tensor, sigma: f64, colours: bool) -> Tensor {
    let Shape { height, width, .. } = x.shape;
    let x = build(height, width, |c, row, column| {
        gaussian(sigma, width, column as usize, |from| at(x, c, row, from))
    });
    let x = build(height, width, |c, row, column| {
        gaussian(sigma, height, row as usize, |from| at(&x, c, from, column))
    });
    if !colours {
        return x;
    }
    build(height, width, |c, row, column| {
        gaussian(sigma, 3, c, |from| at(&x, from as usize, row, column))
    })
}

/// Hvass' tiles: random columns, in each of them random rows; each tile by its own deviation.
fn scattered_gradient(
    network: &Network,
    x: &Tensor,
    tile_size: usize,
    random: &mut ChaCha8Rng,
) -> Tensor {
    let Shape { height, width, .. } = x.shape;
    let tile_of = |side: usize| {
        let tiles = (side as f64 / tile_size as f64).round().max(1.0);
        (side as f64 / tiles).ceil() as i64
    };
    let (tile_height, tile_width) = (tile_of(height), tile_of(width));
    let mut start = |tile: i64| {
        let quarter = tile / 4;
        -quarter - draw(random, 2 * quarter as u32 + 1) as i64
    };
    let clipped = |from: i64, to: i64, side: usize| (from.max(0) as usize, (to as usize).min(side));
    let mut gradient = Tensor::zeros(x.shape);
    let mut left = start(tile_width);
    while left < width as i64 {
        let mut top = start(tile_height);
        let columns = clipped(left, left + tile_width, width);
        while top < height as i64 {
            let rows = clipped(top, top + tile_height, height);
            let g = network_gradient(network, &cut(x, rows, columns));
            let deviation = deviation(&g) + 1e-8;
            let scaled =
                build(g.shape.height, g.shape.width, |c, y, x| at(&g, c, y, x) / deviation);
            paste(&mut gradient, &scaled, rows.0, columns.0);
            top += tile_height;
        }
        left += tile_width;
    }
    gradient
}

const HVASS_TILE: usize = 40;

fn hvass_recursion(
    network: &Network,
    recipe: &Recipe,
    x: &Tensor,
    repeats: u32,
    random: &mut ChaCha8Rng,
) -> Tensor {
    let Shape { height, width, .. } = x.shape;
    let mut x = x.clone();
    if repeats > 0 {
        let less = |side: usize| (side as f64 * 0.7).round() as usize;
        let small = dream::resize(
            &blurred(&x, 0.5, false),
            Size::new(less(height), less(width)),
            recipe.octaves.filter,
        );
        let small = hvass_recursion(network, recipe, &small, repeats - 1, random);
        let large = dream::resize(&small, Size::new(height, width), recipe.octaves.filter);
        x = build(height, width, |c, row, column| {
            0.2 * at(&x, c, row, column) + 0.8 * at(&large, c, row, column)
        });
    }
    for i in 0..recipe.ascent.iterations {
        let g = scattered_gradient(network, &x, HVASS_TILE, random);
        let sigma = 4.0 * f64::from(i) / f64::from(recipe.ascent.iterations) + 0.5;
        let parts = [sigma, 2.0 * sigma, 0.5 * sigma].map(|sigma| blurred(&g, sigma, true));
        let g = build(height, width, |c, row, column| {
            parts.iter().map(|part| at(part, c, row, column)).sum()
        });
        let scale = 3.0 / (deviation(&g) + 1e-8);
        x = build(height, width, |c, row, column| {
            at(&x, c, row, column) + scale * at(&g, c, row, column)
        });
    }
    x
}

#[test]
fn hvass() {
    let (mut network, start) = (toy(), picture(76, 101));
    let mut recipe = Recipe::with_preset(&network, Preset::Hvass);
    recipe.octaves.count = 3;
    recipe.ascent.iterations = 3;
    recipe.tiles = Tiles::Scattered { size: HVASS_TILE as u32 };
    let dreamt = ours(&recipe, &network, &start);
    // Its pixels are fed as they are.
    network.input.mean = [0.0; 3];
    let mut random = ChaCha8Rng::seed_from_u64(0);
    assert_close(&dreamt, &hvass_recursion(&network, &recipe, &start, 2, &mut random));
}
