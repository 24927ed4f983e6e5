//! The progress of a run of frames on the terminal.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::time::Duration;

use dream::{Observer, Progress};
use indicatif::{ProgressBar, ProgressStyle};

use crate::interrupt::Interrupt;

/// Parts of a frame that the bar tells apart.
const PARTS: u64 = 1000;

/// Shows which frame is being made and when the last one will be, and stops when the user asks.
pub(super) struct FrameWatch<'a> {
    interrupt: &'a Interrupt,
    bar: ProgressBar,
    lines: bool,
    made: u64,
    number: u64,
}

impl<'a> FrameWatch<'a> {
    /// A watch over `frames` frames, or over frames without end.
    pub(super) fn new(interrupt: &'a Interrupt, frames: Option<u64>, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = match frames {
            _ if quiet || !terminal => ProgressBar::hidden(),
            Some(frames) => {
                let bar = ProgressBar::new(frames.saturating_mul(PARTS));
                bar.with_style(style("frame {msg}  {wide_bar:.cyan/dim}  {eta} left"))
            }
            None => ProgressBar::no_length()
                .with_style(style("frame {msg}  {elapsed} so far, Ctrl-C ends")),
        };
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { interrupt, bar, lines: !quiet && !terminal, made: 0, number: 0 }
    }

    /// Frame `number` begins.
    pub(super) fn begin(&mut self, number: u64) {
        self.number = number;
        self.bar.set_message(number.to_string());
    }

    /// The frame is written.
    pub(super) fn done(&mut self) {
        self.made += 1;
        self.bar.set_position(self.made * PARTS);
        if self.lines {
            eprintln!("frame {} done", self.number);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is right")
}

impl Observer for FrameWatch<'_> {
    fn step(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        let part = PARTS * progress.done / progress.total.max(1);
        self.bar.set_position(self.made * PARTS + part);
        if self.interrupt.asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Drop for FrameWatch<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
