//! `deepdream models`, as a user runs it, against servers on this machine.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use testkit::server::{listener, request};

use crate::room::Room;

/// `deepdream models ARGS`.
fn models(room: &Room, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deepdream"));
    command.arg("models").args(args).env("DEEPDREAM_HOME", room.path("home"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(room: &Room, args: &[&str]) -> (Option<i32>, String) {
    said(models(room, args).output().unwrap())
}

/// The exit code, and all that was said.
fn said(output: Output) -> (Option<i32>, String) {
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.code(), text.concat())
}

fn squeezenet() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../models/data/squeezenet1_1.safetensors")
}

#[test]
fn the_list_has_what_is_built_in_installed_and_known() {
    let room = Room::new();
    run(&room, &["add", squeezenet(), "--name", "mine"]);
    let (code, text) = run(&room, &[]);
    assert_eq!(code, Some(0));
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("squeezenet ").contains("built in"), "{text}");
    assert!(line("mine ").contains("installed"), "{text}");
    assert!(line("inception5h ").contains("deepdream models pull inception5h"), "{text}");
    assert!(line("googlenet ").contains("deepdream models pull googlenet"), "{text}");

    let (_, text) = run(&room, &["--json"]);
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    let standing = |name: &str| {
        let entry = list.as_array().unwrap().iter().find(|entry| entry["name"] == name).unwrap();
        entry["standing"].as_str().unwrap().to_owned()
    };
    assert_eq!(standing("squeezenet"), "built-in");
    assert_eq!(standing("mine"), "installed");
    assert_eq!(standing("googlenet"), "known");
}

#[test]
fn a_network_is_added_shown_and_removed() {
    let room = Room::new();
    let add = ["add", squeezenet(), "--name", "mine", "--channel-order", "rgb", "--mean", "7"];
    assert_eq!(run(&room, &add).0, Some(0));
    assert_eq!(run(&room, &add).0, Some(2), "a name is given once");
    let (_, text) = run(&room, &["show", "mine"]);
    assert!(text.contains("rgb, 0–255, minus [7.0, 7.0, 7.0]"), "{text}");
    assert!(text.contains("1a0f1225ba4c17ee6517c6ac71f06e1406d54a812a6d40fb6753ac844094a77f"));
    let (_, json) = run(&room, &["show", "mine", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["standing"], &json["classes"]), (&"installed".into(), &1000.into()));
    assert_eq!(json["input"]["mean"], serde_json::json!([7.0, 7.0, 7.0]));
    assert!(json["layers"] == 39 && json["default_layers"].is_array(), "{json}");
    assert_eq!(run(&room, &["remove", "mine"]).0, Some(0));
    let (code, text) = run(&room, &["show", "mine"]);
    assert_eq!(code, Some(4), "{text}");
}

#[test]
fn a_network_is_chosen_as_the_default() {
    let room = Room::new();
    let default = |room: &Room| run(room, &["default"]).1;
    assert_eq!(default(&room), "squeezenet\n");
    let add = ["add", squeezenet(), "--name", "mine", "--statistics", "imagenet"];
    assert_eq!(run(&room, &add).0, Some(0));
    assert_eq!(run(&room, &["default", "mine"]).0, Some(0));
    assert_eq!(default(&room), "mine\n");
    let (_, text) = run(&room, &[]);
    let line = text.lines().find(|line| line.starts_with("mine ")).unwrap();
    assert!(line.ends_with(" (default)"), "{text}");
    let (_, text) = run(&room, &["show", "mine"]);
    assert!(text.contains("rgb, 0–255, minus [123.67"), "{text}");
    let (code, text) = run(&room, &["default", "vgg16"]);
    assert_eq!(code, Some(4));
    assert!(text.contains("deepdream models pull vgg16"), "{text}");
    let (code, text) = run(&room, &["add", squeezenet(), "--name", "b", "--statistics", "imgnet"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("imagenet"), "{text}");
}

#[test]
fn every_refusal_has_its_exit_code() {
    let room = Room::new();
    assert_eq!(run(&room, &["remove", "squeezenet"]).0, Some(2));
    assert_eq!(run(&room, &["add", "no-such-file.pb"]).0, Some(4));
    assert_eq!(run(&room, &["add", squeezenet(), "--mean", "1,2"]).0, Some(2));
    let (code, text) = run(&room, &["pull", "alexnet5"]);
    assert_eq!(code, Some(4));
    assert!(text.contains("Did you mean `alexnet`") && text.contains("deepdream models"), "{text}");
}

#[test]
fn a_server_that_sends_something_else_is_found_out() {
    let room = Room::new();
    let (listener, url) = listener();
    let server = std::thread::spawn(move || {
        let (_, mut stream) = request(&listener);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong").unwrap();
    });
    let (code, text) = run(&room, &["pull", "inception5h", "--from", &url]);
    server.join().unwrap();
    assert_eq!(code, Some(4), "{text}");
    let expected = "d13569f6a98159de37e92e9c8ec4dae8f674fbf475f69fe6199b514f756d4364";
    assert!(text.contains(expected), "{text}");
    assert!(!room.path("home/models/inception5h").exists());
}

#[test]
fn a_killed_pull_goes_on_where_it_was() {
    let room = Room::new();
    let (listener, url) = listener();
    let pull = || models(&room, &["pull", "inception5h", "--from", &url]);
    let mut first = pull().spawn().unwrap();
    let (_, mut stream) = request(&listener);
    let head = b"HTTP/1.1 200 OK\r\nETag: \"one\"\r\nContent-Length: 100\r\n\r\n";
    stream.write_all(&[head, &[7; 60][..]].concat()).unwrap();
    let part = room.path("home/downloads/inception5h.part");
    while part.metadata().map_or(0, |part| part.len()) < 60 {
        std::thread::yield_now();
    }
    first.kill().unwrap();
    first.wait().unwrap();

    let second = pull().spawn().unwrap();
    let (text, mut stream) = request(&listener);
    let went_on = text.contains("range: bytes=60-\r\n") && text.contains("if-range: \"one\"\r\n");
    assert!(went_on, "{text}");
    stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
    assert_eq!(said(second.wait_with_output().unwrap()).0, Some(4));
}

const PROXIES: [&str; 8] = [
    "ALL_PROXY",
    "all_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
];

#[test]
fn the_proxy_of_the_environment_is_asked() {
    let room = Room::new();
    let (listener, proxy) = listener();
    for variable in ["HTTP_PROXY", "https_proxy", "ALL_PROXY"] {
        let args = ["pull", "googlenet", "--from", "http://mirror.invalid/model"];
        let mut pull = models(&room, &args);
        for other in PROXIES {
            pull.env_remove(other);
        }
        let pull = pull.env(variable, &proxy).spawn().unwrap();
        let (text, mut stream) = request(&listener);
        assert!(text.contains("mirror.invalid"), "{variable}: {text}");
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").unwrap();
        drop(stream);
        let (code, text) = said(pull.wait_with_output().unwrap());
        assert_eq!(code, Some(4), "{variable}: {text}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_says_that_what_came_is_kept() {
    use nix::sys::signal::{Signal, kill};

    let room = Room::new();
    let (listener, url) = listener();
    let pull = models(&room, &["pull", "inception5h", "--from", &url]).spawn().unwrap();
    let (_, _silent) = request(&listener);
    kill(nix::unistd::Pid::from_raw(pull.id() as i32), Signal::SIGINT).unwrap();
    let (code, text) = said(pull.wait_with_output().unwrap());
    assert_eq!(code, Some(130));
    assert!(text.contains("goes on from there"), "{text}");
}
