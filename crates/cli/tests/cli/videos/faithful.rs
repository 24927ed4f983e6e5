//! What a dream must not change: times, colours, which way is up.

use super::{clip, dream, make, pixels, probe, said, times};
use crate::room::{Room, STILL};

/// Times from the first frame on.
fn from_first(times: &[i64]) -> Vec<i64> {
    times.iter().map(|time| time - times[0]).collect()
}

fn close(ours: &[i64], theirs: &[i64], most: i64) -> bool {
    ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|(ours, theirs)| (ours - theirs).abs() <= most)
}

/// A dream that changes nothing, so that the rest can be judged.
fn still(room: &Room, video: &str, movie: &str, more: &[&str]) {
    let mut command = room.deepdream();
    command.args(["video", video, "-o", movie, "-q", "--coherence", "independent"]);
    command.args(STILL).args(more).assert().success();
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn every_frame_has_its_time() {
    let room = Room::new();
    clip(&room, "25.mp4", "25", 11, "-map 0:v");
    clip(&room, "tv.mkv", "30000/1001", 12, "-map 0:v");
    clip(&room, "ts.ts", "24000/1001", 30, "-c:a aac");
    // Every third frame is missing, then two in a row.
    let uneven = "-map 0:v -vf select='mod(n,3)-1' -fps_mode vfr";
    clip(&room, "uneven.mp4", "30", 15, uneven);
    clip(&room, "uneven.mkv", "24000/1001", 15, uneven);
    for (video, movie, more, rate) in [
        ("25.mp4", "a.mp4", &[][..], "25/1"),
        ("25.mp4", "a.mp4", &["--ffmpeg"], "25/1"),
        ("tv.mkv", "a.mp4", &[], "30000/1001"),
        ("tv.mkv", "a.mp4", &["--ffmpeg"], "30000/1001"),
        ("ts.ts", "a.mp4", &[], "24000/1001"),
        ("ts.ts", "a.mkv", &[], ""),
        ("uneven.mp4", "a.mp4", &["--no-sound"], ""),
        ("uneven.mp4", "a.mp4", &["--ffmpeg"], ""),
        ("uneven.mp4", "a.webm", &["--codec", "vp9"], ""),
        ("uneven.mkv", "a.mp4", &[], ""),
        ("uneven.mkv", "a.mov", &[], ""),
    ] {
        dream(&room, video, movie, &[more, &["--force"]].concat()).success();
        let [ours, theirs] = [movie, video].map(|name| times(&room, name, "v"));
        // Matroska counts milliseconds, on either side, and transport streams a 90000th.
        let coarse = [movie, video].iter().any(|name| !name.ends_with("mp4") && *name != "ts.ts");
        let case = format!("{video} → {movie} {more:?}: {ours:?} for {theirs:?}");
        let most = if coarse { 1000 } else { 12 };
        assert!(close(&from_first(&ours), &from_first(&theirs), most), "{case}");
        let said = probe(&room, movie, "v");
        assert!(said.contains(&format!("nb_read_frames={}\n", ours.len())), "{case}: {said}");
        if !rate.is_empty() {
            assert!(said.contains(&format!("r_frame_rate={rate}\n")), "{case}: {said}");
        }
    }
    // The last frame is seen as long as it was.
    let lasts = |name| {
        let said = probe(&room, name, "v");
        let line = said.lines().find_map(|line| line.strip_prefix("duration=")).unwrap();
        line.parse::<f64>().unwrap()
    };
    for more in [&[][..], &["--ffmpeg"]] {
        dream(&room, "uneven.mp4", "e.mp4", &[more, &["--force"]].concat()).success();
        let (ours, theirs) = (lasts("e.mp4"), lasts("uneven.mp4"));
        assert!((ours - theirs).abs() < 0.001, "{more:?}: {ours} for {theirs}");
    }
}

/// As recorders and `cat` make them: the second clip's clock begins anew, later or earlier, and so may the
/// size of its pictures be another one.
#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn clips_behind_each_other_in_a_file_keep_their_length() {
    let room = Room::new();
    let clip = |name: &str, size: &str, more: &str| {
        let pictures = format!("-f lavfi -i testsrc2=size={size}:rate=10:duration=1");
        let sound = "-f lavfi -i sine=duration=1 -c:v libx264 -pix_fmt yuv420p -c:a mp2";
        make(&room, name, format!("{pictures} {sound} {more}").trim());
        std::fs::read(room.path(name)).unwrap()
    };
    let begin = clip("a.ts", "96x64", "");
    let late = clip("b.ts", "96x64", "-output_ts_offset 1000");
    let turned = clip("c.ts", "64x96", "");
    for (name, parts) in [
        ("again.ts", [&begin, &begin]),
        ("forwards.ts", [&begin, &late]),
        ("backwards.ts", [&late, &begin]),
        ("turned.ts", [&begin, &turned]),
    ] {
        std::fs::write(room.path(name), parts.map(|part| &part[..]).concat()).unwrap();
        let said = said(dream(&room, name, "a.mp4", &["--force"]), 0);
        assert_eq!(said.contains("size or form at frame 10"), name == "turned.ts", "{said}");
        let times = times(&room, "a.mp4", "v");
        let even: Vec<i64> = (0..20).map(|frame| frame * 100_000).collect();
        assert!(close(&from_first(&times), &even, 12), "{name}: {times:?}");
        let sound = probe(&room, "a.mp4", "a");
        let seconds = sound.lines().find_map(|line| line.strip_prefix("duration=")).unwrap();
        assert!((seconds.parse::<f64>().unwrap() - 2.0).abs() < 0.1, "{name}: {sound}");
    }
    // Frames behind the change of size are found by their number.
    for (name, part) in
        [("turned.ts", &["--start", "0.55"][..]), ("again.ts", &["--start", "1.25"])]
    {
        let more = [part, &["--force", "--no-sound"]].concat();
        still(&room, name, "b.mp4", &more);
        let [whole, ours] =
            [(name, "scale=96:64,format=gray"), ("b.mp4", "format=gray")].map(|(name, filter)| {
                let bytes = pixels(&room, name, filter);
                bytes.chunks_exact(3 * 96 * 64).map(<[u8]>::to_vec).collect::<Vec<_>>()
            });
        let apart = |a: &[u8], b: &[u8]| -> u64 {
            a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum()
        };
        for (frame, wanted) in ours.iter().zip(&whole[whole.len() - ours.len()..]) {
            let nearest = whole.iter().min_by_key(|other| apart(frame, other));
            assert_eq!(nearest, Some(wanted), "{name}");
        }
    }
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn a_part_has_the_frames_between_its_times() {
    let room = Room::new();
    // Each frame is a grey of its own.
    let grey = "nullsrc=size=32x32:rate=10:duration=3,geq=lum='20+6*N':cb=128:cr=128";
    make(&room, "clip.mp4", &format!("-f lavfi -i {grey} -pix_fmt yuv420p -c:v libx264 -qp 1"));
    still(&room, "clip.mp4", "part.png", &["--start", "0.95", "--end", "0:02"]);
    let source = pixels(&room, "clip.mp4", "null");
    let part = pixels(&room, "part.png", "null");
    assert_eq!((source.len(), part.len()), (30 * 3072, 10 * 3072));
    for (index, frame) in part.chunks(3072).enumerate() {
        assert!(frame[0].abs_diff(source[(10 + index) * 3072]) <= 1, "frame {index}");
    }
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn colours_are_what_the_tags_say() {
    let room = Room::new();
    // Three patches, one above the other.
    let patches = [[220, 30, 40], [40, 180, 60], [50, 80, 200]];
    let colour = |[r, g, b]: [u8; 3]| {
        format!("color=0x{r:02x}{g:02x}{b:02x}:size=64x32:rate=5:duration=0.6,format=gbrp")
    };
    let [red, green, blue] = patches.map(colour);
    let graph = format!("{red}[a];{green}[b];{blue}[c];[a][b][c]vstack=3");
    let cases = [
        ("bt709", "tv", "-colorspace bt709 -color_primaries bt709 -color_trc bt709"),
        ("bt601", "tv", ""),
        ("bt601", "tv", "-colorspace smpte170m"),
        ("bt601", "pc", "-color_range pc"),
    ];
    for (matrix, range, tags) in cases {
        let convert = format!("scale=out_color_matrix={matrix}:out_range={range},format=yuv444p");
        let source = format!("-f lavfi -i {graph},{convert} {tags} -c:v libx264 -qp 1");
        make(&room, "patches.mkv", &source.replace("  ", " "));
        still(&room, "patches.mkv", "dream.mkv", &["--force", "--quality", "best"]);
        let seen = pixels(&room, "dream.mkv", "scale=in_color_matrix=bt709:in_range=tv");
        for (row, patch) in patches.iter().enumerate() {
            let at = ((16 + 32 * row) * 64 + 32) * 3;
            let off =
                seen[at..at + 3].iter().zip(patch).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            let seen = &seen[at..at + 3];
            assert!(off <= 4, "{matrix} {range} {tags}: {seen:?} is not {patch:?}");
        }
        let said = probe(&room, "dream.mkv", "v");
        for tag in ["color_space=bt709", "color_range=tv"] {
            assert!(said.contains(tag), "{said}");
        }
    }
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn turned_and_squeezed_videos_stand_upright() {
    let room = Room::new();
    // Red at the left, blue at the right; the players are told to turn it.
    let halves = "color=red:size=32x48:rate=5:duration=0.4[a];color=blue:size=32x48:rate=5:duration=0.4[b];[a][b]hstack";
    make(&room, "flat.mp4", &format!("-f lavfi -i {halves} -pix_fmt yuv444p -c:v libx264 -qp 1"));
    make(&room, "turned.mp4", "-i flat.mp4 -c copy -metadata:s:v rotate=90");
    if !probe(&room, "turned.mp4", "v").contains("rotation=") {
        // As ffmpeg has it from version 6 on.
        make(&room, "turned.mp4", "-display_rotation 90 -i flat.mp4 -c copy");
    }
    still(&room, "turned.mp4", "up.mp4", &[]);
    let said = probe(&room, "up.mp4", "v");
    assert!(said.contains("width=48\n") && said.contains("height=64\n"), "{said}");
    assert!(!said.contains("rotation="), "{said}");
    let [ours, theirs] = ["up.mp4", "turned.mp4"].map(|name| pixels(&room, name, "null"));
    assert_eq!(ours.len(), theirs.len());
    // Colour is kept at half the size: edges are soft.
    let off = ours.iter().zip(&theirs).filter(|(a, b)| a.abs_diff(**b) > 12).count();
    assert!(off * 10 < ours.len(), "{off} of {} values are off", ours.len());

    make(&room, "wide.mp4", "-i flat.mp4 -vf setsar=3/2 -c:v libx264 -qp 1");
    still(&room, "wide.mp4", "square.mp4", &[]);
    let said = probe(&room, "square.mp4", "v");
    assert!(said.contains("width=96\n") && said.contains("height=48\n"), "{said}");
    assert!(said.contains("sample_aspect_ratio=1:1\n"), "{said}");
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn odd_sizes_and_single_frames_are_videos_too() {
    let room = Room::new();
    let odd =
        "-f lavfi -i testsrc2=size=98x66:rate=10 -vf scale=49:33 -pix_fmt yuv444p -c:v libx264";
    make(&room, "odd.mp4", &format!("{odd} -frames:v 4"));
    make(&room, "one.mp4", &format!("{odd} -frames:v 1"));
    make(&room, "odd.gif", "-i odd.mp4");
    for (video, frames) in [("odd.mp4", 4), ("one.mp4", 1), ("odd.gif", 4)] {
        for (movie, size) in [("a.mp4", [50, 34]), ("a.mkv", [50, 34]), ("a.gif", [49, 33])] {
            dream(&room, video, movie, &["--force"]).success();
            let said = probe(&room, movie, "v");
            for line in [
                format!("nb_read_frames={frames}\n"),
                format!("width={}\n", size[0]),
                format!("height={}\n", size[1]),
            ] {
                assert!(said.contains(&line), "{video} → {movie}: no {line} in {said}");
            }
        }
    }
    // A GIF's colours go through unharmed.
    still(&room, "odd.gif", "still.png", &[]);
    let [ours, theirs] = ["still.png", "odd.gif"].map(|name| pixels(&room, name, "null"));
    let worst = ours.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(worst <= 1, "{worst} levels off");
}
