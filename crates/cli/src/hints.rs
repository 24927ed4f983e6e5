//! The ways out of an error as this face spells them: with the flag that turns the knob, or the command
//! that helps.

use std::error::Error as _;

use deepdream::media::ImageError;
use deepdream::media::movie::MovieError;
use deepdream::media::video::VideoError;
use deepdream::models::ModelError;
use deepdream::{Error, Hint, Knob};
use graph::GraphError;

/// Sentences about what to do.
pub(crate) fn hints(error: &Error) -> Vec<String> {
    let mut hints: Vec<String> = error.hints().iter().map(spelled).collect();
    let cause = error.source();
    let more = None
        .or_else(|| models(cause?.downcast_ref()?))
        .or_else(|| movies(cause?.downcast_ref()?))
        .or_else(|| videos(cause?.downcast_ref()?))
        .or_else(|| images(cause?.downcast_ref()?))
        .or_else(|| layers(cause?.downcast_ref()?));
    hints.extend(more);
    hints
}

/// A hint with the flag behind it.
fn spelled(Hint { text, knob }: &Hint) -> String {
    match knob.and_then(flag) {
        Some(flag) => format!("{} ({flag}).", text.trim_end_matches('.')),
        None => text.clone(),
    }
}

/// How a knob is turned here.
fn flag(knob: Knob) -> Option<String> {
    let flag = match knob {
        Knob::Field("video.coherence") => "--coherence independent",
        Knob::Field("size") => "--size",
        Knob::Field("objective") => "--layer",
        Knob::Field(path) => return Some(format!("--set {path}=VALUE")),
        Knob::Recipe => "--recipe",
        Knob::Network => "--model",
        Knob::Noise => "--noise 640x400",
        Knob::Output => "-o",
        Knob::Overwrite => "--force",
        Knob::Count => "--count",
        Knob::Start => "--start, --end",
        Knob::Shard => "`deepdream video`, with or without --shard",
        Knob::Sound => "--sound",
        Knob::Silent => "--no-sound",
        _ => return None,
    };
    Some(flag.to_owned())
}

fn models(error: &ModelError) -> Option<String> {
    Some(match error {
        ModelError::Manifest { name, .. } | ModelError::Installed { name, .. } => {
            format!("`deepdream models remove {name}` removes it.")
        }
        ModelError::NotInstalled { name } => {
            format!("`deepdream models pull {name}` downloads it.")
        }
        ModelError::Unknown { nearest, .. } if nearest.is_empty() => {
            "`deepdream models` lists the networks.".to_owned()
        }
        ModelError::Taken { .. } | ModelError::Name { .. } => {
            "--name takes another one.".to_owned()
        }
        ModelError::Cancelled => {
            "What was downloaded is kept: the same command goes on from there.".to_owned()
        }
        ModelError::Connect { .. }
        | ModelError::Status { status: 404 | 410, .. }
        | ModelError::Redirects { .. }
        | ModelError::TooLong { .. }
        | ModelError::Checksum { .. } => "--from takes the address of a mirror.".to_owned(),
        _ => return None,
    })
}

fn movies(error: &MovieError) -> Option<String> {
    let hint = match error {
        MovieError::NoChoice { .. } => "--codec and --ffmpeg are for other kinds of file.",
        MovieError::WebmCodec { .. } => "--codec av1 and --codec vp9 are possible.",
        MovieError::Size { .. } => "--movie-size makes it smaller, --ffmpeg has ffmpeg write it.",
        MovieError::GifRate(_) => "--fps sets the frames in a second.",
        MovieError::NoCodec { .. } => "--codec chooses another one.",
        MovieError::Sound { .. } => "--no-sound leaves the sound out.",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn videos(error: &VideoError) -> Option<String> {
    let hint = match error {
        VideoError::Folder { .. } => "`deepdream frames` and `deepdream movie` work on folders.",
        VideoError::Picture { .. } => "`deepdream image` dreams on pictures.",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn images(error: &ImageError) -> Option<String> {
    match error {
        ImageError::Name { .. } => Some("Or give a folder (-o FOLDER/).".to_owned()),
        _ => None,
    }
}

fn layers(error: &GraphError) -> Option<String> {
    match error {
        GraphError::UnknownLayer { .. } => Some("`deepdream layers` lists every layer.".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepdream::Fault;

    fn text(error: impl Into<Error>) -> String {
        crate::exit::text(&error.into())
    }

    #[test]
    fn knobs_are_spelled_as_flags() {
        let error = Error::new(Fault::Output, "dream.png exists already")
            .turn(Knob::Output, "Choose another name.")
            .turn(Knob::Overwrite, "Or replace the file.")
            .turn(Knob::Field("octaves.count"), "Or use fewer octaves.")
            .hint("Or go for a walk.");
        let expected = "deepdream: dream.png exists already\n  Choose another name (-o).\n  \
            Or replace the file (--force).\n  Or use fewer octaves (--set octaves.count=VALUE).\n  \
            Or go for a walk.";
        assert_eq!(crate::exit::text(&error), expected);
    }

    #[test]
    fn errors_of_networks_name_the_command_that_helps() {
        let name = || "small".to_owned();
        let said = text(ModelError::NotInstalled { name: name() });
        assert!(said.contains("`deepdream models pull small`"), "{said}");
        let (path, problem) = ("manifest.toml".into(), String::new());
        let said = text(ModelError::Manifest { path, name: name(), problem });
        assert!(said.contains("`deepdream models remove small`"), "{said}");
        let said = text(ModelError::Status { url: name(), status: 404 });
        assert!(said.contains("--from"), "{said}");
        let said = text(GraphError::UnknownLayer { name: name(), nearest: Vec::new() });
        assert!(said.contains("`deepdream layers`"), "{said}");
    }
}
