//! Which network a command works with, and running it outside a dream.

use std::sync::Arc;

use clap::Args;
use graph::{Executable, GraphError, Network, NodeId, Size};
use models::{ModelError, Store};

use crate::exit::{Failure, Fault};
use crate::machine::in_words;

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
    let network = match (Store::open(), wanted) {
        (Ok(store), wanted) => store.resolve(wanted).map(|(network, _)| network),
        (Err(ModelError::NoHome), wanted) => models::open(wanted.unwrap_or(models::BUILT_IN)),
        (Err(error), _) => Err(error),
    };
    network.map_err(model_failure)
}

/// The failure for what cannot be done with a network, with the command that helps.
pub(crate) fn model_failure(error: ModelError) -> Failure {
    let fault = match error {
        ModelError::NoHome | ModelError::File { .. } => Fault::Output,
        ModelError::BuiltIn { .. } | ModelError::Taken { .. } | ModelError::Name { .. } => {
            Fault::Usage
        }
        ModelError::Cancelled => Fault::Interrupted,
        _ => Fault::Model,
    };
    let command = match &error {
        ModelError::Manifest { name, .. } | ModelError::Installed { name, .. } => {
            format!("`deepdream models remove {name}` removes it")
        }
        ModelError::NotInstalled { name } => format!("`deepdream models pull {name}` downloads it"),
        ModelError::Unknown { nearest, .. } if nearest.is_empty() => {
            "`deepdream models` lists the networks".to_owned()
        }
        ModelError::Taken { .. } | ModelError::Name { .. } => "--name takes another one".to_owned(),
        ModelError::Cancelled => {
            "what was downloaded is kept; the same command goes on from there".to_owned()
        }
        ModelError::Connect { .. }
        | ModelError::Status { status: 404 | 410, .. }
        | ModelError::Redirects { .. }
        | ModelError::TooLong { .. }
        | ModelError::Checksum { .. } => "--from takes the address of a mirror".to_owned(),
        _ => return Failure::new(fault, error),
    };
    Failure::new(fault, error).or(command)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_networks_name_the_command_that_helps() {
        let name = || "small".to_owned();
        let text = model_failure(ModelError::NotInstalled { name: name() }).to_string();
        assert!(text.contains("`deepdream models pull small`"), "{text}");
        let (path, problem) = ("manifest.toml".into(), String::new());
        let text = model_failure(ModelError::Manifest { path, name: name(), problem }).to_string();
        assert!(text.contains("`deepdream models remove small`"), "{text}");
        let text = model_failure(ModelError::Status { url: name(), status: 404 }).to_string();
        assert!(text.contains("--from"), "{text}");
    }
}
