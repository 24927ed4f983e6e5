//! `probe`: a layer's activation and gradient for a picture, as numbers other programs can read.

use std::path::PathBuf;

use clap::Args;
use graph::{OutputGradient, Shape, Size, Tensor};
use media::{Image, Limits};

use crate::array::{Array, ArrayFormat};
use crate::console::print;
use crate::exit::Failure;
use crate::machine::MachineArgs;
use crate::model::{self, ModelArgs, unfit};
use crate::output::Output;

/// Arguments of `probe`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("wanted").required(true).multiple(true))]
pub(crate) struct ProbeArgs {
    /// The picture, taken in its own size.
    picture: PathBuf,
    /// The layer.
    #[arg(short, long, value_name = "NAME")]
    layer: String,
    /// Writes the activation (channels × height × width) to a .safetensors (key `activation`) or .npy
    /// file.
    #[arg(long, value_name = "FILE", group = "wanted")]
    activation: Option<PathBuf>,
    /// Writes the gradient of ½·Σ activation² with respect to the picture (height × width × RGB) to a
    /// .safetensors (key `gradient`) or .npy file.
    #[arg(long, value_name = "FILE", group = "wanted")]
    gradient: Option<PathBuf>,
    /// Replaces files that exist already.
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// Writes the arrays.
pub(crate) fn probe(args: &ProbeArgs) -> Result<(), Failure> {
    let claim = |path: &Option<PathBuf>| {
        let claim = |path: &PathBuf| {
            Ok::<_, Failure>((ArrayFormat::of_name(path)?, Output::new(path.clone(), args.force)?))
        };
        path.as_ref().map(claim).transpose()
    };
    let (activation, gradient) = (claim(&args.activation)?, claim(&args.gradient)?);

    let machine = args.machine.machine()?;
    let network = args.model.open(None)?;
    let target = network.graph.find_target(&args.layer).map_err(unfit)?;
    let picture = Image::read(&args.picture, &Limits::memory(machine.memory))?.into_color();
    let Shape { height, width, .. } = picture.shape;
    let size = Size::new(height, width);
    let executable = model::compile(&network, &[target], &machine, size)?;
    let mut session = executable.session(size).map_err(unfit)?;

    session.forward(&picture).map_err(unfit)?;
    let layer = session.activation(0).map_err(unfit)?;
    let half = session.half_sum_squares(0).map_err(unfit)?;
    if let Some((format, output)) = activation {
        let Shape { channels, height, width } = layer.shape;
        let array =
            Array { name: "activation", shape: [channels, height, width], data: &layer.data };
        output.write(&array.encode(format)?)?;
    }
    if let Some((format, output)) = gradient {
        let mut slope = Tensor::zeros(picture.shape);
        let own = OutputGradient::Activation { weight: 1.0 };
        session.backward(&[own], &mut slope).map_err(unfit)?;
        let data = interleaved(&slope);
        let array = Array { name: "gradient", shape: [height, width, 3], data: &data };
        output.write(&array.encode(format)?)?;
    }
    print(format!("{}: {}, ½·Σ activation² = {half:.9e}\n", args.layer, layer.shape))
}

/// Height × width × channels.
fn interleaved(tensor: &Tensor) -> Vec<f32> {
    let Shape { channels, .. } = tensor.shape;
    let plane = tensor.shape.plane();
    (0..plane * channels).map(|i| tensor.data[i % channels * plane + i / channels]).collect()
}
