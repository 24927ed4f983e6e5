//! `recipe`: shows, changes and compares recipes.

use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use deepdream::{
    Change, Edit, Error, Fault, Preset, Recipe, RecipeRequest, RecipeSource, Result, Setting,
};
use serde::Serialize;

use crate::args::NetworkArgs;
use crate::complete;
use crate::console::{self, print, say};

/// Arguments of `recipe`.
#[derive(Debug, Args)]
pub(crate) struct RecipeCommandArgs {
    /// A dreamt picture or movie, a folder of frames, or a recipe's TOML file. Default: the recipe that the
    /// network has by itself.
    file: Option<PathBuf>,
    /// Say in which settings this second recipe differs from the first.
    #[arg(value_name = "OTHER", conflicts_with = "compare")]
    other: Option<PathBuf>,
    /// The same as OTHER.
    #[arg(long, value_name = "OTHER", requires = "file")]
    compare: Option<PathBuf>,
    /// Change a field, such as octaves.count=6. Repeat it for several.
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = str::parse::<Edit>)]
    #[arg(add = ArgValueCompleter::new(complete::settings))]
    edits: Vec<Edit>,
    /// Give it the rules of a preset; its layers, seed and size stay. Default: its own.
    #[arg(short, long, value_name = "NAME")]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(Preset::ALL.map(Preset::name)))]
    preset: Option<String>,
    /// List the fields of recipes instead, or those of a group such as `octaves`: what each is, its default, and
    /// what it may be.
    #[arg(long, value_name = "GROUP", num_args = 0..=1, default_missing_value = "")]
    #[arg(conflicts_with_all = ["file", "edits", "preset", "output", "model"])]
    fields: Option<String>,
    /// Write the recipe to this TOML file. Default: print it.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    #[arg(conflicts_with_all = ["other", "compare"])]
    output: Option<PathBuf>,
    /// Replace a file that exists already. Default: stop with an error.
    #[arg(short, long, help_heading = "Output")]
    force: bool,
    /// Answer in JSON.
    #[arg(long, help_heading = "Output", conflicts_with = "output")]
    json: bool,
    #[command(flatten)]
    network: NetworkArgs,
}

/// Shows, changes or compares.
pub(crate) fn recipe(args: &RecipeCommandArgs) -> Result<()> {
    if let Some(group) = &args.fields {
        return fields(group, args.json);
    }
    let read = |file: &PathBuf| RecipeSource::File(file.clone());
    let request = RecipeRequest {
        base: args.file.as_ref().map(read),
        preset: args.preset.as_deref().and_then(|name| name.parse().ok()),
        edits: args.edits.clone(),
        ..RecipeRequest::default()
    };
    let network = args.network.choice();
    let recipe = deepdream::recipe(&request, &network)?;
    if let Some(other) = args.other.as_ref().or(args.compare.as_ref()) {
        let request = RecipeRequest { base: Some(read(other)), ..RecipeRequest::default() };
        let changes = deepdream::recipe(&request, &network)?.changes(&recipe);
        return if args.json { console::json(&changes) } else { print(compared(&changes)) };
    }
    match &args.output {
        Some(path) => {
            deepdream::write_recipe(&recipe, path, args.file.as_deref(), args.force)?;
            say(format!("wrote {}", path.display()));
            Ok(())
        }
        None if args.json => console::json(&recipe),
        None => print(recipe.to_toml()),
    }
}

fn compared(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "the recipes are the same\n".to_owned();
    }
    let width = changes.iter().map(|change| change.setting.chars().count()).max().unwrap_or(0);
    let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
    let line = |Change { setting, before, after }: &Change| {
        format!("{setting:width$}  {} → {}\n", word(before), word(after))
    };
    changes.iter().map(line).collect()
}

/// A field, for scripts.
#[derive(Serialize)]
struct Field {
    field: String,
    about: String,
    default: String,
    choices: &'static [&'static str],
    in_keyframes: bool,
}

/// Lists the fields whose paths begin with `group`.
fn fields(group: &str, json: bool) -> Result<()> {
    let mut fields = Recipe::settings();
    fields.retain(|field| field.path.starts_with(group));
    if fields.is_empty() {
        let what = format!("there are no fields that begin with `{group}`");
        return Err(Error::new(Fault::Usage, what).hint("--fields alone lists them all."));
    }
    if !json {
        return print(fields.iter().map(field).collect::<String>());
    }
    let all = fields.into_iter().map(|setting| {
        let Setting { path: field, about, default, choices, in_keyframes, .. } = setting;
        Field { field, about, default, choices, in_keyframes }
    });
    console::json(&all.collect::<Vec<_>>())
}

fn field(Setting { path, about, default, choices, .. }: &Setting) -> String {
    let choices = match choices {
        [] => String::new(),
        choices => format!(" One of: {}.", choices.join(", ")),
    };
    format!("{path}\n    {about}{choices} Default: {default}.\n")
}
