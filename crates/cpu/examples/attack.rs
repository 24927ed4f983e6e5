//! Random networks of odd operations against the reference, at every CPU level, and the memory that was said
//! against the memory that was used. `cargo xtask attack-networks` runs it.
//!
//! Arguments: how many seconds, and the seed of the first network. `memory SEED LEVEL THREADS` does one
//! network's part of the second: a process of its own for each, so that none finds another's memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use cpu::Cpu;
use graph::{Backend, GraphBuilder, Network, NodeId, Op, OutputGradient, Size, Tensor, Window};
use kernels::{Context, CpuLevel, Threads};
use testkit::{Random, conformance, inception, network, odd_graph};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: u64| -> u64 {
        args.get(index).map_or(default, |text| text.parse().expect("a number"))
    };
    if args.first().is_some_and(|word| word == "memory") {
        let level = args[2].parse().expect("a CPU level");
        return memory(number(1, 0), level, number(3, 1) as usize);
    }
    let (end, first) = (Instant::now() + Duration::from_secs(number(0, 60)), number(1, 1));
    let (mut seed, mut findings) = (first, 0);
    std::panic::set_hook(Box::new(|_| {}));
    while Instant::now() < end {
        for level in CpuLevel::available() {
            let wrong = compare(seed, level).err();
            // Memory less often: a process takes its time.
            let wrong =
                wrong.or_else(|| (seed % 8 == 0).then(|| used(seed, level).err()).flatten());
            if let Some(wrong) = wrong {
                findings += 1;
                println!("seed {seed} at {level}: {wrong}");
            }
        }
        seed += 1;
    }
    println!(
        "{} networks, of {} memory too, at {} levels each: {findings} findings",
        seed - first,
        (first..seed).filter(|seed| seed % 8 == 0).count(),
        CpuLevel::available().len()
    );
    if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn context(level: CpuLevel, threads: usize) -> Context {
    Context::new(Threads::new(threads).expect("threads start"), level)
}

/// Compares the network of `seed`, at one or two layers, with the reference.
fn compare(seed: u64, level: CpuLevel) -> Result<(), String> {
    let random = &mut Random(seed);
    let size = Size::new(random.range(1, 40), random.range(1, 40));
    let network = network(odd_graph(random, size));
    let count = network.graph.nodes().len();
    let node = |index: usize| network.graph.find_target(&format!("layer{index}"));
    let mut targets = vec![node(count - 2).map_err(|error| error.to_string())?];
    if random.range(0, 2) == 0 {
        let other = node(random.range(0, count - 2)).map_err(|error| error.to_string())?;
        if !targets.contains(&other) {
            targets.push(other);
        }
    }
    let cpu = Cpu::new(context(level, 1 + seed as usize % 3));
    let run = || conformance::compare(&cpu, &network, &targets, size, random, "it");
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default()
    })
}

/// Runs `memory` in a process of its own.
fn used(seed: u64, level: CpuLevel) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let threads = (1 + seed / 8 % 3).to_string();
    let args = ["memory", &seed.to_string(), &level.to_string(), &threads];
    let output = Command::new(program).args(args).output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
    }
}

/// A network that takes memory, and the layer to run it to.
fn large(seed: u64) -> (Network, NodeId, Size) {
    let random = &mut Random(seed);
    let size = Size::new(random.range(40, 400), random.range(40, 400));
    let graph = match random.range(0, 3) {
        0 => inception(random, 1 + seed as usize % 40),
        1 => odd_graph(random, Size::new(size.height / 8 + 1, size.width / 8 + 1)),
        _ => deep(random),
    };
    let last =
        NodeId::clone(&graph.find(&graph.nodes()[graph.nodes().len() - 1].name).expect("it"));
    (network(graph), last, size)
}

/// Convolutions whose packed weights are far larger than their activations, or far smaller.
fn deep(random: &mut Random) -> graph::Graph {
    let mut builder = GraphBuilder::new("image", 3);
    let (mut last, mut channels) = (builder.input(), 3);
    for index in 0..random.range(1, 6) {
        let kernel = random.range(1, 6);
        let stride = random.range(1, 3);
        let padding = graph::Padding::Same;
        let window = Window::new([kernel; 2], [stride; 2]).padded(padding);
        let outs = [16, 60, 250, 500][random.range(0, 3)];
        let conv = random.conv(window, channels, outs, 1);
        last = builder.add(format!("conv{index}"), conv, &[last]);
        last = builder.add(format!("relu{index}"), Op::Relu, &[last]);
        channels = outs;
    }
    builder.finish()
}

/// Runs a large network of `seed` both ways and compares what the process took with what was said. A
/// little is for whatever no network decides.
fn memory(seed: u64, level: CpuLevel, threads: usize) -> ExitCode {
    const LITTLE: u64 = 3 << 20;
    let (network, target, size) = large(seed);
    let cpu = Cpu::new(context(level, threads));
    let Ok(executable) = cpu.compile(&network, &[target]) else { return ExitCode::SUCCESS };
    let Ok(values) = executable.memory(size) else { return ExitCode::SUCCESS };
    let said = values + executable.kept_memory(&[size]).expect("the size fits");
    let image = Random(seed).image(size);
    let mut gradient = Tensor::zeros(image.shape);
    // Touched now, as the image is.
    gradient.data.fill(1.0);
    // From here on the peak is counted anew.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let Some(before) = peak() else { return ExitCode::SUCCESS };
    let mut session = executable.session(size).expect("the size fits");
    for _ in 0..2 {
        session.forward(&image).expect("it runs");
        session
            .backward(&[OutputGradient::Activation { weight: 1.0 }], &mut gradient)
            .expect("it runs");
    }
    let used = peak().unwrap_or(before) - before;
    let mb = |bytes: u64| bytes as f64 / 1e6;
    println!("memory: said {:.1} MB, used {:.1} MB", mb(said), mb(used));
    let (too_little, too_much) = (used > said + LITTLE, said > used + used / 2 + 2 * LITTLE);
    if too_little || too_much { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The most bytes the process has had, where the system says.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}
