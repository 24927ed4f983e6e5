//! A photo in, a dream out: `cargo run --example still -- photo.jpg dream.png`.

use deepdream::{Dreamer, Image};

fn main() -> deepdream::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(photo), Some(output)) = (args.next(), args.next()) else {
        panic!("usage: still PHOTO OUTPUT");
    };
    let network = deepdream::models::squeezenet()?;
    let photo = Image::open(photo)?;
    let dream = Dreamer::new(&network).layer("fire8/concat").size(240).seed(7).dream(&photo)?;
    dream.save(&output)?;
    println!("{output}: {}", dream.image().size());
    Ok(())
}
