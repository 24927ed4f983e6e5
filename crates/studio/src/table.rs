//! Every route, and who may take it.

use axum::http::{Method, StatusCode};

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

/// What a route does with the history, variations and saved looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Cards,
    Show,
    Change,
    Check,
    Original,
    Card,
    Made,
    Vary,
    NoVariations,
    Take,
    Variation,
    Looks,
    SaveLook,
    UseLook,
    RenameLook,
    RemoveLook,
    Command,
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
    Kept(Kept),
    Classes,
    Channels,
    AddAsset,
    Asset,
    AddPicture,
    Pictures,
    OpenPicture,
    ChangePicture,
    EmptyTrash,
    Cache,
    ClearCache,
    AddVideo,
    Plan,
    Jobs,
    AddJob,
    ChangeJob,
    RemoveJob,
    ChangeQueue,
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
    Thumb,
    Made,
    SmallMade,
    Save,
}

/// The routes. `*` stands for one part of a path: in those with [`Access::Key`], the first is the key.
pub(crate) const ROUTES: &[(Method, &str, Access, Action)] = &[
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
    (Method::GET, "/api/classes", Access::Token, Action::Classes),
    (Method::GET, "/api/channels", Access::Token, Action::Channels),
    (Method::POST, "/api/assets", Access::Token, Action::AddAsset),
    (Method::POST, "/api/pictures", Access::Token, Action::AddPicture),
    (Method::GET, "/api/pictures", Access::Token, Action::Pictures),
    (Method::PATCH, "/api/pictures/*", Access::Token, Action::ChangePicture),
    (Method::POST, "/api/pictures/*/open", Access::Token, Action::OpenPicture),
    (Method::DELETE, "/api/trash", Access::Token, Action::EmptyTrash),
    (Method::GET, "/api/cache", Access::Token, Action::Cache),
    (Method::DELETE, "/api/cache", Access::Token, Action::ClearCache),
    (Method::POST, "/api/videos", Access::Token, Action::AddVideo),
    (Method::POST, "/api/plan", Access::Token, Action::Plan),
    (Method::GET, "/api/jobs", Access::Token, Action::Jobs),
    (Method::POST, "/api/jobs", Access::Token, Action::AddJob),
    (Method::PATCH, "/api/jobs/*", Access::Token, Action::ChangeJob),
    (Method::DELETE, "/api/jobs/*", Access::Token, Action::RemoveJob),
    (Method::PATCH, "/api/queue", Access::Token, Action::ChangeQueue),
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
    (Method::GET, "/api/nodes", Access::Token, Action::Kept(Kept::Cards)),
    (Method::POST, "/api/nodes/*/show", Access::Token, Action::Kept(Kept::Show)),
    (Method::POST, "/api/nodes/*/check", Access::Token, Action::Kept(Kept::Check)),
    (Method::PATCH, "/api/nodes/*", Access::Token, Action::Kept(Kept::Change)),
    (Method::POST, "/api/offers/*/original", Access::Token, Action::Kept(Kept::Original)),
    (Method::POST, "/api/variations", Access::Token, Action::Kept(Kept::Vary)),
    (Method::DELETE, "/api/variations", Access::Token, Action::Kept(Kept::NoVariations)),
    (Method::POST, "/api/variations/*/take", Access::Token, Action::Kept(Kept::Take)),
    (Method::GET, "/api/looks", Access::Token, Action::Kept(Kept::Looks)),
    (Method::POST, "/api/looks", Access::Token, Action::Kept(Kept::SaveLook)),
    (Method::POST, "/api/looks/*/use", Access::Token, Action::Kept(Kept::UseLook)),
    (Method::PATCH, "/api/looks/*", Access::Token, Action::Kept(Kept::RenameLook)),
    (Method::DELETE, "/api/looks/*", Access::Token, Action::Kept(Kept::RemoveLook)),
    (Method::GET, "/api/command", Access::Token, Action::Kept(Kept::Command)),
    (Method::PUT, "/api/gallery", Access::Token, Action::WantGallery),
    (Method::POST, "/api/quit", Access::Token, Action::Quit),
    (Method::GET, "/events/*", Access::Key, Action::Events),
    (Method::GET, "/frames/*", Access::Key, Action::Frame),
    (Method::GET, "/files/*/small/*", Access::Key, Action::Small),
    (Method::GET, "/files/*/card/*", Access::Key, Action::Kept(Kept::Card)),
    (Method::GET, "/files/*/again/*", Access::Key, Action::Kept(Kept::Made)),
    (Method::GET, "/files/*/variation/*", Access::Key, Action::Kept(Kept::Variation)),
    (Method::GET, "/files/*/asset/*", Access::Key, Action::Asset),
    (Method::GET, "/files/*/photo/*", Access::Key, Action::Photo),
    (Method::GET, "/files/*/thumb/*", Access::Key, Action::Thumb),
    (Method::GET, "/files/*/made/*", Access::Key, Action::Made),
    (Method::GET, "/files/*/small-made/*", Access::Key, Action::SmallMade),
    (Method::GET, "/files/*/save/*", Access::Key, Action::Save),
];

/// The route of a path, and what stands for its stars.
pub(crate) fn find<'a>(
    method: &Method,
    path: &'a str,
) -> Result<(Access, Action, Vec<&'a str>), StatusCode> {
    let mut other_method = false;
    for (of, pattern, access, action) in ROUTES {
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
