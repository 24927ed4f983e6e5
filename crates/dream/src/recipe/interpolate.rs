//! Values between two keyframes' values.

use super::{Bound, Detail, Normalisation, Optimiser, PenaltyOf, Term, Tiles};
use crate::Filter;

/// What a keyframe can set.
pub(crate) trait Interpolate: Clone {
    /// `share` (0–1) of the way from this value to the `next`: numbers go evenly, and what cannot be
    /// between two values changes at the next.
    fn towards(&self, next: &Self, share: f64) -> Self;
}

impl Interpolate for f64 {
    fn towards(&self, next: &Self, share: f64) -> Self {
        self + share * (next - self)
    }
}

impl<const N: usize> Interpolate for [f64; N] {
    fn towards(&self, next: &Self, share: f64) -> Self {
        std::array::from_fn(|at| self[at].towards(&next[at], share))
    }
}

fn whole_towards(from: u32, to: u32, share: f64) -> u32 {
    f64::from(from).towards(&f64::from(to), share).round() as u32
}

impl Interpolate for bool {
    fn towards(&self, _: &Self, _: f64) -> Self {
        *self
    }
}

impl Interpolate for Bound {
    fn towards(&self, _: &Self, _: f64) -> Self {
        *self
    }
}

impl Interpolate for PenaltyOf {
    fn towards(&self, _: &Self, _: f64) -> Self {
        *self
    }
}

impl Interpolate for Optimiser {
    fn towards(&self, next: &Self, share: f64) -> Self {
        match (*self, *next) {
            (Optimiser::Adam { betas }, Optimiser::Adam { betas: next }) => {
                Optimiser::Adam { betas: betas.towards(&next, share) }
            }
            (optimiser, _) => optimiser,
        }
    }
}

impl Interpolate for Filter {
    fn towards(&self, _: &Self, _: f64) -> Self {
        *self
    }
}

impl Interpolate for Tiles {
    fn towards(&self, next: &Self, share: f64) -> Self {
        match (*self, *next) {
            (Tiles::Rolled { size }, Tiles::Rolled { size: next }) => {
                Tiles::Rolled { size: whole_towards(size, next, share) }
            }
            (Tiles::Scattered { size }, Tiles::Scattered { size: next }) => {
                Tiles::Scattered { size: whole_towards(size, next, share) }
            }
            (tiles, _) => tiles,
        }
    }
}

impl Interpolate for Detail {
    fn towards(&self, next: &Self, share: f64) -> Self {
        match (self, next) {
            (Detail::Blend { share: from }, Detail::Blend { share: to }) => {
                Detail::Blend { share: from.towards(to, share) }
            }
            (detail, _) => *detail,
        }
    }
}

impl Interpolate for Normalisation {
    fn towards(&self, next: &Self, share: f64) -> Self {
        match (*self, *next) {
            (Normalisation::Laplacian { levels }, Normalisation::Laplacian { levels: next }) => {
                Normalisation::Laplacian { levels: whole_towards(levels, next, share) }
            }
            (normalisation, _) => normalisation,
        }
    }
}

/// The terms of both lists, their weights on the way from the first to the second.
impl Interpolate for Vec<Term> {
    fn towards(&self, next: &Self, share: f64) -> Self {
        let share = share as f32;
        let mut terms: Vec<Term> = Vec::new();
        let ends =
            self.iter().map(|term| (term, 1.0 - share)).chain(next.iter().map(|t| (t, share)));
        for (term, part) in ends {
            let weight = term.weight * part;
            match terms.iter_mut().find(|known| known.is_same(term)) {
                Some(known) => known.weight += weight,
                None => terms.push(term.clone().weighing(weight)),
            }
        }
        terms.retain(|term| term.weight != 0.0);
        terms
    }
}
