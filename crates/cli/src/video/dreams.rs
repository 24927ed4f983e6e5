//! Decoding, dreaming and writing frames, all at once: one thread decodes, as many as there are clips
//! dream, each writes what it has dreamt.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use dream::{DreamError, Tensor, VideoDreamer};
use media::video::FrameDecoder;

use super::board::Board;
use super::folder::Folder;
use super::record::Record;
use super::run::Seen;
use super::watch::Watch;
use crate::commands::image::unplanned;
use crate::exit::{Failure, Fault};

/// What everybody who makes frames needs.
pub(super) struct Dreams<'a> {
    pub(super) seen: &'a Seen,
    pub(super) record: &'a Record,
    pub(super) folder: &'a Folder,
    pub(super) board: &'a Board,
    pub(super) watch: Watch<'a>,
}

type Decoded = Result<(u64, Tensor), Failure>;

impl Dreams<'_> {
    /// Makes the frames of these numbers, counted from the part's first. Where they depend on each
    /// other, there is one clip, which stands before the first of them.
    ///
    /// # Errors
    /// Whatever keeps a frame from being decoded, made or written.
    pub(super) fn make(
        &self,
        clips: Vec<VideoDreamer>,
        missing: &BTreeSet<u64>,
    ) -> Result<(), Failure> {
        let (Some(from), Some(to)) = (missing.first(), missing.last()) else { return Ok(()) };
        let Seen { source, size, cut, .. } = self.seen;
        let (from, to) = (cut.first + from, cut.first + to);
        let mut decoder = FrameDecoder::start(source, *size, from, to + 1)?;
        let (sender, receiver) = sync_channel::<Decoded>(clips.len());
        // Gone with the last worker, so that the decoder does not wait for ever.
        let receiver = Arc::new(Mutex::new(receiver));
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while let Some(frame) = decoder.next_frame().transpose() {
                    let frame = frame
                        .map(|(place, frame)| (place - cut.first, frame.into_color()))
                        .map_err(Failure::from);
                    let failed = frame.is_err();
                    if frame.as_ref().is_ok_and(|(number, _)| !missing.contains(number)) {
                        continue;
                    }
                    if sender.send(frame).is_err() || failed {
                        return;
                    }
                }
            });
            let work = |clip: VideoDreamer, receiver: Arc<Mutex<Receiver<Decoded>>>| {
                let done = self.work(clip, &receiver);
                if done.is_err() {
                    self.board.close();
                }
                done
            };
            let workers: Vec<_> = clips
                .into_iter()
                .map(|clip| {
                    let receiver = Arc::clone(&receiver);
                    scope.spawn(move || work(clip, receiver))
                })
                .collect();
            drop(receiver);
            let ends: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
            // What stopped one stops the others, who have less to say about it.
            let mut failures = ends.into_iter().filter_map(|end| match end {
                Ok(end) => end.err(),
                Err(panic) => std::panic::resume_unwind(panic),
            });
            let first = failures.next();
            let worse = failures.find(|failure| failure.fault() != Fault::Interrupted);
            match (first, worse) {
                (Some(first), Some(worse)) if first.fault() == Fault::Interrupted => Err(worse),
                (Some(first), _) => Err(first),
                (None, _) => Ok(()),
            }
        })
    }

    fn work(
        &self,
        mut clip: VideoDreamer,
        receiver: &Mutex<Receiver<Decoded>>,
    ) -> Result<(), Failure> {
        let mut watch = self.watch.frame(self.board);
        loop {
            if watch.over() {
                return Err(self.stopped());
            }
            let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(next) = next else { return Ok(()) };
            let (number, frame) = next?;
            let dream = clip.frame(frame, &mut watch).map_err(|error| match error {
                DreamError::Stopped => self.stopped(),
                DreamError::Plan(error) => {
                    unplanned(&self.seen.source.path.display().to_string(), error)
                }
            })?;
            if let Some(carried) = clip.state() {
                self.folder.save(number, carried, self.record)?;
            }
            self.folder.write(number, &dream, self.record)?;
            self.board.done(number);
            watch.done();
        }
    }

    fn stopped(&self) -> Failure {
        let what =
            format!("stopped: the frames that are done are in {}", self.folder.path().display());
        Failure::new(Fault::Interrupted, what).or("the same command goes on from there")
    }
}
