#![no_main]
//! Bytes as a picture's file.

use media::{Image, Limits};

/// Memory that a picture may take.
const MEMORY: u64 = 1 << 28;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = Image::decode_within(bytes, &Limits::memory(MEMORY)) {
        let size = image.size();
        assert_eq!(image.to_rgb8().len(), size.height * size.width * 3);
    }
});
