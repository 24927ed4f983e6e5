//! `completions` and `man`: what shells and manual readers want to know, made from the command line's
//! own definition, so that it is never out of date.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::console::print;
use crate::exit::{Failure, Fault};

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    /// The shell that will read them.
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Folder to write `deepdream.1` and a page for each subcommand into; made if it is not there.
    folder: Option<PathBuf>,
}

/// Writes a completion script.
pub(crate) fn completions(args: &CompletionArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "deepdream", &mut script);
    print(&script)
}

/// Writes the manual.
pub(crate) fn man(args: &ManArgs) -> Result<(), Failure> {
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command())
            .render(&mut page)
            .map_err(|error| Failure::new(Fault::Output, error))?;
        return print(&page);
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|error| {
            let folder = folder.display();
            Failure::new(Fault::Output, format!("{folder}: cannot write the manual: {error}"))
        })
}
