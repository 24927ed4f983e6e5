//! How the program ends when something is wrong: a text that says what, where and the way out, and
//! an exit code that says whose fault it was.

use std::fmt;
use std::process::ExitCode;

/// What was wrong, as far as a script that calls the program wants to know. The number is the exit
/// code; [`TABLE`] is what `--help` says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fault {
    /// The command line; clap's own errors have this code too.
    Usage = 2,
    /// A picture or a video that was to be read.
    Picture = 3,
    /// A network that was to be loaded.
    Model = 4,
    /// A recipe, a layer or a value that does not fit the network or the picture.
    Recipe = 5,
    /// A file that was to be written.
    Output = 6,
    /// The work would not fit in the memory that is free.
    Memory = 7,
    /// Fast kernels that do not compute what plain loops do.
    Disagreement = 8,
    /// Ctrl-C.
    Interrupted = 130,
}

/// The exit codes, as `deepdream --help` lists them.
pub(crate) const TABLE: &str = "\
Exit codes:
    0  all is done
    2  the command line is wrong
    3  a picture or a video cannot be read
    4  a network cannot be found or loaded
    5  the recipe, a layer or a value does not fit
    6  an output cannot be written, or exists already
    7  there is not enough free memory
    8  `check` found a layer that differs from plain loops
  130  stopped by Ctrl-C";

/// Why the program ends early.
#[derive(Debug)]
pub(crate) struct Failure {
    fault: Fault,
    what: String,
    way_out: Option<String>,
}

impl Failure {
    /// A failure with the text of what was wrong.
    pub(crate) fn new(fault: Fault, what: impl fmt::Display) -> Self {
        Self { fault, what: what.to_string(), way_out: None }
    }

    /// The same failure with what to do about it.
    pub(crate) fn or(self, way_out: impl Into<String>) -> Self {
        Self { way_out: Some(way_out.into()), ..self }
    }

    /// Whose fault it was.
    pub(crate) fn fault(&self) -> Fault {
        self.fault
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.fault as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "deepdream: {}", self.what)?;
        match &self.way_out {
            Some(way_out) => write!(f, "\n  {way_out}"),
            None => Ok(()),
        }
    }
}
