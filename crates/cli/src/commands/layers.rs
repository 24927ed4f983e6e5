//! `layers`: every layer of a network that one can dream on.

use clap::Args;
use deepdream::{LayerInfo, Result};

use crate::args::NetworkArgs;
use crate::console::{self, print};

/// Arguments of `layers`.
#[derive(Debug, Args)]
pub(crate) struct LayersArgs {
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    network: NetworkArgs,
}

/// Lists the layers.
pub(crate) fn layers(args: &LayersArgs) -> Result<()> {
    let network = args.network.choice().load()?;
    let layers = deepdream::layers(&network);
    if args.json {
        return console::json(&layers);
    }
    let width = layers.iter().map(|layer| layer.name.chars().count()).max().unwrap_or(0).max(5);
    let mut text = format!("{}\n{:width$}  channels  stride  depth\n", network.name, "layer");
    for LayerInfo { name, channels, stride, depth, default, worth_trying } in &layers {
        let mark = match (default, worth_trying) {
            (true, _) => "  default",
            (false, true) => "  worth trying",
            (false, false) => "",
        };
        text += &format!("{name:width$}  {channels:8}  {stride:6}  {depth:5}{mark}\n");
    }
    if let Some(part) = deepdream::unsupported_part(&network) {
        text += &format!("{part}\n");
    }
    text +=
        "stride: pixels of the picture for one of the layer; depth: layers with weights up to it\n";
    print(text)
}
