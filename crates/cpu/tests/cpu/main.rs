//! The processor conforms at every CPU level, and gives the same bytes on any number of threads.

use std::sync::Arc;

use cpu::{Cpu, CpuExecutable, CpuSession};
use graph::{
    Attention, Backend, Backwards, GraphBuilder, MaxPool, Network, NodeId, Op, OutputGradient,
    Padding, Session, Size, Tensor, Window,
};
use kernels::{Context, CpuLevel, Threads};
use testkit::{Random, inception, network, random_graph};

fn context(threads: usize, level: CpuLevel) -> Context {
    Context::new(Threads::new(threads).unwrap(), level)
}

#[test]
fn every_level_conforms() {
    for level in CpuLevel::available() {
        testkit::conformance::check(&Cpu::new(context(2, level)));
    }
}

#[test]
fn the_bytes_are_the_same_on_any_number_of_threads() {
    let random = &mut Random(27);
    let mut networks: Vec<Network> = (0..8).map(|_| network(random_graph(random))).collect();
    networks.push(network(inception(random, 13)));
    for network in networks {
        let layers = network.graph.layers();
        let target = network.graph.find_target(&layers[layers.len() - 1].name).unwrap();
        let size = Size::new(random.range(33, 65), random.range(33, 65));
        let image = random.image(size);
        for level in CpuLevel::available() {
            let bytes = |threads| bytes(&network, target, &image, context(threads, level));
            let one = bytes(1);
            assert!((2..5).all(|threads| bytes(threads) == one), "at {level}");
        }
    }
}

#[test]
fn only_the_thread_that_calls_keeps_what_attention_lays_out() {
    let mut builder = GraphBuilder::new("image", 3);
    let attention = Op::Attention(Attention { heads: 1, scale: 1.0 });
    let input = builder.input();
    let target = builder.add("attention", attention, &[input; 3]);
    let network = network(builder.finish());
    let size = Size::new(40, 50);
    let kept = |threads| {
        let cpu = Cpu::new(context(threads, CpuLevel::Scalar));
        cpu.compile(&network, &[target]).unwrap().kept_memory(&[size]).unwrap()
    };
    let kept = [1, 2, 8].map(kept);
    let each = kept[1] - kept[0];
    // Two vectors for each position, and a few.
    assert!((2 * 64 * 2000..3 * 64 * 2000).contains(&each), "{kept:?}");
    assert_eq!(kept[2] - kept[0], 7 * each);
}

fn bytes(network: &Network, target: NodeId, image: &Tensor, cx: Context) -> (Tensor, u64, Tensor) {
    let executable = Cpu::new(cx).compile(network, &[target]).unwrap();
    let mut session = executable.session(Size::new(image.shape.height, image.shape.width)).unwrap();
    session.forward(image).unwrap();
    let activation = session.activation(0).unwrap();
    let squares = session.half_sum_squares(0).unwrap().to_bits();
    let mut gradient = Tensor::zeros(image.shape);
    let outputs = [OutputGradient::Activation { weight: 1.0 }];
    session.backward(&outputs, &mut gradient).unwrap();
    (activation, squares, gradient)
}

#[test]
fn the_activation_pattern_of_another_session_is_taken_over() {
    let random = &mut Random(26);
    let network = network(inception(random, 13));
    let target = network.graph.find_target("next").unwrap();
    let cx = context(1, CpuLevel::Scalar);
    let executable = Arc::new(CpuExecutable::new(&network, &[target], cx).unwrap());
    let size = Size::new(40, 44);
    let [one, other] = [(); 2].map(|()| random.image(size));
    let gradient = |session: &mut CpuSession| {
        let shape = session.target_shape(0);
        let output = Tensor { shape, data: vec![1.0; shape.len()].into() };
        let mut gradient = Tensor::zeros(one.shape);
        session.backward(&[OutputGradient::Gradient(&output)], &mut gradient).unwrap();
        gradient
    };
    let mut first = Arc::clone(&executable).cpu_session(size).unwrap();
    let mut second = executable.cpu_session(size).unwrap();
    first.forward(&one).unwrap();
    second.forward(&one).unwrap();
    assert_eq!(second.copy_activation_pattern(&first), 0.0);
    let wanted = gradient(&mut second);
    first.forward(&other).unwrap();
    let changed = second.copy_activation_pattern(&first);
    assert!(0.0 < changed && changed < 1.0, "{changed}");
    second.forward(&one).unwrap();
    second.copy_activation_pattern(&first);
    assert_ne!(gradient(&mut second), wanted);
}

#[test]
fn what_runs_strip_by_strip_is_what_plain_loops_make() {
    let random = &mut Random(28);
    let network = network(inception(random, 13));
    let target = network.graph.find_target("next").unwrap();
    // So high that only some rows of the first convolution's output are kept, and so large that what is normalised is
    // kept in fewer bits.
    let size = Size::new(4300, 500);
    let image = random.image(size);
    let session = |level| {
        let executable = CpuExecutable::new(&network, &[target], context(2, level)).unwrap();
        let mut session = Arc::new(executable).cpu_session(size).unwrap();
        session.forward(&image).unwrap();
        session
    };
    let gradient = |session: &mut CpuSession| {
        let mut gradient = Tensor::zeros(image.shape);
        session.backward(&[OutputGradient::Activation { weight: 1.0 }], &mut gradient).unwrap();
        gradient
    };
    let distance = |a: &Tensor, b: &Tensor| {
        let squares = |of: &dyn Fn(usize) -> f32| -> f64 {
            (0..a.data.len()).map(|i| f64::from(of(i)).powi(2)).sum()
        };
        (squares(&|i| a.data[i] - b.data[i]) / squares(&|i| a.data[i])).sqrt()
    };
    let mut plain = session(CpuLevel::Scalar);
    let (wanted, slope) = (plain.activation(0).unwrap(), gradient(&mut plain));
    for level in CpuLevel::available().into_iter().skip(1) {
        let mut strips = session(level);
        let apart = distance(&wanted, &strips.activation(0).unwrap());
        assert!(apart < 1e-5, "{apart} at {level}");
        strips.copy_activation_pattern(&plain);
        let apart = distance(&slope, &gradient(&mut strips));
        assert!(apart < 1e-4, "{apart} at {level}");
    }
}

#[test]
fn what_a_block_reads_is_gone_before_its_larger_branches_run() {
    let random = &mut Random(29);
    let network = network(inception(random, 64));
    let target = network.graph.find_target("next").unwrap();
    let size = Size::new(64, 64);
    let executable = CpuExecutable::new(&network, &[target], context(1, CpuLevel::Scalar));
    let mut session = Arc::new(executable.unwrap()).cpu_session(size).unwrap();
    session.record_times();
    session.forward(&random.image(size)).unwrap();
    let times = session.times();
    let place = |name: &str| times.iter().position(|step| step.layers.contains(name)).unwrap();
    let order = ["mixed/1x1", "mixed/pool", "mixed/pool_proj", "mixed/3x3/", "next"].map(place);
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn a_pool_of_windows_side_by_side_takes_no_map_of_its_own() {
    let size = Size::new(64, 64);
    let bytes = |pools: bool| {
        let random = &mut Random(30);
        let mut b = GraphBuilder::new("image", 3);
        let window = |size| Window::new([size; 2], [1, 1]).padded(Padding::Same);
        let input = b.input();
        let mut x = b.add("wide", random.conv(window(1), 3, 64, 1), &[input]);
        if pools {
            x = b.add("pool", Op::MaxPool(MaxPool { window: window(3) }), &[x]);
        }
        let target = b.add("narrow", random.conv(window(1), 64, 1, 1), &[x]);
        let cpu = Cpu::new(context(1, CpuLevel::Scalar));
        let executable = cpu.compile(&network(b.finish()), &[target]).unwrap();
        executable.memory_for(size, Backwards::One).unwrap()
    };
    let map = 4 * 64 * 64 * 64;
    let [with, without] = [true, false].map(bytes);
    assert!(with - without < map / 2, "{with} and {without}, of maps of {map}");
}
