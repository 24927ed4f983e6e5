//! `help`: what `--help` says, for those who ask in a word; and what of that depends on the network.

use clap::error::ErrorKind;
use clap::{Args, Command, CommandFactory};
use deepdream::{Error, Fault, NetworkChoice, QUICK, Result};

use crate::args::{DEFAULT_LAYERS, saying};
use crate::cli::Cli;
use crate::console::print;

/// Arguments of `help`.
#[derive(Debug, Args)]
pub(crate) struct HelpArgs {
    /// The command to explain. Default: list all commands.
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

/// Explains a command.
pub(crate) fn help(args: &HelpArgs) -> Result<()> {
    match explained(&args.command, None) {
        Some(answer) => print(answer.to_string()),
        None => {
            let what = format!("there is no command `{}`", args.command.join(" "));
            Err(Error::new(Fault::Usage, what).hint("`deepdream help` lists the commands."))
        }
    }
}

/// The help of a command, with the defaults that the network of this name has, or the default one; `None` if
/// there is no such command.
pub(crate) fn explained(command: &[String], network: Option<String>) -> Option<clap::Error> {
    let asked = ["deepdream"].into_iter().chain(command.iter().map(String::as_str));
    let answer =
        with_defaults(command, network).try_get_matches_from(asked.chain(["--help"])).err()?;
    (answer.kind() == ErrorKind::DisplayHelp).then_some(answer)
}

/// The commands that dream on the default layers where none is named.
const WITH_DEFAULTS: [&str; 4] = ["image", "frames", "zoom", "video"];

/// The command line, whose help says which layers a network has by default for this command. A network that
/// takes long to open is not.
fn with_defaults(command: &[String], network: Option<String>) -> Command {
    let name = command.first().map(String::as_str).filter(|name| WITH_DEFAULTS.contains(name));
    let choice = network.map_or(NetworkChoice::Default, NetworkChoice::Named);
    let known = name.and_then(|name| Some((name, choice.load_within(QUICK)?)));
    let Some((command, network)) = known else { return Cli::command() };
    let terms = deepdream::default_layers(&network);
    let terms: Vec<String> = terms
        .iter()
        .map(|term| match term.weight {
            1.0 => term.to_string(),
            weight => format!("{term}={weight}"),
        })
        .collect();
    let name = &network.name;
    let default = match &terms[..] {
        [] => format!("Default: the layer of {name} that has the most to say about the picture"),
        terms => format!("Default: {} (of {name})", terms.join(" and ")),
    };
    Cli::command().mut_subcommand(command, |command| {
        command.mut_arg("layers", |arg| saying(arg, DEFAULT_LAYERS, &default))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_says_what_the_network_has_by_default() {
        let help = |command: &str| {
            let text = explained(&[command.to_owned()], Some("squeezenet".to_owned())).unwrap();
            text.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        for command in WITH_DEFAULTS {
            let help = help(command);
            assert!(help.contains("fire8/concat") && help.contains("(of squeezenet)"), "{help}");
            assert!(!help.contains(DEFAULT_LAYERS), "{help}");
        }
        // These have defaults of their own.
        let gallery = help("gallery");
        assert!(gallery.contains("Default: every layer"), "{gallery}");
        assert!(gallery.contains("Default: classic on a photo, visualise on noise"), "{gallery}");
        let channels = help("channels");
        assert!(!channels.contains(DEFAULT_LAYERS), "{channels}");
        assert!(channels.contains("Default: classic"), "{channels}");
        assert!(explained(&["nothing".to_owned()], None).is_none());
    }
}
