//! The line that shows how far a job is: what is being done, a bar, and the time left, in one line of the
//! terminal however narrow that is.

use std::time::Duration;

use console::{Term, measure_text_width, truncate_str};
use indicatif::{ProgressBar, ProgressStyle};

/// The least columns for which a bar is worth showing.
const BAR: usize = 10;

/// A line that is replaced as the work goes on, or none.
pub(crate) struct ProgressLine(ProgressBar);

impl Default for ProgressLine {
    fn default() -> Self {
        Self(ProgressBar::hidden())
    }
}

impl ProgressLine {
    /// Begins a line for the next piece of work.
    pub(crate) fn start(&mut self) {
        self.clear();
        self.0 = ProgressBar::no_length().with_style(style("{prefix}"));
        self.0.enable_steady_tick(Duration::from_millis(200));
    }

    /// Shows as many of the texts as there is room for, the last of them before the first, and the time;
    /// between them a bar of `done` in `total`, if there is room for that too.
    pub(crate) fn show(&self, texts: Vec<String>, time: String, done: u64, total: Option<u64>) {
        if self.0.is_hidden() {
            return;
        }
        let (what, bar) = fit(&texts, &time, usize::from(Term::stderr().size().1), total.is_some());
        if let Some(total) = total {
            self.0.set_length(total);
        }
        self.0.set_position(done);
        self.0.set_style(style(if bar {
            "{prefix}  {wide_bar:.cyan/dim}  {msg}"
        } else {
            "{prefix}"
        }));
        self.0.set_prefix(what);
        self.0.set_message(time);
    }

    /// Writes something above the line.
    pub(crate) fn above(&self, write: impl FnOnce()) {
        self.0.suspend(write);
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        self.0.finish_and_clear();
        self.0 = ProgressBar::hidden();
    }
}

/// What fits into so many columns: the text before the bar, and whether there is one. Without a bar the
/// text has the time as well.
fn fit(texts: &[String], time: &str, columns: usize, bounded: bool) -> (String, bool) {
    // Some terminals go to the next line once the last column is written.
    let columns = columns.saturating_sub(1);
    let joined = |texts: &[String]| crate::console::shown(&texts.join("  "));
    let all = joined(texts);
    if bounded && measure_text_width(&all) + measure_text_width(time) + 4 + BAR <= columns {
        return (all, true);
    }
    let with_time = |first: usize| {
        let texts = [&texts[first..], &[time.to_owned()]].concat();
        joined(&texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>())
    };
    let fitting = (0..=texts.len()).map(with_time).find(|text| measure_text_width(text) <= columns);
    let text = fitting.unwrap_or_else(|| time.to_owned());
    let sign = if columns > 0 { "…" } else { "" };
    (truncate_str(&text, columns, sign).into_owned(), false)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are right")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_fits_into_every_terminal() {
        let texts = ["picture 2 of 9", "holiday.jpg", "octave 2/4", "step 3/10"].map(str::to_owned);
        let time = "12 min 3 s left";
        assert_eq!(
            fit(&texts, time, 100, true),
            ("picture 2 of 9  holiday.jpg  octave 2/4  step 3/10".to_owned(), true)
        );
        assert_eq!(
            fit(&texts, time, 60, true).0,
            "holiday.jpg  octave 2/4  step 3/10  12 min 3 s left"
        );
        assert_eq!(fit(&texts, time, 50, true).0, "octave 2/4  step 3/10  12 min 3 s left");
        assert_eq!(fit(&texts, time, 20, true).0, "12 min 3 s left");
        for columns in 0..100 {
            let (text, bar) = fit(&texts, time, columns, true);
            let whole = measure_text_width(&text) + if bar { 4 + BAR + time.len() } else { 0 };
            assert!(whole < columns.max(1), "{columns}: {text}");
        }
    }
}
