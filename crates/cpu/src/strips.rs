//! Convolutions that run strip by strip with the max pooling behind them: the map between the two, often the largest
//! of a network, is only a few rows at a time, in the cache. Where it is normalised before it is pooled, it is kept
//! besides for the backward pass, in fewer bits.

use kernels::{BlockedMap, ConvGeometry, CpuLevel, Vec16};

use super::convolution::{ConvSpec, Direction};
use super::program::{Kind, Program, ValueId};
use graph::Shape;

/// The most bytes of the rows between: the part of a last-level cache that one can count on.
const MOST_BYTES: usize = 8 << 20;

/// Bytes of a map that is larger than a last-level cache.
const LARGE_BYTES: usize = 48 << 20;

/// The fewest rows between: some rows of tiles, and those that the next strip needs again.
const FEWEST_ROWS: usize = 32;

/// The most rows of a window, with its stride, for which these are enough.
const MOST_REACH: usize = 16;

/// How many rows of a map are kept, if not all.
pub(super) fn rows_kept(map: &BlockedMap) -> Option<usize> {
    let row = map.blocks() * map.width() * 64;
    let most = (MOST_BYTES / row.max(1)).max(FEWEST_ROWS);
    let rows = 1usize << most.ilog2();
    (map.halo() == 0 && rows < map.height()).then_some(rows)
}

/// Puts each convolution of `steps` and the max pooling in the step behind it into one step where both run strip by
/// strip.
pub(super) fn join(
    program: &Program,
    level: CpuLevel,
    (specs, windows, shapes): (&[Option<ConvSpec>], &[Option<ConvGeometry>], &[Shape]),
    steps: &mut Vec<Vec<usize>>,
) {
    let joins = |conv: usize, pool: usize| {
        let (first, second) = (&program.layers[conv], &program.layers[pool]);
        let (Some(spec), Some(window)) = (&specs[conv], &windows[pool]) else { return false };
        let [input, between] = [first.inputs[0], first.output];
        let read = |value: ValueId| {
            let inputs = program.layers.iter().flat_map(|layer| &layer.inputs);
            inputs.filter(|&&input| input == value).count()
        };
        let own =
            |value: ValueId| program.values.iter().filter(|other| other.root == value).count();
        let shape = shapes[between];
        let map = BlockedMap::new(program.values[between].blocks(), shape.height, shape.width, 0);
        let reach = (window.kernel()[0] - 1).saturating_mul(window.dilation()[0]);
        pools(&second.kind)
            && second.inputs == [between]
            && read(between) == 1
            && own(between) == 1
            && !program.targets.contains(&between)
            && reach.saturating_add(window.stride()[0]) < MOST_REACH
            && map.is_some_and(|map| rows_kept(&map).is_some() && pays(&second.kind, &map))
            && spec.transformed(Direction::Forward, level, shape)
            && spec.transformed(Direction::Backward, level, shapes[input])
    };
    let mut step = 0;
    while step + 1 < steps.len() {
        if let ([conv], [pool]) = (&steps[step][..], &steps[step + 1][..])
            && joins(*conv, *pool)
        {
            let pool = steps.remove(step + 1);
            steps[step].extend(pool);
        }
        step += 1;
    }
}

impl Program {
    /// The convolution and the max pooling that a step of `layers` runs strip by strip.
    pub(super) fn strips(&self, layers: impl IntoIterator<Item = usize>) -> Option<[usize; 2]> {
        let mut layers = layers.into_iter();
        match (layers.next(), layers.next()) {
            (Some(conv), Some(pool)) if pools(&self.layers[pool].kind) => Some([conv, pool]),
            _ => None,
        }
    }
}

/// Whether strips are worth what they cost. To keep a normalised map for the backward pass takes time of its own: only
/// so large a one does not end up in the cache anyway, and counts beside all that a step takes.
fn pays(kind: &Kind, map: &BlockedMap) -> bool {
    !matches!(kind, Kind::LrnMaxPool(..)) || map.vectors() >= LARGE_BYTES / size_of::<Vec16>()
}

/// Whether it can be what pools behind a convolution.
fn pools(kind: &Kind) -> bool {
    matches!(kind, Kind::MaxPool(_) | Kind::ReluMaxPool(..) | Kind::LrnMaxPool(..))
}
