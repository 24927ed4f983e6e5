//! What pages are told of the desk, part by part.

use serde_json::{Value, json};

use super::Inner;
use crate::variations::Variations;

/// The parts of the state that change by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The picture and the recipe.
    Desk,
    /// How far the dream is.
    Dream,
    /// Small pictures.
    Gallery,
    /// A network on its way.
    Networks,
    /// The pictures in the library.
    Pictures,
    /// The cards of what was dreamt.
    History,
    /// Dreams that differ in their seeds.
    Variations,
    /// The jobs that are to be rendered.
    Queue,
    /// How far the one is that runs.
    Render,
}

impl Part {
    pub(crate) const ALL: [Part; 9] = [
        Part::Desk,
        Part::Dream,
        Part::Gallery,
        Part::Networks,
        Part::Pictures,
        Part::History,
        Part::Variations,
        Part::Queue,
        Part::Render,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Part::Desk => "desk",
            Part::Dream => "dream",
            Part::Gallery => "gallery",
            Part::Networks => "networks",
            Part::Pictures => "pictures",
            Part::History => "history",
            Part::Variations => "variations",
            Part::Queue => "queue",
            Part::Render => "render",
        }
    }
}

impl Inner {
    /// The present state of a part.
    pub(super) fn part(&self, part: Part) -> Value {
        match part {
            Part::Desk => json!({
                "rev": self.rev,
                "start": self.now.as_ref().map(|now| &now.start),
                "recipe": self.view,
                "undo": self.undo.len(),
                "redo": self.redo.len(),
                "refused": self.refused,
                "longest": self.longest(),
                "node": self.now.as_ref().and_then(|now| now.node.as_ref()),
                "from": self.now.as_ref().and_then(|now| now.from.as_ref()),
            }),
            Part::Dream => json!({
                "rev": self.rev,
                "phase": self.phase,
                "step": self.step,
                "octaves": self.octaves,
                "seconds": self.took.as_secs_f64(),
                "left": self.left(),
                "frame": self.frames,
                "failure": self.failure,
                "halted": self.halted().is_some(),
                "size": self.frame.as_ref().filter(|frame| frame.whole).map(|frame| frame.picture.size()),
            }),
            Part::Gallery => self.gallery.state(),
            Part::Networks => json!({ "fetch": self.fetch }),
            Part::History => self.cards.state(self.changed[part as usize]),
            Part::Variations => json!(self.variations.as_ref().map(Variations::state)),
            Part::Queue | Part::Render => Value::Null,
            // A list may be long: who shows it asks for it.
            Part::Pictures => json!({ "changed": self.changed[part as usize] }),
        }
    }
}
