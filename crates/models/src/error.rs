//! What can go wrong with networks, and what to do about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Each message says what failed, where, and what to do about it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// There is no place for the store.
    #[error(
        "could not find a folder for networks: this user has no home folder. Set DEEPDREAM_HOME to a folder"
    )]
    NoHome,
    /// A file or folder could not be read or written.
    #[error("could not access `{path}`: {source}", path = .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// An installed network's manifest cannot be used.
    #[error("could not use `{path}`: {problem}. Remove the network and install it again", path = .path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// The network.
        name: String,
        /// What is wrong with it.
        problem: String,
    },

    /// No network or file has this name.
    #[error("there is no network or file named `{name}`{}", suggest(.nearest))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The most similar names, the closest first.
        nearest: Vec<String>,
    },
    /// No file is at this path.
    #[error("there is no file `{path}`", path = .path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
    },
    /// The network is in the catalogue, but was not downloaded yet.
    #[error("`{name}` is not installed. Download it first")]
    NotInstalled {
        /// The network.
        name: String,
    },
    /// The built-in network was asked for in a build without it.
    #[error("this build does not include `{name}`. Use another network or a model file")]
    NotIncluded {
        /// The network.
        name: String,
    },
    /// The catalogue has no such network to download.
    #[error("could not download `{name}`: it is not in the catalogue{}", suggest(.nearest))]
    NotInCatalogue {
        /// What was asked for.
        name: String,
        /// The most similar names in the catalogue, the closest first.
        nearest: Vec<String>,
    },
    /// No input statistics have this name.
    #[error("there are no input statistics named `{name}`. Choose {}", .known.join(", "))]
    Statistics {
        /// What was asked for.
        name: String,
        /// All names.
        known: Vec<&'static str>,
    },
    /// A list of class names of the wrong length.
    #[error(
        "`{path}` has {lines} lines, but the network has a different number of classes. Write one class \
         name per line", path = .path.display()
    )]
    Labels {
        /// The list.
        path: PathBuf,
        /// How many lines it has.
        lines: usize,
    },
    /// A file cannot be used as a network.
    #[error("could not load `{path}`: {source}", path = .path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: import::ImportError,
    },
    /// An installed network can no longer be used.
    #[error(
        "could not load the installed network `{name}`: {source}. Remove it and install it again"
    )]
    Installed {
        /// The network.
        name: String,
        /// What is wrong with it.
        #[source]
        source: import::ImportError,
    },

    /// The built-in network cannot be removed.
    #[error("could not remove `{name}`: it is built in")]
    BuiltIn {
        /// The network.
        name: String,
    },
    /// Another network has this name.
    #[error("there is already a network named `{name}`. Choose another name")]
    Taken {
        /// The name.
        name: String,
    },
    /// The built-in network has this name.
    #[error("`{name}` is the name of the built-in network. Choose another name")]
    BuiltInName {
        /// The name.
        name: String,
    },
    /// The name is a known network's, whose input and classes are known.
    #[error(
        "`{name}` is the name of a known network, whose input and classes are known already. Leave them \
         out, or choose another name"
    )]
    Published {
        /// The name.
        name: String,
    },
    /// A file that is to be a known network is not the published one.
    #[error(
        "`{path}` is not the published {name}: its {kind} should be {expected} but is {actual}. \
         Install it under another name", path = .path.display()
    )]
    NotPublished {
        /// The file.
        path: PathBuf,
        /// The network.
        name: String,
        /// The checksum's algorithm.
        kind: &'static str,
        /// The expected digits.
        expected: String,
        /// The actual digits.
        actual: String,
    },
    /// No network can have this name.
    #[error(
        "`{name}` is not a valid name for a network. Use up to 64 characters from a–z, 0–9, `.`, `_` and \
         `-`, and start with a letter or digit"
    )]
    Name {
        /// The name.
        name: String,
    },

    /// The caller cancelled. An unfinished download is kept.
    #[error("the operation was cancelled")]
    Cancelled,
    /// The server could not be reached.
    #[error("could not reach `{url}`: {problem}. Check the connection, or try a mirror")]
    Connect {
        /// The address.
        url: String,
        /// The reason.
        problem: String,
    },
    /// The server did not send the file.
    #[error("could not download `{url}`: the server answered with status {status}{}", status_hint(*.status))]
    Status {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server redirected too often.
    #[error("could not download `{url}`: it redirects more than {limit} times. Try a mirror")]
    Redirects {
        /// The address.
        url: String,
        /// The most redirects that are followed.
        limit: u32,
    },
    /// The download was interrupted. What was received is kept.
    #[error(
        "the download of `{url}` was interrupted after {done} bytes{}: {problem}. Try again to resume it",
        of(.total)
    )]
    BrokeOff {
        /// The address.
        url: String,
        /// How many bytes were received.
        done: u64,
        /// The size of the file, if the server said.
        total: Option<u64>,
        /// The reason.
        problem: String,
    },
    /// The server sent too much.
    #[error(
        "could not download `{url}`: it is larger than {limit} bytes, the most this network can have. \
         The download was deleted. Try a mirror"
    )]
    TooLong {
        /// The address.
        url: String,
        /// The bound, in bytes.
        limit: u64,
    },
    /// The server sent the wrong file.
    #[error(
        "`{url}` is the wrong file: its {kind} should be {expected} but is {actual}. The download was \
         deleted. Try a mirror"
    )]
    Checksum {
        /// The address.
        url: String,
        /// The checksum's algorithm.
        kind: &'static str,
        /// The expected digits.
        expected: String,
        /// The actual digits.
        actual: String,
    },
    /// A downloaded archive cannot be extracted.
    #[error("could not extract `{path}`: {problem}", path = .path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The reason.
        problem: String,
    },
}

impl ModelError {
    /// A function for `map_err` after an operation on the file or folder at `path`.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> ModelError {
        let path = path.into();
        move |source| ModelError::File { path, source }
    }
}

fn suggest(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        [one] => format!(". Did you mean `{one}`?"),
        [head @ .., last] => format!(". Did you mean `{}` or `{last}`?", head.join("`, `")),
    }
}

fn status_hint(status: u16) -> &'static str {
    match status {
        404 | 410 => " (not found). Try a mirror",
        407 => " (the proxy requires a user name and password). Put them into the proxy's address",
        500.. => ". Try again later",
        _ => "",
    }
}

fn of(total: &Option<u64>) -> String {
    total.map(|total| format!(" of {total}")).unwrap_or_default()
}
