//! A small network with seeded weights, and what tests need around it.
#![allow(dead_code, unreachable_pub)]

use std::ops::ControlFlow;
use std::sync::Arc;

use cpu::Cpu;
use dream::{Machine, Observer, Progress, Recipe, Tensor};
use graph::{
    ChannelOrder, Conv2d, Graph, GraphBuilder, InputSpec, MaxPool, Network, Op, Padding, Shape,
    Window,
};
use kernels::{Context, CpuLevel, Threads};

/// Pseudo-random numbers of [0, 1) from `seed` (Numerical Recipes' linear congruence).
pub fn numbers(seed: u32) -> impl FnMut() -> f32 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    }
}

fn conv(inputs: usize, outputs: usize, window: Window, seed: u32) -> Op {
    let mut number = numbers(seed);
    let count = outputs * inputs * window.kernel[0] * window.kernel[1];
    let scale = 2.0 / ((inputs * window.kernel[0] * window.kernel[1]) as f32).sqrt();
    Op::Conv2d(Conv2d {
        window,
        out_channels: outputs,
        in_channels: inputs,
        groups: 1,
        weights: (0..count).map(|_| scale * (number() - 0.5)).collect(),
        bias: (0..outputs).map(|_| 5.0 * (number() - 0.5)).collect(),
    })
}

fn graph(padded: bool) -> Graph {
    let pad = |window: Window| if padded { window.padded(Padding::Same) } else { window };
    let mut builder = GraphBuilder::new("data", 3);
    let input = builder.input();
    let conv1 = builder.add("conv1", conv(3, 6, pad(Window::new([3, 3], [1, 1])), 1), &[input]);
    let relu1 = builder.add("relu1", Op::Relu, &[conv1]);
    let window = pad(Window::new([3, 3], [2, 2]));
    let pool = builder.add("pool", Op::MaxPool(MaxPool { window }), &[relu1]);
    let conv2 = builder.add("conv2", conv(6, 8, pad(Window::new([3, 3], [1, 1])), 2), &[pool]);
    builder.add("relu2", Op::Relu, &[conv2]);
    builder.finish()
}

fn network(graph: Graph) -> Network {
    Network {
        name: "toy".into(),
        hash: "70f".into(),
        graph,
        input: InputSpec { order: ChannelOrder::Bgr, mean: [104.0, 117.0, 123.0], scale: [1.0; 3] },
        labels: Vec::new(),
    }
}

/// A network that sees pictures of any size.
pub fn toy() -> Network {
    network(graph(true))
}

/// The same without padding: it needs 9 × 9 pixels.
pub fn toy_unpadded() -> Network {
    network(graph(false))
}

/// The recipe after an edit.
pub fn edited(mut recipe: Recipe, edit: impl FnOnce(&mut Recipe)) -> Recipe {
    edit(&mut recipe);
    recipe
}

pub fn machine(threads: usize) -> Machine {
    let context = Context::new(Threads::new(threads).unwrap(), CpuLevel::Scalar);
    Machine {
        backend: Arc::new(Cpu::new(context.clone())),
        context,
        memory: 1 << 33,
        scratch: Default::default(),
    }
}

/// A picture of soft colours, from a formula.
pub fn picture(height: usize, width: usize) -> Tensor {
    let mut picture = Tensor::zeros(Shape::new(3, height, width));
    let mut number = numbers(7);
    for c in 0..3 {
        for y in 0..height {
            for x in 0..width {
                let wave = (x as f32 / (5.0 + c as f32)).sin() + (y as f32 / 7.0).cos();
                picture.data[(c * height + y) * width + x] = 127.0 + 40.0 * wave + 8.0 * number();
            }
        }
    }
    picture
}

/// Remembers every step's objective and, if told to, stops after some.
#[derive(Default)]
pub struct Watch {
    pub objectives: Vec<f64>,
    pub done: Vec<u64>,
    pub total: u64,
    pub stop_after: Option<usize>,
}

impl Observer for Watch {
    fn step(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        self.objectives.push(progress.objective);
        self.done.push(progress.done);
        self.total = progress.total;
        match self.stop_after {
            Some(steps) if self.objectives.len() >= steps => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// A network whose only layer has two names.
pub fn aliased() -> Graph {
    let mut builder = GraphBuilder::new("data", 3);
    let conv = conv(3, 4, Window::new([3, 3], [1, 1]), 3);
    let conv = builder.add("conv", conv, &[builder.input()]);
    let relu = builder.add("relu", Op::Relu, &[conv]);
    builder.alias("also", relu);
    builder.finish()
}
