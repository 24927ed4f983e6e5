//! Completions: what may stand where the cursor is. Networks, layers, classes and settings are looked up when
//! they are asked for, since they depend on what is installed and on which network the line names.

use std::ffi::{OsStr, OsString};

use clap::CommandFactory;
use clap_complete::CompleteEnv;
use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};
use clap_complete::env::Shells;
use deepdream::models::{BUILT_IN, Store, catalogue};
use deepdream::{Network, NetworkChoice, Recipe};

use crate::cli::Cli;

/// The variable by which a shell asks for completions.
const VARIABLE: &str = "DEEPDREAM_COMPLETE";

/// Answers a shell that asks for completions, and ends the process; returns if none does.
pub(crate) fn answer() {
    CompleteEnv::with_factory(Cli::command).var(VARIABLE).complete();
}

/// The script that has a shell ask this program.
pub(crate) fn script(shell: &str) -> std::io::Result<Vec<u8>> {
    let mut script = Vec::new();
    if let Some(shell) = Shells::builtins().completer(shell) {
        shell.write_registration(VARIABLE, "deepdream", "deepdream", "deepdream", &mut script)?;
    }
    Ok(script)
}

/// Networks by name, and files.
pub(crate) fn networks(current: &OsStr) -> Vec<CompletionCandidate> {
    let text = current.to_string_lossy();
    let installed = Store::open().and_then(|store| store.installed()).unwrap_or_default();
    let is_there = |name: &str| name == BUILT_IN || installed.iter().any(|one| one == name);
    let known = catalogue().iter().map(|network| network.name).filter(|name| is_there(name));
    let added = installed.iter().map(String::as_str);
    let mut names: Vec<&str> = known.chain(added).filter(|name| name.starts_with(&*text)).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(CompletionCandidate::new)
        .chain(PathCompleter::file().complete(current))
        .collect()
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
    let Some(network) = network() else { return Vec::new() };
    let layers = deepdream::layers(&network);
    let fitting = layers.iter().filter(|layer| layer.name.starts_with(&*text));
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
    let Some(network) = network() else { return Vec::new() };
    let short = |label: &str| label.split(',').next().unwrap_or_default().trim().replace(' ', "_");
    let names: Vec<String> = network.labels.iter().map(|label| short(label)).collect();
    let mut found = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let alone = names.iter().filter(|other| other.eq_ignore_ascii_case(name)).count() == 1;
        let value = if alone { name.clone() } else { number.to_string() };
        let fits = name.to_lowercase().starts_with(&text) || number.to_string() == text;
        if fits && !name.is_empty() {
            found.push(candidate(&value, &network.labels[number]));
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

/// The network that the line names, or else the default one.
fn network() -> Option<Network> {
    let choice = named(&std::env::args_os().skip(1).collect::<Vec<_>>());
    choice.map_or(NetworkChoice::Default, NetworkChoice::Named).load().ok()
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
