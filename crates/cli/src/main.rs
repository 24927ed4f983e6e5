//! The `deepdream` program: what is typed becomes a request, events become lines and bars, and errors
//! become texts and exit codes. How anything is done is the libraries' concern.

mod args;
mod array;
mod cli;
mod commands;
mod complete;
mod console;
mod exit;
mod forecast;
mod hints;
mod interrupt;
mod progress_line;
mod results;
mod terminal;
mod units;
mod usage;
mod wildcard;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use deepdream::{Fault, Result};

use cli::{Cli, Command};
use console::say;

fn main() -> ExitCode {
    complete::answer();
    interrupt::start();
    let command = match Cli::try_parse() {
        Ok(Cli { command }) => command,
        Err(error) => return not_run(error),
    };
    ended(run(command))
}

/// Says what went wrong, if something did.
fn ended(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(exit::text(&error));
            exit::code(error.fault())
        }
    }
}

/// Answers a command line that runs nothing: one that asks for help or the version, or is wrong.
fn not_run(error: clap::Error) -> ExitCode {
    let asked = |error: &clap::Error| {
        matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
    };
    let mut cli = Cli::command();
    cli.build();
    let args: Vec<String> =
        std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let network = || complete::named(&std::env::args_os().skip(1).collect::<Vec<_>>());
    let help = usage::asks_for_help(&args, &cli)
        .and_then(|path| commands::help::explained(&path, network()));
    let error = help.unwrap_or(error);
    match error.kind() {
        _ if asked(&error) => ended(console::flushed(error.print())),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            exit::code(Fault::Usage)
        }
        _ => {
            say(usage::text(&error, &args, &cli));
            exit::code(Fault::Usage)
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        #[cfg(feature = "studio")]
        Command::Studio(args) => commands::studio::studio(&args),
        Command::Image(args) => commands::image::image(&args),
        Command::Frames(args) => commands::frames::frames(&args),
        Command::Zoom(args) => commands::zoom::zoom(&args),
        Command::Video(args) => commands::video::video(&args),
        Command::Movie(args) => commands::movie::movie(&args),
        Command::Help(args) => commands::help::help(&args),
        Command::Gallery(args) => commands::gallery::gallery(&args),
        Command::Channels(args) => commands::channels::channels(&args),
        Command::Recipe(args) => commands::recipe::recipe(&args),
        Command::Presets(args) => commands::presets::presets(&args),
        Command::Layers(args) => commands::layers::layers(&args),
        Command::Models(args) => commands::models::models(&args),
        Command::Classify(args) => commands::classify::classify(&args),
        Command::Probe(args) => commands::probe::probe(&args),
        Command::Bench(args) => commands::bench::bench(&args),
        Command::Check(args) => commands::check::check(&args),
        Command::Completions(args) => commands::generate::completions(&args),
        Command::Man(args) => commands::generate::man(&args, Cli::command()),
    }
}
