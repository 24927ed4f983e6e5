//! What went wrong: whose fault it was, what happened, where, and the ways out. No text here names a
//! flag or a form's field; a way out says which [`Knob`] it turns, and a face adds how it spells that.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Whose fault an error is: what a caller has to change so that it does not come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The request contradicts itself or asks for what does not exist.
    Usage,
    /// A picture, a video or a folder of frames that was to be read.
    Picture,
    /// A network that was to be found, fetched or loaded.
    Model,
    /// A recipe, a layer or a value that does not fit the network or the picture.
    Recipe,
    /// A file that was to be written.
    Output,
    /// The work does not fit in the memory that is free.
    Memory,
    /// Fast kernels that do not compute what plain loops do.
    Kernels,
    /// None: the work was cancelled.
    Cancelled,
}

/// A setting that a way out turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Knob {
    /// A field of the recipe, by its path, such as `video.coherence`.
    Field(&'static str),
    /// The recipe to start from.
    Recipe,
    /// The network.
    Network,
    /// The layer to dream on.
    Layer,
    /// How large the pictures of a gallery are.
    Cell,
    /// What to dream on, if not a picture: noise of some size.
    Noise,
    /// Where the result goes.
    Output,
    /// Whether what exists may be replaced.
    Overwrite,
    /// How many frames there are to be.
    Count,
    /// The first moment of a video that is wanted.
    Start,
    /// The moment of a video at which to end.
    End,
    /// The part of a video to make.
    Shard,
    /// The file whose sound a movie gets.
    Sound,
    /// Whether a movie goes without sound.
    Silent,
    /// How much memory may be used.
    Memory,
    /// Where scratch files lie.
    Scratch,
}

/// A way out of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// What to do: a sentence.
    pub text: String,
    /// The setting it changes, if it changes one.
    pub knob: Option<Knob>,
}

/// Why a job or a dream was not finished.
#[derive(Clone, Debug)]
pub struct Error {
    fault: Fault,
    message: String,
    path: Option<PathBuf>,
    hints: Vec<Hint>,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What may fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with the sentence that says what happened.
    pub fn new(fault: Fault, message: impl fmt::Display) -> Self {
        Self { fault, message: message.to_string(), path: None, hints: Vec::new(), cause: None }
    }

    /// The same error about a file or folder.
    #[must_use]
    pub fn at(self, path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// The same error with one more way out.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(Hint { text: text.into(), knob: None });
        self
    }

    /// The same error with one more way out, which turns `knob`.
    #[must_use]
    pub fn turn(mut self, knob: Knob, text: impl Into<String>) -> Self {
        self.hints.push(Hint { text: text.into(), knob: Some(knob) });
        self
    }

    /// An error that another crate has found; [`std::error::Error::source`] gives it back.
    pub(crate) fn of(fault: Fault, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        let error = Self::new(fault, &cause);
        Self { cause: Some(Arc::new(cause)), ..error }
    }

    /// The same error, whose message begins with what it is about.
    #[must_use]
    pub(crate) fn about(self, name: &str) -> Self {
        Self { message: format!("{name}: {}", self.message), ..self }
    }

    /// The same error in other words.
    #[must_use]
    pub(crate) fn saying(self, message: String) -> Self {
        Self { message, ..self }
    }

    /// The same error with another fault.
    #[must_use]
    pub(crate) fn with_fault(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    /// The error of work that was cancelled.
    pub(crate) fn cancelled(message: impl fmt::Display) -> Self {
        Self::new(Fault::Cancelled, message)
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// What happened, without the ways out.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The file or folder it is about, if it is about one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The ways out; any one of them will do.
    pub fn hints(&self) -> &[Hint] {
        &self.hints
    }
}

/// What happened, and the ways out.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (index, hint) in self.hints.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { ". " } else { " " }, hint.text)?;
        }
        Ok(())
    }
}

/// The source is the error of another crate whose words the message already has.
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let cause = self.cause.as_deref()?;
        Some(cause)
    }
}
