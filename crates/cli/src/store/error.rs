//! What can go wrong with the model store, and the way out of it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Each message says what failed, where, and what to do about it.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    #[error(
        "no folder for models: this user has no home folder; name one in the variable DEEPDREAM_HOME"
    )]
    NoHome,
    #[error("`{path}`: {source}", path = .path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("`{path}` cannot be used: {problem}; `deepdream models remove {name}` clears it away", path = .path.display())]
    Manifest { path: PathBuf, name: String, problem: String },

    #[error("there is no network and no file `{name}`{}", suggest(.nearest))]
    Unknown { name: String, nearest: Vec<String> },
    #[error("`{path}`: no such file", path = .path.display())]
    NoFile { path: PathBuf },
    #[error("`{name}` is not installed: `deepdream models pull {name}` fetches it")]
    NotInstalled { name: String },
    #[error("`{name}` is not among the networks that can be fetched: those are {known}")]
    NotKnown { name: String, known: String },
    #[error("`{path}` has {lines} lines, but the network another number of classes; one a line is wanted", path = .path.display())]
    Labels { path: PathBuf, lines: usize },
    #[error("`{path}` is no network this program can use: {source}", path = .path.display())]
    Load {
        path: PathBuf,
        #[source]
        source: import::ImportError,
    },
    #[error("{source}; `deepdream models remove {name}`, then `add` or `pull` it anew")]
    Installed {
        name: String,
        #[source]
        source: import::ImportError,
    },

    #[error("`{name}` is built into the program and stays")]
    BuiltIn { name: String },
    #[error("there is a network `{name}` already: give another with --name")]
    Taken { name: String },
    #[error(
        "`{name}` cannot be a network's name: take up to 64 of a–z, 0–9, `.`, `_` and `-`, a letter or digit first (--name)"
    )]
    Name { name: String },

    #[error("`{url}` cannot be reached: {problem}; --from takes the address of a mirror")]
    Connect { url: String, problem: String },
    #[error("`{url}` answered {status}{}", status_hint(*.status))]
    Status { url: String, status: u16 },
    #[error("`{url}` leads to too many other addresses (more than {limit})")]
    Redirects { url: String, limit: u32 },
    #[error(
        "`{url}` broke off after {done} bytes{}: {problem}; what came is kept, and the same command goes on from there",
        of(.total)
    )]
    BrokeOff { url: String, done: u64, total: Option<u64>, problem: String },
    #[error(
        "`{url}` sends more than the {limit} bytes this network can have; what came was removed"
    )]
    TooLong { url: String, limit: u64 },
    #[error(
        "`{url}` sent something else: {kind} should be {expected} but is {actual}; what came was removed"
    )]
    Checksum { url: String, kind: &'static str, expected: String, actual: String },
    #[error("`{path}`: the archive has {problem}", path = .path.display())]
    Archive { path: PathBuf, problem: String },
}

impl StoreError {
    /// For `map_err` on what is done with the file or folder at `path`.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.into();
        move |source| StoreError::File { path, source }
    }
}

fn suggest(nearest: &[String]) -> String {
    match nearest {
        [] => "; `deepdream models` lists the networks".to_owned(),
        [one] => format!(": did you mean `{one}`?"),
        [head @ .., last] => format!(": did you mean `{}` or `{last}`?", head.join("`, `")),
    }
}

fn status_hint(status: u16) -> &'static str {
    match status {
        404 | 410 => ": the file is gone; --from takes the address of a mirror",
        407 => ": the proxy wants a user and a password",
        500.. => ": try again later",
        _ => "",
    }
}

fn of(total: &Option<u64>) -> String {
    total.map(|total| format!(" of {total}")).unwrap_or_default()
}
