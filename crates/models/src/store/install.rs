//! Adds model files to the store. A network is assembled in a staging folder, which is renamed into place
//! once it is complete and checked.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use graph::{ChannelOrder, InputSpec, Network};
use import::printable;

use super::manifest::{MANIFEST, Manifest, read_text};
use super::{Store, check_name};
use crate::catalogue::{KnownNetwork, known};
use crate::digest::sha256;
use crate::error::ModelError;
use crate::event::{OnEvent, StoreEvent, tell};
use crate::load::{self, Loaded, load};

/// A network to copy into the store.
#[derive(Clone, Debug, Default)]
pub struct Addition {
    /// The model file. A `.prototxt` needs its `.caffemodel` beside it, under the same name.
    pub file: PathBuf,
    /// The name to install it under. Default: the file's name.
    pub name: Option<String>,
    /// The name of the [input statistics](import::statistics) it was trained with. What is given below
    /// changes parts of them. Default: what the file states, or what is usual for its format.
    pub statistics: Option<String>,
    /// The network's channel order. Default: likewise.
    pub channel_order: Option<ChannelOrder>,
    /// What to subtract from each channel, in units of 0–255. Default: likewise.
    pub mean: Option<[f32; 3]>,
    /// What to multiply each channel by after that. Default: likewise.
    pub scale: Option<[f32; 3]>,
    /// A text file with the names of its classes, one a line.
    pub labels: Option<PathBuf>,
}

impl Addition {
    fn changes_input(&self) -> bool {
        self.statistics.is_some()
            || self.channel_order.is_some()
            || self.mean.is_some()
            || self.scale.is_some()
    }

    /// The input to record in the manifest, if it differs from `reader`, which the model file gives.
    ///
    /// # Errors
    /// [`ModelError::Statistics`]
    fn input(&self, reader: InputSpec) -> Result<Option<InputSpec>, ModelError> {
        let usual = match &self.statistics {
            Some(name) => named(name)?,
            None => reader,
        };
        let given = InputSpec {
            order: self.channel_order.unwrap_or(usual.order),
            mean: self.mean.unwrap_or(usual.mean),
            scale: self.scale.unwrap_or(usual.scale),
        };
        Ok((given != reader).then_some(given))
    }
}

impl Store {
    /// Checks that a model file can be loaded, and copies it into the store. Returns its name there. Under the
    /// name of a known network, the file has to be the published one, as a whole or the model out of it.
    ///
    /// # Errors
    /// [`ModelError::NotPublished`] for another file under the name of a known network;
    /// [`ModelError::Load`] if it cannot be used, [`ModelError::Labels`] if the class names do not fit,
    /// [`ModelError::Taken`], [`ModelError::Name`] and [`ModelError::Cancelled`].
    pub fn add(&self, addition: &Addition, on_event: OnEvent) -> Result<String, ModelError> {
        let path = &addition.file;
        let name = match &addition.name {
            Some(name) => name.clone(),
            None => own_name(path)?,
        };
        check_name(&name)?;
        if !path.exists() {
            return Err(ModelError::NoFile { path: path.clone() });
        }
        if let Some(published) = known(&name) {
            return self.add_known(published, addition, on_event).map(|()| name);
        }
        let Loaded { network, input_known, siblings } = load::read(path)?;
        let input = addition.input(network.input)?;
        if !input_known && !addition.changes_input() {
            tell(on_event, StoreEvent::InputAssumed)?;
        }
        drop(network);

        let _lock = self.lock(on_event)?;
        if self.is_installed(&name) {
            return Err(ModelError::Taken { name });
        }
        let stage = self.stage(&name)?;
        let extension = path.extension().and_then(|text| text.to_str()).unwrap_or("model");
        let file = stage.path().join(format!("{name}.{extension}"));
        copy(path, &file)?;
        let weights = path.with_extension("caffemodel");
        if weights != *path && weights.is_file() {
            copy(&weights, &file.with_extension("caffemodel"))?;
        }
        copy_siblings(&siblings, path, stage.path(), &file)?;
        if let Some(labels) = &addition.labels {
            copy_text(labels, &file.with_extension("labels.txt"))?;
        }
        // Dreams will use the copy, so the copy is checked as well.
        let network = load(&file).map_err(|error| match error {
            ModelError::Load { source, .. } => ModelError::Load { path: path.clone(), source },
            error => error,
        })?;
        if let Some(labels) = &addition.labels {
            check_labels(labels, &network)?;
        }
        let manifest = Manifest {
            sha256: sha256(&file).map_err(ModelError::file(&file))?,
            file: format!("{name}.{extension}"),
            source: std::path::absolute(path)
                .map_err(ModelError::file(path))?
                .display()
                .to_string(),
            licence: None,
            licence_file: None,
            input: input.map(Into::into),
        };
        manifest.write(stage.path())?;
        self.place(stage.path(), &name)?;
        Ok(name)
    }

    /// Installs a known network from the file that it is published as, or from the model file out of that.
    fn add_known(
        &self,
        known: &KnownNetwork,
        addition: &Addition,
        on_event: OnEvent,
    ) -> Result<(), ModelError> {
        let name = || known.name.to_owned();
        let Some(source) = &known.source else {
            return Err(ModelError::BuiltInName { name: name() });
        };
        if addition.changes_input() || addition.labels.is_some() {
            return Err(ModelError::Published { name: name() });
        }
        #[cfg(feature = "download")]
        return self.pull_file(known, source, &addition.file, on_event).map(|_| ());
        #[cfg(not(feature = "download"))]
        {
            let _ = (source, on_event);
            Err(ModelError::Taken { name: name() })
        }
    }

    /// Renames a staged folder into place, replacing a damaged network if there is one. When this
    /// returns, the network is on the disk, so that what it was made of may go.
    pub(super) fn place(&self, staged: &Path, name: &str) -> Result<(), ModelError> {
        let folder = self.folder(name);
        let trash = self.stage(name)?;
        if folder.exists() {
            fs::rename(&folder, trash.path().join(name)).map_err(ModelError::file(&folder))?;
        }
        sync_files(staged).map_err(ModelError::file(staged))?;
        fs::rename(staged, &folder).map_err(ModelError::file(&folder))?;
        sync_folder(&self.models()).map_err(ModelError::file(self.models()))
    }
}

/// The input statistics of this name.
///
/// # Errors
/// [`ModelError::Statistics`]
fn named(name: &str) -> Result<InputSpec, ModelError> {
    let known = import::statistics();
    let found = known.iter().find(|known| known.name.eq_ignore_ascii_case(name));
    found.map(|known| known.input).ok_or_else(|| ModelError::Statistics {
        name: name.to_owned(),
        known: known.iter().map(|known| known.name).collect(),
    })
}

/// Brings the files of a folder and their names to the disk.
fn sync_files(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_files(&path)?;
        } else {
            // For writing, as some systems bring only such files to the disk.
            File::options().write(true).open(path)?.sync_all()?;
        }
    }
    sync_folder(folder)
}

/// Brings the names in a folder to the disk, where folders can be opened.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

pub(super) fn copy(from: &Path, to: &Path) -> Result<(), ModelError> {
    let mut source = File::open(from).map_err(ModelError::file(from))?;
    let mut target = File::create(to).map_err(ModelError::file(to))?;
    io::copy(&mut source, &mut target).map_err(ModelError::file(to))?;
    target.sync_all().map_err(ModelError::file(to))
}

/// Copies the files beside the model at `path` that it has weights in, under the paths by which the model asks
/// for them, into `folder`, where the model is `file`.
fn copy_siblings(
    siblings: &[String],
    path: &Path,
    folder: &Path,
    file: &Path,
) -> Result<(), ModelError> {
    let from = path.parent().unwrap_or(Path::new(""));
    for sibling in siblings {
        let to = folder.join(sibling);
        if to == file || to == folder.join(MANIFEST) {
            let taken = io::Error::new(
                io::ErrorKind::AlreadyExists,
                "the model has weights in a file of this name, which is needed for another; install the model \
                 under another name",
            );
            return Err(ModelError::file(&to)(taken));
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(ModelError::file(parent))?;
        }
        copy(&from.join(sibling), &to)?;
    }
    Ok(())
}

/// As [`copy`], of a file that may turn out to have no end.
fn copy_text(from: &Path, to: &Path) -> Result<(), ModelError> {
    let text = read_text(from)?;
    File::create(to)
        .and_then(|mut target| target.write_all(text.as_bytes()).and_then(|()| target.sync_all()))
        .map_err(ModelError::file(to))
}

/// Loading ignores a list that does not fit the network; here that is an error.
fn check_labels(labels: &Path, network: &Network) -> Result<(), ModelError> {
    let text = read_text(labels)?;
    if text.lines().map(|line| printable(line.trim())).eq(network.labels.iter().cloned()) {
        return Ok(());
    }
    Err(ModelError::Labels { path: labels.to_owned(), lines: text.lines().count() })
}

/// The name of a network that is added without one: that of its file. Where a known network is called so, but
/// the file is another's, it has an addition.
fn own_name(path: &Path) -> Result<String, ModelError> {
    let name = name_of(path);
    // Those that are known by their layers too are known by their files' names as well.
    let known = known(&name).filter(|known| known.marks.is_empty() && path.is_file());
    if let Some(source) = known.and_then(|known| known.source) {
        let hash = sha256(path).map_err(ModelError::file(path))?;
        if !source.checksum.is_sha256(&hash) {
            return Ok(format!("{name}-own"));
        }
    }
    Ok(name)
}

/// Makes a network's name of a file's: lower case, with `-` for characters it cannot have.
fn name_of(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
    let letter = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' };
    stem.unwrap_or_default().chars().map(letter).collect()
}
