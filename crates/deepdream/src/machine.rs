//! What the machine gives a dream: threads, instructions and memory.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cpu::Cpu;
use dream::Machine;
use graph::{Scratch, Storage};
use kernels::{Context, CpuLevel, Threads};

use crate::memory::{has_addresses, megabytes, memory_left, taken_memory};
use crate::scratch::{ScratchFiles, is_memory, usual_folder};
use crate::threads::none_left;
use crate::{Error, Fault, Knob, Result};

/// How much of the machine a job may use. The number of threads changes no picture; a picture that does not fit in
/// the memory whole is dreamt in exact tiles, which its recipe says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How many threads share the work. Default: one for each processor.
    pub threads: Option<usize>,
    /// How many bytes of memory the process may have. Default: what is free when the job begins, and what it has.
    pub memory: Option<u64>,
    /// The folder of scratch files, in which pictures lie that do not fit in the memory. They have no names, and are
    /// gone with the process. Default: the system's folder for what is temporary or, where that lies in the memory,
    /// `/var/tmp`.
    pub scratch: Option<PathBuf>,
}

impl Limits {
    /// The machine as it is now, within these limits.
    ///
    /// # Errors
    /// A CPU level that does not exist, threads that cannot be started, or less memory than is taken already.
    pub fn machine(&self) -> Result<Machine> {
        self.check()?;
        let level = CpuLevel::detect().map_err(wrong)?;
        let machine = on(self.threads.unwrap_or(0), level, 0)?;
        // What the threads have taken by now is not free.
        Ok(Machine { memory: self.memory(), scratch: self.storage()?, ..machine })
    }

    /// Where pictures lie that do not fit in the memory.
    ///
    /// # Errors
    /// A folder for them that cannot be written in.
    pub(crate) fn storage(&self) -> Result<Storage> {
        let folder = match &self.scratch {
            Some(folder) => {
                check_scratch(folder)?;
                folder.clone()
            }
            None => usual_folder(),
        };
        if !has_addresses() {
            return Ok(Storage::default());
        }
        let limit = self.memory().saturating_add(taken_memory());
        Ok(Storage::scratch(Arc::new(ScratchFiles::new(folder, limit)) as Arc<dyn Scratch>))
    }

    /// Refuses a limit that leaves nothing to work with, so that no picture is blamed for it.
    ///
    /// # Errors
    /// No more memory than the process has already.
    pub(crate) fn check(&self) -> Result<()> {
        let taken = taken_memory();
        let Some(limit) = self.memory.filter(|limit| *limit <= taken) else { return Ok(()) };
        let [limit, taken] = [limit, taken].map(megabytes);
        let what = format!("{limit} of memory is not enough: the program already uses {taken}");
        let enough = format!("Allow more than {taken}.");
        Err(Error::new(Fault::Memory, what).turn(Knob::Memory, enough))
    }

    /// Bytes of memory that may be taken now.
    pub(crate) fn memory(&self) -> u64 {
        memory_left(self.memory)
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
    Ok(Machine {
        backend: Arc::new(Cpu::new(context.clone())),
        context,
        memory,
        scratch: Storage::default(),
    })
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

/// Whether files can be made in a folder that somebody names.
fn check_scratch(folder: &Path) -> Result<()> {
    let why = match tempfile::tempfile_in(folder) {
        Ok(_) if is_memory(folder) => "it lies in the memory itself".to_owned(),
        Ok(_) => return Ok(()),
        Err(error) => error.to_string(),
    };
    let what = format!("could not write scratch files in {}: {why}", folder.display());
    Err(Error::new(Fault::Output, what).turn(Knob::Scratch, "Choose another folder."))
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
