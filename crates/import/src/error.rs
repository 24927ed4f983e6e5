//! What can be wrong with a model file.

use std::path::PathBuf;

use thiserror::Error;

/// Each error names the file's or layer's part that was wrong and the way out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The operating system would not give the file.
    #[error("cannot read the model {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's word.
        source: std::io::Error,
    },
    /// The file is larger than any network this program runs.
    #[error("the model is larger than {limit} bytes, the most that is read")]
    TooLarge {
        /// The bound, in bytes.
        limit: u64,
    },
    /// The file is something else.
    #[error(
        "this is no model: {found}. Models are ONNX files (.onnx), frozen TensorFlow graphs (.pb), Caffe's \
         .caffemodel or .prototxt with it, and weights of known networks from PyTorch (.pth, .safetensors)"
    )]
    Unknown {
        /// What it seems to be.
        found: String,
    },
    /// The file is of a kind that is not read.
    #[error("this is {kind}, which cannot be read as a network. {way_out}")]
    OtherKind {
        /// What it is.
        kind: String,
        /// What to do about it.
        way_out: String,
    },
    /// The file begins as its format does and goes on otherwise.
    #[error("this {format} is damaged: {problem}. Download the file again")]
    Damaged {
        /// The format's name.
        format: &'static str,
        /// What was found, and where.
        problem: String,
    },
    /// A structure without its weights.
    #[error(
        "this describes how a Caffe network is built, but has no weights. Put its .caffemodel beside it \
         under the same name{}", expected(.weights)
    )]
    NoWeights {
        /// Where the weights were looked for, if the structure came from a file.
        weights: Option<PathBuf>,
    },
    /// A file beside the model's, which it has weights in, cannot be had.
    #[error(
        "the model has weights in `{file}`, which cannot be read: {reason}. Put that file into the model's \
         folder, under the name it was written with"
    )]
    NoSibling {
        /// The file's path from the model's folder.
        file: String,
        /// Why it cannot be read.
        reason: String,
    },
    /// There is no picture to dream on.
    #[error("the network has no input for a colour picture: {problem}")]
    NoInput {
        /// What was looked for or found.
        problem: String,
    },
    /// A layer's weights are not in the file.
    #[error("`{layer}` has no {weight} in the model; is this the model of another network?")]
    MissingWeight {
        /// The layer.
        layer: String,
        /// Which of its weights.
        weight: String,
    },
    /// Two sizes that have to be the same are not.
    #[error("`{layer}`: {what} should be {expected}, but is {found}")]
    Mismatch {
        /// The layer.
        layer: String,
        /// What has the wrong size.
        what: &'static str,
        /// The size that fits.
        expected: String,
        /// The size that was found.
        found: String,
    },
    /// A layer reads what no layer makes.
    #[error("`{layer}` reads `{input}`, which is not in the model")]
    MissingInput {
        /// The layer.
        layer: String,
        /// What it reads.
        input: String,
    },
    /// Two layers of one name.
    #[error("the model has two nodes named `{layer}`")]
    Duplicate {
        /// The name.
        layer: String,
    },
    /// A layer needs its own output.
    #[error("the network loops through `{layer}`; only networks without loops can dream")]
    Cycle {
        /// A layer on the circle.
        layer: String,
    },
    /// A number beyond what any real network has.
    #[error("`{layer}`: {what} is {value}; from {least} to {most} is possible")]
    Limit {
        /// The layer.
        layer: String,
        /// What it is the number of.
        what: &'static str,
        /// The number.
        value: u64,
        /// The least that is possible.
        least: u64,
        /// The most that is possible.
        most: u64,
    },
    /// Another thing that does not fit in a layer's description.
    #[error("`{layer}`: {problem}")]
    Layer {
        /// The layer.
        layer: String,
        /// What does not fit.
        problem: String,
    },
}

impl ImportError {
    /// The error of a file that could be opened, and then not be read.
    pub(crate) fn unreadable(error: std::io::Error) -> Self {
        Self::Damaged { format: "model", problem: format!("it cannot be read: {error}") }
    }

    /// The error of a layer whose weights the file does not give any more.
    pub(crate) fn unread(layer: &str, error: &std::io::Error) -> Self {
        let problem = format!("its weights cannot be read: {error}");
        Self::Layer { layer: layer.into(), problem }
    }
}

fn expected(weights: &Option<PathBuf>) -> String {
    let path = weights.as_ref().map(|path| format!(": {}", path.display()));
    path.unwrap_or_default()
}
