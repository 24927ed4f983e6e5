//! What is on the desk: a picture, a recipe, and the dream of both. The server holds it and pages draw it, so
//! that a page that is loaded again, or a second one, shows the same.
//!
//! One counter orders all that happens. Each part of the state remembers at which count it last changed;
//! whoever listens is sent the present state of what has changed since, however slow they are.

mod behind;
mod cards;
mod recent;
mod start;
mod steering;
mod told;

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::fetch::Fetch;
use crate::gallery::Gallery;
use crate::queue::Queue;
use crate::variations::Variations;
use crate::workshop::{Change, Dream, Failure, Picture, Step, Workshop};

pub(crate) use start::Start;
pub(crate) use told::Part;

/// How many changes can be undone.
const UNDONE: usize = 200;

/// How many pictures with recipes wait for an answer.
const OFFERED: usize = 8;

/// The longest sides that can be asked for.
const SIDES: std::ops::RangeInclusive<u32> = 64..=65_535;

/// How far a dream is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// There is nothing to dream on.
    #[default]
    Empty,
    Dreaming,
    Paused,
    /// Ended before its end; what is there stays.
    Stopped,
    Done,
    /// It cannot be dreamt.
    Refused,
}

#[derive(Clone)]
struct Snapshot {
    start: Start,
    recipe: String,
    /// The longest side of its dream.
    longest: u32,
    /// The card that shows it, once there is one.
    node: Option<String>,
    /// The card that it came from by a change.
    from: Option<String>,
}

impl Snapshot {
    /// The card that a change of it comes from.
    fn origin(&self) -> Option<String> {
        self.node.clone().or_else(|| self.from.clone())
    }
}

/// A picture that can be fetched.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) number: u64,
    pub(crate) rev: u64,
    pub(crate) step: Step,
    pub(crate) whole: bool,
    pub(crate) picture: Arc<dyn Picture>,
    /// When its step was done.
    pub(crate) done: Instant,
}

pub(crate) struct Inner {
    count: u64,
    changed: [u64; Part::ALL.len()],
    /// Rises with every change of the picture or the recipe.
    rev: u64,
    now: Option<Snapshot>,
    view: Value,
    gesture: u64,
    /// The longest side that a dream has where nobody asks for another.
    stage: u32,
    /// Pictures that came in with a recipe, of which nobody has said yet what they are for.
    offered: VecDeque<(Start, String)>,
    undo: Vec<Snapshot>,
    redo: Vec<Snapshot>,
    /// What the last change was refused with.
    refused: Option<Failure>,
    phase: Phase,
    step: Step,
    octaves: Vec<f64>,
    begun: Instant,
    took: Duration,
    failure: Option<Failure>,
    frame: Option<Frame>,
    frames: u64,
    whole: Option<Arc<dyn Dream>>,
    recent: recent::Recent,
    /// When somebody last wanted to see how the dream is.
    watched: Option<Instant>,
    /// When the lane that steers was last at work.
    steered: Option<Instant>,
    /// Seconds that a pixel takes in a step.
    pace: Option<f64>,
    pub(crate) gallery: Gallery,
    pub(crate) fetch: Option<Fetch>,
    cards: cards::Cards,
    pub(crate) variations: Option<Variations>,
    /// Rises whenever variations begin.
    pub(crate) run: u64,
    pub(crate) over: bool,
}

/// The desk.
pub(crate) struct Desk {
    inner: Mutex<Inner>,
    /// Wakes who dreams.
    pub(crate) work: Condvar,
    /// Wakes who listens: the counter.
    pub(crate) told: watch::Sender<u64>,
    /// Wakes who listens, but not for steps: the counter when there was last more to tell.
    pub(crate) news: watch::Sender<u64>,
    pub(crate) workshop: Arc<dyn Workshop>,
    queue: Arc<Queue>,
}

impl Desk {
    pub(crate) fn new(workshop: Arc<dyn Workshop>, queue: Arc<Queue>, stage: u32) -> Self {
        let inner = Inner {
            count: 1,
            changed: [1; Part::ALL.len()],
            rev: 1,
            now: None,
            view: Value::Null,
            gesture: 0,
            stage,
            offered: VecDeque::new(),
            undo: Vec::new(),
            redo: Vec::new(),
            refused: None,
            phase: Phase::Empty,
            step: Step::default(),
            octaves: Vec::new(),
            begun: Instant::now(),
            took: Duration::ZERO,
            failure: None,
            frame: None,
            frames: 0,
            whole: None,
            recent: recent::Recent::default(),
            watched: None,
            steered: None,
            pace: None,
            gallery: Gallery::default(),
            fetch: None,
            cards: cards::Cards::default(),
            variations: None,
            run: 0,
            over: false,
        };
        let inner = Mutex::new(inner);
        let [told, news] = [1, 1].map(watch::Sender::new);
        Self { inner, work: Condvar::new(), told, news, workshop, queue }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that a part has changed, of which pages are told at once.
    pub(crate) fn tell(&self, inner: &mut Inner, part: Part) {
        self.tell_later(inner, part);
        self.news.send_replace(inner.count);
    }

    /// Says that a part has changed, but in nothing that cannot wait: pages are told a few times a second.
    pub(crate) fn tell_later(&self, inner: &mut Inner, part: Part) {
        inner.count += 1;
        inner.changed[part as usize] = inner.count;
        self.told.send_replace(inner.count);
    }

    /// The parts that have changed since `count`, and the count now.
    pub(crate) fn since(&self, count: u64) -> (u64, Vec<(Part, Value)>) {
        let inner = self.lock();
        let changed = |part: &Part| inner.changed[*part as usize] > count;
        let parts = Part::ALL.into_iter().filter(changed);
        let value = |part| match part {
            Part::Queue => self.queue.summary(),
            Part::Render => self.queue.running(),
            part => inner.part(part),
        };
        (inner.count, parts.map(|part| (part, value(part))).collect())
    }

    /// Puts another picture on the desk, with the recipe that is there or the usual one.
    pub(crate) fn put(&self, start: Start) -> Result<(), Failure> {
        let before = self.lock().now.clone();
        let recipe = match before.filter(|before| before.start.noise == start.noise) {
            Some(before) => before.recipe,
            None => {
                let noise = start.noise.then_some((start.width, start.height));
                self.workshop.begin(&self.workshop.usual_network(), noise)?
            }
        };
        self.change(start, recipe, 0);
        Ok(())
    }

    /// Puts a recipe on the desk in place of the one that is there.
    pub(crate) fn import(&self, text: &str) -> Result<(), Failure> {
        let now = self.lock().now.clone().ok_or_else(nothing)?;
        let recipe = self.workshop.import(text, &now.recipe)?;
        self.take(recipe);
        Ok(())
    }

    /// Puts a recipe that is right for what is on the desk in place of the one that is there.
    pub(crate) fn take(&self, recipe: String) {
        let Some(now) = self.lock().now.clone() else { return };
        self.change(now.start, recipe, 0);
    }

    /// Keeps a picture that came in with a recipe until somebody says what it is for.
    pub(crate) fn offer(&self, start: Start, recipe: String) {
        let mut inner = self.lock();
        inner.offered.retain(|(known, _)| known.id != start.id);
        inner.offered.push_back((start, recipe));
        let over = inner.offered.len().saturating_sub(OFFERED);
        inner.offered.drain(..over);
    }

    /// The picture of this name that came in with a recipe.
    pub(crate) fn offered(&self, id: &str) -> Option<(Start, String)> {
        self.lock().offered.iter().find(|(start, _)| start.id == id).cloned()
    }

    /// Dreams what is on the desk with another longest side; the figures stay where they are.
    pub(crate) fn resize(&self, longest: u32) -> Result<(), Failure> {
        if !SIDES.contains(&longest) {
            let what = format!("The longest side is {} to {} pixels.", SIDES.start(), SIDES.end());
            return Err(Failure::new("usage", what));
        }
        let mut inner = self.lock();
        let now = inner.now.clone().ok_or_else(nothing)?;
        if now.longest != longest {
            let to = Snapshot { longest, node: None, from: now.origin(), ..now };
            let view = inner.view.clone();
            self.step_to(&mut inner, to, view, 0);
        }
        Ok(())
    }

    /// Changes the recipe, if the desk is still at `rev`; returns what it is at then. Changes of one gesture
    /// are undone as one.
    pub(crate) fn edit(&self, rev: u64, gesture: u64, changes: &[Change]) -> Result<u64, Failure> {
        let (now, at) = {
            let inner = self.lock();
            (inner.now.clone(), inner.rev)
        };
        let now = now.ok_or_else(nothing)?;
        if rev != at {
            return Err(Failure::new("elsewhere", "Changed in another window."));
        }
        match self.workshop.edit(&now.recipe, changes) {
            Ok(recipe) => Ok(self.change(now.start, recipe, gesture)),
            Err(failure) => {
                let mut inner = self.lock();
                inner.refused = Some(failure.clone());
                self.tell(&mut inner, Part::Desk);
                Err(failure)
            }
        }
    }

    /// Shows a recipe's dream, as large as the one before if it is of the same picture.
    fn change(&self, start: Start, recipe: String, gesture: u64) -> u64 {
        let view = self.workshop.view(&recipe);
        let mut inner = self.lock();
        let now = inner.now.as_ref();
        let same_picture = now.filter(|now| now.start.id == start.id);
        let longest = same_picture.map_or(inner.stage, |now| now.longest);
        let from = now.and_then(Snapshot::origin);
        let to = Snapshot { start, recipe, longest, node: None, from };
        self.step_to(&mut inner, to, view, gesture);
        inner.rev
    }

    /// Shows something else, which can be undone.
    fn step_to(&self, inner: &mut Inner, to: Snapshot, view: Value, gesture: u64) {
        let same_gesture = gesture != 0 && gesture == inner.gesture;
        if let Some(before) = inner.now.clone().filter(|_| !same_gesture) {
            inner.undo.push(before);
            let over = inner.undo.len().saturating_sub(UNDONE);
            inner.undo.drain(..over);
        }
        inner.redo.clear();
        inner.gesture = gesture;
        self.show(inner, to, view);
    }

    /// Takes the last change back, or makes it again.
    pub(crate) fn undo(&self, again: bool) -> bool {
        let mut inner = self.lock();
        let from = if again { inner.redo.pop() } else { inner.undo.pop() };
        let (Some(to), Some(now)) = (from, inner.now.clone()) else { return false };
        if again {
            inner.undo.push(now)
        } else {
            inner.redo.push(now)
        }
        inner.gesture = 0;
        let view = self.workshop.view(&to.recipe);
        self.show(&mut inner, to, view);
        true
    }

    fn show(&self, inner: &mut Inner, to: Snapshot, view: Value) {
        let network = |view: &Value| view["network"].clone();
        let other_picture = inner.now.as_ref().is_none_or(|now| now.start.id != to.start.id);
        if other_picture || network(&inner.view) != network(&view) {
            inner.gallery.forget();
            self.tell(inner, Part::Gallery);
        }
        if other_picture {
            inner.frame = None;
        }
        if inner.variations.take().is_some() {
            self.tell(inner, Part::Variations);
        }
        inner.now = Some(to);
        inner.view = view;
        inner.refused = None;
        inner.failure = None;
        inner.rev += 1;
        inner.whole = None;
        inner.phase = Phase::Dreaming;
        inner.step = Step::default();
        inner.begun = Instant::now();
        inner.steered = Some(Instant::now());
        self.tell(inner, Part::Desk);
        self.tell(inner, Part::Dream);
        self.work.notify_all();
    }

    /// Pauses a dream that runs, or lets it go on; one that was stopped begins again.
    pub(crate) fn pause(&self, pause: bool) {
        let mut inner = self.lock();
        inner.phase = match (inner.phase, pause) {
            (Phase::Dreaming, true) => Phase::Paused,
            (Phase::Paused, false) => Phase::Dreaming,
            (Phase::Stopped | Phase::Refused, false) if inner.now.is_some() => {
                inner.rev += 1;
                self.tell(&mut inner, Part::Desk);
                Phase::Dreaming
            }
            (phase, _) => phase,
        };
        self.tell(&mut inner, Part::Dream);
        self.work.notify_all();
    }

    /// Ends a dream that runs; what is there stays.
    pub(crate) fn stop(&self) {
        let mut inner = self.lock();
        if matches!(inner.phase, Phase::Dreaming | Phase::Paused) {
            inner.phase = Phase::Stopped;
            self.tell(&mut inner, Part::Dream);
            self.work.notify_all();
        }
    }

    /// Whether everything is to end.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().over
    }

    /// Ends everything.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.over = true;
        let count = inner.count + 1;
        inner.count = count;
        drop(inner);
        self.told.send_replace(count);
        self.news.send_replace(count);
        self.work.notify_all();
    }

    /// The frame after the one that was seen, if it is there; asking keeps frames coming.
    pub(crate) fn frame(&self, after: u64) -> Option<Frame> {
        let mut inner = self.lock();
        inner.watched = Some(Instant::now());
        inner.frame.clone().filter(|frame| frame.number > after)
    }

    /// The dream that is whole, its start's name and its recipe's view.
    pub(crate) fn whole(&self) -> Option<(Arc<dyn Dream>, String, Value)> {
        let inner = self.lock();
        let name = inner.now.as_ref()?.start.name.clone();
        Some((inner.whole.clone()?, name, inner.view.clone()))
    }

    /// The start of the picture called `id`, if it is on the desk, now or after an undo.
    pub(crate) fn start(&self, id: &str) -> Option<Start> {
        let inner = self.lock();
        let all = inner.now.iter().chain(&inner.undo).chain(&inner.redo);
        let mut starts = all.map(|snapshot| &snapshot.start);
        starts.find(|start| start.id == id).cloned()
    }

    /// Whether the picture called `id` is on the desk, now or after an undo, or waits for an answer.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.start(id).is_some() || self.offered(id).is_some()
    }

    /// Gives a picture that is on the desk another name.
    pub(crate) fn rename(&self, id: &str, name: &str) {
        let mut inner = self.lock();
        let Inner { now, undo, redo, offered, .. } = &mut *inner;
        let shown = now.iter_mut().chain(undo).chain(redo).map(|snapshot| &mut snapshot.start);
        let all = shown.chain(offered.iter_mut().map(|(start, _)| start));
        all.filter(|start| start.id == id).for_each(|start| name.clone_into(&mut start.name));
        self.tell(&mut inner, Part::Desk);
    }

    /// What is on the desk now: the start and the recipe.
    pub(crate) fn now(&self) -> Option<(Start, String)> {
        self.lock().now.clone().map(|now| (now.start, now.recipe))
    }
}

impl Inner {
    /// The longest side of the dream on the desk.
    pub(crate) fn longest(&self) -> u32 {
        self.now.as_ref().map_or(self.stage, |now| now.longest)
    }

    /// The longest side, `least` or more, of a dream that is the beginning of the one on the desk: no figures are laid
    /// out at a larger one.
    pub(crate) fn beginning(&self, least: u32) -> u32 {
        let anchor = self.view["values"]["octaves.anchor"].as_str().unwrap_or_default();
        match anchor.parse::<u32>() {
            Ok(anchor) => self.longest().min(least.max(anchor)),
            Err(_) => self.longest(),
        }
    }

    pub(crate) fn is_steered(&self) -> bool {
        let lately = self.steered.is_some_and(|since| since.elapsed().as_millis() < 300);
        self.phase == Phase::Dreaming || lately
    }

    /// How many seconds the rest will take, going by what is done.
    fn left(&self) -> Option<f64> {
        let Step { done, total, .. } = self.step;
        let left = self.took.as_secs_f64() * total.saturating_sub(done) as f64 / done as f64;
        (self.phase == Phase::Dreaming && done > 0).then_some(left)
    }

    /// Shows a picture of a step and when that was done.
    fn push(
        &mut self,
        rev: u64,
        (step, done): (Step, Instant),
        whole: bool,
        picture: Arc<dyn Picture>,
    ) {
        self.frames += 1;
        self.frame = Some(Frame { number: self.frames, rev, step, whole, picture, done });
    }
}

pub(crate) fn nothing() -> Failure {
    Failure::new("empty", "There is no picture to dream on.").way_out("Drop a photo first.")
}
