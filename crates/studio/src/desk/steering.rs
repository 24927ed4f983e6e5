//! What the lane that steers does to the desk: it takes what is wanted, tells how far it is, and stops at the
//! next step once something else is wanted.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::{Desk, Inner, Part, Phase};
use crate::workshop::{Dream, Failure, Lane, Order, Picture, Step};

/// The shortest time between two frames: more than ten a second show no more of a dream, and each takes the
/// processors of a page on the same machine from it.
const BETWEEN: Duration = Duration::from_millis(100);

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
                let (source, longest) = (now.start.source(), now.longest);
                let order = Order { source, recipe: now.recipe, longest, lane: Lane::Steered };
                inner.begun = Instant::now();
                inner.steered = Some(inner.begun);
                return Some((*done, order));
            }
            inner = self.work.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A dream like that which was finished lately.
    pub(crate) fn recent(&self, key: &str) -> Option<Arc<dyn Dream>> {
        self.lock().recent.get(key)
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
        let done = Instant::now();
        let mut inner = self.lock();
        if inner.rev != rev || inner.over {
            return false;
        }
        inner.step = at;
        inner.took = inner.begun.elapsed();
        inner.steered = Some(Instant::now());
        let is_watched = inner.watched.is_some_and(|since| since.elapsed().as_secs() < 2);
        let ends = inner.phase != Phase::Dreaming;
        if (is_watched && last.elapsed() >= BETWEEN) || ends {
            // A picture takes a moment, in which nobody has to wait for the desk.
            drop(inner);
            let picture = picture();
            inner = self.lock();
            if inner.rev != rev {
                return false;
            }
            inner.push(rev, (at, done), false, picture);
            *last = Instant::now();
        }
        self.tell_later(&mut inner, Part::Dream);
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
            inner.recent.keep(key, dream.clone());
        }
        if inner.rev != rev || inner.phase == Phase::Stopped {
            return;
        }
        match result {
            Ok(dream) => {
                inner.took = inner.begun.elapsed();
                inner.phase = Phase::Done;
                // A dream that was kept takes no time.
                let all = inner.step.total;
                if all > 0 && inner.step.done == all {
                    inner.pace = Some(inner.took.as_secs_f64() / all as f64);
                }
                let step = inner.step;
                inner.push(rev, (step, Instant::now()), true, dream.clone().picture());
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
        self.stand_back_while(|_| true);
    }

    /// As [`stand_back`](Self::stand_back), for as long as what stands back is of use.
    pub(crate) fn stand_back_while(&self, of_use: impl Fn(&Inner) -> bool) {
        let mut inner = self.lock();
        while inner.is_steered() && !inner.over && of_use(&inner) {
            let moment = Duration::from_millis(50);
            let waited = self.work.wait_timeout(inner, moment);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
