//! On what a kernel runs.

use crate::{CpuLevel, Threads};

/// The threads that share the work and the instructions they may use. Clones share the threads.
///
/// The kernels execute the level's instructions without asking again, so a level that the processor
/// lacks never gets in here.
#[derive(Clone)]
pub struct Context {
    threads: Threads,
    level: CpuLevel,
}

impl Context {
    /// A context of `level`, or of the best level below it that this processor has.
    pub fn new(threads: Threads, level: CpuLevel) -> Self {
        Self { threads, level: level.or_below() }
    }

    /// The threads that share the work.
    pub fn threads(&self) -> &Threads {
        &self.threads
    }

    /// The instructions they may use.
    pub fn level(&self) -> CpuLevel {
        self.level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_never_has_a_level_that_the_processor_lacks() {
        let threads = Threads::new(1).expect("one thread");
        let available = CpuLevel::available();
        for level in [CpuLevel::Scalar, CpuLevel::Neon, CpuLevel::Avx2, CpuLevel::Avx512] {
            let cx = Context::new(threads.clone(), level);
            assert!(cx.level() <= level && available.contains(&cx.level()), "{level}");
            assert!(!available.contains(&level) || cx.level() == level, "{level}");
        }
    }
}
