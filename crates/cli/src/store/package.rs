//! What can be fetched: a network's address, what comes from there, and how it is checked.

use import::{Checksum, KnownNetwork};

/// A network that can be fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Package {
    /// What it is called.
    pub(crate) name: &'static str,
    /// Where it comes from.
    pub(crate) url: &'static str,
    /// What must come from there.
    pub(crate) checksum: Checksum,
    /// About how many bytes come from there.
    pub(crate) bytes: u64,
    /// The files wanted from the archive that comes, by their names in it; none if what comes is the
    /// model file itself.
    pub(crate) members: &'static [&'static str],
    /// The model file.
    pub(crate) file: &'static str,
    /// SHA-256 of the model file, where the checksum is an archive's.
    pub(crate) file_sha256: Option<&'static str>,
    /// The licence's name or terms.
    pub(crate) licence: &'static str,
}

impl Package {
    /// Every network that can be fetched.
    pub(crate) fn all() -> impl Iterator<Item = Package> {
        import::known::KNOWN.iter().filter_map(Package::of)
    }

    /// The network of that name, if it can be fetched.
    pub(crate) fn known(name: &str) -> Option<Self> {
        import::known::by_name(name).and_then(Self::of)
    }

    fn of(known: &KnownNetwork) -> Option<Self> {
        known.source.as_ref().map(|source| Self {
            name: known.name,
            url: source.url,
            checksum: source.checksum,
            bytes: source.bytes,
            members: source.members,
            file: known.file,
            file_sha256: known.file_sha256,
            licence: source.licence,
        })
    }

    /// The most bytes that may come: the length is known only about.
    pub(crate) fn limit(&self) -> u64 {
        self.bytes.saturating_mul(2)
    }

    /// The most bytes a file from the archive may have: weights hardly shrink when they are packed.
    pub(crate) fn member_limit(&self) -> u64 {
        self.bytes.saturating_mul(4)
    }
}
