//! How fast this machine dreams. One step is what a dream does hundreds of times: forward to the layers,
//! backward to the picture.

mod steering;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use dream::{Assets, Observer, Preset, Progress, Recipe, Term};
use graph::{Network, OutputGradient, Size, StepTime, Tensor};
use serde::Serialize;

use crate::inspect::compile;
use crate::machine::peak_memory;
use crate::{CancelToken, Error, Limits, NetworkChoice, Result, targets};

pub use steering::{SteeringCost, SteeringReport};

/// Measures one step on noise.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The layers to measure. Default: those that the preset `classic` has for the network.
    pub layers: Vec<String>,
    /// The size of the picture. Default: 640×359.
    pub size: Size,
    /// How many steps to time, at least 1. Default: 10.
    pub rounds: u32,
    /// Whether to tell where the time goes, layer by layer. Default: no.
    pub by_layer: bool,
    /// The network. Default: the preferred one.
    pub network: NetworkChoice,
    /// How much of the machine may be used.
    pub limits: Limits,
}

impl Default for Bench {
    fn default() -> Self {
        Self {
            layers: Vec::new(),
            size: Size::new(359, 640),
            rounds: 10,
            by_layer: false,
            network: NetworkChoice::Default,
            limits: Limits::default(),
        }
    }
}

/// What was measured; times in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchReport {
    /// The network.
    pub model: String,
    /// The layers gone to.
    pub layers: Vec<String>,
    /// Columns of the picture.
    pub width: usize,
    /// Rows of the picture.
    pub height: usize,
    /// How many threads shared the work.
    pub threads: usize,
    /// The instructions they used.
    pub level: String,
    /// How many steps were timed.
    pub rounds: u32,
    /// Loading the network.
    pub load_ms: f64,
    /// From the start of loading until there is a first gradient.
    pub first_gradient_ms: f64,
    /// The fastest step.
    pub min_ms: f64,
    /// The step in the middle.
    pub median_ms: f64,
    /// The slowest step.
    pub max_ms: f64,
    /// Floating-point operations of one step by the operations' definition, forward and backward.
    pub gflop: f64,
    /// Operations in a second, in billions.
    pub gflop_per_second: f64,
    /// What all threads reach when nothing holds them up. Winograd's algorithm needs fewer operations than
    /// the definition, by which they are counted: a step can be faster than this.
    pub peak_gflop_per_second: f64,
    /// The most bytes this process has had, where the system says.
    pub peak_memory_bytes: Option<u64>,
    /// A step of a dream by the preset `classic`: the network, and beside it jitter, smoothing, normalisation
    /// and the climb itself.
    pub dream_step_ms: f64,
    /// What of that step is not the network.
    pub outside_network_ms: f64,
    /// Where the time goes, if that was asked for: step by step, and all steps of a kernel together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<BenchPart>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    /// The same by kernel, those that take longest first.
    pub kernels: Vec<BenchPart>,
}

/// One part of a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchPart {
    /// Which part of the run it is.
    pub pass: String,
    /// The layers it computes.
    pub layers: String,
    /// How it computes them.
    pub kernel: &'static str,
    /// How long it takes.
    pub mean_ms: f64,
    /// Of the time of all parts, 0–1.
    pub share: f64,
    /// Operations in a second, in billions.
    pub gflop_per_second: f64,
    /// Activations and gradients read and written.
    pub bytes: u64,
}

impl Bench {
    /// Measures.
    ///
    /// # Errors
    /// A network or a layer that is not there, too little memory, or a cancelled token.
    pub fn run(&self, cancel: &CancelToken) -> Result<BenchReport> {
        let start = Instant::now();
        let machine = self.limits.machine()?;
        let network = self.network.load()?;
        let load = start.elapsed();
        let layers = match self.layers.as_slice() {
            [] => {
                let defaults = Recipe::with_preset(&network, Preset::Classic);
                targets::check(&network, &defaults, None)?;
                defaults.objective.into_iter().map(|term| term.layer).collect()
            }
            layers => layers.to_vec(),
        };
        let find = |name: &String| targets::find(&network, name);
        let targets = layers.iter().map(find).collect::<Result<Vec<_>>>()?;
        let Size { height, width } = self.size;
        let executable = compile(&network, &targets, &machine, self.size)?;
        let mut session = executable.session(self.size)?;
        session.record_times();

        let picture = dream::noise(self.size, 0);
        let mut gradient = Tensor::zeros(picture.shape);
        let outputs = vec![OutputGradient::Activation { weight: 1.0 }; targets.len()];
        let mut step = || {
            session.forward(&picture)?;
            session.backward(&outputs, &mut gradient)
        };
        step()?;
        let first = start.elapsed();
        let mut times = Vec::new();
        for _ in 0..self.rounds.max(1) {
            if cancel.is_cancelled() {
                return Err(stopped());
            }
            let start = Instant::now();
            step()?;
            times.push(start.elapsed());
        }
        times.sort();

        let median = times[times.len() / 2];
        let (parts, memory) = (session.times(), peak_memory());
        drop(session);
        let recipe = self.one_octave(&network);
        let [dream_step, outside] =
            self.steps((&recipe, &Assets::default()), (&network, &machine), cancel)?;
        let gflop = parts.iter().map(|part| part.operations).sum::<u64>() as f64 / 1e9;
        Ok(BenchReport {
            model: network.name.clone(),
            layers,
            width,
            height,
            threads: machine.context.threads().count(),
            level: machine.context.level().to_string(),
            rounds: self.rounds,
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
            kernels: if self.by_layer { BenchPart::by_kernel(&parts) } else { Vec::new() },
            parts: if self.by_layer { BenchPart::all(&parts) } else { Vec::new() },
        })
    }

    /// The recipe of a dream by the preset `classic` on the layers asked for, in one octave of the full size.
    fn one_octave(&self, network: &Network) -> Recipe {
        let mut recipe = Recipe::with_preset(network, Preset::Classic);
        if !self.layers.is_empty() {
            let term = |name: &String| {
                let known = recipe.objective.iter().find(|term| term.layer == *name);
                known.cloned().unwrap_or_else(|| Term::layer(name))
            };
            recipe.objective = self.layers.iter().map(term).collect();
        }
        recipe.octaves.count = 1;
        recipe.octaves.anchor = dream::Octaves::FULL;
        recipe.ascent.iterations = self.rounds.max(1);
        recipe
    }
}

/// Times a dream's steps.
struct Stopwatch<'a> {
    cancel: &'a CancelToken,
    /// When the step began, and when the network was done with it.
    at: [Instant; 2],
    took: Vec<Duration>,
    outside: Vec<Duration>,
}

impl<'a> Stopwatch<'a> {
    fn start(cancel: &'a CancelToken) -> Self {
        Self { cancel, at: [Instant::now(); 2], took: Vec::new(), outside: Vec::new() }
    }
}

impl Observer for Stopwatch<'_> {
    fn evaluated(&mut self) {
        self.at[1] = Instant::now();
    }

    fn step(&mut self, _: &Progress<'_>) -> ControlFlow<()> {
        let [begun, evaluated] = self.at;
        self.took.push(begun.elapsed());
        self.outside.push(evaluated.elapsed());
        self.at[0] = Instant::now();
        if self.cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl BenchPart {
    fn all(times: &[StepTime]) -> Vec<BenchPart> {
        let all = times.iter().map(mean).sum();
        times.iter().map(|time| BenchPart::of(std::slice::from_ref(time), all)).collect()
    }

    /// All steps of a kernel together, those that take longest first.
    fn by_kernel(times: &[StepTime]) -> Vec<BenchPart> {
        let all = times.iter().map(mean).sum();
        let mut times = times.to_vec();
        times.sort_by_key(|time| (time.pass, time.kernel));
        let groups = times.chunk_by(|a, b| (a.pass, a.kernel) == (b.pass, b.kernel));
        let mut parts: Vec<BenchPart> = groups.map(|times| BenchPart::of(times, all)).collect();
        parts.sort_by(|a, b| b.mean_ms.total_cmp(&a.mean_ms));
        parts
    }

    /// Some times of one pass and kernel together; `all` is the time of a whole step.
    fn of(times: &[StepTime], all: f64) -> BenchPart {
        let seconds: f64 = times.iter().map(mean).sum();
        let layers = match times {
            [one] => one.layers.clone(),
            _ => format!("{} layers", times.len()),
        };
        BenchPart {
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
}

/// Seconds of one run.
fn mean(time: &StepTime) -> f64 {
    time.seconds / time.runs.max(1) as f64
}

fn stopped() -> Error {
    Error::cancelled("stopped: the measurement is not complete")
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
