//! The one kernel all convolutions are made of: a tile of O blocks of output channels × P pixels is
//! held in registers while the products of all taps are summed into it.
//!
//! A direct convolution's taps are its window's elements times the blocks of input channels; Winograd's
//! products have one tap for each block, and tiles of the picture for pixels.

use crate::CpuLevel;
use crate::elementwise::relu;
use crate::simd::{Simd, unrolled};

/// One tile's work. Distances are in values, not bytes.
pub(crate) struct Tile {
    /// The first pixel's place in the input, before any tap's offset.
    pub(crate) x: *const f32,
    /// Where each tap lies from there.
    pub(crate) taps: *const isize,
    /// From a tap's pixels to those that are read next, which are fetched meanwhile.
    pub(crate) ahead: usize,
    /// How many taps there are.
    pub(crate) count: usize,
    /// How many channels of a tap are used: 16, or fewer for a picture.
    pub(crate) live: usize,
    /// For each tap, for each live channel, a vector for each block of output channels.
    pub(crate) weights: *const f32,
    /// Weights that are read next and fetched meanwhile: so many vectors at each tap, one behind the other.
    pub(crate) fetch: usize,
    /// The first of these.
    pub(crate) next: *const f32,
    /// The first pixel's place in the output.
    pub(crate) y: *mut f32,
    /// Between blocks of output channels.
    pub(crate) y_block: usize,
    /// Between pixels of the output.
    pub(crate) y_step: usize,
    /// What happens to the sums.
    pub(crate) epilogue: Epilogue,
}

/// What happens to the sums before they are written (an epilogue, in the words of GEMM libraries);
/// null pointers leave a thing out.
#[derive(Clone, Copy)]
pub(crate) struct Epilogue {
    /// Sixteen values for each block, the sum's start.
    pub(crate) bias: *const f32,
    /// Whether the output's old values are added.
    pub(crate) add: bool,
    /// Sums are brought between zero and `relu_most`, and for each pixel a bit tells which were there.
    pub(crate) relu_mask: *mut u16,
    /// Where ReLU ends, if it does.
    pub(crate) relu_most: f32,
    /// For each pixel, which channels are kept.
    pub(crate) mask: *const u16,
    /// Entries of the masks between blocks.
    pub(crate) mask_block: usize,
    /// Entries of the masks between pixels.
    pub(crate) mask_step: usize,
}

impl Epilogue {
    /// The sums are written as they are.
    pub(crate) const PLAIN: Epilogue = Epilogue {
        bias: std::ptr::null(),
        add: false,
        relu_mask: std::ptr::null_mut(),
        relu_most: f32::INFINITY,
        mask: std::ptr::null(),
        mask_block: 0,
        mask_step: 0,
    };

    /// Whether the sums are written as they are.
    #[inline(always)]
    fn is_plain(&self) -> bool {
        !self.add && self.relu_mask.is_null() && self.mask.is_null()
    }

    /// Finishes one pixel of one block: `sum` is what the products add up to, `y` where it goes.
    ///
    /// # Safety
    /// `y` and the pointers that are not null are good for block `o` and pixel `p`.
    #[inline(always)]
    pub(crate) unsafe fn apply<S: Simd>(&self, sum: S::V, y: *mut f32, o: usize, p: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut sum = sum;
            let pixel = o * self.mask_block + p * self.mask_step;
            if self.add {
                sum = S::add(sum, S::load(y));
            }
            if !self.relu_mask.is_null() {
                let (value, kept) = relu::<S>(sum, self.relu_most);
                *self.relu_mask.add(pixel) = kept;
                sum = value;
            }
            if !self.mask.is_null() {
                sum = S::keep(sum, *self.mask.add(pixel));
            }
            S::store(y, sum);
        }
    }
}

/// Sums `O` blocks × `P` pixels that lie `STEP` pixels apart in the input, and finishes them.
///
/// # Safety
/// All pointers of `tile` are good for what it says.
#[inline(always)]
unsafe fn run<S: Simd, const O: usize, const P: usize, const STEP: usize>(tile: &Tile) {
    // SAFETY: the caller's promise; weights hold O vectors for each live channel of each tap.
    unsafe {
        let mut sums = [[S::zero(); P]; O];
        if !tile.epilogue.bias.is_null() {
            for o in 0..O {
                sums[o] = [S::load(tile.epilogue.bias.add(16 * o)); P];
            }
        }
        let mut weights = tile.weights;
        if tile.live == CHANNELS {
            for tap in 0..tile.count {
                let x = tile.x.offset(*tile.taps.add(tap));
                let next = x.wrapping_add(tile.ahead);
                for vector in 0..tile.fetch {
                    S::prefetch(tile.next.wrapping_add(16 * (tap * tile.fetch + vector)));
                }
                // A loop would have to find out for each channel which pixels to fetch.
                unrolled!(c < CHANNELS: [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15], {
                    channel::<S, O, P, STEP>(&mut sums, x.add(c), weights.add(16 * O * c));
                    if c < P {
                        S::prefetch(next.wrapping_add(16 * STEP * c));
                    }
                    if c + 16 < P {
                        S::prefetch(next.wrapping_add(16 * STEP * (c + 16)));
                    }
                });
                weights = weights.add(256 * O);
            }
        } else {
            for tap in 0..tile.count {
                let x = tile.x.offset(*tile.taps.add(tap));
                for c in 0..tile.live {
                    channel::<S, O, P, STEP>(&mut sums, x.add(c), weights);
                    weights = weights.add(16 * O);
                }
            }
        }
        let epilogue = tile.epilogue;
        if epilogue.is_plain() {
            for o in 0..O {
                for p in 0..P {
                    S::store(tile.y.add(o * tile.y_block + p * tile.y_step), sums[o][p]);
                }
            }
            return;
        }
        unrolled!(o < O: [0 1 2], {
            unrolled!(p < P: [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27], {
                let y = tile.y.add(o * tile.y_block + p * tile.y_step);
                epilogue.apply::<S>(sums[o][p], y, o, p);
            });
        });
    }
}

/// Adds one input channel's products.
///
/// # Safety
/// `x` is good for `P` values 16·`STEP` apart, `weights` for `O` vectors.
#[inline(always)]
unsafe fn channel<S: Simd, const O: usize, const P: usize, const STEP: usize>(
    sums: &mut [[S::V; P]; O],
    x: *const f32,
    weights: *const f32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut w = [S::zero(); O];
        for o in 0..O {
            w[o] = S::load(weights.add(16 * o));
        }
        for p in 0..P {
            let value = S::splat(*x.add(16 * STEP * p));
            for o in 0..O {
                sums[o][p] = S::fma(w[o], value, sums[o][p]);
            }
        }
    }
}

/// Channels of a block.
const CHANNELS: usize = 16;

/// A compiled tile.
pub(crate) type TileFn = unsafe fn(&Tile);

/// How many blocks of output channels a tile takes at the most.
pub(crate) fn max_blocks(level: CpuLevel) -> usize {
    if level == CpuLevel::Avx512 { 3 } else { 1 }
}

/// How many pixels a tile of `blocks` takes at the most, when they lie `step` pixels apart in the input.
pub(crate) fn max_pixels(level: CpuLevel, blocks: usize, step: usize) -> usize {
    match (step, level) {
        (1, CpuLevel::Avx512) => [28, 14, 9][blocks - 1],
        (1 | 2, CpuLevel::Avx2 | CpuLevel::Neon) => 6,
        (2, CpuLevel::Avx512) => [8, 8, 6][blocks - 1],
        (1 | 2, CpuLevel::Scalar) => 2,
        _ => 1,
    }
}

macro_rules! table {
    ($entry:ident, $step:literal, $($o:literal: $($p:literal)*;)*) => {
        |blocks, pixels| match (blocks, pixels) {
            $($(($o, $p) => $entry::<$o, $p, $step> as TileFn,)*)*
            _ => unreachable!("no tile of {blocks} blocks × {pixels} pixels"),
        }
    };
}

/// The tile for `blocks` × `pixels`, within [`max_blocks`] and [`max_pixels`]. A tile of one pixel
/// serves any step.
pub(crate) fn tile_fn(level: CpuLevel, blocks: usize, pixels: usize, step: usize) -> TileFn {
    let narrow: fn(usize, usize) -> TileFn;
    let wide: fn(usize, usize) -> TileFn;
    match level {
        #[cfg(target_arch = "x86_64")]
        CpuLevel::Avx512 => {
            narrow = table!(avx512, 1,
                1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28;
                2: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
                3: 1 2 3 4 5 6 7 8 9;);
            wide = table!(avx512, 2,
                1: 1 2 3 4 5 6 7 8; 2: 1 2 3 4 5 6 7 8; 3: 1 2 3 4 5 6;);
        }
        #[cfg(target_arch = "x86_64")]
        CpuLevel::Avx2 => {
            narrow = table!(avx2, 1, 1: 1 2 3 4 5 6;);
            wide = table!(avx2, 2, 1: 1 2 3 4 5 6;);
        }
        #[cfg(target_arch = "aarch64")]
        CpuLevel::Neon => {
            narrow = table!(neon, 1, 1: 1 2 3 4 5 6;);
            wide = table!(neon, 2, 1: 1 2 3 4 5 6;);
        }
        _ => {
            narrow = table!(scalar, 1, 1: 1 2;);
            wide = table!(scalar, 2, 1: 1 2;);
        }
    }
    if step == 2 { wide(blocks, pixels) } else { narrow(blocks, pixels) }
}

macro_rules! entry {
    ($name:ident, $simd:ty $(, $features:literal)?) => {
        /// # Safety
        /// As [`run`], on a processor that has the level's instructions.
        $(#[target_feature(enable = $features)])?
        unsafe fn $name<const O: usize, const P: usize, const STEP: usize>(tile: &Tile) {
            // SAFETY: the caller's promise.
            unsafe { run::<$simd, O, P, STEP>(tile) }
        }
    };
}
#[cfg(target_arch = "x86_64")]
entry!(avx512, crate::simd::Avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma");
#[cfg(target_arch = "x86_64")]
entry!(avx2, crate::simd::Avx2, "avx2,fma");
#[cfg(target_arch = "aarch64")]
entry!(neon, crate::simd::Neon);
entry!(scalar, crate::simd::Scalar);

/// Splits `total` pixels into the fewest tiles of at most `most`, as even as can be: calls `f` with
/// each one's start and width.
#[inline]
pub(crate) fn split(total: usize, most: usize, mut f: impl FnMut(usize, usize)) {
    let tiles = total.div_ceil(most);
    for tile in 0..tiles {
        let (start, end) = (tile * total / tiles, (tile + 1) * total / tiles);
        f(start, end - start);
    }
}
