//! One's own list of layers with weights, and other fields of the recipe:
//! `cargo run --example layers -- photo.jpg dream.png fire4/concat=1 fire8/concat=-0.2`.

use deepdream::{Dreamer, Image, Term};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [photo, output, layers @ ..] = &args[..] else {
        panic!("usage: layers PHOTO OUTPUT LAYER[=WEIGHT]...");
    };
    let network = deepdream::models::squeezenet()?;
    let mut dreamer = Dreamer::new(&network)
        .size(200)
        .set("octaves.count", "3")
        .set("octaves.detail", "{ blend = { share = 0.3 } }")
        .set("ascent.normalisation", "laplacian");
    for layer in layers {
        let Term { layer, weight, .. } = layer.parse()?;
        dreamer = dreamer.weighted_layer(layer, weight);
    }
    let dream = dreamer.dream(&Image::open(photo)?)?;
    dream.save(output)?;
    println!("{}", dream.recipe().to_toml());
    Ok(())
}
