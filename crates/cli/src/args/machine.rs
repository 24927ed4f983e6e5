//! What a command may use of the machine.

use std::path::PathBuf;

use clap::Args;
use deepdream::Limits;

use super::{bytes, whole};

/// Arguments about the machine.
#[derive(Debug, Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct MachineArgs {
    /// How many threads to use; the dream stays the same. Default: one for each processor.
    #[arg(long, value_name = "N", value_parser = whole::<u16>(1..=1024), allow_negative_numbers = true)]
    threads: Option<u16>,
    /// How much memory to take at the most, such as 2G or 800M. A picture that does not fit whole is dreamt in
    /// exact tiles, the largest that do; its recipe keeps their size. One that does not fit in them either lies in
    /// scratch files meanwhile. Default: what is free.
    #[arg(long, value_name = "BYTES", value_parser = bytes, allow_negative_numbers = true)]
    memory: Option<u64>,
    /// The folder of scratch files. They have no names, and are gone when the program ends, however it does. Default:
    /// the system's folder for temporary files.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

impl MachineArgs {
    /// The limits that the flags set.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            threads: self.threads.map(usize::from),
            memory: self.memory,
            scratch: self.scratch.clone(),
        }
    }
}
