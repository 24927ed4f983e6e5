//! The installed ffmpeg and ffprobe as processes: started, listened to, ended.

use std::io::Read;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use thiserror::Error;

/// The most bytes of a program's error output that are kept.
const MOST_STDERR: usize = 4096;

/// The first version that keeps exact timestamps with the options used here.
const OLDEST: (u32, u32) = (5, 1);

/// How to get it.
pub(crate) const INSTALL: &str =
    "Install it: apt install ffmpeg, brew install ffmpeg or winget install ffmpeg.";

/// One of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// Reads and writes files.
    Ffmpeg,
    /// Describes files.
    Ffprobe,
}

impl Program {
    /// Its command.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Program::Ffmpeg => "ffmpeg",
            Program::Ffprobe => "ffprobe",
        }
    }

    /// A command that calls it, which prints nothing but errors, reads nothing but files and pipes, and
    /// does not get a Ctrl-C that is meant for this program.
    pub(crate) fn command(self) -> Command {
        let mut command = Command::new(self.name());
        command.args(["-hide_banner", "-v", "error"]);
        if self == Program::Ffmpeg {
            command.args(["-nostats", "-y"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            command.process_group(0);
        }
        command
    }
}

/// Adds an input that can only be a local file, whatever its name and content say.
pub(crate) fn input(command: &mut Command, path: &std::path::Path) {
    let mut name = std::ffi::OsString::from("file:");
    name.push(path);
    command.args(["-protocol_whitelist", "file"]).arg("-i").arg(name);
}

/// Why ffmpeg or ffprobe did not do its work.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FfmpegError {
    /// It is not installed.
    #[error("{0} is not installed")]
    Missing(&'static str),
    /// It is too old to be trusted with timestamps.
    #[error(
        "the installed ffmpeg is version {0}, but version {major}.{minor} or later is needed",
        major = OLDEST.0,
        minor = OLDEST.1
    )]
    Old(String),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It ended with an error.
    #[error("{program} failed ({status}){}", after_colon(.stderr))]
    Failed {
        /// Which program.
        program: &'static str,
        /// How it ended.
        status: String,
        /// The end of its error output.
        stderr: String,
    },
}

impl FfmpegError {
    /// What to do about it, if anything.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing(_) => Some(INSTALL.to_owned()),
            Self::Old(_) => Some("Put a newer ffmpeg first in PATH.".to_owned()),
            Self::Io(_) | Self::Failed { .. } => None,
        }
    }

    /// Whether ffmpeg itself has to be installed or replaced first.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing(_) | Self::Old(_))
    }
}

fn after_colon(text: &str) -> String {
    match text.trim() {
        "" => String::new(),
        text => format!(": {text}"),
    }
}

/// Refuses an ffmpeg that is missing or too old.
///
/// # Errors
/// [`FfmpegError::Missing`], [`FfmpegError::Old`], or the operating system's word.
pub fn check() -> Result<(), FfmpegError> {
    let mut command = Command::new(Program::Ffmpeg.name());
    command.arg("-version").stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().map_err(|error| cannot_start(Program::Ffmpeg, error))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match version(&text) {
        Some((version, name)) if version < OLDEST => Err(FfmpegError::Old(name)),
        _ => Ok(()),
    }
}

/// The major and minor version, and the full text of it; `None` for a build between releases.
fn version(text: &str) -> Option<((u32, u32), String)> {
    let name = text.strip_prefix("ffmpeg version ")?.split_whitespace().next()?;
    let mut numbers = name.trim_start_matches('n').split(|letter: char| !letter.is_ascii_digit());
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next().and_then(|minor| minor.parse().ok()).unwrap_or(0);
    Some(((major, minor), name.to_owned()))
}

fn cannot_start(program: Program, error: std::io::Error) -> FfmpegError {
    match error.kind() {
        std::io::ErrorKind::NotFound => FfmpegError::Missing(program.name()),
        _ => error.into(),
    }
}

/// A running program. It is killed if it is dropped before it ends.
pub(crate) struct Running {
    program: Program,
    child: Child,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    /// Starts a [command](Program::command).
    ///
    /// # Errors
    /// The program is not there, or cannot be started.
    pub(crate) fn start(program: Program, command: &mut Command) -> Result<Self, FfmpegError> {
        let mut child = command.spawn().map_err(|error| cannot_start(program, error))?;
        let stderr = child.stderr.take();
        let mut running = Self { program, child, stderr: None };
        if let Some(stderr) = stderr {
            let listener = std::thread::Builder::new().spawn(move || listen(stderr))?;
            running.stderr = Some(listener);
        }
        Ok(running)
    }

    /// Its standard input, if that is a pipe; once.
    pub(crate) fn input(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Its standard output, if that is a pipe; once.
    pub(crate) fn output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits for its end; returns the end of its error output.
    ///
    /// # Errors
    /// It failed.
    pub(crate) fn end(&mut self) -> Result<String, FfmpegError> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        let stderr = self.stderr.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        if status.success() {
            return Ok(stderr);
        }
        let program = self.program.name();
        Err(FfmpegError::Failed { program, status: status.to_string(), stderr })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if matches!(self.child.try_wait(), Ok(None)) {
            // Nobody wants the rest of its work.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Reads all error output and keeps the end of it.
fn listen(mut stderr: impl Read) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = stderr.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..count]);
        if kept.len() > MOST_STDERR {
            kept.drain(..kept.len() - MOST_STDERR);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_builds_call_themselves() {
        let read = |name: &str| version(&format!("ffmpeg version {name} Copyright")).map(|v| v.0);
        assert_eq!(read("5.1.9-0+deb12u1"), Some((5, 1)));
        assert_eq!(read("4.4.2-0ubuntu0.22.04.1"), Some((4, 4)));
        assert_eq!(read("n7.0"), Some((7, 0)));
        assert_eq!(read("8.0-essentials_build-www.gyan.dev"), Some((8, 0)));
        assert_eq!(read("N-118193-g5f38c82536"), None);
        assert_eq!(version("nonsense"), None);
    }
}
