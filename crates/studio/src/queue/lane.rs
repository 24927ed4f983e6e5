//! Who renders: one thread, behind all that is looked at.

use std::fs;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::job::{Job, Ticket};
use super::state::State;
use super::{Queue, Turn};
use crate::desk::{Desk, Part};
use crate::photos;
use crate::render::{Done, Render, Wanted};
use crate::room_on_disk::{FLOOR, free};
use crate::server::Room;
use crate::shelf::{private, slug, stem};
use crate::workshop::Failure;

/// How often the page is told how far a render is.
const TOLD: Duration = Duration::from_millis(200);

/// Renders until all is over.
pub(crate) fn lane(room: &Room) {
    while let Some(job) = room.queue.begin(&|| room.desk.tell_of(Part::Queue)) {
        run(room, job);
    }
}

/// Does a job that has begun.
fn run(room: &Room, mut job: Job) {
    room.desk.tell_of(Part::Queue);
    let id = job.id.clone();
    let made = AssertUnwindSafe(|| make(room, &mut job));
    let made = catch_unwind(made).unwrap_or_else(|_| {
        let what = "This render broke the program's computing. Its terminal says where.";
        Err(Failure::new("internal", what).way_out("Change the recipe, and please report it."))
    });
    room.queue.ended(&id, made);
    // It was taken off the list meanwhile.
    if room.queue.job(&id).is_none() {
        discard(room.shelf.root(), &job);
    }
    room.desk.tell_of(Part::Queue);
    room.desk.tell_of(Part::Render);
}

/// Makes the file of a job.
fn make(room: &Room, job: &mut Job) -> Result<(), Failure> {
    let before = job.output.is_some();
    let render = render(room, job)?;
    // An earlier attempt has ended with the program after its file came into its place.
    if before && render.output.exists() {
        return Ok(());
    }
    check_room(room, job)?;
    let told = Mutex::new(Instant::now());
    let watch = |done: Done| -> ControlFlow<()> {
        room.queue.progress(done);
        let mut told = told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if told.elapsed() >= TOLD {
            *told = Instant::now();
            room.desk.tell_of(Part::Render);
        }
        // Whoever asks for a draft looks at it; what runs is held meanwhile.
        if let Some(draft) = room.queue.begin_draft() {
            run(room, draft);
        }
        wait_for_turn(&room.queue, &room.desk, &job.id)
    };
    let small = room.desk.workshop.render(&render, &watch)?;
    // Without one, its photo's is shown.
    let _ = room.library.keep_small_of_job(&job.id, &small);
    Ok(())
}

/// Lets the page go first; says whether the run may go on.
fn wait_for_turn(queue: &Queue, desk: &Desk, id: &str) -> ControlFlow<()> {
    let mut waits = false;
    loop {
        let turn = queue.turn(id, desk.goes_first());
        if (turn == Turn::Wait) != waits {
            waits = turn == Turn::Wait;
            desk.tell_of(Part::Render);
        }
        match turn {
            Turn::GoOn => return ControlFlow::Continue(()),
            Turn::GiveUp => return ControlFlow::Break(()),
            Turn::Wait => queue.moment(),
        }
    }
}

fn check_room(room: &Room, job: &Job) -> Result<(), Failure> {
    let root = room.shelf.root();
    let needed = FLOOR + needed(root, job);
    match free(root) {
        Some(free) if free < needed => Err(full(needed)),
        _ => Ok(()),
    }
}

/// Bytes of the disk that a job may still take: what an earlier attempt has made of it is there.
fn needed(root: &Path, job: &Job) -> u64 {
    let folder = job.output.as_ref().map(|output| root.join(output).with_extension(""));
    let files = folder.and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten();
    let there = files.flatten().filter_map(|file| file.metadata().ok()).map(|about| about.len());
    job.ticket.disk.saturating_sub(there.sum())
}

/// Why the queue is paused when there is no room.
fn full(needed: u64) -> Failure {
    let needed = needed as f64 / 1e9;
    let what = format!(
        "The disk is full: {needed:.1} GB are needed. Rendering is paused, dreaming goes on."
    );
    Failure::new("disk", what).way_out("Make room on the disk, then let the queue go on.")
}

/// What a job asks of the workshop. The name of its file is chosen at the first attempt, and written down.
fn render(room: &Room, job: &mut Job) -> Result<Render, Failure> {
    let source = photos::source(room, &job.ticket)?;
    let clip = room.library.picture(&job.ticket.picture)?.as_ref().and_then(photos::clip);
    let output = match &job.output {
        Some(output) => room.shelf.root().join(output),
        None => {
            let output = choose(room.shelf.root(), job);
            let folder = output.parent().unwrap_or(room.shelf.root());
            private(folder).map_err(|error| {
                Failure::new("output", format!("Could not make {}: {error}.", folder.display()))
            })?;
            let relative = output.strip_prefix(room.shelf.root()).unwrap_or(&output);
            let relative = relative.to_string_lossy().into_owned();
            room.queue.names(&job.id, &relative)?;
            job.output = Some(relative);
            output
        }
    };
    let (name, recipe) = (job.ticket.name.clone(), job.recipe.clone());
    Ok(Render { source, name, clip, recipe, wanted: job.ticket.wanted.clone(), output })
}

/// A name that nothing has yet and that people find: `dreams/sky/0007 mixed4c.png`.
fn choose(root: &Path, job: &Job) -> PathBuf {
    let Ticket { name, width, height, noise, .. } = &job.ticket;
    let name = if *noise { format!("noise {width}x{height}") } else { stem(name).to_owned() };
    let (picture, title) = (slug(&name), slug(&job.ticket.title));
    let number = job.number;
    let (folder, stem) = match job.ticket.wanted {
        _ if job.ticket.draft => (root.join("cache").join("drafts"), format!("{number:04}")),
        Wanted::Picture { .. } | Wanted::Sample { .. } => {
            (root.join("dreams").join(picture), format!("{number:04} {title}"))
        }
        Wanted::Zoom { .. } | Wanted::Video { .. } => {
            (root.join("movies"), format!("{number:04} {picture}, {title}"))
        }
    };
    let extension = job.ticket.wanted.extension();
    let named = |more: String| folder.join(format!("{stem}{more}.{extension}"));
    let free = |path: &PathBuf| !path.exists() && !path.with_extension("").exists();
    let more = (2..).map(|more| named(format!(" ({more})")));
    let mut all = std::iter::once(named(String::new())).chain(more);
    all.find(free).expect("there are many numbers")
}

/// Removes what nobody has any more of a job that is off the list: a draft, or the frames of a movie that was not
/// finished.
pub(super) fn discard(root: &Path, job: &Job) {
    let Some(output) = job.output.as_ref().map(|output| root.join(output)) else { return };
    if job.ticket.draft {
        let _ = fs::remove_file(&output);
    }
    if job.ticket.draft || job.state != State::Done {
        let _ = fs::remove_dir_all(output.with_extension(""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_movie_that_goes_on_needs_less_room() {
        let folder = tempfile::tempdir().unwrap();
        let frames = folder.path().join("movies/0001 sky");
        fs::create_dir_all(&frames).unwrap();
        fs::write(frames.join("img_1.png"), vec![0; 600]).unwrap();
        let ticket = Ticket { disk: 1000, ..crate::queue::tests::ticket() };
        let mut job = crate::queue::tests::job(ticket);
        assert_eq!(needed(folder.path(), &job), 1000);
        job.output = Some("movies/0001 sky.mp4".into());
        assert_eq!(needed(folder.path(), &job), 400);
        fs::write(frames.join("img_2.png"), vec![0; 600]).unwrap();
        assert_eq!(needed(folder.path(), &job), 0);
        // The file is called by what it is of.
        job.ticket = Ticket { noise: true, width: 2000, height: 1000, ..job.ticket };
        assert!(
            choose(folder.path(), &job).starts_with(folder.path().join("dreams/noise 2000x1000"))
        );
    }
}
