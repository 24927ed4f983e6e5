//! Where a convolution's sums go.

use std::marker::PhantomData;

use crate::{BlockedMap, MapMut, Relu, Vec16, WriteMode};

/// Where a convolution's sums go. Masks have an entry for each of the output's pixels and a bit for each
/// channel.
#[derive(Clone, Copy)]
pub struct Output<'a> {
    /// The output.
    pub y: &'a SharedMap<'a>,
    /// Whether sums are added to what is there.
    pub mode: WriteMode,
    /// Whether the bias is the sums' start.
    pub bias: bool,
    /// With it, sums go through ReLU, and it receives where that has a slope.
    pub relu_mask: Option<&'a SharedMask<'a>>,
    /// With it, the sums of channels whose bit is not set become zero.
    pub mask: Option<&'a [u16]>,
}

impl Output<'_> {
    /// # Panics
    /// If a mask is not the map's.
    #[track_caller]
    pub(crate) fn check(&self) {
        let pixels = self.y.map.pixels();
        let lengths = [self.relu_mask.map(|mask| mask.len), self.mask.map(<[u16]>::len)];
        let whole = lengths.iter().flatten().all(|&len| len == pixels);
        assert!(whole, "the mask is not the map's");
    }

    /// Whether the other output writes to any memory that this one writes to.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let same = |a: &SharedMask<'_>, b: &SharedMask<'_>| a.data == b.data;
        self.y.data == other.y.data
            || self.relu_mask.zip(other.relu_mask).is_some_and(|(a, b)| same(a, b))
    }
}

/// A map that several convolutions of one [`run`](super::run) may write to.
pub struct SharedMap<'a> {
    pub(crate) map: BlockedMap,
    pub(crate) data: *mut Vec16,
    borrowed: PhantomData<&'a mut [Vec16]>,
}

impl<'a> SharedMap<'a> {
    /// The whole map.
    pub fn new(y: MapMut<'a>) -> Self {
        let map = *y.map();
        Self { map, data: y.into_vectors().as_mut_ptr(), borrowed: PhantomData }
    }
}

/// A mask that a convolution of a [`run`](super::run) writes.
pub struct SharedMask<'a> {
    pub(crate) data: *mut u16,
    pub(crate) most: f32,
    len: usize,
    borrowed: PhantomData<&'a mut [u16]>,
}

impl<'a> SharedMask<'a> {
    /// The whole mask of a ReLU.
    pub fn new(Relu { mask, most }: Relu<'a>) -> Self {
        Self { data: mask.as_mut_ptr(), most, len: mask.len(), borrowed: PhantomData }
    }
}
