//! `probe`: a layer's activation and gradient for a picture, as numbers other programs can read.

use std::path::PathBuf;

use clap::Args;
use deepdream::media::Limits;
use deepdream::{Image, Input, LayerResponse, Output, Result, Tensor, free_memory};

use crate::args::{MachineArgs, NetworkArgs};
use crate::array::{Array, ArrayFormat};
use crate::console::{print, say};

/// Arguments of `probe`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("wanted").required(true).multiple(true))]
pub(crate) struct ProbeArgs {
    /// The picture, at its own size.
    picture: PathBuf,
    /// The layer.
    #[arg(short, long, value_name = "NAME")]
    layer: String,
    /// Write the activation (channels × height × width) to a .safetensors (key `activation`) or .npy
    /// file.
    #[arg(long, value_name = "FILE", group = "wanted")]
    activation: Option<PathBuf>,
    /// Write the gradient of ½·Σ activation² with respect to the picture (height × width × RGB) to a
    /// .safetensors (key `gradient`) or .npy file.
    #[arg(long, value_name = "FILE", group = "wanted")]
    gradient: Option<PathBuf>,
    /// Replace files that exist already.
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// Writes the arrays.
pub(crate) fn probe(args: &ProbeArgs) -> Result<()> {
    let choice = args.network.choice();
    let claim = |path: &Option<PathBuf>| {
        let claim = |path: &PathBuf| -> Result<_> {
            let output = Output::new(path.clone(), args.force)?;
            output
                .spare([Input::new("picture", &args.picture)].into_iter().chain(choice.input()))?;
            Ok((ArrayFormat::of_name(path)?, output))
        };
        path.as_ref().map(claim).transpose()
    };
    let (activation_file, gradient_file) = (claim(&args.activation)?, claim(&args.gradient)?);

    let network = choice.load()?;
    let image = Image::read(&args.picture, &Limits::memory(free_memory()))?;
    let LayerResponse { activation, objective, gradient } =
        deepdream::respond(&network, &args.layer, &image, &args.machine.limits())?;
    let shape = activation.shape;
    let write = |output: Output, array: Array, format| -> Result<()> {
        output.write(&array.encode(format)?)?;
        say(format!("wrote {}", output.path().display()));
        Ok(())
    };
    if let Some((format, output)) = activation_file {
        let dims = [shape.channels, shape.height, shape.width];
        write(output, Array { name: "activation", shape: dims, data: &activation.data }, format)?;
    }
    if let Some((format, output)) = gradient_file {
        let (dims, data) =
            ([gradient.shape.height, gradient.shape.width, 3], interleaved(&gradient));
        write(output, Array { name: "gradient", shape: dims, data: &data }, format)?;
    }
    print(format!("{}: {shape}, ½·Σ activation² = {objective:.9e}\n", args.layer))
}

/// Height × width × channels.
fn interleaved(tensor: &Tensor) -> Vec<f32> {
    let (channels, plane) = (tensor.shape.channels, tensor.shape.plane());
    (0..plane * channels).map(|i| tensor.data[i % channels * plane + i / channels]).collect()
}
