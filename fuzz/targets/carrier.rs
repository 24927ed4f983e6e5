#![no_main]
//! Bytes as a picture or movie that carries a recipe.

use std::path::PathBuf;

use media::Limits;

/// Memory that a picture may take.
const MEMORY: u64 = 1 << 28;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    std::fs::write(place(), bytes).expect("a temporary file can be written");
    let _ = media::recipe_of(&place(), &Limits::memory(MEMORY).alone());
});

/// The one file that is written again and again.
fn place() -> PathBuf {
    std::env::temp_dir().join(format!("deepdream-fuzz-{}", std::process::id()))
}
