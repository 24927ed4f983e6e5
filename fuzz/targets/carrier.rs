#![no_main]
//! Bytes as a picture or movie that carries a recipe.

use std::path::PathBuf;

use media::Limits;

/// Memory that a picture may take.
const MEMORY: u64 = 1 << 28;

/// What Matroska and WebM begin with: ffprobe reads those.
const MATROSKA: [u8; 4] = [0x1A, 0x45, 0xDF, 0xA3];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(&MATROSKA) {
        return;
    }
    std::fs::write(place(), bytes).expect("a temporary file can be written");
    let _ = media::recipe_of(&place(), &Limits::memory(MEMORY));
});

/// The one file that is written again and again.
fn place() -> PathBuf {
    std::env::temp_dir().join(format!("deepdream-fuzz-{}", std::process::id()))
}
