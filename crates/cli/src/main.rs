//! The `deepdream` program: what is typed becomes a request, events become lines and bars, and errors
//! become texts and exit codes. How anything is done is the libraries' concern.

mod args;
mod array;
mod cli;
mod commands;
mod console;
mod exit;
mod hints;
mod interrupt;
mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use deepdream::Result;

use cli::{Cli, Command};

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", exit::text(&error));
            exit::code(error.fault())
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Image(args) => commands::image::image(&args),
        Command::Frames(args) => commands::frames::frames(&args),
        Command::Zoom(args) => commands::zoom::zoom(&args),
        Command::Video(args) => commands::video::video(&args),
        Command::Movie(args) => commands::movie::movie(&args),
        Command::Layers(args) => commands::layers::layers(&args),
        Command::Models(args) => commands::models::models(&args),
        Command::Classify(args) => commands::classify::classify(&args),
        Command::Probe(args) => commands::probe::probe(&args),
        Command::Bench(args) => commands::bench::bench(&args),
        Command::Check(args) => commands::check::check(&args),
        Command::Completions(args) => commands::generate::completions(&args, Cli::command()),
        Command::Man(args) => commands::generate::man(&args, Cli::command()),
    }
}
