//! `--dry-run` of commands that make many pictures of one thing: a movie's frames, a gallery's cells.

use deepdream::{CancelToken, Result, SeriesCost, Size, readable_bytes};
use serde::Serialize;

use crate::console::{self, print};
use crate::terminal::{self, Terminal};
use crate::units::{counted, duration, time_left};

/// What scripts are told.
#[derive(Serialize)]
struct Forecast {
    file: String,
    width: usize,
    height: usize,
    pictures: u64,
    present: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    movie_seconds: Option<f64>,
    seconds: f64,
    memory_bytes: u64,
}

/// Prints what a job would make, whose pictures are each called `one`.
///
/// # Errors
/// Those of the job.
pub(crate) fn foresee(
    (quiet, json): (bool, bool),
    one: &str,
    job: impl FnOnce(&Terminal, &CancelToken) -> Result<SeriesCost>,
) -> Result<()> {
    let cost = terminal::run(quiet || json, job)?;
    if !json {
        return print(told(&cost, one));
    }
    let SeriesCost { output, size, pictures, present, seconds, memory, time } = cost;
    console::json(&Forecast {
        file: output.display().to_string(),
        width: size.width,
        height: size.height,
        pictures,
        present,
        movie_seconds: seconds,
        seconds: time.as_secs_f64(),
        memory_bytes: memory,
    })
}

/// The same for people.
fn told(cost: &SeriesCost, one: &str) -> String {
    let SeriesCost { output, size: Size { height, width }, pictures, present, .. } = cost;
    let lasts = match cost.seconds {
        Some(seconds) => {
            let time = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
            format!(", {} long", duration(time))
        }
        None => String::new(),
    };
    let there = match present {
        0 => String::new(),
        1 => ", of which 1 is there".to_owned(),
        present => format!(", of which {present} are there"),
    };
    format!(
        "{} ({width}×{height}{lasts}), {}{there}: about {}, up to {} of memory\nNothing was written. The time is that \
         of a few {one}s; files are read and written besides.\n",
        output.display(),
        counted(*pictures, one),
        time_left(cost.time),
        readable_bytes(cost.memory)
    )
}
