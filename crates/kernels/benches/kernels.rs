//! How fast the kernels are at the sizes that Inception has on an image of 640 × 360: convolutions in
//! operations a second, what is bound by memory in bytes a second.
//!
//! `cargo bench -p deepdream-kernels` runs them at the best level, or the one that `DEEPDREAM_CPU` names, on
//! all processors; `-- --quick` and a part of a name make it shorter.

use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use kernels::blur::{Blur, blur};
use kernels::conv::{Call, Direct, Filters, Output, Placed, SharedMap, run};
use kernels::lrn::{self, Lrn};
use kernels::pack::{self, InputTransform};
use kernels::winograd::Winograd;
use kernels::{
    BlockedMap, Context, ConvGeometry, CpuLevel, Destination, MapMut, MapRef, Relu, Threads, Vec16,
    WriteMode, depthwise, elementwise, lrn_pool, pool, resample, shuffle,
};

/// A map and its vectors.
#[derive(Clone)]
struct Blocked {
    map: BlockedMap,
    vectors: Vec<Vec16>,
}

impl Blocked {
    /// Values of −1..1, with a halo of zeros around them.
    fn new(channels: usize, [height, width]: [usize; 2], halo: usize) -> Self {
        let map = BlockedMap::new(channels / 16, height, width, halo).expect("a small map");
        let mut vectors = vec![Vec16::default(); map.vectors()];
        let mut state = 1u32;
        for block in 0..map.blocks() {
            for pixel in 0..height * width {
                let (row, column) = ((pixel / width) as isize, (pixel % width) as isize);
                vectors[map.at(block, row, column)].0.fill_with(|| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 8) as f32 / (1 << 23) as f32 - 1.0
                });
            }
        }
        Self { map, vectors }
    }

    fn read(&self) -> MapRef<'_> {
        MapRef::new(self.map, &self.vectors)
    }

    fn write(&mut self) -> MapMut<'_> {
        MapMut::new(self.map, &mut self.vectors)
    }

    /// Bytes of its pixels, without the halo.
    fn bytes(&self) -> usize {
        self.map.pixels() * size_of::<Vec16>()
    }
}

fn context() -> Context {
    let level = CpuLevel::detect().expect("DEEPDREAM_CPU names a level");
    Context::new(Threads::new(0).expect("threads start"), level)
}

fn window(kernel: usize, stride: usize) -> ConvGeometry {
    let padding = (kernel - 1) / 2;
    ConvGeometry::new([kernel; 2], [stride; 2], [1; 2], [padding; 2]).expect("a small window")
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(400));
    group
}

/// Measures `f`, which moves `bytes`.
fn moves(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, bytes: usize, mut f: impl FnMut()) {
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function(name, |bencher| bencher.iter(&mut f));
}

fn convolutions(criterion: &mut Criterion) {
    let cx = context();
    let mut group = group(criterion, "convolution");
    for (ins, outs, extent, kernel, winograd) in [
        (192, 64, [90, 160], 1, false),
        (64, 192, [90, 160], 3, false),
        (64, 192, [90, 160], 3, true),
        (32, 96, [45, 80], 5, true),
    ] {
        let geometry = window(kernel, 1);
        let slots: Vec<usize> = (0..ins.max(outs)).collect();
        let weights = vec![0.01; ins * outs * kernel * kernel];
        let bias = vec![0.1; outs];
        let (from, to) = (&slots[..ins], &slots[..outs]);
        let phase = Filters::new(geometry, 1, &weights, &bias, from, to).forward();
        let halo = geometry.forward_halo(extent, extent);
        let (x, mut y) = (Blocked::new(ins, extent, halo), Blocked::new(outs, extent, 0));
        let ym = y.map;
        let y = SharedMap::new(y.write());
        let mode = WriteMode::Overwrite;
        let output = Output { y: &y, mode, bias: true, relu_mask: None, mask: None };
        let way = if winograd { "winograd" } else { "direct" };
        let name = format!("{way} {kernel}×{kernel} {ins}→{outs} {}×{}", extent[0], extent[1]);
        let operations = 2 * weights.len() * extent[0] * extent[1];
        group.throughput(Throughput::Elements(operations as u64));
        if winograd {
            let tile = Winograd::tile(kernel, extent);
            let keep = Winograd::keep(&phase, tile, cx.level());
            let conv = Winograd::new(&phase, tile, keep, &cx).expect("a little memory");
            group.bench_function(name, |bencher| bencher.iter(|| conv.run(&cx, x.read(), &output)));
        } else {
            let conv = Direct::new(&phase, &cx).expect("a little memory");
            let placed = Placed::new(Arc::new(conv), x.map, ym, true);
            group.bench_function(name, |bencher| {
                bencher.iter(|| run(&cx, &[Call::new(&placed, x.read(), output)]));
            });
        }
    }
}

fn pools(criterion: &mut Criterion) {
    let cx = context();
    let mut group = group(criterion, "pool");
    for (channels, [height, width], stride) in
        [(64, [180, 320], 2), (192, [90, 160], 2), (512, [23, 40], 1)]
    {
        let geometry = window(3, stride);
        let x = Blocked::new(channels, [height, width], 2);
        let written = [height.div_ceil(stride), width.div_ceil(stride)];
        let (mut y, mut dx) = (Blocked::new(channels, written, 2), x.clone());
        let mut argmax = vec![0; pool::argmax_len(&geometry, &y.map)];
        let name = |what: &str| format!("{what} 3×3/{stride} {channels}×{height}×{width}");
        let bytes = x.bytes() + 2 * y.bytes();
        moves(&mut group, &name("max forward"), bytes + argmax.len(), || {
            pool::max_forward(&cx, &geometry.into(), x.read(), y.write(), &mut argmax);
        });
        moves(&mut group, &name("max backward"), 2 * x.bytes() + y.bytes() + argmax.len(), || {
            let dx = Destination::overwrite(dx.write());
            pool::max_backward(&cx, &geometry, y.read(), &argmax, dx);
        });
        moves(&mut group, &name("average forward"), bytes, || {
            pool::average_forward(&cx, &geometry, None, x.read(), y.write());
        });
    }
}

fn normalisations(criterion: &mut Criterion) {
    let cx = context();
    let mut group = group(criterion, "lrn");
    for channels in [64, 192] {
        let lrn = Lrn { channels, size: 5, alpha: 2e-5, beta: 0.75, bias: 1.0 };
        let x = Blocked::new(channels, [90, 160], 2);
        let (mut y, mut dx) = (x.clone(), x.clone());
        moves(&mut group, &format!("forward {channels}×90×160"), 3 * x.bytes(), || {
            lrn::forward(&cx, &lrn, x.read(), y.write());
        });
        moves(&mut group, &format!("backward {channels}×90×160"), 4 * x.bytes(), || {
            lrn::backward(&cx, &lrn, x.read(), y.read(), Destination::overwrite(dx.write()));
        });
        let (geometry, mut y) = (window(3, 2), Blocked::new(channels, [45, 80], 2));
        let mut argmax = vec![0; pool::argmax_len(&geometry, &y.map)];
        let bytes = x.bytes() + 2 * y.bytes() + argmax.len();
        moves(&mut group, &format!("and max pool forward {channels}×90×160"), bytes, || {
            lrn_pool::forward(&cx, &lrn, &geometry, x.read(), y.write(), &mut argmax);
        });
    }
}

fn depthwise_convolutions(criterion: &mut Criterion) {
    let cx = context();
    let mut group = group(criterion, "depthwise");
    for stride in [1, 2] {
        let (geometry, x) = (window(3, stride), Blocked::new(128, [90, 160], 2));
        let (weights, bias) = (&x.vectors[..9 * 8], &x.vectors[..8]);
        let mut y = Blocked::new(128, [90 / stride, 160 / stride], 2);
        let (mut mask, mut dx) = (vec![0; y.map.pixels()], x.clone());
        let bytes = x.bytes() + 2 * y.bytes();
        moves(&mut group, &format!("forward 3×3/{stride} 128×90×160"), bytes, || {
            let (x, y) = (x.read(), y.write());
            let relu = Relu::new(&mut mask);
            depthwise::forward(&cx, &geometry, weights, bias, x, y, Some(relu));
        });
        let bytes = 2 * x.bytes() + y.bytes();
        moves(&mut group, &format!("backward 3×3/{stride} 128×90×160"), bytes, || {
            let dx = Destination::overwrite(dx.write());
            depthwise::backward(&cx, &geometry, weights, y.read(), dx);
        });
    }
}

fn copies(criterion: &mut Criterion) {
    let cx = context();
    let mut group = group(criterion, "elementwise");
    let x = Blocked::new(192, [90, 160], 2);
    let (mut y, mut mask) = (x.clone(), vec![0; x.map.pixels()]);
    let bytes = 3 * x.bytes();
    moves(&mut group, "copy 192×90×160", bytes, || {
        elementwise::copy(&cx, x.read(), Destination::overwrite(y.write()));
    });
    moves(&mut group, "relu 192×90×160", bytes, || {
        elementwise::relu_forward(&cx, x.read(), y.write(), Relu::new(&mut mask));
    });
    moves(&mut group, "half sum of squares 192×90×160", x.bytes(), || {
        std::hint::black_box(elementwise::half_sum_squares(&cx, x.read()));
    });
    let sources: Vec<usize> = (0..192).map(|slot| (slot + 8) % 192).collect();
    moves(&mut group, "gather channels 192×90×160", bytes, || {
        let y = Destination::overwrite(y.write());
        elementwise::gather_channels(&cx, &sources, x.read(), y);
    });
}

/// Where the taps of each position start, and the taps.
type Taps = (Vec<usize>, Vec<(usize, f32)>);

/// For each position of an output twice as large, on an input of `extent`, the two positions between which it
/// lies; or, for each position of the input, those of the output that lie between it and the next.
fn taps(extent: usize, back: bool) -> Taps {
    let mut positions = vec![Vec::new(); if back { extent } else { 2 * extent }];
    for to in 0..2 * extent {
        let near = to / 2;
        let far = if to % 2 == 0 { near.saturating_sub(1) } else { (near + 1).min(extent - 1) };
        for (from, weight) in [(near, 0.75), (far, 0.25)] {
            let (at, tap) = if back { (from, to) } else { (to, from) };
            positions[at].push((tap, weight));
        }
    }
    let mut starts = vec![0];
    starts.extend(positions.iter().scan(0, |sum, taps| {
        *sum += taps.len();
        Some(*sum)
    }));
    (starts, positions.concat())
}

fn views(lists: &[Taps; 2]) -> [resample::Taps<'_>; 2] {
    lists.each_ref().map(|(starts, taps)| resample::Taps::new(starts, taps))
}

fn geometry(criterion: &mut Criterion) {
    let cx = context();
    let mut group = group(criterion, "geometry");
    let (mut small, mut wide) = (Blocked::new(64, [90, 160], 0), Blocked::new(64, [180, 320], 0));
    let mut deep = Blocked::new(256, [90, 160], 0);
    let (fill, bytes) = ([Vec16::default(); 4], small.bytes() + wide.bytes());
    let [forward, backward] = [false, true].map(|back| [taps(90, back), taps(160, back)]);
    moves(&mut group, "linear 64×90×160 to twice as large", bytes, || {
        let y = Destination::overwrite(wide.write());
        resample::resample(&cx, views(&forward), &fill, small.read(), y);
    });
    moves(&mut group, "gradient of linear 64×90×160 to twice as large", bytes, || {
        let y = Destination::overwrite(small.write());
        resample::resample(&cx, views(&backward), &fill, wide.read(), y);
    });
    // Whole blocks, and channels whose pixels lie together.
    for (name, scattered) in [("blocks", false), ("channels", true)] {
        let from = |pixel: usize, slot: usize| match scattered {
            false => pixel * 64 + slot,
            true => slot * 4 + pixel,
        };
        let sources: Vec<usize> = (0..4 * 64).map(|i| from(i / 64, i % 64)).collect();
        let mut back = vec![0; 256];
        sources.iter().enumerate().for_each(|(place, &source)| back[source] = place);
        let bytes = deep.bytes() + wide.bytes();
        moves(&mut group, &format!("256×90×160 to pixels by {name}"), bytes, || {
            let y = Destination::overwrite(wide.write());
            shuffle::depth_to_space(&cx, [2, 2], &sources, deep.read(), y);
        });
        moves(&mut group, &format!("64×180×320 to channels by {name}"), bytes, || {
            let y = Destination::overwrite(deep.write());
            shuffle::space_to_depth(&cx, [2, 2], &back, wide.read(), y);
        });
    }
}

fn images(criterion: &mut Criterion) {
    let cx = context();
    let mut group = group(criterion, "image");
    let (height, width) = (360, 640);
    let mut image = vec![1.0; 3 * height * width];
    for space_to_depth in [1, 2] {
        let input = InputTransform {
            channels: 3,
            source: [0, 1, 2, 0],
            mean: [117.0; 4],
            scale: [1.0; 4],
            shift: [13, 77],
            space_to_depth,
        };
        let [blocks, rows, columns] = input.extent(height, width);
        let mut x = Blocked::new(16 * blocks, [rows, columns], 2);
        let bytes = 4 * image.len() + x.bytes();
        moves(&mut group, &format!("pack 640×360 by {space_to_depth}"), bytes, || {
            pack::pack(&cx, &input, &image, height, width, x.write());
        });
        moves(&mut group, &format!("unpack 640×360 by {space_to_depth}"), bytes, || {
            pack::unpack(&cx, &input, x.read(), height, width, &mut image);
        });
    }
    let mix: Vec<f32> = (0..9).map(|i| f32::from(u8::from(i % 4 == 0))).collect();
    let weights: [Vec<f32>; 3] = [2, 4, 8].map(|radius| vec![1.0 / 17.0; radius + 1]);
    let blurs = weights.each_ref().map(|weights| Blur { weights, mix: &mix });
    let (mut target, mut strengths) = (image.clone(), Vec::new());
    moves(&mut group, "three blurs 640×360", 8 * image.len(), || {
        let extent = [3, height, width];
        let all = &mut strengths;
        std::hint::black_box(blur(&cx, &blurs, extent, &image, &mut target, all, &|_| ()));
    });
}

criterion_group!(
    benches,
    convolutions,
    pools,
    normalisations,
    depthwise_convolutions,
    copies,
    geometry,
    images
);
criterion_main!(benches);
