//! The jobs of the queue, as they are written down.

use rusqlite::{OptionalExtension, Row, params};

use super::{Library, now};
use crate::workshop::Failure;

/// A job's row. What is wanted and why it failed are texts here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JobRow {
    pub(crate) number: i64,
    pub(crate) id: String,
    pub(crate) place: i64,
    pub(crate) state: String,
    pub(crate) attempt: u32,
    pub(crate) made: i64,
    pub(crate) ended: Option<i64>,
    pub(crate) output: Option<String>,
    pub(crate) failure: Option<String>,
    pub(crate) wanted: String,
    pub(crate) recipe: String,
}

const COLUMNS: &str = "SELECT number, id, place, state, attempt, made, ended, output, failure, wanted, recipe FROM jobs";

fn job(row: &Row) -> rusqlite::Result<JobRow> {
    Ok(JobRow {
        number: row.get(0)?,
        id: row.get(1)?,
        place: row.get(2)?,
        state: row.get(3)?,
        attempt: row.get(4)?,
        made: row.get(5)?,
        ended: row.get(6)?,
        output: row.get(7)?,
        failure: row.get(8)?,
        wanted: row.get(9)?,
        recipe: row.get(10)?,
    })
}

impl Library {
    /// Writes a new job down, which has `key` if its request has one; the number it gets replaces the row's. A
    /// key that is known gives that job's id instead.
    pub(crate) fn add_job(
        &self,
        row: &mut JobRow,
        key: Option<&str>,
    ) -> Result<Option<String>, Failure> {
        let known = "SELECT id FROM jobs WHERE key = ?1";
        let add = "INSERT INTO jobs (id, key, place, state, made, wanted, recipe) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING number";
        self.write(|library| {
            if let Some(key) = key {
                let known = library.query_row(known, [key], |row| row.get(0)).optional()?;
                if known.is_some() {
                    return Ok(known);
                }
            }
            row.made = now();
            let JobRow { id, place, state, made, wanted, recipe, .. } = &*row;
            let values = params![id, key, place, state, made, wanted, recipe];
            row.number = library.query_row(add, values, |row| row.get(0))?;
            Ok(None)
        })
    }

    /// The job that a request with this key has made.
    pub(crate) fn job_of_key(&self, key: &str) -> Result<Option<String>, Failure> {
        self.one("SELECT id FROM jobs WHERE key = ?1", key, |row| row.get(0))
    }

    /// Writes down what may change of a job.
    pub(crate) fn save_job(&self, row: &JobRow) -> Result<(), Failure> {
        self.save_jobs([row])
    }

    /// The same of several at once.
    pub(crate) fn save_jobs<'a>(
        &self,
        rows: impl IntoIterator<Item = &'a JobRow>,
    ) -> Result<(), Failure> {
        let save = "UPDATE jobs SET place = ?2, state = ?3, attempt = ?4, ended = ?5, output = ?6, failure = ?7 \
                    WHERE id = ?1";
        self.write(|library| {
            let mut save = library.prepare_cached(save)?;
            for JobRow { id, place, state, attempt, ended, output, failure, .. } in rows {
                save.execute(params![id, place, state, attempt, ended, output, failure])?;
            }
            Ok(())
        })
    }

    /// All jobs without an end in their order, then those that ended last, at most so many.
    pub(crate) fn jobs(&self, ended: u32) -> Result<Vec<JobRow>, Failure> {
        self.read(|library| {
            let mut open = library
                .prepare(&format!("{COLUMNS} WHERE ended IS NULL ORDER BY place, number"))?;
            let last = format!(
                "{COLUMNS} WHERE ended IS NOT NULL ORDER BY ended DESC, number DESC LIMIT ?1"
            );
            let mut last = library.prepare(&last)?;
            let mut all: Vec<JobRow> = open.query_map([], job)?.collect::<Result<_, _>>()?;
            for row in last.query_map([ended], job)? {
                all.push(row?);
            }
            Ok(all)
        })
    }

    /// Keeps a small JPEG of what a job has made.
    pub(crate) fn keep_small_of_job(&self, id: &str, small: &[u8]) -> Result<(), Failure> {
        let keep = "UPDATE jobs SET small = ?2 WHERE id = ?1";
        self.write(|library| library.execute(keep, params![id, small]).map(drop))
    }

    /// The small JPEG of what a job has made.
    pub(crate) fn small_of_job(&self, id: &str) -> Result<Option<Vec<u8>>, Failure> {
        let small = self.one("SELECT small FROM jobs WHERE id = ?1", id, |row| row.get(0))?;
        Ok(small.flatten())
    }

    /// Removes a job's row; what it has made stays.
    pub(crate) fn forget_job(&self, id: &str) -> Result<(), Failure> {
        self.write(|library| library.execute("DELETE FROM jobs WHERE id = ?1", [id]).map(drop))
    }
}
