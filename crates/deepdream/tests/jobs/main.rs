//! Jobs as another program meets them: requests in, events and files out.

mod errors;
mod events;
mod gallery;
mod layers;
mod room;
mod side_by_side;
