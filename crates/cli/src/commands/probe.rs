//! `probe`: a layer's activation, and an objective's value and gradient, for a picture, as numbers other
//! programs can read.

use std::path::PathBuf;

use clap::Args;
use deepdream::media::Limits;
use deepdream::{
    DreamRequest, Edit, Error, Fault, Image, Input, Knob, LayerResponse, NetworkChoice, Output,
    RecipeRequest, Result, Tensor, Term, TermText, free_memory,
};

use crate::args::{MachineArgs, NetworkArgs, ObjectiveArgs};
use crate::array::{Array, ArrayFormat};
use crate::console::{print, say};

/// Arguments of `probe`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("wanted").required(true).multiple(true))]
pub(crate) struct ProbeArgs {
    /// The picture, at its own size.
    picture: PathBuf,
    #[command(flatten)]
    objective: ObjectiveArgs,
    /// Write the activation (channels × height × width) of a single layer to a .safetensors (key
    /// `activation`) or .npy file.
    #[arg(long, value_name = "FILE", group = "wanted")]
    activation: Option<PathBuf>,
    /// Write the gradient of the objective with respect to the picture (height × width × RGB) to a
    /// .safetensors (key `gradient`) or .npy file. That of a whole layer is ½·Σ activation².
    #[arg(long, value_name = "FILE", group = "wanted")]
    gradient: Option<PathBuf>,
    /// Replace files that exist already.
    #[arg(short, long)]
    force: bool,
    /// Set any field of the recipe that the objective has, such as
    /// 'objective=[{layer="mixed4c",at=[0.5,0.5]}]' or balance=raw. Repeat it for several.
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = str::parse::<Edit>)]
    edits: Vec<Edit>,
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
    let terms = args.objective.terms();
    let alone = match &terms[..] {
        [TermText::Layer(text)] if args.edits.is_empty() => {
            Term::parse(text, |name| network.graph.find(name).is_ok()).ok()
        }
        _ => None,
    };
    let single = alone.filter(|term| term.is_plain() && term.weight == 1.0);
    let write = |output: Output, array: Array, format| -> Result<()> {
        output.write(&array.encode(format)?)?;
        say(format!("wrote {}", output.path().display()));
        Ok(())
    };
    let (text, gradient) = if let Some(Term { layer, .. }) = single {
        let LayerResponse { activation, objective, gradient } =
            deepdream::respond(&network, &layer, &image, &args.machine.limits())?;
        let shape = activation.shape;
        if let Some((format, output)) = activation_file {
            let dims = [shape.channels, shape.height, shape.width];
            let array = Array { name: "activation", shape: dims, data: &activation.data };
            write(output, array, format)?;
        }
        (format!("{layer}: {shape}, ½·Σ activation² = {objective:.9e}\n"), gradient)
    } else {
        if activation_file.is_some() {
            return Err(Error::new(Fault::Usage, "only a single, whole layer has an activation")
                .turn(Knob::Layer, "Name one layer."));
        }
        let recipe = RecipeRequest { terms, edits: args.edits.clone(), ..Default::default() };
        let limits = args.machine.limits();
        let network = NetworkChoice::Loaded(network);
        let request = DreamRequest { network, recipe, limits, ..DreamRequest::default() };
        let response = deepdream::evaluate(&request, &image)?;
        let mut text = format!("objective = {:.9e}\n", response.value);
        for (term, weight) in response.terms.iter().zip(&response.weights) {
            text += &format!("  {weight:.9e} × {term}\n");
        }
        (text, response.gradient)
    };
    if let Some((format, output)) = gradient_file {
        let (dims, data) =
            ([gradient.shape.height, gradient.shape.width, 3], interleaved(&gradient));
        write(output, Array { name: "gradient", shape: dims, data: &data }, format)?;
    }
    print(text)
}

/// Height × width × channels.
fn interleaved(tensor: &Tensor) -> Vec<f32> {
    let (channels, plane) = (tensor.shape.channels, tensor.shape.plane());
    (0..plane * channels).map(|i| tensor.data[i % channels * plane + i / channels]).collect()
}
