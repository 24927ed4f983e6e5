//! Which frames a folder holds, and in what order.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::{Error, Fault, Result};

/// What a frame's name begins with.
const PREFIX: &str = "img_";

/// Endings of files that are taken for frames.
const ENDINGS: [&str; 7] = ["png", "jpg", "jpeg", "webp", "tif", "tiff", "bmp"];

/// Where the frame of this number lies in a folder, if this program has made it: its name ends in
/// `ending`.
pub(crate) fn frame_path(folder: &Path, number: u64, ending: &str) -> PathBuf {
    folder.join(format!("{PREFIX}{number}.{ending}"))
}

/// A picture with the number in its name.
type Numbered = (u64, PathBuf);

/// The frames of a folder, by number.
#[derive(Debug)]
pub struct Frames {
    folder: PathBuf,
    numbered: BTreeMap<u64, PathBuf>,
}

impl Frames {
    /// Finds the frames in `folder`: files called `img_NUMBER`, or, where there are none, pictures of
    /// any name that ends in a number.
    ///
    /// # Errors
    /// No such folder, or two frames of one number.
    pub fn find(folder: &Path) -> Result<Self> {
        let (named, others) = Self::list(folder)?;
        Self::of(folder, if named.is_empty() { others } else { named })
    }

    /// Finds only the files called `img_NUMBER`.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub(crate) fn find_named(folder: &Path) -> Result<Self> {
        Self::of(folder, Self::list(folder)?.0)
    }

    /// The files called `img_NUMBER`, and other pictures whose names end in numbers.
    fn list(folder: &Path) -> Result<(Vec<Numbered>, Vec<Numbered>)> {
        let cannot = |error: std::io::Error| {
            let why = match error.kind() {
                ErrorKind::NotFound => "there is no such folder".to_owned(),
                ErrorKind::NotADirectory => "it is a file, not a folder of frames".to_owned(),
                _ => error.to_string(),
            };
            let what = format!("could not read {}: {why}", folder.display());
            Error::new(Fault::Picture, what).at(folder)
        };
        let (mut named, mut others) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(folder).map_err(cannot)? {
            let path = entry.map_err(cannot)?.path();
            let Some((stem, number)) = numbered(&path) else { continue };
            if stem == PREFIX { &mut named } else { &mut others }.push((number, path));
        }
        Ok((named, others))
    }

    fn of(folder: &Path, found: Vec<Numbered>) -> Result<Self> {
        let mut frames = Self { folder: folder.to_owned(), numbered: BTreeMap::new() };
        for (number, path) in found {
            if let Some(first) = frames.numbered.insert(number, path) {
                let second = &frames.numbered[&number];
                let what = format!(
                    "{}: {} and {} are both frame {number}",
                    folder.display(),
                    file_name(&first),
                    file_name(second)
                );
                return Err(Error::new(Fault::Picture, what)
                    .at(folder)
                    .hint("Move one of them away."));
            }
        }
        Ok(frames)
    }

    /// The frames from number `from` up to, but without, `to` that are called as this program calls
    /// those it makes, with `ending`; and all others from `from` on.
    pub(crate) fn made(&self, from: u64, to: u64, ending: &str) -> (Vec<&Path>, Vec<&Path>) {
        let frames = self.iter().filter(|(number, _)| *number >= from);
        let (made, others): (Vec<_>, Vec<_>) = frames.partition(|(number, path)| {
            *number < to && *path == frame_path(&self.folder, *number, ending)
        });
        let paths = |frames: Vec<(u64, _)>| frames.into_iter().map(|(_, path)| path).collect();
        (paths(made), paths(others))
    }

    /// Every frame with its number, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &Path)> {
        self.numbered.iter().map(|(&number, path)| (number, path.as_path()))
    }

    /// How many frames there are.
    pub fn len(&self) -> usize {
        self.numbered.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.numbered.is_empty()
    }

    /// Leaves out the frames from number `count` on.
    pub(crate) fn truncate(&mut self, count: u64) {
        self.numbered.split_off(&count);
    }

    /// Where the frame of this number is.
    pub fn get(&self, number: u64) -> Option<&Path> {
        self.numbered.get(&number).map(PathBuf::as_path)
    }

    /// Where numbers are missing: the frame before and the frame after.
    pub fn gaps(&self) -> impl Iterator<Item = (u64, u64)> {
        let numbers = || self.numbered.keys().copied();
        numbers().zip(numbers().skip(1)).filter(|(before, after)| after - before > 1)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// What stands before the number that a picture's name ends in, and the number.
fn numbered(path: &Path) -> Option<(&str, u64)> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    if !ENDINGS.contains(&ending.as_str()) {
        return None;
    }
    let name = path.file_stem()?.to_str()?;
    let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    Some((stem, name[stem.len()..].parse().ok()?))
}

fn file_name(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        folder
    }

    #[test]
    fn numbers_not_letters_decide_the_order() {
        let folder = folder(&["img_1000.jpg", "img_2.jpg", "img_0.png", "img_10.webp", "x.txt"]);
        let frames = Frames::find(folder.path()).unwrap();
        let numbers: Vec<u64> = frames.iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [0, 2, 10, 1000]);
        assert_eq!(frames.gaps().collect::<Vec<_>>(), [(0, 2), (2, 10), (10, 1000)]);
    }

    #[test]
    fn other_names_count_only_where_there_are_none_of_ours() {
        let mixed = folder(&["img_0.png", "photo7.png"]);
        assert_eq!(Frames::find(mixed.path()).unwrap().len(), 1);
        let others = folder(&["frame-0002.PNG", "frame-0001.PNG"]);
        let frames = Frames::find(others.path()).unwrap();
        assert_eq!(frames.iter().map(|(number, _)| number).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn what_was_made_is_told_from_what_was_found() {
        let names = ["img_0.png", "img_1.png", "img_02.png", "img_3.jpg", "img_4.png", "img_7.png"];
        let folder = folder(&names);
        let frames = Frames::find_named(folder.path()).unwrap();
        let (made, others) = frames.made(1, 5, "png");
        let names = |paths: Vec<&Path>| -> Vec<String> {
            paths.into_iter().map(|path| file_name(path).into_owned()).collect()
        };
        assert_eq!(names(made), ["img_1.png", "img_4.png"]);
        assert_eq!(names(others), ["img_02.png", "img_3.jpg", "img_7.png"]);
    }

    #[test]
    fn one_number_twice_is_refused() {
        let folder = folder(&["img_3.png", "img_03.jpg"]);
        let said = Frames::find(folder.path()).unwrap_err().to_string();
        assert!(said.contains("both frame 3"), "{said}");
    }
}
