//! What a command may use of the machine.

use clap::Args;
use deepdream::Limits;

use super::whole;

/// Arguments about the machine.
#[derive(Debug, Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct MachineArgs {
    /// How many threads to use; the dream stays the same. Default: one for each processor.
    #[arg(long, value_name = "N", value_parser = whole::<u16>(1..=1024), allow_negative_numbers = true)]
    threads: Option<u16>,
}

impl MachineArgs {
    /// The limits that the flags set.
    pub(crate) fn limits(&self) -> Limits {
        Limits { threads: self.threads.map(usize::from), memory: None }
    }
}
