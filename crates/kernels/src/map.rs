//! How activations lie in memory: sixteen channels together, with a border of zeros.
//!
//! A map of C channels is `ceil(C / 16)` blocks; a block is rows of pixels, a pixel is one [`Vec16`] of
//! sixteen channels (the `nChw16c` layout). A channel's slot is its number in this order, blocks first:
//! slot / 16 is its block, slot % 16 its place in the vector. Around each block lies a halo of zeros, so
//! that a window at the border reads zeros instead of asking where it is. Slots that hold no channel are
//! zero.

/// Sixteen channels of one pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub struct Vec16(pub [f32; 16]);

/// The extent of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockedMap {
    /// Blocks of sixteen channels.
    pub blocks: usize,
    /// Rows of the picture.
    pub height: usize,
    /// Columns of the picture.
    pub width: usize,
    /// Rows and columns of zeros on each side.
    pub halo: usize,
}

impl BlockedMap {
    /// Vectors in one row, halo and all.
    pub fn pitch(&self) -> usize {
        self.width + 2 * self.halo
    }

    /// Vectors in one block.
    pub fn block(&self) -> usize {
        (self.height + 2 * self.halo) * self.pitch()
    }

    /// Vectors in all.
    pub fn vectors(&self) -> usize {
        self.blocks * self.block()
    }

    /// Pixels of all blocks, without the halo: the length of a mask or of a pool's argmax.
    pub fn pixels(&self) -> usize {
        self.blocks * self.height * self.width
    }

    /// The number of a block's pixel; `row` and `column` may lie in the halo.
    pub fn at(&self, block: usize, row: isize, column: isize) -> usize {
        let (row, column) = (row + self.halo as isize, column + self.halo as isize);
        debug_assert!(row >= 0 && column >= 0);
        block * self.block() + row as usize * self.pitch() + column as usize
    }

    /// The pixel's number in a mask.
    pub fn pixel(&self, block: usize, row: usize, column: usize) -> usize {
        (block * self.height + row) * self.width + column
    }
}

/// A pointer that threads share to write disjoint parts of one slice.
pub(crate) struct SharedPtr<T>(*mut T);

impl<T> Clone for SharedPtr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for SharedPtr<T> {}

// SAFETY: whoever dereferences it promises that no two threads touch the same element.
unsafe impl<T: Send> Send for SharedPtr<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for SharedPtr<T> {}

impl<T> SharedPtr<T> {
    pub(crate) fn of(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr())
    }

    pub(crate) fn of_pointer(pointer: *mut T) -> Self {
        Self(pointer)
    }

    /// Of a slice that is only read.
    pub(crate) fn reading(slice: &[T]) -> Self {
        Self(slice.as_ptr().cast_mut())
    }

    /// The pointer; a method, so that a closure captures the whole wrapper.
    pub(crate) fn get(self) -> *mut T {
        self.0
    }
}

/// Zeroes the halo of rows `rows` of one block: the columns beside each, and the rows above the first
/// and below the last of the map.
///
/// # Safety
/// `block` points to the first vector of a block of `map`, and nobody else touches the block.
pub(crate) unsafe fn clear_halo(map: &BlockedMap, block: *mut Vec16, rows: std::ops::Range<usize>) {
    let (halo, pitch) = (map.halo, map.pitch());
    if halo == 0 {
        return;
    }
    // SAFETY: every range lies inside the block, by the map's own extents.
    unsafe {
        if rows.start == 0 {
            block.write_bytes(0, halo * pitch);
        }
        for row in rows.clone() {
            let start = block.add((row + halo) * pitch);
            start.write_bytes(0, halo);
            start.add(halo + map.width).write_bytes(0, halo);
        }
        if rows.end == map.height {
            block.add((halo + map.height) * pitch).write_bytes(0, halo * pitch);
        }
    }
}

/// What becomes of the values that a backward kernel finds in its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// They are overwritten, and the halo is cleared.
    Overwrite,
    /// The result is added to them; the halo stays.
    Accumulate,
}
