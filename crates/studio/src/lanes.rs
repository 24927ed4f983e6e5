//! Who computes: one thread for the dream that is steered, one for what is made behind it. The second stands
//! back whenever the first has something to do.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::desk::{Desk, Part, Start};
use crate::secret::hex;
use crate::shelf::Shelf;
use crate::workshop::{Dream, Failure, Lane, Order, Picture, Sample, Step, Watch};

/// The longest side of small pictures.
const SMALL: u32 = 224;

/// Dreams what is on the desk, until all is over.
pub(crate) fn steer(desk: &Desk) {
    let mut done = 0;
    while let Some((rev, order)) = desk.wanted(&mut done) {
        let key = key(&format!("{:?} {:?}", order.source, order.longest), &order.recipe);
        let result = match desk.recent(&key) {
            Some(dream) => Ok(dream),
            None => {
                // The first frame is shown as soon as it is there.
                let long_ago = Instant::now().checked_sub(Duration::from_secs(1));
                let last = long_ago.unwrap_or_else(Instant::now);
                guarded(desk, &order, &mut Steered { desk, rev, last })
            }
        };
        desk.ended(rev, key, result);
    }
}

/// A dream whose panic is a failure.
pub(crate) fn guarded(
    desk: &Desk,
    order: &Order,
    watch: &mut dyn Watch,
) -> Result<Arc<dyn Dream>, Failure> {
    let dream = AssertUnwindSafe(|| desk.workshop.dream(order, watch));
    catch_unwind(dream).unwrap_or_else(|_| {
        let what = "This dream broke the program's computing. Its terminal says where.";
        Err(Failure::new("internal", what).way_out("Change the recipe, and please report it."))
    })
}

struct Steered<'a> {
    desk: &'a Desk,
    rev: u64,
    last: Instant,
}

impl Watch for Steered<'_> {
    fn laid_out(&mut self, octaves: &[f64]) {
        self.desk.laid_out(self.rev, octaves);
    }

    fn step(&mut self, at: Step, picture: &dyn Fn() -> Arc<dyn Picture>) -> ControlFlow<()> {
        match self.desk.stepped(self.rev, at, &mut self.last, picture) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    }
}

/// Makes small pictures, until all is over.
pub(crate) fn behind(desk: &Desk, shelf: &Shelf) {
    while let Some((context, sample, start, recipe)) = next(desk) {
        let file = small(desk, shelf, (context, &sample), &start, &recipe);
        let mut inner = desk.lock();
        let file = match file {
            // It may be wanted again.
            Err(failure) if failure.is_stopped() => continue,
            file => file.ok(),
        };
        if inner.gallery.made(context, sample, file) {
            desk.tell(&mut inner, Part::Gallery);
        }
    }
}

fn next(desk: &Desk) -> Option<(u64, Sample, Start, String)> {
    let mut inner = desk.lock();
    loop {
        if inner.over {
            return None;
        }
        if let Some((context, sample)) = inner.gallery.next() {
            drop(inner);
            desk.stand_back();
            if desk.renders_first() {
                inner = desk.lock();
                let moment = Duration::from_millis(200);
                let waited = desk.work.wait_timeout(inner, moment);
                inner = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
                continue;
            }
            let still = desk.lock().gallery.is_of_use(context, &sample);
            if let Some((start, recipe)) = desk.now().filter(|_| still) {
                return Some((context, sample, start, recipe));
            }
            inner = desk.lock();
            continue;
        }
        inner = desk.work.wait(inner).unwrap_or_else(std::sync::PoisonError::into_inner);
    }
}

/// Makes the small picture, or finds it; returns its name.
fn small(
    desk: &Desk,
    shelf: &Shelf,
    (context, sample): (u64, &Sample),
    start: &Start,
    recipe: &str,
) -> Result<String, Failure> {
    let recipe = desk.workshop.sample(recipe, sample)?;
    let name = key(&start.id, &recipe);
    if shelf.has_small(&name) {
        return Ok(name);
    }
    let order = Order { source: start.source(), recipe, longest: SMALL, lane: Lane::Behind };
    let dream = guarded(desk, &order, &mut Behind { desk, context, sample })?;
    shelf.keep_small(&name, &dream.jpeg(SMALL, 88))?;
    Ok(name)
}

struct Behind<'a> {
    desk: &'a Desk,
    context: u64,
    sample: &'a Sample,
}

impl Watch for Behind<'_> {
    fn laid_out(&mut self, _: &[f64]) {}

    fn step(&mut self, _: Step, _: &dyn Fn() -> Arc<dyn Picture>) -> ControlFlow<()> {
        self.desk.stand_back();
        let inner = self.desk.lock();
        match inner.over || !inner.gallery.is_of_use(self.context, self.sample) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

/// A name for what depends on these two alone.
fn key(start: &str, recipe: &str) -> String {
    let mut hash = Sha256::new();
    hash.update((start.len() as u64).to_le_bytes());
    hash.update(start);
    hash.update(recipe);
    hex(&hash.finalize()[..16])
}
