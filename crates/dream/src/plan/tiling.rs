//! Exact tiles: whether a dream can be dreamt in them, and how large they are to be.

use graph::{Backwards, Graph, GraphError, NodeId, Scratch, Size, Storage};

use super::memory::{Compiled, Needed, fitting, needed};
use crate::objective::Uncut;
use crate::octaves::Layout;
use crate::{Plan, PlanError, Recipe, Term, Tiles};

/// How a dream is cut into exact tiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tiling {
    /// The size of a tile.
    pub tile: Size,
    /// How many there are from left to right.
    pub columns: usize,
    /// How many there are from top to bottom.
    pub rows: usize,
    /// How many pixels the network sees for each pixel of the dream: 1 and what tiles have in common.
    pub cost: f64,
}

/// Who says how large exact tiles are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TileSize {
    /// The memory that is free, where the recipe does not.
    Found,
    /// The recipe, of whose frames some may be made where other memory is free.
    Said,
}

/// What a dream may take.
pub(super) struct Room<'a> {
    /// Bytes of memory that are free.
    pub(super) memory: u64,
    /// Where its pictures may lie if they do not fit in that.
    pub(super) scratch: &'a Storage,
}

/// What a dream takes, in bytes.
pub(super) struct Taken {
    /// Memory, at the most.
    pub(super) memory: u64,
    /// Memory, at the least: less than the most where the pages of scratch files fill what is free.
    pub(super) least: u64,
    /// Scratch files.
    pub(super) scratch: u64,
}

impl Taken {
    /// Nothing but memory.
    fn memory(memory: u64) -> Self {
        Self { memory, least: memory, scratch: 0 }
    }
}

/// Settles how the network sees a picture of `size`, with `octaves`, within the free room: a dream that does not fit
/// whole is cut into the largest exact tiles that do; pictures that do not fit lie in scratch files. Exact tiles of no
/// given size are the whole picture, which may be cut also where it would not be without being asked. Returns what the
/// dream takes.
///
/// # Errors
/// A dream that does not fit, or cannot be cut as the recipe says.
pub(super) fn settle(
    compiled: &mut Compiled<'_>,
    recipe: &mut Recipe,
    (size, octaves): (Size, &[Size]),
    graph: &Graph,
    (choice, room): (TileSize, &Room<'_>),
) -> Result<Taken, PlanError> {
    let free = room.memory;
    let is_asked = recipe.tiles == Tiles::Exact { size: 0 };
    if is_asked {
        recipe.tiles = Tiles::Whole;
    }
    if let Tiles::Exact { size: most } = recipe.tiles {
        for octave in octaves {
            match compiled.cut(*octave, most) {
                Err(Uncut::Everywhere(layer)) => return Err(uncut(graph, layer)),
                Err(Uncut::Short) => {
                    let least = octaves.iter().map(|it| compiled.grid.least(*it, most as usize));
                    let least = least.max().unwrap_or(0);
                    return Err(PlanError::ShortTiles { size: most, least });
                }
                Ok(()) => {}
            }
        }
    }
    let mut whole = needed(compiled, recipe, size)?;
    if whole.memory() > free && compiled.backwards == Backwards::Many {
        // Slower, and the same.
        compiled.backwards = Backwards::One;
        whole = needed(compiled, recipe, size)?;
    }
    if whole.memory() <= free {
        return Ok(Taken::memory(whole.memory()));
    }
    if is_asked && choice == TileSize::Said {
        return Err(PlanError::TilesOfFrames);
    }
    let placed = recipe.objective.iter().any(Term::is_placed);
    let alone = recipe.pictures == 1 && !placed;
    let is_found = recipe.tiles == Tiles::Whole && choice == TileSize::Found;
    let may_be_cut = is_found && (is_asked || alone);
    // Frames have more pictures beside their dreams than are counted here.
    let scratch = room.scratch.as_scratch().filter(|_| choice == TileSize::Found);
    let least: fn(Needed) -> u64 = if scratch.is_some() { Needed::stored } else { Needed::memory };
    let mut tiled = None;
    let mut cut = |takes| -> Option<(u64, Recipe)> {
        let mut cut = recipe.clone();
        match cut_to_fit(compiled, &mut cut, (size, octaves), (free, takes)) {
            Ok(memory) => Some((memory, cut)),
            Err(least) => {
                tiled = least;
                None
            }
        }
    };
    let [lying, stored] = match (may_be_cut, scratch) {
        (true, None) => [cut(Needed::memory), None],
        (true, Some(_)) => [cut(Needed::memory), cut(Needed::stored)],
        (false, None) => [None, None],
        (false, Some(_)) => {
            [None, (whole.stored() <= free).then(|| (whole.stored(), recipe.clone()))]
        }
    };
    let full = recipe.full_size(size);
    let side = |cut: &Recipe| match cut.tiles {
        Tiles::Exact { size } => size as usize,
        _ => full.longest(),
    };
    let files = match &stored {
        // And what files are read and written from.
        Some((_, cut)) => {
            let samples = full.pixels().saturating_mul(4 * size_of::<f32>() as u64);
            needed(compiled, cut, size)?.pictures.saturating_add(samples)
        }
        None => 0,
    };
    let place = scratch.map_or(0, Scratch::room);
    match (lying, stored) {
        // Of tiles less than half as long the network would see more than a disk takes time for.
        (Some((memory, lying)), stored)
            if stored
                .as_ref()
                .is_none_or(|(_, stored)| 2 * side(&lying) >= side(stored) || files > place) =>
        {
            *recipe = lying;
            return Ok(Taken::memory(memory));
        }
        (_, Some((taken, stored))) if files <= place => {
            *recipe = stored;
            // What is free holds as much of the files as it can.
            return Ok(Taken { memory: free, least: taken, scratch: files });
        }
        _ => {}
    }
    let of_size = |longest: u32| {
        let mut recipe = Recipe { size: Some(longest), ..recipe.clone() };
        let mut needs = needed(compiled, &recipe, size)?;
        if needs.memory() <= free {
            return Ok(needs.memory());
        }
        let octaves = Layout::new(&recipe, size).sizes;
        if may_be_cut && cut_to_fit(compiled, &mut recipe, (size, &octaves), (free, least)).is_ok()
        {
            needs = needed(compiled, &recipe, size)?;
        }
        let is_lost = scratch.is_some() && needs.pictures > place;
        Ok(if is_lost { u64::MAX } else { least(needs) })
    };
    let fits = fitting(of_size, full, free);
    if files > place {
        let (size, needed, free) = (full, files, place);
        let place = scratch.map(Scratch::place).unwrap_or_default();
        return Err(PlanError::Scratch { size, needed, free, place, fits });
    }
    if is_asked && let Err(Uncut::Everywhere(layer)) = compiled.cut(full, full.longest() as u32 - 1)
    {
        return Err(uncut(graph, layer));
    }
    let needed = whole.memory();
    let tiled = tiled.filter(|bytes| *bytes < needed);
    Err(PlanError::Memory { size: full, needed, tiled, free, fits })
}

fn uncut(graph: &Graph, layer: NodeId) -> PlanError {
    PlanError::UncutLayer { layer: graph.node(layer).name.clone() }
}

/// Gives a recipe the largest exact tiles with which what its dream `takes` is no more than `free` bytes, or none where
/// the whole fits; returns what it takes.
///
/// # Errors
/// Where no tiles would do: the least that it takes in any, or `None` if it cannot be cut. The recipe stays as it
/// was.
fn cut_to_fit(
    compiled: &Compiled<'_>,
    recipe: &mut Recipe,
    (size, octaves): (Size, &[Size]),
    (free, takes): (u64, fn(Needed) -> u64),
) -> Result<u64, Option<u64>> {
    let longest = u32::try_from(recipe.full_size(size).longest()).unwrap_or(u32::MAX);
    let mut least: Option<u64> = None;
    // Few sizes, so that a little more or less memory finds the same. Of these, the ones that are too short for the
    // layers come last.
    let sizes = std::iter::successors(Some(longest), |tile| Some(tile - tile / 8));
    for tile in sizes.take_while(|tile| *tile > 8) {
        if octaves.iter().any(|size| compiled.cut(*size, tile).is_err()) {
            continue;
        }
        let tiles = if tile < longest { Tiles::Exact { size: tile } } else { Tiles::Whole };
        let cut = Recipe { tiles, ..recipe.clone() };
        let Ok(memory) = needed(compiled, &cut, size).map(takes) else { continue };
        if memory <= free {
            *recipe = cut;
            return Ok(memory);
        }
        if tile < longest {
            least = Some(least.map_or(memory, |least| least.min(memory)));
        }
    }
    Err(least)
}

impl Plan {
    /// How long exact tiles of an octave may be; `None` if it is not cut into any.
    pub(crate) fn cut(&self, octave: usize) -> Option<u32> {
        let Tiles::Exact { size: most } = self.recipe.tiles else { return None };
        let cuts = self.objective.grid().cut(self.layout.sizes[octave], most as usize).ok()?;
        (!cuts.is_whole()).then_some(most)
    }

    /// How the dream in its full size is cut into exact tiles; `None` if it is not.
    pub fn tiling(&self) -> Option<Tiling> {
        let Tiles::Exact { size: most } = self.recipe.tiles else { return None };
        let cuts = self.objective.grid().cut(self.size(), most as usize).ok()?;
        let ([rows, columns], tile) = (cuts.counts(), cuts.part());
        let seen = (rows * columns) as f64 * tile.pixels() as f64;
        let cost = seen / self.size().pixels() as f64;
        (!cuts.is_whole()).then_some(Tiling { tile, columns, rows, cost })
    }
}

impl Compiled<'_> {
    /// Whether pictures of `size` can be cut into exact tiles no longer than `most`.
    fn cut(&self, size: Size, most: u32) -> Result<(), Uncut> {
        self.grid.cut(size, most as usize).map(|_| ())
    }
}

/// The least size of picture that all targets can see.
pub(super) fn least_size(graph: &Graph, targets: &[NodeId]) -> Result<Size, GraphError> {
    match graph.shapes(targets, 1, 1) {
        Err(GraphError::TooSmall { min_height, min_width, .. }) => {
            Ok(Size::new(min_height, min_width))
        }
        // Layers that take one size only fail here in another way; no tile is cut for them.
        _ => Ok(Size::new(1, 1)),
    }
}
