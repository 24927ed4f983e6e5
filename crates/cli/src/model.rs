//! Which network a command works with, and running it outside a dream.

use std::sync::Arc;

use clap::Args;
use graph::{Executable, GraphError, Network, NodeId, Size};

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
pub(crate) fn unfit(error: GraphError) -> Failure {
    match error {
        GraphError::Graph(_) | GraphError::Shape { .. } => Failure::new(Fault::Model, error),
        GraphError::UnknownLayer { .. } => {
            Failure::new(Fault::Recipe, error).or("`deepdream layers` lists every layer")
        }
        error => Failure::new(Fault::Recipe, error),
    }
}

/// The network made ready for `targets` on pictures of `size`.
///
/// # Errors
/// A picture too small for the layers, or more memory than there is.
pub(crate) fn compile(
    network: &Network,
    targets: &[NodeId],
    machine: &dream::Machine,
    size: Size,
) -> Result<Arc<dyn Executable>, Failure> {
    let executable = machine.backend.compile(network, targets).map_err(unfit)?;
    fits(&*executable, size, machine.memory)?;
    Ok(executable)
}

/// Whether a session for pictures of `size` takes no more than `free` bytes.
///
/// # Errors
/// A picture too small for the layers, or more memory than there is.
pub(crate) fn fits(executable: &dyn Executable, size: Size, free: u64) -> Result<(), Failure> {
    let need = executable.memory(size).map_err(unfit)?;
    if need > free {
        let (need, free) = (in_words(need), in_words(free));
        let what = format!("a picture of {size} takes {need}, but {free} are free");
        return Err(Failure::new(Fault::Memory, what).or("use a smaller picture"));
    }
    Ok(())
}
