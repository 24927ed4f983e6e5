//! The `deepdream` program: what is typed becomes a recipe, files become pictures and networks, and
//! what the dream gives back becomes files again.

mod array;
mod cli;
mod commands;
mod console;
mod exit;
mod film;
mod frames;
mod interrupt;
mod machine;
mod media_failure;
mod model;
mod output;
mod places;
mod progress;
mod recipe_args;
mod video;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use exit::Failure;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            failure.code()
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
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
        Command::Completions(args) => commands::generate::completions(&args),
        Command::Man(args) => commands::generate::man(&args),
    }
}
