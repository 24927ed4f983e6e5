//! Every route, who may take it, and what it does.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request};
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::desk::Start;
use crate::frames::{Wanted, frame};
use crate::pictures::{Format, picture};
use crate::problem::Problem;
use crate::server::Room;
use crate::session::Refusal;
use crate::shelf::slug;
use crate::workshop::{Change, Failure, Sample};
use crate::{events, fetch, gallery, page, upload};

/// An answer.
pub(crate) type Answer = Response<Body>;

/// The most bytes of a request in JSON, and how deep it may be: serde_json's own bound is 128.
const MOST_JSON: usize = 256 << 10;

/// The largest noise to start from.
const MOST_NOISE: u32 = 4096;

/// Who may take a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody who gets to the server: nothing secret.
    Open,
    /// Who has the token.
    Token,
    /// Who knows the key, which is in the path. Such routes change nothing.
    Key,
}

/// What a route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Page,
    Session,
    Code,
    State,
    Form,
    Networks,
    Fetch,
    CancelFetch,
    Layers,
    AddPicture,
    StartNoise,
    Import,
    UseRecipe,
    UsePicture,
    Edit,
    Size,
    DreamOn,
    Resume,
    Pause,
    Stop,
    Undo,
    Redo,
    Text,
    WantGallery,
    Quit,
    Events,
    Frame,
    Small,
    Photo,
    Save,
}

/// The routes. `*` stands for one part of a path: in those with [`Access::Key`], the first is the key.
pub(crate) const ROUTES: [(Method, &str, Access, Action); 34] = [
    (Method::GET, "/", Access::Open, Action::Page),
    (Method::GET, "/app.js", Access::Open, Action::Page),
    (Method::GET, "/app.css", Access::Open, Action::Page),
    (Method::GET, "/coffee.jpg", Access::Open, Action::Page),
    (Method::GET, "/icon.svg", Access::Open, Action::Page),
    (Method::POST, "/api/session", Access::Open, Action::Session),
    (Method::POST, "/api/codes", Access::Token, Action::Code),
    (Method::GET, "/api/state", Access::Token, Action::State),
    (Method::GET, "/api/form", Access::Token, Action::Form),
    (Method::GET, "/api/networks", Access::Token, Action::Networks),
    (Method::POST, "/api/networks/*", Access::Token, Action::Fetch),
    (Method::DELETE, "/api/networks/*", Access::Token, Action::CancelFetch),
    (Method::GET, "/api/layers", Access::Token, Action::Layers),
    (Method::POST, "/api/pictures", Access::Token, Action::AddPicture),
    (Method::POST, "/api/noise", Access::Token, Action::StartNoise),
    (Method::POST, "/api/recipes", Access::Token, Action::Import),
    (Method::POST, "/api/offers/*/recipe", Access::Token, Action::UseRecipe),
    (Method::POST, "/api/offers/*/picture", Access::Token, Action::UsePicture),
    (Method::POST, "/api/dream/size", Access::Token, Action::Size),
    (Method::POST, "/api/dream/on", Access::Token, Action::DreamOn),
    (Method::PATCH, "/api/dream", Access::Token, Action::Edit),
    (Method::POST, "/api/dream/resume", Access::Token, Action::Resume),
    (Method::POST, "/api/dream/pause", Access::Token, Action::Pause),
    (Method::POST, "/api/dream/stop", Access::Token, Action::Stop),
    (Method::POST, "/api/dream/undo", Access::Token, Action::Undo),
    (Method::POST, "/api/dream/redo", Access::Token, Action::Redo),
    (Method::GET, "/api/recipe", Access::Token, Action::Text),
    (Method::PUT, "/api/gallery", Access::Token, Action::WantGallery),
    (Method::POST, "/api/quit", Access::Token, Action::Quit),
    (Method::GET, "/events/*", Access::Key, Action::Events),
    (Method::GET, "/frames/*", Access::Key, Action::Frame),
    (Method::GET, "/files/*/small/*", Access::Key, Action::Small),
    (Method::GET, "/files/*/photo/*", Access::Key, Action::Photo),
    (Method::GET, "/files/*/save/*", Access::Key, Action::Save),
];

/// The route of a path, and what stands for its stars.
fn find<'a>(method: &Method, path: &'a str) -> Result<(Access, Action, Vec<&'a str>), StatusCode> {
    let mut other_method = false;
    for (of, pattern, access, action) in &ROUTES {
        let Some(stars) = matched(pattern, path) else { continue };
        if of == method {
            return Ok((*access, *action, stars));
        }
        other_method = true;
    }
    Err(if other_method { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::NOT_FOUND })
}

fn matched<'a>(pattern: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let (mut ours, mut theirs) = (pattern.split('/'), path.split('/'));
    let mut stars = Vec::new();
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return Some(stars),
            (Some("*"), Some(part)) if !part.is_empty() => stars.push(part),
            (Some(own), Some(part)) if own == part => {}
            _ => return None,
        }
    }
}

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
    let query = parts.uri;
    act(room, action, (&path, &stars), &query, body).await
}

async fn act(
    room: Arc<Room>,
    action: Action,
    (path, stars): (&str, &[&str]),
    uri: &axum::http::Uri,
    body: Body,
) -> Result<Answer, Problem> {
    let desk = room.desk.clone();
    match action {
        Action::Page => page::file(path).ok_or_else(unknown),
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
        Action::AddPicture => {
            let Named { name } = query(uri)?;
            let (start, recipe) = upload::upload(room, &name, body).await?;
            let shown = json!({ "start": start, "offered": recipe.is_some() });
            match recipe {
                Some(recipe) => desk.offer(start, recipe),
                None => blocking(move || desk.put(start)).await?,
            }
            Ok(answered(shown))
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
            let kind = HeaderValue::from_static("text/plain; charset=utf-8");
            Ok(([(header::CONTENT_TYPE, kind)], recipe).into_response())
        }
        Action::WantGallery => {
            let wanted: Gallery = json(body).await?;
            let layers = wanted.layers.into_iter().map(Sample::Layer);
            let looks = wanted.looks.into_iter().map(Sample::Look);
            let all = looks.chain(layers).take(gallery::MOST).collect();
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
            blocking(move || Ok(room.shelf.read_small(&name)))
                .await?
                .map(|bytes| picture("image/jpeg", bytes, None))
                .ok_or_else(unknown)
        }
        Action::Photo => {
            let id = stars[1].trim_end_matches(".jpg");
            let start = desk.start(id).filter(|start| !start.noise).ok_or_else(unknown)?;
            let Most { max } = query(uri)?;
            let most = max.clamp(64, MOST_NOISE);
            let bytes = blocking(move || desk.workshop.photo(&start.file, most)).await?;
            Ok(picture("image/jpeg", bytes, None))
        }
        Action::Save => {
            let format = Format::of(stars[1]).ok_or_else(unknown)?;
            let (dream, name, view) = desk.whole().ok_or_else(upload::unfinished)?;
            let bytes = blocking(move || dream.file(format.extension)).await?;
            let what = view["title"].as_str().unwrap_or("dream");
            let name = format!("{} {}.{}", slug(&name), slug(what), format.extension);
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
struct Named {
    name: String,
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
struct Gallery {
    #[serde(default)]
    layers: Vec<String>,
    #[serde(default)]
    looks: Vec<String>,
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

#[derive(Deserialize)]
struct Most {
    #[serde(default = "usual_size")]
    max: u32,
}

fn usual_size() -> u32 {
    1280
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
async fn json<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let wrong = |what: String| Problem::new(StatusCode::BAD_REQUEST, "usage", what);
    let read = tokio::time::timeout(std::time::Duration::from_secs(30), to_bytes(body, MOST_JSON));
    let Ok(Ok(bytes)) = read.await else {
        return Err(wrong(format!("The request has more than {MOST_JSON} bytes, or breaks off.")));
    };
    serde_json::from_slice(&bytes)
        .map_err(|error| wrong(format!("The request makes no sense: {error}.")))
}

fn query<T: DeserializeOwned>(uri: &axum::http::Uri) -> Result<T, Problem> {
    let read = Query::try_from_uri(uri).map(|Query(read)| read);
    read.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "usage", error.body_text()))
}

fn with(act: impl FnOnce()) -> Answer {
    act();
    done()
}

fn done() -> Answer {
    StatusCode::NO_CONTENT.into_response()
}

fn answered(value: Value) -> Answer {
    Json(value).into_response()
}

fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown", "The studio has nothing under this address.")
}
