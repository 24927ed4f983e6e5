//! Frames at which no step has a gradient: a black one in a fade may be such a frame, and is left as it is;
//! but layers that have a gradient nowhere make no dream at all.

use crate::zoom::fade::strength;
use crate::{DreamError, Observer, Plan, noise};

/// What is known of the layers' gradient so far.
#[derive(Default)]
pub(crate) struct Standstill {
    /// There was one: at a frame, or at noise.
    seen: bool,
}

impl Standstill {
    /// Takes note of a frame whose dream `climbed` or did not.
    ///
    /// # Errors
    /// [`DreamError::NoGradient`] if it did not and neither does noise, or what runs the network fails.
    pub(crate) fn check(
        &mut self,
        plan: &Plan,
        climbed: bool,
        observer: &mut dyn Observer,
    ) -> Result<(), DreamError> {
        if climbed {
            self.seen = true;
            return Ok(());
        }
        if !self.seen {
            let noise = noise(plan.size(), plan.recipe().seed);
            self.seen = strength(plan, &noise)? > 0.0;
            if !self.seen {
                return Err(plan.no_gradient(&noise));
            }
        }
        observer.no_gradient();
        Ok(())
    }
}
