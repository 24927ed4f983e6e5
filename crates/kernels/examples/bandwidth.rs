//! Times the memory-bound kernels at the sizes of Inception on a 640 × 360 picture, at every CPU level,
//! with one and two threads: milliseconds (the least of many runs) and GB/s of what must be moved.

use std::time::{Duration, Instant};

use kernels::lrn::{self, Lrn};
use kernels::pack::{self, InputTransform};
use kernels::{
    BlockedMap, Context, ConvGeometry, CpuLevel, Threads, Vec16, WriteMode, depthwise, elementwise,
    pool,
};

fn main() {
    for level in CpuLevel::available() {
        for threads in [1, 2] {
            let threads = Threads::new(threads).expect("threads start");
            println!("{level}, {} threads", threads.count());
            let cx = Context::new(threads.clone(), level);
            threads.install(|| all(&cx));
        }
    }
}

fn all(cx: &Context) {
    pools(cx, "max 3×3/2 64×180×320", 4, 180, 320, 2);
    pools(cx, "max 3×3/2 192×90×160", 12, 90, 160, 2);
    pools(cx, "max 3×3/2 480×45×80", 30, 45, 80, 2);
    pools(cx, "max 3×3/1 256×45×80", 16, 45, 80, 1);
    pools(cx, "max 3×3/1 512×23×40", 32, 23, 40, 1);
    norm(cx, "LRN 64×90×160", 4, 90, 160);
    norm(cx, "LRN 192×90×160", 12, 90, 160);
    depth(cx, "depthwise 3×3/1 128×90×160", 8, 90, 160, 1);
    depth(cx, "depthwise 3×3/2 128×90×160", 8, 90, 160, 2);
    copies(cx, "192×90×160", 12, 90, 160);
    picture(cx, "picture 640×360", 360, 640, 2);
    picture(cx, "picture 640×360 undivided", 360, 640, 1);
}

/// Prints the least time of `f`, which moves `bytes`.
fn time(what: &str, bytes: usize, mut f: impl FnMut()) {
    let (started, mut least) = (Instant::now(), Duration::MAX);
    while started.elapsed() < Duration::from_millis(150) {
        let run = Instant::now();
        f();
        least = least.min(run.elapsed());
    }
    let seconds = least.as_secs_f64();
    println!("  {what:<44} {:7.3} ms {:6.1} GB/s", seconds * 1e3, bytes as f64 / seconds * 1e-9);
}

/// A map with a halo of 2, and values.
fn filled(blocks: usize, height: usize, width: usize) -> (BlockedMap, Vec<Vec16>) {
    let map = BlockedMap { blocks, height, width, halo: 2 };
    let mut vectors = vec![Vec16::default(); map.vectors()];
    let mut state = 1u32;
    for block in 0..blocks {
        for row in 0..height {
            for column in 0..width {
                vectors[map.at(block, row as isize, column as isize)].0.fill_with(|| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 8) as f32 / (1 << 23) as f32 - 1.0
                });
            }
        }
    }
    (map, vectors)
}

fn pools(cx: &Context, what: &str, blocks: usize, height: usize, width: usize, stride: usize) {
    let before = if stride == 1 { 1 } else { 0 };
    let geometry =
        ConvGeometry { kernel: [3; 2], stride: [stride; 2], dilation: [1; 2], before: [before; 2] };
    let (xm, x) = filled(blocks, height, width);
    let (ym, mut y) = filled(blocks, height.div_ceil(stride), width.div_ceil(stride));
    let (mut dx, mut argmax) = (x.clone(), vec![0; ym.pixels() * 16]);
    let mask = vec![0xaaaa; xm.pixels()];
    let bytes = xm.pixels() * 64 + ym.pixels() * 80;
    time(&format!("{what} forward"), bytes + ym.pixels() * 64, || {
        pool::max_forward(cx, &geometry, &xm, &x, &ym, &mut y, &mut argmax);
    });
    time(&format!("{what} backward"), bytes + xm.pixels() * 66, || {
        let mask = Some(&mask[..]);
        pool::max_backward(
            cx,
            &geometry,
            &ym,
            &y,
            &argmax,
            &xm,
            &mut dx,
            WriteMode::Overwrite,
            mask,
        );
    });
}

fn norm(cx: &Context, what: &str, blocks: usize, height: usize, width: usize) {
    let settings = Lrn { size: 5, alpha: 2e-5, beta: 0.75, bias: 1.0 };
    let (map, x) = filled(blocks, height, width);
    let (mut y, dy) = (x.clone(), x.clone());
    let bytes = map.pixels() * 64;
    time(&format!("{what} forward"), 3 * bytes, || {
        lrn::forward(cx, &settings, blocks * 16, &map, &x, &map, &mut y);
    });
    time(&format!("{what} backward"), 4 * bytes, || {
        let channels = blocks * 16;
        lrn::backward(
            cx,
            &settings,
            channels,
            &map,
            &x,
            &map,
            &dy,
            &map,
            &mut y,
            WriteMode::Overwrite,
            None,
        );
    });
}

fn depth(cx: &Context, what: &str, blocks: usize, height: usize, width: usize, stride: usize) {
    let geometry =
        ConvGeometry { kernel: [3; 2], stride: [stride; 2], dilation: [1; 2], before: [1; 2] };
    let (xm, x) = filled(blocks, height, width);
    let (ym, mut y) = filled(blocks, height.div_ceil(stride), width.div_ceil(stride));
    let (mut dx, weights) = (x.clone(), &x[..9 * blocks]);
    let mut mask = vec![0; ym.pixels()];
    let bytes = (xm.pixels() + ym.pixels()) * 64;
    time(&format!("{what} forward"), bytes + ym.pixels() * 64, || {
        let (bias, mask) = (&x[..blocks], Some(&mut mask[..]));
        depthwise::forward(cx, &geometry, weights, bias, true, &xm, &x, &ym, &mut y, mask);
    });
    time(&format!("{what} backward"), bytes + xm.pixels() * 64, || {
        depthwise::backward(
            cx,
            &geometry,
            weights,
            &ym,
            &y,
            &xm,
            &mut dx,
            WriteMode::Overwrite,
            None,
        );
    });
}

fn copies(cx: &Context, what: &str, blocks: usize, height: usize, width: usize) {
    let (map, x) = filled(blocks, height, width);
    let mut y = x.clone();
    let bytes = map.pixels() * 64;
    time(&format!("copy {what}"), 3 * bytes, || {
        elementwise::copy(cx, &map, &x, &map, &mut y, WriteMode::Overwrite, None);
    });
    time(&format!("accumulate {what}"), 3 * bytes, || {
        elementwise::copy(cx, &map, &x, &map, &mut y, WriteMode::Accumulate, None);
    });
    let mut mask = vec![0; map.pixels()];
    time(&format!("relu {what}"), 3 * bytes, || {
        elementwise::relu_forward(cx, &map, &x, &map, &mut y, &mut mask);
    });
    time(&format!("apply mask {what}"), 2 * bytes, || {
        elementwise::apply_mask(cx, &map, &mut y, &mask);
    });
    time(&format!("half sum of squares {what}"), bytes, || {
        std::hint::black_box(elementwise::half_sum_squares(cx, &map, &x));
    });
    let sources: Vec<usize> = (0..blocks * 16).map(|i| (i + 8) % (blocks * 16)).collect();
    time(&format!("gather_channels {what}"), 3 * bytes, || {
        elementwise::gather_channels(
            cx,
            &sources,
            &map,
            &x,
            &map,
            &mut y,
            WriteMode::Overwrite,
            None,
        );
    });
    let channels: Vec<usize> = (0..blocks * 16).collect();
    let mut planes = vec![0.0; map.pixels() * 16];
    time(&format!("to planes {what}"), 3 * bytes, || {
        pack::to_planes(cx, &map, &x, &channels, &mut planes);
    });
    time(&format!("from planes {what}"), 3 * bytes, || {
        pack::from_planes(cx, &planes, &channels, &map, &mut y, WriteMode::Overwrite);
    });
}

fn picture(cx: &Context, what: &str, height: usize, width: usize, depth: usize) {
    let input = InputTransform {
        channels: 3,
        source: [0, 1, 2, 0],
        mean: [117.0; 4],
        scale: [1.0; 4],
        shift: [13, 77],
        space_to_depth: depth,
    };
    let mut picture = vec![1.0; 3 * height * width];
    let [blocks, rows, columns] = input.extent(height, width);
    let (map, mut x) = filled(blocks, rows, columns);
    let bytes = picture.len() * 4 + map.pixels() * 64;
    time(&format!("pack {what}"), bytes + map.pixels() * 64, || {
        pack::pack(cx, &input, &picture, height, width, &map, &mut x);
    });
    time(&format!("unpack {what}"), bytes + picture.len() * 4, || {
        pack::unpack(cx, &input, &map, &x, height, width, &mut picture);
    });
}
