//! Why a term is refused: what it asks of the network is not there.

use graph::Size;
use thiserror::Error;

use crate::error::there_are;

/// What is wrong with a term of the objective for this network.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum TermError {
    /// A listed channel is not there.
    #[error("layer `{layer}` has {channels} channels, numbered 0 to {}: there is no {channel}", channels - 1)]
    NoChannel {
        /// The layer.
        layer: String,
        /// How many channels it has.
        channels: usize,
        /// The one that was asked for.
        channel: u32,
    },
    /// More channels are asked for than there are, or all are left out.
    #[error("\"{asked}\": layer `{layer}` has {channels} channels")]
    ChannelCount {
        /// What was asked for.
        asked: String,
        /// The layer.
        layer: String,
        /// How many channels it has.
        channels: usize,
    },
    /// A vector is for another layer.
    #[error("vector \"{vector}\" has {values} values, layer `{layer}` has {channels} channels")]
    VectorLength {
        /// The vector's name.
        vector: String,
        /// How many values it has.
        values: usize,
        /// The layer.
        layer: String,
        /// How many channels it has.
        channels: usize,
    },
    /// A term names a guide that the recipe has not.
    #[error("there is no guide `{name}`{}: add it to the recipe's `guides`", there_are(.there))]
    NoGuide {
        /// What the term names.
        name: String,
        /// The guides that the recipe has.
        there: Vec<String>,
    },
    /// A guide's picture was not given.
    #[error("the guide `{guide}` has no picture: give it one")]
    GuideNotGiven {
        /// The guide.
        guide: String,
    },
    /// A guide of which a layer sees little but the border.
    #[error(
        "the guide `{guide}` is {size}: at least {least} pixels a side are needed for layer `{layer}`"
    )]
    SmallGuide {
        /// The guide.
        guide: String,
        /// Its size.
        size: Size,
        /// The layer.
        layer: String,
        /// The least side.
        least: usize,
    },
    /// The network has no class of this name.
    #[error("the network {network} has no class \"{class}\"{}", meant(.near))]
    NoClass {
        /// The network.
        network: String,
        /// The name.
        class: String,
        /// The classes with the nearest names, and their numbers.
        near: Vec<(usize, String)>,
    },
    /// Several classes have this name.
    #[error("\"{class}\" is {} classes, {}: use the number", .candidates.len(), listed(.candidates))]
    AmbiguousClass {
        /// The name.
        class: String,
        /// The classes, and their numbers.
        candidates: Vec<(usize, String)>,
    },
    /// The network does not tell classes apart, or in a way that is not known here.
    #[error("the network {network} has no classes: it ends in `{last}`")]
    NoClasses {
        /// The network.
        network: String,
        /// Its last layer.
        last: String,
    },
    /// The network has fewer classes.
    #[error("classes of {network} are numbered 0 to {}: there is no {class}", classes - 1)]
    ClassNumber {
        /// The network.
        network: String,
        /// How many classes it has.
        classes: usize,
        /// The one that was asked for.
        class: u32,
    },
    /// The names of the classes are not known.
    #[error(
        "the names of the classes of {network} are not known: use the class's number instead of \"{class}\""
    )]
    NoNames {
        /// The network.
        network: String,
        /// The name.
        class: String,
    },
    /// All weights of the class are 0: there is nothing to climb towards.
    #[error("class {class} of {network} is not used: all its weights are 0")]
    UnusedClass {
        /// The network.
        network: String,
        /// The class.
        class: usize,
    },
}

fn meant(near: &[(usize, String)]) -> String {
    let quoted: Vec<String> =
        near.iter().map(|(number, name)| format!("\"{name}\" ({number})")).collect();
    match &quoted[..] {
        [] => String::new(),
        [one] => format!(": did you mean {one}?"),
        [first @ .., last] => format!(": did you mean {} or {last}?", first.join(", ")),
    }
}

/// The first few of some classes.
fn listed(candidates: &[(usize, String)]) -> String {
    const MOST: usize = 8;
    let mut words: Vec<String> =
        candidates.iter().take(MOST).map(|(number, name)| format!("{number} ({name})")).collect();
    if candidates.len() > MOST {
        words.push("others".into());
    }
    match &words[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        words => words.join(""),
    }
}
