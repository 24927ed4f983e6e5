//! The worker threads every kernel shares, and the one way work is handed to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A pool of a fixed number of threads. Clones share the pool.
#[derive(Clone)]
pub struct Threads {
    pool: Arc<rayon::ThreadPool>,
}

impl Threads {
    /// A pool of `count` threads; 0 means one for each processor.
    ///
    /// # Errors
    /// The operating system's word for why the threads could not be started.
    pub fn new(count: usize) -> Result<Self, String> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .thread_name(|index| format!("dream-{index}"))
            .build()
            .map_err(|error| format!("cannot start {count} threads: {error}"))?;
        Ok(Self { pool: Arc::new(pool) })
    }

    /// How many threads there are.
    pub fn count(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Runs `work` inside the pool, so that what it hands out starts without a change of thread.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }

    /// Calls `task` once for each item.
    pub fn for_each_mut<T: Send>(&self, items: &mut [T], task: impl Fn(&mut T) + Sync + Send) {
        use rayon::prelude::*;
        self.pool.install(|| items.par_iter_mut().for_each(task));
    }

    /// Calls `task` once for each of `0..tasks`, each thread taking the next one when it is free.
    /// A task's result must depend on its number alone, never on the thread that runs it.
    pub fn for_each(&self, tasks: usize, task: impl Fn(usize) + Sync) {
        if tasks <= 1 || self.count() == 1 {
            (0..tasks).for_each(task);
            return;
        }
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= tasks {
                    break;
                }
                task(index);
            }
        };
        self.pool.install(|| fork(self.count().min(tasks), &work));
    }
}

/// Runs `work` on `count` threads at once, without allocating.
fn fork(count: usize, work: &(impl Fn() + Sync)) {
    if count > 1 {
        rayon::join(work, || fork(count - 1, work));
    } else {
        work();
    }
}
