//! Small pictures of what layers, channels and looks make of the photo on the desk. What the page shows is made first;
//! each is kept in a file that is named by all it depends on.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::looks;
use crate::server::Room;
use crate::workshop::{Failure, Sample};

/// How many may be asked for at once.
const MOST: usize = 4096;

/// What a page wants to see.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wanted {
    layers: Vec<String>,
    looks: Vec<String>,
    /// Looks that were saved, by their names in the library.
    saved: Vec<String>,
    /// Channels of layers: their names and numbers.
    channels: Vec<(String, u32)>,
    /// How many of the layers are in view; the others are made when nothing else is to be done. Default: all.
    in_view: Option<usize>,
}

impl Wanted {
    /// The small pictures to make, in this order, and how many of them are looked at: channels are asked for where
    /// they are. Where there is nothing to make them of, none are.
    pub(crate) fn samples(self, room: &Room) -> Result<(Vec<Sample>, usize), Failure> {
        if room.desk.now().is_none() {
            return Ok((Vec::new(), 0));
        }
        let mut saved = Vec::new();
        for id in self.saved.into_iter().take(MOST) {
            if let Some(recipe) = looks::recipe(room, &id)? {
                saved.push(Sample::Saved(id, recipe));
            }
        }
        let in_view = self.in_view.unwrap_or(self.layers.len()).min(self.layers.len());
        let seen = self.channels.len() + self.looks.len() + saved.len() + in_view;
        let channels = self.channels.into_iter().map(|(layer, n)| Sample::Channel(layer, n));
        let looks = self.looks.into_iter().map(Sample::Look);
        let layers = self.layers.into_iter().map(Sample::Layer);
        Ok((channels.chain(looks).chain(saved).chain(layers).take(MOST).collect(), seen))
    }
}

/// What there is and what is wanted.
#[derive(Default)]
pub(crate) struct Gallery {
    /// Rises when the photo or the network is another one.
    context: u64,
    wanted: Vec<Sample>,
    /// How many of those are looked at.
    seen: usize,
    ready: HashMap<Sample, String>,
    failed: HashSet<Sample>,
}

impl Gallery {
    /// The photo or the network is another one: what was made is of the one before.
    pub(crate) fn forget(&mut self) {
        *self = Self { context: self.context + 1, ..Self::default() };
    }

    /// What was made is gone.
    pub(crate) fn remake(&mut self) {
        self.context += 1;
        self.ready.clear();
    }

    /// What is to be made next, in this order.
    pub(crate) fn want(&mut self, (wanted, seen): (Vec<Sample>, usize)) {
        (self.wanted, self.seen) = (wanted, seen);
    }

    /// Whether something that is looked at has still to be made.
    pub(crate) fn is_awaited(&self) -> bool {
        self.wanted.iter().take(self.seen).any(|sample| self.is_open(sample))
    }

    fn is_open(&self, sample: &Sample) -> bool {
        !self.ready.contains_key(sample) && !self.failed.contains(sample)
    }

    /// The next to make.
    pub(crate) fn next(&self) -> Option<(u64, Sample)> {
        let next = self.wanted.iter().find(|sample| self.is_open(sample))?;
        Some((self.context, next.clone()))
    }

    /// Whether something that was begun in a context is still of use.
    pub(crate) fn is_of_use(&self, context: u64, sample: &Sample) -> bool {
        self.context == context && self.wanted.contains(sample)
    }

    /// A picture is there, or cannot be made; returns whether anybody cares.
    pub(crate) fn made(&mut self, context: u64, sample: Sample, file: Option<String>) -> bool {
        if self.context != context {
            return false;
        }
        match file {
            Some(file) => drop(self.ready.insert(sample, file)),
            None => drop(self.failed.insert(sample)),
        }
        true
    }

    pub(crate) fn state(&self) -> Value {
        let [mut layers, mut looks, mut channels] = [(); 3].map(|()| serde_json::Map::new());
        let failed = self.failed.iter().map(|sample| (sample, Value::Bool(false)));
        let ready = self.ready.iter().map(|(sample, file)| (sample, Value::from(file.as_str())));
        for (sample, value) in failed.chain(ready) {
            match sample {
                Sample::Layer(name) => drop(layers.insert(name.clone(), value)),
                Sample::Look(name) => drop(looks.insert(name.clone(), value)),
                Sample::Saved(id, _) => drop(looks.insert(id.clone(), value)),
                Sample::Channel(layer, channel) => {
                    channels.insert(format!("{layer}:{channel}"), value);
                }
            }
        }
        json!({ "layers": layers, "looks": looks, "channels": channels })
    }
}
