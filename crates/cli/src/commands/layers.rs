//! `layers`: every layer of a network that one can dream on.

use clap::Args;
use dream::Recipe;
use serde::Serialize;

use crate::console::{self, print};
use crate::exit::Failure;
use crate::model::ModelArgs;

/// Arguments of `layers`.
#[derive(Debug, Args)]
pub(crate) struct LayersArgs {
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
}

#[derive(Serialize)]
struct Line {
    name: String,
    channels: usize,
    stride: usize,
    depth: usize,
    default: bool,
}

/// Lists the layers.
pub(crate) fn layers(args: &LayersArgs) -> Result<(), Failure> {
    let network = args.model.open(None)?;
    let defaults = Recipe::for_network(&network).objective;
    let layers: Vec<Line> = network
        .graph
        .layers()
        .into_iter()
        .map(|layer| Line {
            default: defaults.iter().any(|default| default.layer == layer.name),
            name: layer.name,
            channels: layer.channels,
            stride: layer.stride,
            depth: layer.depth,
        })
        .collect();
    if args.json {
        return console::json(&layers);
    }
    let width = layers.iter().map(|layer| layer.name.chars().count()).max().unwrap_or(0).max(5);
    let mut text = format!("{}\n{:width$}  channels  stride  depth\n", network.name, "layer");
    for Line { name, channels, stride, depth, default } in &layers {
        let mark = if *default { "  default" } else { "" };
        text += &format!("{name:width$}  {channels:8}  {stride:6}  {depth:5}{mark}\n");
    }
    text += "stride: the picture's pixels for one of the layer's; depth: layers with weights up to it\n";
    print(text)
}
