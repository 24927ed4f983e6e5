//! The studio: one page on one's own machine in which people dream. An HTTP server that holds the state, a page
//! that draws it, and threads that compute.
//!
//! It knows nothing of networks, recipes' meaning and codecs: a [`Workshop`] does. What changes anything needs
//! a token, which no other page in the same browser has; pictures and events, for which browsers send no
//! headers, are under a path that nobody guesses.

mod assets;
mod desk;
mod events;
mod fetch;
mod frames;
mod gallery;
mod gather;
mod guard;
mod history;
mod kept;
mod lanes;
mod library;
mod looks;
mod page;
mod photos;
mod pictures;
mod problem;
mod queue;
mod render;
mod room_on_disk;
mod routes;
mod running;
mod secret;
mod server;
mod session;
mod shelf;
mod table;
mod upload;
mod variations;
mod workshop;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use render::{Clip, Done, Foreseen, Render, Rendered, Wanted};
pub use running::window_of_running;
pub use server::Studio;
pub use workshop::{
    Change, Dream, Failure, Fetched, Lane, Look, Order, Picture, Sample, Source, Step, Watch,
    Workshop,
};

/// The port that the studio has where it is free.
pub const PORT: u16 = 8037;

/// How a studio is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether it takes the next free port of ten if that one is taken.
    pub next_port: bool,
    /// Names, beside those of this machine, under which it is reached.
    pub hosts: Vec<String>,
    /// The token that opens it. Default: a new one.
    pub token: Option<String>,
    /// The folder for its files.
    pub folder: PathBuf,
    /// The longest side, in pixels, of the dream that is steered.
    pub stage: u32,
}

impl Options {
    /// A studio for this machine alone, whose files are in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], PORT)),
            next_port: true,
            hosts: Vec::new(),
            token: None,
            folder,
            stage: 1280,
        }
    }
}
