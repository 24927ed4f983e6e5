//! The README's lines work as they stand there: in their order, in a folder with a photo and a video,
//! whichever network is installed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use testkit::ffmpeg_is_missing;

use crate::room::{Room, picture, shared};

/// The README, its long commands in one line each.
static README: LazyLock<String> =
    LazyLock::new(|| include_str!("../../../../README.md").replace("\\\n", " "));

/// The commands in the README's blocks but those for Cargo.
fn commands() -> Vec<Vec<&'static str>> {
    let blocks = README.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let is_ours =
        |line: &&str| !line.is_empty() && !line.starts_with('#') && !line.starts_with("cargo");
    blocks
        .flat_map(str::lines)
        .filter(is_ours)
        .map(|line| line.split_whitespace().collect())
        .collect()
}

/// Starts the studio without a browser, sees that its page is at the address it names, and ends it.
fn open_the_studio(room: &Room) {
    let mut studio = Command::new(env!("CARGO_BIN_EXE_deepdream"))
        .args(["studio", "--no-browser"])
        .env("DEEPDREAM_HOME", room.path("home"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(studio.stderr.take().unwrap()).lines().map(Result::unwrap);
    let address = said.find_map(|line| {
        Some(line.strip_prefix("the studio is at http://")?.trim_end_matches('/').to_owned())
    });
    let address = address.expect("the studio says where it is");
    let mut page = TcpStream::connect(&address).unwrap();
    write!(page, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    page.read_to_end(&mut answer).unwrap();
    studio.kill().unwrap();
    studio.wait().unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("<title>"), "{answer}");
}

/// Runs every line, on small pictures and with few steps; leaves out those that need a network which is
/// not there.
fn run(room: &Room, inception: bool) {
    for name in ["photo.jpg", "flowers.jpg"] {
        picture(48, 32).save(room.path(name)).unwrap();
    }
    let half = |left, right| {
        image::RgbImage::from_fn(48, 32, |x, _| image::Rgb(if x < 24 { left } else { right }))
    };
    half([0; 3], [255; 3]).save(room.path("mask.png")).unwrap();
    half([255, 0, 0], [0, 0, 255]).save(room.path("areas.png")).unwrap();
    let video = !ffmpeg_is_missing();
    if video {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=48x32:r=1:d=14"]);
        assert!(ffmpeg.arg(room.path("clip.mp4")).status().unwrap().success());
    }
    let mut count = 0;
    for words in commands() {
        match words[..] {
            ["mkdir", folder] => std::fs::create_dir(room.path(folder)).unwrap(),
            ["cp", from, to] => drop(std::fs::copy(room.path(from), room.path(to)).unwrap()),
            ["deepdream", "models", "pull", _] => {}
            ["deepdream", "studio"] if !cfg!(feature = "studio") => {}
            ["deepdream", "studio"] => open_the_studio(room),
            ["deepdream", ..] if words.contains(&"inception5h") && !inception => {}
            ["deepdream", "video", ..] | ["deepdream", "movie", "shared"] if !video => {}
            ["deepdream", command, ..] => {
                let quick: &[&str] = match command {
                    "image" | "frames" | "zoom" | "video" => {
                        &["--octaves", "1", "--iterations", "1"]
                    }
                    "gallery" => &["--octaves", "1", "--iterations", "1", "--cell", "48"],
                    "bench" => &["--rounds", "1", "--size", "64x48"],
                    "check" => &["--steps", "1", "--size", "48"],
                    _ => &[],
                };
                let smaller = |word: &&'static str| match *word {
                    "640x400" => "64x40",
                    "640" => "64",
                    "300" | "20" => "2",
                    word => word,
                };
                let args: Vec<&str> = words[1..].iter().map(smaller).collect();
                let shards = if args.contains(&"1/4") { 4 } else { 1 };
                for shard in 1..=shards {
                    let shard = format!("{shard}/4");
                    let args =
                        args.iter().map(|arg| if *arg == "1/4" { shard.as_str() } else { arg });
                    room.deepdream().args(args).args(quick).assert().success();
                }
                count += 1;
            }
            _ => panic!("what is {words:?}?"),
        }
    }
    assert!(count > if video { 15 } else { 10 }, "{count} lines were run");
}

#[test]
fn every_line_works_with_the_built_in_network() {
    run(&Room::new(), false);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn every_line_works_with_inception_installed() {
    let room = Room::new();
    let folder = room.path("home/models/inception5h");
    std::fs::create_dir_all(&folder).unwrap();
    let file = "inception5h_like.pb";
    std::fs::copy(shared("models").join(file), folder.join(file)).unwrap();
    let hash = deepdream::models::digest::sha256(&folder.join(file)).unwrap();
    let manifest = format!("file = \"{file}\"\nsha256 = \"{hash}\"\nsource = \"a test\"\n");
    std::fs::write(folder.join("manifest.toml"), manifest).unwrap();
    run(&room, true);
}
