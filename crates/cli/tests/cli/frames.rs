//! `frames`: going on, being killed, being mixed up.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use crate::room::SmallDisk;
use crate::room::{QUICK, Room, picture};

/// A room with a folder that has a first frame.
fn room(name: &str) -> Room {
    let room = Room::new();
    std::fs::create_dir(room.path("sky")).unwrap();
    picture(48, 32).save(room.path(&format!("sky/{name}"))).unwrap();
    room
}

/// The frames of a folder, by name.
fn frames(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let entries = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let read = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    entries.map(read).collect()
}

fn run(room: &Room, folder: &str, count: usize, more: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = room.deepdream();
    command.args(["frames", folder, "-q", "--count", &count.to_string()]);
    command.args(more).assert()
}

fn said(assert: assert_cmd::assert::Assert, code: i32) -> String {
    String::from_utf8(assert.code(code).get_output().stderr.clone()).unwrap()
}

#[test]
fn goes_on_where_it_stopped_as_if_it_had_not() {
    let room = room("img_0.png");
    run(&room, "sky", 3, &QUICK).success();
    let three = frames(&room.path("sky"));
    assert_eq!(three.keys().collect::<Vec<_>>(), ["img_0.png", "img_1.png", "img_2.png"]);
    assert_ne!(three["img_1.png"], three["img_2.png"]);
    // Without its flags: the folder remembers.
    run(&room, "sky", 6, &["--threads", "1"]).success();

    std::fs::create_dir(room.path("other")).unwrap();
    std::fs::copy(room.path("sky/img_0.png"), room.path("other/img_0.png")).unwrap();
    run(&room, "other", 6, &QUICK).success();
    assert_eq!(frames(&room.path("sky")), frames(&room.path("other")));

    // Nothing left to do, and a picture that went away comes back.
    std::fs::remove_file(room.path("sky/img_5.png")).unwrap();
    run(&room, "sky", 6, &[]).success();
    assert_eq!(frames(&room.path("sky")), frames(&room.path("other")));
}

#[test]
fn a_folder_of_version_0_2_goes_on_as_it_began() {
    let room = room("img_0.png");
    std::fs::create_dir(room.path("other")).unwrap();
    std::fs::copy(room.path("sky/img_0.png"), room.path("other/img_0.png")).unwrap();
    let old = [&QUICK[..], &["--set", "zoom.shoulder=0"]].concat();
    run(&room, "other", 5, &old).success();
    run(&room, "sky", 3, &old).success();
    // Its record says nothing of shoulders.
    let state = room.path("sky/.deepdream/state.safetensors");
    let mut record = std::fs::read(&state).unwrap();
    let said = b"shoulder = 0.0";
    let at = record.windows(said.len()).position(|bytes| bytes == said).unwrap();
    record[at..][..said.len()].fill(b' ');
    std::fs::write(&state, record).unwrap();
    run(&room, "sky", 5, &[]).success();
    assert_eq!(frames(&room.path("sky")), frames(&room.path("other")));
}

#[test]
fn a_folder_of_frames_has_a_recipe() {
    let room = room("img_0.png");
    run(&room, "sky", 3, &QUICK).success();
    let recipe = |of: &str| {
        let assert = room.deepdream().args(["recipe", of]).assert().success();
        String::from_utf8(assert.get_output().stdout.clone()).unwrap()
    };
    assert_eq!(recipe("sky"), recipe("sky/img_2.png"));
    assert!(recipe("sky").contains("[zoom]"));
    let mut dream = room.deepdream();
    dream.args(["image", "sky/img_0.png", "-o", "still.png", "--recipe", "sky"]).assert().success();
    // The newest frame has it too, where there is no record.
    std::fs::remove_dir_all(room.path("sky/.deepdream")).unwrap();
    assert_eq!(recipe("sky"), recipe("sky/img_2.png"));
    std::fs::create_dir(room.path("sky/.deepdream")).unwrap();
    room.write("sky/.deepdream/video.json", "{");
    assert_eq!(recipe("sky"), recipe("sky/img_2.png"));
    std::fs::create_dir(room.path("empty")).unwrap();
    let text = said(room.deepdream().args(["recipe", "empty"]).assert(), 5);
    assert!(text.contains("no frames of a zoom or a video were made in empty"), "{text}");
}

#[test]
fn a_preset_upon_a_recipe_has_what_a_zoom_needs() {
    let room = room("img_0.png");
    room.write("classic.toml", "schema = 1\npreset = \"classic\"\noctaves = { count = 4 }\n");
    let flags = ["--recipe", "classic.toml", "--preset", "figures", "--layer", "conv1", "-i", "1"];
    run(&room, "sky", 2, &flags).success();
    let assert = room.deepdream().args(["recipe", "sky"]).assert().success();
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert!(text.contains("count = 2") && text.contains("pace = 3.0"), "{text}");
}

#[test]
fn a_zoom_that_names_its_preset_goes_on_too() {
    let room = room("img_0.png");
    let flags = ["--preset", "figures", "--layer", "conv1", "--iterations", "1"];
    run(&room, "sky", 2, &flags).success();
    let two = frames(&room.path("sky"));
    run(&room, "sky", 3, &flags).success();
    let three = frames(&room.path("sky"));
    assert_eq!((three.len(), &three["img_1.png"]), (3, &two["img_1.png"]));
    assert!(said(run(&room, "sky", 4, &["--preset", "google"]), 5).contains("another recipe"));
}

#[test]
fn a_recipe_that_frames_cannot_carry_is_refused_before_they_are_made() {
    let room = room("img_0.jpg");
    let curve = vec!["100"; 30_000].join(",");
    room.write("long.toml", format!("schema = 1\n[zoom.rhythm]\ncurve = [{curve}]\n"));
    let text = said(run(&room, "sky", 3, &["--recipe", "long.toml"]), 6);
    assert!(text.contains("too long for frames in JPEG") && text.contains("PNG"), "{text}");
    assert_eq!(frames(&room.path("sky")).len(), 1);
}

#[test]
fn killed_at_any_moment_it_makes_the_same_frames() {
    let motion = ["--rotate", "20", "--at", "0s:step=0.02", "--at", "0.3s:step=0.1,layer=conv1"];
    let flags = [&QUICK[..], &motion].concat();
    let whole = room("img_0.jpg");
    let begun = Instant::now();
    run(&whole, "sky", 25, &flags).success();
    let took = begun.elapsed();
    let expected = frames(&whole.path("sky"));
    assert_eq!(expected.len(), 25);

    let killed = room("img_0.jpg");
    let mut kills = 0;
    for attempt in 1u32.. {
        let mut child = Command::new(env!("CARGO_BIN_EXE_deepdream"))
            .args(["frames", "sky", "-q", "--count", "25"])
            .args(&flags)
            .current_dir(killed.path("."))
            .env("DEEPDREAM_HOME", killed.path("home"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Moments that fall everywhere in a run, but later and later so that it ends.
        let share = 0.15 + 0.618_034 * f64::from(attempt) % 0.5 + f64::from(attempt) / 20.0;
        std::thread::sleep(Duration::from_secs_f64(took.as_secs_f64() * share));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        // Whatever is there is whole.
        for (name, bytes) in frames(&killed.path("sky")) {
            assert!(bytes == expected[&name], "{name} after kill {kills}");
        }
    }
    assert!(kills > 0);
    assert_eq!(frames(&killed.path("sky")), expected);
}

#[test]
fn frames_of_another_recipe_are_noticed_and_explained() {
    let room = room("img_0.png");
    run(&room, "sky", 2, &[&QUICK[..], &["--step", "0.03"]].concat()).success();
    let said = said(run(&room, "sky", 3, &["--step", "0.06", "--zoom", "2"]), 5);
    assert!(said.contains("ascent.step was 0.03 and is now 0.06"), "{said}");
    assert!(said.contains("zoom.motion.zoom was 1.35 and is now 2.0"), "{said}");
    assert!(said.contains("--force"), "{said}");
    assert_eq!(frames(&room.path("sky")).len(), 2);

    run(&room, "sky", 4, &["--step", "0.06", "--force"]).success();
    assert_eq!(frames(&room.path("sky")).len(), 4);
}

#[test]
fn another_first_picture_and_frames_of_unknown_origin_are_refused() {
    let room = room("img_0.png");
    run(&room, "sky", 2, &QUICK).success();
    picture(48, 31).save(room.path("sky/img_0.png")).unwrap();
    let text = said(run(&room, "sky", 3, &[]), 5);
    assert!(text.contains("another picture"), "{text}");

    std::fs::remove_dir_all(room.path("sky/.deepdream")).unwrap();
    let text = said(run(&room, "sky", 3, &QUICK), 6);
    assert!(text.contains("has frames up to 1"), "{text}");
}

#[test]
fn an_empty_folder_says_what_belongs_into_it() {
    let room = Room::new();
    std::fs::create_dir(room.path("sky")).unwrap();
    let text = said(run(&room, "sky", 3, &QUICK), 3);
    assert!(text.contains("img_0.jpg"), "{text}");
    let text = said(run(&room, "nowhere", 3, &QUICK), 3);
    assert!(text.contains("no such folder"), "{text}");
}

#[test]
fn a_frames_recipe_makes_the_movie_again() {
    let room = room("img_0.webp");
    run(&room, "sky", 3, &[&QUICK[..], &["--motion", "spiral", "--fps", "12.5"]].concat())
        .success();
    std::fs::create_dir(room.path("again")).unwrap();
    std::fs::copy(room.path("sky/img_0.webp"), room.path("again/img_0.webp")).unwrap();
    run(&room, "again", 3, &["--recipe", "sky/img_2.webp"]).success();
    assert_eq!(frames(&room.path("again")), frames(&room.path("sky")));
}

#[test]
fn ease_out_wants_to_know_the_end_and_bad_keys_are_refused_before_any_work() {
    let room = room("img_0.png");
    let mut command = room.deepdream();
    let text = said(command.args(["frames", "sky", "--ease-out", "1"]).assert(), 2);
    assert!(text.contains("--count"), "{text}");
    let text = said(run(&room, "sky", 3, &["--at", "1s:stepp=2"]), 2);
    assert!(text.contains("did you mean `ascent.step`"), "{text}");
    let text = said(run(&room, "sky", 3, &["--at", "1s:layer=fire99"]), 5);
    assert!(text.contains("fire99"), "{text}");
    assert_eq!(frames(&room.path("sky")).len(), 1);
}

/// Mean and standard deviation of each channel.
fn levels(path: &Path) -> [[f64; 2]; 3] {
    let picture = image::open(path).unwrap().into_rgb8();
    let count = f64::from(picture.width() * picture.height());
    [0, 1, 2].map(|channel| {
        let values = || picture.pixels().map(|pixel| f64::from(pixel[channel]));
        let mean = values().sum::<f64>() / count;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        [mean, variance.sqrt()]
    })
}

#[test]
fn levels_hold_over_three_hundred_frames() {
    let room = room("img_0.png");
    let wild = ["--preset", "classic", "--step", "6", "--pace", "30"];
    run(&room, "sky", 301, &[&QUICK[..], &wild].concat()).success();
    let first = levels(&room.path("sky/img_0.png"));
    for number in [1, 50, 150, 300] {
        let now = levels(&room.path(&format!("sky/img_{number}.png")));
        for (was, is) in first.as_flattened().iter().zip(now.as_flattened()) {
            assert!((is / was - 1.0).abs() < 0.03, "frame {number}: {first:?} became {now:?}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_costs_no_frame() {
    let room = Room::new();
    let Some(disk) = SmallDisk::new(room.path("disk"), "128k") else { return };
    std::fs::create_dir(room.path("disk/sky")).unwrap();
    picture(48, 32).save(room.path("disk/sky/img_0.png")).unwrap();
    let full = run(&room, "disk/sky", 100, &QUICK);
    let text = said(full, 6);
    let there = frames(&room.path("disk/sky"));
    disk.resize("8m");
    run(&room, "disk/sky", there.len() + 5, &QUICK).success();
    let after = frames(&room.path("disk/sky"));
    drop(disk);

    assert!(text.contains("could not write disk/sky"), "{text}");
    assert!(there.len() > 1 && there.len() < 100, "{} frames", there.len());
    assert_eq!(after.len(), there.len() + 5);
    let whole = self::room("img_0.png");
    run(&whole, "sky", after.len(), &QUICK).success();
    assert_eq!(frames(&whole.path("sky")), after);
}
