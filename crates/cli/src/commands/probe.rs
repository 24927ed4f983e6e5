//! `probe`: a layer's activation, and an objective's value and gradient, for a picture, as numbers other
//! programs can read.

use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use deepdream::media::Limits;
use deepdream::{
    DreamRequest, Edit, Error, Fault, GivenFiles, Image, Input, Knob, LayerResponse, NetworkChoice,
    Output, RecipeRequest, Result, Tensor, Term, TermText, free_memory,
};
use graph::Shape;
use serde::Serialize;

use crate::args::{GuideArg, MachineArgs, MaskArg, NetworkArgs, ObjectiveArgs};
use crate::array::{Array, ArrayFormat};
use crate::complete;
use crate::console::{self, print, say};

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
    /// Let the layers look to this picture, as `image` does. Repeat it for several. Default: no guide.
    #[arg(long = "guide", value_name = "[NAME=]FILE", value_parser = GuideArg::parse)]
    guides: Vec<GuideArg>,
    /// Let the objective count where this picture is white, as `image` does: the gradient is multiplied by it.
    /// Repeat it for several regions. Default: the whole picture.
    #[arg(long = "mask", value_name = "[NAME=]FILE[#RRGGBB]", value_parser = MaskArg::parse)]
    masks: Vec<MaskArg>,
    /// Replace files that exist already.
    #[arg(short, long)]
    force: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// Set any field of the recipe that the objective has, such as
    /// 'objective=[{layer="mixed4c",at=[0.5,0.5]}]' or balance=raw. Repeat it for several.
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = str::parse::<Edit>)]
    #[arg(add = ArgValueCompleter::new(complete::settings))]
    edits: Vec<Edit>,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// What was computed.
#[derive(Serialize)]
struct Answer {
    /// Of a single, whole layer: its name and the shape of its activation.
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shape: Option<[usize; 3]>,
    /// The objective at the picture.
    objective: f64,
    /// The factor of each term.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    terms: Vec<WeightedTerm>,
}

#[derive(Serialize)]
struct WeightedTerm {
    term: String,
    weight: f32,
}

impl Answer {
    fn text(&self) -> String {
        if let (Some(layer), Some([channels, height, width])) = (&self.layer, self.shape) {
            let shape = Shape::new(channels, height, width);
            return format!("{layer}: {shape}, ½·Σ activation² = {:.9e}\n", self.objective);
        }
        let terms = self.terms.iter().map(|one| format!("  {:.9e} × {}\n", one.weight, one.term));
        format!("objective = {:.9e}\n", self.objective) + &terms.collect::<String>()
    }
}

/// Writes the arrays.
pub(crate) fn probe(args: &ProbeArgs) -> Result<()> {
    let mut request = DreamRequest {
        network: args.network.choice(),
        recipe: RecipeRequest { terms: args.objective.terms(), ..RecipeRequest::default() },
        limits: args.machine.limits(),
        ..DreamRequest::default()
    };
    for (guide, number) in args.guides.iter().zip(1..) {
        guide.edit(number, &mut request.files)?;
    }
    for mask in &args.masks {
        mask.edit(&mut request.recipe, &mut request.files)?;
    }
    request.recipe.edits.extend(args.edits.iter().cloned());
    let claim = |path: &Option<PathBuf>| {
        let claim = |path: &PathBuf| -> Result<_> {
            let output = Output::new(path.clone(), args.force)?;
            output.spare([Input::new("picture", &args.picture)])?;
            output.spare(request.inputs())?;
            Ok((ArrayFormat::of_name(path)?, output))
        };
        path.as_ref().map(claim).transpose()
    };
    let (activation_file, gradient_file) = (claim(&args.activation)?, claim(&args.gradient)?);

    let network = request.network.load()?;
    let image = Image::read(&args.picture, &Limits::memory(free_memory()))?;
    let is_plain = request.recipe.edits.is_empty() && request.files == GivenFiles::default();
    let alone = match &request.recipe.terms[..] {
        [TermText::Layer(text)] if is_plain => {
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
    let (answer, gradient) = if let Some(Term { layer, .. }) = single {
        let LayerResponse { activation, objective, gradient } =
            deepdream::respond(&network, &layer, &image, &request.limits)?;
        let shape = activation.shape;
        let shape = [shape.channels, shape.height, shape.width];
        if let Some((format, output)) = activation_file {
            let array = Array { name: "activation", shape, data: &activation.data };
            write(output, array, format)?;
        }
        let (layer, shape) = (Some(layer), Some(shape));
        (Answer { layer, shape, objective, terms: Vec::new() }, gradient)
    } else {
        if activation_file.is_some() {
            return Err(Error::new(Fault::Usage, "only a single, whole layer has an activation")
                .turn(Knob::Layer, "Name one layer."));
        }
        request.network = NetworkChoice::Loaded(network);
        let response = deepdream::evaluate(&request, &image)?;
        gradient_file.iter().try_for_each(|(_, output)| output.spare(response.inputs()))?;
        let terms = response.terms.iter().zip(&response.weights);
        let terms = terms.map(|(term, &weight)| WeightedTerm { term: term.to_string(), weight });
        let (objective, terms) = (response.value, terms.collect());
        (Answer { layer: None, shape: None, objective, terms }, response.gradient)
    };
    if let Some((format, output)) = gradient_file {
        let (dims, data) =
            ([gradient.shape.height, gradient.shape.width, 3], interleaved(&gradient));
        write(output, Array { name: "gradient", shape: dims, data: &data }, format)?;
    }
    if args.json { console::json(&answer) } else { print(answer.text()) }
}

/// Height × width × channels.
fn interleaved(tensor: &Tensor) -> Vec<f32> {
    let (channels, plane) = (tensor.shape.channels, tensor.shape.plane());
    (0..plane * channels).map(|i| tensor.data[i % channels * plane + i / channels]).collect()
}
