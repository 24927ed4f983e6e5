//! A layer as its file has it, with its weights where they lie.

use std::ops::{Deref, DerefMut};

use prost::bytes::Bytes;

use super::proto;
use crate::content::Content;

/// A layer, its weights by themselves.
pub(super) struct Layer {
    message: proto::Layer,
    pub(super) blobs: Vec<Blob>,
}

/// Weights: a message, and the file in which their values lie.
pub(super) struct Blob {
    pub(super) message: Bytes,
    pub(super) file: Content,
}

impl Layer {
    /// A layer of the skeleton of `file`.
    pub(super) fn new(mut message: proto::Layer, file: &Content) -> Self {
        let blobs = std::mem::take(&mut message.blobs).into_iter();
        let blobs = blobs.map(|message| Blob { message, file: file.clone() }).collect();
        Self { message, blobs }
    }
}

impl Deref for Layer {
    type Target = proto::Layer;

    fn deref(&self) -> &proto::Layer {
        &self.message
    }
}

impl DerefMut for Layer {
    fn deref_mut(&mut self) -> &mut proto::Layer {
        &mut self.message
    }
}
