//! The progress of a video's dream on the terminal.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use dream::{Observer, Progress};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use super::board::Board;
use crate::interrupt::Interrupt;

/// Parts of a frame that the bar tells apart.
const PARTS: u64 = 1000;

/// How often a log gets a line.
const LINES: Duration = Duration::from_secs(10);

/// Shows how many frames there are, how fast they come and when the last one will.
pub(super) struct Watch<'a> {
    interrupt: &'a Interrupt,
    bar: ProgressBar,
    lines: bool,
    counts: Mutex<Counts>,
}

struct Counts {
    begun: Instant,
    said: Instant,
    made: u64,
    there: u64,
    frames: u64,
}

impl<'a> Watch<'a> {
    /// A watch over `frames` frames of which `missing` are to be made.
    pub(super) fn new(interrupt: &'a Interrupt, frames: u64, missing: u64, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if quiet || !terminal {
            ProgressBar::hidden()
        } else {
            let style = ProgressStyle::with_template("{msg}  {wide_bar:.cyan/dim}  {eta} left");
            let style = style.expect("the template is right");
            ProgressBar::new(missing * PARTS).with_style(style)
        };
        bar.enable_steady_tick(Duration::from_millis(200));
        let now = Instant::now();
        let there = frames - missing;
        let counts = Counts { begun: now, said: now, made: 0, there, frames };
        Self { interrupt, bar, lines: !quiet && !terminal, counts: Mutex::new(counts) }
    }

    /// An observer of the frames that one worker makes; `board` ends them when it is closed.
    pub(super) fn frame<'w>(&'w self, board: &'w Board) -> FrameWatch<'w, 'a> {
        FrameWatch { watch: self, board, parts: 0 }
    }

    fn done(&self) {
        let Ok(mut counts) = self.counts.lock() else { return };
        counts.made += 1;
        let (now, Counts { begun, made, there, frames, .. }) = (Instant::now(), &*counts);
        let (done, took) = (there + made, (now - *begun).as_secs_f64());
        let pace = *made as f64 / took.max(1e-9);
        let said = format!("frame {done} of {frames}, {pace:.2} a second");
        self.bar.set_message(said.clone());
        if self.lines && (now - counts.said >= LINES || done == *frames) {
            let left = HumanDuration(Duration::from_secs_f64((frames - done) as f64 / pace));
            eprintln!("{said}, {left} left");
            counts.said = now;
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Watches the steps of one worker's frames.
pub(super) struct FrameWatch<'w, 'a> {
    watch: &'w Watch<'a>,
    board: &'w Board,
    parts: u64,
}

impl FrameWatch<'_, '_> {
    /// The frame is written.
    pub(super) fn done(&mut self) {
        self.watch.bar.inc(PARTS - self.parts);
        self.parts = 0;
        self.watch.done();
    }

    /// Whether to stop.
    pub(super) fn over(&self) -> bool {
        self.watch.interrupt.asked() || self.board.closed()
    }
}

impl Observer for FrameWatch<'_, '_> {
    fn step(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        let parts = PARTS * progress.done / progress.total.max(1);
        self.watch.bar.inc(parts.saturating_sub(self.parts));
        self.parts = parts;
        if self.over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
