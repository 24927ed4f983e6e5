//! `--dry-run` of movies and galleries: what would be made is said, and nothing is.

use serde_json::Value;

use crate::room::{QUICK, Room};

const FAST: [&str; 4] = ["--octaves", "1", "--iterations", "1"];

fn answer(room: &Room, words: &[&str]) -> Value {
    // A gallery chooses its own layers.
    let quick = if words[0] == "gallery" { &FAST[..] } else { &QUICK };
    let mut command = room.deepdream();
    let done = command.args(words).args(quick).args(["--dry-run", "--json"]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{words:?}: {said}");
    serde_json::from_slice(&done.stdout).unwrap()
}

fn bytes(answer: &Value) -> u64 {
    answer["memory_bytes"].as_u64().unwrap()
}

fn code(room: &Room, words: &[&str]) -> (Option<i32>, String) {
    let mut command = room.deepdream();
    let done = command.args(words).args(QUICK).arg("--dry-run").output().unwrap();
    (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
}

#[test]
fn a_zoom_is_foreseen_and_not_made() {
    let room = Room::new();
    room.picture("a.png");
    let before = room.names();
    let zoom = ["zoom", "a.png", "-o", "out.mp4", "--seconds", "2", "--fps", "10"];
    let said = answer(&room, &zoom);
    assert_eq!((&said["pictures"], &said["present"]), (&20.into(), &0.into()), "{said}");
    assert_eq!((&said["width"], &said["movie_seconds"]), (&40.into(), &2.0.into()), "{said}");
    assert_eq!(said["file"], "out.mp4");
    assert!(said["seconds"].as_f64() > Some(0.0), "{said}");
    let large = answer(&room, &[&zoom[..], &["--size", "800"]].concat());
    assert!(bytes(&large) > bytes(&said) + (8 << 20), "{said}, {large}");
    let dry = [&zoom[..], &["--dry-run"]].concat();
    let text = room.deepdream().args(dry).args(QUICK).assert().success();
    let text = String::from_utf8_lossy(&text.get_output().stdout).into_owned();
    let wanted = "out.mp4 (40×24, 2.0 s long), 20 frames: about ";
    assert!(text.starts_with(wanted) && text.contains("Nothing was written"), "{text}");
    let held = [&zoom[..], &["--hold-last", "1", "--ping-pong"]].concat();
    assert_eq!(answer(&room, &held)["movie_seconds"], 4.8);
    assert_eq!(room.names(), before);

    // Of frames that are there, only the others take time.
    let made = ["zoom", "a.png", "-o", "out.mp4", "--seconds", "0.5", "--fps", "10"];
    room.deepdream().args(made).args(QUICK).assert().success();
    let before = room.names();
    assert_eq!(answer(&room, &zoom)["present"], 5);
    assert_eq!(answer(&room, &made)["seconds"], 0.0);
    // What it would be refused for, so is this.
    let (refused, said) = code(&room, &[&zoom[..], &["--seed", "5"]].concat());
    assert_eq!(refused, Some(5), "{said}");
    assert!(said.contains("by another recipe"), "{said}");
    let anew = [&zoom[..], &["--seed", "5", "--force"]].concat();
    assert_eq!(answer(&room, &anew)["present"], 1);
    let text = room.deepdream().args(&anew).args(QUICK).arg("--dry-run").assert().success();
    let text = String::from_utf8_lossy(&text.get_output().stdout).into_owned();
    assert!(text.contains("20 frames, of which 1 is there: about "), "{text}");
    // Frames that nobody knows.
    std::fs::create_dir(room.path("strange")).unwrap();
    std::fs::copy(room.path("a.png"), room.path("strange/img_0.png")).unwrap();
    room.picture("strange/img_5.png");
    for more in [&[][..], &["--force"]] {
        let words = [&["zoom", "a.png", "-o", "strange.mp4"], more].concat();
        let (refused, said) = code(&room, &words);
        assert_eq!(refused, Some(6), "{said}");
        assert!(said.contains("frame 0") || said.contains("img_5.png"), "{said}");
    }
    room.write("other.mp4", "what somebody has here");
    assert_eq!(code(&room, &["zoom", "a.png", "-o", "other.mp4"]).0, Some(6));
    assert_eq!(code(&room, &["zoom", "a.png", "-o", "nowhere/x.mp4"]).0, Some(6));
    room.deepdream().args(["zoom", "a.png", "--json"]).assert().code(2);
    let mut after = room.names();
    after.retain(|name| name != "other.mp4" && name != "strange");
    assert_eq!(after, before);
}

#[test]
fn a_gallery_is_foreseen_and_not_made() {
    let room = Room::new();
    room.picture("a.png");
    let before = room.names();
    let gallery = ["gallery", "a.png", "--cell", "32", "--layer", "fire2/concat:3+5"];
    let said = answer(&room, &gallery);
    assert_eq!((&said["file"], &said["pictures"]), (&"a.gallery.png".into(), &2.into()), "{said}");
    assert!(said["width"].as_u64() >= Some(64) && said["seconds"].as_f64() > Some(0.0), "{said}");
    let large = [&gallery[..1], &["a.png", "--cell", "600"], &gallery[4..]].concat();
    assert!(bytes(&answer(&room, &large)) > bytes(&said) + (4 << 20), "{said}");
    assert_eq!(room.names(), before);
    let shard = [&gallery[..], &["--shard", "1/2"]].concat();
    let part = answer(&room, &shard);
    assert_eq!((&part["pictures"], &part["file"]), (&1.into(), &"a.gallery".into()), "{part}");
    assert_eq!(part["width"], 32);
    room.deepdream().args(shard).args(FAST).assert().success();
    let said = answer(&room, &gallery);
    assert_eq!((&said["pictures"], &said["present"]), (&2.into(), &1.into()), "{said}");
    let every = answer(&room, &["gallery", "a.png", "--cell", "64", "-o", "b.png"]);
    assert!(every["pictures"].as_u64() > Some(20), "{every}");
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn a_video_is_foreseen_and_not_made() {
    let room = Room::new();
    crate::videos::clip(&room, "clip.mp4", "10", 8, "");
    let before = room.names();
    for coherence in ["flow", "independent"] {
        let said = answer(&room, &["video", "clip.mp4", "--coherence", coherence]);
        assert_eq!((&said["pictures"], &said["present"]), (&8.into(), &0.into()), "{said}");
        assert_eq!((&said["file"], &said["width"]), (&"clip.dream.mp4".into(), &96.into()));
        assert!(said["seconds"].as_f64() > Some(0.0), "{said}");
        assert!((said["movie_seconds"].as_f64().unwrap() - 0.8).abs() < 0.01, "{said}");
    }
    assert_eq!(room.names(), before);
    let part = ["video", "clip.mp4", "--coherence", "independent", "--shard", "1/4"];
    assert_eq!(answer(&room, &part)["pictures"], 2);
    room.deepdream().args(part).args(QUICK).assert().success();
    let rest = answer(&room, &["video", "clip.mp4", "--coherence", "independent"]);
    assert_eq!(rest["present"], 2);
    let (refused, said) =
        code(&room, &["video", "clip.mp4", "--coherence", "independent", "--seed", "9"]);
    assert_eq!(refused, Some(5), "{said}");
    // Each processor has a dreamer.
    let memory = |threads: &str| {
        let words = ["video", "clip.mp4", "--coherence", "independent", "--size", "400"];
        bytes(&answer(&room, &[&words[..], &["-o", "new.mp4", "--threads", threads]].concat()))
    };
    assert!(memory("2") > memory("1") + (4 << 20));
    // Frames that are of no video.
    std::fs::create_dir(room.path("strange")).unwrap();
    room.picture("strange/img_0.png");
    let (refused, said) = code(&room, &["video", "clip.mp4", "-o", "strange.mp4"]);
    assert_eq!(refused, Some(6), "{said}");
    // Of frames that follow from each other, those without what they carried are made again.
    room.deepdream()
        .args(["video", "clip.mp4", "-o", "flow.mp4", "--keep"])
        .args(QUICK)
        .assert()
        .success();
    std::fs::remove_file(room.path("flow.mp4")).unwrap();
    assert_eq!(answer(&room, &["video", "clip.mp4", "-o", "flow.mp4"])["present"], 8);
    std::fs::remove_file(room.path("flow/img_3.png")).unwrap();
    assert_eq!(answer(&room, &["video", "clip.mp4", "-o", "flow.mp4"])["present"], 0);
}
