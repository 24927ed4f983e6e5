//! Where the desk is in the history: which card it shows, or which one it came from.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};

use super::recent::Recent;
use super::{Desk, Inner, Part, Phase, Snapshot};
use crate::history::{Checked, STANDS, Standing};
use crate::workshop::{Dream, Failure};

/// How many of those that were dreamt again are remembered.
const AGAIN: usize = 32;

/// What is known of cards beside what the library has.
#[derive(Default)]
pub(super) struct Cards {
    /// What became of those that were dreamt again, by their ids, the last one first.
    again: Vec<(String, Checked)>,
    /// Their pictures.
    made: Recent,
    /// The dream that could not be kept, and why.
    unkept: Option<(u64, Failure)>,
}

impl Cards {
    pub(super) fn state(&self, changed: u64) -> Value {
        let checked = self.again.iter().map(|(id, became)| (id.clone(), json!(became)));
        let checked: serde_json::Map<String, Value> = checked.collect();
        let failure = self.unkept.as_ref().map(|(_, failure)| failure);
        json!({ "changed": changed, "checked": checked, "failure": failure })
    }

    /// Remembers what became of a card. What became of one goes with its picture.
    fn became(&mut self, id: &str, became: Checked, dream: Option<Arc<dyn Dream>>) {
        if let Some(dream) = dream {
            self.made.keep(id.to_owned(), dream);
        }
        self.again.retain(|(known, became)| {
            let is_made = matches!(became, Checked::Same | Checked::Other { .. });
            known != id && (!is_made || self.made.get(known).is_some())
        });
        self.again.insert(0, (id.to_owned(), became));
        self.again.truncate(AGAIN);
    }
}

impl Desk {
    /// Waits for a dream that has stood long enough to become a card; none once all is over.
    pub(crate) fn standing(&self) -> Option<Standing> {
        let mut inner = self.lock();
        loop {
            if inner.over {
                return None;
            }
            let wait = match inner.unkept() {
                None => None,
                Some(ended) => match STANDS.checked_sub(ended.elapsed()) {
                    Some(left) if !left.is_zero() => Some(left),
                    _ => return inner.to_keep(),
                },
            };
            inner = match wait {
                None => self.work.wait(inner).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    let waited = self.work.wait_timeout(inner, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// The dream of `rev` is a card, or could not become one.
    pub(crate) fn carded(&self, rev: u64, node: Result<String, Failure>) {
        let mut inner = self.lock();
        match node {
            Ok(node) => {
                inner.cards.unkept = None;
                if inner.rev == rev
                    && let Some(now) = &mut inner.now
                {
                    now.node = Some(node);
                }
            }
            Err(failure) => inner.cards.unkept = Some((rev, failure)),
        }
        self.tell(&mut inner, Part::Desk);
        self.tell(&mut inner, Part::History);
    }

    /// Puts a card back on the desk, if it is one of the picture that is there.
    pub(crate) fn show_card(
        &self,
        id: &str,
        picture: &str,
        recipe: String,
        longest: u32,
    ) -> Option<()> {
        let view = self.workshop.view(&recipe);
        let mut inner = self.lock();
        let now = inner.now.clone().filter(|now| now.start.id == picture)?;
        if now.node.as_deref() == Some(id) {
            return Some(());
        }
        let to = Snapshot { recipe, longest, node: Some(id.to_owned()), from: None, ..now };
        self.step_to(&mut inner, to, view, 0);
        Some(())
    }

    /// Says that a card is dreamt again.
    ///
    /// # Errors
    /// One is at the moment.
    pub(crate) fn begin_check(&self, id: &str) -> Result<(), Failure> {
        let mut inner = self.lock();
        if inner.cards.again.iter().any(|(_, became)| *became == Checked::Running) {
            let failure = Failure::new("busy", "A card is being dreamt again.");
            return Err(failure.way_out("Wait until it is there, then try once more."));
        }
        inner.cards.became(id, Checked::Running, None);
        self.tell(&mut inner, Part::History);
        Ok(())
    }

    /// A card was dreamt again; `became` is none if there was nothing to compare it with.
    pub(crate) fn checked(&self, id: &str, became: Option<Checked>, dream: Option<Arc<dyn Dream>>) {
        let mut inner = self.lock();
        match became {
            Some(became) => inner.cards.became(id, became, dream),
            None => inner.cards.again.retain(|(known, _)| known != id),
        }
        self.tell(&mut inner, Part::History);
    }

    /// The picture of a card that was dreamt again.
    pub(crate) fn made(&self, id: &str) -> Option<Arc<dyn Dream>> {
        self.lock().cards.made.get(id)
    }
}

impl Inner {
    /// When the dream that is no card yet came to its end.
    fn unkept(&self) -> Option<Instant> {
        let now = self.now.as_ref()?;
        let refused = self.cards.unkept.as_ref().is_some_and(|(rev, _)| *rev == self.rev);
        let is_open = self.phase == Phase::Done && now.node.is_none() && !refused;
        self.steered.filter(|_| is_open && self.whole.is_some())
    }

    fn to_keep(&self) -> Option<Standing> {
        let now = self.now.clone()?;
        Some(Standing {
            rev: self.rev,
            picture: now.start.id,
            recipe: now.recipe,
            title: self.view["title"].as_str().unwrap_or("dream").to_owned(),
            from: now.from,
            longest: now.longest,
            dream: self.whole.clone()?,
        })
    }
}
