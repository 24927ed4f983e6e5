//! Which network a command works with.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use deepdream::NetworkChoice;

use crate::complete;

/// Arguments about the network.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// The network: a name that `deepdream models` lists, or a model file. Default: the one
    /// that `deepdream models default` has chosen, or inception5h if it is installed, or the built-in squeezenet.
    #[arg(short, long, value_name = "NAME|FILE")]
    #[arg(add = ArgValueCompleter::new(complete::networks))]
    model: Option<String>,
}

impl NetworkArgs {
    /// The network that the flag names.
    pub(crate) fn choice(&self) -> NetworkChoice {
        match &self.model {
            Some(name) => NetworkChoice::Named(name.clone()),
            None => NetworkChoice::Default,
        }
    }
}
