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
    room.deepdream().args(args).args(QUICK).assert().code(6);
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
