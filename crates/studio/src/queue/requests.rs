//! What the page asks of the queue.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};

use super::job::{Job, Ticket};
use super::lane::discard;
use super::{Happens, Move};
use crate::desk::{Part, Start};
use crate::photos;
use crate::render::{Clip, Foreseen, Render, Wanted};
use crate::server::Room;
use crate::workshop::Failure;

/// The endings of pictures that can be asked for.
const PICTURES: [&str; 4] = ["png", "jpg", "webp", "tiff"];

/// A job that is to be added: what is on the desk, made into a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddJob {
    pub(crate) wanted: Wanted,
    /// Whether it is only to be looked at; its movie is a draft.
    #[serde(default)]
    pub(crate) draft: bool,
    /// The video that it is of, where it is of one.
    #[serde(default)]
    pub(crate) video: Option<String>,
}

/// A change of a job.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum ChangeJob {
    Pause,
    Resume,
    Cancel,
    Move(Move),
}

/// A change of the whole queue.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum ChangeQueue {
    Pause,
    Resume,
    /// Cancels all that wait, never the one that runs.
    CancelWaiting,
}

/// What is on the desk as an order for the workshop.
fn order(room: &Room, wanted: &Wanted, video: Option<&str>) -> Result<(Start, Render), Failure> {
    let (start, recipe, clip) = match (video, wanted.is_of_video()) {
        (None, false) => {
            let (start, recipe) = room.desk.now().ok_or_else(crate::desk::nothing)?;
            (start, recipe, None)
        }
        (Some(video), true) => of_video(room, video)?,
        (None, true) => return Err(Failure::new("usage", "Name the video that it is of.")),
        (Some(_), false) => return Err(Failure::new("usage", "That is not made of videos.")),
    };
    if let Wanted::Picture { extension, .. } = wanted
        && !PICTURES.contains(&extension.as_str())
    {
        let what = format!("Pictures are rendered as {}.", PICTURES.join(", "));
        return Err(Failure::new("usage", what));
    }
    let (source, name) = (start.source(), start.name.clone());
    let output = PathBuf::from(format!("render.{}", wanted.extension()));
    Ok((start, Render { source, name, clip, recipe, wanted: wanted.clone(), output }))
}

/// A video of the library with the recipe that is on the desk, or the usual one.
fn of_video(room: &Room, id: &str) -> Result<(Start, String, Option<Clip>), Failure> {
    let gone = || Failure::new("picture", "This video is no longer in the library.");
    let video = room.library.picture(id)?.filter(|video| video.moves.is_some());
    let video = video.ok_or_else(gone)?;
    let clip = photos::clip(&video);
    let recipe = match room.desk.now() {
        Some((_, recipe)) => recipe,
        None => room.desk.workshop.begin(&room.desk.workshop.usual_network(), None)?,
    };
    Ok((photos::start(room, video)?, recipe, clip))
}

/// How many seconds that much work takes, by the dream that was whole last.
fn seconds(room: &Room, foreseen: &Foreseen) -> Option<f64> {
    Some(foreseen.work as f64 * room.desk.pace()?)
}

/// What a job would be and would take.
pub(crate) fn plan(room: &Room, job: AddJob) -> Result<Value, Failure> {
    let AddJob { wanted, video, .. } = job;
    let (_, render) = order(room, &wanted, video.as_deref())?;
    let foreseen = room.desk.workshop.foresee(&render)?;
    let seconds = seconds(room, &foreseen);
    Ok(json!({ "foreseen": foreseen, "seconds": seconds }))
}

/// Adds a job; a key that was seen before adds nothing. Returns it.
pub(crate) fn add(room: &Room, job: AddJob, key: Option<&str>) -> Result<Value, Failure> {
    if let Some(known) = key.map_or(Ok(None), |key| room.library.job_of_key(key))? {
        return Ok(json!(room.queue.job(&known)));
    }
    let AddJob { wanted, draft, video } = job;
    let (start, render) = order(room, &wanted, video.as_deref())?;
    let foreseen = room.desk.workshop.foresee(&render)?;
    let view = room.desk.workshop.view(&render.recipe);
    let title = view["title"].as_str().unwrap_or("dream").to_owned();
    let seconds = seconds(room, &foreseen);
    let (size, disk) = ((foreseen.width, foreseen.height), foreseen.disk);
    let Start { id: picture, name, width, height, noise, .. } = start;
    let ticket =
        Ticket { picture, name, width, height, noise, title, wanted, size, seconds, disk, draft };
    // What it makes outlives the job.
    room.leaves(&foreseen.recipe);
    let drafts = room.queue.drafts();
    let id = room.queue.add(ticket, foreseen.recipe, key)?;
    if draft {
        forget_drafts(room, drafts.into_iter().filter(|other| *other != id))?;
    }
    room.desk.tell_of(Part::Queue);
    Ok(json!(room.queue.job(&id)))
}

/// Drafts go when there is a next one.
fn forget_drafts(room: &Room, drafts: impl Iterator<Item = String>) -> Result<(), Failure> {
    for id in drafts {
        // One that has ended meanwhile is no failure.
        let _ = room.queue.on(&id, Happens::Cancel);
        remove(room, &id)?;
    }
    Ok(())
}

/// Changes a job; none if there is no such job.
pub(crate) fn change(room: &Room, id: &str, change: &ChangeJob) -> Result<Option<()>, Failure> {
    let happens = match change {
        ChangeJob::Pause => Happens::Pause,
        ChangeJob::Resume => Happens::Resume,
        ChangeJob::Cancel => Happens::Cancel,
        ChangeJob::Move(how) => {
            let moved = room.queue.shift(id, *how)?;
            room.desk.tell_of(Part::Queue);
            return Ok(moved);
        }
    };
    let changed = room.queue.on(id, happens)?;
    room.desk.tell_of(Part::Queue);
    Ok(changed)
}

/// Changes the whole queue.
pub(crate) fn change_all(room: &Room, change: &ChangeQueue) -> Result<(), Failure> {
    match change {
        ChangeQueue::Pause => room.queue.pause(true),
        ChangeQueue::Resume => room.queue.pause(false),
        ChangeQueue::CancelWaiting => room.queue.cancel_waiting(),
    }?;
    room.desk.tell_of(Part::Queue);
    Ok(())
}

/// Takes a job that has ended off the list; what it has made stays, but for drafts and
/// the frames of movies that were not finished.
pub(crate) fn remove(room: &Room, id: &str) -> Result<Option<()>, Failure> {
    let taken: Option<Job> = room.queue.take(id)?;
    if let Some(job) = &taken {
        discard(room.shelf.root(), job);
    }
    room.desk.tell_of(Part::Queue);
    Ok(taken.map(drop))
}

/// A small picture of a job: of what it has made or, before that, of its photo.
pub(crate) fn small(room: &Room, id: &str) -> Result<Option<Vec<u8>>, Failure> {
    if let Some(made) = room.library.small_of_job(id)? {
        return Ok(Some(made));
    }
    let Some(job) = room.queue.job(id) else { return Ok(None) };
    photos::small(room, &job.ticket.picture)
}
