//! Model files as they come: on disk, of each format, whole and broken.

mod folding;
mod load;
mod tensorflow;
