//! A network from a file, what it can dream of, and a dream on noise:
//! `cargo run --example network -- model.pb dream.png`. Files of Caffe, TensorFlow and safetensors are
//! read; see `models`.

use deepdream::{Dreamer, models};

fn main() -> deepdream::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, output] = &args[..] else { panic!("usage: network MODEL OUTPUT") };
    let network = models::load(model.as_ref())?;
    for layer in deepdream::layers(&network) {
        let mark = if layer.default { " (default)" } else { "" };
        println!("{}: {} channels{mark}", layer.name, layer.channels);
    }
    let dream = Dreamer::new(&network).seed(1).dream_noise(160, 120)?;
    dream.save(output)
}
