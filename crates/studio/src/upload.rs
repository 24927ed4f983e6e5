//! A photo comes in: streamed to disk, within bounds, and looked at before it is anything.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::desk::Start;
use crate::problem::Problem;
use crate::secret::hex;
use crate::server::Room;
use crate::shelf::label;
use crate::workshop::{Failure, Look};

/// The most bytes of a photo.
const MOST_BYTES: u64 = 200 << 20;

/// The longest time without a byte.
const SILENCE: Duration = Duration::from_secs(30);

/// Takes a photo in; with it comes the text of the recipe that it was dreamt by, if it was.
pub(crate) async fn upload(
    room: Arc<Room>,
    name: &str,
    mut body: Body,
) -> Result<(Start, Option<String>), Problem> {
    let name = label(name);
    let file = tempfile::Builder::new()
        .prefix("in-")
        .tempfile_in(room.shelf.incoming())
        .map_err(|error| disk(&error))?;
    let (file, path) = file.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let (mut hash, mut bytes) = (Sha256::new(), 0u64);
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
        if bytes > MOST_BYTES {
            let what = format!("{name}: a photo may have 200 MB at the most.");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "picture", what));
        }
        hash.update(&data);
        file.write_all(&data).await.map_err(|error| disk(&error))?;
    }
    file.flush().await.map_err(|error| disk(&error))?;
    drop(file);
    let id = hex(&hash.finalize());
    crate::routes::blocking(move || {
        // One at a time: each may take a good part of the memory.
        let _one = room.looking.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Look { width, height, extension, recipe } = room.desk.workshop.look(&path, &name)?;
        let plain = extension.len() <= 5 && extension.bytes().all(|b| b.is_ascii_alphanumeric());
        let extension = if plain { extension } else { "bin".to_owned() };
        let kept = room.shelf.photo(&id, &extension);
        if !kept.exists() {
            path.persist(&kept).map_err(|error| disk_failure(&error.error))?;
        }
        Ok((Start { id, name, width, height, noise: false, file: kept }, recipe))
    })
    .await
}

fn disk_failure(error: &std::io::Error) -> Failure {
    Failure::new("disk", format!("The photo could not be kept: {error}"))
        .way_out("Make room on the disk.")
}

fn disk(error: &std::io::Error) -> Problem {
    disk_failure(error).into()
}

/// Makes a dream that is whole a photo, on which the next one is dreamt.
pub(crate) fn dream_on(room: &Room) -> Result<Start, Failure> {
    let (dream, name, _) = room.desk.whole().ok_or_else(unfinished)?;
    let bytes = dream.file("png")?;
    let id = hex(&Sha256::digest(&bytes));
    let file = room.shelf.photo(&id, "png");
    std::fs::write(&file, &bytes).map_err(|error| disk_failure(&error))?;
    let (width, height) = dream.size();
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    let name = label(&format!("{stem}, dreamt.png"));
    Ok(Start { id, name, width, height, noise: false, file })
}

/// Why a dream cannot be used yet.
pub(crate) fn unfinished() -> Failure {
    Failure::new("unfinished", "The dream is not whole yet: no recipe makes it as it is.")
        .way_out("Let it go on to its end.")
}
