//! The ways out of an error as this face spells them: with the flag that turns the knob, or the command
//! that helps.

use std::error::Error as _;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use deepdream::media::movie::MovieError;
use deepdream::media::video::VideoError;
use deepdream::media::{FileClass, ImageError};
use deepdream::models::ModelError;
use deepdream::{Error, Hint, Knob, RecipeError};
use graph::GraphError;

use crate::wildcard::has_wildcard;

/// Sentences about what to do.
pub(crate) fn hints(error: &Error) -> Vec<String> {
    let mut hints: Vec<String> = error.hints().iter().map(spelled).collect();
    let cause = error.source();
    let more = None
        .or_else(|| models(cause?.downcast_ref()?))
        .or_else(|| movies(cause?.downcast_ref()?))
        .or_else(|| videos(cause?.downcast_ref()?))
        .or_else(|| images(cause?.downcast_ref()?))
        .or_else(|| recipes(cause?.downcast_ref()?))
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
        Knob::Field(path) => {
            return Some(flag_of(path).map_or(format!("--set {path}=VALUE"), str::to_owned));
        }
        Knob::Recipe => "--recipe",
        Knob::Network => "--model",
        Knob::Layer => "--layer",
        Knob::Cell => "--cell",
        Knob::Noise => "--noise 640x400",
        Knob::Output => "-o",
        Knob::Overwrite => "--force",
        Knob::Count => "--count",
        Knob::Start => "--start, --end",
        Knob::Shard => "`deepdream video`, with or without --shard",
        Knob::Sound => "--sound",
        Knob::Silent => "--no-sound",
        Knob::Memory => "--memory",
        Knob::Scratch => "--scratch",
        _ => return None,
    };
    Some(flag.to_owned())
}

/// The flags for fields of a recipe that have one.
const FLAGS: [(&str, &str); 26] = [
    ("size", "--size"),
    ("octaves.count", "--octaves"),
    ("octaves.anchor", "--anchor"),
    ("octaves.scale", "--octave-scale"),
    ("ascent.iterations", "--iterations"),
    ("ascent.step", "--step"),
    ("ascent.strength", "--strength"),
    ("finish.mix", "--mix"),
    ("tiles", "--tiles"),
    ("ascent.jitter", "--jitter"),
    ("seed", "--seed"),
    ("objective", "--layer"),
    ("objective.weight", "--layer NAME=WEIGHT"),
    ("guides", "--guide NAME=FILE"),
    ("regions", "--mask NAME=FILE"),
    ("vectors", "--set vectors.NAME.file=FILE"),
    ("zoom.fps", "--fps"),
    ("zoom.pace", "--pace"),
    ("zoom.levels", "--levels"),
    ("zoom.motion.zoom", "--zoom"),
    ("zoom.motion.rotate", "--rotate"),
    ("zoom.motion.shift", "--shift"),
    ("zoom.motion.centre", "--centre"),
    ("zoom.motion.ease_in", "--ease-in"),
    ("zoom.motion.ease_out", "--ease-out"),
    ("video.coherence.flow.persistence", "--carry"),
];

fn flag_of(field: &str) -> Option<&'static str> {
    FLAGS.iter().find(|(path, _)| *path == field).map(|(_, flag)| *flag)
}

fn recipes(error: &RecipeError) -> Option<String> {
    match error {
        RecipeError::Range { setting, .. } | RecipeError::Value { setting, .. } => {
            flag_of(setting).map(|flag| format!("{flag} sets it."))
        }
        RecipeError::Unknown { .. } => {
            Some("`deepdream recipe --fields` lists them all.".to_owned())
        }
        RecipeError::LongStep { .. } => {
            let text = "Give a --step such as 0.05. --preset classic takes steps of about 1: it climbs on \
                pixels.";
            Some(text.to_owned())
        }
        _ => None,
    }
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
        ModelError::NotInCatalogue { .. } => "`deepdream models` lists the networks.".to_owned(),
        ModelError::Taken { name } => {
            format!(
                "--name takes another one, and `deepdream models remove {name}` removes that one."
            )
        }
        ModelError::BuiltInName { .. } | ModelError::Published { .. } | ModelError::Name { .. } => {
            "--name takes another one.".to_owned()
        }
        ModelError::NotPublished { path, .. } => {
            format!("`deepdream models add {} --name NAME` does that.", path.display())
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
        MovieError::Name { .. } => "Or give a folder (-o FOLDER/).",
        MovieError::NoChoice { .. } => "--codec and --ffmpeg are for other kinds of file.",
        MovieError::WebmCodec { .. } => "--codec av1 and --codec vp9 are possible.",
        MovieError::Size { .. } => "--movie-size makes it smaller, --ffmpeg has ffmpeg write it.",
        MovieError::GifRate(_) => "--fps sets the frames in a second.",
        MovieError::NoCodec { .. } => "--codec chooses another one.",
        MovieError::Sound { .. } => {
            "--no-sound leaves a video's sound out; a zoom has one only with --sound."
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

fn videos(error: &VideoError) -> Option<String> {
    let hint = match error {
        VideoError::Folder { .. } => "`deepdream frames` and `deepdream movie` work on folders.",
        VideoError::Picture { .. } => "`deepdream image` dreams on pictures.",
        VideoError::Read { name, .. } => return unread(name),
        _ => return None,
    };
    Some(hint.to_owned())
}

fn images(error: &ImageError) -> Option<String> {
    let hint = match error {
        ImageError::Name { .. } => "Or give a folder (-o FOLDER/).",
        ImageError::NotSupported { kind: Some(kind), .. } => match kind.class() {
            FileClass::Video => "`deepdream video` dreams on videos.",
            FileClass::Network => "--model takes networks.",
            FileClass::Recipe => "--recipe takes recipes.",
            _ => return None,
        },
        ImageError::Read { name, .. } => return unread(name),
        _ => return None,
    };
    Some(hint.to_owned())
}

/// What was probably meant by the name of an input that is no file.
fn unread(name: &str) -> Option<String> {
    let path = Path::new(name);
    let is_quote = |letter: char| matches!(letter, '"' | '\'' | '“' | '”' | '‘' | '’' | '„');
    let is_address = |scheme: &&str| name.to_lowercase().starts_with(scheme);
    if path.is_dir() {
        let pictures = path.join("*.jpg");
        return Some(format!("Give the pictures in it: {}", quoted(&pictures)));
    }
    if path.exists() {
        return None;
    }
    Some(match name {
        "-" => "Standard input is not read. Give the name of a file.".to_owned(),
        _ if ["http://", "https://", "ftp://"].iter().any(is_address) => {
            "This is an address. Download the file first, then give its name.".to_owned()
        }
        _ if is_address(&"file://") => "Give the path without `file://`.".to_owned(),
        _ if name.starts_with(is_quote) || name.ends_with(is_quote) => {
            "Leave out the quotation marks that belong to the name.".to_owned()
        }
        _ if has_wildcard(path) => "No file matches the wildcard.".to_owned(),
        _ => format!("Did you mean {}?", quoted(&namesake(path)?)),
    })
}

/// A file beside `path` that is called like it but for its ending, or upper and lower case.
fn namesake(path: &Path) -> Option<PathBuf> {
    let stem = |path: &Path| Some(path.file_stem()?.to_string_lossy().to_lowercase());
    let folder = path.parent().unwrap_or(Path::new(""));
    let here = if folder == Path::new("") { Path::new(".") } else { folder };
    let mut names: Vec<_> =
        std::fs::read_dir(here).ok()?.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    let like = |name: &&OsString| stem(Path::new(name)) == stem(path);
    names.iter().find(like).map(|name| folder.join(name))
}

/// A path as it is typed: in quotation marks if it has spaces.
pub(crate) fn quoted(path: &Path) -> String {
    let name = path.display().to_string();
    match name.contains([' ', '&', ';', '(', ')']) {
        true => format!("\"{name}\""),
        false => name,
    }
}

fn layers(error: &GraphError) -> Option<String> {
    match error {
        GraphError::UnknownLayer { name, .. } if name.contains(',') => {
            Some("Repeat --layer for several: --layer NAME --layer NAME.".to_owned())
        }
        GraphError::UnknownLayer { name, .. } if name.contains('@') => {
            Some("Channels come before a region: --layer NAME:CHANNELS@REGION.".to_owned())
        }
        GraphError::UnknownLayer { .. } => {
            Some("`deepdream layers` lists the layers; --model names the network.".to_owned())
        }
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
            .turn(Knob::Field("octaves.detail"), "Or keep less of them.")
            .hint("Or go for a walk.");
        let expected = "deepdream: dream.png exists already\n  Choose another name (-o).\n  \
            Or replace the file (--force).\n  Or use fewer octaves (--octaves).\n  \
            Or keep less of them (--set octaves.detail=VALUE).\n  Or go for a walk.";
        assert_eq!(crate::exit::text(&error), expected);
    }

    #[test]
    fn a_sound_that_cannot_be_copied_has_a_way_out_of_zooms_too() {
        let (name, problem) = ("a.mp4".to_owned(), "codec not supported".to_owned());
        let hint = movies(&MovieError::Sound { name, container: "WebM", problem }).unwrap();
        assert!(hint.contains("--no-sound") && hint.contains("a zoom has one only with --sound"));
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
