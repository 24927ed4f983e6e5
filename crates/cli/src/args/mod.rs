//! Arguments that several commands share, and how they fill a request.

mod machine;
mod motion;
mod movie;
mod network;
mod recipe;

pub(crate) use machine::MachineArgs;
pub(crate) use motion::MotionArgs;
pub(crate) use movie::{EncodingArgs, PlaybackArgs};
pub(crate) use network::NetworkArgs;
pub(crate) use recipe::RecipeArgs;

/// Reads a length of time in seconds, for `--hold-first 1.5`.
///
/// # Errors
/// What is no number, and more than a day.
pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err(format!("`{text}` is not a duration. Use seconds from 0 to 86400")),
    }
}

/// Reads a size in pixels, for `--noise 640x400`.
///
/// # Errors
/// What is no size, and sides of more than 65535 pixels.
pub(crate) fn size(text: &str) -> Result<deepdream::Size, String> {
    let size: deepdream::Size = text.parse()?;
    match size.longest() {
        1..=65_535 => Ok(size),
        side => Err(format!("a side of {side} pixels is too long. Use 65535 at most")),
    }
}
