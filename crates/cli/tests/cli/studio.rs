//! Where the studio listens and who gets in, with the real program. What it renders is in `renders`.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use crate::room::Room;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A studio that runs, and what it has said until it was ready.
struct Running {
    child: Child,
    said: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(room: &Room, more: &[&str]) -> Running {
    let mut child = Command::new(env!("CARGO_BIN_EXE_deepdream"))
        .args(["studio", "--no-browser"])
        .args(more)
        .current_dir(room.path("."))
        .env("DEEPDREAM_HOME", room.path("home"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut said = String::new();
    for line in lines {
        said += &format!("{line}\n");
        if line.contains("Ctrl-C ends it") {
            break;
        }
    }
    Running { child, said }
}

/// What it says when it refuses to start.
fn refused(room: &Room, args: &[&str]) -> String {
    let mut command = room.deepdream();
    let assert = command.args(["studio", "--no-browser"]).args(args).assert().code(2);
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

#[test]
fn it_listens_on_this_machine_alone_and_says_how_it_is_reached() {
    let room = Room::new();
    let studio = start(&room, &["--port", "0"]);
    let at = studio.said.split("the studio is at http://").nth(1).unwrap();
    let address: SocketAddr = at.split('/').next().unwrap().parse().unwrap();
    assert!(address.ip().is_loopback(), "{}", studio.said);
    let port = address.port();
    assert!(studio.said.contains(&format!("ssh -N -L {port}:127.0.0.1:{port} HOST")));
    // Its secrets are in its words, never in its arguments, which others see.
    let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", studio.child.id()));
    let code = studio.said.split("#code=").nth(1).unwrap().trim().split('\n').next().unwrap();
    assert!(!arguments.unwrap_or_default().contains(code));
    // Another call opens one more window of it, and ends.
    let mut again = room.deepdream();
    let again = again.args(["studio", "--no-browser"]).assert().success();
    let said = String::from_utf8_lossy(&again.get_output().stderr).into_owned();
    assert!(said.contains("a studio runs already"), "{said}");
    assert!(said.contains(&format!("http://{address}/#code=")) && !said.contains(code), "{said}");
}

#[test]
fn other_machines_get_a_token_and_a_warning() {
    let room = Room::new();
    let studio = start(&room, &["--listen", "0.0.0.0:0"]);
    let said = &studio.said;
    assert!(said.contains("whoever is on the way can read"), "{said}");
    let token = said.split("its token for other machines: ").nth(1).unwrap();
    assert!(token.lines().next().unwrap().len() >= TOKEN.len(), "{said}");
}

#[test]
fn a_token_that_others_know_or_guess_is_refused_and_so_is_a_port_that_is_taken() {
    let room = Room::new();
    let file = room.write("token", TOKEN);
    let mode = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o644);
    let said = refused(&room, &["--port", "0", "--token-file", "token"]);
    assert!(said.contains("others can read it") && said.contains("chmod 600"), "{said}");
    for short in ["", "0123", "0123456789abcdef 0123456789abcdef"] {
        room.write("token", short);
        mode(0o600);
        let said = refused(&room, &["--port", "0", "--token-file", "token"]);
        assert!(said.contains("at least 32 letters and digits"), "{said}");
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = refused(&room, &["--port", &port]);
    assert!(said.contains(&format!("port {port} is taken")), "{said}");
}
