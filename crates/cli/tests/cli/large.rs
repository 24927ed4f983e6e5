//! Pictures that are larger than the memory: the limit holds from file to file, and the dream is the same.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::room::{Room, picture};

/// Bytes of memory that a dream may take here in all: a third of what its pictures take.
const LIMIT: u64 = 240_000_000;

/// Runs the program to its end; returns what it says and the most bytes of memory that it was seen to have.
fn watched(room: &Room, args: &[&str]) -> (String, u64) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_deepdream"))
        .args(args)
        .current_dir(room.path("."))
        .env("DEEPDREAM_HOME", room.path("home"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", program.id());
    let mut peak = 0;
    while program.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let seen = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(seen.unwrap_or(0) * 1024);
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = program.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    (said, peak)
}

#[test]
fn the_limit_holds_from_file_to_file_and_the_pixels_are_the_same() {
    let room = Room::new();
    picture(2200, 1700).save(room.path("photo.tif")).unwrap();
    std::fs::create_dir(room.path("files")).unwrap();
    let limit = LIMIT.to_string();
    let limited = ["--memory", &limit, "--scratch", "files"];
    let quick = ["--layer", "fire2/concat", "--octaves", "2", "--iterations", "1"];
    for output in ["dream.png", "dream.tif", "dream.jpg"] {
        let args = [&["image", "photo.tif", "-o", output][..], &limited, &quick].concat();
        let (said, peak) = watched(&room, &args);
        assert!(said.contains("of scratch files in files"), "{said}");
        assert!(peak > 0 && peak <= LIMIT, "{output}: {peak} bytes");
    }
    assert_eq!(room.path("files").read_dir().unwrap().count(), 0);
    // The recipe says how it was cut; nothing of it depends on the memory.
    let again = ["image", "photo.tif", "--recipe", "dream.png", "-o", "again.png"];
    room.deepdream().args(again).assert().success();
    assert_eq!(room.open("again.png"), room.open("dream.png"));
    assert_eq!(room.open("dream.tif"), room.open("dream.png"));
}

#[test]
fn a_folder_for_scratch_files_that_is_not_there_is_refused_at_once() {
    let room = Room::new();
    room.picture("photo.png");
    let output =
        room.deepdream().args(["image", "photo.png", "--scratch", "none"]).assert().code(6);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("none") && said.contains("(--scratch)"), "{said}");
    assert_eq!(room.names(), ["photo.png"]);
}
