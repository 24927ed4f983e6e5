//! The kernels' `unsafe` under tools that watch every access to memory: Miri runs what is small enough in
//! plain loops, AddressSanitizer runs everything at all CPU levels, and the readers over their seeds.

use crate::Outcome;
use crate::fuzz;
use crate::process::{Run, answers, cargo, step};

const KERNELS: [&str; 2] = ["--package", "deepdream-kernels"];

/// Runs the kernels' tests under Miri, which checks that no access leaves its slice, reads what was never
/// written or goes through a pointer of something else.
pub(crate) fn miri() -> Outcome {
    step("the kernels under Miri");
    if !answers("cargo", &["+nightly", "miri", "--version"]) {
        return Err(
            "this needs Miri: rustup toolchain install nightly --component miri rust-src".into()
        );
    }
    nightly(&["miri", "test", "--no-default-features", "--lib", "--test", "conformance"])
        .args(KERNELS)
        .args(["--target-dir", "target/miri"])
        .run()
}

/// Runs the kernels' tests, and the readers over the files that fuzzing starts from, with AddressSanitizer.
pub(crate) fn asan() -> Outcome {
    step("the kernels with AddressSanitizer");
    if !answers("cargo", &["+nightly", "--version"]) {
        return Err("this needs a nightly toolchain: rustup toolchain install nightly".into());
    }
    nightly(&["test", "--lib", "--test", "conformance", "--target", "x86_64-unknown-linux-gnu"])
        .args(KERNELS)
        .args(["--target-dir", "target/asan"])
        .env("RUSTFLAGS", "-Zsanitizer=address")
        .run()?;
    step("the readers with AddressSanitizer");
    fuzz::seeds_once()
}

fn nightly(args: &[&str]) -> Run {
    cargo(&["+nightly"]).args(args)
}
