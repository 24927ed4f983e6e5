//! `help`: what `--help` says, for those who ask in a word.

use clap::error::ErrorKind;
use clap::{Args, Parser};
use deepdream::{Error, Fault, Result};

use crate::cli::Cli;
use crate::console::print;

/// Arguments of `help`.
#[derive(Debug, Args)]
pub(crate) struct HelpArgs {
    /// The command to explain. Default: list all commands.
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

/// Explains a command.
pub(crate) fn help(args: &HelpArgs) -> Result<()> {
    let command = args.command.iter().map(String::as_str);
    let asked = ["deepdream"].into_iter().chain(command).chain(["--help"]);
    match Cli::try_parse_from(asked) {
        Err(answer) if answer.kind() == ErrorKind::DisplayHelp => print(answer.to_string()),
        _ => {
            let what = format!("there is no command `{}`", args.command.join(" "));
            Err(Error::new(Fault::Usage, what).hint("`deepdream help` lists the commands."))
        }
    }
}
