//! Command lines that are wrong: what about them is, in this program's words, and what was probably meant.

use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use crate::console::shown;
use crate::hints::quoted;

/// Flags of other programs, and what does their work here: this program's flag, or a sentence.
const FLAGS: [(&[&str], &str); 14] = [
    (
        &["--verbose", "-v"],
        "Progress is shown unless --quiet is given. --version tells the version.",
    ),
    (
        &["--input", "--in", "--image", "--photo", "--file"],
        "What to dream on needs no flag: give its name alone.",
    ),
    (&["--layers"], "--layer"),
    (&["--network", "--net", "--weights"], "--model"),
    (&["--overwrite", "--replace", "--yes", "-y"], "--force"),
    (&["--width", "--height", "--resolution", "--max-size", "--scale"], "--size"),
    (&["--steps", "--iter", "--iters", "-n"], "--iterations"),
    (&["--learning-rate", "--lr", "--step-size"], "--step"),
    (&["--jobs", "--workers", "-j"], "--threads"),
    (
        &["--gpu", "--cuda", "--device"],
        "The program runs on the processor. --threads limits how much of it.",
    ),
    (&["--out", "--outdir", "--output-dir", "--dir"], "--output"),
    (&["--config"], "--recipe"),
    (&["--duration", "--length", "--frames"], "--seconds"),
    (&["--framerate", "--frame-rate"], "--fps"),
];

/// Words that people try as commands, and the command.
const COMMANDS: [(&[&str], &str); 6] = [
    (&["version"], "--version"),
    (&["dream", "run", "photo", "picture", "img"], "image"),
    (&["list", "ls"], "models"),
    (&["download", "pull", "fetch", "install"], "models pull"),
    (&["add", "import"], "models add"),
    (&["gif", "animate"], "zoom"),
];

/// The arguments that ask for help: of the command they name, whatever else is wrong with them.
pub(crate) fn asks_for_help(args: &[String], cli: &Command) -> Option<Vec<String>> {
    let args = &args[..args.iter().position(|arg| arg == "--").unwrap_or(args.len())];
    let path = path(args, cli);
    let word = args.get(path.len()).is_some_and(|arg| arg == "help");
    let asks = word || args.iter().any(|arg| arg == "--help" || arg == "-h");
    asks.then_some(path)
}

/// What is wrong with these arguments, and each way out on a line of its own.
pub(crate) fn text(error: &clap::Error, args: &[String], cli: &Command) -> String {
    let path = path(args, cli);
    let command =
        path.iter().fold(cli, |command, name| command.find_subcommand(name).unwrap_or(command));
    let value = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" and "),
        _ => String::new(),
    };
    // As clap spells arguments: `[PICTURE]...`, `<--activation <FILE>|--gradient <FILE>>`.
    let plain = |text: String| {
        text.replace("...", "").replace('|', " or ").replace(['<', '>', '[', ']'], "")
    };
    let (arg, given) = (plain(value(ContextKind::InvalidArg)), value(ContextKind::InvalidValue));
    let flag = arg.split([' ', '=']).next().unwrap_or_default();
    let whole = [&["deepdream".to_owned()], path.as_slice()].concat().join(" ");
    let mut hints = Vec::new();
    let what = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = value(ContextKind::InvalidSubcommand);
            hints.extend(meant_command(&word, &whole, path.is_empty()));
            if hints.is_empty() {
                let similar = error.get(ContextKind::SuggestedSubcommand);
                hints.extend(
                    similar.and_then(best).map(|name| format!("Did you mean `{whole} {name}`?")),
                );
            }
            format!("there is no command `{}`", [&path[..], &[word]].concat().join(" "))
        }
        ErrorKind::UnknownArgument => {
            let similar = error.get(ContextKind::SuggestedArg).and_then(best);
            hints.extend(meant_flag(&arg, command, &path, cli, similar));
            match arg.starts_with('-') {
                true => format!("`{whole}` has no flag {flag}"),
                false => format!("`{whole}` has no use for `{arg}`"),
            }
        }
        ErrorKind::InvalidValue if given.is_empty() => format!("{arg} needs a value"),
        ErrorKind::InvalidValue => {
            let similar = error.get(ContextKind::SuggestedValue).and_then(best);
            hints.extend(similar.map(|value| format!("Did you mean `{value}`?")));
            match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(all)) => {
                    format!("could not use `{given}` for {flag}: choose {}", one_of(all))
                }
                _ => format!("could not use `{given}` for {flag}"),
            }
        }
        ErrorKind::ValueValidation => {
            if flag.starts_with('-') && Path::new(&given).is_file() {
                hints.push("A picture needs no flag: give its name alone.".to_owned());
            }
            let why = std::error::Error::source(error).map(|why| format!(": {why}"));
            format!("could not use `{given}` for {flag}{}", why.unwrap_or_default())
        }
        ErrorKind::MissingRequiredArgument => format!("`{whole}` needs {arg}"),
        ErrorKind::ArgumentConflict => {
            let other = plain(value(ContextKind::PriorArg));
            let other = other.split(' ').next().unwrap_or_default();
            match flag == other {
                true => format!("{flag} can be given only once"),
                false => format!("{flag} and {other} cannot go together: leave one out"),
            }
        }
        ErrorKind::MissingSubcommand => format!("`{whole}` needs a command"),
        _ => {
            let text = error.to_string();
            text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    };
    hints.push(match path.as_slice() {
        [] => "`deepdream --help` lists the commands.".to_owned(),
        _ => format!("`{whole} --help` explains it."),
    });
    let hints: String = hints.into_iter().map(|hint| format!("\n  {hint}")).collect();
    shown(&format!("deepdream: {what}{hints}"))
}

/// The commands that the arguments name, the outer one first.
fn path(args: &[String], cli: &Command) -> Vec<String> {
    let (mut path, mut command) = (Vec::new(), cli);
    for arg in args {
        let Some(inner) = command.find_subcommand(arg) else { break };
        path.push(inner.get_name().to_owned());
        command = inner;
    }
    path
}

/// What was probably meant by a word that is no command.
fn meant_command(word: &str, whole: &str, outermost: bool) -> Option<String> {
    if let Some((_, name)) = COMMANDS.iter().find(|(words, _)| words.contains(&word)) {
        return outermost.then(|| format!("Did you mean `deepdream {name}`?"));
    }
    let path = Path::new(word);
    let name = quoted(path);
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let command = match ending.as_str() {
        _ if !outermost => return None,
        _ if path.is_dir() => {
            return Some(format!(
                "To continue a folder of frames: `{whole} frames {name}`. To make a movie of them: \
                 `{whole} movie {name}`."
            ));
        }
        "png" | "jpg" | "jpeg" | "webp" | "tif" | "tiff" | "bmp" | "heic" | "avif" => "image",
        "mp4" | "mov" | "mkv" | "webm" | "avi" | "m4v" | "mpg" | "mpeg" | "gif" | "ts" => "video",
        "pb" | "caffemodel" | "prototxt" | "onnx" | "pth" | "pt" | "ckpt" | "safetensors" => {
            "layers --model"
        }
        "toml" => "image PICTURE --recipe",
        _ => return None,
    };
    Some(format!("A command comes first: `{whole} {command} {name}`."))
}

/// What was probably meant by a flag that the command does not have.
fn meant_flag(
    arg: &str,
    command: &Command,
    path: &[String],
    cli: &Command,
    similar: Option<String>,
) -> Option<String> {
    let flag = arg.split('=').next().unwrap_or(arg);
    if let Some((_, meant)) = FLAGS.iter().find(|(words, _)| words.contains(&flag)) {
        if !meant.starts_with("--") || meant.contains(' ') {
            return Some((*meant).to_owned());
        }
        if command.get_arguments().any(|known| is(known, meant)) {
            return Some(match (flag, *meant) {
                ("--layers", _) => {
                    "Repeat --layer for several: --layer NAME --layer NAME.".to_owned()
                }
                (_, "--size") => "--size sets the longest side; the shape stays.".to_owned(),
                _ => format!("Did you mean {meant}?"),
            });
        }
    }
    let owners: Vec<&str> = cli
        .get_subcommands()
        .filter(|command| command.get_arguments().any(|known| is(known, flag)))
        .map(Command::get_name)
        .collect();
    match (path, owners.as_slice()) {
        ([], [first, ..]) => Some(format!("A command comes first: `deepdream {first} … {flag}`.")),
        (_, []) => similar.map(|flag| format!("Did you mean {flag}?")),
        (_, owners) => {
            let owners: Vec<String> =
                owners.iter().map(|name| format!("`deepdream {name}`")).collect();
            Some(format!("{flag} is a flag of {}.", owners.join(", ")))
        }
    }
}

fn is(known: &Arg, flag: &str) -> bool {
    let short = known.get_short().is_some_and(|short| flag == format!("-{short}"));
    short || known.get_long().is_some_and(|long| flag.strip_prefix("--") == Some(long))
}

/// The likeliest of clap's suggestions, which is its last.
fn best(suggested: &ContextValue) -> Option<String> {
    match suggested {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.last().cloned(),
        _ => None,
    }
}

fn one_of(all: &[String]) -> String {
    match all {
        [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        all => all.join(", "),
    }
}
