//! From a dream's steps to events: what is done, how long the rest will take, what it looks like; and
//! stopping once the work is cancelled.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dream::{Observer, Plan, Term};

use crate::estimate::Estimate;
use crate::{
    CancelToken, Content, Event, Events, Image, Note, Preview, Progress, Stage, Work, Wrote,
};

/// The units of work that make a frame: frames cost about the same each.
const UNITS: u64 = 1000;

/// Whom a running job talks to.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    events: &'a dyn Events,
    cancel: &'a CancelToken,
}

impl<'a> Run<'a> {
    pub(crate) fn new(events: &'a dyn Events, cancel: &'a CancelToken) -> Self {
        Self { events, cancel }
    }

    pub(crate) fn event(&self, event: Event) {
        self.events.event(event);
    }

    pub(crate) fn started(&self, work: Work) {
        self.event(Event::Started(work));
    }

    pub(crate) fn note(&self, note: Note) {
        self.event(Event::Note(note));
    }

    pub(crate) fn wrote(&self, path: &Path, content: Content) {
        self.event(Event::Wrote(Wrote { path: path.to_owned(), content }));
    }

    pub(crate) fn cancel_token(&self) -> &'a CancelToken {
        self.cancel
    }

    /// Whether the job is to stop.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }
}

/// Times a piece of work and foresees its end.
pub(crate) struct Clock {
    begun: Instant,
    total: Option<u64>,
    estimate: Mutex<Estimate>,
}

impl Clock {
    /// A clock that starts now, for `total` units of work or work without an end.
    pub(crate) fn new(total: Option<u64>) -> Self {
        Self { begun: Instant::now(), total, estimate: Mutex::default() }
    }

    /// Where the work stands once `done` units are done.
    pub(crate) fn progress(&self, stage: Stage, done: u64) -> Progress {
        let (elapsed, total) = (self.begun.elapsed(), self.total);
        let left = total.and_then(|total| lock(&self.estimate).left(done, total, elapsed));
        Progress { stage, done, total, elapsed, left }
    }
}

/// When the next preview is due.
struct Previews {
    every: Option<Duration>,
    last: Mutex<Instant>,
}

impl Previews {
    fn new(every: Option<Duration>) -> Self {
        Self { every, last: Mutex::new(Instant::now()) }
    }

    /// Tells what the dream looks like, if it is time.
    fn show(&self, run: Run, frame: Option<u64>, progress: &dream::Progress<'_>) {
        // Of pictures that are dreamt together, the first stands for all.
        let Some(every) = self.every.filter(|_| progress.number == 0) else { return };
        let mut last = lock(&self.last);
        if last.elapsed() < every {
            return;
        }
        *last = Instant::now();
        drop(last);
        let Ok(image) = Image::from_planes(progress.picture.clone(), None) else { return };
        let (octave, step) = (progress.octave + 1, progress.iteration);
        run.event(Event::Preview(Preview { image, frame, octave, step }));
    }
}

/// Notes terms that have no gradient, each once.
#[derive(Default)]
struct SilentTerms(Mutex<Vec<String>>);

impl SilentTerms {
    fn note(&self, run: Run, term: &Term) {
        let (term, mut noted) = (term.to_string(), lock(&self.0));
        if !noted.contains(&term) {
            noted.push(term.clone());
            run.note(Note::SilentTerm { term });
        }
    }
}

/// Observes the dream on one picture.
pub(crate) struct PictureObserver<'a> {
    run: Run<'a>,
    clock: Clock,
    previews: Previews,
    silent: SilentTerms,
}

impl<'a> PictureObserver<'a> {
    /// An observer of a dream that `plan` lays out and that begins now; it shows the picture at most once
    /// `every` so often.
    pub(crate) fn new(run: Run<'a>, plan: &Plan, every: Option<Duration>) -> Self {
        let pixels: u64 = plan.octaves().iter().map(|size| size.pixels()).sum();
        let total = pixels * u64::from(plan.iterations()) * u64::from(plan.recipe().pictures);
        let (clock, previews) = (Clock::new(Some(total)), Previews::new(every));
        Self { run, clock, previews, silent: SilentTerms::default() }
    }
}

impl Observer for PictureObserver<'_> {
    fn step(&mut self, progress: &dream::Progress<'_>) -> ControlFlow<()> {
        let dream::Progress { octave, octaves, iteration, iterations, done, .. } = *progress;
        let stage = Stage::Step { octave: octave + 1, octaves, step: iteration, steps: iterations };
        self.run.event(Event::Progress(self.clock.progress(stage, done)));
        self.previews.show(self.run, None, progress);
        or_break(self.run.is_cancelled())
    }

    fn silent(&mut self, term: &Term) {
        self.silent.note(self.run, term);
    }
}

/// Counts the frames that one worker or several make, and their parts.
pub(crate) struct FramesProgress<'a> {
    run: Run<'a>,
    clock: Clock,
    previews: Previews,
    frames: Option<u64>,
    counts: Mutex<Counts>,
    silent: SilentTerms,
}

struct Counts {
    /// Frames that are there.
    present: u64,
    /// Units of work that are done.
    done: u64,
}

impl<'a> FramesProgress<'a> {
    /// Progress towards `frames` frames, or without an end, `present` of which are there already.
    pub(crate) fn new(
        run: Run<'a>,
        every: Option<Duration>,
        frames: Option<u64>,
        present: u64,
    ) -> Self {
        let total = frames.map(|frames| frames.saturating_sub(present).saturating_mul(UNITS));
        Self {
            run,
            clock: Clock::new(total),
            previews: Previews::new(every),
            frames,
            counts: Mutex::new(Counts { present, done: 0 }),
            silent: SilentTerms::default(),
        }
    }

    /// An observer of the frames that one worker makes; it ends them once `over` says so.
    pub(crate) fn worker<'w>(&'w self, over: &'w (dyn Fn() -> bool + Sync)) -> FrameObserver<'w, 'a>
    where
        'a: 'w,
    {
        FrameObserver { progress: self, over, number: 0, units: 0, undreamt: None }
    }

    /// Tells that `number` is `units` further, and whether it is done with that.
    fn add(&self, number: u64, units: u64, done: bool) {
        let mut counts = lock(&self.counts);
        counts.done += units;
        counts.present += u64::from(done);
        let stage = Stage::Frame { number, present: counts.present, frames: self.frames };
        // Told under the lock: progress never goes back.
        self.run.event(Event::Progress(self.clock.progress(stage, counts.done)));
    }
}

/// Observes the frames of one worker.
pub(crate) struct FrameObserver<'w, 'a> {
    progress: &'w FramesProgress<'a>,
    over: &'w (dyn Fn() -> bool + Sync),
    number: u64,
    /// How much of the frame has been told.
    units: u64,
    /// The last frame at which there was no gradient.
    undreamt: Option<u64>,
}

impl FrameObserver<'_, '_> {
    /// The worker begins frame `number`.
    pub(crate) fn begin(&mut self, number: u64) {
        (self.number, self.units) = (number, 0);
    }

    /// The frame is written at `path`.
    pub(crate) fn done(&mut self, path: &Path) {
        let FramesProgress { run, .. } = self.progress;
        self.progress.add(self.number, UNITS - self.units, true);
        run.wrote(path, Content::Frame { number: self.number });
        self.units = 0;
    }
}

impl Observer for FrameObserver<'_, '_> {
    fn step(&mut self, progress: &dream::Progress<'_>) -> ControlFlow<()> {
        let units = UNITS * progress.done / progress.total.max(1);
        self.progress.add(self.number, units.saturating_sub(self.units), false);
        self.units = units.max(self.units);
        self.progress.previews.show(self.progress.run, Some(self.number), progress);
        or_break((self.over)())
    }

    fn silent(&mut self, term: &Term) {
        self.progress.silent.note(self.progress.run, term);
    }

    fn no_gradient(&mut self) {
        let before = self.undreamt.replace(self.number);
        if before.is_none_or(|before| before + 1 != self.number) {
            self.progress.run.note(Note::NoGradient { frame: self.number });
        }
    }
}

fn or_break(over: bool) -> ControlFlow<()> {
    if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
