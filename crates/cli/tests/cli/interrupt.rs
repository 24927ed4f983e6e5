//! Ctrl-C in the middle of a dream.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::room::Room;

#[test]
fn stops_at_the_next_step_and_leaves_nothing() {
    let room = Room::new();
    room.picture("photo.png");
    let mut dream = Command::new(env!("CARGO_BIN_EXE_deepdream"))
        .args(["image", "photo.png", "--octaves", "1", "--iterations", "100000"])
        .args(["--layer", "conv1", "--save-recipe", "recipe.toml"])
        .current_dir(room.path("."))
        .env("DEEPDREAM_HOME", room.path("home"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(dream.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.starts_with("network: squeezenet"), "{line}");

    kill(Pid::from_raw(dream.id() as i32), Signal::SIGINT).unwrap();
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(dream.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("stopping at the next step"), "{rest}");
    assert!(rest.contains("stopped: photo.dream.png was not written"), "{rest}");
    assert_eq!(room.names(), ["photo.png"]);
}
