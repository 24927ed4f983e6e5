//! What the machine gives a dream: threads, instructions and memory.

use std::sync::Arc;

use clap::Args;
use cpu::Cpu;
use kernels::{Context, CpuLevel, Threads};

use crate::exit::{Failure, Fault};

/// Arguments about the machine.
#[derive(Debug, Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct MachineArgs {
    /// How many threads to use; the picture does not depend on it. Default: one for each processor.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl MachineArgs {
    /// The machine as it is now, with the threads that were asked for.
    ///
    /// # Errors
    /// A CPU level that does not exist, or threads that cannot be started.
    pub(crate) fn machine(&self) -> Result<dream::Machine, Failure> {
        let wrong = |error| Failure::new(Fault::Usage, error);
        let threads = Threads::new(self.threads.unwrap_or(0).into()).map_err(wrong)?;
        let context = Context::new(threads, CpuLevel::detect().map_err(wrong)?);
        Ok(on(context, free_memory()))
    }
}

/// A machine that runs everything on the processor.
pub(crate) fn on(context: Context, memory: u64) -> dream::Machine {
    dream::Machine { backend: Arc::new(Cpu::new(context.clone())), context, memory }
}

/// Bytes of memory that are free: the system's, or what a container's limit leaves. Where the system
/// does not say, nothing is refused for it.
pub(crate) fn free_memory() -> u64 {
    let Ok(mut system) = sysinfo::System::new() else { return u64::MAX };
    system.refresh_memory();
    let limit = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
    system.available_memory().min(limit)
}

/// The most bytes of memory this process has had at any time, where the system says.
pub(crate) fn peak_memory() -> Option<u64> {
    #[cfg(unix)]
    {
        use nix::sys::resource::{UsageWho, getrusage};
        // In bytes on Apple's systems, in KiB elsewhere.
        let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
        u64::try_from(usage.max_rss()).ok().map(|peak| peak * unit)
    }
    #[cfg(not(unix))]
    None
}

/// A number of bytes for people.
pub(crate) fn in_words(bytes: u64) -> indicatif::HumanBytes {
    indicatif::HumanBytes(bytes)
}
