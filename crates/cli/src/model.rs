//! Which network a command works with, and running it outside a dream.

use clap::Args;
use cpu::Engine;
use graph::{NetError, Network, NodeId};
use kernels::Context;

use crate::exit::{Failure, Fault};
use crate::machine::in_words;
use crate::store::{Store, StoreError};

/// Arguments about the network.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct ModelArgs {
    /// The network: a name that `deepdream models` lists, or a model file. Default: inception5h if it
    /// is installed, else the built-in squeezenet.
    #[arg(short, long, value_name = "NAME|FILE")]
    pub(crate) model: Option<String>,
}

impl ModelArgs {
    /// Loads the network that was asked for, or else the one called `fallback`, or else the default.
    ///
    /// # Errors
    /// No such network or file, or one that cannot be read.
    pub(crate) fn open(&self, fallback: Option<&str>) -> Result<Network, Failure> {
        open(self.model.as_deref().or(fallback))
    }
}

fn open(wanted: Option<&str>) -> Result<Network, Failure> {
    match Store::open() {
        Ok(store) => store.resolve(wanted).map(|(network, _)| network).map_err(store_failure),
        // The built-in network needs no folder.
        Err(StoreError::NoHome) if wanted.is_none_or(|name| name == import::BUILT_IN) => {
            import::built_in().map_err(|error| Failure::new(Fault::Model, error))
        }
        Err(error) => Err(store_failure(error)),
    }
}

/// The failure for what the store cannot do.
pub(crate) fn store_failure(error: StoreError) -> Failure {
    let fault = match error {
        StoreError::NoHome | StoreError::File { .. } => Fault::Output,
        StoreError::BuiltIn { .. } | StoreError::Taken { .. } | StoreError::Name { .. } => {
            Fault::Usage
        }
        _ => Fault::Model,
    };
    Failure::new(fault, error)
}

/// The failure for what a network cannot do.
pub(crate) fn unfit(error: NetError) -> Failure {
    match error {
        NetError::Graph(_) | NetError::Shape { .. } => Failure::new(Fault::Model, error),
        NetError::UnknownLayer { .. } => {
            Failure::new(Fault::Recipe, error).or("`deepdream layers` lists every layer")
        }
        error => Failure::new(Fault::Recipe, error),
    }
}

/// The network made ready for `targets` on pictures of `height` × `width`.
///
/// # Errors
/// A picture too small for the layers, or more memory than there is.
pub(crate) fn engine(
    network: &Network,
    targets: &[NodeId],
    machine: &dream::Machine,
    (height, width): (usize, usize),
) -> Result<Engine, Failure> {
    let cx = Context::new(machine.threads.clone(), machine.level);
    let engine = Engine::new(network, targets, cx).map_err(unfit)?;
    let need = engine.memory(height, width).map_err(unfit)? as u64;
    if need > machine.memory {
        let what = format!(
            "a picture of {width}×{height} takes {}, but {} are free",
            in_words(need),
            in_words(machine.memory)
        );
        return Err(Failure::new(Fault::Memory, what).or("use a smaller picture"));
    }
    Ok(engine)
}
