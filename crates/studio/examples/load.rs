//! What it costs the studio that many look and that much is kept: the rate of steps, how soon a page is told of a
//! change, memory, and the start. `cargo xtask studio-load` runs it; it fails where a figure is not held.

#[path = "../tests/studio/fake.rs"]
mod fake;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fake::{Fake, Running};
use serde_json::json;
use studio::{Options, Studio};

/// Pages that look at the same time.
const PAGES: usize = 50;

/// Dreams of a long history.
const DREAMS: usize = 10_000;

/// The least share of the steps that are taken alone, the longest time until a page is told, the most memory, in MiB,
/// and the longest start.
const STEPS: f64 = 0.85;
const TOLD: Duration = Duration::from_millis(200);
const MEMORY: u64 = 30;
const START: Duration = Duration::from_millis(400);

fn main() -> ExitCode {
    match pages() & history() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Says whether a figure is held.
fn held(is: bool, what: &str) -> bool {
    println!("  {what}{}", if is { "" } else { ": NOT HELD" });
    is
}

/// A dream with and without pages that look at it; whether its figures are held.
fn pages() -> bool {
    let studio = Running::new();
    studio.put(b"picture");
    let mut seed = 0;
    // Seconds of a dream whose steps take ten milliseconds each.
    let mut dream = || {
        seed += 1;
        let set = |path: &str, value: u32| json!({ "set": { "path": path, "value": value } });
        let begun = Instant::now();
        studio.edit(&json!([set("pause", 10), set("seed", seed)]));
        studio.until(|dream| dream["phase"] == "done");
        begun.elapsed().as_secs_f64()
    };
    let alone = (0..3).map(|_| dream()).fold(f64::INFINITY, f64::min);
    let before = resident();
    let over = Arc::new(AtomicBool::new(false));
    let frames = Arc::new(AtomicU64::new(0));
    let (watched, told, most) = std::thread::scope(|scope| {
        for _ in 0..PAGES {
            scope.spawn(|| listen(&studio, &over));
            scope.spawn(|| pull(&studio, &over, &frames));
        }
        let watched = (0..3).map(|_| dream()).fold(f64::INFINITY, f64::min);
        let told = (0..3).map(|_| told_after(&studio)).min().unwrap();
        let most = resident();
        over.store(true, Ordering::Relaxed);
        (watched, told, most)
    });
    let frames = frames.load(Ordering::Relaxed);
    let grown = most.saturating_sub(before) >> 20;
    println!("with {PAGES} pages:");
    let share = alone / watched;
    held(share >= STEPS, &format!("{:.0} % of the steps that are taken alone", 100.0 * share))
        & held(frames > 0, &format!("{frames} frames fetched"))
        & held(told <= TOLD, &format!("a change is told after {told:.1?}"))
        & held(grown <= MEMORY, &format!("{grown} MiB more of resident memory"))
}

/// Reads events until all is over.
fn listen(studio: &Running, over: &AtomicBool) {
    let mut stream = TcpStream::connect(studio.address).unwrap();
    let (key, host) = (&studio.key, studio.address);
    write!(stream, "GET /events/{key}?after=0 HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut bytes = [0; 4096];
    while !over.load(Ordering::Relaxed) {
        let _ = stream.read(&mut bytes);
    }
}

/// How long after a change a page is told of it.
fn told_after(studio: &Running) -> Duration {
    let count = &studio.state()["count"];
    let mut stream = TcpStream::connect(studio.address).unwrap();
    let (key, host) = (&studio.key, studio.address);
    write!(stream, "GET /events/{key}?after={count} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let begun = Instant::now();
    studio.edit(&json!([{ "set": { "path": "a", "value": 1 } }]));
    let (mut text, mut bytes) = (String::new(), [0; 4096]);
    while !text.contains("event: desk") {
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0);
        text += &String::from_utf8_lossy(&bytes[..count]);
    }
    begun.elapsed()
}

/// Asks for the newest frame, one request at a time.
fn pull(studio: &Running, over: &AtomicBool, frames: &AtomicU64) {
    let mut after = 0;
    while !over.load(Ordering::Relaxed) {
        let frame = studio.get(&format!("/frames/{}?after={after}", studio.key));
        if frame.status == 200 {
            after = frame.header("x-frame").unwrap().parse().unwrap();
            frames.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Bytes of memory that this process has, where the system says.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) << 10
}

/// The start with and without a long history; whether its figure is held.
fn history() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("studio");
    let open = || {
        let mut options = Options::new(root.clone());
        options.address.set_port(0);
        let begun = Instant::now();
        let studio = Studio::open(Arc::new(Fake), options).unwrap();
        let took = begun.elapsed();
        drop(studio);
        took
    };
    let empty = open();
    let mut library = rusqlite::Connection::open(root.join("library.sqlite")).unwrap();
    let nodes = library.transaction().unwrap();
    let add = "INSERT INTO nodes (id, picture, title, width, height, longest, made, recipe, small) \
               VALUES (?1, 'sky', 'mixed4c', 640, 480, 640, 0, ?2, ?3)";
    for number in 0..DREAMS {
        let (recipe, small) = ("x".repeat(3000), vec![0u8; 8000]);
        nodes.execute(add, rusqlite::params![number.to_string(), recipe, small]).unwrap();
    }
    nodes.commit().unwrap();
    drop(library);
    let full = (0..3).map(|_| open()).min().unwrap();
    println!("the start:");
    held(full <= START, &format!("{empty:.1?} empty, {full:.1?} with {DREAMS} dreams"))
}
