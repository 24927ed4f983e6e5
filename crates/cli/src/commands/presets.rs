//! `presets`: what a dream can start from.

use clap::Args;
use deepdream::{PresetInfo, Result};

use crate::console::{self, print};

/// Arguments of `presets`.
#[derive(Debug, Args)]
pub(crate) struct PresetsArgs {
    /// Answer in JSON, with all settings.
    #[arg(long)]
    json: bool,
}

/// Lists the presets.
pub(crate) fn presets(args: &PresetsArgs) -> Result<()> {
    let presets = deepdream::presets();
    if args.json {
        return console::json(&presets);
    }
    let width = presets.iter().map(|preset| preset.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for PresetInfo { name, about, recipe } in &presets {
        let (octaves, ascent) = (&recipe.octaves, &recipe.ascent);
        let counted = match octaves.count {
            1 => "1 octave".to_owned(),
            count => format!("{count} octaves × {:.3}", octaves.scale),
        };
        let counted = counted.trim_end_matches('0').trim_end_matches('.');
        text += &format!("{name:width$}  {about}\n");
        text += &format!(
            "{:width$}  {counted}, {} steps of {} on each\n",
            "", ascent.iterations, ascent.step
        );
    }
    text += "`deepdream recipe --preset NAME` shows every setting of one.\n";
    print(text)
}
