//! Prints what becomes of a zoom's frames, as comma-separated values: `drift FOLDER [EVERY]`, `EVERY` so many
//! frames. It tells whether texture covers a long zoom or all becomes one colour.
//!
//! - `detail`: the mean difference, in values of 0–255, of the brightness from what a blur leaves of it;
//! - `hues`: how many hues there are of 24, as the exponential of the entropy of how colourful each is;
//! - `colour`: the mean distance of colours from grey, in values of 0–255;
//! - `clipped`: the percentage of values that are 0 or 255.

use std::path::Path;

use deepdream::{Frames, Image, Tensor};

/// Weights of a blur of a standard deviation of one pixel, in sixteenths.
const BLUR: [f64; 5] = [1.0, 4.0, 6.0, 4.0, 1.0];

const HUES: usize = 24;

fn main() -> deepdream::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (folder, every) = (arguments.next(), arguments.next().map(|every| every.parse()));
    let (Some(folder), every @ (None | Some(Ok(1..)))) = (folder, every) else {
        eprintln!("usage: drift FOLDER [EVERY]");
        std::process::exit(2);
    };
    let every: u64 = every.and_then(Result::ok).unwrap_or(1);
    println!("frame,detail,hues,colour,clipped");
    let frames = Frames::find(Path::new(&folder))?;
    for (number, path) in frames.iter().filter(|(number, _)| number.is_multiple_of(every)) {
        let picture = Image::open(path)?.into_color();
        let brightness = brightness(&picture);
        let (hues, colour) = hues(&picture, &brightness);
        let detail = detail(&brightness, picture.shape.width);
        let ends = picture.data.iter().filter(|value| **value <= 0.0 || **value >= 255.0).count();
        let clipped = 100.0 * ends as f64 / picture.data.len() as f64;
        println!("{number},{detail:.3},{hues:.3},{colour:.3},{clipped:.3}");
    }
    Ok(())
}

fn brightness(picture: &Tensor) -> Vec<f64> {
    let [red, green, blue] = [0, 1, 2].map(|channel| picture.channel(channel));
    let pixels = red.iter().zip(green).zip(blue);
    let value = |((red, green), blue): ((&f32, &f32), &f32)| {
        0.299 * f64::from(*red) + 0.587 * f64::from(*green) + 0.114 * f64::from(*blue)
    };
    pixels.map(value).collect()
}

/// How many hues there are, and how colourful the picture is.
fn hues(picture: &Tensor, brightness: &[f64]) -> (f64, f64) {
    let (red, blue) = (picture.channel(0), picture.channel(2));
    let mut colours = [0.0; HUES];
    for ((red, blue), grey) in red.iter().zip(blue).zip(brightness) {
        let (red, blue) = (f64::from(*red) - grey, f64::from(*blue) - grey);
        let turn = red.atan2(blue) / std::f64::consts::TAU + 0.5;
        colours[((turn * HUES as f64) as usize).min(HUES - 1)] += red.hypot(blue);
    }
    let sum: f64 = colours.iter().sum();
    let shares = colours.iter().map(|colour| colour / sum).filter(|share| *share > 0.0);
    let entropy: f64 = shares.map(|share| -share * share.ln()).sum();
    (entropy.exp(), sum / brightness.len() as f64)
}

/// The mean difference from the blurred brightness; beyond the border there is the border's value.
fn detail(brightness: &[f64], width: usize) -> f64 {
    let height = brightness.len() / width;
    let near = |at: usize, offset: usize, side: usize| {
        (at + offset).saturating_sub(BLUR.len() / 2).min(side - 1)
    };
    let across = |y: usize, x: usize| -> f64 {
        let places = BLUR.iter().enumerate();
        places.map(|(k, weight)| weight * brightness[y * width + near(x, k, width)]).sum()
    };
    let narrow: Vec<f64> =
        (0..brightness.len()).map(|at| across(at / width, at % width) / 16.0).collect();
    let down = |y: usize, x: usize| -> f64 {
        let places = BLUR.iter().enumerate();
        places.map(|(k, weight)| weight * narrow[near(y, k, height) * width + x]).sum()
    };
    let apart = |at: usize| (brightness[at] - down(at / width, at % width) / 16.0).abs();
    (0..brightness.len()).map(apart).sum::<f64>() / brightness.len() as f64
}
