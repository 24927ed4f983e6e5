//! Regions: where each part of the objective counts. Each region has a gradient of its own, which is
//! transformed by itself; the steps' direction is the sum of them, each times its region's map. So what
//! happens in one region does not depend on any other, and outside all of them nothing changes.

mod apart;
mod directions;
mod map;
mod masks;
mod planned;

pub(crate) use directions::{At, Directions};
pub(crate) use masks::{Mask, Masks};
pub(crate) use planned::{
    RegionMasks, any_follows, backwards, masks, moved, names, pictures, replaced,
};
