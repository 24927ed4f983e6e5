//! Golden pictures: small dreams of the built-in network, compared with those kept in
//! `tests/golden`.
//!
//! Every `NAME.toml` there is a recipe; `NAME` begins with the source it dreams on, from
//! `tests/golden/sources`, and `NAME.png` is what must come out. A failure leaves expected,
//! difference and actual side by side in `target/golden-failures`. With `DEEPDREAM_GOLDEN=update`
//! set, what comes out is kept instead: look at it before it is committed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{Watch, machine};
use dream::{Plan, Recipe, Tensor, dream};
use graph::{Shape, Size};
use image::RgbImage;

/// By how much a value may differ: rounding, and a little for another order of sums.
const LEVELS: u8 = 2;

/// The share of values that may differ by more: a choice among nearly equal values, as max pooling
/// makes it, can turn with the last bit and show in a few pixels.
const STRAYS: f64 = 0.002;

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &Path) -> RgbImage {
    image::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).to_rgb8()
}

fn to_tensor(picture: &RgbImage) -> Tensor {
    let shape = Shape::new(3, picture.height() as usize, picture.width() as usize);
    let mut tensor = Tensor::zeros(shape);
    for (x, y, pixel) in picture.enumerate_pixels() {
        for c in 0..3 {
            tensor.channel_mut(c)[y as usize * shape.width + x as usize] = f32::from(pixel[c]);
        }
    }
    tensor
}

fn to_picture(tensor: &Tensor) -> RgbImage {
    let Shape { height, width, .. } = tensor.shape;
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        image::Rgb([0, 1, 2].map(|c| {
            tensor.channel(c)[y as usize * width + x as usize].round().clamp(0.0, 255.0) as u8
        }))
    })
}

/// Expected, eight times the difference around grey, and actual, from left to right.
fn side_by_side(expected: &RgbImage, actual: &RgbImage) -> RgbImage {
    let (width, height) =
        (expected.width().max(actual.width()), expected.height().max(actual.height()));
    let pixel = |picture: &RgbImage, x, y| {
        picture.get_pixel_checked(x, y).copied().unwrap_or(image::Rgb([0; 3]))
    };
    RgbImage::from_fn(3 * width, height, |x, y| {
        let (expected, actual) = (pixel(expected, x % width, y), pixel(actual, x % width, y));
        match x / width {
            0 => expected,
            1 => image::Rgb([0, 1, 2].map(|c| {
                let difference = i32::from(actual[c]) - i32::from(expected[c]);
                (128 + 8 * difference).clamp(0, 255) as u8
            })),
            _ => actual,
        }
    })
}

/// What is wrong with `actual`, if anything is.
fn difference(expected: &RgbImage, actual: &RgbImage) -> Option<String> {
    if expected.dimensions() != actual.dimensions() {
        return Some(format!("{:?} for {:?}", actual.dimensions(), expected.dimensions()));
    }
    let values = expected.as_raw().iter().zip(actual.as_raw());
    let strays = values.clone().filter(|(x, y)| x.abs_diff(**y) > LEVELS).count();
    let most = values.map(|(x, y)| x.abs_diff(*y)).max().unwrap_or(0);
    (strays as f64 > STRAYS * expected.as_raw().len() as f64)
        .then(|| format!("{strays} values differ by more than {LEVELS}, one by {most}"))
}

#[test]
fn dreams_are_as_they_were() {
    let update = std::env::var("DEEPDREAM_GOLDEN").is_ok_and(|value| value == "update");
    let network = models::squeezenet().unwrap();
    let mut recipes: Vec<PathBuf> = fs::read_dir(folder("tests/golden"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    recipes.sort();
    assert!(!recipes.is_empty());
    let mut failures = Vec::new();
    for path in recipes {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let source = name.split('-').next().unwrap();
        let source = to_tensor(&read(&folder(&format!("tests/golden/sources/{source}.png"))));
        let recipe = Recipe::from_toml_for(&fs::read_to_string(&path).unwrap(), &network).unwrap();
        let (height, width) = (source.shape.height, source.shape.width);
        let plan = Plan::new(&recipe, &network, Size::new(height, width), &machine(2)).unwrap();
        let actual = to_picture(&dream(&plan, source, &mut Watch::default()).unwrap());
        let golden = path.with_extension("png");
        if update {
            actual.save(&golden).unwrap();
            continue;
        }
        let expected = read(&golden);
        if let Some(what) = difference(&expected, &actual) {
            let left = folder("../../target/golden-failures").join(format!("{name}.png"));
            fs::create_dir_all(left.parent().unwrap()).unwrap();
            side_by_side(&expected, &actual).save(&left).unwrap();
            failures.push(format!(
                "{name}: {what}; expected, difference and actual are in {}",
                left.display()
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_difference_is_noticed_and_shown() {
    let expected = RgbImage::from_pixel(10, 10, image::Rgb([100; 3]));
    assert_eq!(difference(&expected, &expected), None);
    let mut actual = expected.clone();
    actual.put_pixel(3, 4, image::Rgb([100, 103, 100]));
    assert!(difference(&expected, &actual).unwrap().contains("one by 3"));
    let shown = side_by_side(&expected, &actual);
    assert_eq!(shown.dimensions(), (30, 10));
    assert_eq!(shown.get_pixel(13, 4), &image::Rgb([128, 152, 128]));
    assert!(difference(&expected, &RgbImage::new(5, 5)).is_some());
}
