//! Numbers that lie in a file of their own, for pictures that are larger than the memory (the feature `mmap`).
//!
//! The file has no name from the beginning on, so that it is gone however the process ends, and all its bytes are
//! had before it is used: a full disk is an error here, and not the end of the process later.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use memmap2::{MmapOptions, MmapRaw};

/// Numbers in a scratch file, at first all 0.
pub struct ScratchValues {
    /// `None` of no numbers, which no file can be mapped for.
    pages: Option<Arc<Pages>>,
    len: usize,
}

/// The pages of a scratch file that the process holds in its memory, as many as have been touched of late.
pub struct Pages(MmapRaw);

impl ScratchValues {
    /// `len` zeros in a new file on the disk of `folder`.
    ///
    /// # Errors
    /// The folder cannot be written in, or its disk has no room.
    pub fn zeros(folder: &Path, len: usize) -> io::Result<Self> {
        let bytes = len.checked_mul(size_of::<f32>()).ok_or(io::ErrorKind::FileTooLarge)?;
        if bytes == 0 {
            return Ok(Self { pages: None, len });
        }
        let file = tempfile::tempfile_in(folder)?;
        fill(&file, bytes)?;
        let pages = MmapOptions::new().len(bytes).map_raw(&file)?;
        Ok(Self { pages: Some(Arc::new(Pages(pages))), len })
    }

    /// The pages that they lie on.
    pub fn pages(&self) -> Option<&Arc<Pages>> {
        self.pages.as_ref()
    }
}

impl Pages {
    /// Takes all of them out of the process's memory; they come back from the file when they are touched. Where
    /// the system cannot, it takes out what it sees fit.
    pub fn let_go(&self) {
        // SAFETY: of a shared mapping of a file, the system gives back what was written.
        #[cfg(all(unix, not(miri)))]
        let _ = unsafe { self.0.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
    }
}

impl AsRef<[f32]> for ScratchValues {
    fn as_ref(&self) -> &[f32] {
        let Some(pages) = &self.pages else { return &[] };
        // SAFETY: the mapping begins on a page and is as long as the numbers. No other process has its file, which
        // has no name, nor maps it anybody else here; any bytes are numbers, and they are borrowed with `self`.
        unsafe { std::slice::from_raw_parts(pages.0.as_ptr().cast(), self.len) }
    }
}

impl AsMut<[f32]> for ScratchValues {
    fn as_mut(&mut self) -> &mut [f32] {
        let Some(pages) = &self.pages else { return &mut [] };
        // SAFETY: as above, and borrowed mutably: `Pages` show nobody what is on them.
        unsafe { std::slice::from_raw_parts_mut(pages.0.as_mut_ptr().cast(), self.len) }
    }
}

/// Makes an empty file so many zeros long, for each of which the disk has room.
#[cfg(target_os = "linux")]
fn fill(file: &File, bytes: usize) -> io::Result<()> {
    let length = i64::try_from(bytes).map_err(|_| io::ErrorKind::FileTooLarge)?;
    loop {
        match nix::fcntl::posix_fallocate(file, 0, length) {
            // Of which the program hears in other ways.
            Err(nix::errno::Errno::EINTR) => {}
            had => return Ok(had?),
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn fill(mut file: &File, bytes: usize) -> io::Result<()> {
    let zeros = vec![0; bytes.min(1 << 20)];
    let mut left = bytes;
    while left > 0 {
        let part = left.min(zeros.len());
        io::Write::write_all(&mut file, &zeros[..part])?;
        left -= part;
    }
    Ok(())
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_there_when_pages_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut values = ScratchValues::zeros(folder.path(), 100_001).unwrap();
        assert!(values.as_ref().len() == 100_001 && values.as_ref().iter().all(|x| *x == 0.0));
        values.as_mut().iter_mut().enumerate().for_each(|(at, x)| *x = at as f32);
        let pages = Arc::clone(values.pages().unwrap());
        for _ in 0..3 {
            pages.let_go();
            assert!(values.as_ref().iter().enumerate().all(|(at, x)| *x == at as f32));
            values.as_mut()[70_000] += 1.0;
            pages.let_go();
            assert_eq!(values.as_ref()[70_000], 70_001.0);
            values.as_mut()[70_000] -= 1.0;
        }
        // No name leads to the file.
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        assert!(ScratchValues::zeros(folder.path(), 0).unwrap().as_mut().is_empty());
    }

    #[test]
    fn a_folder_that_is_not_there_and_a_disk_that_is_too_small_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ScratchValues::zeros(&folder.path().join("none"), 1).is_err());
        assert!(ScratchValues::zeros(folder.path(), usize::MAX / 16).is_err());
        assert!(ScratchValues::zeros(folder.path(), usize::MAX).is_err());
    }
}
