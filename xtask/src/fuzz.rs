//! Fuzzing of whatever reads files, with the targets and seeds in `fuzz/`.

use std::path::Path;

use crate::Outcome;
use crate::process::{answers, cargo, step};

/// Seconds for each reader, unless told otherwise.
const SECONDS: &str = "30";

/// Folders with files to start from, beside `fuzz/seeds/READER`.
const SEEDS: [(&str, &str); 9] = [
    ("caffemodel", "crates/import/tests/data"),
    ("carrier", "crates/cli/tests/data/recipes-0.1/carriers"),
    ("graphdef", "crates/import/tests/data"),
    ("onnx", "crates/import/tests/data/onnx"),
    ("picture", "crates/cli/tests/data/recipes-0.1/carriers"),
    ("prototxt", "crates/import/tests/data"),
    ("recipe", "crates/cli/tests/data/recipes-0.1/saved"),
    ("recipe", "crates/cli/tests/data/recipes-0.1/written"),
    ("torch", "crates/import/tests/data/torch"),
];

/// Fuzzes each reader, or those that are named, for so many seconds. Without a nightly compiler, which has
/// the sanitizers, it says so and does nothing.
pub(crate) fn run(args: &[String]) -> Outcome {
    step("fuzzing");
    if !answers("cargo", &["+nightly", "--version"]) {
        println!("left out: fuzzing needs a nightly toolchain: rustup toolchain install nightly");
        return Ok(());
    }
    if !answers("cargo", &["fuzz", "--version"])
        && cargo(&["install", "cargo-fuzz", "--debug", "--locked"]).run().is_err()
    {
        println!("left out: fuzzing needs cargo-fuzz, which could not be installed");
        return Ok(());
    }
    let seconds = args.first().map_or(SECONDS, String::as_str);
    let wanted = |name: &&str| args.len() < 2 || args[1..].iter().any(|wanted| wanted == name);
    let limit = format!("-max_total_time={seconds}");
    list()?.lines().filter(wanted).try_for_each(|reader| fuzz(reader, &limit))
}

/// Feeds each reader the files that fuzzing starts from, and what it has found before, once.
pub(crate) fn seeds_once() -> Outcome {
    list()?.lines().try_for_each(|reader| fuzz(reader, "-runs=0"))
}

/// The readers, a line each.
fn list() -> Result<String, String> {
    cargo(&["fuzz", "list", "--fuzz-dir", "fuzz"]).output()
}

fn fuzz(reader: &str, limit: &str) -> Outcome {
    let corpus = format!("fuzz/corpus/{reader}");
    std::fs::create_dir_all(&corpus).map_err(|error| format!("{corpus}: {error}"))?;
    let own = format!("fuzz/seeds/{reader}");
    let seeds = SEEDS.iter().filter(|(name, _)| *name == reader).map(|(_, folder)| *folder);
    let seeds = Path::new(&own).is_dir().then_some(own.as_str()).into_iter().chain(seeds);
    cargo(&["+nightly", "fuzz", "run", "--fuzz-dir", "fuzz", reader, &corpus])
        .args(seeds)
        .args(["--", "-seed=1", "-timeout=20", "-verbosity=0", "-print_final_stats=1"])
        .args([limit])
        .run()
}
