//! The dream's progress on the terminal.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use dream::{Observer, Progress};
use indicatif::{ProgressBar, ProgressStyle};

use crate::interrupt::Interrupt;

/// How much to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Say {
    /// A bar that is drawn anew at every step.
    Bar,
    /// A line after each octave, for logs.
    Lines,
    /// Nothing.
    Nothing,
}

/// Shows a dream's progress on standard error, and stops it when the user asks.
pub(crate) struct Watch<'a> {
    name: &'a str,
    interrupt: &'a Interrupt,
    say: Say,
    bar: ProgressBar,
}

impl<'a> Watch<'a> {
    /// A watch over the dream of what is called `name`.
    pub(crate) fn new(name: &'a str, interrupt: &'a Interrupt, quiet: bool) -> Self {
        let say = match std::io::stderr().is_terminal() {
            _ if quiet => Say::Nothing,
            true => Say::Bar,
            false => Say::Lines,
        };
        let bar = if say == Say::Bar { bar(name) } else { ProgressBar::hidden() };
        Self { name, interrupt, say, bar }
    }
}

/// A bar for the work on what is called `name`, with the time left; drawn on terminals only.
pub(crate) fn bar(name: &str) -> ProgressBar {
    let name = Path::new(name).file_name().map_or(name.into(), |name| name.to_string_lossy());
    let style = "{prefix}  {msg}  {wide_bar:.cyan/dim}  {eta} left";
    let style = ProgressStyle::with_template(style).expect("the template is right");
    let bar = ProgressBar::no_length().with_style(style).with_prefix(name.into_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

impl Observer for Watch<'_> {
    fn step(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        let Progress { octave, octaves, iteration, iterations, done, total, .. } = *progress;
        let octave = octave + 1;
        match self.say {
            Say::Bar => {
                self.bar.set_length(total);
                self.bar.set_position(done);
                let message = format!("octave {octave}/{octaves}  step {iteration}/{iterations}");
                self.bar.set_message(message);
            }
            Say::Lines if iteration == iterations => {
                eprintln!("{}: octave {octave} of {octaves} done", self.name);
            }
            _ => {}
        }
        if self.interrupt.asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
