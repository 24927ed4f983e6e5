//! Every movie carries its recipe.

use super::{clip, dream, said};
use crate::room::Room;

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn the_recipe_comes_back_out_of_every_kind() {
    let room = Room::new();
    clip(&room, "clip.mp4", "10", 3, "-map 0:v");
    let flags = ["--seed", "77", "--coherence", "blend", "--blend", "0.25"];
    for (movie, more) in [
        ("a.mp4", &[][..]),
        ("b.mp4", &["--ffmpeg"]),
        ("a.gif", &[]),
        ("a.png", &[]),
        ("a.webm", &[]),
        ("a.mkv", &[]),
        ("a.mov", &[]),
    ] {
        dream(&room, "clip.mp4", movie, &[&flags[..], more].concat()).success();
        // All it takes to make the same movie again.
        let again = format!("again.{}", movie.rsplit('.').next().unwrap());
        let mut command = room.deepdream();
        command.args(["video", "clip.mp4", "-q", "--force", "--recipe", movie, "-o", &again]);
        command.args(more).assert().success();
        assert!(room.bytes(movie) == room.bytes(&again), "{movie}");
    }
    // In the kinds that need nothing installed, it is read with nothing installed.
    room.picture("photo.png");
    for movie in ["a.mp4", "b.mp4", "a.gif", "a.png"] {
        let mut command = room.deepdream();
        command.env("PATH", "").args(["image", "photo.png", "-o", "photo.dream.png", "-f", "-q"]);
        command.args(["--recipe", movie]).assert().success();
    }
    let mut command = room.deepdream();
    command.env("PATH", "").args(["image", "photo.png", "-o", "x.png", "--recipe", "a.mkv"]);
    let text = said(command.assert(), 5);
    assert!(text.contains("ffprobe is not installed"), "{text}");
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn movies_without_one_say_so() {
    let room = Room::new();
    room.picture("photo.png");
    clip(&room, "clip.mp4", "10", 3, "-map 0:v");
    clip(&room, "clip.mkv", "10", 3, "-map 0:v");
    super::make(&room, "clip.gif", "-i clip.mp4");
    let cut = room.bytes("clip.mp4");
    room.write("cut.mp4", &cut[..cut.len() / 2]);
    for movie in ["clip.mp4", "clip.mkv", "clip.gif", "cut.mp4"] {
        let mut command = room.deepdream();
        let text = said(command.args(["image", "photo.png", "--recipe", movie]).assert(), 5);
        assert!(text.contains(movie), "{text}");
    }
    assert!(!room.path("photo.dream.png").exists());
}
