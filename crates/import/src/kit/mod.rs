//! What all readers build networks with: the gate into the graph, bounds, and arrays that are known while
//! a network is loaded.

mod activation;
mod array;
mod assembly;
mod geometry;
mod limits;

pub(crate) use activation::Activation;
pub(crate) use array::{Array, MAX_GROWN, Slice, Values};
pub(crate) use assembly::Assembly;
pub(crate) use limits::{MAX_NODES, check_numbers, check_size, within};

pub(crate) use crate::printable::make_printable;
