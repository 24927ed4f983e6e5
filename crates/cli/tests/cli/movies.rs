//! `movie` and `zoom`: frames in, movies out.

use image::{Rgb, RgbImage};

use crate::room::{QUICK, Room};

/// A folder of `count` frames of which each is a grey of its own.
fn greys(room: &Room, folder: &str, count: u64) {
    std::fs::create_dir(room.path(folder)).unwrap();
    for number in 0..count {
        let grey = (number * 200 / count.max(2)) as u8;
        let frame = RgbImage::from_pixel(16, 16, Rgb([grey; 3]));
        frame.save(room.path(&format!("{folder}/img_{number}.png"))).unwrap();
    }
}

/// The grey of each frame of an animated PNG, and the frames' duration.
fn seen(room: &Room, name: &str) -> (Vec<u8>, (u16, u16)) {
    let file = std::fs::File::open(room.path(name)).unwrap();
    let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().unwrap();
    let count = reader.info().animation_control().unwrap().num_frames;
    let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
    let greys = (0..count)
        .map(|_| {
            reader.next_frame(&mut buffer).unwrap();
            buffer[0]
        })
        .collect();
    let control = reader.info().frame_control().unwrap();
    (greys, (control.delay_num, control.delay_den))
}

#[test]
fn frames_past_the_thousandth_keep_their_order() {
    let room = Room::new();
    greys(&room, "many", 1100);
    room.deepdream().args(["movie", "many", "-o", "many.png", "-q"]).assert().success();
    let (greys, _) = seen(&room, "many.png");
    assert_eq!(greys.len(), 1100);
    assert!(greys.is_sorted());
}

#[test]
fn a_zoom_is_as_long_as_it_is_asked_to_be() {
    let room = Room::new();
    room.picture("photo.png");
    let zoom = |seconds: &str| {
        let args = ["zoom", "photo.png", "-o", "fall.png", "-q", "--fps", "10", "--seconds"];
        room.deepdream().args(args).arg(seconds).args(QUICK).assert()
    };
    zoom("0.4").success();
    assert_eq!(seen(&room, "fall.png").0.len(), 4);
    // Longer: the frames are gone on with, and the movie is made again.
    let first = room.bytes("fall/img_3.png");
    zoom("0.6").success();
    assert_eq!(seen(&room, "fall.png").0.len(), 6);
    assert_eq!(room.bytes("fall/img_3.png"), first);
    // Shorter: the frames stay, and the movie has only so many.
    zoom("0.2").success();
    assert_eq!(seen(&room, "fall.png").0.len(), 2);
    assert!(room.path("fall/img_5.png").exists());
    // A movie that was made otherwise, or is none, is not touched.
    for foreign in [room.bytes("photo.png"), b"words".to_vec()] {
        room.write("fall.png", &foreign);
        zoom("0.4").code(6);
        assert_eq!(room.bytes("fall.png"), foreign);
    }
}

#[test]
fn a_movie_does_not_replace_the_mask_that_its_recipe_names() {
    let room = Room::new();
    room.picture("photo.png");
    room.picture("late.png");
    let mask = room.bytes("late.png");
    let set = ["--set", "regions.mask.mask=late.png", "-o", "late.png", "--force"];
    let args = ["zoom", "photo.png", "-q", "--fps", "10", "--seconds", "0.2"];
    let assert = room.deepdream().args(args).args(set).args(QUICK).assert().code(6);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("this very file, the mask late.png"), "{said}");
    assert_eq!(room.bytes("late.png"), mask);
}

#[test]
fn a_folder_of_other_files_gets_no_frames() {
    let room = Room::new();
    room.picture("photo.png");
    std::fs::create_dir(room.path("holiday")).unwrap();
    room.picture("holiday/beach.png");
    let args = ["zoom", "photo.png", "-o", "holiday.mp4", "--seconds", "0.1"];
    let assert = room.deepdream().args(args).args(QUICK).assert().code(6);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("has other files") && said.contains("(-o)"), "{said}");
    assert!(!room.path("holiday/img_0.png").exists() && !room.path("holiday.mp4").exists());
}

#[test]
fn a_folder_takes_a_movie_too() {
    let room = Room::new();
    greys(&room, "sky", 2);
    room.deepdream().args(["movie", "sky", "-o", "movies/", "-q"]).assert().success();
    assert!(room.path("movies/sky.mp4").exists());
    room.picture("photo.png");
    let args = ["zoom", "photo.png", "-o", "movies/", "-q", "--seconds", "0.1", "--fps", "10"];
    room.deepdream().args(args).args(QUICK).assert().success();
    assert!(room.path("movies/photo.mp4").exists() && room.path("movies/photo").is_dir());
    let assert = room.deepdream().args(["movie", "sky", "-o", "movies"]).assert().code(2);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("Or give a folder"), "{said}");
    let assert = room.deepdream().args(["movie", "sky", "--sound", "none.mp3"]).assert().code(3);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("could not read none.mp3: there is no such file"), "{said}");
}

#[test]
fn holds_turns_and_loops() {
    let room = Room::new();
    greys(&room, "sky", 10);
    let movie = |more: &[&str]| {
        room.deepdream()
            .args(["movie", "sky", "-o", "sky.png", "-q", "-f", "--fps", "10"])
            .args(more)
            .assert()
            .success();
        seen(&room, "sky.png")
    };
    let (held, duration) = movie(&["--hold-first", "0.5", "--hold-last", "1"]);
    assert_eq!((held.len(), duration), (25, (1, 10)));
    assert_eq!((held[5], held[6], held[24]), (0, 20, 180));
    let (turned, _) = movie(&["--ping-pong"]);
    assert_eq!(turned.len(), 18);
    assert_eq!(turned[10], 160);
    let (looped, _) = movie(&["--loop", "0.4"]);
    assert_eq!(looped.len(), 6);
    assert_eq!(looped, [96, 92, 88, 84, 80, 100]);
}

#[test]
fn gaps_are_said_and_empty_folders_refused() {
    let room = Room::new();
    greys(&room, "sky", 4);
    std::fs::remove_file(room.path("sky/img_2.png")).unwrap();
    let output = room.deepdream().args(["movie", "sky"]).assert().success();
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("frame 1 is followed by frame 3"), "{said}");
    assert!(said.contains("wrote sky.mp4 (3 frames of 16×16"), "{said}");

    std::fs::create_dir(room.path("empty")).unwrap();
    room.deepdream().args(["movie", "empty"]).assert().code(3);
    room.write("sky/img_1.png", b"no picture");
    room.deepdream().args(["movie", "sky", "-o", "b.gif"]).assert().code(3);
    assert_eq!(room.names(), ["empty", "sky", "sky.mp4"]);
    room.deepdream().args(["movie", "sky"]).assert().code(6);
}

#[test]
fn a_photo_becomes_a_movie_in_one_go() {
    let room = Room::new();
    room.picture("photo.png");
    let zoom = |more: &[&str]| {
        let mut command = room.deepdream();
        command.args(["zoom", "photo.png", "-o", "fall.png", "--seconds", "0.5", "--fps", "12"]);
        command.args(QUICK).args(more).assert()
    };
    zoom(&["--motion", "google", "--ease-out", "0.2"]).success();
    assert_eq!(room.names(), ["fall", "fall.png", "photo.png"]);
    assert_eq!(seen(&room, "fall.png").0.len(), 6);
    let first = room.bytes("fall.png");
    // All of it once more from the frames that are there.
    std::fs::remove_file(room.path("fall.png")).unwrap();
    zoom(&["--motion", "google", "--ease-out", "0.2"]).success();
    assert_eq!(room.bytes("fall.png"), first);
    // The movie carries the recipe as a picture does.
    std::fs::create_dir(room.path("again")).unwrap();
    std::fs::copy(room.path("photo.png"), room.path("again/img_0.png")).unwrap();
    room.deepdream()
        .args(["frames", "again", "--recipe", "fall.png", "--count", "6"])
        .assert()
        .success();
    assert_eq!(room.bytes("again/img_5.png"), room.bytes("fall/img_5.png"));
}
