//! What is rendered behind the dream, and what becomes of it when the program ends.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::fake::{Answer, Running};
use serde_json::{Value, json};

/// How many changes can be undone: a photo that was on the desk before them is in no undo.
const UNDONE: usize = 200;

fn picture() -> Value {
    json!({ "wanted": { "kind": "picture", "extension": "png" } })
}

fn zoom() -> Value {
    json!({ "wanted": { "kind": "zoom", "seconds": 1, "fps": 20, "longest": 64 } })
}

fn add(studio: &Running, job: &Value) -> String {
    let answer = studio.post("/api/jobs", job);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn change(studio: &Running, id: &str, change: Value) -> Answer {
    studio.ask("PATCH", &format!("/api/jobs/{id}"), change.to_string().as_bytes())
}

fn change_all(studio: &Running, change: &str) {
    let answer = studio.ask("PATCH", "/api/queue", json!(change).to_string().as_bytes());
    assert_eq!(answer.status, 204, "{answer:?}");
}

fn jobs(studio: &Running) -> Vec<Value> {
    studio.get("/api/jobs").json()["jobs"].as_array().unwrap().clone()
}

fn job(studio: &Running, id: &str) -> Value {
    jobs(studio).into_iter().find(|job| job["id"] == id).unwrap_or_default()
}

fn until(studio: &Running, id: &str, state: &str) -> Value {
    let begun = Instant::now();
    loop {
        let now = job(studio, id);
        if now["state"] == state {
            return now;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{now} is not {state}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn set(studio: &Running, path: &str, value: Value) {
    let answer = studio.edit(&json!([{ "set": { "path": path, "value": value } }]));
    assert_eq!(answer.status, 200, "{answer:?}");
    studio.until(|dream| dream["phase"] == "done");
}

/// A studio with a photo whose dream is whole.
fn ready() -> Running {
    let studio = Running::new();
    studio.put(b"picture of a sky");
    studio.until(|dream| dream["phase"] == "done");
    studio
}

fn path(studio: &Running, job: &Value) -> PathBuf {
    studio.root.join(job["output"].as_str().unwrap())
}

#[test]
fn a_picture_is_rendered_into_a_file_that_people_find() {
    let studio = ready();
    let plan = studio.post("/api/plan", &picture()).json();
    assert_eq!((&plan["foreseen"]["width"], &plan["foreseen"]["octaves"]), (&json!(64), &json!(2)));
    assert!(plan["seconds"].as_f64().unwrap() > 0.0);
    let id = add(&studio, &picture());
    let done = until(&studio, &id, "done");
    assert_eq!(done["output"], "dreams/sky/0001 dream.png");
    let bytes = std::fs::read(path(&studio, &done)).unwrap();
    let file = studio.get(&format!("/files/{}/made/{id}", studio.key));
    assert_eq!((file.status, &file.body), (200, &bytes));
    assert_eq!(file.header("content-type"), Some("image/png"));
    let saved = studio.get(&format!("/files/{}/made/{id}?save=true", studio.key));
    assert!(saved.header("content-disposition").unwrap().contains("0001 dream.png"));
    let small = studio.get(&format!("/files/{}/small-made/{id}.jpg", studio.key));
    assert_eq!(small.text(), "small");
    // It leaves the list, and stays.
    assert_eq!(studio.ask("DELETE", &format!("/api/jobs/{id}"), b"").status, 204);
    assert_eq!(studio.ask("DELETE", &format!("/api/jobs/{id}"), b"").status, 404);
    assert!(jobs(&studio).is_empty());
    assert!(path(&studio, &done).exists());
    // The next one has another name.
    let next = until(&studio, &add(&studio, &picture()), "done");
    assert_eq!(next["output"], "dreams/sky/0002 dream.png");
}

#[test]
fn a_render_is_of_the_recipe_that_was_there_when_it_was_asked_for() {
    let studio = ready();
    set(&studio, "pause-render", json!(5));
    let first = add(&studio, &picture());
    set(&studio, "a", json!(7));
    let second = add(&studio, &picture());
    let read =
        |id: &str| std::fs::read_to_string(path(&studio, &until(&studio, id, "done"))).unwrap();
    assert!(!read(&first).contains("\"a\":7"));
    assert!(read(&second).contains("\"a\":7"));
}

#[test]
fn movies_are_played_in_ranges() {
    let studio = ready();
    let id = add(&studio, &zoom());
    let done = until(&studio, &id, "done");
    assert_eq!(done["output"], "movies/0001 sky, dream.mp4");
    let bytes = std::fs::read(path(&studio, &done)).unwrap();
    let ask = |range: &str| {
        let path = format!("/files/{}/made/{id}", studio.key);
        studio.send("GET", &path, &[("Range", range)], b"").unwrap()
    };
    let part = ask("bytes=2-5");
    assert_eq!((part.status, &part.body[..]), (206, &bytes[2..6]));
    assert_eq!(part.header("content-range").unwrap(), format!("bytes 2-5/{}", bytes.len()));
    assert_eq!(part.header("content-length"), Some("4"));
    assert_eq!(ask("bytes=100000-").status, 416);
    assert_eq!(ask("bytes=5-2").status, 200);
    assert_eq!(ask("bytes=0-").body, bytes);
}

#[test]
fn jobs_are_paused_moved_cancelled_and_begun_again() {
    let studio = ready();
    set(&studio, "pause-render", json!(20));
    let [first, second, third, fourth] = [0; 4].map(|_| add(&studio, &picture()));
    until(&studio, &first, "running");
    assert_eq!(change(&studio, &fourth, json!({ "move": "up" })).status, 204);
    assert_eq!(change(&studio, &second, json!("pause")).status, 204);
    let order: Vec<_> = jobs(&studio).iter().map(|job| job["id"].clone()).collect();
    assert_eq!(order, [&*first, &second, &fourth, &third]);
    // It cannot be begun twice, and there is only one way on from an end.
    assert_eq!(change(&studio, &first, json!("resume")).json()["fault"], "elsewhere");
    change_all(&studio, "cancel-waiting");
    assert_eq!(job(&studio, &third)["state"], "cancelled");
    assert_eq!(job(&studio, &second)["state"], "paused");
    assert!(["running", "held"].contains(&job(&studio, &first)["state"].as_str().unwrap()));
    assert_eq!(change(&studio, &first, json!("cancel")).status, 204);
    assert_eq!(change(&studio, &second, json!("resume")).status, 204);
    until(&studio, &second, "done");
    assert_eq!(job(&studio, &first)["state"], "cancelled");
    assert_eq!(
        job(&studio, &first)["output"].as_str().map(|path| studio.root.join(path).exists()),
        Some(false)
    );
    assert_eq!(change(&studio, &third, json!("resume")).status, 204);
    until(&studio, &third, "done");
    assert_eq!(change(&studio, "other", json!("pause")).status, 404);
    assert_eq!(change(&studio, &third, json!("explode")).status, 400);
}

#[test]
fn a_photo_stays_while_a_job_needs_it_and_one_whose_file_is_gone_says_so() {
    let studio = ready();
    change_all(&studio, "pause");
    let (first, second) = (add(&studio, &picture()), add(&studio, &picture()));
    let photo = studio.state()["desk"]["start"]["id"].as_str().unwrap().to_owned();
    // Another one is on the desk.
    studio.put(b"picture of a cup");
    let trash = studio.ask("PATCH", &format!("/api/pictures/{photo}"), br#"{"trashed":true}"#);
    assert_eq!(trash.status, 204);
    for _ in 0..UNDONE {
        studio.edit(&json!([{ "set": { "path": "a", "value": studio.state()["count"] } }]));
    }
    assert_eq!(studio.ask("DELETE", "/api/trash", b"").status, 204);
    assert_eq!(change(&studio, &second, json!("pause")).status, 204);
    change_all(&studio, "resume");
    until(&studio, &first, "done");
    let is_photo = |file: &PathBuf| file.file_stem().unwrap() == photo.as_str();
    let file = studio.files().into_iter().find(is_photo).unwrap();
    std::fs::remove_file(file).unwrap();
    assert_eq!(change(&studio, &second, json!("resume")).status, 204);
    let failure = until(&studio, &second, "failed")["failure"].clone();
    assert!(failure["detail"].as_str().unwrap().contains("sky.png is gone"), "{failure}");
}

#[test]
fn a_repeated_request_makes_no_second_job() {
    let studio = ready();
    let bearer = format!("Bearer {}", studio.token);
    let headers = [("Authorization", bearer.as_str()), ("Idempotency-Key", "abc")];
    let ask = || {
        let body = picture().to_string();
        studio.send("POST", "/api/jobs", &headers, body.as_bytes()).unwrap().json()["id"].clone()
    };
    let first = ask();
    assert_eq!(ask(), first);
    until(&studio, first.as_str().unwrap(), "done");
    assert_eq!(ask(), first);
    assert_eq!(jobs(&studio).len(), 1);
}

#[test]
fn a_preview_goes_first_and_changes_nothing_of_the_render() {
    let studio = ready();
    set(&studio, "pause-render", json!(10));
    let id = add(&studio, &picture());
    until(&studio, &id, "running");
    let pace = json!([{ "set": { "path": "pause", "value": 20 } }]);
    assert_eq!(studio.edit(&pace).status, 200);
    until(&studio, &id, "held");
    let held = studio.state()["render"]["done"]["share"].clone();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(studio.state()["render"]["done"]["share"], held);
    let done = until(&studio, &id, "done");
    assert!(!std::fs::read_to_string(path(&studio, &done)).unwrap().contains("\"pause\""));
}

#[test]
fn failures_say_why_and_the_lane_lives() {
    let studio = ready();
    set(&studio, "fail", json!(true));
    let failed = until(&studio, &add(&studio, &picture()), "failed");
    assert_eq!(failed["failure"]["detail"], "It does not fit.");
    set(&studio, "break-render", json!(true));
    let broke = until(&studio, &add(&studio, &picture()), "failed");
    assert_eq!(broke["failure"]["fault"], "internal");
    assert_eq!(studio.state()["queue"]["failed"], 2);
    set(&studio, "break-render", json!(false));
    set(&studio, "fail", json!(false));
    until(&studio, &add(&studio, &picture()), "done");
    // What cannot be is refused before it is a job.
    studio.edit(&json!([{ "set": { "path": "refuse", "value": true } }]));
    assert_eq!(studio.post("/api/jobs", &picture()).json()["fault"], "memory");
    assert_eq!(studio.post("/api/plan", &picture()).json()["fault"], "memory");
    let svg = json!({ "wanted": { "kind": "picture", "extension": "svg" } });
    assert_eq!(studio.post("/api/jobs", &svg).status, 422);
    let odd = json!({ "wanted": { "kind": "picture", "extension": "png", "output": "/etc/x" } });
    assert_eq!(studio.post("/api/jobs", &odd).status, 400);
}

#[test]
fn a_full_disk_pauses_the_queue_and_loses_nothing() {
    let studio = ready();
    set(&studio, "full", json!(true));
    let id = add(&studio, &picture());
    let begun = Instant::now();
    while studio.state()["queue"]["failure"]["fault"] != "disk" {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(job(&studio, &id)["state"], "waiting");
    // Dreams go on.
    set(&studio, "a", json!(1));
    assert_eq!(studio.state()["queue"]["paused"], true);
    change_all(&studio, "resume");
    change_all(&studio, "pause");
    assert_eq!(change(&studio, &id, json!("cancel")).status, 204);
}

#[test]
fn jobs_live_from_run_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("studio");
    let open = || Running::with(|options| options.folder = root.clone());
    let studio = open();
    studio.put(b"picture of a sky");
    studio.until(|dream| dream["phase"] == "done");
    set(&studio, "pause-render", json!(20));
    let movie = add(&studio, &zoom());
    let waits = add(&studio, &picture());
    until(&studio, &movie, "running");
    let begun = Instant::now();
    while studio.state()["render"]["done"]["share"].as_f64() < Some(0.2) {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(studio);
    let studio = open();
    let done = until(&studio, &movie, "done");
    // It went on from where it was.
    let text = std::fs::read_to_string(path(&studio, &done)).unwrap();
    let after: u32 = text.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(after >= 4, "{text}");
    until(&studio, &waits, "done");
    change_all(&studio, "pause");
    drop(studio);
    let studio = open();
    assert_eq!(studio.state()["queue"]["paused"], true);
    assert_eq!(jobs(&studio).len(), 2);
}

#[test]
fn the_frames_of_a_movie_that_is_given_up_go_with_it() {
    let studio = ready();
    set(&studio, "pause-render", json!(20));
    let id = add(&studio, &zoom());
    let output = until(&studio, &id, "running");
    let begun = Instant::now();
    while job(&studio, &id)["output"].is_null() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{output}");
        std::thread::sleep(Duration::from_millis(5));
    }
    let frames = path(&studio, &job(&studio, &id)).with_extension("");
    assert_eq!(change(&studio, &id, json!("cancel")).status, 204);
    // It can still be gone on with.
    std::thread::sleep(Duration::from_millis(100));
    assert!(frames.exists());
    assert_eq!(studio.ask("DELETE", &format!("/api/jobs/{id}"), b"").status, 204);
    assert!(!frames.exists());
}

#[test]
fn a_draft_goes_first_and_goes_when_the_next_one_comes() {
    let studio = ready();
    let draft = |seconds: u32| {
        let mut draft = zoom();
        draft["wanted"]["seconds"] = seconds.into();
        draft["draft"] = true.into();
        add(&studio, &draft)
    };
    let first = draft(1);
    let done = until(&studio, &first, "done");
    assert!(path(&studio, &done).exists());
    assert_eq!(studio.state()["queue"]["open"], 0);
    let second = draft(2);
    assert_eq!(job(&studio, &first), Value::Null);
    assert!(!path(&studio, &done).exists());
    until(&studio, &second, "done");
    assert_eq!(jobs(&studio).len(), 1);
}

#[test]
fn a_video_is_tried_on_some_frames_and_dreamt() {
    let studio = ready();
    let wrong = studio.ask("POST", "/api/videos?name=a.mp4", b"no such thing");
    assert!(wrong.text().contains("a.mp4: this is not a video"), "{}", wrong.text());
    let came = studio.ask("POST", "/api/videos?name=a.mp4", b"video of a street").json();
    assert_eq!((&came["size"], &came["moves"]), (&json!([64, 48]), &json!([2.0, 10.0])));
    let id = came["id"].as_str().unwrap();
    let thumb = studio.get(&format!("/files/{}/thumb/{id}.jpg", studio.key));
    assert_eq!(thumb.text(), "poster 224");
    let list = studio.get("/api/pictures").json();
    assert_eq!(list["videos"][0]["name"], "a.mp4");
    assert_eq!(list["pictures"].as_array().unwrap().len(), 1);
    // It is not what a picture is dreamt on.
    assert_eq!(studio.ask("POST", &format!("/api/pictures/{id}/open"), b"").status, 404);
    let of = |wanted: Value, draft: bool| json!({ "wanted": wanted, "draft": draft, "video": id });
    let sample = json!({ "kind": "sample", "at": [0.0, 1.0], "longest": 64 });
    let tried = until(&studio, &add(&studio, &of(sample, true)), "done");
    assert!(tried["output"].as_str().unwrap().starts_with("cache/drafts/"));
    let video = json!({ "kind": "video", "start": 0.5, "longest": 64, "coherence": "flow" });
    assert_eq!(studio.post("/api/jobs", &json!({ "wanted": video })).status, 422);
    let done = until(&studio, &add(&studio, &of(video, false)), "done");
    assert_eq!(done["output"], "movies/0002 a, dream.mp4");
}
