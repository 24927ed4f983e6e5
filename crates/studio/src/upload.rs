//! A photo comes in: streamed to disk, within bounds, and looked at before it is anything.

use std::io::{Error, ErrorKind, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::desk::Start;
use crate::photos;
use crate::problem::Problem;
use crate::render::Clip;
use crate::room_on_disk::{FLOOR, free};
use crate::secret::hex;
use crate::server::Room;
use crate::shelf::{label, stem};
use crate::workshop::{Failure, Look};

/// The most bytes of a photo, and of a video.
const MOST_BYTES: u64 = 200 << 20;
const MOST_BYTES_OF_VIDEO: u64 = 8 << 30;

/// How many bytes come in until the room on the disk is looked at again.
const CHECKED: u64 = 64 << 20;

/// The longest time without a byte.
const SILENCE: Duration = Duration::from_secs(30);

/// A file that has come in, whole.
pub(crate) struct Came {
    /// Where it is until it is kept or dropped.
    pub(crate) file: NamedTempFile,
    /// The hash of its bytes.
    pub(crate) id: String,
    /// Its name as a label.
    pub(crate) name: String,
    /// How many bytes it has.
    pub(crate) bytes: u64,
}

/// Takes a photo's file in.
pub(crate) async fn receive(room: &Room, name: &str, body: Body) -> Result<Came, Problem> {
    receive_at_most(room, name, body, MOST_BYTES).await
}

async fn receive_at_most(
    room: &Room,
    name: &str,
    mut body: Body,
    most: u64,
) -> Result<Came, Problem> {
    let name = label(name);
    check_room(room, &name)?;
    let disk = |error: Error| unkept(&name, &error);
    let incoming =
        tempfile::Builder::new().prefix("in-").tempfile_in(room.shelf.incoming()).map_err(disk)?;
    let file = incoming.reopen().map_err(disk)?;
    let mut file = tokio::fs::File::from_std(file);
    let (mut hash, mut bytes, mut checked) = (Sha256::new(), 0u64, 0);
    loop {
        let frame = match timeout(SILENCE, body.frame()).await {
            Err(_) => {
                let what = format!("{name}: nothing more of it came for half a minute.");
                return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "picture", what));
            }
            Ok(None) => break,
            Ok(Some(Err(_))) => {
                let what = format!("{name}: the connection ended before the file did.");
                return Err(Problem::new(StatusCode::BAD_REQUEST, "picture", what));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
        bytes += data.len() as u64;
        if bytes > most {
            let what = format!("{name} may have {} MB at the most.", most >> 20);
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "picture", what));
        }
        if bytes - checked >= CHECKED {
            check_room(room, &name)?;
            checked = bytes;
        }
        hash.update(&data);
        file.write_all(&data).await.map_err(disk)?;
    }
    file.flush().await.map_err(disk)?;
    drop(file);
    Ok(Came { file: incoming, id: hex(&hash.finalize()), name, bytes })
}

/// Sees that there is room for more of a file than must be left free.
fn check_room(room: &Room, name: &str) -> Result<(), Failure> {
    match free(room.shelf.root()) {
        Some(free) if free < FLOOR => {
            let what = format!("The disk is full: {name} was not kept.");
            Err(Failure::new("disk", what).way_out("Make room on the disk."))
        }
        _ => Ok(()),
    }
}

/// Looks at a file that has come in; its kind as an ending is plain.
pub(crate) fn look(room: &Room, came: &Came) -> Result<Look, Failure> {
    let _alone = room.look_alone();
    let mut look = room.desk.workshop.look(came.file.path(), &came.name)?;
    let plain = |text: &str| text.len() <= 5 && text.bytes().all(|b| b.is_ascii_alphanumeric());
    if !plain(&look.extension) {
        look.extension = "bin".to_owned();
    }
    Ok(look)
}

/// Takes a photo in; with it comes the text of the recipe that it was dreamt by, if it was.
pub(crate) async fn upload(
    room: Arc<Room>,
    name: &str,
    body: Body,
) -> Result<(Start, Option<String>), Problem> {
    let came = receive(&room, name, body).await?;
    crate::routes::blocking(move || {
        let Look { width, height, extension, recipe } = look(&room, &came)?;
        let Came { file, id, name, bytes } = came;
        let kept = room.shelf.keep_photo(file, &id, &extension);
        let file = kept.map_err(|error| unkept(&name, &error))?;
        let new = Start { id, name, width, height, noise: false, file };
        Ok((photos::add(&room, new, &extension, bytes)?, recipe))
    })
    .await
}

/// Takes a video in; returns its hash, its name and what it is.
pub(crate) async fn upload_video(
    room: Arc<Room>,
    name: &str,
    body: Body,
) -> Result<(String, String, Clip), Problem> {
    let came = receive_at_most(&room, name, body, MOST_BYTES_OF_VIDEO).await?;
    crate::routes::blocking(move || {
        let Came { file, id, name, bytes } = came;
        let clip = room.desk.workshop.look_at_video(file.path(), &name)?;
        let kept = room.shelf.keep_photo(file, &id, &clip.extension);
        kept.map_err(|error| unkept(&name, &error))?;
        let name = photos::add_video(&room, (&id, &name), &clip, bytes)?;
        Ok((id, name, clip))
    })
    .await
}

/// Why the file of this name could not be kept.
fn unkept(name: &str, error: &Error) -> Failure {
    let failure = Failure::new("disk", format!("Could not keep {name}: {error}."));
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            failure.way_out("Make room on the disk.")
        }
        _ => failure,
    }
}

/// Makes a dream that is whole a photo, on which the next one is dreamt.
pub(crate) fn dream_on(room: &Room) -> Result<Start, Failure> {
    let (dream, name, _) = room.desk.whole().ok_or_else(unfinished)?;
    let bytes = dream.file("png")?;
    room.leaves(dream.recipe());
    let id = hex(&Sha256::digest(&bytes));
    let keep = || {
        let mut file = tempfile::NamedTempFile::new_in(room.shelf.incoming())?;
        file.write_all(&bytes)?;
        room.shelf.keep_photo(file, &id, "png")
    };
    let (width, height) = dream.size();
    let name = label(&format!("{}, dreamt.png", stem(&name)));
    let file = keep().map_err(|error| unkept(&name, &error))?;
    let new = Start { id, name, width, height, noise: false, file };
    photos::add(room, new, "png", bytes.len() as u64)
}

/// Why a dream cannot be used yet.
pub(crate) fn unfinished() -> Failure {
    Failure::new("unfinished", "The dream is not whole yet: no recipe makes it as it is.")
        .way_out("Let it go on to its end.")
}
