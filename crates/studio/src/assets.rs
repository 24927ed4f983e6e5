//! What a dream is steered with beside its knobs: classes by name, channels as they answer the photo, and the
//! pictures that a recipe names, guides and masks, kept under their hashes.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Uri;
use serde::Deserialize;
use serde_json::json;

use crate::library::now;
use crate::pictures::picture;
use crate::problem::Problem;
use crate::routes::{Answer, Named, answered, blocking, query, unknown};
use crate::server::Room;
use crate::table::Action;
use crate::upload::{Came, look, receive};
use crate::workshop::{Failure, Look};

/// The longest side of what is shown of a guide.
const SHOWN: u32 = 1024;

/// Does what one of these actions is about.
pub(crate) async fn act(
    room: Arc<Room>,
    action: Action,
    stars: &[&str],
    uri: &Uri,
    body: Body,
) -> Result<Answer, Problem> {
    let workshop = room.desk.workshop.clone();
    match action {
        Action::Classes => {
            let Named { name } = query(uri)?;
            blocking(move || workshop.classes(&name)).await.map(answered)
        }
        Action::Channels => {
            let Channels { layer, x, y } = query(uri)?;
            let at = match (x, y) {
                (None, None) => None,
                (Some(x), Some(y)) if [x, y].iter().all(|share| (0.0..1.0).contains(share)) => {
                    Some([x, y])
                }
                _ => {
                    let what = "A place is two shares of the picture, each from 0 up to, not \
                                including, 1.";
                    return Err(Failure::new("usage", what).into());
                }
            };
            let (start, recipe) = room.desk.now().ok_or_else(unknown)?;
            let source = start.source();
            blocking(move || workshop.channels(&recipe, &source, &layer, at)).await.map(answered)
        }
        Action::AddAsset => {
            let Named { name } = query(uri)?;
            let came = receive(&room, &name, body).await?;
            blocking(move || {
                let Look { width, height, extension, .. } = look(&room, &came)?;
                let Came { file, id, name, .. } = came;
                // Nothing is tidied up meanwhile.
                let _alone = room.look_alone();
                // What somebody else keeps there is none of the library's.
                if workshop.kept(&id).is_none() || room.library.has_asset(&id)? {
                    room.library.give_asset(&id)?;
                }
                workshop.keep(file.path(), &id, &extension)?;
                Ok(json!({ "id": id, "name": name, "width": width, "height": height }))
            })
            .await
            .map(answered)
        }
        Action::Asset => {
            let (id, kind) = stars[1].rsplit_once('.').ok_or_else(unknown)?;
            let file = workshop.kept(id).ok_or_else(unknown)?;
            // A mask is read back as it was painted; what else there is, is only looked at.
            let exact = kind == "png" && file.extension().is_some_and(|ending| ending == "png");
            if !exact && kind != "jpg" {
                return Err(unknown());
            }
            let unread = |error: std::io::Error| {
                Failure::new("disk", format!("Could not read the picture: {error}."))
            };
            blocking(move || match exact {
                true => Ok(picture("image/png", fs::read(&file).map_err(unread)?, None)),
                false => Ok(picture("image/jpeg", workshop.photo(&file, SHOWN)?, None)),
            })
            .await
        }
        _ => Err(unknown()),
    }
}

/// How long a file stays that nothing names, in milliseconds: somebody may be about to use it.
const UNNAMED: i64 = Duration::from_secs(24 * 3600).as_millis() as i64;

/// Removes the files that no card, look or change on the desk names any more, nor anything that has left the library.
pub(crate) fn tidy(room: &Room) -> Result<(), Failure> {
    room.note_left()?;
    let before = now().saturating_sub(UNNAMED);
    let mut left = Ok(());
    for id in room.library.unnamed_assets(before)? {
        let _alone = room.look_alone();
        if room.desk.names(&id) || !room.library.can_forget_asset(&id, before)? {
            continue;
        }
        // What cannot be removed stays known, and is tried again. The others can be.
        let removed = room.desk.workshop.remove_kept(&id);
        left = left.and(removed.and_then(|()| room.library.forget_asset(&id)));
    }
    left
}

/// Which channels are asked for.
#[derive(Deserialize)]
struct Channels {
    layer: String,
    /// The place, right and down in shares of the picture.
    x: Option<f64>,
    y: Option<f64>,
}
