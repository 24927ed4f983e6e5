//! Stopped at any moment, shared by machines: the movie is the same.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

#[cfg(unix)]
use super::probe;
use super::{clip, dream, packets, said};
use crate::room::Room;
#[cfg(target_os = "linux")]
use crate::room::SmallDisk;

fn spawn(room: &Room, more: &[&str]) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_deepdream"))
        .args(["video", "clip.mp4", "-o", "dream.mp4", "-q"])
        .args(["--layer", "conv1", "--octaves", "1"])
        .args(more)
        .current_dir(room.path("."))
        .env("DEEPDREAM_HOME", room.path("home"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn killed_at_any_moment_it_makes_the_same_movie() {
    for coherence in ["flow", "blend", "independent"] {
        let room = Room::new();
        clip(&room, "clip.mp4", "25", 24, "");
        let flags = ["--coherence", coherence, "--iterations", "4"];
        let begun = Instant::now();
        assert!(spawn(&room, &flags).wait().unwrap().success());
        let took = begun.elapsed();
        let expected = room.bytes("dream.mp4");
        assert_eq!(room.names(), ["clip.mp4", "dream.mp4"]);
        std::fs::remove_file(room.path("dream.mp4")).unwrap();

        let mut kills = 0;
        for attempt in 1u32.. {
            let mut child = spawn(&room, &flags);
            // At first as soon as there is something to lose; then at moments that fall everywhere in a
            // run, but later and later so that it ends.
            while attempt == 1 && !room.path("dream/img_4.png").exists() {
                assert!(child.try_wait().unwrap().is_none(), "it ended too early");
                std::thread::sleep(Duration::from_millis(2));
            }
            let share = 0.1 + 0.618_034 * f64::from(attempt) % 0.5 + f64::from(attempt) / 15.0;
            if attempt > 1 {
                std::thread::sleep(took.mul_f64(share));
            }
            if child.try_wait().unwrap().is_some() {
                let ended = child.wait_with_output().unwrap();
                let said = String::from_utf8_lossy(&ended.stderr).into_owned();
                assert!(ended.status.success(), "{coherence} after {kills} kills: {said}");
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            if room.path("dream.mp4").exists() && !room.path("dream/.deepdream/complete").exists() {
                break; // All was done, but for the process's end.
            }
        }
        assert!(kills > 0, "{coherence}");
        assert!(room.bytes("dream.mp4") == expected, "{coherence} after {kills} kills");
        assert_eq!(room.names(), ["clip.mp4", "dream.mp4"]);
    }
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn killed_while_it_tidies_up_it_goes_on_with_that() {
    let room = Room::new();
    clip(&room, "clip.mp4", "25", 3, "");
    dream(&room, "clip.mp4", "dream.mp4", &["--keep"]).success();
    let movie = room.bytes("dream.mp4");
    let hash: String = Sha256::digest(&movie).iter().map(|byte| format!("{byte:02x}")).collect();
    let store = "dream/.deepdream";
    let kept = [format!("{store}/video.json"), "dream/img_1.png".into(), "dream/img_2.png".into()];
    let kept = kept.map(|name| (room.bytes(&name), name));

    for (what, left) in [("frames", &kept[..]), ("the record", &kept[..1]), ("the mark", &[])] {
        std::fs::create_dir_all(room.path(store)).unwrap();
        for (bytes, name) in left {
            std::fs::write(room.path(name), bytes).unwrap();
        }
        let mark = room.path(store).join("complete");
        std::fs::write(&mark, &hash).unwrap();
        let mut command = room.deepdream();
        let text = said(command.args(["video", "clip.mp4", "-o", "dream.mp4"]).assert(), 0);
        assert!(text.contains("dream.mp4 is complete already"), "{what} left: {text}");
        assert_eq!(room.names(), ["clip.mp4", "dream.mp4"], "{what} left");
    }
    assert!(room.bytes("dream.mp4") == movie);
}

#[cfg(unix)]
#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn ctrl_c_keeps_what_is_done() {
    use nix::sys::signal::{Signal, kill};
    let room = Room::new();
    clip(&room, "clip.mp4", "25", 10, "-map 0:v");
    let flags = ["--iterations", "400"];
    let mut child = spawn(&room, &flags);
    while !room.path("dream/img_1.png").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(5));
    }
    kill(nix::unistd::Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(room.names(), ["clip.mp4", "dream"]);
    let kept = room.bytes("dream/img_1.png");
    // The flags need not be said again: the folder remembers.
    let mut command = room.deepdream();
    let go_on = command.args(["video", "clip.mp4", "-o", "dream.mp4", "--keep"]).assert();
    let text = said(go_on, 0);
    assert!(text.contains("continues"), "{text}");
    assert_eq!(room.bytes("dream/img_1.png"), kept);

    // Frames that are kept make other movies too, as fast as the video was.
    let mut command = room.deepdream();
    command.args(["movie", "dream", "-q", "--ping-pong", "-o", "turned.mp4"]).assert().success();
    let turned = probe(&room, "turned.mp4", "v");
    for line in ["r_frame_rate=25/1\n", "nb_read_frames=18\n"] {
        assert!(turned.contains(line), "{turned}");
    }

    let whole = Room::new();
    clip(&whole, "clip.mp4", "25", 10, "-map 0:v");
    assert!(spawn(&whole, &flags).wait().unwrap().success());
    assert!(whole.bytes("dream.mp4") == room.bytes("dream.mp4"));
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn the_number_of_threads_changes_nothing() {
    let room = Room::new();
    clip(&room, "clip.mp4", "25", 8, "");
    for coherence in ["flow", "independent"] {
        let [one, three] = ["1", "3"].map(|threads| {
            let flags = ["--coherence", coherence, "--threads", threads, "--force"];
            dream(&room, "clip.mp4", "dream.mp4", &flags).success();
            room.bytes("dream.mp4")
        });
        assert!(one == three, "{coherence}");
    }
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn parts_made_apart_join_to_the_whole() {
    let room = Room::new();
    clip(&room, "clip.mp4", "30", 26, "-c:a aac -vf select='mod(n,3)-1' -fps_mode vfr");
    let flags = ["--coherence", "independent"];
    dream(&room, "clip.mp4", "whole.mp4", &flags).success();
    let part = |part: &str| {
        dream(&room, "clip.mp4", "parts.mp4", &[&flags[..], &["--shard", part]].concat()).success();
    };
    let join = |more: &[&str]| {
        let mut command = room.deepdream();
        command.args(["movie", "parts", "-q"]).args(more).assert()
    };
    part("2/2");
    assert!(!room.path("parts.mp4").exists());
    let text = said(join(&[]), 3);
    assert!(text.contains("8 of 17 frames are not yet in parts"), "{text}");
    part("1/2");
    join(&[]).success();
    assert!(room.bytes("parts.mp4") == room.bytes("whole.mp4"));
    assert_eq!(packets(&room, "parts.mp4", "a"), packets(&room, "clip.mp4", "a"));

    // Without the video, its sound has to be said.
    std::fs::rename(room.path("clip.mp4"), room.path("elsewhere.mp4")).unwrap();
    let text = said(join(&["--force"]), 3);
    assert!(text.contains("--sound"), "{text}");
    join(&["--force", "--sound", "elsewhere.mp4"]).success();
    assert!(room.bytes("parts.mp4") == room.bytes("whole.mp4"));
    join(&["--force", "--no-sound"]).success();
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn folders_of_other_frames_are_noticed() {
    let room = Room::new();
    clip(&room, "clip.mp4", "25", 4, "-map 0:v");
    clip(&room, "other.mp4", "24", 4, "-map 0:v");
    dream(&room, "clip.mp4", "dream.mp4", &["--keep", "--step", "0.03"]).success();
    std::fs::remove_file(room.path("dream.mp4")).unwrap();
    let text = said(dream(&room, "clip.mp4", "dream.mp4", &["--step", "0.06"]), 5);
    assert!(text.contains("step was 0.03 and is now 0.06") && text.contains("--force"), "{text}");
    let text = said(dream(&room, "other.mp4", "dream.mp4", &["--step", "0.03"]), 5);
    assert!(text.contains("the video was") && text.contains("clip.mp4"), "{text}");
    let part = ["--step", "0.03", "--end", "0.1"];
    let text = said(dream(&room, "clip.mp4", "dream.mp4", &part), 5);
    assert!(text.contains("4 frames from frame 0 on and is now 3 frames"), "{text}");
    dream(&room, "clip.mp4", "dream.mp4", &["--step", "0.06", "--force"]).success();
    assert_eq!(room.names(), ["clip.mp4", "dream.mp4", "other.mp4"]);

    // Frames that are not a video's are never removed.
    std::fs::create_dir(room.path("sky")).unwrap();
    crate::room::picture(48, 32).save(room.path("sky/img_0.png")).unwrap();
    let text = said(dream(&room, "clip.mp4", "sky.mp4", &["--force"]), 6);
    assert!(text.contains("not those of a video"), "{text}");
    assert!(room.path("sky/img_0.png").exists());
    // Nor is anything else that lies in the folder.
    std::fs::create_dir(room.path("mine")).unwrap();
    room.write("mine/notes.txt", b"mine");
    dream(&room, "clip.mp4", "mine.mp4", &[]).success();
    assert_eq!(room.bytes("mine/notes.txt"), b"mine");
    assert_eq!(std::fs::read_dir(room.path("mine")).unwrap().count(), 1);
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn a_full_disk_costs_no_frame() {
    let room = Room::new();
    let Some(disk) = SmallDisk::new(room.path("disk"), "300k") else { return };
    clip(&room, "clip.mp4", "25", 60, "-map 0:v");
    let text = said(dream(&room, "clip.mp4", "disk/dream.mp4", &[]), 6);
    let there = std::fs::read_dir(room.path("disk/dream")).unwrap().count();
    disk.resize("16m");
    dream(&room, "clip.mp4", "disk/dream.mp4", &[]).success();
    let movie = room.bytes("disk/dream.mp4");
    drop(disk);
    assert!(text.contains("could not write disk/dream"), "{text}");
    assert!((2..60).contains(&there), "{there}");
    dream(&room, "clip.mp4", "dream.mp4", &[]).success();
    assert!(room.bytes("dream.mp4") == movie);
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn a_movie_that_ffmpeg_has_cut_costs_no_frame() {
    let room = Room::new();
    clip(&room, "clip.mp4", "25", 60, "-c:a aac");
    dream(&room, "clip.mp4", "whole.mov", &[]).success();
    let whole = room.bytes("whole.mov");
    // Frames and their state fit; the end of the movie, which ffmpeg writes once it has all frames, does
    // not, and ffmpeg is not told by a signal.
    assert!(whole.len() > 250_000, "{}", whole.len());
    let most = whole.len() - 30_000;
    let limit = format!("trap '' XFSZ; exec prlimit --fsize={most} \"$0\" \"$@\"");
    let assert = assert_cmd::Command::new("sh")
        .args(["-c", &limit, env!("CARGO_BIN_EXE_deepdream")])
        .args(["video", "clip.mp4", "-o", "dream.mov", "-q"])
        .args(crate::room::QUICK)
        .current_dir(room.path("."))
        .env("DEEPDREAM_HOME", room.path("home"))
        .assert();
    let text = said(assert, 6);
    assert!(text.contains("could not write dream.mov"), "{text}");
    assert!(!room.path("dream.mov").exists());
    for number in 0..60 {
        assert!(room.path(&format!("dream/img_{number}.png")).exists(), "frame {number}");
    }
    dream(&room, "clip.mp4", "dream.mov", &[]).success();
    assert!(room.bytes("dream.mov") == whole);
    assert!(!room.path("dream").exists());
}
