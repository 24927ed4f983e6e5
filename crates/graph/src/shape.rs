//! The shape of an image or an activation.

use crate::Size;

/// Channels × height × width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Shape {
    /// A shape, in the order in which it is stored.
    pub fn new(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width }
    }

    /// Rows and columns.
    pub fn size(&self) -> Size {
        Size::new(self.height, self.width)
    }

    /// Values in one channel; where they cannot be counted, as many as can.
    pub fn plane(&self) -> usize {
        self.height.saturating_mul(self.width)
    }

    /// Values in all; where they cannot be counted, as many as can.
    pub fn len(&self) -> usize {
        self.channels.saturating_mul(self.plane())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}×{}×{}", self.channels, self.height, self.width)
    }
}
