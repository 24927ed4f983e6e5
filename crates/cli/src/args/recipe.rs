//! From flags to a recipe: a base, and what the user changes of it.

use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use deepdream::{DreamRequest, Edit, GivenFiles, Preset, RecipeRequest, RecipeSource, Result};

use super::{
    GuideArg, MachineArgs, MaskArg, NetworkArgs, ObjectiveArgs, anchor, any_whole, longest_side,
    number, whole,
};
use crate::complete;

/// Arguments that make a recipe.
#[derive(Debug, Args)]
pub(crate) struct RecipeArgs {
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    objective: ObjectiveArgs,

    /// Dream in the forms of this picture: its strokes, petals or ornaments. Without --layer, the layer that
    /// suits guides best is used. NAME names the guide in the recipe. Repeat the flag for several guides.
    /// Default: no guide.
    #[arg(long = "guide", value_name = "[NAME=]FILE", value_parser = GuideArg::parse)]
    #[arg(help_heading = "Recipe")]
    guides: Vec<GuideArg>,
    /// Dream only where this picture is white, and less where it is grey. With a colour, dream only where the
    /// picture has that colour. Every other pixel keeps its value. A video may have a folder or a video with one
    /// mask for each frame. NAME names the region for --layer and --class. Repeat the flag for several regions.
    /// Default: the whole picture.
    #[arg(long = "mask", value_name = "[NAME=]FILE[#RRGGBB]", value_parser = MaskArg::parse)]
    #[arg(help_heading = "Recipe")]
    masks: Vec<MaskArg>,
    /// Start from the recipe in this TOML file, dreamt picture, movie or folder of frames. Other flags change it.
    #[arg(short, long, value_name = "FILE", help_heading = "Recipe")]
    recipe: Option<PathBuf>,
    /// A look: `figures` for whole figures in clean colours, `visualise` for what a layer is about by
    /// itself (with --noise), `classic` for the default of version 0.2, or the rules of a known program;
    /// `deepdream presets` says more. With --recipe, the recipe's layers, seed and size stay. Default: figures.
    #[arg(short, long, value_name = "NAME", help_heading = "Recipe")]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(Preset::ALL.map(Preset::name)))]
    preset: Option<String>,
    /// Longest side of the dream in pixels. Default: the picture's own size.
    #[arg(short, long, value_name = "PIXELS", help_heading = "Recipe")]
    #[arg(value_parser = longest_side, allow_negative_numbers = true)]
    size: Option<u32>,
    /// How many sizes of the picture to dream on, from small up to the anchor. Default: the preset's
    /// (figures: 5).
    #[arg(long, value_name = "N", help_heading = "Recipe")]
    #[arg(value_parser = any_whole, allow_negative_numbers = true)]
    octaves: Option<u32>,
    /// Longest side, in pixels, at which figures are laid out; `full` for the dream's full size. A larger
    /// dream gets more octaves above it, and keeps the figures: the smaller the anchor, the larger they
    /// are. Default: 640 (the presets of other programs: full).
    #[arg(long, value_name = "PIXELS", help_heading = "Recipe")]
    #[arg(value_parser = anchor, allow_negative_numbers = true)]
    anchor: Option<String>,
    /// How many times larger each octave is than the one before. Default: the preset's (figures: 1.4).
    #[arg(long, value_name = "FACTOR", help_heading = "Recipe")]
    #[arg(value_parser = number::<f32>, allow_negative_numbers = true)]
    octave_scale: Option<f32>,
    /// Steps on each octave. Default: the preset's (figures: 15, and 30 on noise).
    #[arg(short, long, value_name = "N", help_heading = "Recipe")]
    #[arg(value_parser = any_whole, allow_negative_numbers = true)]
    iterations: Option<u32>,
    /// How far each step goes: on a spectrum 0.02 to 0.1, on pixels in values of 0–255. Default: the
    /// preset's (figures: 0.04, classic: 1.1).
    #[arg(long, value_name = "VALUES", help_heading = "Recipe")]
    #[arg(value_parser = number::<f32>, allow_negative_numbers = true)]
    step: Option<f32>,
    /// How much dream: 0 is the picture, 0.5 half a dream, 1 a whole one, 2 two of them one upon the other,
    /// up to 10. It changes how many steps are taken, and so the time. Default: 1.
    #[arg(long, value_name = "DREAMS", help_heading = "Recipe")]
    #[arg(value_parser = number::<f32>, allow_negative_numbers = true)]
    strength: Option<f32>,
    /// How much of the dream is mixed with the picture at the end: 0.5 shows half of both, 1 the dream,
    /// 1.5 more than was dreamt. Default: 1.
    #[arg(long, value_name = "SHARE", help_heading = "Recipe")]
    #[arg(value_parser = number::<f32>, allow_negative_numbers = true)]
    mix: Option<f32>,
    /// Keep the picture's colours: the dream changes only how bright things are.
    #[arg(long, alias = "keep-colors", help_heading = "Recipe")]
    keep_colours: bool,
    /// Whether the network sees the picture `whole` or in tiles: `exact` tiles give the dream of the whole
    /// picture but for rounding, in less memory and more time; `rolled` and `scattered` are those of other
    /// programs. Default: the preset's (figures: whole), and exact where the whole does not fit in memory.
    #[arg(long, value_name = "KIND", help_heading = "Recipe")]
    #[arg(value_parser = ["whole", "exact", "rolled", "scattered"])]
    tiles: Option<String>,
    /// How many pixels each step may shift the picture by. Default: the preset's (figures: 32).
    #[arg(long, value_name = "PIXELS", help_heading = "Recipe")]
    #[arg(value_parser = any_whole, allow_negative_numbers = true)]
    jitter: Option<u32>,
    /// Seed of everything random: the same seed gives the same dream. Default: 0, or the recipe's.
    #[arg(long, value_name = "N", help_heading = "Recipe")]
    #[arg(value_parser = whole::<u64>(0..=i64::MAX as u64), allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Set any field of the recipe, such as octaves.detail=replace. Repeat it for several. VALUE is TOML;
    /// a word needs no quotation marks. This has the last word over all other flags. `deepdream recipe
    /// --fields` lists the fields.
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = str::parse::<Edit>, help_heading = "Recipe")]
    #[arg(add = ArgValueCompleter::new(complete::settings))]
    edits: Vec<Edit>,
}

impl RecipeArgs {
    /// The request that the flags fill; `more` are the command's own edits.
    ///
    /// # Errors
    /// Two guides or two masks of one name.
    pub(crate) fn request(
        &self,
        machine: &MachineArgs,
        more: impl FnOnce(&mut RecipeRequest),
    ) -> Result<DreamRequest> {
        let preset = self.preset.as_deref().and_then(|name| name.parse().ok());
        let base = self.recipe.clone().map(RecipeSource::File);
        let mut recipe =
            RecipeRequest { base, preset, terms: self.objective.terms(), edits: Vec::new() };
        let mut files = GivenFiles::default();
        for (guide, number) in self.guides.iter().zip(1..) {
            guide.edit(number, &mut files)?;
        }
        for mask in &self.masks {
            mask.edit(&mut recipe, &mut files)?;
        }
        for (path, value) in [
            ("size", text(&self.size)),
            ("octaves.count", text(&self.octaves)),
            ("octaves.anchor", text(&self.anchor)),
            ("octaves.scale", text(&self.octave_scale)),
            ("ascent.iterations", text(&self.iterations)),
            ("ascent.step", text(&self.step)),
            ("tiles", text(&self.tiles)),
            ("ascent.jitter", text(&self.jitter)),
            ("ascent.strength", text(&self.strength)),
            ("finish.mix", text(&self.mix)),
            ("ascent.chroma", self.keep_colours.then(|| "0".to_owned())),
            ("seed", text(&self.seed)),
        ] {
            if let Some(value) = value {
                recipe.set(path, value);
            }
        }
        more(&mut recipe);
        recipe.edits.extend(self.edits.iter().cloned());
        Ok(DreamRequest {
            network: self.network.choice(),
            recipe,
            files,
            limits: machine.limits(),
            previews: None,
        })
    }
}

/// What was typed for a flag, as the recipe reads it.
fn text(value: &Option<impl ToString>) -> Option<String> {
    value.as_ref().map(ToString::to_string)
}
