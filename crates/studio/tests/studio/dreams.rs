//! What is on the desk, what is dreamt of it, and what pages are told.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use crate::fake::{Fake, Running};
use serde_json::{Value, json};
use studio::{Options, Studio, window_of_running};

fn set(path: &str, value: Value) -> Value {
    json!([{ "set": { "path": path, "value": value } }])
}

#[test]
fn a_picture_comes_in_and_is_dreamt_on() {
    let studio = Running::new();
    assert_eq!(studio.state()["dream"]["phase"], "empty");
    let start = studio.put(b"picture of a sky");
    assert_eq!((&start["name"], &start["width"]), (&json!("sky.png"), &json!(64)));
    let state = studio.until(|dream| dream["phase"] == "done");
    assert_eq!(state["dream"]["size"], json!([64, 48]));
    assert_eq!(state["dream"]["octaves"], json!([0.25, 1.0]));
    let saved = studio.get(&format!("/files/{}/save/dream.png", studio.key));
    assert_eq!(saved.text(), "png {\"network\":\"net\",\"noise\":false}");
    let id = start["id"].as_str().unwrap();
    let photo = studio.get(&format!("/files/{}/photo/{id}.jpg", studio.key));
    assert_eq!(photo.text(), "photo 1280 16");
    // The same bytes are the same picture.
    assert_eq!(studio.put(b"picture of a sky")["id"], start["id"]);
}

#[test]
fn a_change_begins_the_dream_again_and_can_be_undone() {
    let studio = Running::new();
    studio.put(b"picture");
    let first = studio.until(|dream| dream["phase"] == "done");
    assert_eq!(studio.edit(&set("a", json!(1))).status, 200);
    let second = studio.until(|dream| dream["phase"] == "done");
    assert_eq!(second["desk"]["recipe"]["a"], 1);
    assert!(second["desk"]["rev"].as_u64() > first["desk"]["rev"].as_u64());
    studio.ask("POST", "/api/dream/undo", b"");
    let back = studio.until(|dream| dream["phase"] == "done");
    assert_eq!(back["desk"]["recipe"], first["desk"]["recipe"]);
    assert_eq!((&back["desk"]["undo"], &back["desk"]["redo"]), (&json!(0), &json!(1)));
    studio.ask("POST", "/api/dream/redo", b"");
    assert_eq!(studio.state()["desk"]["recipe"]["a"], 1);
}

#[test]
fn changes_of_one_gesture_are_undone_as_one() {
    let studio = Running::new();
    studio.put(b"picture");
    for value in 1..=5 {
        let rev = studio.state()["desk"]["rev"].clone();
        let body = json!({ "rev": rev, "gesture": 7, "changes": set("a", json!(value)) });
        assert_eq!(studio.ask("PATCH", "/api/dream", body.to_string().as_bytes()).status, 200);
    }
    assert_eq!(studio.state()["desk"]["undo"], 1);
    studio.ask("POST", "/api/dream/undo", b"");
    assert_eq!(studio.state()["desk"]["recipe"]["a"], Value::Null);
}

#[test]
fn the_window_that_was_second_is_told() {
    let studio = Running::new();
    studio.put(b"picture");
    let rev = studio.state()["desk"]["rev"].clone();
    assert_eq!(studio.edit(&set("a", json!(1))).status, 200);
    let body = json!({ "rev": rev, "changes": set("b", json!(1)) });
    let answer = studio.ask("PATCH", "/api/dream", body.to_string().as_bytes());
    assert_eq!((answer.status, &answer.json()["fault"]), (409, &json!("elsewhere")));
    assert_eq!(studio.state()["desk"]["recipe"]["b"], Value::Null);
}

#[test]
fn a_refusal_names_its_knob_and_changes_nothing() {
    let studio = Running::new();
    studio.put(b"picture");
    let before = studio.until(|dream| dream["phase"] == "done");
    let answer = studio.edit(&set("wrong", json!(1)));
    assert_eq!((answer.status, &answer.json()["knob"]), (422, &json!("wrong")));
    let after = studio.state();
    assert_eq!(before["desk"]["recipe"], after["desk"]["recipe"]);
    assert_eq!(after["desk"]["refused"]["knob"], "wrong");
    assert_eq!(after["dream"]["phase"], "done");
    // What is refused only when it is planned is said with the dream.
    studio.edit(&set("refuse", json!(true)));
    let state = studio.until(|dream| dream["phase"] == "refused");
    assert_eq!(state["dream"]["failure"]["fault"], "memory");
}

#[test]
fn the_icon_is_a_ring_that_fills() {
    let studio = Running::new();
    let icon = |query: &str| studio.get(&format!("/icon.svg{query}")).text();
    assert!(icon("?tenths=7").contains(r#"stroke-dasharray="7 10""#));
    for odd in ["?tenths=11", "?tenths=-1", "?tenths=%22/%3E", "?other=7", "?"] {
        assert_eq!(icon(odd), icon(""), "{odd}");
    }
}

#[test]
fn dreams_pause_go_on_and_stop() {
    let studio = Running::new();
    studio.put(b"picture");
    studio.edit(&set("pause", json!(20)));
    studio.until(|dream| dream["step"]["done"].as_u64() > Some(2));
    studio.ask("POST", "/api/dream/pause", b"");
    studio.until(|dream| dream["phase"] == "paused");
    std::thread::sleep(Duration::from_millis(100));
    let at = studio.state()["dream"]["step"].clone();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(studio.state()["dream"]["step"], at);
    studio.ask("POST", "/api/dream/resume", b"");
    studio.until(|dream| dream["step"]["done"].as_u64() > at["done"].as_u64());
    studio.ask("POST", "/api/dream/stop", b"");
    studio.until(|dream| dream["phase"] == "stopped");
    // No recipe makes it as it is.
    let saved = studio.get(&format!("/files/{}/save/dream.png", studio.key));
    assert_eq!((saved.status, &saved.json()["fault"]), (422, &json!("unfinished")));
    let unfinished = || studio.get(&format!("/files/{}/save/unfinished.jpg", studio.key));
    let begun = std::time::Instant::now();
    while unfinished().status == 404 {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    let saved = unfinished();
    assert!(saved.text().starts_with("jpeg 4294967295 95"), "{saved:?}");
    assert!(saved.header("content-disposition").unwrap().contains("sky unfinished.jpg"));
    studio.ask("POST", "/api/dream/resume", b"");
    studio.until(|dream| dream["phase"] == "done");
    assert_eq!(unfinished().status, 404);
}

#[test]
fn the_last_of_many_moves_wins() {
    let studio = Running::new();
    studio.put(b"picture");
    for value in 0..20 {
        assert_eq!(studio.edit(&set("a", json!(value))).status, 200);
    }
    let state = studio.until(|dream| dream["phase"] == "done");
    assert_eq!(state["desk"]["recipe"]["a"], 19);
    let frame = studio.get(&format!("/frames/{}?after=0", studio.key));
    assert!(frame.text().contains("\"a\":19"), "{}", frame.text());
    assert_eq!(frame.header("x-whole"), Some("1"));
}

#[test]
fn frames_come_to_who_asks() {
    let studio = Running::new();
    studio.put(b"picture");
    studio.edit(&set("pause", json!(30)));
    let mut after = 0;
    let mut seen = Vec::new();
    while seen.len() < 4 {
        let frame = studio.get(&format!("/frames/{}?after={after}&max=320&q=60", studio.key));
        assert_eq!(frame.status, 200);
        let number: u64 = frame.header("x-frame").unwrap().parse().unwrap();
        assert!(number > after);
        after = number;
        let took = frame.header("server-timing").unwrap().strip_prefix("step;dur=").unwrap();
        assert!(took.parse::<f64>().is_ok_and(|took| took >= 0.0), "{took}");
        seen.push(frame.text());
    }
    assert!(seen[0].starts_with("jpeg 320 60"), "{}", seen[0]);
    studio.ask("POST", "/api/dream/stop", b"");
    studio.until(|dream| dream["phase"] == "stopped");
    // The last one, and then none.
    for _ in 0..2 {
        let frame = studio.get(&format!("/frames/{}?after={after}", studio.key));
        if frame.status == 200 {
            after = frame.header("x-frame").unwrap().parse().unwrap();
        }
    }
    let none = studio.get(&format!("/frames/{}?after={after}", studio.key));
    assert_eq!(none.status, 204);
}

/// What reads the events from the first on.
fn listen(studio: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(studio.address).unwrap();
    let request =
        format!("GET /events/{}?after=0 HTTP/1.1\r\nHost: {}\r\n\r\n", studio.key, studio.address);
    stream.write_all(request.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Reads events, behind those of `text`, until there is what is `wanted`.
fn read_until(stream: &mut TcpStream, text: &mut String, wanted: &str) {
    let mut bytes = [0; 4096];
    while !text.contains(wanted) {
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0);
        *text += &String::from_utf8_lossy(&bytes[..count]);
    }
}

#[test]
fn steps_alone_are_told_a_few_times_a_second() {
    let studio = Running::new();
    studio.put(b"picture");
    studio.until(|dream| dream["phase"] == "done");
    let mut stream = listen(&studio);
    let (mut text, done) = (String::new(), "\"phase\":\"done\"");
    read_until(&mut stream, &mut text, done);
    text.clear();
    let begun = std::time::Instant::now();
    studio.edit(&set("pause", json!(60)));
    read_until(&mut stream, &mut text, done);
    let told = text.matches("event: dream").count();
    // It begins and ends at once besides.
    let most = begun.elapsed().as_millis() / 250 + 4;
    assert!((3..=most).contains(&(told as u128)), "told {told} times, {most} at the most");
}

#[test]
fn events_tell_the_present_state() {
    let studio = Running::new();
    let mut stream = listen(&studio);
    let mut text = String::new();
    read_until(&mut stream, &mut text, "event: desk");
    studio.put(b"picture");
    read_until(&mut stream, &mut text, "\"name\":\"sky.png\"");
    read_until(&mut stream, &mut text, "\"phase\":\"done\"");
}

#[test]
fn readers_that_stall_hold_nothing_up() {
    let studio = Running::new();
    let stalled: Vec<TcpStream> = (0..32)
        .map(|_| {
            let mut stream = TcpStream::connect(studio.address).unwrap();
            let request = format!(
                "GET /events/{}?after=0 HTTP/1.1\r\nHost: {}\r\n\r\n",
                studio.key, studio.address
            );
            stream.write_all(request.as_bytes()).unwrap();
            stream
        })
        .collect();
    studio.put(b"picture");
    for value in 0..50 {
        studio.edit(&set("a", json!(value)));
    }
    studio.until(|dream| dream["phase"] == "done");
    drop(stalled);
}

#[test]
fn small_pictures_are_made_behind_and_kept() {
    let studio = Running::new();
    studio.put(b"picture");
    let wanted = json!({ "layers": ["a", "b"], "looks": ["c"] });
    assert_eq!(studio.ask("PUT", "/api/gallery", wanted.to_string().as_bytes()).status, 204);
    let all = || {
        let state = studio.state();
        let count = |kind: &str| state["gallery"][kind].as_object().unwrap().len();
        (count("layers"), count("looks"), state)
    };
    let begun = std::time::Instant::now();
    let state = loop {
        let (layers, looks, state) = all();
        if (layers, looks) == (2, 1) {
            break state;
        }
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    };
    let name = state["gallery"]["layers"]["a"].as_str().unwrap();
    let small = studio.get(&format!("/files/{}/small/{name}.jpg", studio.key));
    assert!(small.text().starts_with("jpeg 224 88"), "{}", small.text());
    assert!(small.header("cache-control").unwrap().contains("immutable"));
    // What is removed and wanted is made again.
    let bytes = || studio.get("/api/cache").json()["bytes"].as_u64().unwrap();
    let before = bytes();
    assert_eq!(studio.ask("DELETE", "/api/cache", b"").status, 204);
    while bytes() < before {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(studio.get(&format!("/files/{}/small/{name}.jpg", studio.key)).status, 200);
    // Another picture has others.
    studio.put(b"picture of something else");
    assert_eq!(studio.state()["gallery"]["layers"], json!({}));
}

#[test]
fn noise_needs_no_picture() {
    let studio = Running::new();
    assert_eq!(studio.post("/api/noise", &json!({ "width": 640, "height": 400 })).status, 204);
    let state = studio.until(|dream| dream["phase"] == "done");
    assert_eq!(state["desk"]["start"]["noise"], true);
    assert_eq!(state["desk"]["recipe"]["noise"], true);
}

#[test]
fn a_folder_has_one_studio_and_a_second_call_finds_it() {
    let studio = Running::new();
    let folder = studio.folder.path().join("studio");
    let second = Studio::open(Arc::new(Fake), Options::new(folder.clone()));
    assert_eq!(second.err().unwrap().kind(), std::io::ErrorKind::AddrInUse);
    let link = window_of_running(&folder).unwrap().unwrap();
    let (address, code) = link.split_once("/#code=").unwrap();
    assert_eq!(address, format!("http://{}", studio.address));
    assert_eq!(studio.post("/api/session", &json!({ "code": code })).status, 200);
    drop(studio);
    let other = tempfile::tempdir().unwrap();
    assert_eq!(window_of_running(other.path()).unwrap(), None);
}

#[test]
fn photos_of_a_run_that_was_killed_are_gone_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("studio");
    let left = root.join("incoming/run-x/photo.png");
    std::fs::create_dir_all(left.parent().unwrap()).unwrap();
    std::fs::write(&left, "picture").unwrap();
    let studio = Running::with(|options| options.folder = root);
    assert!(!left.exists());
    drop(studio);
    assert_eq!(std::fs::read_dir(folder.path().join("studio/incoming")).unwrap().count(), 0);
}

#[test]
fn a_studio_for_all_addresses_has_a_link_for_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path().to_owned());
    options.address = "0.0.0.0:0".parse().unwrap();
    let studio = Studio::open(Arc::new(Fake), options).unwrap();
    assert!(studio.link().unwrap().starts_with("http://127.0.0.1:"));
}

#[test]
fn a_page_can_end_the_studio() {
    let studio = Running::new();
    studio.put(b"picture");
    assert_eq!(studio.ask("POST", "/api/quit", b"").status, 204);
    // Dropping waits until it has ended.
    drop(studio);
}

#[test]
fn a_picture_that_carries_a_recipe_waits_for_an_answer() {
    let studio = Running::new();
    studio.put(b"picture of a sky");
    let before = studio.until(|dream| dream["phase"] == "done");
    let dreamt = b"picture by {\"a\":7}";
    let answer = studio.ask("POST", "/api/pictures?name=dreamt.png", dreamt).json();
    assert_eq!(answer["offered"], true);
    assert_eq!(answer["differences"], json!([["a", null, 7]]));
    assert_eq!(studio.state()["desk"], before["desk"]);
    let id = answer["start"]["id"].as_str().unwrap();
    assert_eq!(studio.ask("POST", &format!("/api/offers/{id}/recipe"), b"").status, 204);
    let state = studio.until(|dream| dream["phase"] == "done");
    assert_eq!(state["desk"]["recipe"]["a"], 7);
    assert_eq!(state["desk"]["start"], before["desk"]["start"]);
    assert_eq!(studio.ask("POST", &format!("/api/offers/{id}/picture"), b"").status, 204);
    assert_eq!(studio.state()["desk"]["start"]["id"], id);
    assert_eq!(studio.ask("POST", "/api/offers/other/picture", b"").status, 404);
    // A text as well; one that is no recipe changes nothing.
    assert_eq!(studio.post("/api/recipes", &json!({ "text": "{\"b\":1}" })).status, 204);
    assert_eq!(studio.post("/api/recipes", &json!({ "text": "no recipe" })).status, 422);
    assert_eq!(studio.state()["desk"]["recipe"]["b"], 1);
}

#[test]
fn a_dream_goes_on_as_the_next_ones_photo() {
    let studio = Running::new();
    studio.put(b"picture");
    studio.edit(&set("pause", json!(20)));
    // Not before it is whole.
    assert_eq!(studio.ask("POST", "/api/dream/on", b"").status, 422);
    let first = studio.until(|dream| dream["phase"] == "done");
    assert_eq!(studio.ask("POST", "/api/dream/on", b"").status, 204);
    let second = studio.until(|dream| dream["phase"] == "done");
    assert_eq!(second["desk"]["start"]["name"], "sky, dreamt.png");
    assert_eq!(second["desk"]["recipe"], first["desk"]["recipe"]);
    studio.ask("POST", "/api/dream/undo", b"");
    assert_eq!(studio.state()["desk"]["start"], first["desk"]["start"]);
}

#[test]
fn a_dream_is_made_again_in_another_size() {
    let studio = Running::new();
    studio.put(b"picture");
    let before = studio.until(|dream| dream["phase"] == "done");
    assert_eq!(before["desk"]["longest"], 1280);
    assert_eq!(studio.post("/api/dream/size", &json!({ "longest": 4000 })).status, 204);
    let after = studio.until(|dream| dream["phase"] == "done");
    assert_eq!(after["desk"]["longest"], 4000);
    assert!(after["desk"]["rev"].as_u64() > before["desk"]["rev"].as_u64());
    assert_eq!(studio.post("/api/dream/size", &json!({ "longest": 1 })).status, 422);
    // Another photo begins as all do.
    studio.put(b"picture of something else");
    assert_eq!(studio.state()["desk"]["longest"], 1280);
}

#[test]
fn networks_are_fetched_one_at_a_time() {
    let studio = Running::new();
    let ends = |name: &str| {
        let begun = std::time::Instant::now();
        loop {
            let fetch = studio.state()["networks"]["fetch"].clone();
            if fetch["name"] == name && fetch["state"] != "running" {
                return fetch;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{fetch}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    assert_eq!(studio.state()["networks"]["fetch"], Value::Null);
    assert_eq!(studio.ask("POST", "/api/networks/quick", b"").status, 204);
    assert_eq!(ends("quick")["state"], "done");
    assert_eq!(studio.ask("POST", "/api/networks/slow", b"").status, 204);
    assert_eq!(studio.ask("POST", "/api/networks/quick", b"").json()["fault"], "busy");
    assert_eq!(studio.ask("DELETE", "/api/networks/slow", b"").status, 204);
    assert_eq!(ends("slow")["state"], "cancelled");
    assert_eq!(studio.ask("POST", "/api/networks/nowhere", b"").status, 204);
    assert_eq!(ends("nowhere")["failure"]["detail"], "The server does not answer.");
}

#[test]
fn guides_and_masks_are_kept_under_their_hashes() {
    let studio = Running::new();
    studio.put(b"picture");
    let came = studio.ask("POST", "/api/assets?name=../flowers.png", b"picture of flowers");
    assert_eq!(came.status, 200);
    let came = came.json();
    assert_eq!((&came["name"], &came["width"]), (&json!("flowers.png"), &json!(64)));
    let id = came["id"].as_str().unwrap();
    let of = |name: &str| studio.get(&format!("/files/{}/asset/{name}", studio.key));
    assert_eq!(of(&format!("{id}.png")).text(), "picture of flowers");
    assert_eq!(of(&format!("{id}.jpg")).text(), "photo 1024 18");
    assert_eq!(of(&format!("{id}.svg")).status, 404);
    // Nothing of it stays in the studio's own folder.
    assert_eq!(studio.files().len(), 1);
    let guide = json!([{ "guide": { "id": id, "name": "flowers.png" } }, { "mask": { "id": id } }]);
    assert_eq!(studio.edit(&guide).status, 200);
    let state = studio.until(|dream| dream["phase"] == "done");
    assert_eq!(state["desk"]["recipe"]["guides"]["flowers.png"], id);
    assert_eq!(state["desk"]["recipe"]["mask"], id);
    studio.edit(&json!([{ "unguide": { "name": "flowers.png" } }, { "mask": { "id": null } }]));
    assert_eq!(studio.state()["desk"]["recipe"]["mask"], Value::Null);
}

#[test]
fn channels_are_asked_for_on_the_whole_and_at_a_place() {
    let studio = Running::new();
    assert_eq!(studio.get("/api/channels?layer=layer").status, 404);
    studio.put(b"picture");
    let answer = |query: &str| studio.get(&format!("/api/channels?{query}"));
    assert_eq!(answer("layer=layer").json()[0]["answer"], Value::Null);
    assert_eq!(answer("layer=layer&x=0.25&y=0.5").json()[0]["answer"], json!([0.25, 0.5]));
    assert_eq!(answer("layer=other").status, 422);
    for wrong in ["layer=layer&x=0.5", "layer=layer&x=1&y=0", "layer=layer&x=NaN&y=0"] {
        assert_eq!(answer(wrong).status, 422, "{wrong}");
    }
    assert_eq!(studio.get("/api/classes?name=net").json(), json!(["cup", "castle"]));
    let wanted = json!({ "channels": [["layer", 3]] });
    assert_eq!(studio.ask("PUT", "/api/gallery", wanted.to_string().as_bytes()).status, 204);
    let begun = std::time::Instant::now();
    while studio.state()["gallery"]["channels"]["layer:3"].is_null() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
}
