//! Scratch files: where pictures lie that are larger than the memory, and who keeps the process within its limit
//! while it works on them.
//!
//! The system shows a process as much of its files as it touches, and counts that as the process's own memory. A keeper,
//! and whoever works on the files, looks how much that is, and lets all of it go before it is too much: what is needed
//! comes back. Who holds numbers as a slice and goes through them in steps that are longer than a page touches more in a
//! moment than the keeper sees in time, and says so.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use graph::{Scratch, Stored};
use kernels::{Pages, ScratchValues};

use crate::memory::taken_memory;

/// Bytes from which on numbers lie in a file: what is smaller is in nobody's way.
const LEAST: usize = 4 << 20;

/// How long after one look the next is; a processor touches a few megabytes meanwhile.
const NAP: Duration = Duration::from_millis(2);

/// Of how many parts of the limit one may be touched between two looks, of several by as many threads.
const PARTS: u64 = 40;

/// How many times a thread takes numbers for each time it looks: rows of a large picture are some ten kilobytes.
const EACH: u32 = 64;

thread_local! {
    static PASSED: Cell<u32> = const { Cell::new(0) };
}

/// Scratch files in a folder.
pub(crate) struct ScratchFiles {
    folder: PathBuf,
    shelf: Arc<Shelf>,
    keeper: OnceLock<JoinHandle<()>>,
    failure: Mutex<Option<String>>,
}

/// What the keeper sees.
struct Shelf {
    opened: Instant,
    /// When somebody looked last, in naps.
    looked: AtomicU64,
    /// How many bytes have been told of since then.
    touched: AtomicU64,
    /// How many bytes the process may have when pages are let go.
    most: u64,
    /// After how many bytes somebody has to look again.
    part: u64,
    pages: Mutex<Vec<Weak<Pages>>>,
    is_closed: AtomicBool,
}

impl ScratchFiles {
    /// Files in `folder` of a process that may have `limit` bytes of memory in all.
    pub(crate) fn new(folder: PathBuf, limit: u64) -> Self {
        let shelf = Shelf {
            opened: Instant::now(),
            looked: AtomicU64::new(0),
            touched: AtomicU64::new(0),
            most: limit - limit / 5,
            part: limit / PARTS,
            pages: Mutex::default(),
            is_closed: AtomicBool::new(false),
        };
        let shelf = Arc::new(shelf);
        Self { folder, shelf, keeper: OnceLock::new(), failure: Mutex::default() }
    }

    /// The keeper sits in from the first file on.
    fn keep(&self) {
        self.keeper.get_or_init(|| {
            let shelf = Arc::clone(&self.shelf);
            thread::spawn(move || shelf.keep())
        });
    }
}

impl Shelf {
    fn pages(&self) -> MutexGuard<'_, Vec<Weak<Pages>>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self) {
        while !self.is_closed.load(Ordering::Relaxed) {
            self.look();
            thread::park_timeout(NAP);
        }
    }

    /// As [`Self::look`], now and then.
    fn pass(&self) {
        let passed = PASSED.get().wrapping_add(1);
        PASSED.set(passed);
        if passed.is_multiple_of(EACH) {
            self.look();
        }
    }

    /// Looks once more than the limit's part has been touched.
    fn touched(&self, bytes: u64) {
        if self.touched.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > self.part {
            self.let_go();
        }
    }

    /// Lets all pages go if they are too many, unless somebody has just looked.
    fn look(&self) {
        let now = (self.opened.elapsed().as_micros() / NAP.as_micros()) as u64;
        if self.looked.fetch_max(now, Ordering::Relaxed) < now {
            self.let_go();
        }
    }

    /// Lets all pages go if they are too many.
    fn let_go(&self) {
        self.touched.store(0, Ordering::Relaxed);
        if taken_memory() <= self.most {
            return;
        }
        self.pages().retain(|pages| match pages.upgrade() {
            Some(pages) => {
                pages.let_go();
                true
            }
            None => false,
        });
    }
}

impl Drop for ScratchFiles {
    fn drop(&mut self) {
        self.shelf.is_closed.store(true, Ordering::Relaxed);
        if let Some(keeper) = self.keeper.take() {
            keeper.thread().unpark();
            let _ = keeper.join();
        }
    }
}

impl Scratch for ScratchFiles {
    fn zeros(&self, len: usize) -> Option<Box<dyn Stored>> {
        if len.saturating_mul(size_of::<f32>()) < LEAST {
            return None;
        }
        match ScratchValues::zeros(&self.folder, len) {
            Ok(values) => {
                self.keep();
                self.shelf.pages().extend(values.pages().map(Arc::downgrade));
                Some(Box::new(Filed { values, shelf: Arc::clone(&self.shelf) }))
            }
            Err(error) => {
                let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                failure.get_or_insert_with(|| {
                    format!("could not write scratch files in {}: {error}", self.folder.display())
                });
                None
            }
        }
    }

    fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn touched(&self, bytes: usize) {
        self.shelf.touched(bytes as u64);
    }

    fn room(&self) -> u64 {
        room(&self.folder)
    }

    fn place(&self) -> String {
        self.folder.display().to_string()
    }
}

/// Numbers in a file of its own.
struct Filed {
    values: ScratchValues,
    shelf: Arc<Shelf>,
}

impl AsRef<[f32]> for Filed {
    fn as_ref(&self) -> &[f32] {
        self.shelf.pass();
        self.values.as_ref()
    }
}

impl AsMut<[f32]> for Filed {
    fn as_mut(&mut self) -> &mut [f32] {
        self.shelf.pass();
        self.values.as_mut()
    }
}

impl Stored for Filed {}

/// Where scratch files lie if nobody says: in the system's folder for what is temporary or, where that lies in the
/// memory itself, in the one for what is temporary and large.
pub(crate) fn usual_folder() -> PathBuf {
    let folder = std::env::temp_dir();
    let large = Path::new("/var/tmp");
    match is_memory(&folder) && large.is_dir() && !is_memory(large) {
        true => large.to_owned(),
        false => folder,
    }
}

/// Whether what lies in a folder lies in the memory.
#[cfg(target_os = "linux")]
pub(crate) fn is_memory(folder: &Path) -> bool {
    use nix::sys::statfs::{TMPFS_MAGIC, statfs};
    statfs(folder).is_ok_and(|disk| disk.filesystem_type() == TMPFS_MAGIC)
}

/// Elsewhere nobody says.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_memory(_: &Path) -> bool {
    false
}

/// Bytes that are free on a folder's disk for whoever runs this; without an end where nobody says.
#[cfg(unix)]
fn room(folder: &Path) -> u64 {
    let Ok(disk) = nix::sys::statvfs::statvfs(folder) else { return u64::MAX };
    #[allow(clippy::useless_conversion, reason = "not of this width everywhere")]
    u64::from(disk.blocks_available()).saturating_mul(u64::from(disk.fragment_size()))
}

/// Elsewhere the files themselves tell.
#[cfg(not(unix))]
fn room(_: &Path) -> u64 {
    u64::MAX
}

#[cfg(test)]
mod tests {
    use graph::Storage;

    use super::*;

    #[test]
    fn numbers_stay_what_they_are_while_the_keeper_lets_their_pages_go() {
        let folder = tempfile::tempdir().unwrap();
        // No process has so little.
        let files = Arc::new(ScratchFiles::new(folder.path().to_owned(), 1));
        let storage = Storage::scratch(Arc::clone(&files) as Arc<dyn Scratch>);
        let mut values = storage.zeros(LEAST);
        for round in 0..4 {
            for (at, x) in values.iter_mut().enumerate() {
                assert!(round == 0 || *x == (at + round - 1) as f32);
                *x = (at + round) as f32;
            }
            thread::sleep(2 * NAP);
        }
        assert_eq!(values.clone(), values);
        assert!(files.failure().is_none() && files.room() < u64::MAX);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    /// How many bytes of the mapping at `place` the process holds.
    #[cfg(target_os = "linux")]
    fn held(place: *const f32) -> u64 {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let begins = format!("{:x}-", place as usize);
        let mut lines = maps.lines().skip_while(|line| !line.starts_with(&begins));
        let line = lines.find_map(|line| line.strip_prefix("Rss:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_told_to_have_been_touched_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        // No process has so little; and no keeper is in.
        let files = ScratchFiles::new(folder.path().to_owned(), 1);
        let mut values = ScratchValues::zeros(folder.path(), 1 << 20).unwrap();
        files.shelf.pages().extend(values.pages().map(Arc::downgrade));
        values.as_mut().fill(1.0);
        let place = values.as_ref().as_ptr();
        assert!(held(place) > 0);
        files.touched(1);
        assert_eq!(held(place), 0);
        assert!(values.as_ref().iter().all(|x| *x == 1.0));
    }

    #[test]
    fn what_finds_no_room_lies_in_memory_and_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let files = ScratchFiles::new(folder.path().join("none"), 1);
        assert!(files.zeros(10).is_none() && files.failure().is_none());
        assert!(files.zeros(LEAST).is_none());
        let told = files.failure().unwrap();
        assert!(told.contains("none") && told.starts_with("could not"), "{told}");
    }
}
