//! The newest frame as it was before rounding, and whatever else the next one depends on, so that a
//! run that goes on makes the frames it would have made without a stop.
//!
//! A hidden folder beside the frames holds it, as a safetensors file that says which frame it is, by
//! which recipe, from which first picture. It is replaced in one step, before the frame's picture is
//! written: whatever moment a run is ended at, the next one finds a state and knows what to do.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use graph::{Shape, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::machine::free_memory;
use crate::output::{sync_folder, unwritable};
use crate::{Error, Fault, Knob, Result, readable_bytes};

const FOLDER: &str = ".deepdream";
const STATE: &str = "state.safetensors";
const LOCK: &str = "lock";

/// Where frames stand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    /// The newest frame's number.
    pub(crate) number: u64,
    /// How many frames before it go into what it is; all of them, if no cut was between.
    pub(crate) age: u64,
    /// What the next frame is made from, by name.
    pub(crate) pictures: BTreeMap<String, Tensor>,
    /// The recipe's text.
    pub(crate) recipe: String,
    /// SHA-256 of the first frame's file, in hexadecimal.
    pub(crate) source: String,
}

/// The hidden folder, locked for one run.
pub(crate) struct Store {
    frames: PathBuf,
    folder: PathBuf,
    /// What keeps files that are being written apart from those of other runs.
    tag: String,
    _locks: Vec<File>,
}

impl Store {
    /// Opens the store of a folder of frames for this run alone.
    ///
    /// # Errors
    /// A folder that cannot be written in, or in which another run is at work.
    pub(crate) fn open(frames: &Path) -> Result<Self> {
        Self::locked(frames, "", |folder| Ok(vec![lock(folder, LOCK, File::try_lock)?]))
    }

    /// Opens it for a run that makes only the frames of one `part`, while other runs make others.
    ///
    /// # Errors
    /// A folder that cannot be written in, or in which another run is at work on all frames or the same
    /// part.
    pub(crate) fn open_part(frames: &Path, part: &str) -> Result<Self> {
        Self::locked(frames, part, |folder| {
            let all = lock(folder, LOCK, File::try_lock_shared)?;
            Ok(vec![all, lock(folder, &format!("{LOCK}.{part}"), File::try_lock)?])
        })
    }

    fn locked(
        frames: &Path,
        tag: &str,
        locks: impl FnOnce(&Path) -> Result<Vec<File>, TryLockError>,
    ) -> Result<Self> {
        let folder = Self::folder_of(frames);
        std::fs::create_dir_all(&folder).map_err(|error| kept(&folder, error))?;
        let locks = locks(&folder).map_err(|error| match error {
            TryLockError::WouldBlock => {
                let what = format!("another run is making frames in {}", frames.display());
                Error::new(Fault::Output, what).at(frames).hint("Wait for it, or stop it.")
            }
            TryLockError::Error(error) => kept(&folder, error),
        })?;
        Ok(Self { frames: frames.to_owned(), folder, tag: tag.to_owned(), _locks: locks })
    }

    /// The hidden folder of a folder of frames, which need not exist.
    pub(crate) fn folder_of(frames: &Path) -> PathBuf {
        frames.join(FOLDER)
    }

    /// The hidden folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The state an earlier run left, if there is one.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub(crate) fn load(&self) -> Result<Option<State>> {
        let path = self.folder.join(STATE);
        let size = match path.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(broken(&path, &error)),
            Ok(file) => file.len(),
        };
        let (need, free) = (size.saturating_mul(2), free_memory());
        if need > free {
            let (need, free) = (readable_bytes(need), readable_bytes(free));
            let what = format!(
                "could not read {}: it needs {need} of memory, but {free} are free",
                path.display()
            );
            return Err(Error::new(Fault::Memory, what).at(path));
        }
        let bytes = std::fs::read(&path).map_err(|error| broken(&path, &error))?;
        parse(&bytes).map(Some).map_err(|problem| broken(&path, &problem))
    }

    /// Replaces the state.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn save(&self, state: &State) -> Result<()> {
        let raw: Vec<(&str, Shape, Vec<u8>)> = state
            .pictures
            .iter()
            .map(|(name, picture)| {
                let data = picture.data.iter().flat_map(|x| x.to_le_bytes()).collect();
                (name.as_str(), picture.shape, data)
            })
            .collect();
        let metadata = HashMap::from([
            ("number".to_owned(), state.number.to_string()),
            ("age".to_owned(), state.age.to_string()),
            ("recipe".to_owned(), state.recipe.clone()),
            ("source".to_owned(), state.source.clone()),
        ]);
        let views: Result<Vec<_>, _> = raw
            .iter()
            .map(|(name, shape, data)| {
                let shape = vec![shape.channels, shape.height, shape.width];
                TensorView::new(Dtype::F32, shape, data).map(|view| (*name, view))
            })
            .collect();
        let bytes = views
            .and_then(|views| safetensors::serialize(views, Some(metadata)))
            .map_err(|error| Error::new(Fault::Output, error))?;
        self.write(&self.folder.join(STATE), &bytes)
    }

    /// Forgets the state.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn clear(&self) -> Result<()> {
        let path = self.folder.join(STATE);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(kept(&path, error)),
            _ => Ok(()),
        }
    }

    /// Writes a file into the folder of frames or its store: whole, and on the disk when this
    /// returns, or not at all.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        // Named after what it becomes, so that the run that goes on after one that was killed here
        // writes over what is left of it.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let part = self.folder.join(format!("part{}.{name}", self.tag));
        let written = File::create(&part)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&part, path))
            .and_then(|()| sync_folder(&self.frames))
            .and_then(|()| sync_folder(&self.folder));
        written.map_err(|error| {
            // What is written by halves takes room that the user may be trying to free.
            let _ = std::fs::remove_file(&part);
            kept(path, error)
        })
    }
}

fn parse(bytes: &[u8]) -> Result<State, String> {
    let text = |error: safetensors::SafeTensorError| error.to_string();
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(text)?;
    let metadata = header.metadata().as_ref().ok_or("it says nothing about itself")?;
    let word = |key: &str| metadata.get(key).cloned().ok_or(format!("`{key}` is missing"));
    let tensors = SafeTensors::deserialize(bytes).map_err(text)?;
    let picture = |(name, view): (String, TensorView)| Ok((name, picture(&view)?));
    let pictures = tensors.tensors().into_iter().map(picture).collect::<Result<_, String>>()?;
    let count = |key: &str| word(key)?.parse().map_err(|_| format!("its {key} is no number"));
    let (number, age) = (count("number")?, count("age")?);
    Ok(State { number, age, pictures, recipe: word("recipe")?, source: word("source")? })
}

fn picture(view: &TensorView) -> Result<Tensor, String> {
    let &[channels @ 3, height, width] = view.shape() else {
        return Err(format!("its picture has the shape {:?}", view.shape()));
    };
    if view.dtype() != Dtype::F32 || height * width == 0 {
        return Err("its picture is not of 32-bit floats".into());
    }
    let (values, _) = view.data().as_chunks::<4>();
    let data: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
    if data.iter().any(|value| !(0.0..=255.0).contains(value)) {
        return Err("its picture has values outside 0–255".into());
    }
    Ok(Tensor { shape: Shape::new(channels, height, width), data })
}

fn lock(
    folder: &Path,
    name: &str,
    how: fn(&File) -> Result<(), TryLockError>,
) -> Result<File, TryLockError> {
    let lock = File::create(folder.join(name)).map_err(TryLockError::Error)?;
    how(&lock)?;
    Ok(lock)
}

fn broken(path: &Path, problem: &dyn std::fmt::Display) -> Error {
    let what = format!("could not read the state of the frames, {}: {problem}", path.display());
    Error::new(Fault::Picture, what)
        .at(path)
        .turn(Knob::Overwrite, "Remove the frames and begin again.")
}

/// The error for what cannot be written, which costs no frame.
fn kept(path: &Path, error: std::io::Error) -> Error {
    unwritable(path, error)
        .hint("All frames before it are whole: run the same again to go on from there.")
}

/// The ways out where frames of a folder were made by another recipe.
pub(crate) fn other_recipe(error: Error) -> Error {
    error
        .hint("Leave those settings out: the folder's own recipe goes on.")
        .turn(Knob::Overwrite, "Or remove the frames and begin again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let mut picture = Tensor::zeros(Shape::new(3, 2, 4));
        for (index, value) in picture.data.iter_mut().enumerate() {
            *value = index as f32 / 0.3;
        }
        let dark = Tensor::zeros(picture.shape);
        let pictures = [("picture".to_owned(), picture), ("dark".to_owned(), dark)].into();
        State {
            number: 1234,
            age: 34,
            pictures,
            recipe: "step = 1.5\n".into(),
            source: "ab".into(),
        }
    }

    #[test]
    fn a_state_comes_back_exactly() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.load().unwrap(), None);
        store.save(&state()).unwrap();
        assert_eq!(store.load().unwrap(), Some(state()));
        store.clear().unwrap();
        store.clear().unwrap();
        assert_eq!(store.load().unwrap(), None);
    }

    #[test]
    fn one_run_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Store::open(folder.path()).unwrap();
        let said = Store::open(folder.path()).err().unwrap().to_string();
        assert!(said.contains("another run"), "{said}");
        assert!(Store::open_part(folder.path(), "1-of-2").is_err());
        drop(first);
        let parts = ["1-of-2", "2-of-2"].map(|part| Store::open_part(folder.path(), part).unwrap());
        assert!(Store::open_part(folder.path(), "2-of-2").is_err());
        assert!(Store::open(folder.path()).is_err());
        drop(parts);
        assert!(Store::open(folder.path()).is_ok());
    }

    #[test]
    fn damaged_states_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.save(&state()).unwrap();
        let path = folder.path().join(FOLDER).join(STATE);
        let whole = std::fs::read(&path).unwrap();
        for end in [0, 4, 30, whole.len() - 1] {
            std::fs::write(&path, &whole[..end]).unwrap();
            assert!(store.load().is_err(), "{end} bytes");
        }
        let mut wild = whole.clone();
        let last = wild.len() - 4;
        wild[last..].copy_from_slice(&f32::NAN.to_le_bytes());
        std::fs::write(&path, wild).unwrap();
        assert!(store.load().is_err());
    }
}
