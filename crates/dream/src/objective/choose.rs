//! Channels that a picture chooses, by their mean on it.

use graph::{Network, Tensor};

use crate::image::resized;
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
        let means = self.means(layer)?;
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

    /// The mean of each channel.
    fn means(&self, layer: &str) -> Result<Vec<f64>, PlanError> {
        let Self { network, machine, picture } = self;
        let size = picture.shape.size();
        let target = network.graph.find_target(layer)?;
        let executable = machine.backend.compile(network, &[target])?;
        let small = size.with_longest(size.longest().min(LONGEST));
        let size = if executable.memory(small).is_ok() { small } else { size };
        let needed = executable.memory(size)?.saturating_add(executable.kept_memory(&[size])?);
        if needed > machine.memory {
            return Err(PlanError::Memory { size, needed, free: machine.memory, fits: None });
        }
        let seen = resized(machine.context.threads(), (*picture).clone(), size);
        let mut session = executable.session(size)?;
        session.forward(&seen)?;
        let activation = session.activation(0)?;
        let mean = |c: usize| {
            let plane = activation.channel(c);
            plane.iter().map(|&x| f64::from(x)).sum::<f64>() / plane.len() as f64
        };
        Ok((0..activation.shape.channels).map(mean).collect())
    }
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
