//! What is kept of dreams: cards and their branches, variations, saved looks.

use std::time::{Duration, Instant};

use crate::fake::Running;
use serde_json::{Value, json};

fn set(path: &str, value: Value) -> Value {
    json!([{ "set": { "path": path, "value": value } }])
}

/// Waits until `is_so` of what is asked for.
fn until<T: std::fmt::Debug>(ask: impl Fn() -> T, is_so: impl Fn(&T) -> bool) -> T {
    let begun = Instant::now();
    loop {
        let answer = ask();
        if is_so(&answer) {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{answer:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn cards(studio: &Running) -> Vec<Value> {
    studio.get("/api/nodes").json().as_array().unwrap().clone()
}

/// The card on the desk, once what is there is one.
fn card(studio: &Running) -> String {
    let state = until(|| studio.state(), |state| state["desk"]["node"].is_string());
    state["desk"]["node"].as_str().unwrap().to_owned()
}

#[test]
fn a_dream_that_stands_becomes_a_card_and_a_change_of_an_older_one_a_branch() {
    let studio = Running::new();
    studio.put(b"picture");
    studio.until(|dream| dream["phase"] == "done");
    // Not at once: what is moved on is no card.
    assert_eq!(cards(&studio), [] as [Value; 0]);
    let first = card(&studio);
    studio.edit(&set("a", json!(1)));
    assert_eq!(studio.state()["desk"]["from"], first.as_str());
    let second = card(&studio);
    studio.edit(&set("a", json!(2)));
    let third = card(&studio);
    // Undo walks to the parent; what is changed there is a branch.
    studio.ask("POST", "/api/dream/undo", b"");
    assert_eq!(studio.state()["desk"]["node"], second.as_str());
    studio.edit(&set("b", json!(1)));
    let branch = card(&studio);
    let parents: Vec<(String, Value)> = cards(&studio)
        .iter()
        .map(|card| (card["id"].as_str().unwrap().to_owned(), card["parent"].clone()))
        .collect();
    let wanted = [
        (first.clone(), Value::Null),
        (second.clone(), json!(first)),
        (third.clone(), json!(second)),
        (branch.clone(), json!(second)),
    ];
    assert_eq!(parents, wanted);
    // A card is shown again, which can be undone, and it is still one card.
    assert_eq!(studio.ask("POST", &format!("/api/nodes/{third}/show"), b"").status, 204);
    let state = studio.until(|dream| dream["phase"] == "done");
    assert_eq!((&state["desk"]["recipe"]["a"], &state["desk"]["node"]), (&json!(2), &json!(third)));
    studio.ask("POST", "/api/dream/undo", b"");
    assert_eq!(studio.state()["desk"]["node"], branch.as_str());
    // The same recipe made by hand is the same card.
    studio.edit(&set("b", json!(2)));
    studio.edit(&set("b", json!(1)));
    assert_eq!(card(&studio), branch);
    assert_eq!(cards(&studio).len(), 4);
    let small = studio.get(&format!("/files/{}/card/{first}.jpg", studio.key));
    assert!(small.text().starts_with("jpeg 160 85"), "{}", small.text());
    assert_eq!(studio.ask("POST", "/api/nodes/other/show", b"").status, 404);
}

#[test]
fn a_dream_in_another_size_is_another_card_and_undo_walks_back_to_its_size() {
    let studio = Running::new();
    studio.put(b"picture");
    let first = card(&studio);
    assert_eq!(studio.post("/api/dream/size", &json!({ "longest": 2000 })).status, 204);
    let desk = studio.state()["desk"].clone();
    assert_eq!((&desk["node"], &desk["from"]), (&Value::Null, &json!(first)));
    studio.edit(&set("a", json!(1)));
    let second = card(&studio);
    let at = |id: &str| {
        let cards = cards(&studio);
        cards.iter().find(|card| card["id"] == id).unwrap()["longest"].clone()
    };
    assert_eq!((at(&first), at(&second)), (json!(1280), json!(2000)));
    studio.ask("POST", "/api/dream/undo", b"");
    assert_eq!(studio.state()["desk"]["longest"], 2000);
    studio.ask("POST", "/api/dream/undo", b"");
    let desk = studio.state()["desk"].clone();
    assert_eq!((&desk["longest"], &desk["node"]), (&json!(1280), &json!(first)));
    // A card brings its size with it, and undo takes that back too.
    studio.ask("POST", &format!("/api/nodes/{second}/show"), b"");
    assert_eq!(studio.state()["desk"]["longest"], 2000);
    studio.ask("POST", "/api/dream/undo", b"");
    assert_eq!(studio.state()["desk"]["longest"], 1280);
}

#[test]
fn a_dreams_file_is_opened_with_the_photo_that_it_was_dreamt_on() {
    let studio = Running::new();
    let photo = studio.put(b"picture of a sky");
    let id = card(&studio);
    let saved = studio.get(&format!("/files/{}/save/dream.png", studio.key));
    // What the fake takes for a picture begins so; its dreams' files do not.
    assert_eq!(studio.ask("POST", "/api/pictures?name=dreamt.png", &saved.body).status, 422);
    let unknown = studio.ask("POST", "/api/pictures?name=a.png", b"picture by {\"a\":7}").json();
    assert_eq!(unknown["original"], Value::Null);
    let hash: String = {
        use sha2::{Digest, Sha256};
        Sha256::digest(&saved.body).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    studio.put(b"picture of a cup");
    assert_eq!(studio.ask("POST", &format!("/api/offers/{hash}/original"), b"").status, 204);
    let state = studio.until(|dream| dream["phase"] == "done");
    assert_eq!((&state["desk"]["start"]["id"], &state["desk"]["node"]), (&photo["id"], &json!(id)));
    assert_eq!(studio.ask("POST", "/api/offers/0/original", b"").status, 404);
}

#[test]
fn cards_are_named_starred_and_put_into_the_trash() {
    let studio = Running::new();
    studio.put(b"picture");
    let id = card(&studio);
    let change = |id: &str, body: Value| {
        studio.ask("PATCH", &format!("/api/nodes/{id}"), body.to_string().as_bytes()).status
    };
    let before = studio.state()["history"]["changed"].as_u64().unwrap();
    assert_eq!(change(&id, json!({ "title": "a dog\u{202e}\n", "star": true })), 204);
    assert!(studio.state()["history"]["changed"].as_u64().unwrap() > before);
    let known = &cards(&studio)[0];
    assert_eq!((&known["title"], &known["star"]), (&json!("a dog"), &json!(true)));
    assert_eq!(change(&id, json!({ "trashed": true })), 204);
    assert!(cards(&studio).is_empty());
    assert_eq!(change(&id, json!({ "trashed": false })), 204);
    assert_eq!(cards(&studio).len(), 1);
    assert_eq!(change("other", json!({ "star": true })), 404);
    assert_eq!(change(&id, json!({ "recipe": "mine" })), 400);
}

#[test]
fn a_card_that_is_dreamt_again_has_the_same_bytes() {
    let studio = Running::new();
    studio.put(b"picture");
    let id = card(&studio);
    assert_eq!(studio.get(&format!("/files/{}/again/{id}.jpg", studio.key)).status, 404);
    assert_eq!(studio.ask("POST", &format!("/api/nodes/{id}/check"), b"").status, 204);
    let checked = || studio.state()["history"]["checked"][&id].clone();
    assert_eq!(until(checked, |checked| checked["state"] != "running")["state"], "same");
    let made = studio.get(&format!("/files/{}/again/{id}.jpg?max=640", studio.key));
    assert!(made.text().starts_with("jpeg 640 92"), "{}", made.text());
    assert_eq!(studio.ask("POST", "/api/nodes/other/check", b"").status, 404);
}

#[test]
fn a_card_that_is_dreamt_again_is_another_picture_or_fails_and_one_has_to_wait() {
    let studio = Running::new();
    studio.put(b"picture");
    for (again, wanted) in [("other", "other"), ("fail", "failed")] {
        studio.edit(&json!([
            { "set": { "path": "again", "value": again } },
            { "set": { "path": "version", "value": "0.1" } },
        ]));
        let id = card(&studio);
        let check = || studio.ask("POST", &format!("/api/nodes/{id}/check"), b"");
        assert_eq!(check().status, 204);
        let second = check();
        assert_eq!((second.status, &second.json()["fault"]), (422, &json!("busy")));
        let checked = || studio.state()["history"]["checked"][&id].clone();
        let became = until(checked, |checked| checked["state"] != "running");
        assert_eq!(became["state"], wanted);
        if again == "other" {
            assert_eq!(became["version"], "0.1");
        }
        // It can be checked once more.
        assert_eq!(check().status, 204);
        until(checked, |checked| checked["state"] == wanted);
    }
}

#[test]
fn four_variations_grow_and_one_is_taken() {
    let studio = Running::new();
    studio.put(b"picture");
    studio.edit(&set("seed", json!(7)));
    studio.until(|dream| dream["phase"] == "done");
    assert_eq!(studio.state()["variations"], Value::Null);
    assert_eq!(studio.post("/api/variations", &json!({ "first": 5 })).status, 204);
    let tiles = || studio.state()["variations"]["tiles"].as_array().unwrap().clone();
    let grown = |tiles: &Vec<Value>| tiles.iter().all(|tile| tile["share"] == 1.0);
    let all = until(tiles, grown);
    assert_eq!((all.len(), &all[3]["seed"]), (4, &json!(8)));
    let third = studio.get(&format!("/files/{}/variation/2", studio.key));
    assert!(third.text().contains("\"seed\":14"), "{}", third.text());
    assert_eq!(studio.ask("POST", "/api/variations/9/take", b"").status, 404);
    assert_eq!(studio.ask("POST", "/api/variations/2/take", b"").status, 204);
    let state = studio.until(|dream| dream["phase"] == "done");
    assert_eq!(
        (&state["desk"]["recipe"]["seed"], &state["variations"]),
        (&json!(14), &json!(null))
    );
    // The same four once more are others for the page, which keeps the pictures of each.
    let run = || {
        studio.post("/api/variations", &json!({ "first": 1 }));
        let state = studio.state();
        (state["desk"]["rev"].clone(), state["variations"]["run"].clone())
    };
    let (first, second) = (run(), run());
    assert!(first.0 == second.0 && first.1 != second.1, "{first:?} {second:?}");
    assert!(first.1.is_u64());
    // Whatever is changed meanwhile ends them.
    studio.edit(&set("a", json!(1)));
    assert_eq!(studio.state()["variations"], Value::Null);
    assert_eq!(studio.ask("DELETE", "/api/variations", b"").status, 204);
    assert_eq!(studio.post("/api/variations", &json!({ "first": u64::MAX - 1 })).status, 400);
}

#[test]
fn looks_are_saved_and_used_on_another_picture() {
    let studio = Running::new();
    let save = |name: &str| studio.post("/api/looks", &json!({ "name": name })).status;
    assert_eq!(save("dogs"), 422);
    studio.put(b"picture");
    studio.edit(&json!([
        { "set": { "path": "a", "value": 3 } },
        { "set": { "path": "seed", "value": 7 } },
        { "set": { "path": "layers", "value": "deep" } },
    ]));
    assert_eq!(save("dogs"), 204);
    let looks = studio.get("/api/looks").json();
    assert_eq!(looks[0]["name"], "dogs");
    assert_eq!(save("dogs"), 422);
    let id = looks[0]["id"].as_str().unwrap();
    studio.edit(&json!([
        { "set": { "path": "a", "value": 1 } },
        { "set": { "path": "seed", "value": 9 } },
        { "set": { "path": "layers", "value": "shallow" } },
    ]));
    for (whole, layers) in [(false, "shallow"), (true, "deep")] {
        let using = studio.post(&format!("/api/looks/{id}/use"), &json!({ "layers": whole }));
        assert_eq!(using.status, 204);
        let recipe = studio.state()["desk"]["recipe"].clone();
        assert_eq!((&recipe["a"], &recipe["seed"]), (&json!(3), &json!(9)));
        assert_eq!(recipe["layers"], layers);
    }
    let wanted = json!({ "saved": [id, "other"] });
    assert_eq!(studio.ask("PUT", "/api/gallery", wanted.to_string().as_bytes()).status, 204);
    until(|| studio.state()["gallery"]["looks"][id].clone(), Value::is_string);
    let rename = json!({ "name": "cats" }).to_string();
    let path = format!("/api/looks/{id}");
    assert_eq!(studio.ask("PATCH", &path, rename.as_bytes()).status, 204);
    assert_eq!(studio.get("/api/looks").json()[0]["name"], "cats");
    let removed = studio.ask("DELETE", &path, b"");
    assert_eq!((removed.status, &removed.json()["name"]), (200, &json!("cats")));
    assert_eq!(studio.ask("DELETE", &path, b"").status, 404);
    assert_eq!(studio.get("/api/looks").json(), json!([]));
    // What was removed can be taken back.
    assert_eq!(studio.post("/api/looks", &removed.json()).status, 204);
    assert_eq!(studio.get("/api/looks").json()[0]["name"], "cats");
}

#[test]
fn the_command_line_is_told() {
    let studio = Running::new();
    assert_eq!(studio.get("/api/command").status, 404);
    studio.put(b"picture");
    let line = studio.get("/api/command");
    assert!(line.text().starts_with("dream sky.png None {"), "{}", line.text());
}
