//! A window at its place.

/// A window that slides over a picture of known extent. Rows first in every pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slide {
    /// Its height and width.
    pub kernel: [usize; 2],
    /// How far it moves.
    pub stride: [usize; 2],
    /// How far apart its elements are.
    pub dilation: [usize; 2],
    /// Rows above and columns left of the picture at which the first window starts.
    pub before: [usize; 2],
}
