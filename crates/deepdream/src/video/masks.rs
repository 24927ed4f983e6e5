//! Masks that are another one for each frame of a video: a folder of pictures, in the order of their numbers, or
//! another video.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use dream::{Region, Tensor};
use graph::Size;
use media::Image;
use media::video::FrameDecoder;

use super::probe::ProbedVideo;
use crate::frames::Frames;
use crate::memory::free_memory;
use crate::progress::Run;
use crate::{Error, Fault, Result, picture};

/// The masks of regions, by name.
#[derive(Default)]
pub(crate) struct MovingMasks(BTreeMap<String, MovingMask>);

/// A mask for each frame.
struct MovingMask {
    region: Region,
    path: PathBuf,
    frames: MaskFrames,
}

enum MaskFrames {
    Folder(Vec<PathBuf>),
    Video(Box<ProbedVideo>),
}

impl MovingMasks {
    /// Adds those in a folder or a video; returns the size of the first.
    ///
    /// # Errors
    /// Pictures or a video that cannot be read.
    pub(crate) fn add(
        &mut self,
        name: &str,
        region: &Region,
        path: &Path,
        run: Run,
    ) -> Result<Size> {
        let (frames, size) = if path.is_dir() {
            let paths: Vec<PathBuf> =
                Frames::find(path)?.iter().map(|(_, path)| path.to_owned()).collect();
            let Some(first) = paths.first() else {
                let what = format!("there are no pictures in {}", path.display());
                return Err(Error::new(Fault::Picture, what).at(path));
            };
            let size = picture::size_of(first, free_memory())?;
            (MaskFrames::Folder(paths), size)
        } else {
            let video = ProbedVideo::open(path, None, None, run)?;
            let size = video.size;
            (MaskFrames::Video(Box::new(video)), size)
        };
        let mask = MovingMask { region: region.clone(), path: path.to_owned(), frames };
        self.0.insert(name.to_owned(), mask);
        Ok(size)
    }

    /// Whether there is one for each of a video's `frames`.
    ///
    /// # Errors
    /// More or fewer.
    pub(crate) fn check(&self, frames: u64) -> Result<()> {
        for (name, MovingMask { path, frames: masks, .. }) in &self.0 {
            let (count, what) = match masks {
                MaskFrames::Folder(paths) => (paths.len() as u64, "pictures"),
                MaskFrames::Video(video) => (video.cut.frames, "frames"),
            };
            if count != frames {
                let what = format!(
                    "the mask of the region `{name}`, {}, has {count} {what}, but the video has \
                     {frames} frames",
                    path.display()
                );
                return Err(Error::new(Fault::Picture, what).at(path).hint(
                    "Give one mask for each frame that is dreamt on, or one picture for all.",
                ));
            }
        }
        Ok(())
    }

    /// Those of the frames of these numbers, counted from the first that is dreamt on.
    ///
    /// # Errors
    /// ffmpeg cannot be started.
    pub(crate) fn read(&self, frames: Range<u64>) -> Result<MaskReader<'_>> {
        let source = |mask: &MovingMask| match &mask.frames {
            MaskFrames::Folder(_) => Ok(None),
            MaskFrames::Video(video) => {
                FrameDecoder::start(&video.source, video.size, frames.start, frames.end).map(Some)
            }
        };
        let masks = self.0.iter().map(|(name, mask)| Ok((name.as_str(), mask, source(mask)?)));
        Ok(MaskReader { next: frames.start, masks: masks.collect::<Result<_>>()? })
    }
}

/// Reads the masks of one frame after the other.
pub(crate) struct MaskReader<'a> {
    next: u64,
    masks: Vec<(&'a str, &'a MovingMask, Option<FrameDecoder>)>,
}

impl MaskReader<'_> {
    /// The masks of the next frame, by their regions' names.
    ///
    /// # Errors
    /// A picture or a frame that cannot be read.
    pub(crate) fn next(&mut self) -> Result<BTreeMap<String, Tensor>> {
        let number = self.next;
        self.next += 1;
        let mut maps = BTreeMap::new();
        for (name, mask, decoder) in &mut self.masks {
            let missing = || {
                let what = format!("{}: its frame {number} cannot be read", mask.path.display());
                Error::new(Fault::Picture, what).at(&mask.path)
            };
            let image: Image = match (&mask.frames, decoder) {
                (MaskFrames::Folder(paths), _) => {
                    let path = paths.get(number as usize).ok_or_else(missing)?;
                    picture::read(path, free_memory())?
                }
                (_, Some(decoder)) => decoder.next_frame()?.ok_or_else(missing)?.1,
                (_, None) => return Err(missing()),
            };
            let map = mask.region.map(image.color(), image.alpha())?;
            maps.insert((*name).to_owned(), map);
        }
        Ok(maps)
    }
}
