//! What outlives a run of the studio.

use crate::fake::Running;
use serde_json::{Value, json};

fn pictures(studio: &Running) -> Value {
    studio.get("/api/pictures").json()
}

fn in_trash(studio: &Running) -> usize {
    pictures(studio)["trash"]["pictures"].as_array().unwrap().len()
}

fn names(studio: &Running) -> Vec<String> {
    let list = pictures(studio)["pictures"].clone();
    let name = |picture: &Value| picture["name"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(name).collect()
}

#[test]
fn photos_live_from_run_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("studio");
    let studio = Running::with(|options| options.folder = root.clone());
    let id = studio.put(b"picture of a sky")["id"].as_str().unwrap().to_owned();
    drop(studio);
    let studio = Running::with(|options| options.folder = root.clone());
    assert_eq!(names(&studio), ["sky.png"]);
    let thumb = studio.get(&format!("/files/{}/thumb/{id}.jpg", studio.key));
    assert_eq!(thumb.text(), "photo 224 16");
    assert_eq!(studio.ask("POST", &format!("/api/pictures/{id}/open"), b"").status, 204);
    let state = studio.until(|dream| dream["phase"] == "done");
    assert_eq!(state["desk"]["start"]["id"], id);
    assert_eq!(studio.ask("POST", "/api/pictures/other/open", b"").status, 404);
}

#[test]
fn photos_are_renamed_and_removed_and_taken_back() {
    let studio = Running::new();
    let id = studio.put(b"picture of a sky")["id"].as_str().unwrap().to_owned();
    let change = |change: Value| {
        studio.ask("PATCH", &format!("/api/pictures/{id}"), change.to_string().as_bytes()).status
    };
    assert_eq!(change(json!({ "name": "../my\u{202e} sky" })), 204);
    assert_eq!(names(&studio), ["my sky"]);
    assert_eq!(studio.state()["desk"]["start"]["name"], "my sky");
    assert_eq!(change(json!({ "path": "/etc/passwd" })), 400);
    assert_eq!(change(json!({ "trashed": true })), 204);
    assert_eq!(names(&studio), [""; 0]);
    assert_eq!(pictures(&studio)["trash"]["pictures"][0]["name"], "my sky");
    assert_eq!(change(json!({ "trashed": false })), 204);
    assert_eq!(names(&studio), ["my sky"]);
    // The same bytes again take it out as well, under the name that it has.
    assert_eq!(change(json!({ "trashed": true })), 204);
    assert_eq!(studio.put(b"picture of a sky")["name"], "my sky");
    assert_eq!(names(&studio), ["my sky"]);
}

#[test]
fn what_is_on_the_desk_outlives_the_trash() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("studio");
    let studio = Running::with(|options| options.folder = root.clone());
    let trash = |id: &Value| {
        let path = format!("/api/pictures/{}", id.as_str().unwrap());
        assert_eq!(studio.ask("PATCH", &path, br#"{"trashed":true}"#).status, 204);
    };
    let other = studio.ask("POST", "/api/pictures?name=a.png", b"picture by {}").json();
    let own = studio.put(b"picture of a sky")["id"].clone();
    trash(&own);
    trash(&other["start"]["id"]);
    assert_eq!(studio.files().len(), 2);
    // One is on the desk, the other waits for an answer.
    assert_eq!(studio.ask("DELETE", "/api/trash", b"").status, 204);
    assert_eq!(studio.files().len(), 2);
    drop(studio);
    let studio = Running::with(|options| options.folder = root);
    assert_eq!(in_trash(&studio), 2);
    assert_eq!(studio.ask("DELETE", "/api/trash", b"").status, 204);
    assert_eq!(in_trash(&studio), 0);
    assert!(studio.files().is_empty());
}

#[test]
fn a_photo_whose_file_is_gone_says_so() {
    let studio = Running::new();
    let id = studio.put(b"picture of a sky")["id"].as_str().unwrap().to_owned();
    studio.files().iter().for_each(|file| std::fs::remove_file(file).unwrap());
    let answer = studio.ask("POST", &format!("/api/pictures/{id}/open"), b"");
    assert_eq!((answer.status, &answer.json()["fault"]), (422, &json!("picture")));
    assert!(answer.text().contains("sky.png is gone"), "{}", answer.text());
}

#[test]
fn strokes_of_masks_that_nothing_names_go_and_all_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("studio");
    let open = || Running::with(|options| options.folder = root.clone());
    let studio = open();
    studio.put(b"picture of a sky");
    let stroke = |name: &str| {
        let bytes = format!("picture of the stroke {name}");
        let given = studio.ask("POST", "/api/assets?name=mask.png", bytes.as_bytes());
        let id = given.json()["id"].clone();
        assert_eq!(studio.edit(&json!([{ "mask": { "id": id } }])).status, 200);
        id.as_str().unwrap().to_owned()
    };
    let passed_by = stroke("that is followed by others");
    let card = stroke("of a card");
    studio.until(|dream| dream["phase"] == "done");
    let begun = std::time::Instant::now();
    while studio.state()["desk"]["node"] == Value::Null {
        assert!(begun.elapsed().as_secs() < 20);
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let copied = stroke("of a recipe that is copied");
    assert_eq!(studio.get("/api/recipe").status, 200);
    let rendered = stroke("of a render");
    let wanted = json!({ "wanted": { "kind": "picture", "extension": "png" } });
    assert_eq!(studio.post("/api/jobs", &wanted).status, 200);
    let last = stroke("that was the last");
    let there = |studio: &Running| {
        [&passed_by, &card, &copied, &rendered, &last]
            .map(|id| studio.get(&format!("/files/{}/asset/{id}.png", studio.key)).status == 200)
    };
    let age = |time: i64| {
        let library = rusqlite::Connection::open(root.join("library.sqlite")).unwrap();
        library.execute("UPDATE assets SET given = ?1", [time]).unwrap();
    };
    drop(studio);
    // Somebody may be about to use what was given lately.
    let studio = open();
    assert_eq!(there(&studio), [true; 5]);
    drop(studio);
    age(1);
    // One cannot be removed at first: it is tried again.
    let stubborn = crate::fake::kept().join(format!("{last}.png"));
    std::fs::remove_file(&stubborn).unwrap();
    std::fs::create_dir(&stubborn).unwrap();
    let studio = open();
    assert_eq!(there(&studio), [false, true, true, true, false]);
    drop(studio);
    std::fs::remove_dir(&stubborn).unwrap();
    std::fs::write(&stubborn, "picture").unwrap();
    let studio = open();
    assert!(!stubborn.exists());
    assert_eq!(there(&studio), [false, true, true, true, false]);
}

#[test]
fn a_library_that_is_broken_is_begun_anew_with_the_photos_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("studio");
    let open = || Running::with(|options| options.folder = root.clone());
    let studio = open();
    let photo = studio.put(b"picture of a sky")["id"].as_str().unwrap().to_owned();
    studio.ask("POST", "/api/videos?name=a.mp4", b"video of a street");
    drop(studio);
    std::fs::write(root.join("library.sqlite"), b"no library".repeat(500)).unwrap();
    std::fs::write(root.join("originals/note.txt"), "not ours").unwrap();
    let studio = open();
    let begun = std::time::Instant::now();
    while pictures(&studio)["videos"].as_array().unwrap().is_empty() || names(&studio).is_empty() {
        assert!(begun.elapsed().as_secs() < 20, "{}", pictures(&studio));
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(names(&studio), [format!("{}.png", &photo[..8])]);
    assert_eq!(studio.ask("POST", &format!("/api/pictures/{photo}/open"), b"").status, 204);
    assert!(root.join("library.broken-1.sqlite").exists());
}

#[test]
fn a_trashed_photo_that_cannot_be_removed_keeps_nothing_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("studio");
    let open = || Running::with(|options| options.folder = root.clone());
    let studio = open();
    for name in ["first", "second"] {
        let bytes = format!("picture of the {name}");
        let id = studio.put(bytes.as_bytes())["id"].as_str().unwrap().to_owned();
        studio.ask("PATCH", &format!("/api/pictures/{id}"), br#"{"trashed":true}"#);
    }
    // The trash is as old as can be, and one of the files has become a folder.
    let file = studio.files().remove(0);
    drop(studio);
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let library = rusqlite::Connection::open(root.join("library.sqlite")).unwrap();
    library.execute("UPDATE pictures SET trashed = 1", []).unwrap();
    drop(library);
    let studio = open();
    // The other one is gone.
    assert_eq!(in_trash(&studio), 1);
    assert_eq!(studio.files(), [file]);
}
