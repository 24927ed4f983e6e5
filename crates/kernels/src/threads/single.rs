//! The twin of `pool` for systems without threads: all work is done where it is handed out.

/// The calling thread alone, for the crate was built without its feature `threads`.
#[derive(Clone)]
pub struct Threads(());

impl Threads {
    /// One thread, whatever the `count`: results do not depend on it.
    ///
    /// # Errors
    /// None without the feature `threads`.
    pub fn new(_count: usize) -> Result<Self, String> {
        Ok(Self(()))
    }

    /// How many threads there are: 1.
    pub fn count(&self) -> usize {
        1
    }

    /// Runs `work`.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        work()
    }

    /// Runs `work`.
    pub fn awake<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        work()
    }

    /// Calls `task` once for each item.
    pub fn for_each_mut<T: Send>(&self, items: &mut [T], task: impl Fn(&mut T) + Sync + Send) {
        items.iter_mut().for_each(task);
    }

    /// Calls `task` once for each of `0..tasks`.
    /// A task's result must depend on its number alone, never on the thread that runs it.
    pub fn for_each(&self, tasks: usize, task: impl Fn(usize) + Sync) {
        (0..tasks).for_each(task);
    }
}
