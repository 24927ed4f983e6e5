//! What those who compute behind the desk need of it: whether the page goes first, how fast this machine is, and
//! to tell what they do.

use std::sync::Arc;

use serde_json::Value;

use super::{Desk, Frame, Inner, Part, Phase};
use crate::library::named;
use crate::variations::Variations;
use crate::workshop::Picture;

impl Desk {
    /// Says that a part has changed.
    pub(crate) fn tell_of(&self, part: Part) {
        self.tell(&mut self.lock(), part);
    }

    /// Whether a recipe names the file of a hash that is on the desk, now or after an undo, or waits for an answer.
    pub(crate) fn names(&self, hash: &str) -> bool {
        let inner = self.lock();
        let all = inner.now.iter().chain(&inner.undo).chain(&inner.redo);
        let recipes = all.map(|snapshot| &snapshot.recipe);
        let offered = inner.offered.iter().map(|(_, recipe)| recipe);
        recipes.chain(offered).any(|recipe| named(recipe).any(|id| id == *hash))
    }

    /// What a recipe that is brought would change of the one that is there.
    pub(crate) fn differences(&self, text: &str) -> Option<Value> {
        let (_, now) = self.now()?;
        self.workshop.differences(text, &now).ok()
    }

    /// What a dream that was halted looks like, and its start's name.
    pub(crate) fn unfinished(&self) -> Option<(Arc<dyn Picture>, String)> {
        let inner = self.lock();
        Some((inner.halted()?.picture.clone(), inner.now.as_ref()?.start.name.clone()))
    }

    /// What was made of the photo is gone, and made again where it is still wanted.
    pub(crate) fn remake(&self) {
        let mut inner = self.lock();
        inner.gallery.remake();
        self.tell(&mut inner, Part::Gallery);
        self.work.notify_all();
    }

    /// Whether somebody steers, or looks at what is made for the page.
    pub(crate) fn goes_first(&self) -> bool {
        let inner = self.lock();
        let vary = inner.variations.as_ref().is_some_and(Variations::grow);
        inner.is_steered() || vary || inner.gallery.is_awaited()
    }

    /// Whether what nobody looks at has to wait for a render.
    pub(crate) fn renders_first(&self) -> bool {
        !self.lock().gallery.is_awaited() && self.queue.runs()
    }

    /// How many seconds a pixel takes in a step, by the dream that was whole last.
    pub(crate) fn pace(&self) -> Option<f64> {
        self.lock().pace
    }
}

impl Inner {
    /// What a dream that was halted looks like.
    pub(super) fn halted(&self) -> Option<&Frame> {
        let halted = matches!(self.phase, Phase::Paused | Phase::Stopped);
        self.frame.as_ref().filter(|frame| halted && frame.rev == self.rev)
    }
}
