//! Attention: each position's mean of all positions' values, weighted by how its query meets their keys
//! (Vaswani et al. 2017).
//!
//! Heads are groups of channels, positions are pixels. The weights of all pairs of positions never lie in memory
//! together: sixteen positions at a time meet all others, and the backward pass computes weights anew.

mod dense;
mod products;

use crate::scratch::Scratch;
use crate::shared_ptr::SharedPtr;
use crate::simd::{Simd, for_level};
use crate::{BlockedMap, Context, Destination, MapMut, MapRef, Vec16};
use dense::{Dense, Heads, pack, unpack};
use products::{multiply, softmax, transposed, weights_of};

/// How the channels of queries, keys and values are divided. Channel `c` lies in slot `c`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attention {
    /// How many groups of channels attend by themselves.
    pub heads: usize,
    /// Channels of queries and keys in each.
    pub keys: usize,
    /// Channels of values, and of the result, in each.
    pub values: usize,
    /// What products of queries and keys are multiplied by.
    pub scale: f32,
}

/// Which of an attention's three inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The queries.
    Queries,
    /// The keys.
    Keys,
    /// The values.
    Values,
}

/// Queries are taken together by so many: a vector has one of each.
const LANES: usize = 16;

impl Attention {
    fn keys(&self) -> Heads {
        Heads { count: self.heads, channels: self.keys }
    }

    fn values(&self) -> Heads {
        Heads { count: self.heads, channels: self.values }
    }

    /// Asserts that the maps have the channels, and that keys and values have the same positions.
    #[track_caller]
    fn check(&self, q: &BlockedMap, k: &BlockedMap, v: &BlockedMap, y: &BlockedMap) {
        for (map, heads) in
            [(q, self.keys()), (k, self.keys()), (v, self.values()), (y, self.values())]
        {
            assert_eq!(map.blocks(), heads.blocks(), "the channels of the heads");
        }
        let extent = |map: &BlockedMap| [map.height(), map.width()];
        assert_eq!(extent(k), extent(v), "keys and values have the same positions");
        assert_eq!(extent(q), extent(y), "results have the queries' positions");
    }
}

/// Bytes that the thread that calls keeps for the whole of the work, at the most, for so many queries, and keys
/// with values.
pub fn call_bytes(attention: &Attention, queries: usize, keys: usize) -> u64 {
    (Layout::new(attention, queries, keys).backward() * size_of::<Vec16>()) as u64
}

/// Bytes that each thread works in, that which calls too, at the most.
pub fn scratch_bytes(attention: &Attention, queries: usize, keys: usize) -> u64 {
    let own = 2 * queries.max(keys) + 3 * (attention.keys + attention.values);
    (own * size_of::<Vec16>()) as u64
}

/// `y` = for each query the mean of `v`, weighted by the softmax of `scale` · `q` · `k` over all keys.
///
/// # Panics
/// If the maps do not have the channels and positions of each other.
pub fn forward(cx: &Context, attention: &Attention, [q, k, v]: [MapRef<'_>; 3], y: MapMut<'_>) {
    attention.check(q.map(), k.map(), v.map(), y.map());
    let layout = Layout::new(attention, positions(q.map()), positions(k.map()));
    let mut scratch = Scratch::new(layout.forward());
    let mut rest = scratch.as_mut_slice(layout.forward());
    let [queries, keys, values, result] =
        [layout.queries, layout.keys, layout.values, layout.result]
            .map(|dense| dense.of(&mut rest));
    for (map, dense) in [(q, queries), (k, keys), (v, values)] {
        pack(cx, map, dense);
    }
    let tiles = layout.queries.positions.div_ceil(LANES);
    let work = Forward { attention: *attention, queries, keys, values, result, tiles };
    cx.threads().for_each(attention.heads * tiles, |task| {
        // SAFETY: the level is the context's, which the processor has; each task writes rows of its own.
        unsafe { forward_for_level(cx.level(), &(work, task)) }
    });
    unpack(cx, result, Destination::overwrite(y));
}

/// The gradients of [`forward`], from [`backward`].
pub struct Gradients {
    scratch: Scratch,
    layout: Layout,
}

impl Gradients {
    /// Writes the gradient with respect to one of the inputs.
    ///
    /// # Panics
    /// If the map is not that input's.
    pub fn write(&mut self, cx: &Context, input: Input, dx: Destination<'_>) {
        let mut rest = self.scratch.as_mut_slice(self.layout.backward());
        let [_, _, _, _, queries, keys, values] =
            self.layout.all().map(|dense| dense.of(&mut rest));
        let dense = match input {
            Input::Queries => queries,
            Input::Keys => keys,
            Input::Values => values,
        };
        assert_eq!(positions(dx.map()), dense.positions, "the input's positions");
        assert_eq!(dx.map().blocks(), dense.heads.blocks(), "the input's channels");
        unpack(cx, dense, dx);
    }
}

/// The gradients with respect to all three inputs, for the gradient `dy` of the result.
///
/// With weights p, g = the product of `dy` and a value, and d = Σ p · g for each query: that of a value is
/// Σ p · `dy`, and that of a product of a query and a key is p · (g − d).
///
/// # Panics
/// As [`forward`].
pub fn backward(
    cx: &Context,
    attention: &Attention,
    [q, k, v]: [MapRef<'_>; 3],
    dy: MapRef<'_>,
) -> Gradients {
    attention.check(q.map(), k.map(), v.map(), dy.map());
    let layout = Layout::new(attention, positions(q.map()), positions(k.map()));
    let mut scratch = Scratch::new(layout.backward());
    let mut rest = scratch.as_mut_slice(layout.backward());
    let [queries, keys, values, result, dq, dk, dv] = layout.all().map(|dense| dense.of(&mut rest));
    for (map, dense) in [(q, queries), (k, keys), (v, values), (dy, result)] {
        pack(cx, map, dense);
    }
    let tiles =
        [layout.queries.positions, layout.keys.positions].map(|count| count.div_ceil(LANES));
    let statistics = SharedPtr::of(rest);
    let attention = *attention;
    let work = Backward { attention, queries, keys, values, result, dq, dk, dv, statistics, tiles };
    for way in [Way::ByQuery, Way::ByKey] {
        let tiles = tiles[way as usize];
        cx.threads().for_each(attention.heads * tiles, |task| {
            // SAFETY: the level is the context's, which the processor has; each task writes rows and
            // statistics of its own.
            unsafe { backward_for_level(cx.level(), &(work, way, task)) }
        });
    }
    Gradients { scratch, layout }
}

fn positions(map: &BlockedMap) -> usize {
    map.height() * map.width()
}

/// What lies in the memory of a call, one after the other.
#[derive(Clone, Copy)]
struct Layout {
    queries: Dense,
    keys: Dense,
    values: Dense,
    /// The result, or its gradient.
    result: Dense,
    /// Vectors of what the backward pass keeps for each query: the largest product, one over the sum of
    /// exponentials, and what all gradients have too much.
    statistics: usize,
}

impl Layout {
    fn new(attention: &Attention, queries: usize, keys: usize) -> Self {
        let statistics = 3 * attention.heads * queries.div_ceil(LANES);
        let [of_keys, of_values] = [attention.keys(), attention.values()];
        Self {
            queries: Dense::new(of_keys, queries),
            keys: Dense::new(of_keys, keys),
            values: Dense::new(of_values, keys),
            result: Dense::new(of_values, queries),
            statistics,
        }
    }

    fn forward(&self) -> usize {
        [self.queries, self.keys, self.values, self.result]
            .map(|dense| dense.vectors())
            .iter()
            .sum()
    }

    /// The inputs, the result's gradient, and the inputs' gradients.
    fn all(&self) -> [Dense; 7] {
        let Self { queries, keys, values, result, .. } = *self;
        [queries, keys, values, result, queries, keys, values]
    }

    fn backward(&self) -> usize {
        self.all().map(|dense| dense.vectors()).iter().sum::<usize>() + self.statistics
    }
}

#[derive(Clone, Copy)]
struct Forward {
    attention: Attention,
    queries: Dense,
    keys: Dense,
    values: Dense,
    result: Dense,
    tiles: usize,
}

for_level! {
    unsafe fn forward_for_level((Forward, usize)) = forward_tile
}

/// Sixteen queries of a head against all keys.
///
/// # Safety
/// The processor has the level, and the task's rows of the result are the caller's alone.
#[inline(always)]
unsafe fn forward_tile<S: Simd>((work, task): &(Forward, usize)) {
    let Forward { attention, queries, keys, values, result, tiles } = *work;
    let (head, first) = (task / tiles, task % tiles * LANES);
    let mut scratch = Scratch::new(keys.positions + attention.keys + attention.values);
    // SAFETY: heads and positions lie in the memory that was packed, and the parts of the scratch in it.
    unsafe {
        let weights = scratch.as_mut_ptr().cast::<f32>();
        let query = weights.add(LANES * keys.positions);
        let sums = query.add(LANES * attention.keys);
        transposed(queries, head, first, query);
        multiply::<S>(keys.by_position(head), query, attention.keys, weights, keys.positions);
        let (_, share) = softmax::<S>(attention.scale, weights, keys.positions);
        multiply::<S>(values.by_channel(head), weights, keys.positions, sums, attention.values);
        for channel in 0..attention.values {
            let at = sums.add(LANES * channel);
            S::store(at, S::mul(S::load(at), share));
        }
        result.put(head, first, sums);
    }
}

/// Whose gradients a part of the backward pass makes, and for what sixteen of it meet all of the other.
#[derive(Clone, Copy)]
enum Way {
    /// Those of the queries, and their statistics.
    ByQuery,
    /// Those of the keys and values.
    ByKey,
}

#[derive(Clone, Copy)]
struct Backward {
    attention: Attention,
    queries: Dense,
    keys: Dense,
    values: Dense,
    result: Dense,
    dq: Dense,
    dk: Dense,
    dv: Dense,
    statistics: SharedPtr<Vec16>,
    /// Sixteens of queries and of keys.
    tiles: [usize; 2],
}

impl Backward {
    /// Where one of the three statistics of a query lies.
    ///
    /// # Safety
    /// Head and query are some of them.
    unsafe fn statistic(&self, which: usize, head: usize, query: usize) -> *mut f32 {
        let at = (which * self.attention.heads + head) * self.tiles[0] * LANES + query;
        // SAFETY: the memory has three for each sixteen of each head.
        unsafe { self.statistics.get().cast::<f32>().add(at) }
    }
}

for_level! {
    unsafe fn backward_for_level((Backward, Way, usize)) = backward_tile
}

/// # Safety
/// The processor has the level, and what the task writes is the caller's alone.
#[inline(always)]
unsafe fn backward_tile<S: Simd>((work, way, task): &(Backward, Way, usize)) {
    let tiles = work.tiles[*way as usize];
    let (head, first) = (task / tiles, task % tiles * LANES);
    // SAFETY: the caller's promise.
    unsafe {
        match way {
            Way::ByQuery => queries_of::<S>(work, head, first),
            Way::ByKey => keys_of::<S>(work, head, first),
        }
    }
}

/// The gradients of sixteen queries of a head, and their statistics.
///
/// # Safety
/// As [`backward_tile`].
#[inline(always)]
unsafe fn queries_of<S: Simd>(work: &Backward, head: usize, first: usize) {
    let Backward { attention, queries, keys, values, result, dq, .. } = *work;
    let count = keys.positions;
    let mut scratch = Scratch::new(2 * count + 2 * attention.keys + attention.values);
    // SAFETY: heads and positions lie in the memory that was packed, and the parts of the scratch in it.
    unsafe {
        let weights = scratch.as_mut_ptr().cast::<f32>();
        let gradients = weights.add(LANES * count);
        let query = gradients.add(LANES * count);
        let dy = query.add(LANES * attention.keys);
        let sums = dy.add(LANES * attention.values);
        transposed(queries, head, first, query);
        transposed(result, head, first, dy);
        multiply::<S>(keys.by_position(head), query, attention.keys, weights, count);
        let (largest, share) = softmax::<S>(attention.scale, weights, count);
        multiply::<S>(values.by_position(head), dy, attention.values, gradients, count);
        let mut excess = S::zero();
        for key in 0..count {
            let at = weights.add(LANES * key);
            let weight = S::mul(S::load(at), share);
            excess = S::fma(weight, S::load(gradients.add(LANES * key)), excess);
            S::store(at, weight);
        }
        for key in 0..count {
            let at = weights.add(LANES * key);
            let off = S::sub(S::load(gradients.add(LANES * key)), excess);
            S::store(at, S::mul(S::load(at), off));
        }
        multiply::<S>(keys.by_channel(head), weights, count, sums, attention.keys);
        for channel in 0..attention.keys {
            let at = sums.add(LANES * channel);
            S::store(at, S::mul(S::load(at), S::splat(attention.scale)));
        }
        dq.put(head, first, sums);
        for (which, values) in [largest, share, excess].into_iter().enumerate() {
            S::store(work.statistic(which, head, first), values);
        }
    }
}

/// The gradients of sixteen keys of a head and of their values.
///
/// # Safety
/// As [`backward_tile`], and the statistics of all queries are there.
#[inline(always)]
unsafe fn keys_of<S: Simd>(work: &Backward, head: usize, first: usize) {
    let Backward { attention, queries, keys, values, result, dk, dv, .. } = *work;
    let count = queries.positions;
    let own = 2 * attention.keys + 2 * attention.values;
    let mut scratch = Scratch::new(2 * count + own);
    // SAFETY: heads and positions lie in the memory that was packed, and the parts of the scratch in it.
    unsafe {
        let weights = scratch.as_mut_ptr().cast::<f32>();
        let gradients = weights.add(LANES * count);
        let key = gradients.add(LANES * count);
        let value = key.add(LANES * attention.keys);
        let key_sums = value.add(LANES * attention.values);
        let value_sums = key_sums.add(LANES * attention.keys);
        transposed(keys, head, first, key);
        transposed(values, head, first, value);
        multiply::<S>(queries.by_position(head), key, attention.keys, weights, count);
        multiply::<S>(result.by_position(head), value, attention.values, gradients, count);
        for query in 0..count {
            let statistic = |which: usize| S::splat(*work.statistic(which, head, query));
            let (at, gradient) = (weights.add(LANES * query), gradients.add(LANES * query));
            let exponential = weights_of::<S>(attention.scale, S::load(at), statistic(0));
            let weight = S::mul(exponential, statistic(1));
            let off = S::sub(S::load(gradient), statistic(2));
            S::store(at, weight);
            S::store(gradient, S::mul(S::mul(weight, off), S::splat(attention.scale)));
        }
        multiply::<S>(result.by_channel(head), weights, count, value_sums, attention.values);
        multiply::<S>(queries.by_channel(head), gradients, count, key_sums, attention.keys);
        dk.put(head, first, key_sums);
        dv.put(head, first, value_sums);
    }
}
