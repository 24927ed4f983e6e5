//! IVF, the simplest way to tell ffmpeg when each raw frame is shown: a file header, then a header with
//! length and time before each frame.

use graph::Size;

use super::MovieError;

/// ffmpeg's four-character code for raw RGB of 8 bits.
const RGB: [u8; 4] = *b"RGB\x18";

/// The file header for frames of `[width, height]` with `scale` ticks to the second.
///
/// # Errors
/// A side of more than 65,535 pixels.
pub(super) fn head([width, height]: [usize; 2], scale: u32) -> Result<Vec<u8>, MovieError> {
    let (Ok(wide), Ok(high)) = (u16::try_from(width), u16::try_from(height)) else {
        let most = Size::new(u16::MAX.into(), u16::MAX.into());
        let (format, size) = ("a movie with variable frame rate", Size::new(height, width));
        return Err(MovieError::Size { format, most, size });
    };
    let mut head = b"DKIF\0\0\x20\0".to_vec();
    head.extend(RGB);
    head.extend([wide, high].iter().flat_map(|side| side.to_le_bytes()));
    head.extend([scale, 1, 0, 0].iter().flat_map(|number: &u32| number.to_le_bytes()));
    Ok(head)
}

/// The header of a frame of `length` bytes that is shown from tick `start` on.
///
/// # Errors
/// A frame of 2³² bytes or more.
pub(super) fn frame(length: usize, start: u64) -> Result<Vec<u8>, MovieError> {
    let length = u32::try_from(length).map_err(std::io::Error::other)?;
    let mut head = length.to_le_bytes().to_vec();
    head.extend(start.to_le_bytes());
    Ok(head)
}
