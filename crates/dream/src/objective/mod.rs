//! What a dream climbs towards, and its gradient at a picture.

mod balance;
mod choose;
mod class;
mod cuts;
mod diversity;
#[cfg(test)]
mod diversity_tests;
mod error;
mod evaluator;
mod exact;
mod guide;
#[cfg(test)]
mod guide_tests;
mod place;
mod resolve;
mod seeds;
mod terms;
#[cfg(test)]
mod tests;
mod tiled;
mod tiles;

pub(crate) use balance::mean_magnitude;
pub(crate) use choose::Chooser;
pub use choose::{answered_picture, channel_answers};
pub use class::{class_count, class_number};
pub(crate) use cuts::{Grid, Uncut};
pub(crate) use diversity::Diversity;
pub use error::TermError;
pub(crate) use evaluator::{GradientEvaluator, Sight, measuring};
pub(crate) use guide::{GuideFeatures, features, key};
pub(crate) use resolve::{Resolved, resolve};
pub(crate) use seeds::Seeding;
pub(crate) use terms::{Objective, Part, Seen, bytes_of_diversity, bytes_of_terms};
