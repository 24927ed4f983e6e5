//! Decoding, dreaming and writing frames, all at once: one thread decodes, as many as there are
//! dreamers dream, each writes what it has dreamt.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use dream::{Assets, Machine, Recipe, Tensor, VideoDreamer};
use graph::Network;
use media::video::FrameDecoder;

use super::folder::VideoFolder;
use super::masks::MovingMasks;
use super::probe::ProbedVideo;
use super::queue::FrameQueue;
use super::record::Record;
use crate::convert::{allowing, undreamt, unplanned};
use crate::machine::with_threads;
use crate::memory::{megabytes, of_process};
use crate::progress::{FramesProgress, Run};
use crate::threads::spawn;
use crate::{Error, Fault, Knob, Result};

/// What all who make frames need.
pub(crate) struct Workers<'a> {
    pub(crate) video: &'a ProbedVideo,
    pub(crate) record: &'a Record,
    pub(crate) folder: &'a VideoFolder,
    pub(crate) queue: &'a FrameQueue,
    pub(crate) masks: &'a MovingMasks,
    pub(crate) progress: FramesProgress<'a>,
    pub(crate) run: Run<'a>,
}

/// A frame with its number and the masks that are its own.
type Decoded = Result<(u64, Tensor, BTreeMap<String, Tensor>)>;

impl Workers<'_> {
    /// Makes the frames of these numbers, counted from the part's first. Where they depend on each
    /// other, there is one dreamer, which stands before the first of them.
    ///
    /// # Errors
    /// Whatever keeps a frame from being decoded, made or written.
    pub(crate) fn make(&self, dreamers: Vec<VideoDreamer>, missing: &BTreeSet<u64>) -> Result<()> {
        let (Some(from), Some(to)) = (missing.first(), missing.last()) else { return Ok(()) };
        let ProbedVideo { source, size, cut, .. } = self.video;
        let mut masks = self.masks.read(*from..to + 1)?;
        let (from, to) = (cut.first + from, cut.first + to);
        let mut decoder = FrameDecoder::start(source, *size, from, to + 1)?;
        let (sender, receiver) = sync_channel::<Decoded>(dreamers.len());
        // Gone with the last worker, so that the decoder does not wait for ever.
        let receiver = Arc::new(Mutex::new(receiver));
        std::thread::scope(|scope| {
            spawn(scope, move || {
                while let Some(frame) = decoder.next_frame().transpose() {
                    let frame = frame.map_err(Error::from).and_then(|(place, frame)| {
                        Ok((place - cut.first, frame.into_color(), masks.next()?))
                    });
                    let failed = frame.is_err();
                    if frame.as_ref().is_ok_and(|(number, ..)| !missing.contains(number)) {
                        continue;
                    }
                    if sender.send(frame).is_err() || failed {
                        return;
                    }
                }
            })?;
            let work = |dreamer: VideoDreamer, receiver: Arc<Mutex<Receiver<Decoded>>>| {
                let done = self.work(dreamer, &receiver);
                if done.is_err() {
                    self.queue.close();
                }
                done
            };
            let workers = dreamers.into_iter().map(|dreamer| {
                let receiver = Arc::clone(&receiver);
                spawn(scope, move || work(dreamer, receiver))
            });
            let workers: Vec<_> =
                workers.collect::<Result<_>>().inspect_err(|_| self.queue.close())?;
            drop(receiver);
            let ends: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
            // What stopped one stops the others, who have less to say about it.
            let mut errors = ends.into_iter().filter_map(|end| match end {
                Ok(end) => end.err(),
                Err(panic) => std::panic::resume_unwind(panic),
            });
            let first = errors.next();
            let worse = errors.find(|error| error.fault() != Fault::Cancelled);
            match (first, worse) {
                (Some(first), Some(worse)) if first.fault() == Fault::Cancelled => Err(worse),
                (Some(first), _) => Err(first),
                (None, _) => Ok(()),
            }
        })
    }

    fn work(&self, mut dreamer: VideoDreamer, receiver: &Mutex<Receiver<Decoded>>) -> Result<()> {
        let over = || self.run.is_cancelled() || self.queue.is_closed();
        let mut observer = self.progress.worker(&over);
        loop {
            if over() {
                return Err(self.stopped());
            }
            let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(next) = next else { return Ok(()) };
            let (number, frame, masks) = next?;
            observer.begin(number);
            let name = || format!("{}: frame {number}", self.video.name());
            dreamer.set_masks(&masks).map_err(|error| unplanned(&name(), error))?;
            let dream = dreamer
                .frame(frame, &mut observer)
                .map_err(|error| undreamt(&name(), error, || self.stopped()))?;
            if let Some(carried) = dreamer.state() {
                self.folder.save(number, carried, self.record)?;
            }
            let path = self.folder.write(number, &dream, self.record)?;
            self.queue.add(number);
            observer.done(&path);
        }
    }

    fn stopped(&self) -> Error {
        let folder = self.folder.path();
        Error::cancelled(format!("stopped: the frames that are done are in {}", folder.display()))
            .at(folder)
            .hint("Run the same again to continue from there.")
    }
}

/// Bytes of the pictures that a video's frames are in while they are decoded, and written as a movie.
fn passing(video: &ProbedVideo) -> u64 {
    3 * 3 * 4 * video.size.pixels()
}

/// Bytes that a dreamer takes: the dream and beside it the frame, the one that waits, the dream's own copies
/// and its file.
fn each(dreamer: &VideoDreamer, video: &ProbedVideo) -> u64 {
    dreamer.plan().memory().saturating_add(6 * 3 * 4 * video.size.pixels()).max(1)
}

/// Bytes that so many dreamers take, and all that is around them.
pub(crate) fn memory_of(dreamer: &VideoDreamer, video: &ProbedVideo, count: usize) -> u64 {
    each(dreamer, video).saturating_mul(count as u64).saturating_add(passing(video))
}

/// How many dreamers make frames that do not depend on each other: one for each processor, as far as there is
/// memory for them.
pub(crate) fn side_by_side(
    one: &VideoDreamer,
    video: &ProbedVideo,
    machine: &Machine,
    frames: usize,
) -> usize {
    let free = machine.memory.saturating_sub(passing(video));
    let fits = usize::try_from(free / each(one, video)).unwrap_or(usize::MAX);
    machine.context.threads().count().min(fits).min(frames).max(1)
}

/// How many seconds each of a video's first frames takes to be dreamt on, of so many.
///
/// # Errors
/// A frame that cannot be read or dreamt on, or a cancelled token.
pub(crate) fn time_frames(
    video: &ProbedVideo,
    dreamer: &mut VideoDreamer,
    masks: &MovingMasks,
    count: u64,
    run: Run,
) -> Result<Vec<f64>> {
    let (first, count) = (video.cut.first, count.min(video.cut.frames));
    let mut decoder = FrameDecoder::start(&video.source, video.size, first, first + count)?;
    let mut masks = masks.read(0..count)?;
    let mut observer = |_: &dream::Progress<'_>| match run.is_cancelled() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let mut times = Vec::new();
    while let Some((_, frame)) = decoder.next_frame()? {
        let (masks, begun) = (masks.next()?, Instant::now());
        dreamer.set_masks(&masks).map_err(|error| unplanned(&video.name(), error))?;
        let stopped = || Error::cancelled("stopped: nothing was made");
        dreamer
            .frame(frame.into_color(), &mut observer)
            .map_err(|error| undreamt(&video.name(), error, stopped))?;
        times.push(begun.elapsed().as_secs_f64());
    }
    Ok(times)
}

/// Whether there is memory for one dreamer and all that is around it.
///
/// # Errors
/// If there is not.
pub(crate) fn check_memory(
    dreamer: &VideoDreamer,
    video: &ProbedVideo,
    machine: &Machine,
) -> Result<()> {
    let need = memory_of(dreamer, video, 1);
    if need <= machine.memory {
        return Ok(());
    }
    let whole = |bytes: u64| megabytes(of_process(bytes, machine.memory));
    let what = format!(
        "{}: dreaming on frames of {} takes {} of memory, but only {} may be used",
        video.name(),
        dreamer.size(),
        whole(need),
        whole(machine.memory)
    );
    let error = Error::new(Fault::Memory, what);
    Err(allowing(error.turn(Knob::Field("size"), "Use fewer pixels for the longest side.")))
}

/// One dreamer for each processor, as far as there is memory for them, in the place of `one`: frames
/// that do not depend on each other are made side by side faster than one after the other by all
/// processors.
pub(crate) fn dreamers(
    one: VideoDreamer,
    (recipe, network, machine): ((&Recipe, &Assets), &Network, &Machine),
    video: &ProbedVideo,
    frames: usize,
) -> Result<Vec<VideoDreamer>> {
    let count = side_by_side(&one, video, machine, frames);
    let all = machine.context.threads().count();
    if count == 1 {
        return Ok(vec![one]);
    }
    let dreamer = |index: usize| {
        let share = all / count + usize::from(index < all % count);
        let machine = with_threads(machine, share)?;
        video.dreamer(recipe, network, &machine)
    };
    (0..count).map(dreamer).collect()
}
