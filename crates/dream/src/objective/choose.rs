//! Channels that a picture chooses, by their mean on it.

use graph::{Executable, Network, Shape, Size, Tensor};

use crate::image::scaled;
use crate::{Channels, Machine, PlanError};

/// The longest side on which a picture chooses channels, in pixels.
const LONGEST: usize = 512;

/// Chooses channels of layers of `network` as `picture` has them: in its own size or, where that suffices for
/// the layer, no larger than the longest side says, so that a small dream has the channels of a large one.
pub(crate) struct Chooser<'a> {
    pub(crate) network: &'a Network,
    pub(crate) machine: &'a Machine,
    pub(crate) picture: &'a Tensor,
}

impl Chooser<'_> {
    /// The channels of `layer` that are wanted, as a list.
    ///
    /// # Errors
    /// A layer that is not there, a picture that is too small for it, or too little memory.
    pub(crate) fn choose(&self, layer: &str, wanted: &Channels) -> Result<Channels, PlanError> {
        let Self { network, machine, picture } = self;
        let means = channel_answers(network, machine, layer, picture, None)?;
        Ok(Channels::Listed(match *wanted {
            Channels::Strongest(count) => {
                let mut order: Vec<u32> = (0..means.len() as u32).collect();
                order.sort_by(|&a, &b| means[b as usize].total_cmp(&means[a as usize]));
                chosen(&order, 0, count)
            }
            Channels::Average(count) => {
                let middle = (means.len().max(1) - 1) / 2;
                chosen(&ascending(&means), middle.saturating_sub(count as usize / 2), count)
            }
            Channels::Weakest(count) => chosen(&ascending(&means), 0, count),
            Channels::Listed(ref list) | Channels::Not(ref list) => list.clone(),
        }))
    }
}

/// How strongly each channel of `layer` answers `picture` (3 × height × width, RGB, 0–255), by which channels
/// are `strongest`, `average` and `weakest`: its mean over the picture, or its value at a place, given right
/// and down in shares of the picture. The picture is seen no larger than 512 pixels a side, where that
/// suffices for the layer.
///
/// # Errors
/// A layer that is not there, a picture that is too small for it, or too little memory.
pub fn channel_answers(
    network: &Network,
    machine: &Machine,
    layer: &str,
    picture: &Tensor,
    at: Option<[f64; 2]>,
) -> Result<Vec<f64>, PlanError> {
    let target = network.graph.find_target(layer)?;
    let executable = machine.backend.compile(network, &[target])?;
    let size = size_seen(&*executable, picture);
    let needed = executable.memory(size)?.saturating_add(executable.kept_memory(&[size])?);
    if needed > machine.memory {
        let (tiled, free, fits) = (None, machine.memory, None);
        return Err(PlanError::Memory { size, needed, tiled, free, fits });
    }
    let seen = scaled(machine.context.threads(), picture, size);
    let mut session = executable.session(size)?;
    session.forward(&seen)?;
    let activation = session.activation(0)?;
    let Shape { channels, height, width } = activation.shape;
    let cell = at.map(|[x, y]| {
        let along = |share: f64, cells: usize| ((share * cells as f64) as usize).min(cells - 1);
        along(y, height) * width + along(x, width)
    });
    let answer = |c: usize| {
        let plane = activation.channel(c);
        match cell {
            Some(cell) => f64::from(plane[cell]),
            None => plane.iter().map(|&x| f64::from(x)).sum::<f64>() / plane.len() as f64,
        }
    };
    Ok((0..channels).map(answer).collect())
}

/// The picture as [`channel_answers`] sees it.
///
/// # Errors
/// A layer that is not there.
pub fn answered_picture(
    network: &Network,
    machine: &Machine,
    layer: &str,
    picture: &Tensor,
) -> Result<Tensor, PlanError> {
    let target = network.graph.find_target(layer)?;
    let executable = machine.backend.compile(network, &[target])?;
    let size = size_seen(&*executable, picture);
    Ok(scaled(machine.context.threads(), picture, size))
}

/// The size in which a picture is seen: small, if that suffices for the layer.
fn size_seen(executable: &dyn Executable, picture: &Tensor) -> Size {
    let size = picture.shape.size();
    let small = size.with_longest(size.longest().min(LONGEST));
    if executable.memory(small).is_ok() { small } else { size }
}

/// Channels by their means, lowest first; of equal ones the lower number first.
fn ascending(means: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..means.len() as u32).collect();
    order.sort_by(|&a, &b| means[a as usize].total_cmp(&means[b as usize]));
    order
}

/// So many of an order, in the order of their numbers.
fn chosen(order: &[u32], from: usize, count: u32) -> Vec<u32> {
    let mut list: Vec<u32> = order.iter().skip(from).take(count as usize).copied().collect();
    list.sort_unstable();
    list
}
