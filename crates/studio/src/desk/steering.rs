//! What the lane that steers does to the desk: it takes what is wanted, tells how far it is, and stops at the
//! next step once something else is wanted.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::{Desk, KEPT, Part, Phase};
use crate::workshop::{Dream, Failure, Order, Picture, Step};

impl Desk {
    /// Waits for a dream that is wanted; none once all is over.
    pub(crate) fn wanted(&self, done: &mut u64) -> Option<(u64, Order)> {
        let mut inner = self.lock();
        loop {
            if inner.over {
                return None;
            }
            let wanted = inner.phase == Phase::Dreaming && inner.rev != *done;
            if let Some(now) = inner.now.clone().filter(|_| wanted) {
                *done = inner.rev;
                let source = now.start.source(inner.longest);
                let longest = (!now.start.noise).then_some(inner.longest);
                let order = Order { source, recipe: now.recipe, longest, steered: true };
                inner.begun = Instant::now();
                inner.steered = Some(inner.begun);
                return Some((*done, order));
            }
            inner = self.work.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A dream like that which was finished lately.
    pub(crate) fn recent(&self, key: &str) -> Option<Arc<dyn Dream>> {
        let inner = self.lock();
        inner.recent.iter().find(|(known, _)| known == key).map(|(_, dream)| dream.clone())
    }

    /// The dream of `rev` has its octaves laid out.
    pub(crate) fn laid_out(&self, rev: u64, octaves: &[f64]) {
        let mut inner = self.lock();
        if inner.rev == rev {
            inner.octaves = octaves.to_vec();
            self.tell(&mut inner, Part::Dream);
        }
    }

    /// A step of the dream of `rev` is done. Returns whether it may go on; waits while it is paused.
    pub(crate) fn stepped(
        &self,
        rev: u64,
        at: Step,
        last: &mut Instant,
        picture: &dyn Fn() -> Arc<dyn Picture>,
    ) -> bool {
        let mut inner = self.lock();
        if inner.rev != rev || inner.over {
            return false;
        }
        inner.step = at;
        inner.took = inner.begun.elapsed();
        inner.steered = Some(Instant::now());
        let is_watched = inner.watched.is_some_and(|since| since.elapsed().as_secs() < 2);
        let ends = inner.phase != Phase::Dreaming;
        if (is_watched && last.elapsed().as_millis() >= 66) || ends {
            // A picture takes a moment, in which nobody has to wait for the desk.
            drop(inner);
            let picture = picture();
            inner = self.lock();
            if inner.rev != rev {
                return false;
            }
            inner.push(rev, at, false, picture);
            *last = Instant::now();
        }
        self.tell(&mut inner, Part::Dream);
        let halted = Instant::now();
        while inner.phase == Phase::Paused && inner.rev == rev && !inner.over {
            inner.steered = None;
            inner = self.work.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        inner.begun += halted.elapsed();
        inner.rev == rev && inner.phase == Phase::Dreaming && !inner.over
    }

    /// The dream of `rev` has come to an end.
    pub(crate) fn ended(&self, rev: u64, key: String, result: Result<Arc<dyn Dream>, Failure>) {
        let mut inner = self.lock();
        inner.steered = Some(Instant::now());
        if let Ok(dream) = &result {
            inner.recent.retain(|(known, _)| *known != key);
            inner.recent.push_front((key, dream.clone()));
            inner.recent.truncate(KEPT);
        }
        if inner.rev != rev || inner.phase == Phase::Stopped {
            return;
        }
        match result {
            Ok(dream) => {
                inner.took = inner.begun.elapsed();
                inner.phase = Phase::Done;
                let step = inner.step;
                inner.push(rev, step, true, dream.clone().picture());
                inner.whole = Some(dream);
            }
            Err(failure) if failure.is_stopped() => inner.phase = Phase::Stopped,
            Err(failure) => {
                inner.phase = Phase::Refused;
                inner.failure = Some(failure);
            }
        }
        self.tell(&mut inner, Part::Dream);
        self.work.notify_all();
    }

    /// Waits while the lane that steers is at work, and a moment more.
    pub(crate) fn stand_back(&self) {
        let mut inner = self.lock();
        while inner.is_steered() && !inner.over {
            let moment = Duration::from_millis(50);
            let waited = self.work.wait_timeout(inner, moment);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
