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

/// A number of bytes in the unit that suits it.
pub(crate) fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let power = bytes.ilog2() as usize / 10;
    format!("{:.2} {}", bytes as f64 / (1_u64 << (10 * power)) as f64, UNITS[power - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_in_the_unit_that_suits_them() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.00 KiB"),
            (3 << 29, "1.50 GiB"),
            (u64::MAX, "16.00 EiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(human_bytes(bytes), text);
        }
    }
}
