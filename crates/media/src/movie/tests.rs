//! Movies as other programs see them: what ffprobe says of them, and what ffmpeg decodes.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::{NamedTempFile, TempDir};

use graph::Size;

use super::{Codec, MovieError, MovieFormat, MovieSpec, Quality};
use crate::{FfmpegError, Limits, Timestamps, Timing, recipe_of};

const RECIPE: &str = "model = \"a; b\"\n[motion]\nzoom = 1.5 # = \\ \"é\"\n";

fn spec(width: u32, height: u32, rate: &str, frames: u64) -> MovieSpec {
    MovieSpec {
        size: Size::new(height as usize, width as usize),
        timing: Timing::Constant(rate.parse().unwrap()),
        frames,
        quality: Quality::Good,
        recipe: Some(RECIPE.to_owned()),
    }
}

/// A smooth picture that moves to the right.
fn frame(width: u32, height: u32, index: u64) -> Vec<u8> {
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (x, y) = ((x as f32 - index as f32) / 17.0, y as f32 / 23.0);
            let wave =
                |phase: f32| (128.0 + 60.0 * (x + phase).sin() + 50.0 * (y - phase).cos()) as u8;
            rgb.extend([wave(0.0), wave(1.0), wave(2.5)]);
        }
    }
    rgb
}

fn write(folder: &Path, format: MovieFormat, spec: &MovieSpec) -> Result<PathBuf, MovieError> {
    let mut writer = format.begin(spec.clone(), NamedTempFile::new_in(folder)?)?;
    for index in 0..spec.frames {
        writer.frame(&frame(spec.width(), spec.height(), index))?;
    }
    let path = folder.join("movie");
    writer.finish()?.persist(&path).unwrap();
    Ok(path)
}

/// What ffprobe says of the first stream and the file, as `key=value` lines.
fn probe(path: &Path) -> Vec<String> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-show_streams", "-show_format", "-of"])
        .args(["default=noprint_wrappers=1"])
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn decode(path: &Path) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-sws_flags", "accurate_rnd+full_chroma_int+full_chroma_inp"])
        .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Mean difference between the decoded movie, of `wide` × `high` pixels, and the frames that went in.
fn difference(path: &Path, spec: &MovieSpec, wide: u32, high: u32) -> f64 {
    let decoded = decode(path);
    let size = (wide * high * 3) as usize;
    assert_eq!(decoded.len(), size * spec.frames as usize);
    let (mut sum, mut count) = (0.0, 0.0);
    for (index, got) in decoded.chunks(size).enumerate() {
        let wanted = frame(spec.width(), spec.height(), index as u64);
        for y in 0..spec.size.height {
            let got = &got[y * wide as usize * 3..];
            let wanted = &wanted[y * spec.size.width * 3..][..spec.size.width * 3];
            for (got, wanted) in got.iter().zip(wanted) {
                sum += f64::from(got.abs_diff(*wanted));
                count += 1.0;
            }
        }
    }
    sum / count
}

fn assert_says(said: &[String], wanted: &[&str]) {
    for line in wanted {
        assert!(said.iter().any(|said| said == line), "no {line} in\n{}", said.join("\n"));
    }
}

fn assert_index_is_in_front(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    let at = |kind: &[u8]| bytes.windows(4).position(|window| window == kind).unwrap();
    assert!(at(b"moov") < at(b"mdat"));
}

const BT709: [&str; 4] =
    ["color_range=tv", "color_space=bt709", "color_transfer=bt709", "color_primaries=bt709"];

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn built_in_mp4_is_what_browsers_play() {
    let folder = TempDir::new().unwrap();
    let spec = spec(161, 91, "30000/1001", 70);
    let path = write(folder.path(), MovieFormat::Mp4, &spec).unwrap();
    let said = probe(&path);
    assert_says(&said, &BT709);
    assert_says(
        &said,
        &[
            "codec_name=h264",
            "profile=Constrained Baseline",
            "pix_fmt=yuv420p",
            "width=162",
            "height=92",
            "avg_frame_rate=30000/1001",
            "r_frame_rate=30000/1001",
            "nb_read_frames=70",
            "duration=2.335667",
        ],
    );
    assert!(said.join("\n").contains(&format!("TAG:description={RECIPE}").trim_end().to_owned()));
    assert_index_is_in_front(&path);
    let difference = difference(&path, &spec, 162, 92);
    assert!(difference < 2.0, "{difference:.2} levels off");
}

#[test]
fn the_same_frames_give_the_same_movie() {
    let folder = TempDir::new().unwrap();
    for format in [MovieFormat::Mp4, MovieFormat::Gif, MovieFormat::Apng] {
        let spec = spec(64, 48, "25", 5);
        let [first, second] =
            [0, 1].map(|_| std::fs::read(write(folder.path(), format, &spec).unwrap()).unwrap());
        assert_eq!(first, second, "{format:?}");
    }
}

#[test]
fn gif_has_every_frame_for_its_time() {
    let folder = TempDir::new().unwrap();
    let spec = spec(65, 49, "30", 30);
    let path = write(folder.path(), MovieFormat::Gif, &spec).unwrap();
    let mut options = ::gif::DecodeOptions::new();
    options.set_color_output(::gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(std::fs::File::open(&path).unwrap()).unwrap();
    let (mut time, mut frames, mut off) = (0, 0, 0.0);
    while let Some(got) = decoder.read_next_frame().unwrap() {
        time += got.delay;
        let wanted = frame(65, 49, frames);
        let pairs = got.buffer.chunks(4).zip(wanted.chunks(3));
        off += pairs.map(|(a, b)| f64::from(a[1].abs_diff(b[1]))).sum::<f64>() / (65.0 * 49.0);
        frames += 1;
    }
    assert_eq!((frames, time), (30, 100));
    assert!(off / 30.0 < 6.0, "{:.2} levels off", off / 30.0);
    let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    assert!(text.contains("zoom = 1.5"));
}

#[test]
fn animated_png_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let spec = spec(33, 21, "12.5", 4);
    let path = write(folder.path(), MovieFormat::Apng, &spec).unwrap();
    let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    assert_eq!(reader.info().animation_control().unwrap().num_frames, 4);
    for index in 0..4 {
        let mut got = vec![0; 33 * 21 * 3];
        reader.next_frame(&mut got).unwrap();
        assert_eq!(got, frame(33, 21, index));
        let control = reader.info().frame_control().unwrap();
        assert_eq!((control.delay_num, control.delay_den), (2, 25));
    }
    assert_eq!(recipe_of(&path, &Limits::default()).unwrap(), RECIPE);
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn ffmpeg_writes_the_rest() {
    let folder = TempDir::new().unwrap();
    let cases = [
        ("a.mp4", Some(Codec::H264), "h264", 2.0),
        ("a.mp4", Some(Codec::H265), "hevc", 2.5),
        ("a.webm", Some(Codec::Vp9), "vp9", 2.5),
        ("a.webm", None, "av1", 2.5),
        ("a.mov", None, "prores", 2.0),
        ("a.mkv", None, "h264", 2.0),
    ];
    for (name, codec, expected, bound) in cases {
        let format = MovieFormat::choose(Path::new(name), codec, true).unwrap();
        let spec = spec(129, 65, "24000/1001", 8);
        let path = write(folder.path(), format, &spec).unwrap();
        let said = probe(&path);
        assert_says(&said, &[&format!("codec_name={expected}"), "width=130", "nb_read_frames=8"]);
        assert_says(&said, &["avg_frame_rate=24000/1001"]);
        assert_says(&said, &["color_space=bt709", "color_range=tv"]);
        assert!(said.join("\n").to_lowercase().contains("model = \"a; b\""), "{name}: {said:?}");
        if name == "a.mp4" {
            assert_index_is_in_front(&path);
        }
        let difference = difference(&path, &spec, 130, 66);
        assert!(difference < bound, "{name}, {expected}: {difference:.2} levels off");
    }
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn uneven_times_reach_every_kind_of_movie() {
    let folder = TempDir::new().unwrap();
    let starts = vec![0, 20, 50, 60, 100];
    let stamps = Timestamps::new(100, starts, 130).unwrap();
    let timing = Timing::Variable(std::sync::Arc::new(stamps));
    let spec = MovieSpec { timing, ..spec(48, 32, "25", 5) };
    for name in ["a.mp4", "a.gif", "a.png", "b.mp4", "a.mkv"] {
        let format = MovieFormat::choose(Path::new(name), None, name == "b.mp4").unwrap();
        let path = write(folder.path(), format, &spec).unwrap();
        let output = Command::new("ffprobe")
            .args(["-v", "error", "-show_entries", "packet=pts_time", "-of", "csv=p=0"])
            .arg(&path)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut times: Vec<u32> = text
            .lines()
            .filter_map(|line| line.trim_end_matches(',').parse::<f64>().ok())
            .map(|time| (time * 100.0).round() as u32)
            .collect();
        times.sort_unstable();
        assert_eq!(times, [0, 20, 50, 60, 100], "{name}");
        let said = probe(&path);
        let end = said.iter().rev().find_map(|line| line.strip_prefix("duration=")).unwrap();
        // The others do not say how long the last frame is seen.
        if name.ends_with("mp4") {
            assert!((end.parse::<f64>().unwrap() - 1.3).abs() < 0.01, "{name}: {end}");
        }
    }
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn ffmpegs_own_words_reach_the_user() {
    let folder = TempDir::new().unwrap();
    let format = MovieFormat::choose(Path::new("a.mkv"), Some(Codec::H265), true).unwrap();
    // Smaller than the encoder takes.
    let error = write(folder.path(), format, &spec(2, 2, "25", 3)).unwrap_err();
    assert!(
        matches!(
            &error,
            MovieError::Ffmpeg(FfmpegError::Failed { stderr, .. }) if !stderr.is_empty()
        ),
        "{error}"
    );
}

#[test]
fn one_frame_is_a_movie_and_none_is_not() {
    let folder = TempDir::new().unwrap();
    for format in [MovieFormat::Mp4, MovieFormat::Gif, MovieFormat::Apng] {
        assert!(write(folder.path(), format, &spec(20, 18, "1", 1)).is_ok(), "{format:?}");
        let error = write(folder.path(), format, &spec(20, 18, "1", 0)).unwrap_err();
        assert!(matches!(error, MovieError::Empty), "{format:?}: {error}");
    }
}

#[test]
fn a_movie_given_up_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    for format in [MovieFormat::Mp4, MovieFormat::Gif, MovieFormat::Apng] {
        let spec = spec(32, 32, "25", 9);
        let mut writer = format.begin(spec, NamedTempFile::new_in(folder.path()).unwrap()).unwrap();
        writer.frame(&frame(32, 32, 0)).unwrap();
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{format:?}");
    }
}

#[test]
fn what_a_format_has_not_is_refused_with_a_way_out() {
    let folder = TempDir::new().unwrap();
    let refused = |format: MovieFormat, spec: MovieSpec| {
        let out = NamedTempFile::new_in(folder.path()).unwrap();
        format.begin(spec, out).err().unwrap()
    };
    let error = refused(MovieFormat::Mp4, spec(7680, 4320, "30", 1));
    let text = error.to_string();
    assert!(text.contains("3840×2160") && text.contains("7680×4320"), "{text}");
    assert!(error.hint().unwrap().contains("ffmpeg"));
    let error = refused(MovieFormat::Gif, spec(64, 64, "60", 1));
    assert!(error.to_string().contains("50 frames"), "{error}");

    let choose = |name: &str, codec| MovieFormat::choose(Path::new(name), codec, false);
    let hint = |name: &str, codec| choose(name, codec).unwrap_err().hint().unwrap();
    assert_eq!(choose("a.MP4", None).unwrap(), MovieFormat::Mp4);
    assert!(hint("a.avi", None).contains(".mp4"));
    assert!(hint("a.webm", Some(Codec::H264)).contains("VP9"));
    assert!(hint("a.mp4", Some(Codec::Prores)).contains(".mov"));
    assert!(hint("a.gif", Some(Codec::H264)).contains(".mp4"));
}

#[test]
fn frames_of_another_size_are_refused() {
    let folder = TempDir::new().unwrap();
    for format in [MovieFormat::Mp4, MovieFormat::Gif, MovieFormat::Apng] {
        let out = NamedTempFile::new_in(folder.path()).unwrap();
        let mut writer = format.begin(spec(32, 32, "25", 1), out).unwrap();
        for size in [0, 31 * 32 * 3, 33 * 32 * 3] {
            let error = writer.frame(&vec![0; size]).unwrap_err();
            assert!(matches!(error, MovieError::FrameSize { .. }), "{format:?}: {error}");
        }
    }
}
