//! How much memory a dream takes, and how large one may be for what there is.

use graph::{Backwards, Executable, GraphError, Size};

use crate::objective::{Grid, Sight};
use crate::octaves::Layout;
use crate::{Normalisation, Recipe, Tiles, ascent, regions};

/// What the memory of a dream is counted from.
pub(super) struct Compiled<'a> {
    pub(super) executable: &'a dyn Executable,
    /// Bytes that the terms take beside a session, which may be of exact tiles.
    pub(super) beside: &'a dyn Fn(Size, bool) -> u64,
    /// The least size that all layers can see.
    pub(super) least: Size,
    /// What exact tiles are cut by.
    pub(super) grid: &'a Grid,
    pub(super) threads: usize,
    /// How many backward passes follow a forward pass.
    pub(super) backwards: Backwards,
}

/// What a dream takes at the most, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Needed {
    /// The picture in all sizes, the dream, its gradient and what they are worked on with.
    pub(super) pictures: u64,
    /// The network's activations and packed weights, and the process.
    pub(super) beside: u64,
}

impl Needed {
    /// The memory that it takes if its pictures lie there.
    pub(super) fn memory(self) -> u64 {
        self.pictures.saturating_add(self.beside)
    }

    /// The least memory that it takes if they lie in scratch files, of which it must hold what is worked on.
    pub(super) fn stored(self) -> u64 {
        self.beside.saturating_add(self.beside.div_ceil(HELD - 1))
    }
}

/// Of how many parts of the memory one is for the pages of scratch files.
const HELD: u64 = 4;

/// What a dream on a picture of `size` takes.
pub(super) fn needed(
    compiled: &Compiled<'_>,
    recipe: &Recipe,
    size: Size,
) -> Result<Needed, GraphError> {
    let Compiled { executable, beside, least, grid, threads, backwards } = *compiled;
    let sight = Sight { recipe, least, grid };
    const BYTES_OF_A_PIXEL: u64 = 3 * size_of::<f32>() as u64;
    let full = recipe.full_size(size);
    let octaves = Layout::new(recipe, size).sizes;
    let bases = octaves.iter().fold(0u64, |sum, size| sum.saturating_add(size.pixels()));
    let mut pictures = 4 + regions::pictures(recipe);
    pictures += match recipe.tiles {
        Tiles::Whole => 0,
        // Cut out of the picture as it lies.
        Tiles::Exact { .. } => 1,
        Tiles::Rolled { .. } | Tiles::Scattered { .. } => 3,
    };
    pictures += u64::from(recipe.ascent.smoothing + recipe.ascent.smoothing_growth > 0.0);
    pictures += ascent::pictures(recipe);
    pictures += u64::from(recipe.finish.is_any());
    if recipe.video.as_ref().is_some_and(|video| video.coherence.depends_on_last()) {
        // What is carried, the frame that is to be, what steps are multiplied with, and the optical flow,
        // of which the allocator keeps most.
        pictures += 10;
        // The frame in all sizes, for what is held against the dream on it.
        pictures += if recipe.penalty.is_any() { 3 } else { 0 };
    }
    pictures += u64::from(matches!(recipe.ascent.normalisation, Normalisation::Laplacian { .. }));
    // In a small octave exact tiles may be larger than in the full size.
    let small = octaves.iter().filter(|_| matches!(recipe.tiles, Tiles::Exact { .. }));
    let mut sessions = sight.memory(executable, beside, (full, backwards))?;
    for size in small {
        let own = sight.memory(executable, beside, (*size, backwards)).unwrap_or(0);
        sessions = sessions.max(own);
    }
    let seen: Vec<Size> = octaves
        .into_iter()
        .flat_map(|size| sight.sizes(size).0)
        .filter(|size| executable.memory(*size).is_ok())
        .collect();
    let pictures = full
        .pixels()
        .saturating_mul(pictures)
        .saturating_add(bases)
        .saturating_mul(u64::from(recipe.pictures))
        .saturating_mul(BYTES_OF_A_PIXEL);
    let beside = sessions
        .saturating_add(executable.kept_memory(&seen)?)
        .saturating_add(threads as u64 * ascent::scratch(recipe, full.width as u64))
        .saturating_add(PROCESS + threads as u64 * THREAD);
    Ok(Needed { pictures, beside })
}

/// Bytes that the process takes for whatever is small, and each thread for its stack and what the allocator
/// keeps for it.
const PROCESS: u64 = 8 << 20;
const THREAD: u64 = 1 << 20;

/// The longest side, smaller than that of the `full` size, with which a dream takes no more than `free` bytes;
/// `memory` says what it takes with one.
pub(super) fn fitting(
    memory: impl Fn(u32) -> Result<u64, GraphError>,
    full: Size,
    free: u64,
) -> Option<u32> {
    // Sizes too small for the network take no memory, so the search goes above them.
    let fits = |longest: u32| memory(longest).map_or(true, |bytes| bytes <= free);
    let (mut low, mut high) = (0, u32::try_from(full.longest()).unwrap_or(u32::MAX));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle) { low = middle } else { high = middle }
    }
    (low > 0 && memory(low).is_ok()).then_some(low)
}
