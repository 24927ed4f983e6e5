//! The catalogue of known networks: where they are published, and what their files do not say.

use graph::{ChannelOrder, Graph, InputSpec};
use import::CAFFE_INPUT;

use crate::BUILT_IN;

/// SHA-256 of the built-in model file.
pub(crate) const SQUEEZENET_SHA256: &str =
    "1a0f1225ba4c17ee6517c6ac71f06e1406d54a812a6d40fb6753ac844094a77f";

/// A network known by name.
#[derive(Clone, Copy, Debug)]
pub struct KnownNetwork {
    /// What recipes and commands call it.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What it is, in a sentence.
    pub description: &'static str,
    /// Where it is published; `None` for the one that is built in.
    pub source: Option<Source>,
    /// What its model file is called.
    pub file: &'static str,
    /// SHA-256 of the model file in hexadecimal, where it is known.
    pub file_sha256: Option<&'static str>,
    /// What it wants for input.
    pub input: InputSpec,
    /// The file with its class names that is published with it, if there is one.
    pub labels_file: Option<&'static str>,
    /// The layer its dreams are best known from.
    pub layer: &'static str,
    /// Layers whose names together are like no other network's.
    pub(crate) marks: &'static [&'static str],
}

/// Where a network is published.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The address.
    pub url: &'static str,
    /// What must come from there.
    pub checksum: Checksum,
    /// For an archive, the members wanted from it: the model first.
    pub members: &'static [&'static str],
    /// About how many bytes come from there.
    pub bytes: u64,
    /// Under which terms.
    pub licence: &'static str,
}

#[cfg(feature = "download")]
impl Source {
    /// The most bytes that may come: the length is known only about.
    pub(crate) fn limit(&self) -> u64 {
        self.bytes.saturating_mul(2)
    }

    /// The most bytes a file from the archive may have: weights hardly shrink when they are packed.
    pub(crate) fn member_limit(&self) -> u64 {
        self.bytes.saturating_mul(4)
    }
}

/// A checksum in lower-case hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-256.
    Sha256(&'static str),
    /// SHA-1, where no other was ever published.
    Sha1(&'static str),
}

impl Checksum {
    /// What the checksum is called, and its digits.
    pub fn parts(self) -> (&'static str, &'static str) {
        match self {
            Checksum::Sha256(digits) => ("sha256", digits),
            Checksum::Sha1(digits) => ("sha1", digits),
        }
    }
}

static CATALOGUE: &[KnownNetwork] = &[
    KnownNetwork {
        name: BUILT_IN,
        title: "SqueezeNet v1.1",
        description: "A small, quick network of 1.2 million weights, built into the program.",
        source: None,
        file: "squeezenet1_1.safetensors",
        file_sha256: Some(SQUEEZENET_SHA256),
        input: CAFFE_INPUT,
        labels_file: None,
        layer: "fire6/concat",
        marks: &["fire2/squeeze1x1", "fire9/concat", "conv10"],
    },
    KnownNetwork {
        name: "inception5h",
        title: "Inception5h",
        description: "Google's Inception as TensorFlow's DeepDream tutorial uses it.",
        source: Some(Source {
            url: "https://storage.googleapis.com/download.tensorflow.org/models/inception5h.zip",
            checksum: Checksum::Sha256(
                "d13569f6a98159de37e92e9c8ec4dae8f674fbf475f69fe6199b514f756d4364",
            ),
            members: &[
                "tensorflow_inception_graph.pb",
                "imagenet_comp_graph_label_strings.txt",
                "LICENSE",
            ],
            bytes: 50_000_000,
            licence: "Apache-2.0",
        }),
        file: "tensorflow_inception_graph.pb",
        file_sha256: Some("a39b08b826c9d5a5532ff424c03a3a11a202967544e389aca4b06c2bd8aef63f"),
        input: InputSpec { order: ChannelOrder::Rgb, mean: [117.0; 3], scale: [1.0; 3] },
        labels_file: Some("imagenet_comp_graph_label_strings.txt"),
        layer: "mixed4c",
        marks: &["conv2d0_pre_relu", "mixed4c", "mixed5b"],
    },
    KnownNetwork {
        name: "googlenet",
        title: "BVLC GoogLeNet",
        description: "The network of Google's original DeepDream, trained with Caffe.",
        source: Some(Source {
            url: "http://dl.caffe.berkeleyvision.org/bvlc_googlenet.caffemodel",
            checksum: Checksum::Sha1("405fc5acd08a3bb12de8ee5e23a96bec22f08204"),
            members: &[],
            bytes: 53_500_000,
            licence: "unrestricted use",
        }),
        file: "bvlc_googlenet.caffemodel",
        file_sha256: None,
        input: CAFFE_INPUT,
        labels_file: None,
        layer: "inception_4c/output",
        marks: &["conv1/7x7_s2", "inception_4c/output", "inception_5b/output"],
    },
];

/// All known networks, the built-in one first.
pub fn catalogue() -> &'static [KnownNetwork] {
    CATALOGUE
}

/// The known network of this name.
pub fn known(name: &str) -> Option<&'static KnownNetwork> {
    CATALOGUE.iter().find(|known| known.name == name)
}

/// The known network whose structure `graph` has, whatever its weights.
pub(crate) fn like(graph: &Graph) -> Option<&'static KnownNetwork> {
    CATALOGUE.iter().find(|known| known.marks.iter().all(|mark| graph.find(mark).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_have_their_length() {
        for known in CATALOGUE {
            match known.source.as_ref().map(|source| source.checksum) {
                Some(Checksum::Sha256(sum)) => assert_eq!(sum.len(), 64),
                Some(Checksum::Sha1(sum)) => assert_eq!(sum.len(), 40),
                None => {}
            }
            assert!(known.file_sha256.is_none_or(|sum| sum.len() == 64));
        }
    }
}
