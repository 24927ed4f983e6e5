//! The task runner: every check and every longer job of this repository, by name.
//!
//! It is plain Rust without dependencies, so that the same commands run on Linux, macOS and Windows with
//! nothing installed but Rust. `.ci/run` and the CI definition call `cargo xtask ci`.

mod check;
mod fuzz;
mod process;
mod product;
mod sanitize;
mod tally;
mod tests;

use std::process::ExitCode;

use crate::process::{cargo, script, step};
use crate::tests::Shared;

/// What a task ends with: nothing, or what is wrong and the way out.
type Outcome = Result<(), String>;

/// A task: its name, what it does, and how, given the arguments after its name.
struct Task {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Outcome,
}

/// Seconds for each reader in `ci`, which is to stay quick: what it has found before is tried again.
const FUZZED: &str = "10";

const TASKS: [Task; 21] = [
    Task {
        name: "check",
        about: "format, file lengths, unsafe, lints, documentation, licences",
        run: |_| check::all(),
    },
    Task { name: "test", about: "all tests", run: |_| tests::alone(tests::all) },
    Task {
        name: "test-scalar",
        about: "the tests of whatever computes, in plain loops",
        run: |_| tests::alone(tests::scalar),
    },
    Task {
        name: "examples",
        about: "runs the examples of the library",
        run: |_| product::examples(),
    },
    Task {
        name: "package",
        about: "packages every crate, and checks that it compiles from its package",
        run: product::package,
    },
    Task {
        name: "first-dream",
        about: "the README's first command, in release",
        run: |_| product::first_dream(),
    },
    Task {
        name: "studio",
        about: "[FOLDER]: the studio's page from its source, and in Chromium; screenshots go to the folder",
        run: product::studio,
    },
    Task {
        name: "fuzz",
        about: "[SECONDS [READER…]]: feeds each reader mutated files, half a minute each",
        run: fuzz::run,
    },
    Task {
        name: "miri",
        about: "the kernels' tests under Miri, which watches every access",
        run: |_| sanitize::miri(),
    },
    Task {
        name: "asan",
        about: "the kernels' tests and the readers with AddressSanitizer",
        run: |_| sanitize::asan(),
    },
    Task {
        name: "attack-networks",
        about: "[SECONDS [SEED]]: random networks against the reference, memory said against used",
        run: attack_networks,
    },
    Task {
        name: "bench",
        about: "[ARGUMENTS]: the benchmarks",
        run: |args| cargo(&["bench", "--workspace"]).args(args).run(),
    },
    Task {
        name: "studio-load",
        about: "the studio with fifty pages and with a long history, in release: fails below the figures to hold",
        run: |args| {
            cargo(&["run", "--release", "-p", "deepdream-studio", "--example", "load"])
                .args(args)
                .run()
        },
    },
    Task {
        name: "cluster",
        about: "shares a video among the tasks of a Slurm array (Debian 12, as root)",
        run: |args| {
            cargo(&["build", "--release"]).run()?;
            script("tools/cluster/slurm.sh", args)
        },
    },
    Task {
        name: "windows",
        about: "builds the Windows program and tests it under Wine (Debian 12, as root)",
        run: |args| script("tools/windows/run.sh", args),
    },
    Task {
        name: "wasm",
        about: "builds for wasm32 and dreams in Node (Debian 12, as root)",
        run: |args| script("tools/wasm/run.sh", args),
    },
    Task {
        name: "arm",
        about: "tests the NEON kernels on an emulated machine (Debian 12, as root)",
        run: |args| script("tools/neon/run.sh", args),
    },
    Task {
        name: "onnx-nodes",
        about: "FOLDER: runs ONNX's own operation tests",
        run: product::onnx_nodes,
    },
    Task {
        name: "onnx-schema",
        about: "makes the ONNX reader's schema out of the official one",
        run: |_| product::onnx_schema(),
    },
    Task { name: "ci", about: "[--without-shared]: everything but the ten above", run: ci },
    Task { name: "help", about: "prints this list", run: |_| help() },
];

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let name = if args.is_empty() { "help".to_owned() } else { args.remove(0) };
    let outcome = process::enter_root().and_then(|()| {
        let task = TASKS.iter().find(|task| task.name == name);
        let unknown = || format!("there is no task `{name}`: `cargo xtask help` lists them");
        (task.ok_or_else(unknown)?.run)(&args)
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// As long as it takes for a first impression, unless told otherwise.
fn attack_networks(args: &[String]) -> Outcome {
    let seconds = args.first().map_or("60", String::as_str);
    let run = ["run", "--package", "deepdream-cpu", "--example", "attack", "--", seconds];
    cargo(&run).args(args.iter().skip(1)).run()
}

fn help() -> Outcome {
    println!("Usage: cargo xtask TASK\n");
    for task in TASKS {
        println!("  {:12} {}", task.name, task.about);
    }
    Ok(())
}

/// All checks, those first that fail soonest. The last line says how many tests passed, also where some
/// failed.
fn ci(args: &[String]) -> Outcome {
    let shared = match args {
        [] => Shared::required()?,
        [flag] if flag == "--without-shared" => Shared::none(),
        _ => return Err("`ci` takes `--without-shared` or nothing".into()),
    };
    step("tools for tests");
    tests::require_ffmpeg(&shared)?;
    check::all()?;
    product::readme_has_commands()?;
    let mut tally = tally::Tally::default();
    let tested = product::first_dream()
        .and_then(|()| tests::all(&shared, &mut tally))
        .and_then(|()| tests::scalar(&shared, &mut tally))
        .and_then(|()| product::examples())
        .and_then(|()| if cfg!(target_os = "linux") { product::studio(&[]) } else { Ok(()) })
        .and_then(|()| product::package(&[]))
        .and_then(|()| fuzz::run(&[FUZZED.into()]));
    if let Err(problem) = &tested {
        println!("\nci: {problem}");
    }
    println!("\n{tally}");
    tested
}
