//! The history: a dream that is whole and has stood for a moment becomes a card, with what it came from. A card
//! is its recipe and a small picture; the recipe makes the large one again.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::desk::{Desk, Part, Start};
use crate::lanes::guarded;
use crate::library::{NewNode, NodeChange, Origin};
use crate::photos;
use crate::secret::hex;
use crate::server::Room;
use crate::workshop::{Dream, Failure, Lane, Order, Picture, Step, Watch};

/// How long a dream stands until it is a card.
pub(crate) const STANDS: Duration = Duration::from_millis(1200);

/// The longest side of a card's picture.
const SMALL: u32 = 160;

/// A dream that is to become a card.
pub(crate) struct Standing {
    pub(crate) rev: u64,
    pub(crate) picture: String,
    pub(crate) recipe: String,
    pub(crate) title: String,
    pub(crate) from: Option<String>,
    pub(crate) longest: u32,
    pub(crate) dream: Arc<dyn Dream>,
}

/// Makes cards, until all is over.
pub(crate) fn keep(room: &Room) {
    while let Some(standing) = room.desk.standing() {
        let node = card(room, &standing);
        room.desk.carded(standing.rev, node);
    }
}

/// Makes a card, or finds the one that shows the same.
fn card(room: &Room, standing: &Standing) -> Result<String, Failure> {
    let Standing { picture, recipe, title, from, longest, dream, .. } = standing;
    let pixels = hash(dream.as_ref());
    // A knob that changes no pixel is kept nevertheless.
    let rules = |recipe: &str| {
        let mut view = room.desk.workshop.view(recipe);
        view.as_object_mut().map(|view| view.remove("version"));
        view
    };
    let wanted = rules(recipe);
    let known = room.library.nodes_of(picture, &pixels)?;
    if let Some((known, _)) = known.into_iter().find(|(_, known)| rules(known) == wanted) {
        return Ok(known);
    }
    let exact = hex(&Sha256::digest(dream.file("png")?));
    room.library.add_node(&NewNode {
        picture,
        parent: from.as_deref(),
        recipe,
        title,
        size: dream.size(),
        longest: *longest,
        settled: dream.recipe(),
        exact: &exact,
        pixels: &pixels,
        small: &dream.jpeg(SMALL, 85),
    })
}

/// SHA-256 of a dream's pixels, in hexadecimal.
fn hash(dream: &dyn Dream) -> String {
    hex(&Sha256::digest(dream.pixels()))
}

/// The cards of the picture on the desk that are not in the trash.
pub(crate) fn list(room: &Room) -> Result<Value, Failure> {
    let Some((start, _)) = room.desk.now() else { return Ok(json!([])) };
    Ok(json!(room.library.nodes(&start.id)?))
}

/// Puts a card's recipe back on the desk; none without such a card of the picture that is there.
pub(crate) fn show(room: &Room, id: &str) -> Result<Option<()>, Failure> {
    let Some(Origin { picture, recipe, longest, .. }) = room.library.origin(id)? else {
        return Ok(None);
    };
    Ok(room.desk.show_card(id, &picture, recipe, longest))
}

/// The card that a picture which comes in is the dream of, and the photo that it was dreamt on, if both are here.
pub(crate) fn original(room: &Room, id: &str) -> Result<Option<(String, Start)>, Failure> {
    let Some((node, picture)) = room.library.node_exactly(id)? else { return Ok(None) };
    let Some(photo) = room.library.picture(&picture)? else { return Ok(None) };
    Ok(photos::start(room, photo).ok().map(|start| (node, start)))
}

/// Puts the photo on the desk that a picture was dreamt on, with its recipe; none if it is not here.
pub(crate) fn open_original(room: &Room, id: &str) -> Result<Option<()>, Failure> {
    let Some((node, start)) = original(room, id)? else { return Ok(None) };
    room.desk.put(start)?;
    show(room, &node)
}

/// Names a card, stars it, puts it into the trash or takes it out.
pub(crate) fn change(room: &Room, id: &str, mut change: NodeChange) -> Result<Option<()>, Failure> {
    if let Some(title) = &mut change.title {
        *title = crate::shelf::label(title);
    }
    let is_there = room.library.change_node(id, &change)?;
    room.desk.tell_of(Part::History);
    Ok(is_there.then_some(()))
}

/// What became of dreaming a card again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub(crate) enum Checked {
    Running,
    /// The same pixels came out.
    Same,
    /// Others: which version wrote the recipe, if it says so.
    Other {
        version: Option<String>,
    },
    Failed,
}

/// Dreams a card again, beside whatever is dreamt, and compares the pixels; its picture is at hand then. Of a card
/// whose pixels nobody knows, they are known from then on. Returns none without such a card.
///
/// # Errors
/// Another card is being dreamt again.
pub(crate) fn check(room: &Arc<Room>, id: &str) -> Result<Option<()>, Failure> {
    let Some(origin) = room.library.origin(id)? else { return Ok(None) };
    let Some((start, _)) = room.desk.now().filter(|(start, _)| start.id == origin.picture) else {
        return Ok(None);
    };
    room.desk.begin_check(id)?;
    let (of, name) = (room.clone(), id.to_owned());
    let work = move || {
        let (room, id) = (of, name);
        let (source, longest) = (start.source(), origin.longest);
        let recipe = origin.settled.clone().unwrap_or_else(|| origin.recipe.clone());
        let version = room.desk.workshop.view(&recipe)["version"].as_str().map(str::to_owned);
        let order = Order { source, recipe, longest, lane: Lane::Again };
        let made = guarded(&room.desk, &order, &mut Beside(&room.desk)).ok();
        let became = match &made {
            None => Some(Checked::Failed),
            Some(dream) => compared(&room, (&id, &origin), dream.as_ref(), version),
        };
        room.desk.checked(&id, became, made);
    };
    let thread = std::thread::Builder::new().name("check".to_owned()).spawn(work);
    thread.map_err(|error| {
        room.desk.checked(id, Some(Checked::Failed), None);
        Failure::new("internal", error)
    })?;
    Ok(Some(()))
}

/// Compares a card with its dream that was made again; none where nobody knew its pixels.
fn compared(
    room: &Room,
    (id, origin): (&str, &Origin),
    dream: &dyn Dream,
    version: Option<String>,
) -> Option<Checked> {
    let pixels = hash(dream);
    if !origin.pixels.is_empty() {
        return Some(match pixels == origin.pixels {
            true => Checked::Same,
            false => Checked::Other { version },
        });
    }
    let same = dream.file("png").is_ok_and(|file| hex(&Sha256::digest(file)) == origin.exact);
    match room.library.settle_node(id, &pixels, dream.recipe()) {
        Ok(()) => same.then_some(Checked::Same),
        Err(_) => Some(Checked::Failed),
    }
}

/// Watches what is dreamt beside: it goes on while nobody steers, and ends with the program.
struct Beside<'a>(&'a Desk);

impl Watch for Beside<'_> {
    fn laid_out(&mut self, _: &[f64]) {}

    fn step(&mut self, _: Step, _: &dyn Fn() -> Arc<dyn Picture>) -> ControlFlow<()> {
        self.0.stand_back();
        match self.0.is_over() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}
