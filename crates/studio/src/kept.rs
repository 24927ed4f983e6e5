//! The routes of what is kept of dreams: cards of the history, variations, saved looks, the command line.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Uri, header};
use axum::response::IntoResponse;
use serde::Deserialize;

use crate::pictures::picture;
use crate::problem::Problem;
use crate::routes::{
    Answer, Most, Named, answered, blocking, done, found, json, query, shown, unknown,
};
use crate::server::Room;
use crate::table::Kept;
use crate::{history, looks, variations};

/// The longest side of what is shown of a card.
const SHOWN: u32 = 4096;

/// Does what one of these actions is about.
pub(crate) async fn act(
    room: Arc<Room>,
    action: Kept,
    stars: &[&str],
    uri: &Uri,
    body: Body,
) -> Result<Answer, Problem> {
    // In those with the key, that is the first.
    let id = stars.last().copied().unwrap_or_default().trim_end_matches(".jpg").to_owned();
    match action {
        Kept::Cards => blocking(move || history::list(&room)).await.map(answered),
        Kept::Show => found(move || history::show(&room, &id)).await,
        Kept::Original => found(move || history::open_original(&room, &id)).await,
        Kept::Check => found(move || history::check(&room, &id)).await,
        Kept::Change => {
            let change = json(body).await?;
            found(move || history::change(&room, &id, change)).await
        }
        Kept::Card => shown(move || room.library.small_of_node(&id)).await,
        Kept::Made => {
            let Most { max } = query(uri)?;
            let dream = room.desk.made(&id).ok_or_else(unknown)?;
            let bytes = blocking(move || Ok(dream.jpeg(max.clamp(64, SHOWN), 92))).await?;
            Ok(picture("image/jpeg", bytes, None))
        }
        Kept::Vary => {
            let Vary { first } = json(body).await?;
            blocking(move || variations::begin(&room, first)).await.map(|()| done())
        }
        Kept::NoVariations => {
            room.desk.end_variations();
            Ok(done())
        }
        Kept::Take => {
            let number = id.parse().map_err(|_| unknown())?;
            found(move || Ok(room.desk.take_variation(number))).await
        }
        Kept::Variation => {
            let number: usize = id.parse().map_err(|_| unknown())?;
            let grown = room.desk.lock().variations.as_ref().and_then(|all| all.picture(number));
            // They may have ended since the page was told of this one.
            let Some(grown) = grown else { return Ok(done()) };
            let bytes = blocking(move || Ok(grown.jpeg(640, 85))).await?;
            Ok(picture("image/jpeg", bytes, None))
        }
        Kept::Looks => blocking(move || looks::list(&room)).await.map(answered),
        Kept::SaveLook => {
            let NewLook { name, recipe } = json(body).await?;
            blocking(move || looks::save(&room, &name, recipe)).await.map(|()| done())
        }
        Kept::UseLook => {
            let UseLook { layers } = json(body).await?;
            found(move || looks::apply(&room, &id, layers)).await
        }
        Kept::RenameLook => {
            let Named { name } = json(body).await?;
            found(move || looks::rename(&room, &id, &name)).await
        }
        Kept::RemoveLook => {
            blocking(move || looks::remove(&room, &id)).await?.map(answered).ok_or_else(unknown)
        }
        Kept::Command => {
            let (start, recipe) = room.desk.now().ok_or_else(unknown)?;
            let longest = room.desk.lock().longest();
            let smaller = start.width.max(start.height) > longest;
            let longest = smaller.then_some(longest);
            let workshop = room.desk.workshop.clone();
            room.leaves(&recipe);
            let line = blocking(move || workshop.command(&recipe, &start.name, longest)).await?;
            let kind = HeaderValue::from_static("text/plain; charset=utf-8");
            Ok(([(header::CONTENT_TYPE, kind)], line).into_response())
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vary {
    /// How far the first one's seed is from the desk's.
    first: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UseLook {
    /// Whether its layers are taken too.
    layers: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLook {
    name: String,
    /// Default: that of what is on the desk.
    recipe: Option<String>,
}
