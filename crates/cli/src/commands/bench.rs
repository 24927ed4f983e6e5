//! `bench`: how fast this machine dreams. One step is what a dream does hundreds of times: forward to
//! the layers, backward to the picture.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use clap::Args;
use dream::{Machine, Observer, Plan, Progress, Recipe, Term};
use graph::{Network, OutputGradient, Size, StepTime, Tensor};
use serde::Serialize;

use super::image::unplanned;
use crate::console::{self, print};
use crate::exit::Failure;
use crate::machine::{MachineArgs, in_words, peak_memory};
use crate::model::{self, ModelArgs, unfit};

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// The layer to go to; repeat it for several. Default: the layers chosen for the network.
    #[arg(short, long = "layer", value_name = "NAME")]
    layers: Vec<String>,
    /// Size of the picture. Default: 640x359.
    #[arg(short, long, value_name = "WIDTHxHEIGHT", default_value = "640x359")]
    #[arg(hide_default_value = true, value_parser = super::size)]
    size: (u32, u32),
    /// Also say where the time goes, layer by layer.
    #[arg(long = "layers")]
    by_layer: bool,
    /// How many steps to time. Default: 10.
    #[arg(long, value_name = "N", default_value_t = 10, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rounds: u32,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    machine: MachineArgs,
}

/// What was measured; times in milliseconds.
#[derive(Serialize)]
struct Report {
    model: String,
    layers: Vec<String>,
    width: usize,
    height: usize,
    threads: usize,
    level: String,
    rounds: u32,
    /// Loading the network.
    load_ms: f64,
    /// From the start of loading until there is a first gradient.
    first_gradient_ms: f64,
    min_ms: f64,
    median_ms: f64,
    max_ms: f64,
    /// Floating-point operations of one step by the operations' definition, forward and backward.
    gflop: f64,
    gflop_per_second: f64,
    /// What all threads reach when nothing holds them up. Winograd's algorithm needs fewer operations than
    /// the definition, by which they are counted: a step can be faster than this.
    peak_gflop_per_second: f64,
    peak_memory_bytes: Option<u64>,
    /// A step of the network's default dream, and what of it is not the network: jitter, smoothing,
    /// normalisation and the step itself.
    dream_step_ms: f64,
    outside_network_ms: f64,
    /// Where the time goes, if that was asked for: step by step, and all steps of a kernel together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kernels: Vec<Part>,
}

/// One part of a step.
#[derive(Serialize)]
struct Part {
    pass: String,
    layers: String,
    kernel: &'static str,
    mean_ms: f64,
    /// Of the time of all parts, 0–1.
    share: f64,
    gflop_per_second: f64,
    /// Activations and gradients read and written.
    bytes: u64,
}

/// Measures.
pub(crate) fn bench(args: &BenchArgs) -> Result<(), Failure> {
    let start = Instant::now();
    let machine = args.machine.machine()?;
    let network = args.model.open(None)?;
    let load = start.elapsed();
    let layers = match args.layers.as_slice() {
        [] => Recipe::for_network(&network).objective.into_iter().map(|term| term.layer).collect(),
        layers => layers.to_vec(),
    };
    let find = |name: &String| network.graph.find_target(name).map_err(unfit);
    let targets = layers.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    let (width, height) = (args.size.0 as usize, args.size.1 as usize);
    let size = Size::new(height, width);
    let executable = model::compile(&network, &targets, &machine, size)?;
    let mut session = executable.session(size).map_err(unfit)?;
    session.record_times();

    let picture = dream::noise(size, 0);
    let mut gradient = Tensor::zeros(picture.shape);
    let outputs = vec![OutputGradient::Activation { weight: 1.0 }; targets.len()];
    let mut step = || {
        session.forward(&picture)?;
        session.backward(&outputs, &mut gradient)
    };
    step().map_err(unfit)?;
    let first = start.elapsed();
    let mut times: Vec<Duration> = (0..args.rounds)
        .map(|_| {
            let start = Instant::now();
            step().map_err(unfit)?;
            Ok(start.elapsed())
        })
        .collect::<Result<_, Failure>>()?;
    times.sort();

    let median = times[times.len() / 2];
    let (parts, memory) = (session.times(), peak_memory());
    drop(session);
    let [dream_step, outside] = dream_steps(args, &network, &layers, &machine)?;
    let gflop = parts.iter().map(|part| part.operations).sum::<u64>() as f64 / 1e9;
    let report = Report {
        model: network.name.clone(),
        layers,
        width,
        height,
        threads: machine.context.threads().count(),
        level: machine.context.level().to_string(),
        rounds: args.rounds,
        load_ms: milliseconds(load),
        first_gradient_ms: milliseconds(first),
        min_ms: milliseconds(times[0]),
        median_ms: milliseconds(median),
        max_ms: milliseconds(times[times.len() - 1]),
        gflop,
        gflop_per_second: gflop / median.as_secs_f64(),
        peak_gflop_per_second: kernels::peak(&machine.context) / 1e9,
        peak_memory_bytes: memory,
        dream_step_ms: milliseconds(dream_step),
        outside_network_ms: milliseconds(outside),
        kernels: if args.by_layer { Part::by_kernel(&parts) } else { Vec::new() },
        parts: if args.by_layer { Part::all(&parts) } else { Vec::new() },
    };
    if args.json { console::json(&report) } else { print(report.text()) }
}

/// How long the steps of a dream take, and how long of it they are outside the network: the medians.
fn dream_steps(
    args: &BenchArgs,
    network: &Network,
    layers: &[String],
    machine: &Machine,
) -> Result<[Duration; 2], Failure> {
    let defaults = Recipe::for_network(network);
    let term = |name: &String| {
        let known = defaults.objective.iter().find(|term| term.layer == *name);
        known.cloned().unwrap_or_else(|| Term::layer(name))
    };
    let mut recipe = defaults.clone();
    recipe.objective = layers.iter().map(term).collect();
    recipe.octaves.count = 1;
    recipe.ascent.iterations = args.rounds;
    let size = Size::new(args.size.1 as usize, args.size.0 as usize);
    let plan = Plan::new(&recipe, network, size, machine)
        .map_err(|error| unplanned("the dream", error))?;
    let mut watch = Stopwatch::start();
    dream::dream(&plan, dream::noise(size, 0), &mut watch).expect("the stopwatch stops nothing");
    Ok([&mut watch.took, &mut watch.outside].map(|times| {
        times.sort();
        times[times.len() / 2]
    }))
}

/// Times a dream's steps.
struct Stopwatch {
    /// When the step began, and when the network was done with it.
    at: [Instant; 2],
    took: Vec<Duration>,
    outside: Vec<Duration>,
}

impl Stopwatch {
    fn start() -> Self {
        Self { at: [Instant::now(); 2], took: Vec::new(), outside: Vec::new() }
    }
}

impl Observer for Stopwatch {
    fn evaluated(&mut self) {
        self.at[1] = Instant::now();
    }

    fn step(&mut self, _: &Progress<'_>) -> ControlFlow<()> {
        let [begun, evaluated] = self.at;
        self.took.push(begun.elapsed());
        self.outside.push(evaluated.elapsed());
        self.at[0] = Instant::now();
        ControlFlow::Continue(())
    }
}

impl Report {
    fn text(&self) -> String {
        let Report { model, width, height, threads, level, rounds, .. } = self;
        let outside = 100.0 * self.outside_network_ms / self.dream_step_ms;
        let dream = format!("{:.1} ms, {outside:.1} % outside the network", self.dream_step_ms);
        let memory = self.peak_memory_bytes.map_or("unknown".into(), |n| in_words(n).to_string());
        let rows = [
            ("network", format!("{model}, {}", self.layers.join(", "))),
            ("picture", format!("{width}×{height}")),
            ("machine", format!("{threads} threads, {level}")),
            ("loading", format!("{:.1} ms", self.load_ms)),
            ("first gradient", format!("{:.1} ms", self.first_gradient_ms)),
            ("one step, median", format!("{:.1} ms of {rounds}", self.median_ms)),
            ("one step, range", format!("{:.1} to {:.1} ms", self.min_ms, self.max_ms)),
            ("work", format!("{:.2} GFLOP a step", self.gflop)),
            ("speed", format!("{:.1} GFLOP/s", self.gflop_per_second)),
            ("machine's peak", format!("{:.1} GFLOP/s", self.peak_gflop_per_second)),
            ("peak memory", memory),
            ("a dream's step", dream),
        ];
        let rows = rows.iter().map(|(name, value)| format!("{name:17} {value}\n"));
        rows.chain(Part::table(&self.parts)).chain(Part::table(&self.kernels)).collect()
    }
}

impl Part {
    fn all(times: &[StepTime]) -> Vec<Part> {
        let all = times.iter().map(mean).sum();
        times.iter().map(|time| Part::of(std::slice::from_ref(time), all)).collect()
    }

    /// All steps of a kernel together, those that take longest first.
    fn by_kernel(times: &[StepTime]) -> Vec<Part> {
        let all = times.iter().map(mean).sum();
        let mut times = times.to_vec();
        times.sort_by_key(|time| (time.pass, time.kernel));
        let groups = times.chunk_by(|a, b| (a.pass, a.kernel) == (b.pass, b.kernel));
        let mut parts: Vec<Part> = groups.map(|times| Part::of(times, all)).collect();
        parts.sort_by(|a, b| b.mean_ms.total_cmp(&a.mean_ms));
        parts
    }

    /// Some times of one pass and kernel together; `all` is the time of a whole step.
    fn of(times: &[StepTime], all: f64) -> Part {
        let seconds: f64 = times.iter().map(mean).sum();
        let layers = match times {
            [one] => one.layers.clone(),
            _ => format!("{} layers", times.len()),
        };
        Part {
            pass: format!("{:?}", times[0].pass).to_lowercase(),
            layers,
            kernel: times[0].kernel,
            mean_ms: seconds * 1e3,
            share: seconds / all,
            gflop_per_second: times.iter().map(|time| time.operations).sum::<u64>() as f64
                / 1e9
                / seconds,
            bytes: times.iter().map(|time| time.bytes).sum(),
        }
    }

    /// Lines of text, with a heading; none without parts.
    fn table(parts: &[Part]) -> Vec<String> {
        if parts.is_empty() {
            return Vec::new();
        }
        let heading = "\n     ms  share  GFLOP/s        MiB  pass      kernel        layers\n";
        let line = |part: &Part| {
            let Part { pass, layers, kernel, mean_ms, share, gflop_per_second, bytes } = part;
            let (percent, mebibytes) = (share * 100.0, *bytes as f64 / f64::from(1 << 20));
            format!(
                "{mean_ms:7.2} {percent:5.1}% {gflop_per_second:8.1} {mebibytes:10.2}  {pass:8}  \
                 {kernel:12}  {layers}\n"
            )
        };
        [heading.to_owned()].into_iter().chain(parts.iter().map(line)).collect()
    }
}

/// Seconds of one run.
fn mean(time: &StepTime) -> f64 {
    time.seconds / time.runs.max(1) as f64
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
