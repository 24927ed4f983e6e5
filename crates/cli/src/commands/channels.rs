//! `channels`: a layer's channels, ranked by how strongly they answer a photo.

use std::path::PathBuf;

use clap::Args;
use deepdream::{ChannelsJob, Ranking, Result};

use crate::args::{MachineArgs, RecipeArgs, layers_by_default, preset_by_default, whole};
use crate::console::{self, print};
use crate::terminal;

/// Arguments of `channels`.
#[derive(Debug, Args)]
#[command(mut_arg("layers", |arg| layers_by_default(arg, "")))]
#[command(mut_arg("preset", |arg| preset_by_default(arg, "Default: classic")))]
pub(crate) struct ChannelsArgs {
    /// The photo.
    photo: PathBuf,
    /// Rank by the answer at this place alone, right and down in shares of the photo: 0.5,0.5 is its middle.
    /// Default: by the mean over the photo.
    #[arg(long, value_name = "X,Y", value_parser = place)]
    at: Option<[f64; 2]>,
    /// How many channels to list and to show, strongest first.
    #[arg(long, value_name = "N", default_value = "24", value_parser = whole::<u32>(1..=65_536))]
    count: u32,
    /// Answer in JSON, with all channels.
    #[arg(long)]
    json: bool,
    /// Also write a sheet of small dreams on the listed channels.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Replace files that exist already. Default: stop with an error.
    #[arg(short, long, help_heading = "Output")]
    force: bool,
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// Reads a place, for `--at 0.5,0.5`.
fn place(text: &str) -> std::result::Result<[f64; 2], String> {
    let usage = "write two numbers from 0 up to, not including, 1, such as 0.5,0.5";
    let share = |text: &str| text.trim().parse().ok().filter(|share| (0.0..1.0).contains(share));
    let (x, y) = text.split_once(',').ok_or(usage)?;
    Ok([share(x).ok_or(usage)?, share(y).ok_or(usage)?])
}

/// Ranks them.
pub(crate) fn channels(args: &ChannelsArgs) -> Result<()> {
    let job = ChannelsJob {
        photo: args.photo.clone(),
        at: args.at,
        show: args.count,
        output: args.output.clone(),
        overwrite: args.force,
        dream: args.recipe.request(&args.machine, |_| ())?,
    };
    let ranking = terminal::run(args.json, |events, cancel| job.run(events, cancel))?;
    if args.json {
        return console::json(&ranking);
    }
    let Ranking { layer, channels } = &ranking;
    let mut text = format!("{layer}, {} channels\nchannel      answer\n", channels.len());
    for ranked in channels.iter().take(args.count as usize) {
        text += &format!("{:7}  {:10.4}\n", ranked.channel, ranked.answer);
    }
    print(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_shares_of_the_photo() {
        assert_eq!(place("0.5,0.25"), Ok([0.5, 0.25]));
        assert_eq!(place("0, 0.999"), Ok([0.0, 0.999]));
        for wrong in ["", "0.5", "1,0", "-0.1,0", "a,b", "0.5,nan"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
