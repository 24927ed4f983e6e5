//! Small pictures of what layers and looks make of the photo on the desk. What the page shows is made first;
//! each is kept in a file that is named by all it depends on.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::workshop::Sample;

/// How many may be asked for at once.
pub(crate) const MOST: usize = 4096;

/// What there is and what is wanted.
#[derive(Default)]
pub(crate) struct Gallery {
    /// Rises when the photo or the network is another one.
    context: u64,
    wanted: Vec<Sample>,
    ready: HashMap<Sample, String>,
    failed: HashSet<Sample>,
}

impl Gallery {
    /// The photo or the network is another one: what was made is of the one before.
    pub(crate) fn forget(&mut self) {
        *self = Self { context: self.context + 1, ..Self::default() };
    }

    /// What is to be made next, in this order.
    pub(crate) fn want(&mut self, wanted: Vec<Sample>) {
        self.wanted = wanted;
    }

    /// The next to make.
    pub(crate) fn next(&self) -> Option<(u64, Sample)> {
        let open =
            |sample: &&Sample| !self.ready.contains_key(*sample) && !self.failed.contains(*sample);
        Some((self.context, self.wanted.iter().find(open)?.clone()))
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
        let (mut layers, mut looks) = (serde_json::Map::new(), serde_json::Map::new());
        let failed = self.failed.iter().map(|sample| (sample, Value::Bool(false)));
        let ready = self.ready.iter().map(|(sample, file)| (sample, Value::from(file.as_str())));
        for (sample, value) in failed.chain(ready) {
            match sample {
                Sample::Layer(name) => drop(layers.insert(name.clone(), value)),
                Sample::Look(name) => drop(looks.insert(name.clone(), value)),
            }
        }
        json!({ "layers": layers, "looks": looks })
    }
}
