//! Model files as they come: on disk, of each format, whole and broken.

mod cases;
mod folding;
mod golden;
mod kinds;
mod load;
mod onnx;
mod tensorflow;
mod torch;
