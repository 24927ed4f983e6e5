//! Errors as the studio tells them: the words that all faces have.

use std::error::Error as _;
use std::path::Path;

use dream::{PlanError, RecipeError};
use studio::Failure;

use crate::{Error, Fault, Knob};

/// The error in the studio's form.
pub(super) fn failed(error: Error) -> Failure {
    let fault = match error.fault() {
        Fault::Usage => "usage",
        Fault::Picture => "picture",
        Fault::Model => "network",
        Fault::Recipe => "recipe",
        Fault::Output => "output",
        Fault::Memory => "memory",
        Fault::Kernels => "kernels",
        Fault::Cancelled => Failure::STOPPED,
    };
    let cause = error.source();
    let recipe = cause.and_then(|cause| cause.downcast_ref::<RecipeError>());
    let of_hint = error.hints().iter().find_map(|hint| match hint.knob {
        Some(Knob::Field(path)) => Some(path.to_owned()),
        Some(Knob::Layer) => Some("objective".to_owned()),
        _ => None,
    });
    let value = match cause.and_then(|cause| cause.downcast_ref::<PlanError>()) {
        Some(PlanError::Memory { fits: Some(longest), .. }) => Some(longest.to_string()),
        _ => None,
    };
    Failure {
        fault: fault.to_owned(),
        detail: sentence(error.message()),
        ways_out: error.hints().iter().map(|hint| hint.text.clone()).collect(),
        knob: recipe.and_then(setting).or(of_hint),
        value,
    }
}

/// The error about a file whose name only its owner knows.
pub(super) fn about(file: &Path, name: &str, error: Error) -> Failure {
    let mut failure = failed(error);
    let path = file.display().to_string();
    failure.detail = failure.detail.replace(&path, name);
    failure.ways_out.iter_mut().for_each(|way| *way = way.replace(&path, name));
    failure
}

fn setting(error: &RecipeError) -> Option<String> {
    match error {
        RecipeError::Range { setting, .. } | RecipeError::Value { setting, .. } => {
            Some(setting.clone())
        }
        RecipeError::Unknown { path, .. } => Some(path.clone()),
        _ => None,
    }
}

/// A message as a sentence of its own.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}
