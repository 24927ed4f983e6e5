//! What a network sees, outside a dream: its layers, a picture's classes, a layer's numbers.

use std::sync::Arc;

use dream::{DreamError, Evaluated, Filter, Machine, Octaves, Plan, Preset, Recipe, Term, Tiles};
use graph::{
    Executable, Network, NodeId, Op, OutputGradient, Shape, Size, Tensor, first_not_finite,
};
use media::Image;
use serde::{Deserialize, Serialize};

use crate::assets::FoundFile;
use crate::convert::{allowing, without_dream};
use crate::memory::{megabytes, of_process};
use crate::progress::Run;
use crate::request::Resolved;
use crate::{CancelToken, DreamRequest, Error, Fault, Input, Knob, Limits, Result, targets};

/// The sides of what the known networks were trained to classify, in pixels.
const SIDE: usize = 224;

/// A layer that one can dream on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerInfo {
    /// Its name.
    pub name: String,
    /// How many channels it has.
    pub channels: usize,
    /// The image's pixels for one of the layer's, in each direction.
    pub stride: usize,
    /// How many layers with weights there are up to it.
    pub depth: usize,
    /// Whether a dream is made of it where none is named.
    pub default: bool,
    /// Whether it is among those that are worth trying first.
    pub worth_trying: bool,
}

/// Every layer of a network that one can dream on, in the network's order.
pub fn layers(network: &Network) -> Vec<LayerInfo> {
    let defaults = Recipe::for_network(network).objective;
    let worth = dream::worth_trying(&network.graph);
    let info = |layer: graph::Layer| LayerInfo {
        worth_trying: worth.iter().any(|worth| worth.name == layer.name),
        default: defaults.iter().any(|term| term.layer == layer.name),
        name: layer.name,
        channels: layer.channels,
        stride: layer.stride,
        depth: layer.depth,
    };
    network.graph.layers().into_iter().map(info).collect()
}

/// What a dream on a network is made of where no layer is named; empty if its picture decides.
pub fn default_layers(network: &Network) -> Vec<Term> {
    match dream::has_known_layers(&network.graph) {
        true => Recipe::for_network(network).objective,
        false => Vec::new(),
    }
}

/// A class, and how much a picture looks like it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Class {
    /// Its place in the network's last layer.
    pub index: usize,
    /// Its name; empty if it is not known.
    pub label: String,
    /// 0–1.
    pub probability: f32,
}

/// All of a network's classes, likeliest first, for the largest square in an image's middle.
///
/// # Errors
/// A network without layers or whose last ones are not supported, one that does not take such squares or
/// computes no numbers from this one, or too little memory.
pub fn classify(network: &Network, image: &Image, limits: &Limits) -> Result<Vec<Class>> {
    let last = last_layer(network)?;
    let size = Size::new(SIDE, SIDE);
    let (machine, picture) = (limits.machine()?, middle(image.color()));
    let executable = compile(network, &[last], &machine, size)?;
    let mut session = executable.session(size)?;
    session.forward(&picture)?;
    let Tensor { shape, data: mut values } = session.activation(0)?;
    drop(session);
    if !finite(&values) {
        return Err(no_numbers(network, last, &picture, &machine)?);
    }
    if shape.plane() != 1 {
        let Shape { height, width, .. } = shape;
        let layer = &network.graph.node(last).name;
        let what = format!(
            "the network {} does not classify: its last layer, `{layer}`, has {width}×{height} places",
            network.name
        );
        return Err(Error::new(Fault::Model, what).turn(Knob::Network, "Use another network."));
    }
    if !matches!(network.graph.node(last).op, Op::Softmax) {
        softmax(&mut values);
    }
    let class = |(index, probability)| {
        let label = network.labels.get(index).cloned().unwrap_or_default();
        Class { index, label, probability }
    };
    let mut classes: Vec<Class> = values.iter().copied().enumerate().map(class).collect();
    classes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    Ok(classes)
}

/// What a layer makes of an image.
#[derive(Clone, Debug)]
pub struct LayerResponse {
    /// Channels × height × width, after the layer.
    pub activation: Tensor,
    /// `½ · Σ activation²`, which a dream on the layer makes grow.
    pub objective: f64,
    /// The objective's gradient with respect to the image: 3 × height × width.
    pub gradient: Tensor,
}

/// A layer's response to an image, taken in its own size.
///
/// # Errors
/// No such layer, an image too small for it or at which it or its gradient is not finite, or too little
/// memory.
pub fn respond(
    network: &Network,
    layer: &str,
    image: &Image,
    limits: &Limits,
) -> Result<LayerResponse> {
    let (target, machine) = (targets::find(network, layer)?, limits.machine()?);
    let executable = compile(network, &[target], &machine, image.size())?;
    let mut session = executable.session(image.size())?;
    session.forward(image.color())?;
    let activation = session.activation(0)?;
    let mut objective = session.half_sum_squares(0)?;
    if !objective.is_finite() {
        // A backend may sum up in single precision.
        objective = activation.data.iter().map(|&value| f64::from(value).powi(2) / 2.0).sum();
    }
    let mut gradient = Tensor::zeros(image.color().shape);
    session.backward(&[OutputGradient::Activation { weight: 1.0 }], &mut gradient)?;
    drop(session);
    if !finite(&activation.data) || !finite(&gradient.data) {
        return Err(no_numbers(network, target, image.color(), &machine)?);
    }
    Ok(LayerResponse { activation, objective, gradient })
}

/// An objective at an image.
#[derive(Clone, Debug)]
pub struct ObjectiveResponse {
    /// The terms, with nothing left to choose.
    pub terms: Vec<Term>,
    /// The factor of each term's value: its weight, or what makes of that its share.
    pub weights: Vec<f32>,
    /// `Σ factor · value`.
    pub value: f64,
    /// Its gradient with respect to the image: 3 × height × width.
    pub gradient: Tensor,
    /// The files that the recipe names.
    files: Vec<FoundFile>,
}

impl ObjectiveResponse {
    /// The files that the recipe names, as inputs that no output may replace.
    pub fn inputs(&self) -> impl Iterator<Item = Input<'_>> {
        self.files.iter().map(|file| Input::new(file.role, &file.path))
    }
}

/// The objective of a request's recipe at an image, taken in its own size and whole: what a dream without
/// jitter would start from.
///
/// # Errors
/// What would keep the dream from its beginning, or numbers that are not finite.
pub fn evaluate(request: &DreamRequest, image: &Image) -> Result<ObjectiveResponse> {
    let base = request.base()?;
    let cancel = CancelToken::new();
    let run = Run::new(&(), &cancel);
    let network = request.network.open(base.as_ref(), run)?;
    let Resolved { mut recipe, assets, files, .. } =
        request.resolve_sparing(base.as_ref(), &network, Preset::Default, |_| (), run)?;
    recipe = recipe.alone();
    (recipe.octaves.count, recipe.size, recipe.noise) = (1, None, None);
    recipe.tiles = Tiles::Whole;
    recipe.octaves.anchor = Octaves::FULL;
    let machine = request.limits.machine()?;
    let mut plan = Plan::with_assets(&recipe, &assets, &network, image.size(), &machine)?;
    plan.choose_channels(image.color())?;
    let evaluated = dream::evaluate(&plan, image.color()).map_err(without_dream)?;
    let Evaluated { value, gradient, weights } = evaluated;
    let terms = plan.recipe().objective.clone();
    Ok(ObjectiveResponse { terms, weights, value, gradient, files })
}

/// How strongly each channel of a layer answers an image: its mean over the image, of at most 512 pixels a
/// side, or its value at a place, given right and down in shares of the image.
///
/// # Errors
/// No such layer, an image too small for it, or too little memory.
pub(crate) fn channel_answers(
    network: &Network,
    layer: &str,
    image: &Image,
    at: Option<[f64; 2]>,
    machine: &Machine,
) -> Result<Vec<f64>> {
    let target = targets::find(network, layer)?;
    let answers = dream::channel_answers(network, machine, layer, image.color(), at)?;
    if answers.iter().any(|answer| !answer.is_finite()) {
        let seen = dream::answered_picture(network, machine, layer, image.color())?;
        return Err(no_numbers(network, target, &seen, machine)?);
    }
    Ok(answers)
}

/// The error where one layer is wanted, and none or several are named.
pub(crate) fn no_layer() -> Error {
    Error::new(Fault::Usage, "channels are those of one layer").turn(Knob::Layer, "Name one layer.")
}

fn finite(values: &[f32]) -> bool {
    values.iter().all(|value| value.is_finite())
}

/// The error of a `target` whose activation for `image`, or gradient at it, is not finite.
fn no_numbers(
    network: &Network,
    target: NodeId,
    image: &Tensor,
    machine: &Machine,
) -> Result<Error> {
    let images = std::slice::from_ref(image);
    let Machine { backend, memory, .. } = machine;
    let name = |node| network.graph.node(node).name.clone();
    Ok(without_dream(match first_not_finite(&**backend, network, &[target], images, *memory)? {
        Some(layer) => DreamError::NotFinite { layer: name(layer) },
        None => DreamError::GradientNotFinite { layers: vec![name(target)] },
    }))
}

/// The network made ready for `targets` on images of `size`.
///
/// # Errors
/// An image too small for the layers, or more memory than there is.
pub(crate) fn compile(
    network: &Network,
    targets: &[NodeId],
    machine: &Machine,
    size: Size,
) -> Result<Arc<dyn Executable>> {
    let executable = machine.backend.compile(network, targets)?;
    check_memory(&*executable, size, machine.memory)?;
    Ok(executable)
}

/// Whether a session for images of `size` takes no more than `free` bytes.
///
/// # Errors
/// An image too small for the layers, or more memory than there is.
pub(crate) fn check_memory(executable: &dyn Executable, size: Size, free: u64) -> Result<()> {
    let need = executable.memory(size)?.saturating_add(executable.kept_memory(&[size])?);
    if need <= free {
        return Ok(());
    }
    let whole = |bytes: u64| megabytes(of_process(bytes, free));
    let (need, free) = (whole(need), whole(free));
    let what = format!("a picture of {size} takes {need} of memory, but only {free} may be used");
    Err(allowing(Error::new(Fault::Memory, what).hint("Use a smaller picture.")))
}

/// The largest square in an image's middle, in the size the networks know.
fn middle(color: &Tensor) -> Tensor {
    let Shape { height, width, .. } = color.shape;
    let side = height.min(width);
    let (top, left) = ((height - side) / 2, (width - side) / 2);
    let mut square = Tensor::zeros(Shape::new(3, side, side));
    for (channel, rows) in square.data.chunks_exact_mut(side * side).enumerate() {
        let from = color.channel(channel);
        for (y, row) in rows.chunks_exact_mut(side).enumerate() {
            row.copy_from_slice(&from[(top + y) * width + left..][..side]);
        }
    }
    dream::resize(&square, Size::new(SIDE, SIDE), Filter::Lanczos)
}

/// The last layer of all: the softmax over the classes, or what would go into it.
fn last_layer(network: &Network) -> Result<NodeId> {
    let named = network.graph.layers();
    let classes = named.iter().rfind(|layer| layer.channels == network.labels.len());
    if let (None, Some(unsupported)) = (classes, network.graph.first_unsupported()) {
        let error = Error::new(Fault::Model, targets::in_part(network, unsupported));
        return Err(error.turn(Knob::Network, "Its classes are behind that: use another network."));
    }
    let last = classes
        .or(named.last())
        .ok_or_else(|| Error::new(Fault::Model, "the network has no layers"))?;
    Ok(network.graph.find_target(&last.name)?)
}

fn softmax(values: &mut [f32]) {
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    values.iter_mut().for_each(|value| *value = (*value - largest).exp());
    let sum: f32 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= sum);
}
