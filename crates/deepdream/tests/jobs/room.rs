//! A folder of its own for each test, and small requests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use deepdream::{DreamRequest, Image, NetworkChoice, Size};

pub(crate) struct Room(tempfile::TempDir);

impl Room {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a soft picture of 48×36.
    pub(crate) fn picture(&self, name: &str) -> PathBuf {
        image(48, 36).save(self.path(name)).unwrap();
        self.path(name)
    }

    /// The bytes of every file, in folders too, by its path in the room. Hidden folders, which hold what
    /// a run needs that goes on, are left out.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.0.path(), self.0.path(), &mut files);
        files
    }
}

fn collect(room: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name == ".deepdream") {
            continue;
        }
        if path.is_dir() {
            collect(room, &path, files);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            files.insert(path.strip_prefix(room).unwrap().to_owned(), bytes);
        }
    }
}

pub(crate) fn image(width: usize, height: usize) -> Image {
    let wave = |x: usize, y: usize, c: usize| {
        let (x, y) = (x as f64, y as f64);
        (127.0 + 80.0 * (x / (5.0 + c as f64)).sin() + 40.0 * (y / 4.0).cos()) as u8
    };
    let bytes: Vec<u8> =
        (0..3 * width * height).map(|at| wave(at / 3 % width, at / 3 / width, at % 3)).collect();
    Image::from_rgb8(Size::new(height, width), &bytes).unwrap()
}

/// A quick dream with the built-in network.
pub(crate) fn quick() -> DreamRequest {
    let mut dream = DreamRequest {
        network: NetworkChoice::Named("squeezenet".to_owned()),
        ..DreamRequest::default()
    };
    dream.limits.threads = Some(1);
    dream.recipe.set("objective", "[{ layer = \"fire2/concat\" }]");
    dream.recipe.set("octaves.count", 2);
    dream.recipe.set("ascent.iterations", 2);
    dream
}
