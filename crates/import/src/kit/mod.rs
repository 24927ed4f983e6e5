//! What all readers build networks with: the gate into the graph, bounds, and arrays that are known while
//! a network is loaded.

mod activation;
mod array;
mod assembly;
mod entry;
mod geometry;
mod limits;
mod normalise;
mod obstacle;
mod order;
mod places;

pub(crate) use activation::Activation;
pub(crate) use array::{Array, MAX_GROWN, MAX_RANK, Slice, Values, place, sizes_for, values_of};
pub(crate) use assembly::{Assembly, MAX_WINDOW};
pub(crate) use entry::{Axis, Channel, Entry, between};
pub(crate) use geometry::MAX_BLOCK;
pub(crate) use limits::{
    MAX_NODES, all_finite, check_numbers, check_size, no_numbers, read_again, within,
};
pub(crate) use normalise::normalised_by;
pub(crate) use obstacle::first_obstacle;
pub(crate) use order::order;

pub(crate) use crate::printable::make_printable;
