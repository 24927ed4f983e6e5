//! What users get: the first dream, the packages, the examples.

use std::path::Path;

use crate::process::{Run, cargo, script, step};
use crate::{Outcome, tests};

/// The README's first command.
const FIRST: &str = "cargo run --release -- image examples/coffee.png";

/// Where packages are made and unpacked.
const PACKAGES: &str = "target/packages";

/// The profile of the repository's workspace, with which dependencies are compiled there.
const DEV: &str = "[profile.dev]\nopt-level = 2\ndebug = \"line-tables-only\"\n\
                   [profile.dev.build-override]\nopt-level = 0\n";

/// The most bytes of the program.
const MOST_BYTES: u64 = 30_000_000;

/// Sees that the README has the commands that are run here, as they are run.
pub(crate) fn readme_has_commands() -> Outcome {
    let readme = std::fs::read_to_string("README.md").map_err(|error| error.to_string())?;
    for command in [FIRST, tests::COMMAND] {
        if !readme.lines().any(|line| line == command) {
            return Err(format!("the README does not have the command: {command}"));
        }
    }
    Ok(())
}

/// Runs ONNX's own tests of operations, says how many pass, fail and are not supported, and sees that none
/// that passed before does not.
pub(crate) fn onnx_nodes(args: &[String]) -> Outcome {
    let [folder] = args else {
        return Err(
            "`onnx-nodes` wants the folder of ONNX's tests, which `python3 tools/onnx/nodes.py \
                    FOLDER` writes with the package `onnx` from PyPI"
                .into(),
        );
    };
    let folder = Path::new(folder).canonicalize().map_err(|error| format!("{folder}: {error}"))?;
    cargo(&["test", "--package", "deepdream-import", "--lib", "onnx::node_tests"])
        .args(["--", "--ignored", "--nocapture"])
        .env("DEEPDREAM_ONNX_NODES", folder)
        .run()
}

/// Makes the messages of the ONNX reader out of the official schema.
pub(crate) fn onnx_schema() -> Outcome {
    const HEAD: &str = "//! The messages of ONNX's schema that running a network needs, made by `cargo xtask \
                        onnx-schema`.\n\n";
    step("the schema of ONNX");
    let folder = Path::new("target/onnx-schema");
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    cargo(&["run", "--locked", "--target-dir", "target/onnx-schema/build", "--manifest-path"])
        .args(["tools/onnx/schema/Cargo.toml", "--"])
        .args([folder])
        .run()?;
    let made =
        std::fs::read_to_string(folder.join("onnx.rs")).map_err(|error| error.to_string())?;
    let schema = Path::new("crates/import/src/onnx/proto.rs");
    std::fs::write(schema, format!("{HEAD}{made}")).map_err(|error| error.to_string())
}

/// Builds the program as users do, and dreams; looks at its size.
pub(crate) fn first_dream() -> Outcome {
    step("first dream");
    let scratch = Path::new("target/first-dream");
    let dream = scratch.join("dream.png");
    std::fs::create_dir_all(scratch).map_err(|error| error.to_string())?;
    let words: Vec<&str> = FIRST.split(' ').collect();
    Run::new(words[0], &words[1..])
        .args(["--force", "-o"])
        .args([&dream])
        .env("DEEPDREAM_HOME", scratch.join("home"))
        .run()?;
    let program = program();
    let size = |path: &Path| path.metadata().map_or(0, |file| file.len());
    println!("the program has {} bytes", size(program.as_ref()));
    if size(program.as_ref()) > MOST_BYTES {
        return Err(format!("the program must stay under {MOST_BYTES} bytes"));
    }
    if size(&dream) == 0 { Err("the first dream was not written".into()) } else { Ok(()) }
}

/// Sees that the studio's page is what its source makes, and goes through it in Chromium, with the program
/// that the first dream builds.
pub(crate) fn studio(args: &[String]) -> Outcome {
    step("studio");
    cargo(&["build", "--release"]).run()?;
    script("tools/studio/run.sh", &[&[program()], args].concat())
}

/// Where a release build puts the program.
fn program() -> String {
    format!("target/release/deepdream{}", std::env::consts::EXE_SUFFIX)
}

/// Packages every crate that is published, and sees that each compiles from its package and those of the others.
///
/// Cargo would build each anew with all that it needs; unpacked into one workspace, they are checked together, and share
/// what the lints have compiled.
pub(crate) fn package(args: &[String]) -> Outcome {
    step("packages");
    let _ = std::fs::remove_dir_all(PACKAGES);
    let package = ["package", "--workspace", "--exclude", "xtask", "--no-verify"];
    cargo(&package).args(["--target-dir", PACKAGES]).args(args).run()?;
    let folder = Path::new(PACKAGES).join("package");
    let files = std::fs::read_dir(&folder).map_err(|error| error.to_string())?;
    let names = files.flatten().map(|file| file.file_name().to_string_lossy().into_owned());
    let names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".crate").map(str::to_owned)).collect();
    let mut workspace = format!("[workspace]\nresolver = \"3\"\nmembers = {names:?}\n{DEV}");
    workspace += "[patch.crates-io]\n";
    for name in &names {
        let unpack = ["-xzf", &format!("{name}.crate")];
        Run::new("tar", &unpack).current_dir(&folder).run()?;
        // The version begins with the first number behind a hyphen, and may have hyphens itself.
        let mut hyphens = name.match_indices('-').map(|(at, _)| at);
        let version = hyphens.find(|at| name[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        let crate_name = &name[..version.unwrap_or(name.len())];
        workspace += &format!("{crate_name} = {{ path = {name:?} }}\n");
    }
    let manifest = folder.join("Cargo.toml");
    std::fs::write(&manifest, workspace).map_err(|error| error.to_string())?;
    // The same versions of everything else.
    std::fs::copy("Cargo.lock", folder.join("Cargo.lock")).map_err(|error| error.to_string())?;
    let check = ["check", "--workspace", "--target-dir", "target", "--manifest-path"];
    cargo(&check).args([manifest]).run()
}

/// Runs every example of the library, small, in a folder that is gone afterwards.
pub(crate) fn examples() -> Outcome {
    step("examples");
    let photo = "examples/coffee.png";
    let network = "crates/models/data/squeezenet1_1.safetensors";
    let folder = Path::new("target/examples-run");
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let inside = |name: &str| folder.join(name).display().to_string();
    // With all crates, as the tests build them: for one alone, what it depends on would be built anew.
    cargo(&["build", "--release", "--workspace", "--examples"]).run()?;
    for (name, args) in [
        ("still", vec![photo.to_owned(), inside("still.png")]),
        ("preview", vec![photo.to_owned()]),
        ("zoom", vec![photo.to_owned(), inside("zoom"), "4".to_owned()]),
        ("drift", vec![inside("zoom"), "3".to_owned()]),
        ("network", vec![network.to_owned(), inside("network.png")]),
        ("layers", vec![photo.to_owned(), inside("layers.png"), "fire4/concat".to_owned()]),
    ] {
        let example = format!("target/release/examples/{name}{}", std::env::consts::EXE_SUFFIX);
        Run::new(&example, &[]).args(&args).run()?;
    }
    for made in ["still.png", "zoom/img_3.png", "network.png", "layers.png"] {
        if !folder.join(made).is_file() {
            return Err(format!("no example has made {made}"));
        }
    }
    std::fs::remove_dir_all(folder).map_err(|error| error.to_string())
}
