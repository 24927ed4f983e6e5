//! Recipes, plans and dreams from the outside, on a small network with seeded weights and on the
//! built-in one.

mod anchors;
mod checkpoints;
mod common;
mod diversity;
mod dreams;
mod exact_tiles;
mod golden;
mod layer_choice;
mod legacy;
mod numbers;
mod plans;
mod recipes;
mod reference_regions;
mod regions;
mod restraint;
mod rules;
mod scratch;
mod steering;
mod terms;
mod videos;
mod zooms;
