//! How the program ends when something is wrong: a text that says what, where and the way out, and an
//! exit code that says whose fault it was.

use std::process::ExitCode;

use deepdream::{Error, Fault};

use crate::{hints, interrupt};

/// The exit codes, as `deepdream --help` lists them.
pub(crate) const TABLE: &str = "\
Exit codes:
    0  everything is done
    2  the command line is wrong
    3  a picture or a video cannot be read
    4  a network cannot be found, downloaded or loaded
    5  the recipe, a layer or a value does not fit
    6  an output cannot be written, or exists already
    7  there is not enough free memory
    8  `check` found a layer that differs from plain loops
  130  stopped by Ctrl-C; 143 by SIGTERM, 129 by SIGHUP";

/// The exit code for a fault; [`TABLE`] is what `--help` says of it. Clap's own errors have that of
/// [`Fault::Usage`].
pub(crate) fn code(fault: Fault) -> ExitCode {
    ExitCode::from(match fault {
        Fault::Picture => 3,
        Fault::Model => 4,
        Fault::Recipe => 5,
        Fault::Output => 6,
        Fault::Memory => 7,
        Fault::Kernels => 8,
        Fault::Cancelled => interrupt::code(),
        _ => 2,
    })
}

/// What happened, and each way out on a line of its own.
pub(crate) fn text(error: &Error) -> String {
    let lines = hints::hints(error).into_iter().map(|hint| format!("\n  {hint}"));
    format!("deepdream: {}", error.message()) + &lines.collect::<String>()
}
