//! Tests, with or without the folder of files that are too large or not free enough for the repository.

use std::path::PathBuf;

use crate::Outcome;
use crate::process::{Run, answers, cargo, step};
use crate::tally::Tally;

/// The variable that names the folder of test files.
const VARIABLE: &str = "DEEPDREAM_SHARED";

/// What the README has users type.
pub(crate) const COMMAND: &str = "cargo test --release --workspace";

/// The test targets whose results the CPU level decides, but for the program's, most of which are about what it says and
/// keeps.
const COMPUTING: [&str; 5] = ["graph", "cpu", "import", "dream", "jobs"];

/// The tests of the program that look at what it computes.
const OF_NUMBERS: [&str; 3] = ["golden", "numbers", "recipes_0_1"];

/// The folder of test files, if the tests that need it are to run.
pub(crate) struct Shared(Option<PathBuf>);

impl Shared {
    /// Leaves the tests out that need the files.
    pub(crate) fn none() -> Self {
        println!("left out: tests that need the folder of test files or ffmpeg");
        Self(None)
    }

    /// The folder that `DEEPDREAM_SHARED` names, or else `shared` beside the repository.
    pub(crate) fn required() -> Result<Self, String> {
        let folder = std::env::var_os(VARIABLE).map_or_else(|| "../shared".into(), PathBuf::from);
        if !folder.join("golden").is_dir() {
            return Err(format!(
                "there are no test files in {}: put them there, name their folder in {VARIABLE}, or \
                 leave out what needs them with `--without-shared`",
                folder.display()
            ));
        }
        let folder = folder.canonicalize().map_err(|error| error.to_string())?;
        Ok(Self(Some(folder)))
    }
}

/// Runs tests by themselves: with the files if they are there, and says so if not.
pub(crate) fn alone(test: fn(&Shared, &mut Tally) -> Outcome) -> Outcome {
    let shared = Shared::required().unwrap_or_else(|_| Shared::none());
    let mut tally = Tally::default();
    let outcome = test(&shared, &mut tally);
    println!("\n{tally}");
    outcome
}

/// All tests, as the README has them.
pub(crate) fn all(shared: &Shared, tally: &mut Tally) -> Outcome {
    step("tests");
    let words: Vec<&str> = COMMAND.split(' ').collect();
    test(Run::new(words[0], &words[1..]), &[], shared, tally)
}

/// The tests of what is computed, in plain loops.
pub(crate) fn scalar(shared: &Shared, tally: &mut Tally) -> Outcome {
    step("tests at scalar level");
    // Of the whole workspace, as all tests are: for some crates alone, what they depend on would be built anew.
    let scalar = || cargo(&["test", "--release", "--workspace"]).env("DEEPDREAM_CPU", "scalar");
    let targets = COMPUTING.iter().flat_map(|name| ["--test", name]);
    test(scalar().args(["--lib", "--bins"]).args(targets), &[], shared, tally)?;
    test(scalar().args(["--test", "cli"]), &OF_NUMBERS, shared, tally)
}

/// Runs every test there is, or those with one of these words in their names, also after one that failed. Tests that
/// need the files or ffmpeg are `#[ignore]`d: with the folder they run too, and fail if one of its files or ffmpeg is
/// missing.
fn test(mut command: Run, words: &[&str], shared: &Shared, tally: &mut Tally) -> Outcome {
    command = command.args(["--no-fail-fast", "--"]).args(words);
    if let Shared(Some(folder)) = shared {
        command = command.env(VARIABLE, folder).args(["--include-ignored"]);
    }
    command.watch(|line| tally.count(line))
}

/// Sees that ffmpeg is there, with which tests look at movies; on Debian it is installed if it can be.
///
/// # Errors
/// It is missing where the tests are to run that need it.
pub(crate) fn require_ffmpeg(shared: &Shared) -> Outcome {
    if matches!(shared, Shared(None)) {
        return Ok(());
    }
    let there = || answers("ffmpeg", &["-version"]) && answers("ffprobe", &["-version"]);
    if !there() && answers("apt-get", &["--version"]) {
        let install = ["install", "--yes", "--no-install-recommends", "ffmpeg"];
        let installed = Run::new("apt-get", &["update"]).run();
        if let Err(problem) = installed.and_then(|()| Run::new("apt-get", &install).run()) {
            println!("{problem}");
        }
    }
    match there() {
        true => Ok(()),
        false => Err("install ffmpeg: the tests look at movies with it".into()),
    }
}
