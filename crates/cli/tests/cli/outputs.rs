//! Where dreams go.

use crate::room::{QUICK, Room};

#[test]
fn dream_stands_beside_its_picture() {
    let room = Room::new();
    for name in ["a.png", "b.jpg", "c.JPEG", "d.webp", "e.tiff", "f.bmp"] {
        room.picture(name);
    }
    let pictures = ["a.png", "b.jpg", "c.JPEG", "d.webp", "e.tiff", "f.bmp"];
    room.deepdream().arg("image").args(pictures).args(QUICK).assert().success();
    for name in [
        "a.dream.png",
        "b.dream.jpg",
        "c.dream.JPEG",
        "d.dream.webp",
        "e.dream.tiff",
        "f.dream.bmp",
    ] {
        assert_eq!(room.open(name).width(), 40);
    }
    assert_eq!(room.names().len(), 12);
}

#[test]
fn folder_takes_all_dreams() {
    let room = Room::new();
    room.picture("a.png");
    room.picture("b.png");
    let args = ["image", "a.png", "b.png", "-o", "dreams"];
    room.deepdream().args(args).args(QUICK).assert().success();
    room.open("dreams/a.dream.png");
    room.open("dreams/b.dream.png");
    let args = ["image", "a.png", "-o", "more/"];
    room.deepdream().args(args).args(QUICK).assert().success();
    room.open("more/a.dream.png");
}

#[test]
fn two_dreams_for_one_file_are_refused() {
    let room = Room::new();
    room.picture("a.png");
    std::fs::create_dir(room.path("other")).unwrap();
    room.picture("other/a.png");
    let args = ["image", "a.png", "other/a.png", "-o", "dreams"];
    let assert = room.deepdream().args(args).args(QUICK).assert().code(6);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("a.png and other/a.png would both become"), "{said}");
    room.deepdream().args(["image", "a.png", "./a.png"]).args(QUICK).assert().code(2);
    assert_eq!(room.names(), ["a.png", "dreams", "other"]);
}

#[test]
fn one_file_for_two_dreams_is_refused() {
    let room = Room::new();
    room.picture("a.png");
    room.picture("b.png");
    let args = ["image", "a.png", "b.png", "-o", "out.png"];
    room.deepdream().args(args).args(QUICK).assert().code(6);
    assert_eq!(room.names(), ["a.png", "b.png"]);
    room.deepdream()
        .args(["image", "a.png", "b.png", "-o", "out.png/"])
        .args(QUICK)
        .assert()
        .success();
    assert!(room.path("out.png").is_dir());
}

#[test]
fn one_bad_picture_stops_no_other() {
    let room = Room::new();
    room.picture("a.png");
    room.write("bad.png", "words");
    room.picture("c.png");
    let args = ["image", "a.png", "bad.png", "none.png", "c.png", "-o", "dreams"];
    let assert = room.deepdream().args(args).args(QUICK).assert().code(3);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    room.open("dreams/a.dream.png");
    room.open("dreams/c.dream.png");
    assert!(said.contains("picture 4 of 4, c.png"), "{said}");
    let end: Vec<&str> = said.lines().rev().take(3).collect();
    assert!(end[2].contains("2 of 4 pictures were not dreamt on"), "{said}");
    assert!(end[1].contains("bad.png"), "{said}");
    assert!(end[0].contains("none.png") && end[0].contains("no such file"), "{said}");
    // What is there stays, and what is missing is made.
    let args = ["image", "a.png", "c.png", "-o", "dreams"];
    std::fs::remove_file(room.path("dreams/c.dream.png")).unwrap();
    room.deepdream().args(args).args(QUICK).assert().code(6);
    room.open("dreams/c.dream.png");
}

#[test]
fn pictures_are_never_outputs() {
    let room = Room::new();
    let photo = std::fs::read(room.picture("a.png")).unwrap();
    room.picture("a.dream.png");
    let dream = room.bytes("a.dream.png");
    let args = ["image", "a.png", "a.dream.png", "--force"];
    room.deepdream().args(args).args(QUICK).assert().code(6);
    assert_eq!(room.bytes("a.dream.png"), dream);
    room.open("a.dream.dream.png");
    let args = ["image", "a.png", "-o", "b.png", "--force", "--save-recipe"];
    for recipe in ["a.png", "b.png"] {
        room.deepdream().args(args).arg(recipe).args(QUICK).assert().code(6);
    }
    assert_eq!(room.bytes("a.png"), photo);
}

#[test]
fn a_run_ends_with_what_it_made_and_how_long_it_took() {
    let room = Room::new();
    let said = |args: &[&str]| {
        let assert = room.deepdream().args(args).args(QUICK).assert().success();
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    };
    room.picture("a.png");
    room.picture("b.png");
    let last = |text: &str| text.lines().last().unwrap().to_owned();
    let one = last(&said(&["image", "a.png"]));
    assert!(one.starts_with("wrote a.dream.png (40×24) in ") && one.ends_with(" s"), "{one}");
    let two = last(&said(&["image", "a.png", "b.png", "-o", "dreams"]));
    assert!(two.starts_with("wrote 2 pictures in "), "{two}");
    let movie =
        last(&said(&["zoom", "a.png", "-o", "fall.gif", "--seconds", "0.1", "--fps", "10"]));
    assert!(movie.starts_with("wrote fall.gif (1 frame of 40×24, 10 a second, 0.1 s, "), "{movie}");
    let frames = said(&["frames", "fall", "--count", "3"]);
    assert!(frames.contains("wrote 2 frames into fall in "), "{frames}");
    assert!(frames.contains("`deepdream movie fall`"), "{frames}");
    let frames = said(&["frames", "fall", "--count", "2"]);
    assert!(frames.contains("fall: all frames are there already"), "{frames}");
}

#[test]
fn quiet_says_nothing() {
    let room = Room::new();
    room.picture("a.png");
    let assert = room.deepdream().args(["image", "a.png", "--quiet"]).args(QUICK).assert();
    assert.success().stdout("").stderr("");
}

#[test]
fn network_is_said_where_none_is_named() {
    let room = Room::new();
    room.picture("a.png");
    let said = |args: &[&str]| {
        let mut command = room.deepdream();
        let assert = command.args(["image", "a.png", "--force"]).args(args).args(QUICK).assert();
        String::from_utf8(assert.success().get_output().stderr.clone()).unwrap()
    };
    assert!(said(&[]).contains("network: squeezenet"));
    assert!(!said(&["--model", "squeezenet"]).contains("network:"));
}

#[cfg(unix)]
#[test]
fn dream_has_the_rights_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let room = Room::new();
    room.picture("a.png");
    room.deepdream().args(["image", "a.png"]).args(QUICK).assert().success();
    let mode = |name: &str| room.path(name).metadata().unwrap().permissions().mode();
    assert_eq!(mode("a.dream.png"), mode("a.png"));
}

/// However it is spelled, and whatever may be replaced otherwise.
#[test]
fn a_movie_never_replaces_what_it_is_made_from() {
    let room = Room::new();
    room.write("clip.mp4", "not even a video");
    std::fs::create_dir(room.path("frames")).unwrap();
    room.picture("frames/img_0.png");
    room.picture("photo.png");
    #[cfg(unix)]
    std::os::unix::fs::symlink("clip.mp4", room.path("link.mp4")).unwrap();
    let mut cases = vec![
        vec!["video", "clip.mp4", "-o", "clip.mp4"],
        vec!["video", "clip.mp4", "-o", "./frames/../clip.mp4"],
        vec!["movie", "frames", "-o", "frames/img_0.png"],
        vec!["zoom", "photo.png", "-o", "./photo.png"],
    ];
    if cfg!(unix) {
        cases.push(vec!["video", "clip.mp4", "-o", "link.mp4"]);
        cases.push(vec!["video", "link.mp4", "-o", "clip.mp4"]);
    }
    let read = || ["clip.mp4", "frames/img_0.png", "photo.png"].map(|name| room.bytes(name));
    let before = read();
    for args in cases {
        let assert = room.deepdream().args(&args).arg("--force").assert().code(6);
        let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(said.contains("made from this very file") && said.contains("(-o)"), "{said}");
        assert_eq!(read(), before, "{args:?}");
    }
}

/// Under whatever name, for every output of every job.
#[cfg(unix)]
#[test]
fn no_output_replaces_an_input_under_another_name() {
    use std::os::unix::fs::symlink;
    let room = Room::new();
    std::fs::create_dir(room.path("sky")).unwrap();
    room.picture("sky/img_0.png");
    room.picture("a.png");
    room.write("r.toml", "step = 2.0");
    room.write("m.pb", "a network");
    let inputs = ["sky/img_0.png", "a.png", "r.toml", "m.pb"];
    let read = || inputs.map(|name| room.bytes(name));
    let before = read();
    for (link, to) in [
        ("frame.gif", "sky/img_0.png"),
        ("photo.png", "a.png"),
        ("photo.gif", "a.png"),
        ("photo.npy", "a.png"),
        ("recipe.png", "r.toml"),
        ("model.png", "m.pb"),
        ("model.gif", "m.pb"),
        ("a.dream.png", "a.png"),
    ] {
        symlink(to, room.path(link)).unwrap();
    }
    std::fs::hard_link(room.path("a.png"), room.path("hard.png")).unwrap();
    for args in [
        &["movie", "sky", "-o", "frame.gif"][..],
        &["movie", "sky", "-o", "photo.gif", "--sound", "a.png"],
        &["image", "a.png"],
        &["image", "a.png", "-o", "a.png"],
        &["image", "a.png", "-o", "photo.png"],
        &["image", "photo.png", "-o", "a.png"],
        &["image", "a.png", "-o", "hard.png"],
        &["image", "a.png", "-r", "r.toml", "-o", "recipe.png"],
        &["image", "a.png", "-r", "r.toml", "-o", "o.png", "--save-recipe", "r.toml"],
        &["image", "a.png", "-m", "m.pb", "-o", "model.png"],
        &["image", "a.png", "-m", "m.pb", "-o", "o.png", "--save-recipe", "m.pb"],
        &["zoom", "a.png", "-o", "photo.gif"],
        &["zoom", "a.png", "-m", "m.pb", "-o", "model.gif"],
        &["video", "a.png", "-m", "m.pb", "-o", "model.gif"],
        &["probe", "a.png", "--layer", "conv1", "--gradient", "photo.npy"],
    ] {
        let assert = room.deepdream().args(args).arg("--force").assert();
        let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert_eq!(read(), before, "{args:?}");
        assert_eq!(assert.get_output().status.code(), Some(6), "{args:?}: {said}");
        assert!(said.contains("made from this very file, the "), "{args:?}: {said}");
    }
    assert!(room.names().iter().all(|name| name != "o.png"));
}
