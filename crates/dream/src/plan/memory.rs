//! How much memory a dream takes, and how large one may be for what there is.

use graph::{Executable, GraphError, Size};

use crate::octaves::Layout;
use crate::{Finish, Normalisation, Recipe, Tiles, ascent, objective, regions};

/// What the memory of a dream is counted from.
pub(super) struct Compiled<'a> {
    pub(super) executable: &'a dyn Executable,
    /// Bytes that the terms take beside a session.
    pub(super) beside: &'a dyn Fn(Size) -> u64,
}

/// Bytes that a dream on a picture of `size` takes at the most: the picture in all sizes, the dream, its
/// gradient and what they are worked on with, and the network's activations and packed weights.
pub(super) fn needed(
    compiled: &Compiled<'_>,
    recipe: &Recipe,
    size: Size,
    least: Size,
    threads: usize,
) -> Result<u64, GraphError> {
    let Compiled { executable, beside } = compiled;
    const BYTES_OF_A_PIXEL: u64 = 3 * size_of::<f32>() as u64;
    let full = recipe.full_size(size);
    let octaves = Layout::new(recipe, size).sizes;
    let bases = octaves.iter().fold(0u64, |sum, size| sum.saturating_add(size.pixels()));
    let mut pictures = 4 + regions::pictures(recipe);
    pictures += if recipe.tiles == Tiles::Whole { 0 } else { 3 };
    pictures += u64::from(recipe.ascent.smoothing + recipe.ascent.smoothing_growth > 0.0);
    pictures += ascent::pictures(recipe);
    pictures += u64::from(recipe.finish != Finish::default());
    if recipe.video.as_ref().is_some_and(|video| video.coherence.depends_on_last()) {
        // What is carried, the frame that is to be, what steps are multiplied with, and the optical flow,
        // of which the allocator keeps most.
        pictures += 10;
        // The frame in all sizes, for what is held against the dream on it.
        pictures += if recipe.penalty.is_any() { 3 } else { 0 };
    }
    pictures += u64::from(matches!(recipe.ascent.normalisation, Normalisation::Laplacian { .. }));
    let seen: Vec<Size> = octaves
        .into_iter()
        .flat_map(|size| objective::sizes_seen(recipe, size, least))
        .filter(|size| executable.memory(*size).is_ok())
        .collect();
    Ok(full
        .pixels()
        .saturating_mul(pictures)
        .saturating_add(bases)
        .saturating_mul(BYTES_OF_A_PIXEL)
        .saturating_add(objective::memory(*executable, beside, recipe, full, least)?)
        .saturating_add(executable.kept_memory(&seen)?)
        .saturating_add(PROCESS + threads as u64 * THREAD))
}

/// Bytes that the process takes for whatever is small, and each thread for its stack and what the allocator
/// keeps for it.
const PROCESS: u64 = 8 << 20;
const THREAD: u64 = 1 << 20;

/// The longest side, smaller than the recipe's, with which the dream of a picture of `size` takes no
/// more than `free` bytes.
pub(super) fn fitting(
    compiled: &Compiled<'_>,
    recipe: &Recipe,
    size: Size,
    least: Size,
    free: u64,
    threads: usize,
) -> Option<u32> {
    let memory = |longest: u32| {
        let recipe = Recipe { size: Some(longest), ..recipe.clone() };
        needed(compiled, &recipe, size, least, threads)
    };
    // Sizes too small for the network take no memory, so the search goes above them.
    let fits = |longest: u32| memory(longest).map_or(true, |bytes| bytes <= free);
    let (mut low, mut high) =
        (0, u32::try_from(recipe.full_size(size).longest()).unwrap_or(u32::MAX));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle) { low = middle } else { high = middle }
    }
    (low > 0 && memory(low).is_ok()).then_some(low)
}
