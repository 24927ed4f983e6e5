//! Several pictures at once, what would become of them, and answers for scripts.

use serde_json::Value;

use crate::room::{QUICK, Room};

fn room() -> Room {
    let room = Room::new();
    for name in ["a.png", "b.png", "c.png"] {
        room.picture(name);
    }
    room
}

/// Runs `image` on all three pictures and one that is none; returns what it answers and says, and its code.
fn image(room: &Room, more: &[&str]) -> (String, String, Option<i32>) {
    let mut command = room.deepdream();
    command.args(["image", "a.png", "no.png", "b.png", "c.png"]).args(QUICK).args(more);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

/// The status of each picture in an answer.
fn statuses(json: &str) -> Vec<(String, String)> {
    let answer: Vec<Value> = serde_json::from_str(json).unwrap();
    let word = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    answer.iter().map(|one| (word(one, "picture"), word(one, "status"))).collect()
}

fn expected(statuses: [&str; 4]) -> Vec<(String, String)> {
    let pictures = ["a.png", "no.png", "b.png", "c.png"];
    pictures.into_iter().zip(statuses).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

#[test]
fn parts_of_a_batch_make_the_whole() {
    let room = room();
    room.write("no.png", "no picture");
    let part = |part: &str| {
        let (json, said, code) =
            image(&room, &["--json", "--save-recipe", "look.toml", "--shard", part]);
        (statuses(&json), said, code)
    };
    let all = expected(["written", "failed", "written", "written"]);
    let (first, said, code) = part("1/2");
    assert_eq!(first, [all[0].clone(), all[2].clone()], "{said}");
    assert_eq!(code, Some(0), "{said}");
    assert!(!room.path("c.dream.png").exists());
    let (second, said, code) = part("2/2");
    assert_eq!(second, [all[1].clone(), all[3].clone()], "{said}");
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("1 of 2 pictures was not dreamt on"), "{said}");
    assert!(room.path("c.dream.png").exists());
    // There are more machines than pictures.
    assert_eq!(part("5/5"), (Vec::new(), String::new(), Some(0)));
    for more in [&["--shard", "5/5"][..], &["--shard", "5/5", "--dry-run"]] {
        let (_, said, code) = image(&room, more);
        assert!(said.contains("part 5/5 has no picture: there are only 4"), "{said}");
        assert_eq!(code, Some(0), "{said}");
    }
    // A part of one picture is told of as any other is.
    let (taken, said, code) = part("4/4");
    assert_eq!(taken, [("c.png".to_owned(), "failed".to_owned())], "{said}");
    assert_eq!(code, Some(6), "{said}");

    // Two of one name go to one file, whichever machine makes them.
    std::fs::create_dir(room.path("in")).unwrap();
    room.picture("in/a.png");
    for part in ["1/2", "2/2"] {
        let pictures = ["image", "a.png", "in/a.png", "-o", "out/", "--shard", part];
        let assert = room.deepdream().args(pictures).args(QUICK).assert().failure();
        let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(said.contains("a.dream.png"), "{said}");
    }

    // Noise is no batch, whether it is asked for or a recipe's.
    room.write("noise.toml", "noise = { width = 40, height = 24 }\n");
    for what in [["--noise", "40x24"], ["--recipe", "noise.toml"]] {
        let words = [&["image", "--shard", "2/4"], &what[..]].concat();
        room.deepdream().args(words).args(QUICK).assert().code(2);
    }

    let scheduled = |part: &str| {
        let mut command = room.deepdream();
        command.args(["image", "a.png", "b.png", "-o", "auto/", "--shard", part]).args(QUICK);
        command.env("JOB_COMPLETION_INDEX", "1");
        command.output().unwrap()
    };
    assert!(scheduled("auto/2").status.success());
    assert!(room.path("auto/b.dream.png").exists() && !room.path("auto/a.dream.png").exists());
    let said = String::from_utf8(scheduled("auto").stderr).unwrap();
    assert!(said.contains("Write auto/8"), "{said}");
}

#[test]
fn dreams_that_exist_are_kept_and_scripts_are_told() {
    let room = room();
    room.write("no.png", "no picture");
    room.write("b.dream.png", "what somebody has here");
    let (json, said, code) = image(&room, &["--skip-existing", "--json"]);
    assert_eq!(statuses(&json), expected(["written", "failed", "kept", "written"]), "{said}");
    assert_eq!(code, Some(3), "{said}");
    assert_eq!(room.bytes("b.dream.png"), b"what somebody has here");
    let answer: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!((&answer[0]["file"], &answer[0]["width"]), (&"a.dream.png".into(), &40.into()));
    assert!(answer[1]["error"].as_str().unwrap().contains("no.png"), "{json}");

    let (_, said, code) = image(&room, &["--skip-existing"]);
    assert!(said.contains("kept a.dream.png, which is there already"), "{said}");
    assert_eq!(code, Some(3), "{said}");
    let all = ["image", "a.png", "b.png", "--skip-existing"];
    let assert = room.deepdream().args(all).args(QUICK).assert().success();
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("wrote 0 pictures and kept 2"), "{said}");
    let saved = [&all[..], &["--save-recipe", "look.toml"]].concat();
    room.write("look.toml", "mine");
    room.deepdream().args(saved).args(QUICK).assert().success();
    assert_eq!(room.bytes("look.toml"), b"mine");
    let itself = ["image", "a.png", "-o", "a.png", "--skip-existing"];
    room.deepdream().args(itself).args(QUICK).assert().code(6);
    let both = ["image", "a.png", "--skip-existing", "--force"];
    room.deepdream().args(both).assert().code(2);
}

#[test]
fn a_dry_run_says_what_would_be_made_and_makes_nothing() {
    let room = room();
    room.write("no.png", "no picture");
    room.write("c.dream.png", "");
    let before = room.names();
    let (json, said, code) = image(&room, &["--dry-run", "--json", "--skip-existing"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("1 of 4 pictures would not be dreamt on"), "{said}");
    assert_eq!(statuses(&json), expected(["dream", "failed", "dream", "kept"]));
    let answer: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert!(answer[0]["seconds"].as_f64().unwrap() > 0.0, "{json}");
    assert!(answer[0]["memory_bytes"].as_u64().unwrap() > 1 << 20, "{json}");
    assert_eq!((&answer[0]["width"], &answer[0]["steps"]), (&40.into(), &1.into()));
    let (text, said, code) = image(&room, &["--dry-run", "-o", "new/"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(text.contains("a.png → new/a.dream.png (40×24"), "{text}");
    assert!(text.contains("3 dreams: about") && text.contains("Nothing was written"), "{text}");
    assert_eq!(room.names(), before);
    // What a dream would be refused for, so is this.
    let one = ["image", "c.png", "--dry-run", "-o", "a.png"];
    room.deepdream().args(one).args(QUICK).assert().code(6);
    room.write("taken", "");
    for more in [&["-o", "nowhere/x.png"][..], &["a.png", "-o", "taken"]] {
        let words = [&["image", "c.png", "--dry-run"], more].concat();
        room.deepdream().args(words).args(QUICK).assert().code(6);
    }
    let words = ["image", "c.png", "--dry-run", "-o", "c.png", "--skip-existing"];
    room.deepdream().args(words).args(QUICK).assert().code(6);
}

#[test]
fn a_dream_that_does_not_fit_in_the_memory_is_cut_into_exact_tiles() {
    let room = room();
    // So large that tiles take less, whatever the processor and the number of threads.
    let dry =
        ["image", "--noise", "1800x1400", "--layer", "fire5/concat", "--octaves", "1", "--dry-run"];
    let said = |more: &[&str]| -> Value {
        let command = [&dry[..], &["--preset", "classic", "--json"], more].concat();
        let output = room.deepdream().args(command).assert().success().get_output().stdout.clone();
        serde_json::from_slice(&output).unwrap()
    };
    let bytes = |said: &Value| said[0]["memory_bytes"].as_u64().unwrap();
    let whole = said(&[]);
    assert!(whole[0].get("exact_tiles").is_none(), "{whole}");
    let asked = said(&["--tiles", "exact", "--set", "tiles.exact.size=500"]);
    assert!(asked[0]["exact_tiles"]["width"].as_u64() <= Some(500), "{asked}");
    assert!(bytes(&asked) < bytes(&whole), "{asked}: {whole}");
    let limit = bytes(&whole) - (bytes(&whole) - bytes(&asked)) / 4;
    let cut = said(&["--memory", &limit.to_string()]);
    let tiles = &cut[0]["exact_tiles"];
    assert!(tiles["count"].as_u64() > Some(1) && tiles["cost"].as_f64() > Some(1.0), "{cut}");
    assert!(bytes(&cut) <= limit, "{limit}: {cut}");
    let command = [&dry[..], &["--memory", "much"]].concat();
    let error = room.deepdream().args(command).assert().code(2).get_output().stderr.clone();
    assert!(String::from_utf8_lossy(&error).contains("such as 2G"));
}

#[test]
#[cfg(unix)]
fn a_name_that_cannot_be_is_refused_before_the_work() {
    let room = room();
    let long = format!("{}.png", "x".repeat(300));
    let one = ["image", "c.png", "--json", "-o", &long];
    let assert = room.deepdream().args(one).args(QUICK).assert().code(6);
    let json = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert_eq!(statuses(&json), [("c.png".to_owned(), "failed".to_owned())]);
    assert!(json.contains("name is too long"), "{json}");
}

#[test]
fn parts_of_a_gallery_make_the_whole() {
    let room = room();
    let gallery = |more: &[&str]| {
        let words = ["gallery", "a.png", "--model", "squeezenet", "--cell", "32"];
        let fast = ["--layer", "fire2/squeeze1x1:3+5+7", "--octaves", "1", "--iterations", "1"];
        let mut command = room.deepdream();
        let assert = command.args(words).args(fast).args(more).assert().success();
        String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
    };
    gallery(&["-o", "whole.png"]);
    let said = gallery(&["--shard", "1/2"]);
    assert!(said.contains("wrote 2 pictures into a.gallery"), "{said}");
    assert!(!room.path("a.gallery.png").exists());
    gallery(&["--shard", "2/2"]);
    let said = gallery(&[]);
    assert!(said.contains("3 of 3 pictures are there"), "{said}");
    assert_eq!(room.open("a.gallery.png"), room.open("whole.png"));
    assert!(!room.path("a.gallery").exists());
    // A part makes no sheet, so one that is there does not matter.
    gallery(&["--shard", "1/2"]);
}
