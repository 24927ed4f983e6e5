//! Recipes by themselves: shown, changed and compared, and presets upon them.

use serde_json::Value;

use crate::room::{QUICK, Room};

/// What a command answers, which must succeed.
fn answer(room: &Room, args: &[&str]) -> String {
    let assert = room.deepdream().args(args).assert().success();
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// What a command says, which must fail with `code`.
fn refused(room: &Room, args: &[&str], code: i32) -> String {
    let assert = room.deepdream().args(args).assert().code(code);
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

fn room() -> Room {
    let room = Room::new();
    room.picture("photo.png");
    let words = ["image", "photo.png", "-o", "dream.png", "--seed", "7"];
    room.deepdream().args(words).args(QUICK).assert().success();
    room
}

#[test]
fn a_recipe_is_shown_changed_and_compared() {
    let room = room();
    let shown = answer(&room, &["recipe", "dream.png"]);
    assert!(shown.contains("seed = 7") && shown.contains("[octaves]"), "{shown}");
    room.write("same.toml", &shown);
    assert_eq!(answer(&room, &["recipe", "dream.png", "same.toml"]), "the recipes are the same\n");

    let change = ["--set", "octaves.count=3", "--set", "seed=8", "-o", "other.toml"];
    let words = [&["recipe", "dream.png"], &change[..]].concat();
    answer(&room, &words);
    assert!(refused(&room, &words, 6).contains("exists already"));
    for words in [["dream.png", "other.toml"], ["other.toml", "dream.png"]] {
        let text = answer(&room, &["recipe", words[0], "--compare", words[1]]);
        let is_back = words[0] == "other.toml";
        let arrow = if is_back { "8 → 7" } else { "7 → 8" };
        assert!(text.lines().count() == 2 && text.contains(arrow), "{text}");
    }
    let json: Value =
        serde_json::from_str(&answer(&room, &["recipe", "dream.png", "other.toml", "--json"]))
            .unwrap();
    assert_eq!(json[0]["setting"], "octaves.count");
    assert_eq!((&json[0]["before"], &json[0]["after"]), (&"1".into(), &"3".into()));
    let json: Value =
        serde_json::from_str(&answer(&room, &["recipe", "dream.png", "--json"])).unwrap();
    assert_eq!(json["seed"], 7);
    // What it writes over is never a dream or a picture, and a file of its own only if that is wanted.
    assert!(refused(&room, &["recipe", "dream.png", "-o", "look.png"], 6).contains("TOML"));
    room.write("film.mp4", "a movie");
    refused(&room, &["recipe", "dream.png", "-o", "film.mp4", "--force"], 6);
    assert_eq!(room.bytes("film.mp4"), b"a movie");
    answer(&room, &["recipe", "other.toml", "--set", "seed=9", "-o", "other.toml", "--force"]);
    assert!(answer(&room, &["recipe", "other.toml"]).contains("seed = 9"));
}

#[test]
fn what_a_recipe_leaves_out_is_what_a_dream_takes() {
    let room = Room::new();
    room.picture("photo.png");
    room.write("look.toml", "schema = 1\nseed = 7\nsize = 64\noctaves = { count = 1 }\n");
    answer(&room, &["recipe", "look.toml", "--set", "seed=8", "-o", "b.toml"]);
    for (look, dream) in [("look.toml", "a.png"), ("b.toml", "b.png")] {
        answer(&room, &["image", "photo.png", "--recipe", look, "--seed", "8", "-o", dream]);
    }
    assert_eq!(room.open("a.png"), room.open("b.png"));
}

#[test]
fn what_is_no_recipe_or_no_setting_is_refused() {
    let room = room();
    let said = refused(&room, &["recipe", "photo.png"], 5);
    assert!(said.contains("photo.png"), "{said}");
    refused(&room, &["recipe", "none.toml"], 5);
    let said = refused(&room, &["recipe", "dream.png", "--set", "octaves.cuont=3"], 5);
    assert!(said.contains("did you mean `octaves.count`"), "{said}");
    assert!(said.contains("deepdream recipe --fields"), "{said}");
    let said = refused(&room, &["recipe", "dream.png", "--set", "ascent.step=1.5"], 5);
    assert!(said.contains("--preset classic"), "{said}");
    let fields = answer(&room, &["recipe", "--fields"]);
    let some = answer(&room, &["recipe", "--fields", "octaves", "--json"]);
    let some: Vec<Value> = serde_json::from_str(&some).unwrap();
    assert!(some.len() > 4 && some.iter().any(|field| field["field"] == "octaves.detail"));
    refused(&room, &["recipe", "--fields", "xyzzy"], 2);
    assert!(fields.contains("octaves.count\n") && fields.contains("One of: reinject"), "{fields}");
}

#[test]
fn a_preset_gives_a_recipe_its_rules_and_leaves_the_rest() {
    let room = room();
    let changed = answer(&room, &["recipe", "dream.png", "--preset", "classic"]);
    for wanted in ["preset = \"classic\"", "seed = 7", "layer = \"conv1\"", "step = 1.1"] {
        assert!(changed.contains(wanted), "{wanted}: {changed}");
    }
    let flags = ["--recipe", "dream.png", "--preset", "classic", "--iterations", "1"];
    let words = [&["image", "photo.png", "-o", "again.png", "--octaves", "1"], &flags[..]].concat();
    answer(&room, &words);
    let text = answer(&room, &["recipe", "dream.png", "again.png"]);
    assert!(text.contains("preset") && text.contains("\"default\" → \"classic\""), "{text}");
    assert!(!text.contains("objective") && !text.contains("seed"), "{text}");
}

#[test]
fn presets_and_the_recipe_of_a_network_are_listed() {
    let room = Room::new();
    let text = answer(&room, &["presets"]);
    for preset in ["figures", "visualise", "classic", "tensorflow-laplacian"] {
        assert!(text.contains(preset), "{text}");
    }
    let json: Vec<Value> = serde_json::from_str(&answer(&room, &["presets", "--json"])).unwrap();
    let classic = json.iter().find(|preset| preset["name"] == "classic").unwrap();
    assert_eq!(classic["recipe"]["octaves"]["count"], 5);
    let own = answer(&room, &["recipe", "--model", "squeezenet"]);
    assert!(own.contains("name = \"squeezenet\"") && own.contains("fire8/concat"), "{own}");
}
