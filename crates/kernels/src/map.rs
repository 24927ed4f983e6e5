//! How activations lie in memory: sixteen channels together, with a border of zeros.
//!
//! A map of C channels is `ceil(C / 16)` blocks; a block is rows of pixels, a pixel is one [`Vec16`] of
//! sixteen channels (the `nChw16c` layout). A channel's slot is its number in this order, blocks first:
//! slot / 16 is its block, slot % 16 its place in the vector. Around each block lies a halo of zeros, so
//! that a window at the border reads zeros instead of asking where it is. Slots that hold no channel are
//! zero.

use std::ops::Range;

/// Sixteen channels of one pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub struct Vec16(pub [f32; 16]);

/// The extent of a map. It fits the address space, whatever the map holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockedMap {
    blocks: usize,
    height: usize,
    width: usize,
    halo: usize,
    /// Rows that are kept: all, or a power of two.
    kept: usize,
}

impl BlockedMap {
    /// A map of `blocks` blocks of sixteen channels, `height` × `width` pixels each, with `halo` rows and
    /// columns of zeros on each side; `None` if it would be larger than the address space.
    pub fn new(blocks: usize, height: usize, width: usize, halo: usize) -> Option<Self> {
        let side = |extent: usize| Some(halo.checked_mul(2)?.checked_add(extent)?.max(1));
        let fits = |vectors: usize| {
            let bytes = vectors.checked_mul(size_of::<Vec16>())?;
            (bytes <= isize::MAX as usize).then_some(vectors)
        };
        let own = fits(side(height)?.checked_mul(side(width)?)?)?;
        fits(apart(own).checked_mul(blocks.max(1))?)?;
        Some(Self { blocks, height, width, halo, kept: height })
    }

    /// The same map, of which only the last few rows are kept, each in the place of the one that is `rows` above it.
    /// It has all rows for kernels that say so.
    ///
    /// # Panics
    /// If the map has a halo, or the rows are no power of two below its height.
    pub fn ring(&self, rows: usize) -> Self {
        let fits = rows.is_power_of_two() && rows < self.height && self.halo == 0;
        assert!(fits, "a map cannot be a ring of {rows} rows");
        Self { kept: rows, ..*self }
    }

    /// The same map with other blocks, or `None` as for [`Self::new`].
    pub fn with_blocks(&self, blocks: usize) -> Option<Self> {
        let map = Self::new(blocks, self.height, self.width, self.halo)?;
        Some(Self { kept: self.kept, ..map })
    }

    /// A map of one block that is like each of these.
    pub(crate) fn first_block(&self) -> Self {
        Self { blocks: 1, ..*self }
    }

    /// Rows that are kept: all, unless it is a [ring](Self::ring).
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// Blocks of sixteen channels.
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// Rows of the picture.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of the picture.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows and columns of zeros on each side.
    pub fn halo(&self) -> usize {
        self.halo
    }

    /// Vectors in one row, halo and all.
    pub fn pitch(&self) -> usize {
        self.width + 2 * self.halo
    }

    /// Vectors from one block to the next: at least [those](Self::own) of one block.
    pub fn block(&self) -> usize {
        apart(self.own())
    }

    /// Vectors in one block, halo and all. What lies between them and the next block holds anything.
    pub(crate) fn own(&self) -> usize {
        (self.kept + 2 * self.halo) * self.pitch()
    }

    /// Vectors in all.
    pub fn vectors(&self) -> usize {
        self.blocks * self.block()
    }

    /// Pixels of all blocks, without the halo: the length of a mask, a sixteenth of a pool's argmax.
    pub fn pixels(&self) -> usize {
        self.blocks * self.height * self.width
    }

    /// The number of a block's pixel among the vectors; `row` and `column` may lie in the halo.
    pub fn at(&self, block: usize, row: isize, column: isize) -> usize {
        let (row, column) = (row + self.halo as isize, column + self.halo as isize);
        debug_assert!(row >= 0 && column >= 0);
        let row = if self.kept < self.height { row & (self.kept as isize - 1) } else { row };
        block * self.block() + row as usize * self.pitch() + column as usize
    }

    /// The pixel's number in a mask.
    pub fn pixel(&self, block: usize, row: usize, column: usize) -> usize {
        (block * self.height + row) * self.width + column
    }

    /// Asserts that the other map has the same blocks, rows and columns; halos may differ.
    #[track_caller]
    pub(crate) fn assert_same_extent(&self, other: &Self) {
        assert_eq!(
            (self.blocks, self.height, self.width),
            (other.blocks, other.height, other.width),
            "the maps differ in extent"
        );
    }
}

/// From how many vectors on blocks are kept apart: less than that would be small beside what keeps them apart.
const LARGE: usize = 1024;

/// How many vectors lie between the starts of two blocks of so many. The same pixel of all blocks is often needed at
/// once. If the distance were a multiple of a page, all would share the few places that a cache has for an address;
/// so each begins somewhat farther on in its page than the one before.
fn apart(vectors: usize) -> usize {
    const PAGE: usize = 4096 / size_of::<Vec16>();
    const SHIFT: usize = 17;
    if vectors < LARGE { vectors } else { vectors + (SHIFT + PAGE - vectors % PAGE) % PAGE }
}

/// A map that is read: its extent and its vectors.
#[derive(Clone, Copy)]
pub struct MapRef<'a> {
    map: BlockedMap,
    vectors: &'a [Vec16],
}

impl<'a> MapRef<'a> {
    /// The map that `vectors` hold.
    ///
    /// # Panics
    /// If there are not as many vectors as the map has.
    #[track_caller]
    pub fn new(map: BlockedMap, vectors: &'a [Vec16]) -> Self {
        assert_eq!(vectors.len(), map.vectors(), "the slice is not the map's");
        Self { map, vectors }
    }

    /// Its extent.
    pub fn map(&self) -> &BlockedMap {
        &self.map
    }

    /// Its vectors, halo and all.
    pub fn vectors(&self) -> &'a [Vec16] {
        self.vectors
    }

    /// A row of a block, without the halo.
    pub(crate) fn row(&self, block: usize, row: usize) -> &'a [Vec16] {
        &self.vectors[self.map.at(block, row as isize, 0)..][..self.map.width]
    }
}

/// A map that is written: its extent and its vectors.
pub struct MapMut<'a> {
    map: BlockedMap,
    vectors: &'a mut [Vec16],
}

impl<'a> MapMut<'a> {
    /// The map that `vectors` are to hold.
    ///
    /// # Panics
    /// If there are not as many vectors as the map has.
    #[track_caller]
    pub fn new(map: BlockedMap, vectors: &'a mut [Vec16]) -> Self {
        assert_eq!(vectors.len(), map.vectors(), "the slice is not the map's");
        Self { map, vectors }
    }

    /// Its extent.
    pub fn map(&self) -> &BlockedMap {
        &self.map
    }

    /// Its vectors, halo and all.
    pub fn into_vectors(self) -> &'a mut [Vec16] {
        self.vectors
    }
}

/// A map that a kernel overwrites or adds to, under an optional mask.
pub struct Destination<'a> {
    pub(crate) y: MapMut<'a>,
    pub(crate) mode: WriteMode,
    pub(crate) mask: Option<&'a [u16]>,
}

impl<'a> Destination<'a> {
    /// Writes to `y` as `mode` says. Where a bit of `mask` is not set, the channel then becomes 0; it has
    /// an entry for each of the map's [pixels](BlockedMap::pixels) and a bit for each channel.
    ///
    /// # Panics
    /// If the mask is not the map's.
    #[track_caller]
    pub fn new(y: MapMut<'a>, mode: WriteMode, mask: Option<&'a [u16]>) -> Self {
        let whole = mask.is_none_or(|mask| mask.len() == y.map.pixels());
        assert!(whole, "the mask is not the map's");
        Self { y, mode, mask }
    }

    /// Overwrites `y`.
    pub fn overwrite(y: MapMut<'a>) -> Self {
        Self { y, mode: WriteMode::Overwrite, mask: None }
    }

    /// The map's extent.
    pub fn map(&self) -> &BlockedMap {
        &self.y.map
    }
}

/// A ReLU behind what a kernel computes: `min(max(x, 0), most)`.
pub struct Relu<'a> {
    /// Receives, for each of the output's [pixels](BlockedMap::pixels), a bit for each channel that was
    /// greater than 0 and smaller than `most`: where ReLU has a slope.
    pub mask: &'a mut [u16],
    /// Where it ends; infinite if it does not.
    pub most: f32,
}

impl<'a> Relu<'a> {
    /// A ReLU that does not end.
    pub fn new(mask: &'a mut [u16]) -> Self {
        Self { mask, most: f32::INFINITY }
    }
}

/// What becomes of the values that a kernel finds in its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// They are overwritten, and the halo is cleared.
    Overwrite,
    /// The result is added to them; the halo stays.
    Accumulate,
}

/// Zeroes the halo of rows `rows` of one block: the columns beside each, and the rows above the first
/// and below the last of the map.
///
/// # Safety
/// `block` points to the first vector of a block of `map`, in which the rows lie, and nobody else touches
/// their halo.
pub(crate) unsafe fn clear_halo(map: &BlockedMap, block: *mut Vec16, rows: Range<usize>) {
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
