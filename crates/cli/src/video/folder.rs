//! The folder that a video's frames are kept in until the movie is complete.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use dream::{TemporalState, Tensor, VideoDreamer};
use media::{EncodeOptions, Image, ImageFormat};

use super::part::Part;
use super::record::Record;
use crate::exit::{Failure, Fault};
use crate::frames::{Frames, State, Store};
use crate::output;
use models::digest::sha256;

/// What the newest frame and the dream on it are called in the state.
const SOURCE: &str = "source";
const DREAM: &str = "dream";

/// What holds the checksum of a movie that is about to be moved to its place.
const COMPLETE: &str = "complete";

/// A folder of a video's frames, locked for one run.
pub(super) struct Folder {
    path: PathBuf,
    store: Store,
}

/// Where a frame's picture lies.
pub(super) fn place(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("img_{number}.png"))
}

/// Whether an earlier run had moved the movie to its place, and was ended before it could tidy up; if
/// so, that is done now.
///
/// # Errors
/// Another run is at work in the folder.
pub(crate) fn is_finished(folder: &Path, movie: &Path, keep: bool) -> Result<bool, Failure> {
    let mark = std::fs::read_to_string(Store::folder_of(folder).join(COMPLETE));
    let (Ok(mark), Ok(hash)) = (mark, sha256(movie)) else { return Ok(false) };
    if mark != hash {
        return Ok(false);
    }
    // Where there is no record any more, there are no frames.
    let frames = Record::load(folder)?.map_or(0, |record| record.frames);
    let folder = Folder { path: folder.to_owned(), store: Store::open(folder)? };
    folder.end(frames, keep);
    Ok(true)
}

impl Folder {
    /// Opens the folder for the frames of `record`, or only those of a part; frames of another video or
    /// recipe are removed with `force`.
    ///
    /// # Errors
    /// It cannot be written in, another run is at work in it, or it has other frames.
    pub(super) fn open(
        path: &Path,
        record: &Record,
        part: Option<Part>,
        force: bool,
    ) -> Result<Self, Failure> {
        let store = match part {
            Some(part) => Store::open_part(path, &part.tag())?,
            None => Store::open(path)?,
        };
        let folder = Self { path: path.to_owned(), store };
        if part.is_none() {
            // What runs that were killed have left of their movies.
            output::clear_temporary(folder.scratch());
        }
        let name = path.display();
        let differences = match Record::load(path) {
            Ok(None) if folder.frames()?.is_empty() => {
                record.save(&folder.store)?;
                return Ok(folder);
            }
            Ok(None) => {
                let what = format!("{name}: the frames in this folder are not a video's");
                return Err(Failure::new(Fault::Output, what).or("give another name with -o"));
            }
            Ok(Some(before)) => record.differences(&before),
            Err(failure) => Err(failure),
        };
        match differences {
            Ok(differences) if differences.is_empty() => return Ok(folder),
            Err(failure) if !force => return Err(failure),
            Ok(differences) if !force => {
                let differences = differences.join("; ");
                let what = format!("{name}: its frames were made otherwise: {differences}");
                return Err(Failure::new(Fault::Recipe, what).or(
                    "without those flags the folder's own recipe goes on; --force removes its frames and begins again",
                ));
            }
            _ => {}
        }
        folder.store.clear()?;
        for path in folder.frames()? {
            std::fs::remove_file(&path).map_err(|error| {
                Failure::new(Fault::Output, format!("{}: {error}", path.display()))
            })?;
        }
        record.save(&folder.store)?;
        Ok(folder)
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where files are put together.
    pub(super) fn scratch(&self) -> &Path {
        self.store.folder()
    }

    /// Whether a frame is there.
    pub(super) fn has(&self, number: u64) -> bool {
        place(&self.path, number).is_file()
    }

    /// Which of these frames are not there.
    pub(super) fn missing(&self, wanted: Range<u64>) -> BTreeSet<u64> {
        wanted.filter(|&number| !self.has(number)).collect()
    }

    /// Brings a clip whose frames follow from each other to where an earlier run has stopped; returns
    /// the frames that are left to make.
    ///
    /// # Errors
    /// A state that cannot be read, without `force`.
    pub(super) fn resume(
        &self,
        clip: &mut VideoDreamer,
        record: &Record,
        force: bool,
    ) -> Result<BTreeSet<u64>, Failure> {
        let missing = self.missing(0..record.frames);
        let state = match self.store.load() {
            Err(failure) if !force => return Err(failure),
            state => state.ok().flatten(),
        };
        let state =
            state.filter(|state| record.is_dreamt_by(&state.recipe) && state.source == record.hash);
        let Some((number, carried)) = state.and_then(|state| carried(state, record.size)) else {
            // Without a state, nothing goes on from the frames there may be.
            return Ok(if missing.is_empty() { missing } else { (0..record.frames).collect() });
        };
        if missing.range(..number).next().is_some() {
            return Ok((0..record.frames).collect());
        }
        if missing.contains(&number) {
            self.write(number, &carried.dream, record)?;
        }
        clip.resume(Some(carried));
        Ok((number + 1..record.frames).collect())
    }

    /// Saves what the frame after `number` depends on.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn save(
        &self,
        number: u64,
        last: &TemporalState,
        record: &Record,
    ) -> Result<(), Failure> {
        let pictures = [(SOURCE, &last.source), (DREAM, &last.dream)];
        let pictures = pictures.map(|(name, picture)| (name.to_owned(), picture.clone()));
        let (recipe, source) = (record.recipe.clone(), record.hash.clone());
        let (age, pictures) = (last.age, pictures.into());
        self.store.save(&State { number, age, pictures, recipe, source })
    }

    /// Writes a frame's picture.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn write(
        &self,
        number: u64,
        dream: &Tensor,
        record: &Record,
    ) -> Result<(), Failure> {
        let place = place(&self.path, number);
        let image = Image::from_planes(dream.clone(), None)?;
        let options = EncodeOptions::with_recipe(&record.recipe);
        let bytes = image.encode(ImageFormat::Png, &options).map_err(|error| {
            let what = format!("{}: cannot be written: {error}", place.display());
            Failure::new(Fault::Output, what)
        })?;
        self.store.write(&place, &bytes)
    }

    /// Remembers what the movie is, before it is moved to its place.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn complete(&self, movie: &Path) -> Result<(), Failure> {
        let hash = sha256(movie).map_err(|error| {
            Failure::new(Fault::Output, format!("{}: {error}", movie.display()))
        })?;
        self.store.write(&self.store.folder().join(COMPLETE), hash.as_bytes())
    }

    /// The movie is in its place: removes the frames, unless they are to be kept, with all that was
    /// remembered of them, and the folder if nothing else is in it. What cannot be removed stays.
    pub(super) fn end(self, frames: u64, keep: bool) {
        if !keep {
            for number in 0..frames {
                let _ = std::fs::remove_file(place(&self.path, number));
            }
            // The mark last: until then the next run knows that there is more to remove.
            let names = std::fs::read_dir(self.store.folder()).into_iter().flatten().flatten();
            for entry in names.filter(|entry| entry.file_name() != COMPLETE) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        let _ = std::fs::remove_file(self.store.folder().join(COMPLETE));
        if !keep {
            let _ = std::fs::remove_dir_all(self.store.folder());
            let _ = std::fs::remove_dir(&self.path);
        }
    }

    /// The files that are called as frames are.
    fn frames(&self) -> Result<Vec<PathBuf>, Failure> {
        let frames = Frames::find(&self.path)?;
        let ours = frames.iter().map(|(_, path)| path.to_owned());
        let named = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("img_"))
        };
        Ok(ours.filter(named).collect())
    }
}

/// The state's frame, and what it carried; `None` if the state is not of such a clip.
fn carried(mut state: State, size: (usize, usize)) -> Option<(u64, TemporalState)> {
    let mut picture = |name: &str| {
        let picture = state.pictures.remove(name)?;
        ((picture.shape.height, picture.shape.width) == size).then_some(picture)
    };
    let (source, dream) = (picture(SOURCE)?, picture(DREAM)?);
    Some((state.number, TemporalState { source, dream, age: state.age }))
}
