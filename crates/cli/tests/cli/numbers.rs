//! Networks whose numbers are none, or ask for more than there is: errors that say what and why, and no
//! picture that is not a dream.

use std::path::{Path, PathBuf};

use crate::room::{QUICK, Room, picture};

/// A network of the folder of data.
fn network(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/numbers").join(name)
}

/// A room with a picture, and what the program says in it, with its exit code.
fn said(room: &Room, words: &[&str], network: &Path) -> (i32, String) {
    let mut command = room.deepdream();
    let output = command.args(words).arg("--model").arg(network).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8(text).unwrap())
}

fn room() -> Room {
    let room = Room::new();
    picture(96, 64).save(room.path("cat.png")).unwrap();
    room
}

#[test]
fn what_is_no_number_is_no_picture_and_no_class() {
    let room = room();
    for (name, layer, wanted) in [
        ("num-lrn-negbias.pb", "l", "layer `l` are not finite"),
        ("num-bn-overflow.caffemodel", "s", "layer `s` are not finite"),
        ("num-w-1e+20.pb", "r", "gradient of layer `r` is not finite"),
        ("num-w-1e-30.pb", "r", "layer `r` has no gradient"),
    ] {
        let words = ["image", "cat.png", "-o", "dream.png", "-l", layer, "-i", "1", "-q"];
        let (code, text) = said(&room, &words, &network(name));
        assert!(code == 5 && text.contains(wanted), "{name}: {code}, {text}");
        assert!(!room.path("dream.png").exists(), "{name}");
    }
    for name in ["num-lrn-negbias.pb", "num-bn-overflow.caffemodel"] {
        let (code, text) = said(&room, &["classify", "cat.png"], &network(name));
        assert!(code == 5 && text.contains("are not finite"), "{name}: {code}, {text}");
        assert!(!text.contains("NaN"), "{text}");
    }
}

#[test]
fn frames_without_any_gradient_are_refused_by_their_number() {
    let room = room();
    std::fs::create_dir(room.path("sky")).unwrap();
    picture(48, 32).save(room.path("sky/img_0.png")).unwrap();
    let words = ["frames", "sky", "--count", "3", "-q"];
    let (code, text) = said(&room, &words, &network("num-w-1e-30.pb"));
    assert!(code == 5 && text.contains("frame 1") && text.contains("no gradient"), "{text}");
    assert!(!room.path("sky/img_1.png").exists());
}

#[test]
fn wide_pools_and_far_strides_are_dreamt_on() {
    let room = room();
    for name in ["tf-maxpool-16x16.pb", "tf-conv-stride1024-c1024.pb"] {
        let words = ["image", "cat.png", "-o", "dream.png", "-f", "-i", "1", "-q"];
        let (code, text) = said(&room, &words, &network(name));
        assert_eq!(code, 0, "{name}: {text}");
    }
}

#[test]
fn frames_are_gone_on_with_at_their_own_cpu_level() {
    let room = Room::new();
    std::fs::create_dir(room.path("sky")).unwrap();
    picture(48, 32).save(room.path("sky/img_0.png")).unwrap();
    let run = |count: &str, level: &str, more: &[&str]| {
        let mut command = room.deepdream();
        command.env("DEEPDREAM_CPU", level).args(["frames", "sky", "-q", "--count", count]);
        let output = command.args(more).output().unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run("2", "scalar", &QUICK), (0, String::new()));
    let best = kernels_best();
    if best == "scalar" {
        println!("skipped: this processor has one CPU level");
        return;
    }
    let (code, text) = run("3", &best, &[]);
    assert!(code == 5 && text.contains("CPU level scalar"), "{code}, {text}");
    assert!(text.contains("DEEPDREAM_CPU=scalar") && text.contains("--force"), "{text}");
    // Nothing is left to make, so nothing can differ.
    assert_eq!(run("2", &best, &[]).0, 0);
    assert_eq!(run("3", "scalar", &[]).0, 0);
    let (code, text) = run("3", &best, &[&["--force"], &QUICK[..]].concat());
    assert_eq!(code, 0, "{text}");
}

/// The best CPU level here.
fn kernels_best() -> String {
    kernels::CpuLevel::available().last().map(ToString::to_string).unwrap_or_default()
}

/// The limit counts where the system has one that a shell can set.
#[cfg(target_os = "linux")]
#[test]
fn a_limit_of_the_process_is_an_error_before_the_work() {
    let room = room();
    for limit in ["-v 700000", "-d 100000"] {
        let program = env!("CARGO_BIN_EXE_deepdream");
        let dream = "image --noise 4000x3000 -i 1 --octaves 1 -o large.png -q --threads 2";
        let line = format!("ulimit {limit}; exec {program} {dream}");
        let mut shell = std::process::Command::new("sh");
        let output = shell.args(["-c", &line]).current_dir(room.path("")).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(7), "{limit}: {text}");
        assert!(text.contains("of memory"), "{limit}: {text}");
        assert!(!room.path("large.png").exists());
    }
}
