//! Masks that are another one for each frame: a folder of pictures, or a video.

use image::{Luma, RgbImage};

use super::{clip, dream, make, said};
use crate::room::Room;

const FRAMES: u32 = 5;

/// A folder of masks that are black but for the one of a frame, if any.
fn masks(room: &Room, folder: &str, white: Option<u32>) {
    std::fs::create_dir(room.path(folder)).unwrap();
    for number in 0..FRAMES {
        let value = if Some(number) == white { 255 } else { 0 };
        let mask = image::GrayImage::from_pixel(48, 32, Luma([value]));
        mask.save(room.path(&format!("{folder}/mask_{number}.png"))).unwrap();
    }
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn each_frame_has_a_mask_of_its_own() {
    let room = Room::new();
    clip(&room, "clip.mp4", "25", FRAMES, "-map 0:v");
    masks(&room, "none", None);
    masks(&room, "third", Some(3));
    // Black, but white in the last two frames.
    make(
        &room,
        "late.mp4",
        "-f lavfi -i color=black:size=96x64:rate=25:duration=0.2,\
         drawbox=t=fill:c=white:enable=gte(n\\,3) -pix_fmt yuv420p -c:v libx264",
    );
    let frame = |movie: &str, number: u32| -> RgbImage {
        let path = room.path(&format!("{movie}/img_{number}.png"));
        image::open(path).unwrap().to_rgb8()
    };
    for coherence in ["independent", "flow"] {
        for mask in ["none", "third", "late.mp4"] {
            let movie = format!("{coherence}-{}.mp4", mask.trim_end_matches(".mp4"));
            let more = ["--mask", mask, "--coherence", coherence, "--keep"];
            dream(&room, "clip.mp4", &movie, &more).success();
        }
        let same = |mask: &str, number: u32| {
            frame(&format!("{coherence}-none"), number)
                == frame(&format!("{coherence}-{mask}"), number)
        };
        assert!(same("third", 0) && same("third", 2) && !same("third", 3), "{coherence}");
        // What was dreamt does not stay where the mask is black again.
        assert!(same("third", 4), "{coherence}");
        assert!(same("late", 2) && !same("late", 3) && !same("late", 4), "{coherence}");
    }
    // A run that goes on has the masks of the frames that are missing.
    let whole = frame("flow-third", 3);
    for number in 3..FRAMES {
        std::fs::remove_file(room.path(&format!("flow-third/img_{number}.png"))).unwrap();
    }
    let more = ["--mask", "third", "--coherence", "flow", "--keep", "--force"];
    dream(&room, "clip.mp4", "flow-third.mp4", &more).success();
    assert_eq!(frame("flow-third", 3), whole);

    std::fs::remove_file(room.path("third/mask_4.png")).unwrap();
    let text = said(dream(&room, "clip.mp4", "a.mp4", &["--mask", "third"]), 3);
    assert!(text.contains("has 4 pictures, but the video has 5 frames"), "{text}");
    room.picture("photo.png");
    let image = ["image", "photo.png", "-o", "a.png", "--mask", "third"];
    let text = said(room.deepdream().args(image).assert(), 3);
    assert!(text.contains("is not one picture"), "{text}");
    std::fs::create_dir(room.path("empty")).unwrap();
    let text = said(dream(&room, "clip.mp4", "a.mp4", &["--mask", "empty"]), 3);
    assert!(text.contains("there are no pictures in empty"), "{text}");
}
