//! What cannot be dreamt on, and what is wrong with ffmpeg: said with what, where and the way out.

use super::{clip, dream, make, probe, said};
#[cfg(unix)]
use crate::room::QUICK;
use crate::room::Room;

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn what_is_no_video_is_refused_in_words() {
    let room = Room::new();
    room.write("empty.mp4", b"");
    room.write("noise.mp4", (0..5000u32).map(|x| ((x * x) >> 3) as u8).collect::<Vec<_>>());
    room.write("words.txt", "no video, but a text\n".repeat(50));
    room.picture("photo.png");
    room.write("photo.zip", b"PK\x03\x04....photo.jpg");
    std::fs::create_dir(room.path("folder")).unwrap();
    make(&room, "song.mp4", "-f lavfi -i sine=duration=1 -c:a aac");
    clip(&room, "clip.mp4", "25", 4, "-map 0:v");
    let whole = room.bytes("clip.mp4");
    room.write("cut.mp4", &whole[..whole.len() / 2]);
    for (name, wanted) in [
        ("missing.mp4", "no such file"),
        ("empty.mp4", "empty"),
        ("folder", "a folder"),
        ("noise.mp4", "not a video"),
        ("words.txt", "no"),
        ("photo.png", "a PNG picture, not a video"),
        ("photo.zip", "a ZIP archive, not a video"),
        ("song.mp4", "no moving pictures"),
        ("cut.mp4", "not a video"),
    ] {
        let text = said(dream(&room, name, "out.mp4", &[]), 3);
        assert!(text.contains(name) && text.contains(wanted), "{name}: {text}");
        assert!(!room.path("out").exists() && !room.path("out.mp4").exists(), "{name}");
    }
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn times_parts_and_outputs_that_make_no_sense_are_refused() {
    let room = Room::new();
    clip(&room, "clip.mp4", "25", 10, "-map 0:v");
    for (more, code, wanted) in [
        (&["--start", "3", "--end", "2"][..], 2, "before the end (--start, --end)"),
        (&["--start", "soon"], 2, "1:02:03.5"),
        (&["--start", "9"], 3, "it lasts 0.400 s"),
        (&["--start", "0.21", "--end", "0.23"], 3, "no frames in this part"),
        (&["--shard", "3/2"], 2, "is not a shard"),
        (&["--shard", "1/2"], 5, "--coherence independent"),
        (&["--carry", "2"], 5, "persistence"),
        (
            &["--coherence", "blend", "--carry", "0.5"],
            2,
            "only goes together with --coherence flow",
        ),
        (
            &["--coherence", "flow", "--blend", "0.5"],
            2,
            "only goes together with --coherence blend",
        ),
        (&["--layer", "nowhere"], 5, "nowhere"),
        (&["--codec", "prores"], 2, ".mov"),
    ] {
        let text = said(dream(&room, "clip.mp4", "out.mp4", more), code);
        assert!(text.contains(wanted), "{more:?}: {text}");
        assert_eq!(room.names(), ["clip.mp4"], "{more:?}");
    }
    room.write("out.mp4", b"mine");
    let text = said(dream(&room, "clip.mp4", "out.mp4", &[]), 6);
    assert!(text.contains("exists already"), "{text}");
    assert_eq!(room.bytes("out.mp4"), b"mine");
    dream(&room, "clip.mp4", "nowhere/out.mp4", &[]).code(6);
    let video = room.bytes("clip.mp4");
    let text = said(dream(&room, "clip.mp4", "./clip.mp4", &["--force"]), 6);
    assert!(text.contains("made from this very file, the video clip.mp4"), "{text}");
    assert_eq!(room.bytes("clip.mp4"), video);
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn of_a_damaged_video_what_can_be_read_is_dreamt() {
    let room = Room::new();
    clip(&room, "clip.mp4", "25", 40, "-map 0:v -movflags +faststart -g 5");
    let whole = room.bytes("clip.mp4");
    room.write("cut.mp4", &whole[..whole.len() * 3 / 4]);
    let text = said(dream(&room, "cut.mp4", "out.mp4", &[]), 0);
    assert!(text.contains("of its 40 frames can be read"), "{text}");
    let frames: u32 = text.split(' ').find_map(|word| word.parse().ok()).unwrap();
    assert!((5..40).contains(&frames), "{text}");
    let read = format!("nb_read_frames={frames}\n");
    assert!(probe(&room, "out.mp4", "v").contains(&read));

    // Nothing left but the index.
    let index = whole.windows(4).position(|window| window == b"mdat").unwrap();
    room.write("index.mp4", &whole[..index + 4]);
    let text = said(dream(&room, "index.mp4", "none.mp4", &[]), 3);
    assert!(text.contains("not one frame"), "{text}");
}

/// The program with an ffmpeg of ours in front of the real one.
#[cfg(unix)]
fn with_ffmpeg(room: &Room, script: &str) -> assert_cmd::Command {
    use std::os::unix::fs::PermissionsExt;
    let real = std::env::var("PATH").unwrap();
    std::fs::create_dir_all(room.path("bin")).unwrap();
    let path = room.write("bin/ffmpeg", format!("#!/bin/sh\nPATH='{real}'\n{script}\n"));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = room.deepdream();
    command.env("PATH", format!("{}:{real}", room.path("bin").display()));
    command.args(["video", "clip.mp4", "-o", "out.mp4", "-q"]).args(QUICK);
    command
}

#[cfg(unix)]
#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn an_ffmpeg_that_is_missing_old_or_dies_is_explained() {
    let room = Room::new();
    clip(&room, "clip.mp4", "25", 30, "-map 0:v");
    let mut command = room.deepdream();
    command.env("PATH", "").args(["video", "clip.mp4", "-o", "out.mp4"]).args(QUICK);
    let text = said(command.assert(), 3);
    assert!(text.contains("not installed") && text.contains("apt install ffmpeg"), "{text}");

    let mut old = with_ffmpeg(&room, "echo 'ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright'");
    let text = said(old.assert(), 3);
    assert!(text.contains("version 4.4.2") && text.contains("5.1 or later"), "{text}");

    // The one that decodes.
    let dies = "case \"$*\" in *trim=*) ffmpeg \"$@\" | head -c 30000; echo 'out of luck' >&2; exit 9;; esac";
    let text = said(with_ffmpeg(&room, &format!("{dies}\nexec ffmpeg \"$@\"")).assert(), 3);
    assert!(text.contains("cannot be decoded") && text.contains("out of luck"), "{text}");

    // The one that encodes.
    let dies =
        "case \"$*\" in *libx264*) head -c 30000 >/dev/null; echo 'no luck' >&2; exit 9;; esac";
    let mut command = with_ffmpeg(&room, &format!("{dies}\nexec ffmpeg \"$@\""));
    let text = said(command.arg("--ffmpeg").assert(), 6);
    assert!(text.contains("out.mp4") && text.contains("no luck"), "{text}");
    assert!(!room.path("out.mp4").exists());

    // What was dreamt until then is there, and goes into the movie in the end.
    dream(&room, "clip.mp4", "out.mp4", &["--ffmpeg"]).success();
    assert_eq!(room.names(), ["bin", "clip.mp4", "out.mp4"]);
}
