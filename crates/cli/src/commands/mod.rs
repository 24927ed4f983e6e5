//! What each subcommand takes and does.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod classify;
pub(crate) mod frames;
pub(crate) mod generate;
pub(crate) mod image;
pub(crate) mod layers;
pub(crate) mod models;
pub(crate) mod movie;
pub(crate) mod probe;
pub(crate) mod video;
pub(crate) mod zoom;

/// Reads `WIDTHxHEIGHT`.
///
/// # Errors
/// Text of another kind.
pub(crate) fn size(text: &str) -> Result<(u32, u32), String> {
    let (width, height) = text.split_once(['x', '×']).ok_or("write 640x400, for example")?;
    let side = |text: &str| match text.parse::<u32>() {
        Ok(side @ 1..=65_535) => Ok(side),
        _ => Err(format!("`{text}` is no side: 1 to 65535 pixels are possible")),
    };
    Ok((side(width)?, side(height)?))
}
