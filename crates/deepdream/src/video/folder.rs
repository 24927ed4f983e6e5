//! The folder that a video's frames are kept in until the movie is complete.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use dream::{TemporalState, Tensor, VideoDreamer};
use kernels::CpuLevel;
use media::{Image, ImageFormat};

use super::masks::MovingMasks;
use super::record::{ENDING, Record};
use crate::convert::unplanned;
use crate::frames::{Frames, State, Store, check_level, frame_path, other_recipe};
use crate::output::{remove, sha256};
use crate::progress::Run;
use crate::shard::Shard;
use crate::{Error, Fault, Knob, Result, picture};

/// What the newest frame and the dream on it are called in the state.
const SOURCE: &str = "source";
const DREAM: &str = "dream";

/// What holds the checksum of a movie that is about to be moved to its place.
const COMPLETE: &str = "complete";

/// The most bytes of a checksum.
const MOST_MARK: u64 = 1024;

/// A folder of a video's frames, locked for one run.
pub(crate) struct VideoFolder {
    path: PathBuf,
    store: Store,
}

/// Whether an earlier run had moved the movie to its place, and was ended before it could tidy up; if
/// so, that is done now.
///
/// # Errors
/// Another run is at work in the folder.
pub(crate) fn is_finished(folder: &Path, movie: &Path, keep: bool) -> Result<bool> {
    let Ok(Some(mark)) = Store::read(folder, COMPLETE, MOST_MARK) else { return Ok(false) };
    if !sha256(movie).is_ok_and(|hash| hash.as_bytes() == mark) {
        return Ok(false);
    }
    // Where there is no record any more, there are no frames.
    let frames = Record::load(folder)?.map_or(0, |record| record.frames);
    let folder = VideoFolder { path: folder.to_owned(), store: Store::open(folder)? };
    folder.end(frames, keep);
    Ok(true)
}

impl VideoFolder {
    /// Opens the folder for the frames of `record`, or only those of a part; frames of another video or
    /// recipe are removed with `overwrite`.
    ///
    /// # Errors
    /// It cannot be written in, another run is at work in it, or it has other frames.
    pub(crate) fn open(
        path: &Path,
        record: &Record,
        shard: Option<Shard>,
        overwrite: bool,
        (level, run): (CpuLevel, Run),
    ) -> Result<Self> {
        let store = match shard {
            Some(shard) => Store::open_part(path, &shard.tag())?,
            None => Store::open(path)?,
        };
        let folder = Self { path: path.to_owned(), store };
        match judge(path, record, overwrite, (level, run))? {
            Found::Kept => return Ok(folder),
            Found::Nothing => {}
            Found::Others(made) => {
                made.iter().try_for_each(|frame| remove(frame))?;
                folder.store.clear()?;
            }
        }
        record.save(&folder.store)?;
        Ok(folder)
    }

    /// The frames of `wanted` that a run would make, which opens the folder; nothing is written.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::resume`], as far as they do not write.
    pub(crate) fn foreseen(
        path: &Path,
        record: &Record,
        (wanted, follow): (Range<u64>, bool),
        overwrite: bool,
        (level, run): (CpuLevel, Run),
    ) -> Result<BTreeSet<u64>> {
        let found = match path.is_dir() {
            true => judge(path, record, overwrite, (level, run))?,
            false => Found::Nothing,
        };
        match found {
            Found::Kept if follow => Ok(left(path, record, overwrite)?.0),
            Found::Kept => Ok(missing(path, wanted)),
            _ => Ok(wanted.collect()),
        }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where files are put together.
    pub(crate) fn scratch(&self) -> &Path {
        self.store.folder()
    }

    /// Whether a frame is there.
    pub(crate) fn has(&self, number: u64) -> bool {
        frame_path(&self.path, number, ENDING).is_file()
    }

    /// Which of these frames are not there.
    pub(crate) fn missing(&self, wanted: Range<u64>) -> BTreeSet<u64> {
        missing(&self.path, wanted)
    }

    /// Brings a clip whose frames follow from each other to where an earlier run has stopped; returns
    /// the frames that are left to make.
    ///
    /// # Errors
    /// A state that cannot be read, without `overwrite`.
    pub(crate) fn resume(
        &self,
        clip: &mut VideoDreamer,
        record: &Record,
        masks: &MovingMasks,
        overwrite: bool,
    ) -> Result<BTreeSet<u64>> {
        let (left, state) = left(&self.path, record, overwrite)?;
        let Some((number, carried)) = state else { return Ok(left) };
        if !self.has(number) {
            let own = masks.read(number..number + 1)?.next()?;
            clip.set_masks(&own)
                .map_err(|error| unplanned(&self.path.display().to_string(), error))?;
            self.write(number, &clip.finished(&carried), record)?;
        }
        clip.resume(Some(carried));
        Ok(left)
    }

    /// Saves what the frame after `number` depends on.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn save(&self, number: u64, last: &TemporalState, record: &Record) -> Result<()> {
        let pictures = [(SOURCE, &last.source), (DREAM, &last.dream)];
        let pictures = pictures.map(|(name, picture)| (name.to_owned(), picture.clone()));
        let (recipe, source) = (record.recipe.clone(), record.hash.clone());
        let (age, pictures) = (last.age, pictures.into());
        let ending = Some(ENDING.to_owned());
        let level = record.level.clone();
        self.store.save(&State { number, age, pictures, recipe, source, ending, level })
    }

    /// Writes a frame's picture; returns where.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn write(&self, number: u64, dream: &Tensor, record: &Record) -> Result<PathBuf> {
        let path = frame_path(&self.path, number, ENDING);
        let image = Image::from_planes(dream.clone(), None)?;
        let bytes = picture::encode(&image, ImageFormat::Png, &record.recipe, &path)?;
        self.store.write(&path, &bytes)?;
        Ok(path)
    }

    /// Remembers what the movie is, before it is moved to its place.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn complete(&self, movie: &Path) -> Result<()> {
        let hash = sha256(movie)?;
        self.store.write(&self.store.folder().join(COMPLETE), hash.as_bytes())
    }

    /// The movie is in its place: removes the frames, unless they are to be kept, with all that was
    /// remembered of them, and the folder if nothing else is in it. What cannot be removed stays.
    pub(crate) fn end(self, frames: u64, keep: bool) {
        if !keep && let Ok(found) = Frames::find_named(&self.path) {
            for frame in found.made(0, frames, ENDING).0 {
                let _ = remove(frame);
            }
            // The mark last: until then the next run knows that there is more to remove.
            self.store.remove_all_but(&[COMPLETE]);
        }
        let _ = self.store.remove(COMPLETE);
        if !keep {
            let _ = std::fs::remove_dir(self.store.folder());
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}

/// What a run finds in the folder.
enum Found {
    /// No frames.
    Nothing,
    /// Frames that it goes on with.
    Kept,
    /// Frames that it removes, which an earlier run has made otherwise.
    Others(Vec<PathBuf>),
}

/// What a run that makes the frames of `record` finds in the folder; nothing is written.
///
/// # Errors
/// Frames of something else; of another video, recipe or CPU level, without `overwrite`.
fn judge(
    path: &Path,
    record: &Record,
    overwrite: bool,
    (level, run): (CpuLevel, Run),
) -> Result<Found> {
    let frames = Frames::find_named(path)?;
    let before = Record::load(path);
    let known = before.as_ref().ok().and_then(Option::as_ref);
    let listed = known.map_or(0, |before| before.frames);
    let level_before = known.map(|before| before.level.clone());
    let differences = match before {
        Ok(None) if frames.is_empty() => return Ok(Found::Nothing),
        Ok(None) => return Err(foreign(path)),
        Ok(Some(before)) => record.differences(&before),
        Err(error) => Err(error),
    };
    match differences {
        Ok(differences) if differences.is_empty() => {
            let complete = missing(path, 0..record.frames).is_empty();
            let other = match level_before {
                Some(before) if !complete => check_level(path, before.as_deref(), level, run),
                _ => Ok(()),
            };
            match other {
                Err(error) if !overwrite => return Err(error),
                Err(_) => {}
                Ok(()) => return Ok(Found::Kept),
            }
        }
        Err(error) if !overwrite => return Err(error),
        Ok(differences) if !overwrite => return Err(made_otherwise(path, &differences)),
        _ => {}
    }
    let (made, others) = frames.made(0, listed, ENDING);
    match others.is_empty() {
        true => Ok(Found::Others(made.into_iter().map(Path::to_owned).collect())),
        false => Err(foreign(path)),
    }
}

/// Which of these frames are not in the folder.
fn missing(path: &Path, wanted: Range<u64>) -> BTreeSet<u64> {
    wanted.filter(|number| !frame_path(path, *number, ENDING).is_file()).collect()
}

/// A frame's number, and what it left to the next.
type Carried = (u64, TemporalState);

/// The frames that are left to make of a clip whose frames follow from each other, and what they go on from: the
/// newest frame's number, and what it carried.
///
/// # Errors
/// A state that cannot be read, without `overwrite`.
fn left(path: &Path, record: &Record, overwrite: bool) -> Result<(BTreeSet<u64>, Option<Carried>)> {
    let missing = missing(path, 0..record.frames);
    let state = match Store::load(path) {
        Err(error) if !overwrite => return Err(error),
        state => state.ok().flatten(),
    };
    let state =
        state.filter(|state| record.is_dreamt_by(&state.recipe) && state.source == record.hash);
    let state = state.filter(|state| state.number < record.frames);
    let Some((number, carried)) = state.and_then(|state| carried(state, record.size)) else {
        // Without a state, nothing goes on from the frames there may be.
        let all = if missing.is_empty() { missing } else { (0..record.frames).collect() };
        return Ok((all, None));
    };
    if missing.range(..number).next().is_some() {
        return Ok(((0..record.frames).collect(), None));
    }
    Ok(((number + 1..record.frames).collect(), Some((number, carried))))
}

/// The error for frames that were made by another recipe or of another video.
fn made_otherwise(path: &Path, differences: &[String]) -> Error {
    let (name, differences) = (path.display(), differences.join("; "));
    let what = format!("the frames in {name} were made otherwise: {differences}");
    other_recipe(Error::new(Fault::Recipe, what).at(path))
}

/// The error for a folder with frames that no record lists.
fn foreign(path: &Path) -> Error {
    let what = format!("the frames in {} are not those of a video", path.display());
    Error::new(Fault::Output, what)
        .at(path)
        .turn(Knob::Output, "Choose another name.")
        .hint("Or move them away.")
}

/// The state's frame, and what it carried; `None` if the state is not of such a clip.
fn carried(mut state: State, size: (usize, usize)) -> Option<Carried> {
    let mut picture = |name: &str| {
        let picture = state.pictures.remove(name)?;
        ((picture.shape.height, picture.shape.width) == size).then_some(picture)
    };
    let (source, dream) = (picture(SOURCE)?, picture(DREAM)?);
    Some((state.number, TemporalState { source, dream, age: state.age }))
}
