//! `bench`: how fast this machine dreams.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use deepdream::{
    Bench, BenchPart, BenchReport, Result, Size, SteeringCost, SteeringReport, readable_bytes,
};

use crate::args::{MachineArgs, NetworkArgs, size, whole};
use crate::complete;
use crate::console::{self, print};
use crate::terminal;
use crate::units::counted;

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// The layer to dream on. Repeat it for several. Default: the layers of the preset classic.
    #[arg(short, long = "layer", value_name = "NAME")]
    #[arg(add = ArgValueCompleter::new(complete::layers))]
    layers: Vec<String>,
    /// Size of the picture. Default: 640x359.
    #[arg(short, long, value_name = "WIDTHxHEIGHT", default_value = "640x359")]
    #[arg(hide_default_value = true, value_parser = size)]
    size: Size,
    /// Also list how the time is spent, layer by layer.
    #[arg(long = "layers")]
    by_layer: bool,
    /// Measure this instead: `steering`, what each way to steer a dream costs.
    #[arg(long, value_name = "NAME", conflicts_with = "by_layer")]
    suite: Option<Suite>,
    /// How many steps to time. Default: 10.
    #[arg(long, value_name = "N", default_value_t = 10, hide_default_value = true)]
    #[arg(value_parser = whole::<u32>(1..=100_000), allow_negative_numbers = true)]
    rounds: u32,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// What to measure instead of one step.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Suite {
    Steering,
}

/// Measures.
pub(crate) fn bench(args: &BenchArgs) -> Result<()> {
    let bench = Bench {
        layers: args.layers.clone(),
        size: args.size,
        rounds: args.rounds,
        by_layer: args.by_layer,
        network: args.network.choice(),
        limits: args.machine.limits(),
    };
    if let Some(Suite::Steering) = args.suite {
        let report = terminal::run(true, |_, cancel| bench.steering(cancel))?;
        return if args.json { console::json(&report) } else { print(costs(&report)) };
    }
    let report = terminal::run(true, |_, cancel| bench.run(cancel))?;
    if args.json { console::json(&report) } else { print(text(&report)) }
}

fn text(report: &BenchReport) -> String {
    let BenchReport { model, width, height, threads, level, rounds, .. } = report;
    let outside = 100.0 * report.outside_network_ms / report.dream_step_ms;
    let dream = format!("{:.1} ms, {outside:.1} % outside the network", report.dream_step_ms);
    let rows = [
        ("network", format!("{model}, {}", report.layers.join(", "))),
        ("picture", format!("{width}×{height}")),
        ("machine", format!("{}, {level}", counted(*threads as u64, "thread"))),
        ("loading", format!("{:.1} ms", report.load_ms)),
        ("first gradient", format!("{:.1} ms", report.first_gradient_ms)),
        (
            "one step, median",
            format!("{:.1} ms, of {}", report.median_ms, counted(u64::from(*rounds), "step")),
        ),
        ("one step, range", format!("{:.1} to {:.1} ms", report.min_ms, report.max_ms)),
        ("work", format!("{:.2} GFLOP a step", report.gflop)),
        ("speed", format!("{:.1} GFLOP/s", report.gflop_per_second)),
        ("machine's peak", format!("{:.1} GFLOP/s", report.peak_gflop_per_second)),
        ("peak memory", report.peak_memory_bytes.map_or("unknown".into(), readable_bytes)),
        ("a dream's step", dream),
    ];
    let rows = rows.iter().map(|(name, value)| format!("{name:17} {value}\n"));
    rows.chain(table(&report.parts)).chain(table(&report.kernels)).collect()
}

fn costs(report: &SteeringReport) -> String {
    let SteeringReport { model, width, height, threads, level, rounds, .. } = report;
    let heading = format!(
        "{model}, {}, {width}×{height}, {}, {level}, medians of {}\n\n   step ms  outside the network\n",
        report.layers.join(", "),
        counted(*threads as u64, "thread"),
        counted(u64::from(*rounds), "step"),
    );
    let line = |cost: &SteeringCost| {
        let SteeringCost { name, settings, step_ms, outside_network_ms, share } = cost;
        let percent = 100.0 * share;
        format!(
            "{step_ms:10.1} {outside_network_ms:8.1} ms {percent:5.1} %  {name:12}  {}\n",
            settings.join(", ")
        )
    };
    std::iter::once(heading).chain(report.costs.iter().map(line)).collect()
}

/// Lines of text, with a heading; none without parts.
fn table(parts: &[BenchPart]) -> Vec<String> {
    if parts.is_empty() {
        return Vec::new();
    }
    let heading = "\n     ms  share  GFLOP/s        MiB  pass      kernel        layers\n";
    let line = |part: &BenchPart| {
        let BenchPart { pass, layers, kernel, mean_ms, share, gflop_per_second, bytes } = part;
        let (percent, mebibytes) = (share * 100.0, *bytes as f64 / f64::from(1 << 20));
        format!(
            "{mean_ms:7.2} {percent:5.1}% {gflop_per_second:8.1} {mebibytes:10.2}  {pass:8}  \
             {kernel:12}  {layers}\n"
        )
    };
    [heading.to_owned()].into_iter().chain(parts.iter().map(line)).collect()
}
