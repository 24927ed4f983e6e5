//! `completions` and `man`: what shells and readers of manuals want to know, made from the command line's
//! own definition, so that it is never out of date.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;
use deepdream::{Error, Fault, Result};

use crate::complete;
use crate::console::write;

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    /// The shell that will read them.
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Folder to write `deepdream.1` and a page for each subcommand into; created if it does not exist.
    folder: Option<PathBuf>,
}

/// Writes a completion script.
pub(crate) fn completions(args: &CompletionArgs) -> Result<()> {
    let script = complete::script(&args.shell.to_string());
    write(&script.map_err(|error| Error::new(Fault::Output, error))?)
}

/// Writes the manual.
pub(crate) fn man(args: &ManArgs, cli: Command) -> Result<()> {
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(cli)
            .render(&mut page)
            .map_err(|error| Error::new(Fault::Output, error))?;
        return write(&page);
    };
    pages(folder, cli).map_err(|error| {
        let what = format!("could not write the manual into {}: {error}", folder.display());
        Error::new(Fault::Output, what).at(folder)
    })
}

/// Writes every page, whole or not at all, into a folder that is made if it is not there.
fn pages(folder: &Path, cli: Command) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    // Moved to their places, so that nothing is written through a link.
    let made = tempfile::Builder::new().prefix(".deepdream-").tempdir_in(folder)?;
    clap_mangen::generate_to(cli, made.path())?;
    for page in std::fs::read_dir(made.path())? {
        let page = page?;
        std::fs::rename(page.path(), folder.join(page.file_name()))?;
    }
    Ok(())
}
