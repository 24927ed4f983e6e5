//! Sound: the same bytes at the same moments.

use super::{clip, dream, make, packets, probe, said, times};
use crate::room::{QUICK, Room};

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn sound_is_copied_untouched() {
    let room = Room::new();
    clip(&room, "aac.mp4", "25", 20, "-c:a aac");
    clip(&room, "opus.mkv", "25", 20, "-c:a libopus");
    clip(&room, "mp2.ts", "25", 20, "-c:a mp2");
    for (video, movie) in [
        ("aac.mp4", "a.mp4"),
        ("aac.mp4", "a.mov"),
        ("aac.mp4", "a.mkv"),
        ("opus.mkv", "a.webm"),
        ("opus.mkv", "a.mp4"),
        ("mp2.ts", "a.mkv"),
    ] {
        dream(&room, video, movie, &["--force"]).success();
        assert_eq!(packets(&room, movie, "a"), packets(&room, video, "a"), "{video} → {movie}");
        // Sound and pictures have the distance they had.
        let distance = |name| times(&room, name, "a")[0] - times(&room, name, "v")[0];
        let (ours, theirs) = (distance(movie), distance(video));
        // Matroska counts milliseconds, and ffmpeg loses Opus' lead of 7 of them when it copies it there.
        let most = if video == "opus.mkv" { 7500 } else { 1500 };
        assert!((ours - theirs).abs() <= most, "{video} → {movie}: {ours} for {theirs}");
    }
    dream(&room, "aac.mp4", "a.mp4", &["--force", "--no-sound"]).success();
    assert_eq!(probe(&room, "a.mp4", "a"), "");
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn what_is_cut_is_in_time() {
    let room = Room::new();
    // A keyframe only at the start, as phones do.
    clip(&room, "clip.mp4", "25", 50, "-c:a aac -g 250");
    let (all, sums) = (times(&room, "clip.mp4", "a"), packets(&room, "clip.mp4", "a"));
    for (movie, more) in [("a.mp4", &[][..]), ("b.mp4", &["--ffmpeg"]), ("c.mkv", &[])] {
        let part = ["--start", "0.6", "--end", "1.4"];
        dream(&room, "clip.mp4", movie, &[&part[..], more].concat()).success();
        let (frames, sound) = (times(&room, movie, "v"), times(&room, movie, "a"));
        assert_eq!(frames.len(), 20);
        let ours = packets(&room, movie, "a");
        let first = sums.windows(ours.len()).position(|window| window == ours).unwrap();
        // Each packet is heard where it was, counted from the first frame.
        let (ours, theirs) = (sound[0] - frames[0], all[first] - 600_000);
        assert!((ours - theirs).abs() <= 1500, "{movie}: {ours} for {theirs}");
        let packet = all[2] - all[1];
        assert!((0..=packet).contains(&theirs), "{movie}: {theirs}");
        let end = all[first + sound.len()] - 1_400_000;
        assert!((-packet..=packet).contains(&end), "{movie}: {end}");
    }
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn sound_that_does_not_fit_is_said_before_any_work() {
    let room = Room::new();
    clip(&room, "aac.mp4", "25", 3, "-c:a aac");
    let text = said(dream(&room, "aac.mp4", "a.webm", &[]), 6);
    assert!(text.contains("--no-sound") && text.contains(".mkv"), "{text}");
    assert!(text.to_lowercase().contains("webm"), "{text}");
    assert_eq!(room.names(), ["aac.mp4"]);
    dream(&room, "aac.mp4", "a.webm", &["--no-sound"]).success();
    let mut command = room.deepdream();
    let assert =
        command.args(["video", "aac.mp4", "-o", "a.gif"]).args(crate::room::QUICK).assert();
    assert!(said(assert, 0).contains("no sound"));
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn music_can_be_put_under_frames() {
    let room = Room::new();
    std::fs::create_dir(room.path("sky")).unwrap();
    for number in 0..10 {
        crate::room::picture(32, 32).save(room.path(&format!("sky/img_{number}.png"))).unwrap();
    }
    make(&room, "music.mka", "-f lavfi -i sine=frequency=300:duration=5 -c:a libopus");
    let movie = |name: &str| {
        let mut command = room.deepdream();
        command
            .args(["movie", "sky", "-q", "--fps", "10", "--sound", "music.mka", "-o", name])
            .assert()
    };
    movie("sky.mp4").success();
    let (ours, all) = (packets(&room, "sky.mp4", "a"), packets(&room, "music.mka", "a"));
    assert!((49..=52).contains(&ours.len()), "{} packets of 20 ms", ours.len());
    assert_eq!(ours, all[..ours.len()]);
    movie("sky.gif").code(2);
    let mut command = room.deepdream();
    let silent = command.args(["movie", "sky", "--sound", "sky/img_0.png", "-o", "s.mp4"]).assert();
    assert!(said(silent, 6).contains("sky/img_0.png has no sound\n  Name a file that has sound"));
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn subtitles_and_chapters_go_along_where_they_can() {
    let room = Room::new();
    room.write("words.srt", "1\n00:00:00,100 --> 00:00:00,700\nHello\n");
    let chapter = "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle=First\n";
    room.write("chapters.txt", format!(";FFMETADATA1\n{chapter}"));
    clip(&room, "plain.mp4", "25", 20, "-c:a aac");
    let join = "-i plain.mp4 -i words.srt -i chapters.txt -map 0 -map 1 -map_chapters 2 -c copy";
    make(&room, "clip.mkv", &format!("{join} -c:s srt"));
    make(&room, "clip.mp4", &format!("{join} -c:s mov_text"));
    for (video, movie, subtitles) in [
        ("clip.mkv", "a.mkv", "subrip"),
        ("clip.mkv", "a.mp4", ""),
        // Text of MP4's own kind has no place there.
        ("clip.mp4", "b.mkv", ""),
    ] {
        dream(&room, video, movie, &[]).success();
        let said = probe(&room, movie, "s");
        let kind = said.lines().find_map(|line| line.strip_prefix("codec_name="));
        assert_eq!(kind.unwrap_or_default(), subtitles, "{video} → {movie}");
        let chapters = super::output("ffprobe", &["-show_chapters", movie], &room.path("."));
        assert!(chapters.contains("title=First"), "{video} → {movie}: {chapters}");
        assert_eq!(packets(&room, movie, "a"), packets(&room, video, "a"), "{video} → {movie}");
    }
}

/// A WAV file of clicks, `every` so many seconds, or of silence.
fn clicks(room: &Room, name: &str, every: Option<f64>) {
    const RATE: u32 = 8000;
    let value = |at: u32| {
        let since = every.map(|every| (f64::from(at) / f64::from(RATE)) % every);
        since.map_or(0.0, |since| 20_000.0 * (since * 3000.0).sin() * (-since * 50.0).exp()) as i16
    };
    let samples: Vec<u8> = (0..4 * RATE).flat_map(|at| value(at).to_le_bytes()).collect();
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + samples.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend([RATE, 2 * RATE].map(u32::to_le_bytes).concat());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend((samples.len() as u32).to_le_bytes());
    wav.extend(samples);
    std::fs::write(room.path(name), wav).unwrap();
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn a_zoom_has_a_sound_and_goes_by_it() {
    let room = Room::new();
    room.picture("photo.png");
    clicks(&room, "beats.wav", Some(0.5));
    clicks(&room, "silence.wav", None);
    let zoom = |more: &[&str]| {
        let args = ["zoom", "photo.png", "-o", "a.mkv", "-q", "--fps", "10", "--seconds", "0.4"];
        room.deepdream().args(args).args(QUICK).args(more).assert()
    };
    zoom(&["--sound", "beats.wav"]).success();
    assert_ne!(probe(&room, "a.mkv", "a"), "");
    let even = room.bytes("a/img_2.png");
    zoom(&["--sound", "beats.wav", "--follow", "beat", "--force"]).success();
    assert_ne!(room.bytes("a/img_2.png"), even);
    // Its own recipe goes on with the curve, without the sound.
    zoom(&["--recipe", "a/img_2.png"]).success();
    assert_eq!(probe(&room, "a.mkv", "a"), "");
    let text = said(zoom(&["--sound", "silence.wav", "--follow", "beat", "--force"]), 2);
    assert!(text.contains("no beats were found") && text.contains("--sound"), "{text}");
    let text = said(zoom(&["--sound", "photo.png"]), 6);
    assert!(text.contains("has no sound"), "{text}");
    zoom(&["--follow", "beat"]).failure();
}
