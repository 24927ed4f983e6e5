//! What became of each picture, or would: for scripts, and for people who look before they start.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use deepdream::{
    Content, Cost, Error, Event, Events, Foreseen, Outcome, Size, Source, StillJob, Tiling, Work,
    Wrote, readable_bytes,
};
use serde::Serialize;

use crate::units::{counted, time_left};

/// What became of one picture, or would.
#[derive(Serialize)]
pub(crate) struct PictureResult {
    picture: String,
    #[serde(flatten)]
    became: Became,
}

#[derive(Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Became {
    /// A dream.
    Written { file: String, width: usize, height: usize, seconds: f64 },
    /// A dream, which is not made yet.
    Dream {
        file: String,
        width: usize,
        height: usize,
        octaves: usize,
        steps: u32,
        seconds: f64,
        memory_bytes: u64,
        #[serde(skip_serializing_if = "is_none")]
        scratch_bytes: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        exact_tiles: Option<ExactTiles>,
    },
    /// Nothing, since the dream is there.
    Kept { file: String },
    /// Nothing, for this reason.
    Failed { error: String, hints: Vec<String> },
}

/// How a dream is cut into exact tiles.
#[derive(Serialize)]
struct ExactTiles {
    count: usize,
    width: usize,
    height: usize,
    /// How many pixels the network sees for each of the dream.
    cost: f64,
}

impl From<Tiling> for ExactTiles {
    fn from(tiling: Tiling) -> Self {
        let Size { height, width } = tiling.tile;
        Self { count: tiling.rows * tiling.columns, width, height, cost: tiling.cost }
    }
}

impl Became {
    fn failed(error: &Error) -> Self {
        Self::Failed { error: error.message().to_owned(), hints: crate::hints::hints(error) }
    }
}

/// What became of the one picture of a job that failed; `None` for noise.
pub(crate) fn failed(job: &StillJob, error: &Error) -> Option<PictureResult> {
    let Some(Source::Picture(path)) = &job.source else { return None };
    Some(PictureResult { picture: path.display().to_string(), became: Became::failed(error) })
}

/// Passes events on, and remembers what became of the pictures.
pub(crate) struct Recorder<'a, E> {
    events: &'a E,
    seen: Mutex<Seen>,
}

struct Seen {
    results: Vec<PictureResult>,
    size: Size,
    begun: Instant,
}

impl<'a, E: Events> Recorder<'a, E> {
    pub(crate) fn new(events: &'a E) -> Self {
        let seen = Seen { results: Vec::new(), size: Size::new(0, 0), begun: Instant::now() };
        Self { events, seen: Mutex::new(seen) }
    }

    /// What became of the pictures, in their order.
    pub(crate) fn results(self) -> Vec<PictureResult> {
        self.seen.into_inner().unwrap_or_else(PoisonError::into_inner).results
    }
}

impl<E: Events> Events for Recorder<'_, E> {
    fn event(&self, event: Event) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let result = match &event {
            Event::Started(Work::Picture { size, .. }) => {
                (seen.size, seen.begun) = (*size, Instant::now());
                None
            }
            Event::Wrote(Wrote { path, content: Content::Picture { of } }) => {
                let (Size { height, width }, seconds) = (seen.size, seen.begun.elapsed());
                let (file, seconds) = (path.display().to_string(), seconds.as_secs_f64());
                Some((of.clone(), Became::Written { file, width, height, seconds }))
            }
            Event::Kept { name, path } => {
                Some((name.clone(), Became::Kept { file: path.display().to_string() }))
            }
            Event::Failed { name, error } => Some((name.clone(), Became::failed(error))),
            _ => None,
        };
        seen.results.extend(result.map(|(picture, became)| PictureResult { picture, became }));
        drop(seen);
        self.events.event(event);
    }
}

/// What is told of a picture that is foreseen.
pub(crate) fn forecast(Foreseen { name, outcome }: Foreseen) -> PictureResult {
    let became = match outcome {
        Outcome::Dream(Cost { output, size, octaves, steps, memory, scratch, time, tiling }) => {
            Became::Dream {
                file: output.display().to_string(),
                width: size.width,
                height: size.height,
                octaves: octaves.len(),
                steps,
                seconds: time.as_secs_f64(),
                memory_bytes: memory,
                scratch_bytes: scratch,
                exact_tiles: tiling.map(ExactTiles::from),
            }
        }
        Outcome::Kept(path) => Became::Kept { file: path.display().to_string() },
        Outcome::Refused(error) => Became::failed(&error),
    };
    PictureResult { picture: name, became }
}

/// The same for people, with all pictures together at the end.
pub(crate) fn forecasts(all: &[PictureResult]) -> String {
    let (mut text, mut dreams, mut time, mut most) = (String::new(), 0, 0.0, 0);
    for PictureResult { picture, became } in all {
        text += &match became {
            Became::Dream {
                file,
                width,
                height,
                octaves,
                steps,
                seconds,
                memory_bytes,
                scratch_bytes,
                exact_tiles,
            } => {
                dreams += 1;
                time += seconds;
                most = most.max(*memory_bytes);
                let tiles = exact_tiles.as_ref().map_or(String::new(), |tiles| {
                    let ExactTiles { count, width, height, cost } = tiles;
                    format!(
                        "; in {count} exact tiles of {width}×{height}, in which the network sees {cost:.2} times as \
                         many pixels"
                    )
                });
                let scratch = match scratch_bytes {
                    0 => String::new(),
                    bytes => format!(" and {} of scratch files", readable_bytes(*bytes)),
                };
                format!(
                    "{picture} → {file} ({width}×{height}, {} of {steps} steps): about {}, up to {} of \
                     memory{scratch}{tiles}\n",
                    counted(*octaves as u64, "octave"),
                    about(*seconds),
                    readable_bytes(*memory_bytes)
                )
            }
            Became::Kept { file } => format!("{picture}: keeps {file}, which is there already\n"),
            Became::Failed { error, .. } => format!("{picture}: no dream, {error}\n"),
            Became::Written { file, .. } => format!("{picture} → {file}\n"),
        };
    }
    if all.len() > 1 {
        text += &format!(
            "{}: about {} in all, up to {} of memory\n",
            counted(dreams, "dream"),
            about(time),
            readable_bytes(most)
        );
    }
    text + "Nothing was written. The times are those of a few steps; files are read and written besides.\n"
}

fn is_none(bytes: &u64) -> bool {
    *bytes == 0
}

fn about(seconds: f64) -> String {
    time_left(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}
