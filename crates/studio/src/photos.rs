//! The photos of the library: listed, put on the desk, renamed, put into the trash and taken out of it.
//!
//! A file stays where it is while its photo is in the trash, so that dreams on it can still be undone; it goes
//! when the trash is emptied, by hand or when it has been there long enough.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::desk::{Part, Start};
use crate::library::{NewPicture, Stored, now};
use crate::queue::Ticket;
use crate::render::Clip;
use crate::server::Room;
use crate::shelf::label;
use crate::workshop::{Failure, Source};

/// How long photos stay in the trash, in milliseconds.
pub(crate) const TRASH_LIVES: i64 = Duration::from_secs(30 * 24 * 3600).as_millis() as i64;

/// The longest side of their small pictures.
const SMALL: u32 = 224;

/// A change of a photo: what is not given stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    trashed: Option<bool>,
}

/// Takes a photo whose file is there into the library; returns it as the library has it.
pub(crate) fn add(
    room: &Room,
    start: Start,
    extension: &str,
    bytes: u64,
) -> Result<Start, Failure> {
    room.library.add_picture(&NewPicture {
        id: &start.id,
        name: &start.name,
        extension,
        size: (start.width, start.height),
        bytes,
        moves: None,
    })?;
    room.desk.tell_of(Part::Pictures);
    let name = room.library.picture(&start.id)?.map_or(start.name, |known| known.name);
    Ok(Start { name, ..start })
}

/// Takes a video whose file is there into the library; returns the name that it has there.
pub(crate) fn add_video(
    room: &Room,
    (id, name): (&str, &str),
    clip: &Clip,
    bytes: u64,
) -> Result<String, Failure> {
    let Clip { width, height, seconds, rate, ref extension } = *clip;
    let (size, moves) = ((width, height), Some((seconds, rate)));
    room.library.add_picture(&NewPicture { id, name, extension, size, bytes, moves })?;
    room.desk.tell_of(Part::Pictures);
    Ok(room.library.picture(id)?.map_or_else(|| name.to_owned(), |known| known.name))
}

/// The small picture of a photo, which is made when it is first asked for; none if there is no such photo.
pub(crate) fn small(room: &Room, id: &str) -> Result<Option<Vec<u8>>, Failure> {
    if let Some(small) = room.library.small_of_picture(id)? {
        return Ok(Some(small));
    }
    let Some(photo) = room.library.picture(id)? else { return Ok(None) };
    let _alone = room.look_alone();
    let moves = photo.moves.is_some();
    let file = start(room, photo)?.file;
    let small = match moves {
        true => room.desk.workshop.poster(&file, SMALL)?,
        false => room.desk.workshop.photo(&file, SMALL)?,
    };
    room.library.keep_small_of_picture(id, &small)?;
    Ok(Some(small))
}

/// All that are not in the trash, and what is in it: photos, and the cards that would go with them.
pub(crate) fn list(room: &Room) -> Result<Value, Failure> {
    let all = room.library.pictures()?;
    let (videos, pictures): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|photo| photo.moves.is_some());
    let trash = room.library.trashed_before(i64::MAX)?;
    let trash = json!({ "pictures": trash, "cards": room.library.trashed_nodes()? });
    Ok(json!({ "pictures": pictures, "videos": videos, "trash": trash }))
}

/// How many bytes the small pictures of layers and looks have.
pub(crate) fn cache(room: &Room) -> Value {
    json!({ "bytes": room.shelf.bytes_of_small() })
}

/// Removes the small pictures of layers and looks; those that are wanted are made again.
pub(crate) fn clear_cache(room: &Room) -> Result<(), Failure> {
    let cleared = room.shelf.clear_small(0);
    room.desk.remake();
    cleared.map_err(|error| {
        Failure::new("disk", format!("Not all small pictures could be removed: {error}."))
    })
}

/// Puts a photo on the desk; none if there is none of that name.
pub(crate) fn open(room: &Room, id: &str) -> Result<Option<()>, Failure> {
    let photo = room.library.picture(id)?.filter(|photo| photo.moves.is_none());
    let Some(photo) = photo else { return Ok(None) };
    room.desk.put(start(room, photo)?)?;
    room.library.use_picture(id)?;
    room.desk.tell_of(Part::Pictures);
    Ok(Some(()))
}

/// A photo of the library as what a dream starts from.
///
/// # Errors
/// Its file is gone.
pub(crate) fn start(room: &Room, photo: Stored) -> Result<Start, Failure> {
    let Stored { id, name, extension, width, height, .. } = photo;
    let file = room.shelf.photo(&id, &extension);
    if !file.is_file() {
        let what = format!("The file of {name} is gone: it was {}.", file.display());
        return Err(Failure::new("picture", what).way_out("Choose the photo again."));
    }
    Ok(Start { id, name, width, height, noise: false, file })
}

/// What a job starts from.
///
/// # Errors
/// A photo that is gone.
pub(crate) fn source(room: &Room, ticket: &Ticket) -> Result<Source, Failure> {
    let Ticket { picture, name, width, height, noise, .. } = ticket;
    if *noise {
        return Ok(Source::Noise { width: *width, height: *height });
    }
    let gone = || Failure::new("picture", format!("{name} is no longer in the library."));
    let photo = room.library.picture(picture)?.ok_or_else(gone)?;
    Ok(start(room, photo)?.source())
}

/// What is known of a video of the library.
pub(crate) fn clip(video: &Stored) -> Option<Clip> {
    let Stored { extension, width, height, .. } = video.clone();
    let (seconds, rate) = video.moves?;
    Some(Clip { width, height, seconds, rate, extension })
}

/// Changes a photo; none if there is none of that name.
pub(crate) fn change(room: &Room, id: &str, change: Change) -> Result<Option<()>, Failure> {
    let mut known = true;
    if let Some(name) = change.name {
        let name = label(&name);
        known &= room.library.rename_picture(id, &name)?;
        room.desk.rename(id, &name);
    }
    if let Some(trashed) = change.trashed {
        known &= room.library.trash_picture(id, trashed)?;
    }
    room.desk.tell_of(Part::Pictures);
    Ok(known.then_some(()))
}

/// Removes for good what has been in the trash for so many milliseconds, photos with all their cards, but for photos
/// on the desk or in the queue.
pub(crate) fn empty_trash(room: &Room, age: i64) -> Result<(), Failure> {
    let mut left = Ok(());
    room.library.forget_nodes(now().saturating_sub(age).saturating_add(1))?;
    for photo in room.library.trashed_before(now().saturating_sub(age).saturating_add(1))? {
        if room.desk.has(&photo.id) || room.queue.needs(&photo.id) {
            continue;
        }
        match fs::remove_file(room.shelf.photo(&photo.id, &photo.extension)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let what = format!("{} could not be removed: {error}.", photo.name);
                // The others can.
                left = Err(Failure::new("disk", what));
            }
            _ => room.library.forget_picture(&photo.id)?,
        }
    }
    room.desk.tell_of(Part::Pictures);
    left
}
