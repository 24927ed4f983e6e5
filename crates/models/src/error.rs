//! What can go wrong with networks, and the way out of it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Each message says what failed, where, and what to do about it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Nothing says where the store is.
    #[error("this user has no home folder to keep networks in. Set DEEPDREAM_HOME to a folder")]
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

    /// Neither a network nor a file.
    #[error("there is no network and no file named `{name}`{}", suggest(.nearest))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names most like it, the most similar first.
        nearest: Vec<String>,
    },
    /// A path without a file.
    #[error("there is no file `{path}`", path = .path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
    },
    /// A network of the catalogue that was not downloaded yet.
    #[error("`{name}` is not installed. Download it first")]
    NotInstalled {
        /// The network.
        name: String,
    },
    /// The built-in network in a build that does without.
    #[error("this build does not include `{name}`. Name another network or a model file")]
    NotIncluded {
        /// The network.
        name: String,
    },
    /// A network that the catalogue has no address for.
    #[error("`{name}` cannot be downloaded. The catalogue has {}", .catalogue.join(" and "))]
    NotInCatalogue {
        /// What was asked for.
        name: String,
        /// The networks that can be downloaded.
        catalogue: Vec<String>,
    },
    /// A list of class names of the wrong length.
    #[error(
        "`{path}` has {lines} lines, but the network has another number of classes. Write one class \
         name on each line", path = .path.display()
    )]
    Labels {
        /// The list.
        path: PathBuf,
        /// How many lines it has.
        lines: usize,
    },
    /// A file that is no network, or none that can be used.
    #[error("could not load `{path}`: {source}", path = .path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: import::ImportError,
    },
    /// An installed network that cannot be used any more.
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

    /// The built-in network was to be removed.
    #[error("`{name}` is built in and cannot be removed")]
    BuiltIn {
        /// The network.
        name: String,
    },
    /// A new network has the name of another one.
    #[error("there already is a network named `{name}`. Choose another name")]
    Taken {
        /// The name.
        name: String,
    },
    /// A name that no network can have.
    #[error(
        "`{name}` cannot be the name of a network. Use up to 64 of a–z, 0–9, `.`, `_` and `-`, and \
         begin with a letter or a digit"
    )]
    Name {
        /// The name.
        name: String,
    },

    /// The caller's callback asked to stop. What was downloaded is kept.
    #[error("cancelled")]
    Cancelled,
    /// A server could not be reached.
    #[error("could not reach `{url}`: {problem}. Check the connection, or try a mirror")]
    Connect {
        /// The address.
        url: String,
        /// The reason.
        problem: String,
    },
    /// A server refused.
    #[error("`{url}` answered with HTTP status {status}{}", status_hint(*.status))]
    Status {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// A server sent the request on too often.
    #[error("`{url}` redirects more than {limit} times. Try a mirror")]
    Redirects {
        /// The address.
        url: String,
        /// How many redirects are followed.
        limit: u32,
    },
    /// A download ended early. What was downloaded is kept.
    #[error(
        "the download of `{url}` stopped after {done} bytes{}: {problem}. Try again: it goes on from \
         there", of(.total)
    )]
    BrokeOff {
        /// The address.
        url: String,
        /// How many bytes are there.
        done: u64,
        /// How many there should be, if the server told.
        total: Option<u64>,
        /// The reason.
        problem: String,
    },
    /// A server sent too much.
    #[error(
        "`{url}` sends more than {limit} bytes, the most this network can have. What was downloaded \
         is deleted; try a mirror"
    )]
    TooLong {
        /// The address.
        url: String,
        /// The bound, in bytes.
        limit: u64,
    },
    /// A server sent the wrong file.
    #[error(
        "`{url}` sent the wrong file: its {kind} should be {expected} but is {actual}. What was \
         downloaded is deleted; try a mirror"
    )]
    Checksum {
        /// The address.
        url: String,
        /// The checksum's name.
        kind: &'static str,
        /// The digits it should have.
        expected: String,
        /// The digits it has.
        actual: String,
    },
    /// A downloaded archive cannot be unpacked.
    #[error("could not unpack `{path}`: {problem}", path = .path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The reason.
        problem: String,
    },
}

impl ModelError {
    /// For `map_err` on what is done with the file or folder at `path`.
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
        404 | 410 => ": the file is gone. Try a mirror",
        407 => ": the proxy asks for a user name and a password",
        500.. => ". Try again later",
        _ => "",
    }
}

fn of(total: &Option<u64>) -> String {
    total.map(|total| format!(" of {total}")).unwrap_or_default()
}
