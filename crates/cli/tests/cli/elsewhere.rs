//! Folders, links, devices and limits that come from elsewhere: nothing outside is touched, nothing is
//! waited for that never comes, no work is lost.
#![cfg(unix)]

use std::io::Read;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::room::{QUICK, Room};

/// Names of the program's files that are not complete.
fn leftovers(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(".deepdream-")).collect()
}

/// A shell's line in the room, with the program as `$0`.
fn shell(room: &Room, line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line, env!("CARGO_BIN_EXE_deepdream")]).args(QUICK);
    command.current_dir(room.path(".")).env("DEEPDREAM_HOME", room.path("home"));
    command
}

fn said(command: &mut assert_cmd::Command, code: i32) -> String {
    String::from_utf8(command.assert().code(code).get_output().stderr.clone()).unwrap()
}

#[test]
fn links_in_a_folder_of_frames_are_never_gone_through() {
    let room = Room::new();
    std::fs::create_dir_all(room.path("sky/.deepdream")).unwrap();
    std::fs::create_dir(room.path("outside")).unwrap();
    room.picture("sky/img_0.png");
    let names = ["lock", "part.state.safetensors", "state.safetensors", "part.img_1.png"];
    for name in names {
        room.write(&format!("outside/{name}"), "precious");
        symlink(format!("../../outside/{name}"), room.path(&format!("sky/.deepdream/{name}")))
            .unwrap();
    }
    let frames = |code: i32, more: &[&str]| {
        let mut command = room.deepdream();
        said(command.args(["frames", "sky", "-q", "-n", "3"]).args(QUICK).args(more), code)
    };
    assert!(frames(6, &[]).contains("sky/.deepdream/lock is not a file of this program's"));
    std::fs::remove_file(room.path("sky/.deepdream/lock")).unwrap();
    assert!(frames(3, &[]).contains("state.safetensors"));
    frames(0, &["--force"]);
    // A frame that is a link is replaced, not what it leads to.
    std::fs::remove_file(room.path("sky/img_2.png")).unwrap();
    symlink("../outside/lock", room.path("sky/img_2.png")).unwrap();
    frames(0, &["--force"]);
    assert!(!room.path("sky/img_2.png").is_symlink());

    std::fs::remove_dir_all(room.path("sky/.deepdream")).unwrap();
    symlink("../outside", room.path("sky/.deepdream")).unwrap();
    assert!(frames(6, &["--force"]).contains("is not a folder of this program's"));
    for name in names {
        assert_eq!(room.bytes(&format!("outside/{name}")), b"precious", "{name}");
    }
    assert_eq!(std::fs::read_dir(room.path("outside")).unwrap().count(), names.len());
}

#[test]
fn force_removes_only_frames_that_were_made() {
    let room = Room::new();
    std::fs::create_dir(room.path("photos")).unwrap();
    for name in ["holiday0", "holiday1", "wedding7"] {
        room.picture(&format!("photos/{name}.png"));
    }
    let frames = |code: i32, count: &str, more: &[&str]| {
        let mut command = room.deepdream();
        said(command.args(["frames", "photos", "-q", "-n", count]).args(QUICK).args(more), code)
    };
    assert!(frames(3, "2", &["--force"]).contains("no first frame"));
    room.picture("photos/img_0.png");
    frames(0, "4", &[]);
    frames(0, "2", &["--force", "--step", "0.05"]);
    let names = || std::fs::read_dir(room.path("photos")).unwrap().count();
    assert_eq!(names(), 3 + 2 + 1, "photos, frames and the hidden folder");

    for name in ["img_5.png", "img_1.jpg"] {
        room.picture(&format!("photos/{name}"));
        let text = frames(if name == "img_5.png" { 6 } else { 3 }, "2", &["--force"]);
        assert!(text.contains(name), "{text}");
        std::fs::remove_file(room.path(&format!("photos/{name}"))).unwrap();
    }
    for name in ["holiday0", "holiday1", "wedding7", "img_1"] {
        room.open(&format!("photos/{name}.png"));
    }
}

#[test]
fn outputs_go_through_links_and_into_devices() {
    let room = Room::new();
    room.picture("a.png");
    room.write("old.png", "old");
    symlink("old.png", room.path("link.png")).unwrap();
    symlink("new.toml", room.path("link.toml")).unwrap();
    symlink("/dev/null", room.path("null.png")).unwrap();
    symlink("/dev/full", room.path("full.png")).unwrap();
    let dream = |code: i32, output: &str, more: &[&str]| {
        let mut command = room.deepdream();
        said(command.args(["image", "a.png", "-q", "-o", output]).args(QUICK).args(more), code)
    };
    assert!(dream(6, "link.png", &[]).contains("exists already"));
    dream(0, "link.png", &["--force", "--save-recipe", "link.toml"]);
    assert!(room.path("link.png").is_symlink() && room.path("link.toml").is_symlink());
    assert_eq!(room.open("old.png").width(), 40);
    assert!(room.bytes("new.toml").starts_with(b"schema"));
    dream(0, "null.png", &["--force"]);
    dream(0, "other.png", &["--save-recipe", "/dev/null"]);
    assert!(dream(6, "full.png", &["--force"]).contains("No space left"));
    for (name, device) in [("null.png", "/dev/null"), ("full.png", "/dev/full")] {
        assert!(room.path(name).is_symlink());
        assert!(Path::new(device).metadata().unwrap().file_type().is_char_device());
    }
    let line = "mkfifo pipe.png; cat pipe.png > got.png & \
                \"$0\" image a.png -q --force -o pipe.png \"$@\" && wait";
    assert!(shell(&room, line).status().unwrap().success());
    assert_eq!(room.bytes("got.png"), room.bytes("old.png"));
    assert!(room.path("pipe.png").metadata().unwrap().file_type().is_fifo());
}

#[test]
fn a_terminal_that_goes_away_costs_no_work() {
    let room = Room::new();
    room.picture("a.png");
    for (name, to) in [("full", "2>/dev/full"), ("closed", "2>&- >&-"), ("gone", "2>&1 | true")] {
        let line = format!("\"$0\" image a.png -o {name}.png \"$@\" {to}");
        shell(&room, &line).stdout(Stdio::null()).status().unwrap();
        assert_eq!(room.open(&format!("{name}.png")).width(), 40, "{name}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let room = Room::new();
    for asked in ["--help", "--version", "image --help", "help", "layers"] {
        let ended = shell(&room, &format!("\"$0\" {asked} > /dev/full")).output().unwrap();
        let text = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(6), "{asked}: {text}");
        assert!(text.contains("could not write to standard output"), "{asked}: {text}");
        assert!(shell(&room, &format!("\"$0\" {asked} | true")).status().unwrap().success());
    }
}

#[test]
fn what_has_no_end_is_refused_at_once() {
    let room = Room::new();
    room.picture("a.png");
    std::fs::create_dir(room.path("sky")).unwrap();
    room.picture("sky/img_0.png");
    assert!(shell(&room, "mkfifo pipe").status().unwrap().success());
    std::fs::File::create(room.path("sparse")).unwrap().set_len(5 << 30).unwrap();
    room.write("model.pb", "no network");
    for endless in ["/dev/zero", "pipe", "sparse"] {
        for (code, line) in [
            (5, &["image", "a.png", "--recipe", endless][..]),
            (3, &["image", endless]),
            (3, &["zoom", endless, "-o", "z.mp4"]),
            (3, &["video", endless, "-o", "v.mp4"]),
            (4, &["layers", "--model", endless]),
            (4, &["models", "add", "model.pb", "--labels", endless]),
        ] {
            let mut command = room.deepdream();
            command.timeout(Duration::from_secs(20));
            let text = said(command.args(line), code);
            assert!(!text.is_empty(), "{line:?}");
        }
    }
    let mut movie = room.deepdream();
    movie.timeout(Duration::from_secs(20)).args(["movie", "sky", "--sound", "pipe"]);
    assert!(said(&mut movie, 3).contains("not a file"));
    // What is opened already can be read as it comes.
    shell(&room, "\"$0\" image a.png -q -o 1.png --save-recipe r.toml \"$@\"").status().unwrap();
    let line = "cat r.toml | \"$0\" image a.png -q -o 2.png --recipe /dev/stdin";
    assert!(shell(&room, line).status().unwrap().success());
    assert_eq!(room.bytes("1.png"), room.bytes("2.png"));
}

#[test]
fn past_the_limit_on_the_size_of_files_is_an_error() {
    let room = Room::new();
    room.picture("a.png");
    let line = "ulimit -f 1; exec \"$0\" image --noise 200x200 -q -o big.png \"$@\"";
    let ended = shell(&room, line).output().unwrap();
    let text = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(6), "{text}");
    assert!(text.contains("could not write big.png") && !text.contains(".deepdream-"), "{text}");
    assert_eq!(room.names(), ["a.png"]);
}

#[test]
fn a_movie_that_is_asked_to_end_leaves_nothing() {
    let room = Room::new();
    std::fs::create_dir(room.path("sky")).unwrap();
    for number in 0..400 {
        crate::room::picture(400, 300).save(room.path(&format!("sky/img_{number}.png"))).unwrap();
    }
    let spawn = || {
        let mut command = shell(&room, "exec \"$0\" movie sky -q -o sky.gif");
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while leftovers(&room.path(".")).is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it has not begun");
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(50));
        child
    };
    let signals = [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129), (Signal::SIGINT, 130)];
    // Tests that run under `nohup` hand that on.
    for (signal, code) in signals.into_iter().filter(|(signal, _)| !ignored(*signal)) {
        let mut child = spawn();
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}: {text}");
        assert_eq!(room.names(), ["sky"], "{signal}");
    }
    // One that is killed cannot tidy up. The next run does, but leaves a living run's file alone.
    let mut killed = spawn();
    killed.kill().unwrap();
    killed.wait().unwrap();
    let left = leftovers(&room.path("."));
    assert_eq!(left.len(), 1);
    let mut living = shell(&room, "exec \"$0\" movie sky -q -o other.gif").spawn().unwrap();
    while leftovers(&room.path(".")) == left {
        std::thread::sleep(Duration::from_millis(2));
    }
    let mut next = room.deepdream();
    next.args(["image", "sky/img_0.png", "-q", "-o", "dream.png"]).args(QUICK).assert().success();
    let rest = leftovers(&room.path("."));
    assert!(rest.len() == 1 && rest != left, "{rest:?} after {left:?}");
    kill(Pid::from_raw(living.id() as i32), Signal::SIGTERM).unwrap();
    assert_eq!(living.wait().unwrap().code(), Some(143));
}

#[test]
fn a_pipe_that_nobody_reads_is_waited_for_until_the_first_signal() {
    let room = Room::new();
    room.picture("a.png");
    std::fs::create_dir(room.path("sky")).unwrap();
    room.picture("sky/img_0.png");
    assert!(shell(&room, "mkfifo pipe.png pipe.gif pipe.toml").status().unwrap().success());
    for line in [
        "exec \"$0\" image a.png -o pipe.png \"$@\"",
        "exec \"$0\" image a.png --force -o o.png --save-recipe pipe.toml \"$@\"",
        "exec \"$0\" movie sky -o pipe.gif",
        "exec \"$0\" zoom a.png -o pipe.gif --seconds 0.1 --fps 10 \"$@\"",
        "exec \"$0\" zoom a.png -o pipe.gif --seconds 0.1 --fps 10 \"$@\"",
    ] {
        let mut child = shell(&room, line).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        assert!(child.try_wait().unwrap().is_none(), "{line}: it did not wait");
        kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
        let begun = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if begun.elapsed() > Duration::from_secs(10) {
                child.kill().unwrap();
                panic!("{line}: it did not end");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let ended = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(143), "{line}: {text}");
        assert!(
            text.contains("is a pipe: it is written when") && text.contains("stopped"),
            "{text}"
        );
    }
}

/// Whether this process, and so what it starts, ignores a signal.
fn ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal as i32 - 1) & 1 == 1
}

#[test]
fn the_end_of_the_session_stays_ignored_under_nohup() {
    let room = Room::new();
    room.picture("a.png");
    let line = "trap '' HUP; exec \"$0\" image a.png -q -o dream.png --layer conv1 -i 100";
    let child = shell(&room, line).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let _ = kill(Pid::from_raw(child.id() as i32), Signal::SIGHUP);
    assert!(child.wait_with_output().unwrap().status.success());
    room.open("dream.png");
}

#[test]
fn a_record_that_lies_is_not_followed() {
    let room = Room::new();
    std::fs::create_dir_all(room.path("sky/.deepdream")).unwrap();
    room.picture("sky/img_0.png");
    let record = r#"{"source":"/x","hash":"","recipe":"","first":0,"frames":1000000000000000000,
        "size":[24,40],"times":{"even":"12"},"sound":null}"#;
    room.write("sky/.deepdream/video.json", record);
    let mut movie = room.deepdream();
    movie.timeout(Duration::from_secs(20)).args(["movie", "sky", "-o", "sky.mp4"]);
    assert!(said(&mut movie, 3).contains("the first of them is frame 1"));
}
