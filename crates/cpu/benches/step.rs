//! How long a step of a dream takes the engine, forward to a layer and backward to the image, on the first
//! layers of a small Inception of random weights.
//!
//! `cargo bench -p deepdream-cpu` runs it at the best level, or the one that `DEEPDREAM_CPU` names, on all
//! processors.

use std::time::Duration;

use cpu::Cpu;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use graph::{Backend, OutputGradient, Size, Tensor};
use kernels::{Context, CpuLevel, Threads};
use testkit::{Random, inception, network};

fn steps(criterion: &mut Criterion) {
    let level = CpuLevel::detect().expect("DEEPDREAM_CPU names a level");
    let backend = Cpu::new(Context::new(Threads::new(0).expect("threads start"), level));
    let random = &mut Random(1);
    let network = network(inception(random, 32));
    let target = network.graph.find_target("mixed").expect("it has this layer");
    let executable = backend.compile(&network, &[target]).expect("it runs");
    let mut group = criterion.benchmark_group("step");
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(400));
    for size in [Size::new(90, 160), Size::new(360, 640)] {
        let mut session = executable.clone().session(size).expect("the image is large enough");
        let image = random.image(size);
        let mut gradient = Tensor::zeros(image.shape);
        group.throughput(Throughput::Elements(size.pixels()));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| {
                session.forward(&image).expect("the processor does not fail");
                let outputs = [OutputGradient::Activation { weight: 1.0 }];
                session.backward(&outputs, &mut gradient).expect("the processor does not fail");
            });
        });
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
