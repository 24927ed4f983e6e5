//! The queue: what is to be rendered, in which order, and how each job stands. It is written down with every
//! change, so that it outlives the program however that ends; how far a job is, is not.

mod files;
mod job;
mod lane;
mod requests;
mod state;

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::library::{JobRow, Library};
use crate::render::Done;
use crate::workshop::Failure;

pub(crate) use files::file;
pub(crate) use job::{Job, Ticket};
pub(crate) use lane::lane;
pub(crate) use requests::{add, change, change_all, plan, remove, small};
use state::{Happens, State};

/// How many jobs may wait.
const MOST: usize = 1000;

/// How many of those that have ended are listed.
const ENDED: usize = 100;

/// The setting that outlives a run.
const PAUSED: &str = "queue.paused";

/// The queue.
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    /// Wakes who renders.
    work: Condvar,
    library: Arc<Library>,
}

struct Inner {
    /// In their order; those that have ended stand last.
    jobs: Vec<Job>,
    /// Whether nothing has its turn.
    paused: bool,
    /// Why the studio itself has paused it.
    failure: Option<Failure>,
    /// The job that a run is of, and how far that is.
    run: Option<(String, Done)>,
    /// The same of the job that is held for a draft.
    held: Option<(String, Done)>,
    over: bool,
}

/// What a run is to do at a step.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    GoOn,
    /// Nothing yet.
    Wait,
    GiveUp,
}

/// How a job is moved among those that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Move {
    Up,
    Down,
    /// Before all others.
    First,
}

/// What the page's bar says of the queue.
#[derive(Serialize)]
struct Summary {
    open: usize,
    running: bool,
    failed: usize,
    paused: bool,
    /// Seconds that the open jobs were foreseen to take, but for the one that runs.
    seconds: f64,
    failure: Option<Failure>,
}

impl Queue {
    /// The queue as it was when the program last ended, and what is to be said of it.
    ///
    /// # Errors
    /// A library that cannot be read.
    pub(crate) fn open(library: Arc<Library>) -> Result<(Self, Option<String>), Failure> {
        let rows = library.jobs(ENDED as u32)?;
        let written = rows.len();
        let mut jobs: Vec<Job> = rows.into_iter().filter_map(Job::of).collect();
        let unread = written - jobs.len();
        let unread = (unread > 0).then(|| {
            format!("jobs of the queue that cannot be read: {unread}; they stay in the library, off the list")
        });
        let ran = |job: &mut Job| job.restart().then(|| job.row());
        let ran: Vec<JobRow> = jobs.iter_mut().filter_map(ran).collect();
        library.save_jobs(&ran)?;
        let paused = library.setting(PAUSED)?.as_deref() == Some("true");
        let mut inner = Inner { jobs, paused, failure: None, run: None, held: None, over: false };
        inner.sort();
        Ok((Self { inner: Mutex::new(inner), work: Condvar::new(), library }, unread))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a job at the end. A request whose `key` was seen before adds nothing.
    ///
    /// # Errors
    /// As many jobs as may wait, or a library that cannot be written.
    pub(crate) fn add(
        &self,
        ticket: Ticket,
        recipe: String,
        key: Option<&str>,
    ) -> Result<String, Failure> {
        let mut inner = self.lock();
        let open = inner.jobs.iter().filter(|job| !job.state.has_ended());
        if open.count() >= MOST {
            let what = format!("{MOST} jobs wait already.");
            return Err(Failure::new("full", what).way_out("Cancel some of them first."));
        }
        let places = inner.jobs.iter().map(|job| job.place);
        let place = match ticket.draft {
            true => places.min().unwrap_or(0) - 1,
            false => places.max().unwrap_or(0) + 1,
        };
        let id = crate::library::new_id()?;
        let (state, output, failure) = (State::Waiting, None, None);
        let (number, attempt, made, ended) = (0, 0, 0, None);
        let mut job =
            Job { id, number, place, state, attempt, made, ended, output, failure, ticket, recipe };
        let mut row = job.row();
        if let Some(known) = self.library.add_job(&mut row, key)? {
            return Ok(known);
        }
        (job.number, job.made) = (row.number, row.made);
        let id = job.id.clone();
        inner.jobs.push(job);
        inner.sort();
        self.work.notify_all();
        Ok(id)
    }

    /// Something happens to a job; none if there is no such job.
    ///
    /// # Errors
    /// It cannot happen to a job that stands as this one does.
    fn on(&self, id: &str, happens: Happens) -> Result<Option<()>, Failure> {
        let mut inner = self.lock();
        let Some(job) = inner.jobs.iter_mut().find(|job| job.id == id) else { return Ok(None) };
        let before = job.clone();
        if !job.on(happens) {
            let what = format!("The job is {}.", job.state.name());
            return Err(Failure::new("elsewhere", what));
        }
        if let Err(failure) = self.library.save_job(&job.row()) {
            *job = before;
            return Err(failure);
        }
        inner.sort();
        self.work.notify_all();
        Ok(Some(()))
    }

    /// Moves a job that waits among the others; none if there is no such job.
    fn shift(&self, id: &str, how: Move) -> Result<Option<()>, Failure> {
        let mut inner = self.lock();
        let open: Vec<usize> =
            (0..inner.jobs.len()).filter(|&at| !inner.jobs[at].state.has_ended()).collect();
        let Some(rank) = open.iter().position(|&at| inner.jobs[at].id == id) else {
            return Ok(None);
        };
        let to = match how {
            Move::Up => rank.saturating_sub(1),
            Move::Down => (rank + 1).min(open.len() - 1),
            Move::First => 0,
        };
        let mut places: Vec<i64> = open.iter().map(|&at| inner.jobs[at].place).collect();
        places.sort_unstable();
        let mut order = open.clone();
        let moved = order.remove(rank);
        order.insert(to, moved);
        let mut jobs = inner.jobs.clone();
        for (&at, &place) in order.iter().zip(&places) {
            jobs[at].place = place;
        }
        self.replace(&mut inner, jobs)?;
        Ok(Some(()))
    }

    /// Takes a job off the list, once it has ended; returns it.
    fn take(&self, id: &str) -> Result<Option<Job>, Failure> {
        let mut inner = self.lock();
        let ended = |job: &Job| job.id == id && job.state.has_ended();
        let Some(at) = inner.jobs.iter().position(ended) else { return Ok(None) };
        self.library.forget_job(id)?;
        Ok(Some(inner.jobs.remove(at)))
    }

    /// Gives nothing its turn, or lets all go on.
    fn pause(&self, paused: bool) -> Result<(), Failure> {
        let mut inner = self.lock();
        self.library.set(PAUSED, if paused { "true" } else { "false" })?;
        (inner.paused, inner.failure) = (paused, None);
        self.work.notify_all();
        Ok(())
    }

    /// Cancels all that wait.
    fn cancel_waiting(&self) -> Result<(), Failure> {
        let mut inner = self.lock();
        let mut jobs = inner.jobs.clone();
        for job in jobs.iter_mut().filter(|job| job.state == State::Waiting) {
            job.on(Happens::Cancel);
        }
        self.replace(&mut inner, jobs)
    }

    /// Has these jobs in place of those that are there, once that is written down.
    fn replace(&self, inner: &mut Inner, jobs: Vec<Job>) -> Result<(), Failure> {
        let changed = jobs.iter().zip(&inner.jobs).map(|(job, before)| (job.row(), before.row()));
        let rows: Vec<JobRow> =
            changed.filter(|(row, before)| row != before).map(|(row, _)| row).collect();
        self.library.save_jobs(&rows)?;
        inner.jobs = jobs;
        inner.sort();
        self.work.notify_all();
        Ok(())
    }

    /// Waits for a job that has its turn, and begins it; none once all is over. One that cannot be written down is
    /// not begun: `tell` says that the queue is paused.
    fn begin(&self, tell: &dyn Fn()) -> Option<Job> {
        let mut inner = self.lock();
        loop {
            if inner.over {
                return None;
            }
            if let Some(job) = self.begin_next(&mut inner) {
                return Some(job);
            }
            if inner.failure.is_some() {
                drop(inner);
                tell();
                inner = self.lock();
            }
            inner = self.work.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Begins a draft while the job of a run is held for it, if one waits.
    fn begin_draft(&self) -> Option<Job> {
        let mut inner = self.lock();
        let at = inner.next().filter(|&at| inner.jobs[at].ticket.draft)?;
        let of = inner.run.clone().filter(|(id, _)| {
            let held = inner.jobs.iter().find(|job| job.id == *id);
            held.is_some_and(|job| job.state.runs() && !job.ticket.draft)
        })?;
        if let Some(held) = inner.jobs.iter_mut().find(|job| job.id == of.0) {
            held.on(Happens::Hold);
        }
        let id = inner.jobs[at].id.clone();
        let job = self.begin_next(&mut inner).filter(|job| job.id == id)?;
        inner.held = Some(of);
        Some(job)
    }

    /// Begins the first job that waits, if there is one and it may.
    fn begin_next(&self, inner: &mut Inner) -> Option<Job> {
        let at = inner.next()?;
        let job = &mut inner.jobs[at];
        job.on(Happens::Begin);
        // Without that it might be tried for ever.
        if let Err(failure) = self.library.save_job(&job.row()) {
            job.on(Happens::PutBack);
            inner.paused = true;
            inner.failure = Some(failure);
            return None;
        }
        let job = job.clone();
        inner.run = Some((job.id.clone(), Done::default()));
        Some(job)
    }

    /// Says which file a job makes.
    fn names(&self, id: &str, output: &str) -> Result<(), Failure> {
        let mut inner = self.lock();
        let Some(job) = inner.jobs.iter_mut().find(|job| job.id == id) else { return Ok(()) };
        job.output = Some(output.to_owned());
        self.library.save_job(&job.row())
    }

    /// What the run of a job is to do while somebody steers or not; whether a preview `goes_first` shows.
    fn turn(&self, id: &str, goes_first: bool) -> Turn {
        let mut inner = self.lock();
        if inner.over {
            return Turn::GiveUp;
        }
        let (paused, others) =
            (inner.paused, inner.next().is_some_and(|at| inner.jobs[at].id != id));
        let Some(job) = inner.jobs.iter_mut().find(|job| job.id == id) else { return Turn::GiveUp };
        match job.state {
            State::Running | State::Held => {
                let waits = goes_first || paused;
                job.on(if waits { Happens::Hold } else { Happens::GoOn });
                if waits { Turn::Wait } else { Turn::GoOn }
            }
            // It keeps what it has, unless another one can have its turn.
            State::Paused if !others => Turn::Wait,
            State::Waiting if !others && !paused => {
                job.on(Happens::Begin);
                // Where that cannot be written down, giving up can.
                match self.library.save_job(&job.row()) {
                    Ok(()) => Turn::GoOn,
                    Err(_) => Turn::GiveUp,
                }
            }
            State::Waiting if !others => Turn::Wait,
            _ => Turn::GiveUp,
        }
    }

    /// Waits a moment, or until something of the queue changes.
    fn moment(&self) {
        let wait = self.work.wait_timeout(self.lock(), Duration::from_millis(50));
        drop(wait.unwrap_or_else(PoisonError::into_inner));
    }

    /// How far the run is.
    fn progress(&self, done: Done) {
        if let Some((_, known)) = &mut self.lock().run {
            *known = done;
        }
    }

    /// The run of a job has come to an end.
    fn ended(&self, id: &str, result: Result<(), Failure>) {
        let mut inner = self.lock();
        inner.run = inner.held.take();
        let over = inner.over;
        // A full disk stops the others too, whether or not this one is still on the list.
        let halts = match &result {
            Err(failure) if !over && failure.fault == "disk" => Some(failure.clone()),
            _ => None,
        };
        let mut saved = Ok(());
        if let Some(job) = inner.jobs.iter_mut().find(|job| job.id == id) {
            match result {
                Ok(()) => drop(job.on(Happens::End)),
                Err(failure) if failure.is_stopped() || over || halts.is_some() => {
                    job.on(Happens::PutBack);
                }
                Err(failure) => {
                    if job.on(Happens::Fail) {
                        job.failure = Some(failure);
                    }
                }
            }
            saved = self.library.save_job(&job.row());
        }
        if let Some(failure) = halts.or(saved.err()) {
            inner.paused = true;
            inner.failure = Some(failure);
        }
        inner.sort();
    }

    /// Ends the run, which is put back.
    pub(crate) fn close(&self) {
        self.lock().over = true;
        self.work.notify_all();
    }

    /// The drafts on the list.
    fn drafts(&self) -> Vec<String> {
        let inner = self.lock();
        let drafts = inner.jobs.iter().filter(|job| job.ticket.draft);
        drafts.map(|job| job.id.clone()).collect()
    }

    /// The job of this name.
    pub(crate) fn job(&self, id: &str) -> Option<Job> {
        self.lock().jobs.iter().find(|job| job.id == id).cloned()
    }

    /// Whether a picture is needed by a job that has not ended.
    pub(crate) fn needs(&self, picture: &str) -> bool {
        let inner = self.lock();
        inner.jobs.iter().any(|job| !job.state.has_ended() && job.ticket.picture == picture)
    }

    /// Whether a job runs.
    pub(crate) fn runs(&self) -> bool {
        let inner = self.lock();
        inner.jobs.iter().any(|job| job.state == State::Running)
    }

    /// All jobs, and the folder that their files are in.
    pub(crate) fn list(&self, folder: &Path) -> Value {
        json!({ "jobs": self.lock().jobs, "folder": folder })
    }

    /// What the bar says.
    pub(crate) fn summary(&self) -> Value {
        let inner = self.lock();
        let count = |is: fn(&Job) -> bool| inner.jobs.iter().filter(|job| is(job)).count();
        let waiting = inner.jobs.iter().filter(|job| job.state == State::Waiting);
        json!(Summary {
            open: count(|job| !job.state.has_ended() && !job.ticket.draft),
            running: inner.run.is_some(),
            failed: count(|job| job.state == State::Failed && !job.ticket.draft),
            paused: inner.paused,
            seconds: waiting.filter_map(|job| job.ticket.seconds).sum(),
            failure: inner.failure.clone(),
        })
    }

    /// How far the run is, and of which job.
    pub(crate) fn running(&self) -> Value {
        let inner = self.lock();
        let Some((id, done)) = &inner.run else { return Value::Null };
        let state = inner.jobs.iter().find(|job| job.id == *id).map(|job| job.state);
        json!({ "id": id, "state": state, "done": done })
    }
}

impl Inner {
    /// The place of the job that has its turn next.
    fn next(&self) -> Option<usize> {
        let waits = |job: &Job| job.state == State::Waiting;
        self.jobs.iter().position(waits).filter(|_| !self.paused && !self.over)
    }

    /// Puts the jobs in order, and those aside that ended long ago.
    fn sort(&mut self) {
        self.jobs.sort_by_key(|job| {
            (job.state.has_ended(), job.ended.map(|at| -at), job.place, job.number)
        });
        let open = self.jobs.iter().filter(|job| !job.state.has_ended()).count();
        self.jobs.truncate(open + ENDED);
    }
}

#[cfg(test)]
mod tests;
