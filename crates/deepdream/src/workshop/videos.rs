//! Videos for the studio: looked at, shown by a frame, tried on a few.

use std::path::Path;

use dream::{Assets, Recipe};
use graph::{Shape, Size, Tensor};
use media::Image;
use media::video::{FrameDecoder, FrameIndex, VideoSource};
use studio::Clip;

use super::picture::jpeg;
use crate::picture::{Start, Studio};
use crate::progress::Run;
use crate::{Error, Fault, Result};

/// Endings that a video's file keeps.
const ENDINGS: [&str; 10] = ["mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "ts", "wmv", "gif"];

/// The most frames that are tried at once.
pub(super) const TRIED: usize = 4;

/// How far frames lie apart that are shown side by side, in pixels.
const GAP: usize = 4;

/// What a file is, if it is a video.
///
/// # Errors
/// It is none, or ffmpeg is not installed.
pub(super) fn look(file: &Path, name: &str, run: Run) -> Result<Clip> {
    let (_, frames) = frames(file, None, run)?;
    let whole = frames.segment(None, None)?;
    let named = name.rsplit('.').next().unwrap_or_default().to_lowercase();
    let extension = ENDINGS.into_iter().find(|ending| *ending == named);
    let seconds = (whole.end - whole.start).max(0.0);
    Ok(Clip {
        width: frames.size.width as u32,
        height: frames.size.height as u32,
        seconds,
        rate: whole.frames as f64 / seconds.max(1e-3),
        extension: extension.unwrap_or("video").to_owned(),
    })
}

/// The frames of a video, up to the first at a time or after it.
fn frames(file: &Path, until: Option<f64>, run: Run) -> Result<(VideoSource, FrameIndex)> {
    let mut source = VideoSource::open(file)?;
    let frames = FrameIndex::of(&source, until, &|_| !run.is_cancelled())?;
    source.changes = frames.changes;
    Ok((source, frames))
}

/// The first frame, or the first at a time in seconds or after it. What follows is not decoded.
///
/// # Errors
/// There is none.
fn frame(file: &Path, at: Option<f64>, run: Run) -> Result<Image> {
    let (source, frames) = frames(file, Some(at.unwrap_or(0.0)), run)?;
    let first = frames.segment(at, None)?.first;
    let mut decoder = FrameDecoder::start(&source, frames.size, first, first + 1)?;
    match decoder.next_frame()? {
        Some((_, frame)) => Ok(frame),
        None => {
            let what = format!("{}: the frame there cannot be read", file.display());
            Err(Error::new(Fault::Picture, what))
        }
    }
}

/// The first frame as a JPEG.
///
/// # Errors
/// A video that cannot be read.
pub(super) fn poster(file: &Path, longest: u32, run: Run) -> Result<Vec<u8>> {
    Ok(jpeg(frame(file, None, run)?.flatten().color(), longest, 88))
}

/// Frames at these times, each dreamt on as a picture by itself, side by side.
///
/// # Errors
/// No frame at one of them, what keeps one from being dreamt on, or that it was stopped.
pub(super) fn tried(
    file: &Path,
    at: &[f64],
    recipe: &Recipe,
    (studio, assets): (&Studio, &Assets),
) -> Result<Image> {
    let mut dreams = Vec::new();
    for (place, time) in at.iter().enumerate() {
        let studio = Studio { place: Some((place + 1, at.len())), ..*studio };
        let (name, start) =
            (format!("the frame at {time} s"), frame(file, Some(*time), studio.run)?);
        let mut plan = studio.plan(&name, start.size(), None, (recipe, assets))?;
        let start = Start::Image(start);
        studio.choose(&name, &start, &mut plan)?;
        dreams.push(studio.dream(&name, start, &plan)?.flatten());
    }
    let planes: Vec<&Tensor> = dreams.iter().map(Image::color).collect();
    Ok(Image::from_planes(side_by_side(&planes), None)?)
}

/// Pictures of one size beside each other, with black between them.
fn side_by_side(pictures: &[&Tensor]) -> Tensor {
    let Size { height, width } = pictures[0].shape.size();
    let all = pictures.len() * (width + GAP) - GAP;
    let mut sheet = Tensor::zeros(Shape::new(3, height, all));
    for (place, picture) in pictures.iter().enumerate() {
        let left = place * (width + GAP);
        let rows = picture.data.chunks_exact(width);
        for (from, to) in rows.zip(sheet.data.chunks_exact_mut(all)) {
            to[left..left + width].copy_from_slice(from);
        }
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_side_by_side() {
        let picture = |value: f32| {
            let mut picture = Tensor::zeros(Shape::new(3, 2, 3));
            picture.data.fill(value);
            picture
        };
        let sheet = side_by_side(&[&picture(1.0), &picture(2.0)]);
        assert_eq!(sheet.shape.size(), Size::new(2, 10));
        for row in sheet.data.chunks_exact(10) {
            assert_eq!(row, [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 2.0]);
        }
    }

    #[test]
    #[ignore = "needs ffmpeg; see CONTRIBUTING"]
    fn a_frame_is_decoded_without_what_follows() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clip.mp4");
        // Each frame is brighter than the one before.
        let grey = "color=black:size=64x48:rate=10:duration=3,geq=lum=16+7*N:cb=128:cr=128";
        let made = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-f", "lavfi", "-i", grey, "-c:v", "libx264", "-qp", "1"])
            .arg(&file)
            .status();
        assert!(made.unwrap().success());
        let never = crate::CancelToken::new();
        let run = Run::new(&(), &never);
        let frames = |until| frames(&file, until, run).unwrap().1.segment(None, None).unwrap();
        assert_eq!((frames(Some(0.5)).frames, frames(None).frames), (6, 30));
        let brightness = |at| frame(&file, at, run).unwrap().color().data[0];
        let (first, later) = (brightness(None), brightness(Some(2.05)));
        // 16–235 of the video are 0–255 here.
        let wanted = 21.0 * 7.0 * 255.0 / 219.0;
        assert!(first <= 1.0 && (later - wanted).abs() <= 2.0, "{first}, {later}");
        assert!(frame(&file, Some(3.5), run).is_err());
        assert_eq!(look(&file, "a.MP4", run).unwrap().seconds, 3.0);
    }
}
