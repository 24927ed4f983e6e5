//! `classify`: what a network takes a picture for.

use std::path::PathBuf;

use clap::Args;
use deepdream::media::Limits;
use deepdream::{Class, Image, Result, free_memory};

use crate::args::{MachineArgs, NetworkArgs, whole};
use crate::console::{self, print};

/// Arguments of `classify`.
#[derive(Debug, Args)]
pub(crate) struct ClassifyArgs {
    /// The picture. Its middle square is classified.
    picture: PathBuf,
    /// How many classes to list. Default: 5.
    #[arg(long, value_name = "N", default_value_t = 5, hide_default_value = true)]
    #[arg(value_parser = whole::<usize>(1..=100_000), allow_negative_numbers = true)]
    top: usize,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// Lists the likeliest classes.
pub(crate) fn classify(args: &ClassifyArgs) -> Result<()> {
    let network = args.network.choice().load()?;
    let image = Image::read(&args.picture, &Limits::memory(free_memory()))?;
    let mut classes = deepdream::classify(&network, &image, &args.machine.limits())?;
    classes.truncate(args.top);
    if args.json {
        return console::json(&classes);
    }
    let line = |Class { index, label, probability }: &Class| {
        format!("{:6.2} %  {index:4}  {label}\n", probability * 100.0)
    };
    print(classes.iter().map(line).collect::<String>())
}
