//! A dream on a small picture, with nothing but arithmetic: no files, threads or clocks.

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use cpu::Cpu;
use dream::{Machine, Plan, Progress, Recipe, Size, Tensor};
use graph::Shape;
use kernels::{Context, CpuLevel, Threads};

const SIZE: Size = Size { height: 48, width: 64 };

/// The built-in network.
const NETWORK: &[u8] = include_bytes!("../../../crates/models/data/squeezenet1_1.safetensors");

/// Dreams; returns where the picture's bytes are: rows from the top, red, green and blue.
#[unsafe(no_mangle)]
pub extern "C" fn dream() -> *const u8 {
    picture().as_ptr()
}

/// How many bytes there are.
#[unsafe(no_mangle)]
pub extern "C" fn length() -> usize {
    picture().len()
}

fn picture() -> &'static [u8] {
    static PICTURE: OnceLock<Vec<u8>> = OnceLock::new();
    PICTURE.get_or_init(dreamt)
}

/// The dream's bytes.
pub fn dreamt() -> Vec<u8> {
    let network = import::load_embedded("squeezenet", "", NETWORK).expect("it is a network");
    let level = CpuLevel::detect().expect("the level is known");
    let context = Context::new(Threads::new(1).expect("one thread"), level);
    let backend = Arc::new(Cpu::new(context.clone()));
    let machine = Machine { backend, context, memory: 1 << 30 };
    let recipe = Recipe::for_network(&network);
    let plan = Plan::new(&recipe, &network, SIZE, &machine).expect("a plan");
    let mut observer = |_: &Progress<'_>| ControlFlow::Continue(());
    let dream = dream::dream(&plan, photo(), &mut observer).expect("a dream");
    let plane = SIZE.pixels() as usize;
    let byte = |value: f32| value.round().clamp(0.0, 255.0) as u8;
    (0..plane)
        .flat_map(|at| [0, 1, 2].map(|channel| byte(dream.data[channel * plane + at])))
        .collect()
}

/// What is dreamt on: slopes, and stripes across them.
fn photo() -> Tensor {
    let Size { height, width } = SIZE;
    let mut photo = Tensor::zeros(Shape::new(3, height, width));
    for row in 0..height {
        for column in 0..width {
            let rgb = [column * 255 / width, row * 255 / height, (column * 7 + row * 3) % 256];
            for (channel, value) in rgb.into_iter().enumerate() {
                photo.channel_mut(channel)[row * width + column] = value as f32;
            }
        }
    }
    photo
}
