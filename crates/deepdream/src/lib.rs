//! DeepDream for other programs: a dream in five lines, and jobs that any face can run.
//!
//! ```standalone_crate
//! # fn main() -> deepdream::Result<()> {
//! # let folder = tempfile::tempdir().unwrap();
//! # std::env::set_current_dir(&folder).unwrap();
//! # let size = deepdream::Size::new(48, 64);
//! # let grey: Vec<u8> = (0..3 * size.pixels()).map(|i| (i * 7 % 251) as u8).collect();
//! # deepdream::Image::from_rgb8(size, &grey)?.save("photo.jpg")?;
//! let network = deepdream::models::squeezenet()?;
//! let photo = deepdream::Image::open("photo.jpg")?;
//! let dream = deepdream::Dreamer::new(&network).layer("fire8/concat").seed(7).dream(&photo)?;
//! dream.save("dream.png")?;
//! # let again = deepdream::Dreamer::new(&network).recipe(dream.recipe().clone()).dream(&photo)?;
//! # assert_eq!(again.image(), dream.image());
//! # assert!(deepdream::media::recipe_of("dream.png".as_ref(), &Default::default()).is_ok());
//! # std::env::set_current_dir("/").unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! A [`Dreamer`] dreams in memory. The jobs read and write files as the program does, and go on where an
//! earlier run has stopped:
//!
//! | job | what it makes |
//! |---|---|
//! | [`StillJob`], [`BatchJob`] | a dream on each picture |
//! | [`FramesJob`] | ever more frames in a folder, each the last one moved and dreamt on again |
//! | [`ZoomJob`] | a movie that falls into a photo |
//! | [`VideoJob`] | a dreamt video, with its times and its sound |
//! | [`MovieJob`] | a movie of a folder of frames |
//! | [`GalleryJob`], [`ChannelsJob`] | what layers, channels and classes make of a photo, side by side |
//! | [`CheckJob`], [`Bench`] | whether this machine's kernels are right, and how fast they are |
//!
//! A job is plain owned data. It tells [`Events`] what it does, stops at the next step once its
//! [`CancelToken`] is cancelled, and ends with a [`Report`] or an [`Error`] that says whose fault it was
//! and what to do. Nothing here prints, installs a handler or ends the process, and several jobs may run
//! at once.
//!
//! ```no_run
//! use deepdream::{CancelToken, Event, ZoomJob};
//!
//! let mut job = ZoomJob::new("photo.jpg");
//! job.seconds = 5.0;
//! job.dream.recipe.set("zoom.motion.rotate", 10);
//! let cancel = CancelToken::new();
//! job.run(&|event| if let Event::Progress(progress) = event { println!("{progress:?}") }, &cancel)?;
//! # Ok::<(), deepdream::Error>(())
//! ```
//!
//! The same recipe, picture, build and CPU level give the same bytes, on any number of threads.
//!
//! # Features
//!
//! All but `studio` are on by default.
//!
//! - `models-download`: [`models::Store`] downloads networks of the catalogue. It brings in HTTP, TLS and
//!   zip archives.
//! - `models-squeezenet`: [`models::squeezenet()`] is built in, which adds 2.5 MB to a program.
//! - `video`: [`ZoomJob`], [`MovieJob`] and [`VideoJob`]. GIF and animated PNG are written here; videos and
//!   other movies need the installed ffmpeg.
//! - `h264`: MP4 is written here too. It compiles C++ code, and turns `video` on.
//! - `studio`: [`Workshop`], with which the crate `deepdream-studio` opens its page.

// Folders of frames and outputs have parts that only movies and videos need.
#![cfg_attr(not(feature = "video"), allow(dead_code, unused_imports))]

mod assets;
mod base;
mod bench;
mod cancel;
mod check;
mod convert;
mod dreamer;
mod error;
mod estimate;
mod event;
mod frames;
mod gallery;
mod inputs;
mod inspect;
mod jobs;
mod machine;
mod memory;
#[cfg(feature = "video")]
mod movie;
mod names;
mod network;
mod note;
mod output;
mod output_paths;
mod picture;
mod progress;
mod recipes;
mod request;
mod scratch;
mod shard;
mod sheet;
mod targets;
mod threads;
#[cfg(feature = "video")]
mod video;
#[cfg(feature = "studio")]
mod workshop;

pub use assets::GivenFiles;
pub use base::RecipeSource;
pub use bench::{Bench, BenchPart, BenchReport, SteeringCost, SteeringReport};
pub use cancel::CancelToken;
pub use check::{CheckJob, CheckReport, ComparedLayer};
pub use dreamer::{Dream, Dreamer, Unfinished};
pub use error::{Error, Fault, Hint, Knob, Result};
pub use event::{Content, Event, Events, Preview, Progress, Stage, Work, Wrote};
pub use frames::Frames;
pub use inputs::Input;
pub use inspect::{
    Class, LayerInfo, LayerResponse, ObjectiveResponse, classify, default_layers, evaluate, layers,
    respond,
};
pub use jobs::{
    BatchJob, ChannelsJob, Cost, Foreseen, FramesJob, GalleryJob, Length, Outcome, RankedChannel,
    Ranking, Report, SeriesCost, Source, StillJob,
};
#[cfg(feature = "video")]
pub use jobs::{MovieJob, VideoJob, ZoomJob};
pub use machine::Limits;
pub use memory::free_memory;
#[cfg(feature = "video")]
pub use movie::{Encoding, Playback};
pub use names::{NetworkNames, QUICK};
pub use network::NetworkChoice;
pub use note::Note;
pub use output::Output;
pub use recipes::{PresetInfo, presets, recipe, write_recipe};
pub use request::{DreamRequest, Edit, RecipeRequest, TermText};
pub use shard::Shard;
pub use targets::unsupported_part;
#[cfg(feature = "studio")]
pub use workshop::Workshop;

pub use dream::{
    Balance, Change, Channels, Checkpoint, ClassId, Follow, Guide, Keyframe, Kind, Measure,
    MotionPreset, Pick, Preset, Recipe, RecipeError, Region, Rhythm, Setting, Term, TermError,
    Tiling, Vector,
};
pub use graph::{Network, Size, Tensor};
pub use media::{self, Image, readable_bytes};
pub use models;
