//! Whose fault an error is.

/// What has to change before the same call can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// A file to read: missing, damaged, or of a kind that is not supported.
    Input,
    /// A file to write: its folder, its name, or what its format can hold.
    Output,
    /// What was asked for makes no sense together.
    Request,
    /// The memory that may be used does not suffice.
    Memory,
    /// ffmpeg or ffprobe: missing, too old, or without an encoder.
    Ffmpeg,
    /// The caller asked to stop.
    Cancelled,
}

/// What an I/O error means to the person who named the file.
pub(crate) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder, not a file".to_owned(),
        _ => error.to_string(),
    }
}
