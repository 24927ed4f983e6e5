//! The program as its users meet it: run as a process, judged by its files, texts and exit codes.

mod bad_input;
mod batches;
mod check;
mod commands;
mod elsewhere;
mod forecasts;
mod frames;
mod golden;
mod guides;
mod interrupt;
mod large;
mod models;
mod movies;
mod numbers;
mod outputs;
mod pictures;
mod readme;
mod recipe_command;
mod recipes;
mod recipes_0_1;
mod regions;
#[cfg(feature = "studio")]
mod renders;
mod room;
mod steering;
#[cfg(feature = "studio")]
mod studio;
mod together;
mod usage;
mod videos;
