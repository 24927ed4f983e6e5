//! `video`: clips made by ffmpeg go in, and what comes out is looked at with ffprobe and ffmpeg.

mod faithful;
mod masks;
mod recipes;
mod refused;
mod resumed;
mod sound;

use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) use crate::room::{QUICK, Room};
use assert_cmd::assert::Assert;

/// What a program writes to its standard output, without a complaint.
fn output(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program)
        .args(["-v", "error"])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Makes a file with ffmpeg from `arguments`.
fn make(room: &Room, name: &str, arguments: &str) {
    let arguments: Vec<&str> = arguments.split(' ').chain(["-y", name]).collect();
    output("ffmpeg", &arguments, &room.path("."));
}

/// A small clip of `frames` frames at `rate` and a little more sound, unless `more` maps only pictures.
pub(crate) fn clip(room: &Room, name: &str, rate: &str, frames: u32, more: &str) {
    let (numerator, denominator) = rate.split_once('/').unwrap_or((rate, "1"));
    let per_second = numerator.parse::<f64>().unwrap() / denominator.parse::<f64>().unwrap();
    let seconds = f64::from(frames) / per_second;
    let arguments = format!(
        "-f lavfi -i testsrc2=size=96x64:rate={rate}:duration={:.4} -f lavfi -i sine=duration={:.4} \
         -pix_fmt yuv420p -c:v libx264 {more}",
        seconds - 0.5 / per_second,
        seconds + 0.1
    );
    make(room, name, arguments.trim());
}

/// Dreams on a video in next to no time.
fn dream(room: &Room, video: &str, movie: &str, more: &[&str]) -> Assert {
    let mut command = room.deepdream();
    command.args(["video", video, "-o", movie, "-q"]).args(QUICK).args(more).assert()
}

/// What ffprobe says of the first stream of a kind (`v` or `a`), as `key=value` lines.
fn probe(room: &Room, name: &str, kind: &str) -> String {
    let arguments =
        ["-count_frames", "-select_streams", kind, "-show_streams", "-of", "default=nw=1", name];
    output("ffprobe", &arguments, &room.path("."))
}

/// When each packet of a kind is presented, in microseconds, in order.
fn times(room: &Room, name: &str, kind: &str) -> Vec<i64> {
    let arguments =
        ["-select_streams", kind, "-show_entries", "packet=pts_time", "-of", "csv=p=0", name];
    let text = output("ffprobe", &arguments, &room.path("."));
    let mut times: Vec<i64> = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| (line.trim_end_matches(',').parse::<f64>().unwrap() * 1e6).round() as i64)
        .collect();
    times.sort_unstable();
    times
}

/// A checksum of each packet of a kind.
fn packets(room: &Room, name: &str, kind: &str) -> Vec<String> {
    let arguments = ["-i", name, "-map", &format!("0:{kind}"), "-c", "copy", "-f", "framemd5", "-"];
    let text = output("ffmpeg", &arguments, &room.path("."));
    let sums = text.lines().filter(|line| !line.starts_with('#'));
    sums.map(|line| line.split(',').nth(5).unwrap().trim().to_owned()).collect()
}

/// Every frame as interleaved RGB, with the filter before it.
fn pixels(room: &Room, name: &str, filter: &str) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i", name, "-fps_mode", "passthrough", "-vf", filter])
        .args(["-sws_flags", "accurate_rnd+full_chroma_int+full_chroma_inp"])
        .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .current_dir(room.path("."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn said(assert: Assert, code: i32) -> String {
    String::from_utf8(assert.code(code).get_output().stderr.clone()).unwrap()
}
