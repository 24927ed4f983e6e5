//! Several jobs at once in one process make what each makes alone.

use std::path::Path;
use std::process::Command;

use deepdream::{CancelToken, Event, Fault, StillJob, VideoJob, ZoomJob};

use crate::room::{Room, quick};

fn zoom(room: &Room) {
    let mut job = ZoomJob::new(room.path("zoom.png"));
    job.output = Some(room.path("fall.mp4"));
    job.seconds = 0.2;
    job.dream = quick();
    job.run(&(), &CancelToken::new()).unwrap();
}

fn still(room: &Room) {
    let mut job = StillJob::new(room.path("still.png"));
    job.dream = quick();
    job.dream.recipe.set("seed", 7);
    job.run(&(), &CancelToken::new()).unwrap();
}

fn video(room: &Room) -> VideoJob {
    let mut job = VideoJob::new(room.path("clip.mp4"));
    job.output = Some(room.path("dream.mp4"));
    job.dream = quick();
    job
}

/// A clip of twelve frames.
fn clip(path: &Path) {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-f", "lavfi", "-i", "testsrc=size=48x36:rate=12:duration=1"]);
    assert!(command.args(["-pix_fmt", "yuv420p"]).arg(path).status().unwrap().success());
}

fn prepared(clip: &Path) -> Room {
    let room = Room::new();
    room.picture("zoom.png");
    room.picture("still.png");
    std::fs::copy(clip, room.path("clip.mp4")).unwrap();
    room
}

#[test]
fn a_zoom_a_still_and_a_cancelled_video_do_not_meet() {
    if deepdream::media::check_ffmpeg().is_err() {
        eprintln!("skipped: ffmpeg is not installed");
        return;
    }
    let source = Room::new();
    clip(&source.path("clip.mp4"));
    let alone = prepared(&source.path("clip.mp4"));
    zoom(&alone);
    still(&alone);
    video(&alone).run(&(), &CancelToken::new()).unwrap();

    let together = prepared(&source.path("clip.mp4"));
    std::thread::scope(|scope| {
        scope.spawn(|| zoom(&together));
        scope.spawn(|| still(&together));
        scope.spawn(|| {
            let cancel = CancelToken::new();
            let stop_at_first_frame = |event: Event| {
                if matches!(event, Event::Wrote(_)) {
                    cancel.cancel();
                }
            };
            let error = video(&together).run(&stop_at_first_frame, &cancel).unwrap_err();
            assert_eq!(error.fault(), Fault::Cancelled, "{error}");
        });
    });
    assert!(!together.path("dream.mp4").exists());
    let frames = std::fs::read_dir(together.path("dream")).unwrap();
    let frames = frames
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("img_"));
    assert!((1..12).contains(&frames.count()));

    // The cancelled one goes on, and all is as if each had been alone.
    video(&together).run(&(), &CancelToken::new()).unwrap();
    let (alone, together) = (alone.files(), together.files());
    assert_eq!(alone.keys().collect::<Vec<_>>(), together.keys().collect::<Vec<_>>());
    for (path, bytes) in &alone {
        assert!(bytes == &together[path], "{} differs", path.display());
    }
}
