//! What each subcommand takes, asks for and answers.

pub(crate) mod bench;
pub(crate) mod channels;
pub(crate) mod check;
pub(crate) mod classify;
pub(crate) mod frames;
pub(crate) mod gallery;
pub(crate) mod generate;
pub(crate) mod help;
pub(crate) mod image;
pub(crate) mod layers;
pub(crate) mod models;
pub(crate) mod movie;
pub(crate) mod presets;
pub(crate) mod probe;
pub(crate) mod recipe;
#[cfg(feature = "studio")]
pub(crate) mod studio;
pub(crate) mod video;
pub(crate) mod zoom;
