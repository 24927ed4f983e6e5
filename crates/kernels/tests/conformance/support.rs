//! Seeded shapes and values, planes of `f64` to compute definitions on, and the checks.

use kernels::{
    BlockedMap, Context, ConvGeometry, CpuLevel, Destination, MapMut, MapRef, Threads, Vec16,
    WriteMode,
};

/// How far a kernel may be from its definition, relative to the largest value it should make, or to a
/// hundredth of the values it is given if that is larger.
pub(crate) const CLOSE: f64 = 1e-5;

/// How many cases of `all` are run: a few under Miri, which takes a thousand times as long.
pub(crate) const fn cases(all: u64) -> u64 {
    if cfg!(miri) { all / 10 } else { all }
}

/// A small generator (SplitMix64).
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of `range`, both ends included.
    pub(crate) fn within(&mut self, range: std::ops::RangeInclusive<usize>) -> usize {
        range.start() + (self.next() % (range.end() - range.start() + 1) as u64) as usize
    }

    /// A value of −1..1, one of few where ties are wanted.
    pub(crate) fn value(&mut self, ties: bool) -> f64 {
        if ties {
            self.within(0..=4) as f64 - 2.0
        } else {
            f64::from((self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0)
        }
    }
}

/// Channels × height × width of `f64`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planes {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) data: Vec<f64>,
}

impl Planes {
    pub(crate) fn zeros(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width, data: vec![0.0; channels * height * width] }
    }

    /// Zeros of the same extent.
    pub(crate) fn empty(&self) -> Self {
        Self::zeros(self.channels, self.height, self.width)
    }

    pub(crate) fn random(
        channels: usize,
        height: usize,
        width: usize,
        random: &mut Random,
    ) -> Self {
        let ties = random.within(0..=3) == 0;
        let mut planes = Self::zeros(channels, height, width);
        planes.data.fill_with(|| random.value(ties));
        planes
    }

    pub(crate) fn at(&self, c: usize, y: usize, x: usize) -> f64 {
        self.data[(c * self.height + y) * self.width + x]
    }

    pub(crate) fn at_mut(&mut self, c: usize, y: usize, x: usize) -> &mut f64 {
        &mut self.data[(c * self.height + y) * self.width + x]
    }

    /// The map that holds these planes.
    pub(crate) fn map(&self, halo: usize) -> BlockedMap {
        let blocks = self.channels.div_ceil(16);
        BlockedMap::new(blocks, self.height, self.width, halo).expect("a small map")
    }

    /// Every (channel, row, column).
    pub(crate) fn places(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let (height, width) = (self.height, self.width);
        (0..self.channels)
            .flat_map(move |c| (0..height).flat_map(move |y| (0..width).map(move |x| (c, y, x))))
    }

    /// The planes in the layout of `map`.
    pub(crate) fn blocked(&self, map: &BlockedMap) -> Blocked {
        let mut blocked = Blocked::filled(map, Vec16::default());
        for vector in between_blocks(map) {
            blocked.vectors[vector] = Vec16([f32::NAN; 16]);
        }
        for (c, y, x) in self.places() {
            let vector = map.at(c / 16, y as isize, x as isize);
            blocked.vectors[vector].0[c % 16] = self.at(c, y, x) as f32;
        }
        blocked
    }

    /// A random mask.
    pub(crate) fn mask(&self, map: &BlockedMap, random: &mut Random) -> Vec<u16> {
        (0..map.pixels()).map(|_| random.next() as u16).collect()
    }

    /// These planes where the mask has a bit, else 0.
    pub(crate) fn masked(mut self, map: &BlockedMap, mask: &[u16]) -> Self {
        for (c, y, x) in self.places() {
            if mask[map.pixel(c / 16, y, x)] >> (c % 16) & 1 == 0 {
                *self.at_mut(c, y, x) = 0.0;
            }
        }
        self
    }

    pub(crate) fn plus(mut self, other: &Planes) -> Self {
        self.data.iter_mut().zip(&other.data).for_each(|(a, b)| *a += b);
        self
    }
}

/// The vectors that belong to no block and may hold anything.
pub(crate) fn between_blocks(map: &BlockedMap) -> impl Iterator<Item = usize> {
    let own = (map.height() + 2 * map.halo()) * map.pitch();
    let [own, apart] = [own, map.block()];
    (0..map.blocks()).flat_map(move |block| block * apart + own..(block + 1) * apart)
}

/// A map and its vectors.
#[derive(Clone)]
pub(crate) struct Blocked {
    pub(crate) map: BlockedMap,
    pub(crate) vectors: Vec<Vec16>,
}

impl Blocked {
    pub(crate) fn filled(map: &BlockedMap, value: Vec16) -> Self {
        Self { map: *map, vectors: vec![value; map.vectors()] }
    }

    /// What an output holds before a kernel overwrites it.
    pub(crate) fn rubbish(map: &BlockedMap) -> Self {
        Self::filled(map, Vec16([f32::NAN; 16]))
    }

    pub(crate) fn read(&self) -> MapRef<'_> {
        MapRef::new(self.map, &self.vectors)
    }

    pub(crate) fn write(&mut self) -> MapMut<'_> {
        MapMut::new(self.map, &mut self.vectors)
    }

    /// Every bit of every vector.
    pub(crate) fn bits(&self) -> Vec<u32> {
        self.vectors.iter().flat_map(|vector| vector.0.map(f32::to_bits)).collect()
    }
}

/// Checks that the vectors are the planes, and 0 wherever there is no plane.
#[track_caller]
pub(crate) fn assert_close(what: &str, wanted: &Planes, Blocked { map, vectors }: &Blocked) {
    let largest = wanted.data.iter().fold(1e-2f64, |a, b| a.max(b.abs()));
    let mut inside = vec![false; vectors.len() * 16];
    for (c, y, x) in wanted.places() {
        let vector = map.at(c / 16, y as isize, x as isize);
        let (got, wanted) = (f64::from(vectors[vector].0[c % 16]), wanted.at(c, y, x));
        inside[vector * 16 + c % 16] = true;
        assert!(
            (got - wanted).abs() <= CLOSE * largest,
            "{what}: channel {c}, row {y}, column {x} is {got}, not {wanted}"
        );
    }
    for vector in between_blocks(map) {
        inside[16 * vector..][..16].fill(true);
    }
    for (i, inside) in inside.into_iter().enumerate() {
        let value = vectors[i / 16].0[i % 16];
        assert!(inside || value == 0.0, "{what}: {value} beside the picture, vector {i}");
    }
}

/// One run's place: level and threads.
pub(crate) fn contexts() -> Vec<[Context; 2]> {
    let threads: Vec<Threads> = [1, 2].map(|n| Threads::new(n).expect("two threads")).into();
    CpuLevel::available()
        .into_iter()
        .map(|level| [0, 1].map(|i| Context::new(threads[i].clone(), level)))
        .collect()
}

/// Runs `kernel` into rubbish at every level with one and two threads; the result must be `wanted`,
/// byte for byte the same for both.
#[track_caller]
pub(crate) fn check_set(
    what: &str,
    contexts: &[[Context; 2]],
    wanted: &Planes,
    map: &BlockedMap,
    kernel: impl Fn(&Context, &mut Blocked),
) {
    for pair in contexts {
        let [one, two] = pair.each_ref().map(|cx| {
            let mut y = Blocked::rubbish(map);
            kernel(cx, &mut y);
            y
        });
        let what = format!("{what}, {}", pair[0].level());
        assert_close(&what, wanted, &one);
        assert!(one.bits() == two.bits(), "{what}: one and two threads differ");
    }
}

/// Runs a backward kernel that overwrites and that accumulates, with a mask and without; `wanted` is the
/// gradient.
#[track_caller]
pub(crate) fn check_backward(
    what: &str,
    contexts: &[[Context; 2]],
    random: &mut Random,
    wanted: &Planes,
    map: &BlockedMap,
    kernel: impl Fn(&Context, Destination<'_>),
) {
    let before = Planes::random(wanted.channels, wanted.height, wanted.width, random);
    let mask = wanted.mask(map, random);
    for mask in [None, Some(&mask[..])] {
        let masked = |planes: Planes| mask.map_or(planes.clone(), |m| planes.masked(map, m));
        let what = format!("{what}, {}", if mask.is_some() { "masked" } else { "unmasked" });
        let gradient = masked(wanted.clone());
        check_set(&format!("{what}, overwritten"), contexts, &gradient, map, |cx, dx| {
            kernel(cx, Destination::new(dx.write(), WriteMode::Overwrite, mask))
        });
        let sum = masked(wanted.clone().plus(&before));
        check_set(&format!("{what}, accumulated"), contexts, &sum, map, |cx, dx| {
            *dx = before.blocked(map);
            kernel(cx, Destination::new(dx.write(), WriteMode::Accumulate, mask))
        });
    }
}

/// A random window over a picture, with the extent of its output and the padding after.
pub(crate) struct Placed {
    pub(crate) geometry: ConvGeometry,
    pub(crate) output: [usize; 2],
    pub(crate) after: [usize; 2],
}

impl Placed {
    pub(crate) fn random(height: usize, width: usize, largest: usize, random: &mut Random) -> Self {
        let (mut kernels, mut strides, mut dilations) = ([1; 2], [1; 2], [1; 2]);
        let (mut before, mut after, mut outputs) = ([0; 2], [0; 2], [1; 2]);
        for (axis, extent) in [(0, height), (1, width)] {
            loop {
                let kernel = random.within(1..=largest);
                let dilation = if random.within(0..=3) == 0 { 2 } else { 1 };
                let reach = (kernel - 1) * dilation + 1;
                let (first, last) = (random.within(0..=reach - 1), random.within(0..=reach - 1));
                let stride = random.within(1..=3);
                let Some(free) = (extent + first + last).checked_sub(reach) else { continue };
                // Half the windows have a last, partial position too, as Caffe's pooling.
                let mut output = free / stride + 1;
                let ceiling = free.div_ceil(stride) + 1;
                if random.within(0..=1) == 1 && (ceiling - 1) * stride < extent + first {
                    output = ceiling;
                }
                (kernels[axis], strides[axis], dilations[axis]) = (kernel, stride, dilation);
                (before[axis], after[axis], outputs[axis]) = (first, last, output);
                break;
            }
        }
        let geometry = ConvGeometry::new(kernels, strides, dilations, before);
        Self { geometry: geometry.expect("a small window"), output: outputs, after }
    }

    /// Calls `f` with (window row, window column, element, row, column) for every element of every
    /// window on a picture.
    pub(crate) fn each(
        &self,
        height: usize,
        width: usize,
        mut f: impl FnMut([usize; 2], usize, [usize; 2]),
    ) {
        let (kernel, stride) = (self.geometry.kernel(), self.geometry.stride());
        let (dilation, padding) = (self.geometry.dilation(), self.geometry.padding());
        for oy in 0..self.output[0] {
            for ox in 0..self.output[1] {
                for ky in 0..kernel[0] {
                    for kx in 0..kernel[1] {
                        let y = (oy * stride[0] + ky * dilation[0]).wrapping_sub(padding[0]);
                        let x = (ox * stride[1] + kx * dilation[1]).wrapping_sub(padding[1]);
                        if y < height && x < width {
                            f([oy, ox], ky * kernel[1] + kx, [y, x]);
                        }
                    }
                }
            }
        }
    }
}

/// Checks that ReLU's mask says which channels of its output are positive and below `most`.
#[track_caller]
pub(crate) fn assert_mask(what: &str, Blocked { map, vectors }: &Blocked, mask: &[u16], most: f32) {
    for block in 0..map.blocks() {
        for y in 0..map.height() {
            for x in 0..map.width() {
                let vector = vectors[map.at(block, y as isize, x as isize)].0;
                let kept = |x: f32| u16::from(x > 0.0 && x < most);
                let wanted = (0..16).fold(0, |bits, i| bits | kept(vector[i]) << i);
                assert_eq!(mask[map.pixel(block, y, x)], wanted, "{what}: mask at {y}, {x}");
            }
        }
    }
}
