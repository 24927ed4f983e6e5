//! Threads that wait for work between two kernels (the feature `threads`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

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
            .map_err(|error| format!("could not start threads: {error}"))?;
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

    /// As [`Self::install`], and keeps all threads awake until `work` ends: for many short pieces of work
    /// in a row, each of which would be over before a sleeping thread has woken up.
    pub fn awake<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(|| {
            let over = AtomicBool::new(false);
            let lead = || {
                let _over = Set(&over);
                work()
            };
            rayon::join(lead, || lend(self.count() - 1, &over)).0
        })
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
        self.pool.install(|| fork(self.count().min(tasks) - 1, &work));
    }
}

/// Runs `work` on this thread and `others` more at once, without allocating.
fn fork(others: usize, work: &(impl Fn() + Sync)) {
    let team = Team::default();
    let this = || {
        work();
        team.wait();
    };
    rayon::join(this, || join(others, work, &team));
}

/// Runs `work` on `count` threads at once, members of `team`.
fn join(count: usize, work: &(impl Fn() + Sync), team: &Team) {
    let _member = Member::of(team);
    if count > 1 {
        rayon::join(work, || join(count - 1, work, team));
    } else {
        work();
    }
}

/// How many threads have begun their part of some work, and how many have ended it.
#[derive(Default)]
struct Team {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl Team {
    /// Waits, awake, for those that have begun: they are about to end, and sleeping takes longer.
    fn wait(&self) {
        let mut turns = 0;
        while self.ended.load(Ordering::Acquire) < self.begun.load(Ordering::Acquire) {
            pause(&mut turns);
        }
    }
}

/// A part in a team's work, which ends when this goes, also when a panic makes it go.
struct Member<'a>(&'a Team);

impl<'a> Member<'a> {
    fn of(team: &'a Team) -> Self {
        team.begun.fetch_add(1, Ordering::AcqRel);
        Self(team)
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::AcqRel);
    }
}

/// Gives `count` threads to whatever work there is, until it is `over`, or until there has been none for
/// long: a thread that waits for others in the middle of its work may find itself here, and must get back.
fn lend(count: usize, over: &AtomicBool) {
    if count > 1 {
        rayon::join(|| lend(1, over), || lend(count - 1, over));
    } else if count == 1 {
        let mut turns = 0;
        while turns < PATIENCE && !over.load(Ordering::Acquire) {
            match rayon::yield_now() {
                Some(rayon::Yield::Executed) => turns = 0,
                _ => pause(&mut turns),
            }
        }
    }
}

/// Lets a moment pass. After many it sleeps: the thread waited for may be in need of this very processor,
/// and who wakes up is given one that is free.
fn pause(turns: &mut u32) {
    if *turns < PATIENCE {
        *turns += 1;
        std::hint::spin_loop();
    } else {
        std::thread::sleep(NAP);
    }
}

/// Turns of a waiting loop that together take longer than a thread takes to fall asleep and wake.
const PATIENCE: u32 = 4096;

/// As short as sleep can be.
const NAP: Duration = Duration::from_micros(20);

/// Sets a flag when it goes, also when a panic makes it go.
struct Set<'a>(&'a AtomicBool);

impl Drop for Set<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_done_once_and_a_panic_comes_through() {
        for count in [1, 2, 5, 5, 5, 5] {
            let threads = Threads::new(count).expect("threads start");
            let tasks: Vec<AtomicUsize> = (0..1000).map(|_| AtomicUsize::new(0)).collect();
            let once = |task: usize| {
                tasks[task].fetch_add(1, Ordering::Relaxed);
            };
            threads.awake(|| threads.for_each(tasks.len(), once));
            threads.for_each(tasks.len(), once);
            threads.awake(|| (0..200).for_each(|_| threads.for_each(7, |_| ())));
            assert!(tasks.iter().all(|task| task.load(Ordering::Relaxed) == 2));
            let fails = |task| assert!(task != 500, "five hundred");
            let all = || threads.awake(|| threads.for_each(1000, fails));
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(all)).is_err());
            threads.for_each(tasks.len(), once);
            assert!(tasks.iter().all(|task| task.load(Ordering::Relaxed) == 3));
        }
    }
}
