//! What a user may want to know, although the work continues.

use std::fmt;
use std::path::PathBuf;

use dream::Tiling;
use graph::Size;
use media::{ImageFormat, readable_bytes};

use crate::Shard;

/// A remark on the work. It prints as a sentence that names no flag; a face may match on it and add how
/// the setting is spelled there.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// No network was named.
    DefaultNetwork {
        /// The one that is used.
        name: String,
    },
    /// The recipe was made by another version of the program.
    OtherVersion {
        /// Where the recipe came from.
        recipe: String,
        /// The version that made it.
        theirs: String,
        /// This one.
        ours: String,
    },
    /// The recipe was made with another network.
    OtherNetwork {
        /// Where the recipe came from.
        recipe: String,
        /// The network it was made with.
        network: String,
    },
    /// The smallest octaves are left out.
    FewerOctaves {
        /// What is dreamt on.
        name: String,
        /// How many are left out.
        dropped: u32,
    },
    /// A dream that does not fit in memory whole is dreamt in exact tiles.
    InTiles {
        /// What is dreamt on.
        name: String,
        /// How.
        tiling: Tiling,
    },
    /// A dream whose pictures do not fit in memory has them in scratch files.
    InScratch {
        /// What is dreamt on.
        name: String,
        /// Bytes of the files.
        bytes: u64,
        /// Their folder.
        folder: String,
    },
    /// A term of the objective has no gradient, and its share goes to the others.
    SilentTerm {
        /// The term, in short.
        term: String,
    },
    /// A part of a batch has nothing to do, because there are more parts than pictures.
    EmptyShard {
        /// The part.
        shard: Shard,
        /// How many pictures there are.
        pictures: usize,
    },
    /// Layers that need larger pictures are not shown.
    LeftOut {
        /// How many.
        layers: usize,
        /// The size of the pictures.
        size: Size,
    },
    /// Something that the recipe names is used by nothing.
    Unused {
        /// What it is, such as a region.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The file that is written has no place for the recipe.
    NoPlaceForRecipe {
        /// What is dreamt on.
        name: String,
    },
    /// The file that is written has no transparency.
    NoPlaceForAlpha {
        /// What is dreamt on.
        name: String,
        /// What is written.
        format: ImageFormat,
    },
    /// The file that is written has 8 bits per channel, and the picture has 16.
    NoPlaceForBits {
        /// What is dreamt on.
        name: String,
        /// What is written.
        format: ImageFormat,
    },
    /// The movie has no place for the sound.
    NoPlaceForSound {
        /// The movie.
        path: PathBuf,
    },
    /// Numbers are missing between two frames.
    Gap {
        /// The folder.
        folder: PathBuf,
        /// The frame before the gap.
        before: u64,
        /// The frame after it.
        after: u64,
    },
    /// Nothing says at which CPU level the frames of a folder were made.
    UnknownLevel {
        /// The folder.
        folder: PathBuf,
        /// The level of this run.
        level: String,
    },
    /// The layers have no gradient at a frame, which stays undreamt; at frames right after it as well, of
    /// which nothing more is said.
    NoGradient {
        /// The frame's number.
        frame: u64,
    },
    /// The output is a pipe, which takes nothing until it is read.
    WaitsForReader {
        /// The pipe.
        path: PathBuf,
    },
    /// An earlier run has done everything.
    CompleteAlready {
        /// The movie.
        path: PathBuf,
    },
    /// Something about a picture or a video, as the reader says it.
    Reading(String),
    /// A part of a video that cannot be read, as the reader says it: frames are lost.
    Damage(String),
}

impl Note {
    /// What the reader of the picture or video called `name` says about it.
    pub(crate) fn reading(name: &dyn fmt::Display, note: &str) -> Self {
        Note::Reading(format!("{name}: {note}"))
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::DefaultNetwork { name } => write!(f, "network: {name}"),
            Note::OtherVersion { recipe, theirs, ours } => write!(
                f,
                "{recipe}: made by version {theirs}; this is {ours}, so the dream may differ"
            ),
            Note::OtherNetwork { recipe, network } => {
                write!(f, "{recipe}: made with another network, `{network}`")
            }
            Note::FewerOctaves { name, dropped: 1 } => {
                write!(f, "{name}: left out 1 octave that is too small for the layers")
            }
            Note::FewerOctaves { name, dropped } => {
                write!(f, "{name}: left out {dropped} octaves that are too small for the layers")
            }
            Note::InTiles { name, tiling: Tiling { tile, columns, rows, cost } } => write!(
                f,
                "{name}: too large for the memory at once, so it is dreamt in {} exact tiles of {tile}, in which \
                 the network sees {cost:.2} times as many pixels",
                columns * rows
            ),
            Note::InScratch { name, bytes, folder } => write!(
                f,
                "{name}: its pictures do not fit in memory, so they lie in {} of scratch files in {folder}",
                readable_bytes(*bytes)
            ),
            Note::SilentTerm { term } => {
                write!(f, "{term} has no gradient here: its share goes to the others")
            }
            Note::EmptyShard { shard, pictures: 1 } => {
                write!(f, "part {shard} has no picture: there is only 1")
            }
            Note::EmptyShard { shard, pictures } => {
                write!(f, "part {shard} has no picture: there are only {pictures}")
            }
            Note::LeftOut { layers: 1, size } => {
                write!(f, "left out 1 layer that needs larger pictures than {size}")
            }
            Note::LeftOut { layers, size } => {
                write!(f, "left out {layers} layers that need larger pictures than {size}")
            }
            Note::Unused { what, name } => {
                write!(f, "the {what} `{name}` is used by no part of the objective")
            }
            Note::NoPlaceForRecipe { name } => {
                write!(f, "{name}: BMP files cannot carry the recipe")
            }
            Note::NoPlaceForAlpha { name, format } => {
                write!(
                    f,
                    "{name}: {format} files have no transparency: what shows through is white"
                )
            }
            Note::NoPlaceForBits { name, format } => {
                write!(f, "{name}: {format} files have 8 bits per channel; the picture has 16")
            }
            Note::NoPlaceForSound { path } => {
                write!(f, "{}: this kind of movie has no sound", path.display())
            }
            Note::Gap { folder, before, after } => {
                let folder = folder.display();
                write!(f, "{folder}: frame {before} is followed by frame {after}")
            }
            Note::UnknownLevel { folder, level } => write!(
                f,
                "{}: an older version made the frames and did not note the CPU level. If it was not {level}, the \
                 next frames differ in their last bits",
                folder.display()
            ),
            Note::NoGradient { frame } => {
                write!(f, "frame {frame}: left undreamt, because the layers have no gradient at it")
            }
            Note::WaitsForReader { path } => {
                write!(
                    f,
                    "{} is a pipe: it is written when another program reads it",
                    path.display()
                )
            }
            Note::CompleteAlready { path } => write!(f, "{} is complete already", path.display()),
            Note::Reading(text) | Note::Damage(text) => f.write_str(text),
        }
    }
}
