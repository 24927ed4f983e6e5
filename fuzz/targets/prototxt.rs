#![no_main]
//! Bytes as a network's description, with the weights of a small one.

mod shared;

const WEIGHTS: &[u8] = include_bytes!("../../crates/import/tests/data/small.caffemodel");

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    shared::ask(import::load_pair_bytes("fuzz", bytes, WEIGHTS));
});
