//! The catalogue of known networks: where they are published, and what their files leave out.

mod others;
mod torchvision;

use std::sync::LazyLock;

use graph::{ChannelOrder, Graph, InputSpec};
use import::CAFFE_INPUT;

use crate::built_in::{self, BUILT_IN};

/// A network in the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct KnownNetwork {
    /// Its name in recipes and commands.
    pub name: &'static str,
    /// Its title, as people write it.
    pub title: &'static str,
    /// A one-sentence description.
    pub description: &'static str,
    /// Where to download it; `None` for the built-in network.
    pub source: Option<Source>,
    /// The file name of its model.
    pub file: &'static str,
    /// The SHA-256 of the model file in hexadecimal, if it is known and not that of the download.
    pub file_sha256: Option<&'static str>,
    /// The input it expects.
    pub input: InputSpec,
    /// The file name of its class names, if they are published with it.
    pub labels_file: Option<&'static str>,
    /// Layer names that no other network has in this combination.
    pub(crate) marks: &'static [&'static str],
    /// How the names of its layers begin, up to `_`, `/` or their end.
    pub(crate) layers: &'static [&'static str],
}

/// Where a network is published.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The URL.
    pub url: &'static str,
    /// The checksum of the download.
    pub checksum: Checksum,
    /// If the download is an archive, the members to extract, the model first; otherwise empty.
    pub members: &'static [&'static str],
    /// The approximate size of the download in bytes.
    pub bytes: u64,
    /// The licence's name or terms.
    pub licence: &'static str,
}

#[cfg(feature = "download")]
impl Source {
    /// The most bytes to accept, as the size is approximate. Of files without a published checksum not even
    /// the size is sure: they may be as large as any model.
    pub(crate) fn limit(&self) -> u64 {
        match self.checksum {
            Checksum::NotPublished => import::MAX_FILE,
            _ => self.bytes.saturating_mul(2),
        }
    }

    /// The most bytes to extract for one member, as weights hardly compress.
    pub(crate) fn member_limit(&self) -> u64 {
        self.limit().saturating_mul(2)
    }
}

/// A checksum in lower-case hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-256.
    Sha256(&'static str),
    /// The first digits of the SHA-256, as PyTorch's files have them in their names.
    Sha256Start(&'static str),
    /// None is published: what the server sends is taken.
    NotPublished,
}

impl Checksum {
    /// The algorithm's name and the digits, or the first of them.
    pub fn parts(self) -> Option<(&'static str, &'static str)> {
        match self {
            Checksum::Sha256(digits) | Checksum::Sha256Start(digits) => Some(("sha256", digits)),
            Checksum::NotPublished => None,
        }
    }

    /// Whether a file with this SHA-256 is the one that is meant, as far as that says it.
    pub(crate) fn is_sha256(self, hash: &str) -> bool {
        match self {
            Checksum::Sha256(digits) => hash == digits,
            Checksum::Sha256Start(digits) => hash.starts_with(digits),
            Checksum::NotPublished => false,
        }
    }
}

/// All networks, the built-in one first.
static CATALOGUE: LazyLock<Vec<KnownNetwork>> = LazyLock::new(|| {
    let classics = CLASSICS.iter().copied();
    classics.chain(torchvision::networks()).chain(others::networks()).collect()
});

/// The networks that dreams began with, known by their layers too.
static CLASSICS: &[KnownNetwork] = &[
    KnownNetwork {
        name: BUILT_IN,
        title: "SqueezeNet v1.1",
        description: "A small, fast network with 1.2 million weights, built into the program.",
        source: None,
        file: "squeezenet1_1.safetensors",
        file_sha256: Some(built_in::SHA256),
        input: CAFFE_INPUT,
        labels_file: None,
        marks: &["fire2/squeeze1x1", "fire9/concat", "conv10"],
        layers: &[
            "fire2", "fire3", "fire4", "fire5", "fire6", "fire7", "fire8", "fire9", "conv10",
            "pool10",
        ],
    },
    KnownNetwork {
        name: "inception5h",
        title: "Inception5h",
        description: "Google's Inception, the network of TensorFlow's DeepDream example.",
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
        marks: &["conv2d0_pre_relu", "mixed4c", "mixed5b"],
        layers: &[
            "conv2d0",
            "conv2d1",
            "conv2d2",
            "maxpool0",
            "maxpool1",
            "localresponsenorm0",
            "localresponsenorm1",
            "mixed3a",
            "mixed3b",
            "maxpool4",
            "mixed4a",
            "mixed4b",
            "mixed4c",
            "mixed4d",
            "mixed4e",
            "maxpool10",
            "mixed5a",
            "mixed5b",
            "avgpool0",
            "softmax2",
        ],
    },
    KnownNetwork {
        name: "googlenet",
        title: "BVLC GoogLeNet",
        description: "The network of Google's original DeepDream, trained with Caffe.",
        source: Some(Source {
            url: "http://dl.caffe.berkeleyvision.org/bvlc_googlenet.caffemodel",
            checksum: Checksum::Sha256(
                "6f7101e3a2183738a7125a0c5021ba82a1feb4228c5ca0924d991b6daf6f6fad",
            ),
            members: &[],
            bytes: 53_533_754,
            licence: "unrestricted use",
        }),
        file: "bvlc_googlenet.caffemodel",
        file_sha256: None,
        input: CAFFE_INPUT,
        labels_file: None,
        marks: &["conv1/7x7_s2", "inception_4c/output", "inception_5b/output"],
        layers: &[
            "conv1/7x7",
            "conv2/3x3",
            "pool1/3x3",
            "pool2/3x3",
            "inception_3a",
            "inception_3b",
            "pool3/3x3",
            "inception_4a",
            "inception_4b",
            "inception_4c",
            "inception_4d",
            "inception_4e",
            "pool4/3x3",
            "inception_5a",
            "inception_5b",
            "pool5/7x7",
            "loss3/classifier",
        ],
    },
];

/// All networks in the catalogue, the built-in one first.
pub fn catalogue() -> &'static [KnownNetwork] {
    &CATALOGUE
}

/// The network of this name in the catalogue.
pub fn known(name: &str) -> Option<&'static KnownNetwork> {
    CATALOGUE.iter().find(|known| known.name == name)
}

/// The network in the catalogue that has a layer of this name.
pub fn with_layer(layer: &str) -> Option<&'static KnownNetwork> {
    let begins = |start: &&str| {
        layer
            .strip_prefix(*start)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '/']))
    };
    CATALOGUE.iter().find(|known| known.layers.iter().any(begins))
}

/// The known network that has a layer whose name ends in `part`, such as `4c`, and that name.
pub fn with_layer_ending(part: &str) -> Option<(&'static KnownNetwork, &'static str)> {
    let ends = |layer: &&str| part.len() > 1 && layer.ends_with(part);
    let find =
        |known: &'static KnownNetwork| Some((known, known.layers.iter().copied().find(ends)?));
    CATALOGUE.iter().find_map(find)
}

/// The known network that has the structure of `graph`, whatever its weights.
pub(crate) fn like(graph: &Graph) -> Option<&'static KnownNetwork> {
    let has = |mark: &&str| graph.find(mark).is_ok();
    CATALOGUE.iter().find(|known| !known.marks.is_empty() && known.marks.iter().all(has))
}

/// The known network whose model file has this SHA-256.
pub(crate) fn of_hash(hash: &str) -> Option<&'static KnownNetwork> {
    CATALOGUE.iter().find(|known| match (known.file_sha256, &known.source) {
        (Some(digits), _) => digits == hash,
        (None, Some(source)) => source.members.is_empty() && source.checksum.is_sha256(hash),
        (None, None) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "squeezenet")]
    #[test]
    fn the_built_in_network_is_known_by_its_layers() {
        let network = built_in::squeezenet().unwrap();
        let known = like(&network.graph).unwrap();
        assert_eq!(known.name, network.name);
        assert_eq!(known.input, network.input);
    }

    #[test]
    fn layers_tell_their_network() {
        let network = |layer| with_layer(layer).map(|known| known.name);
        assert_eq!(network("mixed4d_3x3_bottleneck_pre_relu"), Some("inception5h"));
        assert_eq!(network("inception_3b/5x5_reduce"), Some("googlenet"));
        assert_eq!([network("conv1"), network("mixed4cd"), network("")], [None; 3]);
    }

    #[test]
    fn checksums_have_their_length() {
        for known in catalogue() {
            match known.source.as_ref().map(|source| source.checksum) {
                Some(Checksum::Sha256(sum)) => assert_eq!(sum.len(), 64),
                Some(Checksum::Sha256Start(sum)) => assert!(sum.len() >= 8),
                Some(Checksum::NotPublished) | None => {}
            }
            assert!(known.file_sha256.is_none_or(|sum| sum.len() == 64));
        }
    }

    #[cfg(feature = "download")]
    #[test]
    fn sizes_that_nobody_publishes_refuse_no_file() {
        let limit = |name: &str| known(name).unwrap().source.unwrap().limit();
        assert_eq!(limit("resnet50-robust"), import::MAX_FILE);
        assert_eq!(limit("googlenet"), 2 * 53_533_754);
    }

    #[test]
    fn each_network_has_a_name_of_its_own_and_a_file_that_is_somewhere() {
        let mut names: Vec<&str> = catalogue().iter().map(|known| known.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), catalogue().len());
        for known in catalogue() {
            let Some(source) = &known.source else { continue };
            assert!(source.url.starts_with("http") && source.bytes > 1 << 20, "{}", known.name);
            assert!(!source.members.is_empty() || source.url.ends_with(known.file));
        }
    }

    #[test]
    fn a_file_is_known_by_the_digits_that_are_published() {
        let name = |hash: &str| of_hash(hash).map(|known| known.name);
        assert_eq!(name(&format!("397923af{}", "0".repeat(56))), Some("vgg16"));
        assert_eq!(name(built_in::SHA256), Some(BUILT_IN));
        assert_eq!(name(&"0".repeat(64)), None);
    }
}
