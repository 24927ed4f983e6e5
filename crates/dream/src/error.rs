//! Why a plan is refused: each error names the value and a way out.

use graph::{GraphError, Size};
use thiserror::Error;

use crate::{RecipeError, TermError};

/// What is wrong with a recipe for this network, picture and machine.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum PlanError {
    /// The recipe by itself.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// What a term of the objective asks of the network.
    #[error(transparent)]
    Term(#[from] TermError),
    /// The layers, or a picture too small for them.
    #[error(transparent)]
    Network(#[from] GraphError),
    /// The recipe was made for another network.
    #[error(
        "the recipe is for the network `{wanted}` (SHA-256 {wanted_hash}), not for `{given}` (SHA-256 {given_hash}): \
         use that network, or empty the recipe's `model` to dream with this one"
    )]
    OtherNetwork {
        /// The recipe's network.
        wanted: String,
        /// Its hash.
        wanted_hash: String,
        /// The network at hand.
        given: String,
        /// Its hash.
        given_hash: String,
    },
    /// The network does not see colours.
    #[error(
        "the network `{name}` takes {channels} channels, but pictures have 3: use a network for colour pictures"
    )]
    Channels {
        /// The network.
        name: String,
        /// Channels of its input.
        channels: usize,
    },
    /// No default layer is known or found.
    #[error(
        "the network `{name}` has no layer that is chosen by default: name one in the recipe's `objective`"
    )]
    NoLayer {
        /// The network.
        name: String,
    },
    /// A term is in a region that the recipe has not.
    #[error("there is no region `{name}`{}: add it to the recipe's `regions`", there_are(.there))]
    NoRegion {
        /// What the term names.
        name: String,
        /// The regions that the recipe has.
        there: Vec<String>,
    },
    /// A region's mask was not given.
    #[error("the region `{region}` has no mask: give it one")]
    NoMask {
        /// The region.
        region: String,
    },
    /// A mask of other proportions than the picture's.
    #[error(
        "the mask of the region `{region}` is {mask}, but the dream is {picture}: give a mask of the picture's \
         proportions"
    )]
    MaskShape {
        /// The region.
        region: String,
        /// The mask's size.
        mask: Size,
        /// The dream's size.
        picture: Size,
    },
    /// A region in which nothing counts.
    #[error("the region `{name}` is empty: {}", empty(.mask, .color.as_deref()))]
    EmptyRegion {
        /// The region.
        name: String,
        /// The mask's file.
        mask: String,
        /// The colour that it looks for, if it does.
        color: Option<String>,
    },
    /// The picture has no pixels.
    #[error("a picture of {size} has nothing to dream on: give one with at least one pixel")]
    NoPixels {
        /// The picture's size.
        size: Size,
    },
    /// The checkpoint to go on from is none of this dream's.
    #[error(
        "the dream to go on from stands at step {iteration} of octave {octave}, a picture of {size}, which this dream \
         does not come through: go on with the recipe it was begun with"
    )]
    Checkpoint {
        /// The octave, from 1, smallest first.
        octave: usize,
        /// Its size.
        size: Size,
        /// Steps done on it.
        iteration: u32,
    },
    /// A plan is of more or fewer pictures than are to be dreamt by it.
    #[error(
        "the plan is for {planned} pictures dreamt together, but {given} were given: set `pictures` to {given}"
    )]
    Together {
        /// The recipe's number.
        planned: u32,
        /// How many were given.
        given: usize,
    },
    /// The dream would not fit in memory.
    #[error(
        "a dream of {size} takes {} of memory{}, but only {} may be used: {}",
        megabytes(*.needed), in_tiles(*.tiled), megabytes(*.free), smaller(*.fits)
    )]
    Memory {
        /// The dream's size.
        size: Size,
        /// Bytes it would take whole, or in the tiles that the recipe says.
        needed: u64,
        /// Bytes it would take in the exact tiles that take the fewest, if it may be cut into any.
        tiled: Option<u64>,
        /// Bytes that may be used.
        free: u64,
        /// The longest side that would fit, whole or in such tiles, if any does.
        fits: Option<u32>,
    },
    /// The disk has no room for the pictures of a dream that do not fit in memory.
    #[error(
        "a dream of {size} does not fit in memory, and takes {} of scratch files, but {place} has room for {} only: {}",
        megabytes(*.needed), megabytes(*.free), smaller(*.fits)
    )]
    Scratch {
        /// The dream's size.
        size: Size,
        /// Bytes of scratch files that it would take.
        needed: u64,
        /// Bytes that are free on the disk.
        free: u64,
        /// The folder.
        place: String,
        /// The longest side that would fit, if any does.
        fits: Option<u32>,
    },
    /// Scratch files were lost on the way.
    #[error("{0}")]
    ScratchLost(String),
    /// Exact tiles of a layer whose values depend on the whole picture.
    #[error(
        "exact tiles are impossible at `{layer}`: its values depend on the whole picture, or no tile is known to \
         show enough. Dream on an earlier layer, or set `tiles` to \"whole\" and a smaller `size`"
    )]
    UncutLayer {
        /// The layer, or one that it needs.
        layer: String,
    },
    /// Exact tiles that show less than the layers see.
    #[error(
        "exact tiles of {size} pixels are too short for the layers: set `tiles.exact.size` to {least} or more"
    )]
    ShortTiles {
        /// Their longest side.
        size: u32,
        /// The shortest that would do.
        least: usize,
    },
    /// Frames in exact tiles of no given size.
    #[error(
        "frames need exact tiles of a fixed size, so that every run makes the same frames: set `tiles.exact.size`, \
         for example to 1024"
    )]
    TilesOfFrames,
    /// The system said that there is memory enough, and does not give it.
    #[error(
        "a dream of {size} takes {} of memory, and the system does not give it", megabytes(*.needed)
    )]
    NotGiven {
        /// The dream's size.
        size: Size,
        /// Bytes it would take.
        needed: u64,
    },
}

/// Why a dream came to no end.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum DreamError {
    /// The recipe cannot be followed, or what runs the network fails.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A layer's values are not finite, and so is nothing that is computed from them.
    #[error("the values of layer `{layer}` are not finite numbers")]
    NotFinite {
        /// The first such layer, in the network's order.
        layer: String,
    },
    /// All layers' values are finite, but not the gradient: it overflows on its way back to the picture.
    #[error("the gradient of {} is not finite: it overflows on its way back to the picture", quoted(.layers))]
    GradientNotFinite {
        /// The layers that are dreamt on.
        layers: Vec<String>,
    },
    /// The gradient of every step was zero, or too small to divide by.
    #[error("{} no gradient at this picture, so nothing was dreamt", have(.layers))]
    NoGradient {
        /// The layers that are dreamt on.
        layers: Vec<String>,
    },
    /// The observer ended it.
    #[error("the dream was stopped before its end")]
    Stopped,
}

impl From<GraphError> for DreamError {
    fn from(error: GraphError) -> Self {
        PlanError::from(error).into()
    }
}

pub(crate) fn there_are(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names => format!(" (there are: {})", names.join(", ")),
    }
}

/// What a mask would need.
fn empty(mask: &str, color: Option<&str>) -> String {
    let mask = if mask.is_empty() { "its mask" } else { mask };
    match color {
        Some(color) => format!("no pixel of {mask} is {color}, so choose another colour"),
        None => format!("{mask} selects no pixel, so paint what it is to select white"),
    }
}

/// Layers in words.
fn quoted(layers: &[String]) -> String {
    match layers {
        [] => "the layers".into(),
        [one] => format!("layer `{one}`"),
        [head @ .., last] => format!("layers `{}` and `{last}`", head.join("`, `")),
    }
}

fn have(layers: &[String]) -> String {
    format!("{} {}", quoted(layers), if layers.len() == 1 { "has" } else { "have" })
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

fn in_tiles(tiled: Option<u64>) -> String {
    tiled.map_or(String::new(), |bytes| {
        format!(", or {} in the smallest exact tiles", megabytes(bytes))
    })
}

fn smaller(fits: Option<u32>) -> String {
    match fits {
        Some(longest) => format!("a longest side of {longest} pixels would fit (`size`)"),
        None => "no size of it would fit: give it more memory, or choose a shallower layer".into(),
    }
}
