//! A recipe of which each setting may be left out: what a keyframe sets.

use serde::{Deserialize, Serialize};

use super::{Bound, Detail, Normalisation, Optimiser, PenaltyOf, Term, Tiles, anchor, choice};
use crate::Filter;

/// Defines a struct whose fields may all be missing.
macro_rules! partial {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident of $whole:ident {
            $($(#[serde($($serde:tt)*)])? $field:ident: $type:ty,)*
        }
        $(also { $(#[doc = $also_doc:literal])* $also:ident: f64, })?
        $(groups { $($group:ident: $part:ty,)* })?
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(
                #[doc = concat!("As `", stringify!($whole), "::", stringify!($field), "`.")]
                #[serde(skip_serializing_if = "Option::is_none" $(, $($serde)*)?)]
                pub $field: Option<$type>,
            )*
            $(
                $(#[doc = $also_doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $also: Option<f64>,
            )?
            $($(
                #[doc = concat!("As `", stringify!($whole), "::", stringify!($group), "`.")]
                #[serde(skip_serializing_if = "is_empty")]
                pub $group: $part,
            )*)?
        }
    };
}

fn is_empty<T: Default + PartialEq>(part: &T) -> bool {
    *part == T::default()
}

partial! {
    /// The settings of a recipe that may change during a zoom. Numbers are as exact as they were
    /// written; whole numbers are rounded when they are used.
    pub struct PartialRecipe of Recipe {
        objective: Vec<Term>,
        #[serde(deserialize_with = "choice::read_option")]
        tiles: Tiles,
        subtract_mean: bool,
    }
    also {
        /// Side of a tile in pixels, whichever tiles there are: comes before the size in `tiles`.
        tile_size: f64,
    }
    groups {
        octaves: PartialOctaves,
        ascent: PartialAscent,
        penalty: PartialPenalty,
        zoom: PartialZoom,
    }
}

partial! {
    /// Part of a recipe's octaves.
    pub struct PartialOctaves of Octaves {
        count: f64,
        #[serde(deserialize_with = "anchor::in_keyframe")]
        anchor: f64,
        scale: f64,
        #[serde(deserialize_with = "choice::read_option")]
        detail: Detail,
        blur: f64,
        #[serde(deserialize_with = "choice::read_option")]
        filter: Filter,
    }
    also {
        /// The picture's share where octaves blend: comes before the share in `detail`.
        blend_share: f64,
    }
}

partial! {
    /// Part of a recipe's ascent.
    pub struct PartialAscent of Ascent {
        iterations: f64,
        step: f64,
        strength: f64,
        jitter: f64,
        #[serde(deserialize_with = "choice::read_option")]
        normalisation: Normalisation,
        smoothing: f64,
        smoothing_growth: f64,
        #[serde(deserialize_with = "choice::read_option")]
        optimiser: Optimiser,
        #[serde(alias = "clamp", deserialize_with = "Bound::read_option")]
        bound: Bound,
        chroma: f64,
        by_depth: bool,
        refine: f64,
    }
    also {
        /// Levels where there is a Laplacian pyramid: comes before those in `normalisation`.
        laplacian_levels: f64,
    }
    groups {
        wobble: PartialWobble,
    }
}

partial! {
    /// Part of an ascent's wobble.
    pub struct PartialWobble of Wobble {
        scale: [f64; 2],
        angle: f64,
    }
}

partial! {
    /// Part of a recipe's penalties.
    pub struct PartialPenalty of Penalty {
        tv: f64,
        pull: f64,
        blur: f64,
        #[serde(deserialize_with = "choice::read_option")]
        of: PenaltyOf,
        tv_exponent: f64,
        pull_exponent: f64,
        blur_width: f64,
    }
}

partial! {
    /// Part of a recipe's zoom.
    pub struct PartialZoom of Zoom {
        pace: f64,
        levels: f64,
        shoulder: f64,
    }
    groups {
        motion: PartialMotion,
    }
}

partial! {
    /// Part of a zoom's motion.
    pub struct PartialMotion of Motion {
        zoom: f64,
        rotate: f64,
        shift: [f64; 2],
        centre: [f64; 2],
        tint: [f64; 3],
        ease_in: f64,
        ease_out: f64,
    }
}
