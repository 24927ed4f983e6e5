//! `check`: whether this machine's fast kernels compute what plain loops do.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use deepdream::{CheckJob, CheckReport, ComparedLayer, Result};

use crate::args::{MachineArgs, NetworkArgs, longest_side, whole};
use crate::console::{self, print};
use crate::terminal;
use crate::units::counted;

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The picture to dream on. Default: noise.
    #[arg(value_name = "PICTURE")]
    picture: Option<PathBuf>,
    /// The layer to dream on. Repeat it for several. It and all layers before it are compared.
    /// Default: the layers chosen for the network.
    #[arg(short, long = "layer", value_name = "NAME")]
    layers: Vec<String>,
    /// The most pixels of the dream's longest side; plain loops are slow. Default: 224.
    #[arg(short, long, value_name = "PIXELS", default_value_t = 224, hide_default_value = true)]
    #[arg(value_parser = longest_side, allow_negative_numbers = true)]
    size: u32,
    /// How many of the dream's steps to compare, evenly spread and with the last among them. Default: 3.
    #[arg(long, value_name = "N", default_value_t = 3, hide_default_value = true)]
    #[arg(value_parser = whole::<u32>(1..=1000), allow_negative_numbers = true)]
    steps: u32,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// Dreams, and compares.
pub(crate) fn check(args: &CheckArgs) -> Result<()> {
    let job = CheckJob {
        picture: args.picture.clone(),
        layers: args.layers.clone(),
        longest: args.size,
        steps: args.steps,
        network: args.network.choice(),
        limits: args.machine.limits(),
    };
    // The answer is the table; a log has no need of lines about the dream.
    let quiet = !std::io::stderr().is_terminal();
    let report = terminal::run(quiet, |events, cancel| job.run(events, cancel))?;
    if args.json {
        console::json(&report)?;
    } else {
        print(text(&report))?;
    }
    report.verdict()
}

fn text(report: &CheckReport) -> String {
    let CheckReport { model, picture, width, height, threads, level, compared, .. } = report;
    let steps: Vec<String> = report.steps.iter().map(u64::to_string).collect();
    let word = if steps.len() == 1 { "step" } else { "steps" };
    let (activation, gradient) = (report.activation_bound, report.gradient_bound);
    let bounds = format!("activation {activation:.0e}, gradient {gradient:.0e}");
    let rows = [
        ("network", format!("{model}, {}", report.layers.join(", "))),
        ("dream", format!("{picture}, {width}×{height}, after {word} {}", steps.join(", "))),
        ("machine", format!("{}, {level} against scalar", counted(*threads as u64, "thread"))),
        ("bounds", format!("{bounds} (relative error in L2)")),
    ];
    let mut text: String = rows.iter().map(|(name, value)| format!("{name:8} {value}\n")).collect();
    let wide = compared.iter().map(|line| line.layer.chars().count()).max().unwrap_or(0).max(5);
    text += &format!("\n{:wide$}  forward       backward      activation  gradient\n", "layer");
    for line in compared {
        let ComparedLayer { layer, activation_error, gradient_error, agrees, .. } = line;
        let (forward, backward) = (line.forward.unwrap_or("-"), line.backward.unwrap_or("-"));
        let mark = if *agrees { "" } else { "  differs" };
        text += &format!(
            "{layer:wide$}  {forward:12}  {backward:12}  {activation_error:10.1e}  \
             {gradient_error:8.1e}{mark}\n"
        );
    }
    if report.agrees {
        text += &match compared.len() {
            1 => "the layer agrees\n".to_owned(),
            count => format!("all {count} layers agree\n"),
        };
    }
    text
}
