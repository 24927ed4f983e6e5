//! Completions: what may stand where the cursor is. Networks, layers, classes and settings are looked up when
//! they are asked for, since they depend on what is installed and on which network the line names.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::CompleteEnv;
use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh};
use deepdream::models::{BUILT_IN, Store, catalogue};
use deepdream::{NetworkChoice, NetworkNames, Recipe};

use crate::cli::Cli;

/// The variable by which a shell asks for completions.
const VARIABLE: &str = "DEEPDREAM_COMPLETE";

/// What completions are written for.
const SHELLS: Shells<'static> = Shells(&[&OwnBash, &Elvish, &Fish, &Powershell, &Zsh]);

/// bash, whose words are taken apart at `=` and `:` and whose answers are inserted as they are: the script puts
/// the words together again, and quotes the answers.
struct OwnBash;

impl EnvCompleter for OwnBash {
    fn name(&self) -> &'static str {
        Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        Bash.is(name)
    }

    fn write_registration(
        &self,
        _: &str,
        _: &str,
        _: &str,
        _: &str,
        script: &mut dyn Write,
    ) -> io::Result<()> {
        script.write_all(include_bytes!("complete.bash"))
    }

    fn write_complete(
        &self,
        cli: &mut Command,
        words: Vec<OsString>,
        folder: Option<&Path>,
        answers: &mut dyn Write,
    ) -> io::Result<()> {
        Bash.write_complete(cli, words, folder, answers)
    }
}

/// Answers a shell that asks for completions, and ends the process; returns if none does.
pub(crate) fn answer() {
    CompleteEnv::with_factory(Cli::command).var(VARIABLE).shells(SHELLS).complete();
}

/// The script that has a shell ask this program.
pub(crate) fn script(shell: &str) -> io::Result<Vec<u8>> {
    let mut script = Vec::new();
    if let Some(shell) = SHELLS.completer(shell) {
        shell.write_registration(VARIABLE, "deepdream", "deepdream", "deepdream", &mut script)?;
    }
    Ok(script)
}

/// Networks by name, and files.
pub(crate) fn networks(current: &OsStr) -> Vec<CompletionCandidate> {
    let files = PathCompleter::file().complete(current);
    usable_networks(current).into_iter().chain(files).collect()
}

/// The built-in network and those that are installed.
pub(crate) fn usable_networks(current: &OsStr) -> Vec<CompletionCandidate> {
    let built_in = CompletionCandidate::new(BUILT_IN);
    let built_in = BUILT_IN.starts_with(&*current.to_string_lossy()).then_some(built_in);
    built_in.into_iter().chain(installed_networks(current)).collect()
}

/// The networks that are installed.
pub(crate) fn installed_networks(current: &OsStr) -> Vec<CompletionCandidate> {
    let text = current.to_string_lossy();
    let installed = Store::open().and_then(|store| store.installed()).unwrap_or_default();
    let fitting = installed.into_iter().filter(|name| name.starts_with(&*text));
    fitting.map(CompletionCandidate::new).collect()
}

/// Networks that can be downloaded.
pub(crate) fn known_networks(current: &OsStr) -> Vec<CompletionCandidate> {
    let text = current.to_string_lossy();
    let known = catalogue().iter().filter(|network| network.name.starts_with(&*text));
    known.map(|network| candidate(network.name, network.description)).collect()
}

/// Layers of the network that the line names.
pub(crate) fn layers(current: &OsStr) -> Vec<CompletionCandidate> {
    let text = current.to_string_lossy();
    let Some(names) = names() else { return Vec::new() };
    let fitting = names.layers.iter().filter(|layer| layer.name.starts_with(&*text));
    fitting
        .map(|layer| {
            let mark = match (layer.default, layer.worth_trying) {
                (true, _) => ", default",
                (false, true) => ", worth trying",
                (false, false) => "",
            };
            candidate(&layer.name, &format!("{} channels{mark}", layer.channels))
        })
        .collect()
}

/// Classes of the network that the line names, by their shortest names or, where these are not alone, by
/// number. Names have `_` in the place of spaces, which not every shell quotes.
pub(crate) fn classes(current: &OsStr) -> Vec<CompletionCandidate> {
    let text = current.to_string_lossy().to_lowercase().replace(' ', "_");
    let Some(NetworkNames { labels, .. }) = names() else { return Vec::new() };
    let short = |label: &str| label.split(',').next().unwrap_or_default().trim().replace(' ', "_");
    let names: Vec<String> = labels.iter().map(|label| short(label)).collect();
    let mut found = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let alone = names.iter().filter(|other| other.eq_ignore_ascii_case(name)).count() == 1;
        let value = if alone { name.clone() } else { number.to_string() };
        let fits = name.to_lowercase().starts_with(&text) || number.to_string() == text;
        if fits && !name.is_empty() {
            found.push(candidate(&value, &labels[number]));
        }
    }
    found
}

/// Settings of a recipe and, behind `=`, the words that one may be.
pub(crate) fn settings(current: &OsStr) -> Vec<CompletionCandidate> {
    let text = current.to_string_lossy();
    let settings = Recipe::settings();
    if let Some((path, word)) = text.split_once('=') {
        let choices = settings.iter().find(|setting| setting.path == path);
        let choices = choices.map(|setting| setting.choices).unwrap_or_default();
        let fitting = choices.iter().filter(|choice| choice.starts_with(word));
        return fitting.map(|choice| candidate(&format!("{path}={choice}"), "")).collect();
    }
    let fitting = settings.iter().filter(|setting| setting.path.starts_with(&*text));
    fitting.map(|setting| candidate(&format!("{}=", setting.path), &setting.about)).collect()
}

fn candidate(value: &str, help: &str) -> CompletionCandidate {
    let help = Some(help).filter(|help| !help.is_empty());
    CompletionCandidate::new(value).help(help.map(|help| help.to_owned().into()))
}

/// What can be named of the network that the line names, or else of the default one; `None` where that is not
/// known without opening it, which takes long.
fn names() -> Option<NetworkNames> {
    let choice = named(&std::env::args_os().skip(1).collect::<Vec<_>>());
    choice.map_or(NetworkChoice::Default, NetworkChoice::Named).names()
}

/// What a command line has behind `--model`.
pub(crate) fn named(args: &[OsString]) -> Option<String> {
    let mut args = args.iter().map(|arg| arg.to_string_lossy());
    let mut named = None;
    while let Some(arg) = args.next() {
        named = match arg.as_ref() {
            "-m" | "--model" => args.next().map(|name| name.into_owned()),
            arg => {
                let joined = arg.strip_prefix("--model=");
                let joined = joined.or(arg.strip_prefix("-m").filter(|_| !arg.starts_with("--")));
                joined.map(str::to_owned).or(named)
            }
        };
    }
    named.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(candidates: Vec<CompletionCandidate>) -> Vec<String> {
        let text = |one: &CompletionCandidate| one.get_value().to_string_lossy().into_owned();
        candidates.iter().map(text).collect()
    }

    #[test]
    fn the_network_is_the_one_that_the_line_names() {
        let of = |line: &str| named(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        for line in ["image -m vgg16 a.png", "image --model=vgg16 -l", "image -mvgg16"] {
            assert_eq!(of(line).as_deref(), Some("vgg16"), "{line}");
        }
        assert_eq!(of("image a.png --mask m.png"), None);
        assert_eq!(of("image -m"), None);
    }

    #[test]
    fn settings_and_their_words_are_offered() {
        assert!(values(settings(OsStr::new("octaves.c"))).contains(&"octaves.count=".to_owned()));
        let words = values(settings(OsStr::new("octaves.detail=re")));
        assert_eq!(words, ["octaves.detail=reinject", "octaves.detail=replace"]);
        assert!(values(known_networks(OsStr::new("vgg1"))).contains(&"vgg16".to_owned()));
    }
}
