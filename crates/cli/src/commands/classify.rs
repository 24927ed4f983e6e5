//! `classify`: what a network takes a picture for.

use std::path::{Path, PathBuf};

use clap::Args;
use dream::{Filter, Tensor};
use graph::{Network, NodeId, Op, Shape, Size};
use media::{Image, Limits};
use serde::Serialize;

use crate::console::{self, print};
use crate::exit::{Failure, Fault};
use crate::machine::MachineArgs;
use crate::model::{self, ModelArgs, unfit};

/// The sides of what the known networks were trained to classify, in pixels.
const SIDE: usize = 224;

/// Arguments of `classify`.
#[derive(Debug, Args)]
pub(crate) struct ClassifyArgs {
    /// The picture; its middle square is looked at.
    picture: PathBuf,
    /// How many classes to list. Default: 5.
    #[arg(long, value_name = "N", default_value_t = 5, hide_default_value = true)]
    top: usize,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

#[derive(Serialize)]
struct Class {
    index: usize,
    label: String,
    probability: f32,
}

/// Lists the likeliest classes.
pub(crate) fn classify(args: &ClassifyArgs) -> Result<(), Failure> {
    let machine = args.machine.machine()?;
    let network = args.model.open(None)?;
    let picture = middle(&args.picture, machine.memory)?;
    let last = last_layer(&network)?;
    let size = Size::new(SIDE, SIDE);
    let executable = model::compile(&network, &[last], &machine, size)?;
    let mut session = executable.session(size).map_err(unfit)?;
    session.forward(&picture).map_err(unfit)?;
    let mut values = session.activation(0).map_err(unfit)?.data;
    if !matches!(network.graph.node(last).op, Op::Softmax) {
        softmax(&mut values);
    }
    let mut classes: Vec<Class> = values
        .into_iter()
        .enumerate()
        .map(|(index, probability)| {
            let label = network.labels.get(index).cloned().unwrap_or_default();
            Class { index, label, probability }
        })
        .collect();
    classes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    classes.truncate(args.top);
    if args.json {
        return console::json(&classes);
    }
    let line = |Class { index, label, probability }: &Class| {
        format!("{:6.2} %  {index:4}  {label}\n", probability * 100.0)
    };
    print(classes.iter().map(line).collect::<String>())
}

/// The largest square in a picture's middle, in the size the networks know.
fn middle(path: &Path, memory: u64) -> Result<Tensor, Failure> {
    let picture = Image::read(path, &Limits::memory(memory))?;
    let Size { height, width } = picture.size();
    let side = height.min(width);
    let (top, left) = ((height - side) / 2, (width - side) / 2);
    let mut square = Tensor::zeros(Shape::new(3, side, side));
    for (channel, rows) in square.data.chunks_exact_mut(side * side).enumerate() {
        let from = picture.color().channel(channel);
        for (y, row) in rows.chunks_exact_mut(side).enumerate() {
            row.copy_from_slice(&from[(top + y) * width + left..][..side]);
        }
    }
    Ok(dream::resize(&square, Size::new(SIDE, SIDE), Filter::Lanczos))
}

/// The last layer of all: the softmax over the classes, or what would go into it.
fn last_layer(network: &Network) -> Result<NodeId, Failure> {
    let layers = network.graph.layers();
    let last = layers
        .iter()
        .rfind(|layer| layer.channels == network.labels.len())
        .or(layers.last())
        .ok_or_else(|| Failure::new(Fault::Model, "the network has no layers"))?;
    network.graph.find_target(&last.name).map_err(unfit)
}

fn softmax(values: &mut [f32]) {
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    values.iter_mut().for_each(|value| *value = (*value - largest).exp());
    let sum: f32 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= sum);
}
