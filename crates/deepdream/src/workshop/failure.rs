//! Errors as the studio tells them: the words that all faces have.

use std::error::Error as _;
use std::path::Path;

use dream::{PlanError, RecipeError};
use models::ModelError;
use studio::Failure;

use crate::{Error, Fault, Knob};

/// The setting that names a recipe's network.
const NETWORK: &str = "model.name";

/// The error in the studio's form.
pub(super) fn failed(error: Error) -> Failure {
    let fault = match error.fault() {
        Fault::Usage => "usage",
        Fault::Picture => "picture",
        Fault::Model => "network",
        Fault::Recipe => "recipe",
        Fault::Output if is_full(error.message()) => "disk",
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
    let plan = cause.and_then(|cause| cause.downcast_ref::<PlanError>());
    let of_mask = matches!(
        plan,
        Some(
            PlanError::MaskShape { .. } | PlanError::EmptyRegion { .. } | PlanError::NoMask { .. }
        )
    );
    let missing = match cause.and_then(|cause| cause.downcast_ref::<ModelError>()) {
        Some(ModelError::NotInstalled { name }) => Some(name.clone()),
        _ => None,
    };
    let of_network = missing.is_some().then(|| NETWORK.to_owned());
    let value = match plan {
        // How much is free changes all the time: a little less will fit later too.
        Some(PlanError::Memory { fits: Some(longest), .. }) => {
            Some((longest / 20 * 19).to_string())
        }
        _ => missing,
    };
    Failure {
        fault: fault.to_owned(),
        detail: sentence(error.message()),
        ways_out: error.hints().iter().map(|hint| hint.text.clone()).collect(),
        knob: recipe
            .and_then(setting)
            .or(of_hint)
            .or(of_mask.then(|| "regions".to_owned()))
            .or(of_network),
        value,
    }
}

/// Whether a message is that the disk is full: of what the system said, errors keep the words alone. ffmpeg names no
/// codes, but speaks English everywhere.
fn is_full(message: &str) -> bool {
    // ERROR_DISK_FULL, ERROR_HANDLE_DISK_FULL; ENOSPC, EDQUOT.
    let codes = match () {
        () if cfg!(windows) => [112, 39],
        () if cfg!(target_os = "linux") => [28, 122],
        () => [28, 69],
    };
    let words = ["No space left on device", "Disk quota exceeded", "Disc quota exceeded"];
    codes.iter().any(|code| message.contains(&format!("(os error {code})")))
        || words.iter().any(|words| message.contains(words))
}

/// The error about a file whose name only its owner knows.
pub(super) fn about(file: &Path, name: &str, error: Error) -> Failure {
    // A name is written as it is, also where a sentence begins with it.
    let named = error.message().starts_with(name).then(|| ended(error.message()));
    let mut failure = failed(error);
    failure.detail = named.unwrap_or(failure.detail);
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
    ended(&format!("{first}{}", letters.as_str()))
}

/// A message with an end.
fn ended(message: &str) -> String {
    let end = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{message}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_can_be_fetched_is_named() {
        let missing = ModelError::NotInstalled { name: "inception5h".to_owned() };
        let failure = failed(missing.into());
        let named = (failure.knob.as_deref(), failure.value.as_deref());
        assert_eq!(named, (Some("model.name"), Some("inception5h")));
    }

    #[test]
    fn a_file_keeps_its_name_where_a_sentence_begins_with_it() {
        let said = |what: &str| {
            let error = Error::new(Fault::Memory, what.to_owned());
            about(Path::new("/home/me/0123.png"), "small cup.png", error).detail
        };
        assert_eq!(said("small cup.png: it does not fit"), "small cup.png: it does not fit.");
        assert_eq!(said("could not read /home/me/0123.png"), "Could not read small cup.png.");
    }

    #[test]
    fn a_full_disk_is_told_by_the_systems_code_and_by_ffmpegs_words() {
        let full = if cfg!(windows) { 112 } else { 28 };
        let code = std::io::Error::from_raw_os_error(full);
        let fault = |what: String| failed(Error::new(Fault::Output, what)).fault;
        assert_eq!(fault(format!("could not write dream.png: {code}")), "disk");
        let ffmpeg = "ffmpeg failed (exit status: 228): av_interleaved_write_frame(): No space left on device";
        assert_eq!(fault(ffmpeg.to_owned()), "disk");
        assert_eq!(fault("/home: Disk quota exceeded".to_owned()), "disk");
        let code = std::io::Error::from_raw_os_error(5);
        assert_eq!(fault(format!("could not write dream.png: {code}")), "output");
    }
}
