//! A folder of its own for each test, with the program and small pictures in it.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use image::{Rgb, RgbImage};

/// Flags of a dream that takes no time: one step on a shallow layer.
pub(crate) const QUICK: [&str; 6] = ["--layer", "conv1", "--octaves", "1", "--iterations", "1"];

/// Flags of a dream that leaves the picture as it was, so that what is around it can be judged.
pub(crate) const STILL: [&str; 10] = [
    "--layer",
    "conv1",
    "--octaves",
    "1",
    "--iterations",
    "1",
    "--step",
    "0",
    "--preset",
    "classic",
];

/// A folder that goes away with the test.
pub(crate) struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The program, started in the folder, with no networks but the built-in one.
    pub(crate) fn deepdream(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deepdream"));
        command.current_dir(self.folder.path()).env("DEEPDREAM_HOME", self.path("home"));
        command
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// Writes [`picture`] in the format the name says.
    pub(crate) fn picture(&self, name: &str) -> PathBuf {
        picture(40, 24).save(self.path(name)).unwrap();
        self.path(name)
    }

    pub(crate) fn open(&self, name: &str) -> image::DynamicImage {
        image::open(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Every file and folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<String> =
            entries.map(|entry| name(entry).into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A picture no turn or mirroring leaves as it is.
pub(crate) fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, ((x * 7 + y * 3) % 256) as u8])
    })
}

/// A file or folder among the shared test files.
pub(crate) fn shared(path: impl AsRef<Path>) -> PathBuf {
    testkit::shared().join(path)
}

/// A disk of little room in a folder of its own, which goes away with it.
#[cfg(target_os = "linux")]
pub(crate) struct SmallDisk(PathBuf);

#[cfg(target_os = "linux")]
impl SmallDisk {
    /// A disk of `size`, such as `128k`, in `folder`; `None`, and it says so, where only an administrator
    /// may make one.
    pub(crate) fn new(folder: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir(&folder).unwrap();
        if mount(&["mount", "-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"], &folder) {
            return Some(Self(folder));
        }
        println!("skipped: only an administrator can make a small disk");
        None
    }

    /// Takes all room that is left but some kilobytes.
    pub(crate) fn fill(&self, left: u64) {
        // Who writes meanwhile needs more than what was counted.
        loop {
            let all = nix::sys::statvfs::statvfs(&self.0).unwrap();
            let used = (all.blocks() - all.blocks_free()) * all.fragment_size() / 1024;
            if self.is_resized(&format!("{}k", used + left)) {
                return;
            }
        }
    }

    /// Gives it so much room in all.
    pub(crate) fn resize(&self, size: &str) {
        assert!(self.is_resized(size));
    }

    fn is_resized(&self, size: &str) -> bool {
        mount(&["mount", "-o", &format!("remount,size={size}")], &self.0)
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        mount(&["umount"], &self.0);
    }
}

/// Whether a command that ends in the folder succeeds.
#[cfg(target_os = "linux")]
fn mount(command: &[&str], folder: &Path) -> bool {
    use std::process::{Command, Stdio};
    let mut command_line = Command::new(command[0]);
    command_line.args(&command[1..]).arg(folder).stderr(Stdio::null());
    command_line.status().is_ok_and(|status| status.success())
}
