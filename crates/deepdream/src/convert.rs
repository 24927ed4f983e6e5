//! Errors of the crates below as this crate's own: whose fault each is, and what to do about it.

use dream::{DreamError, PlanError, RecipeError};
use graph::GraphError;
#[cfg(feature = "video")]
use media::movie::MovieError;
#[cfg(feature = "video")]
use media::video::VideoError;
use media::{FileClass, FileKind, ImageError};
use models::{ImportError, ModelError};

use crate::memory::{is_limited, of_process};
use crate::request::field;
use crate::{Error, Fault, Knob};

impl From<GraphError> for Error {
    fn from(error: GraphError) -> Self {
        let fault = match error {
            GraphError::Memory { .. } => Fault::Memory,
            GraphError::Graph(_) | GraphError::Shape { .. } | GraphError::Weights { .. } => {
                Fault::Model
            }
            _ => Fault::Recipe,
        };
        Error::of(fault, error)
    }
}

impl From<RecipeError> for Error {
    fn from(error: RecipeError) -> Self {
        Error::of(Fault::Recipe, error)
    }
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Network(error) => error.into(),
            PlanError::Recipe(error) => error.into(),
            PlanError::Memory { size, needed, tiled, free, fits } => {
                let whole = |bytes: u64| of_process(bytes, free);
                let (needed, tiled, free) = (whole(needed), tiled.map(whole), whole(free));
                let error = PlanError::Memory { size, needed, tiled, free, fits };
                allowing(smaller(Error::of(Fault::Memory, error), fits))
            }
            PlanError::Scratch { fits, .. } => smaller(Error::of(Fault::Memory, error), fits)
                .turn(Knob::Scratch, "Choose a folder on a disk with more room.")
                .turn(Knob::Memory, "Or allow more memory."),
            error @ PlanError::ScratchLost(_) => {
                Error::of(Fault::Output, error).turn(Knob::Scratch, "Choose another folder.")
            }
            error @ PlanError::NotGiven { .. } => Error::of(Fault::Memory, error)
                .turn(Knob::Field("size"), "Dream on a smaller picture."),
            error => Error::of(Fault::Recipe, error),
        }
    }
}

/// The error with the longest side that fits, if any does, as a way out.
fn smaller(error: Error, fits: Option<u32>) -> Error {
    match fits {
        Some(longest) => {
            error.turn(Knob::Field("size"), format!("Use {longest} pixels for the longest side."))
        }
        None => error,
    }
}

/// The error of too little memory with more of it as a way out, if a limit can be raised.
pub(crate) fn allowing(error: Error) -> Error {
    match is_limited() {
        true => error.turn(Knob::Memory, "Allow more memory."),
        false => error,
    }
}

/// The error for a dream that cannot be dreamt on what is called `name`.
pub(crate) fn unplanned(name: &str, error: PlanError) -> Error {
    match &error {
        PlanError::Memory { .. }
        | PlanError::Scratch { .. }
        | PlanError::Network(GraphError::TooSmall { .. }) => Error::from(error).about(name),
        _ => error.into(),
    }
}

/// The error for a dream on what is called `name` that did not come to its end; `stopped` is that of one
/// that its observer has ended.
pub(crate) fn undreamt(name: &str, error: DreamError, stopped: impl FnOnce() -> Error) -> Error {
    match error {
        DreamError::Stopped => stopped(),
        DreamError::Plan(error) => unplanned(name, error),
        error => without_dream(error).about(name),
    }
}

/// The error for numbers that make no dream.
pub(crate) fn without_dream(error: DreamError) -> Error {
    let first = match &error {
        DreamError::NotFinite { .. } => "Choose a layer before it.",
        _ => "Choose another layer.",
    };
    Error::of(Fault::Recipe, error)
        .turn(Knob::Field(field::OBJECTIVE), first)
        .hint("Or check the network's file: its weights, and the mean and scale of its input.")
}

impl From<ModelError> for Error {
    fn from(error: ModelError) -> Self {
        let fault = match error {
            ModelError::NoHome | ModelError::File { .. } => Fault::Output,
            ModelError::BuiltIn { .. }
            | ModelError::BuiltInName { .. }
            | ModelError::Published { .. }
            | ModelError::Taken { .. }
            | ModelError::Name { .. } => Fault::Usage,
            ModelError::Cancelled => Fault::Cancelled,
            _ => Fault::Model,
        };
        match seen(&error) {
            Some((what, way_out)) => Error::of(fault, error).saying(what).hint(way_out),
            None => Error::of(fault, error),
        }
    }
}

/// What a file is that was given as a network, and what to do with it, where it is something to see or hear:
/// of these kinds the reader of networks knows a few.
fn seen(error: &ModelError) -> Option<(String, String)> {
    let ModelError::Load { path, source } = error else { return None };
    let vague = match source {
        ImportError::Unknown { .. } => true,
        ImportError::OtherKind { kind, way_out } => {
            way_out.contains("as the picture") || VAGUE.contains(&kind.as_str())
        }
        _ => false,
    };
    let kind = FileKind::of_file(path).ok().flatten().filter(|_| vague)?;
    let way_out = match kind.class() {
        FileClass::Readable => {
            "Give it as the picture to dream on, and a model file as the network."
        }
        FileClass::Sound | FileClass::Program => "Give a model file as the network.",
        FileClass::Picture
        | FileClass::Raw
        | FileClass::Layered
        | FileClass::Document
        | FileClass::Video => kind.way_out()?,
        _ => return None,
    };
    let path = path.display();
    let what =
        format!("could not load `{path}`: this is {kind}, which cannot be read as a network");
    Some((what, way_out.to_owned()))
}

/// What the reader of networks calls files that may be of many kinds.
const VAGUE: [&str; 4] = ["a zip archive", "a web page", "an XML file", "a JSON text"];

impl From<ImageError> for Error {
    fn from(error: ImageError) -> Self {
        let (fault, hint) = (fault(error.fault()), error.hint());
        with_hint(Error::of(fault, error), hint)
    }
}

impl From<media::RecipeError> for Error {
    fn from(error: media::RecipeError) -> Self {
        match error {
            media::RecipeError::Image(error) => error.into(),
            error => {
                let hint = error.hint();
                with_hint(Error::of(Fault::Recipe, error), hint)
            }
        }
    }
}

#[cfg(feature = "video")]
impl From<VideoError> for Error {
    fn from(error: VideoError) -> Self {
        let hint = error.hint();
        match error {
            VideoError::Cancelled { .. } => Error::cancelled("stopped: nothing was dreamt on"),
            error => with_hint(Error::of(Fault::Picture, error), hint),
        }
    }
}

#[cfg(feature = "video")]
impl From<MovieError> for Error {
    fn from(error: MovieError) -> Self {
        let (fault, hint) = (fault(error.fault()), error.hint());
        with_hint(Error::of(fault, error), hint)
    }
}

fn with_hint(error: Error, hint: Option<String>) -> Error {
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn fault(fault: media::Fault) -> Fault {
    match fault {
        media::Fault::Memory => Fault::Memory,
        media::Fault::Output | media::Fault::Ffmpeg => Fault::Output,
        media::Fault::Request => Fault::Usage,
        media::Fault::Cancelled => Fault::Cancelled,
        _ => Fault::Picture,
    }
}
