//! Running other programs, with their command lines shown.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use crate::Outcome;

/// Says what is done next, and how long all that was done before took.
pub(crate) fn step(name: &str) {
    static START: OnceLock<Instant> = OnceLock::new();
    let seconds = START.get_or_init(Instant::now).elapsed().as_secs();
    println!("\n== {name} (after {}:{:02})", seconds / 60, seconds % 60);
}

/// Makes the root of the repository the current folder.
pub(crate) fn enter_root() -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in the root");
    std::env::set_current_dir(root).map_err(|error| format!("{}: {error}", root.display()))
}

/// A program that is to be run.
pub(crate) struct Run(Command);

/// Cargo, with the toolchain that `rust-toolchain.toml` names.
pub(crate) fn cargo(args: &[&str]) -> Run {
    Run::new("cargo", args)
}

/// Runs a script of `tools`.
pub(crate) fn script(path: &str, args: &[String]) -> Outcome {
    Run::new("bash", &[path]).args(args).run()
}

/// Whether a program is there and answers.
pub(crate) fn answers(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Run {
    pub(crate) fn new(program: &str, args: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(args);
        Self(command)
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn current_dir(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Outcome {
        let shown = self.show();
        let status = self.0.status().map_err(|error| format!("could not run {shown}: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("failed: {shown}")) }
    }

    /// Runs it to its end, and gives what it writes to its standard output.
    pub(crate) fn output(mut self) -> Result<String, String> {
        let shown = self.words();
        let output = self.0.output().map_err(|error| format!("could not run {shown}: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("failed: {shown}\n{said}"));
        }
        String::from_utf8(output.stdout).map_err(|error| format!("{shown}: {error}"))
    }

    /// Runs it to its end, and hands `look` each line of its standard output, which is shown as well.
    pub(crate) fn watch(mut self, mut look: impl FnMut(&str)) -> Outcome {
        let shown = self.show();
        let cannot = |error: std::io::Error| format!("could not run {shown}: {error}");
        let mut child = self.0.stdout(Stdio::piped()).spawn().map_err(cannot)?;
        let mut output = BufReader::new(child.stdout.take().expect("it was asked for"));
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).map_err(cannot)? > 0 {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            println!("{text}");
            look(text);
            line.clear();
        }
        let status = child.wait().map_err(cannot)?;
        if status.success() { Ok(()) } else { Err(format!("failed: {shown}")) }
    }

    /// Shows and returns the command line, with what it adds to the environment.
    fn show(&self) -> String {
        let words = self.words();
        println!("$ {words}");
        words
    }

    fn words(&self) -> String {
        let set = self.0.get_envs().filter_map(|(name, value)| {
            Some(format!("{}={}", name.to_string_lossy(), value?.to_string_lossy()))
        });
        let words = std::iter::once(self.0.get_program()).chain(self.0.get_args());
        let words = words.map(|word| word.to_string_lossy().into_owned());
        set.chain(words).collect::<Vec<_>>().join(" ")
    }
}
