//! One job: what is wanted, how it stands, and its row in the library.

use serde::{Deserialize, Serialize};

use super::state::{Happens, State};
use crate::library::{JobRow, now};
use crate::render::Wanted;
use crate::workshop::Failure;

/// How many attempts that ended with the program are made before a job waits for somebody to start it.
const ATTEMPTS: u32 = 3;

/// What a job is to make, and of what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    /// The start: its id, what people call it, its size.
    pub(crate) picture: String,
    pub(crate) name: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) noise: bool,
    /// What the dream is called.
    pub(crate) title: String,
    pub(crate) wanted: Wanted,
    /// The size of what is made.
    pub(crate) size: (u32, u32),
    /// How long it was foreseen to take, in seconds.
    pub(crate) seconds: Option<f64>,
    /// Bytes of the disk that it may take.
    pub(crate) disk: u64,
    /// Whether it is only to be looked at, and goes when the next one is asked for.
    #[serde(default)]
    pub(crate) draft: bool,
}

/// A job.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) number: i64,
    #[serde(skip)]
    pub(crate) place: i64,
    pub(crate) state: State,
    #[serde(skip)]
    pub(crate) attempt: u32,
    #[serde(skip)]
    pub(crate) made: i64,
    pub(crate) ended: Option<i64>,
    /// The file, below the studio's folder.
    pub(crate) output: Option<String>,
    pub(crate) failure: Option<Failure>,
    #[serde(flatten)]
    pub(crate) ticket: Ticket,
    #[serde(skip)]
    pub(crate) recipe: String,
}

impl Job {
    /// The job of a row; none if the row makes no sense.
    pub(super) fn of(row: JobRow) -> Option<Self> {
        let JobRow { number, id, place, attempt, made, ended, output, recipe, .. } = row;
        let ticket = serde_json::from_str(&row.wanted).ok()?;
        let failure = row.failure.and_then(|failure| serde_json::from_str(&failure).ok());
        let state = State::named(&row.state);
        Some(Self {
            id,
            number,
            place,
            state,
            attempt,
            made,
            ended,
            output,
            failure,
            ticket,
            recipe,
        })
    }

    pub(super) fn row(&self) -> JobRow {
        let text = |value: serde_json::Result<String>| value.expect("they are plain values");
        JobRow {
            number: self.number,
            id: self.id.clone(),
            place: self.place,
            state: self.state.name().to_owned(),
            attempt: self.attempt,
            made: self.made,
            ended: self.ended,
            output: self.output.clone(),
            failure: self.failure.as_ref().map(|failure| text(serde_json::to_string(failure))),
            wanted: text(serde_json::to_string(&self.ticket)),
            recipe: self.recipe.clone(),
        }
    }

    /// Something happens to it; returns whether it can.
    pub(super) fn on(&mut self, happens: Happens) -> bool {
        let Some(state) = self.state.after(happens) else { return false };
        match happens {
            Happens::Begin => self.attempt += 1,
            // The program came to a proper end, or the run was given up by it.
            Happens::PutBack => self.attempt = self.attempt.saturating_sub(1),
            Happens::Resume => self.attempt = 0,
            _ => {}
        }
        if matches!(happens, Happens::Begin | Happens::Resume | Happens::End) {
            self.failure = None;
        }
        self.state = state;
        self.ended = state.has_ended().then(|| self.ended.unwrap_or_else(now));
        true
    }

    /// The program starts: a job that was running when it last ended has its turn again, unless it seems to be what
    /// ends the program. Returns whether it was.
    pub(super) fn restart(&mut self) -> bool {
        if !self.state.runs() {
            return false;
        }
        self.state = State::Waiting;
        if self.attempt >= ATTEMPTS {
            self.state = State::Paused;
            let what =
                format!("Stopped the program {ATTEMPTS} times; not started again by itself.");
            self.failure = Some(Failure::new("internal", what).way_out("Start it, or cancel it."));
        }
        true
    }
}
