//! Ctrl-C in the middle of a dream.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::room::Room;

#[test]
fn a_measurement_stops_with_the_code_of_ctrl_c() {
    let room = Room::new();
    let bench = Command::new(env!("CARGO_BIN_EXE_deepdream"))
        .args(["bench", "--size", "64x48", "--rounds", "100000", "--layer", "conv1"])
        .env("DEEPDREAM_HOME", room.path("home"))
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Until it listens, a signal ends it without a word; before there is anything to stop, at once.
    let pid = Pid::from_raw(bench.id() as i32);
    while !caught(pid) {
        std::thread::yield_now();
    }
    kill(pid, Signal::SIGINT).unwrap();
    let output = bench.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("deepdream: stopped"), "{said}");
    assert!(output.stdout.is_empty());
}

/// Whether a process waits for SIGINT, as the system tells it.
#[cfg(target_os = "linux")]
fn caught(pid: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
    let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (Signal::SIGINT as u64 - 1)) != 0)
}

#[cfg(not(target_os = "linux"))]
fn caught(_: Pid) -> bool {
    std::thread::sleep(std::time::Duration::from_secs(1));
    true
}

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
