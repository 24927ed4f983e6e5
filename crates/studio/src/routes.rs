//! What each route does, for those who may take it.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::desk::Start;
use crate::frames::{Wanted, frame};
use crate::pictures::{Format, picture};
use crate::problem::Problem;
use crate::render::Clip;
use crate::server::Room;
use crate::session::Refusal;
use crate::shelf::{slug, stem};
use crate::table::{Access, Action, find};
use crate::workshop::{Change, Failure};
use crate::{assets, events, fetch, gallery, history, kept, page, photos, queue, upload};

/// An answer.
pub(crate) type Answer = Response<Body>;

/// The most bytes of a request in JSON, and how deep it may be: serde_json's own bound is 128.
const MOST_JSON: usize = 256 << 10;

/// The largest noise to start from.
const MOST_NOISE: u32 = 4096;

/// Answers a request.
pub(crate) async fn answer(room: Arc<Room>, request: Request) -> Answer {
    let mut answer = match guarded(room, request).await {
        Ok(answer) => answer,
        Err(problem) => problem.into_response(),
    };
    let headers = answer.headers_mut();
    let set = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in set {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in [
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer
}

async fn guarded(room: Arc<Room>, request: Request) -> Result<Answer, Problem> {
    let (parts, body) = request.into_parts();
    room.hosts
        .check(&parts.method, &parts.uri, &parts.headers)
        .map_err(|why| Problem::new(StatusCode::FORBIDDEN, "refused", why))?;
    let path = parts.uri.path().to_owned();
    let (access, action, stars) = find(&parts.method, &path).map_err(|status| {
        Problem::new(status, "unknown", "The studio has nothing under this address.")
    })?;
    let closed = || {
        let what = "This window has no key to the studio that runs.";
        Problem::new(StatusCode::UNAUTHORIZED, "closed", what)
    };
    match access {
        Access::Open => {}
        Access::Token => {
            let given = parts.headers.get(header::AUTHORIZATION);
            let given = given.and_then(|given| given.to_str().ok()?.strip_prefix("Bearer "));
            if !given.is_some_and(|given| room.session.token.is(given)) {
                return Err(closed());
            }
        }
        Access::Key => {
            if !room.session.key.is(stars[0]) {
                return Err(closed());
            }
        }
    }
    act(room, action, (&path, &stars), (&parts.uri, &parts.headers), body).await
}

async fn act(
    room: Arc<Room>,
    action: Action,
    (path, stars): (&str, &[&str]),
    (uri, headers): (&axum::http::Uri, &HeaderMap),
    body: Body,
) -> Result<Answer, Problem> {
    let desk = room.desk.clone();
    match action {
        Action::Page => page::file(path, uri.query()).ok_or_else(unknown),
        Action::Session => session(&room, json(body).await?),
        Action::Code => {
            let code = room.session.code().map_err(|error| Failure::new("internal", error))?;
            Ok(Json(json!({ "code": code })).into_response())
        }
        Action::State => {
            let (count, parts) = desk.since(0);
            let mut state: serde_json::Map<String, Value> =
                parts.into_iter().map(|(part, value)| (part.name().to_owned(), value)).collect();
            state.insert("count".into(), count.into());
            Ok(Json(state).into_response())
        }
        Action::Form => blocking(move || Ok(desk.workshop.form())).await.map(answered),
        Action::Networks => blocking(move || desk.workshop.networks()).await.map(answered),
        Action::Fetch => {
            let name = stars[0].to_owned();
            blocking(move || fetch::fetch(&desk, name)).await.map(|()| done())
        }
        Action::CancelFetch => Ok(with(|| fetch::cancel(&desk))),
        Action::Layers => {
            let Named { name } = query(uri)?;
            blocking(move || desk.workshop.layers(&name)).await.map(answered)
        }
        Action::Kept(action) => kept::act(room, action, stars, uri, body).await,
        Action::Classes | Action::Channels | Action::AddAsset | Action::Asset => {
            assets::act(room, action, stars, uri, body).await
        }
        Action::AddPicture => {
            let Named { name } = query(uri)?;
            let (start, recipe) = upload::upload(room.clone(), &name, body).await?;
            let id = start.id.clone();
            let (of, text) = (desk.clone(), recipe.clone());
            let (original, differences) = blocking(move || {
                let differences = text.and_then(|text| of.differences(&text));
                Ok((history::original(&room, &id)?, differences))
            })
            .await?;
            let original = original.map(|(_, photo)| photo.name);
            let offered = recipe.is_some();
            let came = json!({
                "start": start,
                "offered": offered,
                "original": original,
                "differences": differences,
            });
            match recipe {
                Some(recipe) => desk.offer(start, recipe),
                None => blocking(move || desk.put(start)).await?,
            }
            Ok(answered(came))
        }
        Action::Pictures => blocking(move || photos::list(&room)).await.map(answered),
        Action::OpenPicture => {
            let id = stars[0].to_owned();
            found(move || photos::open(&room, &id)).await
        }
        Action::ChangePicture => {
            let (id, change) = (stars[0].to_owned(), json(body).await?);
            found(move || photos::change(&room, &id, change)).await
        }
        Action::EmptyTrash => {
            blocking(move || photos::empty_trash(&room, 0)).await.map(|()| done())
        }
        Action::Cache => blocking(move || Ok(photos::cache(&room))).await.map(answered),
        Action::ClearCache => blocking(move || photos::clear_cache(&room)).await.map(|()| done()),
        Action::AddVideo => {
            let Named { name } = query(uri)?;
            let (id, name, clip) = upload::upload_video(room, &name, body).await?;
            let Clip { width, height, seconds, rate, .. } = clip;
            let (size, moves) = ([width, height], [seconds, rate]);
            Ok(answered(json!({ "id": id, "name": name, "size": size, "moves": moves })))
        }
        Action::Plan => {
            let wanted = json(body).await?;
            blocking(move || queue::plan(&room, wanted)).await.map(answered)
        }
        Action::Jobs => Ok(answered(room.queue.list(room.shelf.root()))),
        Action::AddJob => {
            let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
            let (wanted, key) = (json(body).await?, key.map(str::to_owned));
            blocking(move || queue::add(&room, wanted, key.as_deref())).await.map(answered)
        }
        Action::ChangeJob => {
            let (id, change) = (stars[0].to_owned(), json(body).await?);
            found(move || queue::change(&room, &id, &change)).await
        }
        Action::RemoveJob => {
            let id = stars[0].to_owned();
            found(move || queue::remove(&room, &id)).await
        }
        Action::ChangeQueue => {
            let change = json(body).await?;
            blocking(move || queue::change_all(&room, &change)).await.map(|()| done())
        }
        Action::Import => {
            let Recipe { text } = json(body).await?;
            blocking(move || desk.import(&text)).await.map(|()| done())
        }
        Action::UseRecipe => {
            let (_, recipe) = desk.offered(stars[0]).ok_or_else(unknown)?;
            blocking(move || desk.import(&recipe)).await.map(|()| done())
        }
        Action::UsePicture => {
            let (start, _) = desk.offered(stars[0]).ok_or_else(unknown)?;
            blocking(move || desk.put(start)).await.map(|()| done())
        }
        Action::Size => {
            let Longest { longest } = json(body).await?;
            blocking(move || desk.resize(longest)).await.map(|()| done())
        }
        Action::DreamOn => {
            blocking(move || desk.put(upload::dream_on(&room)?)).await.map(|()| done())
        }
        Action::StartNoise => {
            let Noise { width, height } = json(body).await?;
            let sides = 32..=MOST_NOISE;
            if !sides.contains(&width) || !sides.contains(&height) {
                let what = format!("Noise has sides of 32 to {MOST_NOISE} pixels.");
                return Err(Failure::new("usage", what).into());
            }
            blocking(move || desk.put(Start::noise(width, height))).await.map(|()| done())
        }
        Action::Edit => {
            let Edit { rev, gesture, changes } = json(body).await?;
            let rev = blocking(move || desk.edit(rev, gesture, &changes)).await?;
            Ok(answered(json!({ "rev": rev })))
        }
        Action::Resume => Ok(with(|| desk.pause(false))),
        Action::Pause => Ok(with(|| desk.pause(true))),
        Action::Stop => Ok(with(|| desk.stop())),
        Action::Undo => blocking(move || Ok(desk.undo(false))).await.map(|_| done()),
        Action::Redo => blocking(move || Ok(desk.undo(true))).await.map(|_| done()),
        Action::Text => {
            let (_, recipe) = desk.now().ok_or_else(unknown)?;
            room.leaves(&recipe);
            let kind = HeaderValue::from_static("text/plain; charset=utf-8");
            Ok(([(header::CONTENT_TYPE, kind)], recipe).into_response())
        }
        Action::WantGallery => {
            let wanted: gallery::Wanted = json(body).await?;
            let all = blocking(move || wanted.samples(&room)).await?;
            desk.lock().gallery.want(all);
            desk.work.notify_all();
            Ok(done())
        }
        Action::Quit => Ok(with(|| desk.close())),
        Action::Events => {
            let After { after } = query(uri)?;
            Ok(events::events(desk, after).into_response())
        }
        Action::Frame => {
            let wanted: Wanted = query(uri)?;
            frame(desk, room.encoded.clone(), wanted).await
        }
        Action::Small => {
            let name = stars[1].trim_end_matches(".jpg").to_owned();
            shown(move || Ok(room.shelf.read_small(&name))).await
        }
        Action::Photo => {
            let id = stars[1].trim_end_matches(".jpg");
            let start = desk.start(id).filter(|start| !start.noise).ok_or_else(unknown)?;
            let Most { max } = query(uri)?;
            let most = max.clamp(64, MOST_NOISE);
            let bytes = blocking(move || desk.workshop.photo(&start.file, most)).await?;
            Ok(picture("image/jpeg", bytes, None))
        }
        Action::Thumb => {
            let id = stars[1].trim_end_matches(".jpg").to_owned();
            shown(move || photos::small(&room, &id)).await
        }
        Action::Made => {
            let Save { save } = query(uri)?;
            queue::file(&room, stars[1], save, headers).ok_or_else(unknown)
        }
        Action::SmallMade => {
            let id = stars[1].trim_end_matches(".jpg").to_owned();
            shown(move || queue::small(&room, &id)).await
        }
        Action::Save => {
            let format = Format::of(stars[1]).ok_or_else(unknown)?;
            if format.unfinished {
                let (frame, name) = desk.unfinished().ok_or_else(unknown)?;
                let bytes = blocking(move || Ok(frame.jpeg(u32::MAX, 95))).await?;
                let name = format!("{} unfinished.jpg", slug(stem(&name)));
                return Ok(picture(format.kind, bytes, Some(&name)));
            }
            let (dream, name, view) = desk.whole().ok_or_else(upload::unfinished)?;
            room.leaves(dream.recipe());
            let bytes = blocking(move || dream.file(format.extension)).await?;
            let what = view["title"].as_str().unwrap_or("dream");
            let name = format!("{} {}.{}", slug(stem(&name)), slug(what), format.extension);
            Ok(picture(format.kind, bytes, Some(&name)))
        }
    }
}

fn session(room: &Room, Opened { code, token }: Opened) -> Result<Answer, Problem> {
    let (guess, is_code) = match (&code, &token) {
        (Some(code), None) => (code, true),
        (None, Some(token)) => (token, false),
        _ => return Err(Problem::new(StatusCode::BAD_REQUEST, "usage", "Give a code or a token.")),
    };
    match room.session.open(guess, is_code) {
        Ok(()) => {
            let (token, key) = (room.session.token.text(), room.session.key.text());
            Ok(Json(json!({ "token": token, "key": key })).into_response())
        }
        Err(Refusal::Wrong(why)) => Err(Problem::of(StatusCode::UNAUTHORIZED, why)),
        Err(Refusal::TooMany) => {
            let what = "Too many wrong guesses. Wait a minute.";
            Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "closed", what))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    code: Option<String>,
    token: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Noise {
    width: u32,
    height: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// What the desk was at when the change was made.
    rev: u64,
    /// Changes of one gesture are undone as one; 0 is none.
    #[serde(default)]
    gesture: u64,
    changes: Vec<Change>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Longest {
    longest: u32,
}

/// How large something is shown at the most.
#[derive(Deserialize)]
pub(crate) struct Most {
    #[serde(default = "usual_size")]
    pub(crate) max: u32,
}

pub(crate) fn usual_size() -> u32 {
    1280
}

#[derive(Deserialize)]
struct Save {
    #[serde(default)]
    save: bool,
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

/// Runs what takes a moment where it keeps no other request waiting.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Problem::from),
        Err(_) => {
            let what = "The studio made a mistake. Its terminal says where.";
            Err(Failure::new("internal", what).into())
        }
    }
}

/// The body as JSON.
pub(crate) async fn json<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let wrong = |what: String| Problem::new(StatusCode::BAD_REQUEST, "usage", what);
    let read = tokio::time::timeout(std::time::Duration::from_secs(30), to_bytes(body, MOST_JSON));
    let Ok(Ok(bytes)) = read.await else {
        return Err(wrong(format!("The request has more than {MOST_JSON} bytes, or breaks off.")));
    };
    serde_json::from_slice(&bytes)
        .map_err(|error| wrong(format!("The request makes no sense: {error}.")))
}

pub(crate) fn query<T: DeserializeOwned>(uri: &axum::http::Uri) -> Result<T, Problem> {
    let read = Query::try_from_uri(uri).map(|Query(read)| read);
    read.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "usage", error.body_text()))
}

fn with(act: impl FnOnce()) -> Answer {
    act();
    done()
}

pub(crate) fn done() -> Answer {
    StatusCode::NO_CONTENT.into_response()
}

/// Does it, or says that there is no such thing.
pub(crate) async fn found(
    work: impl FnOnce() -> Result<Option<()>, Failure> + Send + 'static,
) -> Result<Answer, Problem> {
    blocking(work).await?.map(|()| done()).ok_or_else(unknown)
}

/// Shows a JPEG, or says that there is no such thing.
pub(crate) async fn shown(
    work: impl FnOnce() -> Result<Option<Vec<u8>>, Failure> + Send + 'static,
) -> Result<Answer, Problem> {
    let bytes = blocking(work).await?.ok_or_else(unknown)?;
    Ok(picture("image/jpeg", bytes, None))
}

pub(crate) fn answered(value: Value) -> Answer {
    Json(value).into_response()
}

pub(crate) fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown", "The studio has nothing under this address.")
}
