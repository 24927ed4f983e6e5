//! What the machine gives a dream: threads, instructions and memory.

use std::num::NonZero;
use std::sync::Arc;

use cpu::Cpu;
use dream::Machine;
use kernels::{Context, CpuLevel, Threads};

use crate::memory::free_memory;
use crate::threads::none_left;
use crate::{Error, Fault, Result};

/// How much of the machine a job may use. Neither changes the picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How many threads share the work. Default: one for each processor.
    pub threads: Option<usize>,
    /// How many bytes of memory the job may take. Default: what is free when it begins.
    pub memory: Option<u64>,
}

impl Limits {
    /// The machine as it is now, within these limits.
    ///
    /// # Errors
    /// A CPU level that does not exist, or threads that cannot be started.
    pub fn machine(&self) -> Result<Machine> {
        let level = CpuLevel::detect().map_err(wrong)?;
        let machine = on(self.threads.unwrap_or(0), level, 0)?;
        // What the threads have taken by now is not free.
        Ok(Machine { memory: self.memory(), ..machine })
    }

    /// Bytes of memory that may be taken now.
    pub(crate) fn memory(&self) -> u64 {
        self.memory.unwrap_or_else(free_memory)
    }
}

/// The same machine with another number of threads.
pub(crate) fn with_threads(machine: &Machine, threads: usize) -> Result<Machine> {
    on(threads, machine.context.level(), machine.memory)
}

/// A machine that runs everything on the processor, with `threads` threads or, for 0, as many as there are
/// processors.
fn on(threads: usize, level: CpuLevel, memory: u64) -> Result<Machine> {
    let context = Context::new(start(threads)?, level);
    Ok(Machine { backend: Arc::new(Cpu::new(context.clone())), context, memory })
}

/// So many threads; for 0 one for each processor or, where the system has not as many left, fewer.
fn start(count: usize) -> Result<Threads> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let fewer = std::iter::successors(Some(processors / 2), |count| Some(count / 2));
    let fewer = fewer.take_while(|&fewer| count == 0 && fewer > 0);
    let mut threads = Threads::new(count);
    for fewer in fewer {
        threads = threads.or_else(|_| Threads::new(fewer));
    }
    threads.map_err(none_left)
}

fn wrong(error: impl std::fmt::Display) -> Error {
    Error::new(Fault::Usage, error)
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
