//! A zoom into frames: `cargo run --example zoom -- photo.png FOLDER 5` makes img_1.png to img_4.png in
//! the folder. The same command goes on after a stop.

use std::path::Path;

use deepdream::{CancelToken, Event, FramesJob, Length, MotionPreset};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [photo, folder, count] = &args[..] else { panic!("usage: zoom PHOTO.png FOLDER COUNT") };
    let first = Path::new(folder).join("img_0.png");
    if !first.exists() {
        std::fs::create_dir_all(folder)?;
        std::fs::copy(photo, first)?;
    }

    let mut job = FramesJob::new(folder);
    job.length = Length::Frames(count.parse()?);
    job.motion = Some(MotionPreset::Spiral);
    job.dream.recipe.set("size", 160);
    job.dream.recipe.set("octaves.count", 2);
    let events = |event| {
        if let Event::Wrote(wrote) = event {
            println!("{}", wrote.path.display());
        }
    };
    job.run(&events, &CancelToken::new())?;
    Ok(())
}
