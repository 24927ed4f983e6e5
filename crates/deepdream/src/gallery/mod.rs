//! Galleries: what a network's layers, channels or classes make of a photo or of noise, side by side.

mod cells;
mod folder;

pub(crate) use cells::{Asked, CHANNELS, Cell, cells, unguided};
pub(crate) use folder::CellFolder;
