//! Variations: four dreams that differ in their seeds alone, growing together beside the one on the desk.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::desk::{Desk, Part};
use crate::lanes::guarded;
use crate::server::Room;
use crate::workshop::{Failure, Lane, Order, Picture, Step, Watch};

/// How many grow together.
pub(crate) const COUNT: usize = 4;

/// Their longest side, unless the figures are laid out at a larger one: each is the beginning of what a larger dream
/// would be.
const LONGEST: u32 = 640;

/// The shortest time between two pictures of one.
const BETWEEN: Duration = Duration::from_millis(150);

/// Those that are shown.
pub(crate) struct Variations {
    /// Which they are, of all that were begun: pictures of others have other addresses.
    run: u64,
    /// How far the first one's seed is from the desk's.
    first: u32,
    tiles: Vec<Tile>,
}

/// One of them.
struct Tile {
    recipe: String,
    share: f64,
    /// Rises with every picture.
    frame: u64,
    picture: Option<Arc<dyn Picture>>,
    failure: Option<Failure>,
}

impl Variations {
    pub(crate) fn state(&self) -> Value {
        let tile = |(tile, number): (&Tile, u64)| {
            json!({
                "seed": u64::from(self.first) + number,
                "share": tile.share,
                "frame": tile.frame,
                "failure": tile.failure,
            })
        };
        let tiles: Vec<Value> = self.tiles.iter().zip(0..).map(tile).collect();
        json!({ "run": self.run, "first": self.first, "tiles": tiles })
    }

    /// Whether one of them is not whole yet.
    pub(crate) fn grow(&self) -> bool {
        self.tiles.iter().any(|tile| tile.share < 1.0 && tile.failure.is_none())
    }

    /// The recipe of one.
    pub(crate) fn recipe(&self, number: usize) -> Option<String> {
        self.tiles.get(number).map(|tile| tile.recipe.clone())
    }

    /// What one looks like.
    pub(crate) fn picture(&self, number: usize) -> Option<Arc<dyn Picture>> {
        self.tiles.get(number)?.picture.clone()
    }
}

/// Begins four, `first` being how far the first one's seed is from the desk's, in place of those that are shown.
pub(crate) fn begin(room: &Arc<Room>, first: u32) -> Result<(), Failure> {
    let desk = &room.desk;
    let (start, recipe) = desk.now().ok_or_else(crate::upload::unfinished)?;
    let mut tiles = Vec::new();
    for number in 0..COUNT as u64 {
        let recipe = desk.workshop.varied(&recipe, u64::from(first) + number)?;
        tiles.push(Tile { recipe, share: 0.0, frame: 0, picture: None, failure: None });
    }
    let recipes: Vec<String> = tiles.iter().map(|tile| tile.recipe.clone()).collect();
    let run = desk.vary(|run| Variations { run, first, tiles });
    let longest = desk.lock().beginning(LONGEST);
    for (number, recipe) in recipes.into_iter().enumerate() {
        let order = Order { source: start.source(), recipe, longest, lane: Lane::Beside(number) };
        let desk = desk.clone();
        let work = move || {
            let mut watch = Grows { desk: &desk, run, number, last: Instant::now() };
            let made = guarded(&desk, &order, &mut watch);
            desk.varied(run, |all| {
                let Some(tile) = all.tiles.get_mut(number) else { return };
                match made {
                    Ok(dream) => {
                        (tile.share, tile.picture) = (1.0, Some(dream.picture()));
                        tile.frame += 1;
                    }
                    Err(failure) if failure.is_stopped() => {}
                    Err(failure) => tile.failure = Some(failure),
                }
            });
        };
        let thread = std::thread::Builder::new().name("variation".to_owned()).spawn(work);
        thread.map_err(|error| {
            // Whoever renders waits for those that grow.
            room.desk.end_variations();
            Failure::new("internal", error)
        })?;
    }
    Ok(())
}

struct Grows<'a> {
    desk: &'a Desk,
    run: u64,
    number: usize,
    last: Instant,
}

impl Watch for Grows<'_> {
    fn laid_out(&mut self, _: &[f64]) {}

    fn step(&mut self, at: Step, picture: &dyn Fn() -> Arc<dyn Picture>) -> ControlFlow<()> {
        self.desk.stand_back_while(|inner| inner.run == self.run && inner.variations.is_some());
        let due = self.last.elapsed() >= BETWEEN;
        let picture = due.then(picture);
        if due {
            self.last = Instant::now();
        }
        let wanted = self.desk.varied(self.run, |all| {
            let Some(tile) = all.tiles.get_mut(self.number) else { return };
            tile.share = at.done as f64 / at.total.max(1) as f64;
            if let Some(picture) = picture {
                (tile.picture, tile.frame) = (Some(picture), tile.frame + 1);
            }
        });
        if wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

impl Desk {
    /// Shows variations in place of those that are shown; returns their run.
    fn vary(&self, all: impl FnOnce(u64) -> Variations) -> u64 {
        let mut inner = self.lock();
        inner.run += 1;
        inner.variations = Some(all(inner.run));
        self.tell(&mut inner, Part::Variations);
        inner.run
    }

    /// Changes the variations of a run; returns whether they are still shown.
    fn varied(&self, run: u64, change: impl FnOnce(&mut Variations)) -> bool {
        let mut inner = self.lock();
        if inner.run != run || inner.over {
            return false;
        }
        let Some(all) = &mut inner.variations else { return false };
        change(all);
        self.tell(&mut inner, Part::Variations);
        true
    }

    /// Shows none.
    pub(crate) fn end_variations(&self) {
        let mut inner = self.lock();
        if inner.variations.take().is_some() {
            self.tell(&mut inner, Part::Variations);
        }
    }

    /// One of them takes its place on the desk; none without that one.
    pub(crate) fn take_variation(&self, number: usize) -> Option<()> {
        let recipe = self.lock().variations.as_ref().and_then(|all| all.recipe(number))?;
        self.end_variations();
        self.take(recipe);
        Some(())
    }
}
