//! The newest frame as it was before rounding, and whatever else the next one depends on, so that a
//! run that goes on makes the frames it would have made without a stop.
//!
//! It is a safetensors file in the hidden folder beside the frames, and says which frame it is, by which
//! recipe, from which first picture. It is replaced in one step, before the frame's picture is written:
//! whatever moment a run is ended at, the next one finds a state and knows what to do.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use graph::{Shape, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::store::{Store, Unread};
use crate::{Error, Fault, Knob, Result};

const STATE: &str = "state.safetensors";

/// More frames than anyone makes: no state is believed beyond it.
const MOST_FRAMES: u64 = 1 << 40;

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
    /// How the names of the frames' files end, without the dot; states of versions before 0.3 do not say.
    pub(crate) ending: Option<String>,
    /// The CPU level that the frames were made at; states of versions before 0.3 do not say.
    pub(crate) level: Option<String>,
}

impl Store {
    /// The state an earlier run left in a folder of frames, if there is one.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub(crate) fn load(frames: &Path) -> Result<Option<State>> {
        let path = Self::folder_of(frames).join(STATE);
        let bytes = match Self::read(frames, STATE, u64::MAX) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            Err(unread @ Unread::Memory { .. }) => {
                return Err(broken(&path, &unread).with_fault(Fault::Memory));
            }
            Err(unread) => return Err(broken(&path, &unread)),
        };
        parse(&bytes).map(Some).map_err(|problem| broken(&path, &problem))
    }

    /// The text of the recipe that the state of a folder of frames has, if there is a state that can be read.
    pub(crate) fn recipe(frames: &Path) -> Option<String> {
        words(frames)?.remove("recipe")
    }

    /// What the state says of the frames that were made, also where its pictures are damaged: the newest
    /// one's number, and how the names of their files end.
    pub(crate) fn listed(frames: &Path) -> Option<(u64, Option<String>)> {
        let mut words = words(frames)?;
        Some((words.get("number")?.parse().ok()?, words.remove("ending")))
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
        let words = [
            ("number", Some(state.number.to_string())),
            ("age", Some(state.age.to_string())),
            ("recipe", Some(state.recipe.clone())),
            ("source", Some(state.source.clone())),
            ("ending", state.ending.clone()),
            ("level", state.level.clone()),
        ];
        let words = words.into_iter().filter_map(|(key, word)| Some((key.to_owned(), word?)));
        let metadata: HashMap<String, String> = words.collect();
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
        self.write(&self.folder().join(STATE), &bytes)
    }

    /// Forgets the state.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn clear(&self) -> Result<()> {
        self.remove(STATE)
    }
}

/// What a state says in words, also where its pictures are damaged.
fn words(frames: &Path) -> Option<HashMap<String, String>> {
    let bytes = Store::read(frames, STATE, u64::MAX).ok()??;
    let (_, header) = SafeTensors::read_metadata(&bytes).ok()?;
    header.metadata().clone()
}

fn parse(bytes: &[u8]) -> Result<State, String> {
    let text = |error: safetensors::SafeTensorError| error.to_string();
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(text)?;
    let metadata = header.metadata().as_ref().ok_or("it says nothing about itself")?;
    let word = |key: &str| metadata.get(key).cloned().ok_or(format!("`{key}` is missing"));
    let tensors = SafeTensors::deserialize(bytes).map_err(text)?;
    let picture = |(name, view): (String, TensorView)| Ok((name, picture(&view)?));
    let pictures = tensors.tensors().into_iter().map(picture).collect::<Result<_, String>>()?;
    let count = |key: &str| {
        let count = word(key)?.parse().ok().filter(|&count: &u64| count < MOST_FRAMES);
        count.ok_or_else(|| format!("its {key} is no number that can be"))
    };
    let (number, age) = (count("number")?, count("age")?);
    let (recipe, source) = (word("recipe")?, word("source")?);
    let (ending, level) = (word("ending").ok(), word("level").ok());
    Ok(State { number, age, pictures, recipe, source, ending, level })
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
    Ok(Tensor { shape: Shape::new(channels, height, width), data: data.into() })
}

fn broken(path: &Path, problem: &dyn std::fmt::Display) -> Error {
    let what = format!("could not read the state of the frames, {}: {problem}", path.display());
    Error::new(Fault::Picture, what)
        .at(path)
        .turn(Knob::Overwrite, "Remove the frames and begin again.")
}

/// The ways out where frames of a folder were made by another recipe.
pub(crate) fn other_recipe(error: Error) -> Error {
    error
        .hint("Leave those settings out to continue with the folder's own recipe.")
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
            ending: Some("jpg".into()),
            level: Some("scalar".into()),
        }
    }

    #[test]
    fn a_state_comes_back_exactly() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let load = || Store::load(folder.path()).unwrap();
        assert_eq!(load(), None);
        store.save(&state()).unwrap();
        assert_eq!(load(), Some(state()));
        store.clear().unwrap();
        store.clear().unwrap();
        assert_eq!(load(), None);
    }

    #[test]
    fn damaged_states_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.save(&state()).unwrap();
        let path = store.folder().join(STATE);
        let whole = std::fs::read(&path).unwrap();
        for end in [0, 4, 30, whole.len() - 1] {
            std::fs::write(&path, &whole[..end]).unwrap();
            assert!(Store::load(folder.path()).is_err(), "{end} bytes");
        }
        let mut wild = whole.clone();
        let last = wild.len() - 4;
        wild[last..].copy_from_slice(&f32::NAN.to_le_bytes());
        std::fs::write(&path, wild).unwrap();
        assert!(Store::load(folder.path()).is_err());
        assert_eq!(Store::listed(folder.path()), Some((1234, Some("jpg".into()))));
        store.save(&State { number: u64::MAX, ..state() }).unwrap();
        assert!(Store::load(folder.path()).is_err());
    }
}
