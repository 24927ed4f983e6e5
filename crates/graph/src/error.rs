//! What can be wrong with a network, a layer or a picture's size.

use thiserror::Error;

use crate::Unread;

/// Each error names what was wrong and, where there is one, the way out.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum GraphError {
    /// No layer has the name.
    #[error("there is no layer `{name}`{}", suggest(.nearest))]
    UnknownLayer {
        /// What was asked for.
        name: String,
        /// The names most like it.
        nearest: Vec<String>,
    },
    /// The layer needs an operation that the program does not have.
    #[error("layer `{layer}` needs `{node}`, whose operation `{kind}` is not supported")]
    Unsupported {
        /// The layer asked for.
        layer: String,
        /// The node that wants the operation.
        node: String,
        /// The format's name for the operation.
        kind: String,
    },
    /// The layer does not depend on the picture, or only in a way that has no slope.
    #[error("layer `{layer}` has no gradient with respect to the picture")]
    NoGradient {
        /// The layer asked for.
        layer: String,
    },
    /// A window does not fit.
    #[error(
        "a picture of {width}×{height} is too small for layer `{layer}`: it needs at least {min_width}×{min_height}"
    )]
    TooSmall {
        /// The layer asked for.
        layer: String,
        /// The picture's width.
        width: usize,
        /// The picture's height.
        height: usize,
        /// The least width.
        min_width: usize,
        /// The least height.
        min_height: usize,
    },
    /// A node's inputs or weights do not fit each other.
    #[error("`{node}`: {problem}")]
    Shape {
        /// The node.
        node: String,
        /// What does not fit, with the sizes.
        problem: String,
    },
    /// What runs the network cannot go on.
    #[error("the network cannot run on {device}: {reason}")]
    Device {
        /// What was to run it.
        device: String,
        /// What failed.
        reason: String,
    },
    /// There is no memory for the network's values or its weights in the device's order.
    #[error("there is no memory for {bytes} more bytes")]
    Memory {
        /// How many bytes were wanted at once.
        bytes: u64,
    },
    /// The file that the network comes from does not give a layer's weights any more.
    #[error(
        "cannot read the weights of `{node}` again: {reason}. Start again with the network's file in its place"
    )]
    Weights {
        /// The layer.
        node: String,
        /// What became of the file.
        reason: String,
    },
    /// The graph itself is wrong.
    #[error("the network's graph is broken: {0}")]
    Graph(String),
}

impl GraphError {
    /// The error of a layer whose weights are not to be had.
    pub fn weights(node: &str, unread: Unread) -> Self {
        Self::Weights { node: node.to_owned(), reason: unread.0 }
    }
}

fn suggest(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        [one] => format!(": did you mean `{one}`?"),
        [head @ .., last] => format!(": did you mean `{}` or `{last}`?", head.join("`, `")),
    }
}
