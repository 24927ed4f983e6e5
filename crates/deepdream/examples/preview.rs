//! What a dream looks like while it comes to be, as bytes for a window:
//! `cargo run --example preview -- photo.jpg`.

use std::sync::mpsc::channel;
use std::time::Duration;

use deepdream::{Dreamer, Event, Image, Preview, Progress};

fn main() -> deepdream::Result<()> {
    let photo = std::env::args().nth(1).expect("usage: preview PHOTO");
    let network = deepdream::models::squeezenet()?;
    let photo = Image::open(photo)?;

    let (sender, events) = channel();
    let dreamer = Dreamer::new(&network).size(240).events(sender).previews(Duration::ZERO);
    // The sender goes with the dreamer, which ends the loop below.
    let dreaming = std::thread::spawn(move || dreamer.dream(&photo));
    let mut shown = 0;
    for event in events {
        match event {
            Event::Preview(Preview { image, octave, step, .. }) => {
                shown += 1;
                let rgb = image.to_rgb8();
                println!("octave {octave}, step {step}: {} bytes of RGB", rgb.len());
            }
            Event::Progress(Progress { left: Some(left), .. }) => println!("{left:.1?} left"),
            _ => {}
        }
    }
    let dream = dreaming.join().expect("dreams do not panic")?;
    println!("{shown} previews of a dream of {}", dream.image().size());
    Ok(())
}
