//! Convolutions on generated problems, direct and by Winograd's algorithm, in both directions.

use std::sync::Arc;

use kernels::conv::{Call, Direct, Filters, Output, Phase, Placed, SharedMap, SharedMask, run};
use kernels::winograd::{Keep, Winograd};
use kernels::{BlockedMap, Context, ConvGeometry, CpuLevel, Relu, Threads, Vec16, WriteMode};

use crate::support::{Blocked, Random, between_blocks, cases, contexts};

/// Error of one convolution, beside the magnitudes of what it adds up.
const ONE_CONVOLUTION: f64 = 1e-7;
/// The same by Winograd's algorithm with tiles of six.
const ONE_WINOGRAD_OF_SIX: f64 = 1e-6;
/// The same by Winograd's algorithm with tiles of eight.
const ONE_WINOGRAD_OF_EIGHT: f64 = 2e-6;

fn values(random: &mut Random, count: usize) -> Vec<f32> {
    (0..count).map(|_| random.value(false) as f32).collect()
}

/// A convolution problem that knows its own answer.
#[derive(Clone, Debug)]
struct Problem {
    geometry: ConvGeometry,
    groups: usize,
    ins: usize,
    outs: usize,
    input: [usize; 2],
    output: [usize; 2],
    weights: Vec<f32>,
    bias: Vec<f32>,
    in_slots: Vec<usize>,
    out_slots: Vec<usize>,
}

impl Problem {
    fn new(
        random: &mut Random,
        geometry: ConvGeometry,
        groups: usize,
        per_group: [usize; 2],
    ) -> Self {
        let reach = |axis: usize| (geometry.kernel()[axis] - 1) * geometry.dilation()[axis] + 1;
        let after = [random.within(0..=2), random.within(0..=2)];
        let extent = |axis: usize, random: &mut Random| {
            let least = reach(axis).saturating_sub(geometry.padding()[axis] + after[axis]).max(1);
            random.within(least..=least + 17)
        };
        let input = [extent(0, random), extent(1, random)];
        let output = [0, 1].map(|axis| {
            (input[axis] + geometry.padding()[axis] + after[axis] - reach(axis))
                / geometry.stride()[axis]
                + 1
        });
        let (ins, outs) = (groups * per_group[0], groups * per_group[1]);
        let area = geometry.elements();
        Self {
            weights: values(random, outs * per_group[0] * area),
            bias: values(random, outs),
            in_slots: slots(random, ins),
            out_slots: slots(random, outs),
            geometry,
            groups,
            ins,
            outs,
            input,
            output,
        }
    }

    fn filters(&self) -> Filters<'_> {
        let (weights, bias) = (&self.weights, &self.bias);
        Filters::new(self.geometry, self.groups, weights, bias, &self.in_slots, &self.out_slots)
    }

    /// Calls `f(input index, weight, output index)` for every product.
    fn products(&self, mut f: impl FnMut(usize, f64, usize)) {
        let (kernel, stride) = (self.geometry.kernel(), self.geometry.stride());
        let (dilation, before) = (self.geometry.dilation(), self.geometry.padding());
        let (outs, ins) = (self.outs / self.groups, self.ins / self.groups);
        for o in 0..self.outs {
            for i in 0..ins {
                for k in 0..kernel[0] * kernel[1] {
                    let weight = self.weights[(o * ins + i) * kernel[0] * kernel[1] + k];
                    for p in 0..self.output[0] * self.output[1] {
                        let (oy, ox) = (p / self.output[1], p % self.output[1]);
                        let y = oy * stride[0] + k / kernel[1] * dilation[0];
                        let x = ox * stride[1] + k % kernel[1] * dilation[1];
                        if y < before[0] || x < before[1] {
                            continue;
                        }
                        let (y, x) = (y - before[0], x - before[1]);
                        if y < self.input[0] && x < self.input[1] {
                            let channel = o / outs * ins + i;
                            let from = (channel * self.input[0] + y) * self.input[1] + x;
                            f(from, f64::from(weight), o * self.output[0] * self.output[1] + p);
                        }
                    }
                }
            }
        }
    }
}

/// Slots for `channels`, one after the other or with holes.
fn slots(random: &mut Random, channels: usize) -> Vec<usize> {
    if random.within(0..=2) > 0 || channels < 2 {
        return (0..channels).collect();
    }
    let cut = random.within(1..=channels - 1);
    let second = cut.next_multiple_of(16);
    (0..cut).chain((0..channels - cut).map(|c| second + c)).collect()
}

fn map(slots: &[usize], extent: [usize; 2], halo: usize) -> BlockedMap {
    let blocks = slots[slots.len() - 1] / 16 + 1;
    BlockedMap::new(blocks, extent[0], extent[1], halo).expect("a small map")
}

fn blocked(map: &BlockedMap, slots: &[usize], values: &[f32]) -> Blocked {
    let mut to = Blocked::filled(map, Vec16::default());
    for (channel, slot) in slots.iter().enumerate() {
        for p in 0..map.height() * map.width() {
            let (row, column) = ((p / map.width()) as isize, (p % map.width()) as isize);
            let value = values[channel * map.height() * map.width() + p];
            to.vectors[map.at(slot / 16, row, column)].0[slot % 16] = value;
        }
    }
    to
}

/// The values of a map; its halo and the slots that hold no channel must be zero.
fn unblocked(slots: &[usize], from: &Blocked) -> Vec<f32> {
    let map = &from.map;
    let plane = map.height() * map.width();
    let mut values = vec![0.0; slots.len() * plane];
    let mut rest = from.vectors.clone();
    for (channel, slot) in slots.iter().enumerate() {
        for p in 0..plane {
            let (row, column) = ((p / map.width()) as isize, (p % map.width()) as isize);
            let value = &mut rest[map.at(slot / 16, row, column)].0[slot % 16];
            values[channel * plane + p] = std::mem::take(value);
        }
    }
    between_blocks(map).for_each(|vector| rest[vector] = Vec16::default());
    assert!(rest.iter().all(|vector| vector.0 == [0.0; 16]), "halo or unused slots are not zero");
    values
}

/// Sums, and what the magnitudes of their summands add up to: where these cancel, a sum is small beside its rounding.
struct Sums {
    values: Vec<f64>,
    magnitudes: Vec<f64>,
}

impl Sums {
    /// Sums that start from these values.
    fn from(values: impl Iterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.collect();
        Self { magnitudes: values.iter().map(|x| x.abs()).collect(), values }
    }

    fn add(&mut self, index: usize, summand: f64) {
        self.values[index] += summand;
        self.magnitudes[index] += summand.abs();
    }

    /// How far the values found are from these, beside the magnitudes: a quotient of L2 norms.
    fn error(&self, found: &[f32]) -> f64 {
        let norm =
            |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
        let off = norm(&mut found.iter().zip(&self.values).map(|(&a, b)| f64::from(a) - b));
        off / norm(&mut self.magnitudes.iter().copied()).max(1e-30)
    }
}

/// How a problem is run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Direct,
    /// With tiles of so many inputs.
    Winograd(usize, Keep),
}

/// Runs `phases` from `x` to a map `ym`, whose values it adds to if there are any `before`; where the
/// phases leave gaps, it is zero before them. Returns the output and the mask of a ReLU.
fn convolve(
    (cx, way): (&Context, Way),
    phases: &[Phase<'_>],
    x: &Blocked,
    (ym, before, gaps): (&BlockedMap, Option<&Blocked>, bool),
    relu: Option<f32>,
    mask: Option<&[u16]>,
) -> (Blocked, Vec<u16>) {
    let filled = if gaps { 0.0 } else { 7.0 };
    let mut y = before.cloned().unwrap_or_else(|| Blocked::filled(ym, Vec16([filled; 16])));
    let mut positive = vec![0; ym.pixels()];
    let mode = if before.is_some() { WriteMode::Accumulate } else { WriteMode::Overwrite };
    let (target, relu_mask) = (
        SharedMap::new(y.write()),
        SharedMask::new(Relu { mask: &mut positive, most: relu.unwrap_or(0.0) }),
    );
    let relu_mask = relu.map(|_| &relu_mask);
    let output = Output { y: &target, mode, bias: before.is_none(), relu_mask, mask };
    if let Way::Winograd(tile, keep) = way {
        let conv = Winograd::new(&phases[0], tile, keep, cx).unwrap();
        conv.run(cx, x.read(), &output);
        return (y, positive);
    }
    let place = |(index, phase): (usize, &Phase<'_>)| {
        Placed::new(Arc::new(Direct::new(phase, cx).unwrap()), x.map, *ym, index == 0)
    };
    let placed: Vec<_> = phases.iter().enumerate().map(place).collect();
    let calls: Vec<_> = placed.iter().map(|placed| Call::new(placed, x.read(), output)).collect();
    run(cx, &calls);
    (y, positive)
}

fn check(problem: &Problem, way: Way, random: &mut Random, bound: f64) {
    let x = values(random, problem.ins * problem.input[0] * problem.input[1]);
    let dy = values(random, problem.outs * problem.output[0] * problem.output[1]);
    let filters = problem.filters();
    let (forward, backward) = ([filters.forward()], filters.backward());
    let gaps = problem.geometry.has_gaps();
    assert_eq!(backward.len(), problem.geometry.backward_phases());

    let plane = problem.output[0] * problem.output[1];
    let mut sums = Sums::from((0..dy.len()).map(|i| f64::from(problem.bias[i / plane])));
    let mut gradient = Sums::from(x.iter().map(|_| 0.0));
    let mut added = Sums::from(x.iter().copied().map(f64::from));
    problem.products(|from, weight, to| {
        sums.add(to, f64::from(x[from]) * weight);
        gradient.add(from, f64::from(dy[to]) * weight);
        added.add(from, f64::from(dy[to]) * weight);
    });
    // Where it ends, some of a ReLU is left.
    let half = sums.values.iter().fold(0.0f64, |a, b| a.max(*b)) as f32 / 2.0;

    let mut first: Option<(CpuLevel, Vec<u32>, Vec<u32>)> = None;
    for cx in contexts().into_iter().flatten() {
        if way != Way::Direct && cx.level() == CpuLevel::Scalar {
            continue;
        }
        let (halo_x, halo_y) = match way {
            Way::Direct => (
                problem.geometry.forward_halo(problem.input, problem.output),
                problem.geometry.backward_halo(problem.output, problem.input),
            ),
            Way::Winograd(..) => (0, 1),
        };
        let xm = map(&problem.in_slots, problem.input, halo_x);
        let ym = map(&problem.out_slots, problem.output, halo_y);
        let bx = blocked(&xm, &problem.in_slots, &x);
        let bdy = blocked(&ym, &problem.out_slots, &dy);

        let (y, _) = convolve((&cx, way), &forward, &bx, (&ym, None, false), None, None);
        let plain = unblocked(&problem.out_slots, &y);
        let off = sums.error(&plain);
        assert!(off <= bound, "forward {off:e} at {} {way:?}: {problem:?}", cx.level());

        for most in [f32::INFINITY, half] {
            let place = (&ym, None, false);
            let (y, kept) = convolve((&cx, way), &forward, &bx, place, Some(most), None);
            let values = unblocked(&problem.out_slots, &y);
            let clamped = plain.iter().map(|x| x.max(0.0).min(most));
            assert!(values.iter().copied().eq(clamped), "ReLU at {}: {problem:?}", cx.level());
            let bits: u32 = kept.iter().map(|mask| mask.count_ones()).sum();
            let within = |x: &&f32| **x > 0.0 && **x < most;
            assert_eq!(bits as usize, values.iter().filter(within).count());
        }

        let (dx, _) = convolve((&cx, way), &backward, &bdy, (&xm, None, gaps), None, None);
        let plain = unblocked(&problem.in_slots, &dx);
        let off = gradient.error(&plain);
        assert!(off <= bound, "backward {off:e} at {} {way:?}: {problem:?}", cx.level());

        let mask: Vec<u16> = (0..xm.pixels()).map(|_| random.next() as u16).collect();
        let (dx, _) = convolve((&cx, way), &backward, &bdy, (&xm, None, gaps), None, Some(&mask));
        let area = xm.height() * xm.width();
        let kept = |i: usize| {
            let slot = problem.in_slots[i / area];
            mask[slot / 16 * area + i % area] >> (slot % 16) & 1 == 1
        };
        let masked = plain.iter().enumerate().map(|(i, &g)| if kept(i) { g } else { 0.0 });
        let values = unblocked(&problem.in_slots, &dx);
        assert!(values.into_iter().eq(masked), "masked at {} {way:?}: {problem:?}", cx.level());

        let (dx, _) = convolve((&cx, way), &backward, &bdy, (&xm, Some(&bx), gaps), None, None);
        let off = added.error(&unblocked(&problem.in_slots, &dx));
        assert!(off <= bound, "adding {off:e} at {} {way:?}: {problem:?}", cx.level());

        match &first {
            Some((level, y1, dx1)) if *level == cx.level() => {
                assert!(
                    *y1 == y.bits() && *dx1 == dx.bits(),
                    "threads change the result: {problem:?}"
                );
            }
            _ => first = Some((cx.level(), y.bits(), dx.bits())),
        }
    }
}

#[test]
fn direct_convolutions_are_their_definition() {
    let mut random = Random(1);
    for _ in 0..cases(60) {
        let kernel = [random.within(1..=7), random.within(1..=7)];
        let stride = [random.within(1..=3), random.within(1..=3)];
        let dilation = [random.within(1..=2), random.within(1..=2)];
        let padding = [random.within(0..=kernel[0] - 1), random.within(0..=kernel[1] - 1)];
        let geometry = ConvGeometry::new(kernel, stride, dilation, padding).unwrap();
        let groups = [1, 1, 1, 2, 5][random.within(0..=4)];
        let channels = [random.within(1..=40), random.within(1..=70)];
        let problem = Problem::new(&mut random, geometry, groups, channels);
        check(&problem, Way::Direct, &mut random, ONE_CONVOLUTION);
    }
}

#[test]
fn far_strides_have_no_more_phases_than_the_window_has_elements() {
    let mut random = Random(3);
    for (kernel, stride, dilation) in [(1, 1000, 1), (2, 1 << 20, 3), (3, 6, 4), (2, 2, 2)] {
        let geometry = ConvGeometry::new([kernel; 2], [stride; 2], [dilation; 2], [0; 2]).unwrap();
        assert!(geometry.has_gaps() && geometry.backward_phases() <= kernel * kernel);
        if stride < 10 {
            let problem = Problem::new(&mut random, geometry, 1, [5, 20]);
            check(&problem, Way::Direct, &mut random, ONE_CONVOLUTION);
        }
    }
    let dense = ConvGeometry::new([3; 2], [2; 2], [1; 2], [1; 2]).unwrap();
    assert!(!dense.has_gaps() && dense.backward_phases() == 4);
}

#[test]
fn more_threads_than_rows_and_groups_change_nothing() {
    let mut random = Random(4);
    for kernel in [1, 3] {
        let pad = kernel / 2;
        let geometry = ConvGeometry::new([kernel; 2], [1; 2], [1; 2], [pad; 2]).unwrap();
        let mut problem = Problem::new(&mut random, geometry, 1, [20, 30]);
        (problem.input, problem.output) = ([2, 9], [2, 9]);
        let x = values(&mut random, problem.ins * 18);
        for level in CpuLevel::available() {
            let [one, many] = [1, 8].map(|count| {
                let cx = Context::new(Threads::new(count).expect("eight threads"), level);
                let x = blocked(&map(&problem.in_slots, [2, 9], pad), &problem.in_slots, &x);
                let ym = map(&problem.out_slots, [2, 9], 3);
                let place = (&ym, None, false);
                let forward = [problem.filters().forward()];
                convolve((&cx, Way::Direct), &forward, &x, place, None, None).0
            });
            // The halo is zero, too, whoever cleared it.
            assert_eq!(unblocked(&problem.out_slots, &one), unblocked(&problem.out_slots, &many));
        }
    }
}

/// As the branches of a block do on the way back.
#[test]
fn convolutions_that_add_to_one_map_do_so_in_their_order_on_any_number_of_threads() {
    let (mut random, extent) = (Random(7), [2, 9]);
    let geometry = ConvGeometry::new([1; 2], [1; 2], [1; 2], [0; 2]).unwrap();
    // The last has its outputs in other groups, since few see the same inputs.
    let problems = [(1, [40, 90]), (1, [40, 90]), (5, [8, 18])].map(|(groups, channels)| {
        let mut problem = Problem::new(&mut random, geometry, groups, channels);
        (problem.in_slots, problem.out_slots) = ((0..40).collect(), (0..90).collect());
        problem
    });
    let [xm, ym] = [40, 90].map(|channels| map(&[channels - 1], extent, 0));
    let slots: Vec<usize> = (0..40).collect();
    let x = blocked(&xm, &slots, &values(&mut random, 40 * 18));
    let sums = |cx: &Context, problems: &[Problem], at_once: bool| {
        let mut y = Blocked::filled(&ym, Vec16([7.0; 16]));
        let target = SharedMap::new(y.write());
        let place = |(index, problem): (usize, &Problem)| {
            let conv = Direct::new(&problem.filters().forward(), cx).unwrap();
            Placed::new(Arc::new(conv), xm, ym, index == 0)
        };
        let placed: Vec<_> = problems.iter().enumerate().map(place).collect();
        let modes = [WriteMode::Overwrite, WriteMode::Accumulate, WriteMode::Accumulate];
        let call = |(placed, mode)| {
            let output = Output { y: &target, mode, bias: false, relu_mask: None, mask: None };
            Call::new(placed, x.read(), output)
        };
        let calls: Vec<_> = placed.iter().zip(modes).map(call).collect();
        calls.chunks(if at_once { calls.len() } else { 1 }).for_each(|calls| run(cx, calls));
        y.bits()
    };
    for level in CpuLevel::available() {
        let [one, many] =
            [1, 8].map(|count| Context::new(Threads::new(count).expect("eight threads"), level));
        for some in [&problems[..2], &problems[1..]] {
            let in_turn = sums(&one, some, false);
            assert!(sums(&one, some, true) == in_turn, "one thread at {level}");
            assert!(sums(&many, some, true) == in_turn, "eight threads at {level}");
        }
    }
}

#[test]
fn winograd_is_the_definition_within_its_bound() {
    let mut random = Random(2);
    for round in 0..cases(40) {
        let size = 2 + round as usize % 4;
        let padding = [random.within(0..=size - 1), random.within(0..=size - 1)];
        let geometry = ConvGeometry::new([size; 2], [1; 2], [1; 2], padding).unwrap();
        let channels = [random.within(1..=70), random.within(1..=70)];
        let problem = Problem::new(&mut random, geometry, 1, channels);
        for (tile, bound) in [(6, ONE_WINOGRAD_OF_SIX), (8, ONE_WINOGRAD_OF_EIGHT)] {
            for keep in [Keep::Transformed, Keep::Plain] {
                check(&problem, Way::Winograd(tile, keep), &mut random, bound);
            }
        }
    }
}

/// A convolution to so many `output` pixels, and its input.
fn sized(
    random: &mut Random,
    size: usize,
    channels: [usize; 2],
    output: [usize; 2],
) -> (Problem, Blocked) {
    let geometry = ConvGeometry::new([size; 2], [1; 2], [1; 2], [1, 0]).unwrap();
    let mut problem = Problem::new(random, geometry, 1, channels);
    (problem.input, problem.output) = ([output[0] + size - 2, output[1] + size - 1], output);
    let values = values(random, problem.ins * problem.input[0] * problem.input[1]);
    let x = blocked(&map(&problem.in_slots, problem.input, 0), &problem.in_slots, &values);
    (problem, x)
}

/// The output and the mask of a ReLU that ends at 1.
fn clamped(problem: &Problem, cx: &Context, way: Way, x: &Blocked) -> (Vec<f32>, Vec<u16>) {
    let ym = map(&problem.out_slots, problem.output, 0);
    let phases = [problem.filters().forward()];
    let (y, mask) = convolve((cx, way), &phases, x, (&ym, None, false), Some(1.0), None);
    (unblocked(&problem.out_slots, &y), mask)
}

/// Contexts in which Winograd's algorithm is used.
fn winograd_contexts() -> impl Iterator<Item = Context> {
    contexts().into_iter().flatten().filter(|cx| cx.level() != CpuLevel::Scalar)
}

#[test]
fn winograd_gives_the_same_however_its_weights_are_kept() {
    let mut random = Random(3);
    for round in 0..cases(6) {
        // Tiles for several panels.
        let (problem, x) = sized(&mut random, 2 + round as usize % 4, [40, 70], [40, 50]);
        for (tile, cx) in winograd_contexts().flat_map(|cx| [(6, cx.clone()), (8, cx)]) {
            let run = |keep| clamped(&problem, &cx, Way::Winograd(tile, keep), &x);
            let same = run(Keep::Transformed) == run(Keep::Plain);
            assert!(same, "{tile} at {}: {problem:?}", cx.level());
        }
    }
}

/// So many inputs that those of all tiles are not transformed at once.
#[test]
#[cfg_attr(miri, ignore = "it takes too long")]
fn winograd_gives_the_same_however_many_tiles_are_transformed_at_once() {
    let (problem, x) = sized(&mut Random(5), 3, [512, 20], [70, 90]);
    for cx in winograd_contexts() {
        let run = |keep| clamped(&problem, &cx, Way::Winograd(8, keep), &x);
        assert!(run(Keep::Transformed) == run(Keep::Plain), "{}", cx.level());
    }
}

/// A thread that waits for others in the middle of one convolution may be given another one.
#[test]
fn several_convolutions_share_a_pool_of_threads() {
    let (problem, x) = sized(&mut Random(6), 3, [40, 70], [20, 20]);
    for cx in winograd_contexts() {
        for keep in [Keep::Transformed, Keep::Plain] {
            let run = || clamped(&problem, &cx, Way::Winograd(6, keep), &x);
            let alone = run();
            let caller = || {
                for _ in 0..cases(50) {
                    assert!(cx.threads().install(run) == alone, "{keep:?} at {}", cx.level());
                }
            };
            std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(caller))));
        }
    }
}
