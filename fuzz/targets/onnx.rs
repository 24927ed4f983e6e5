#![no_main]
//! Bytes as a model file; the seeds make them one of this format.

mod shared;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shared::ask(import::load_bytes("fuzz", bytes)));
