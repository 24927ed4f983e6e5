//! Two maps of different extents, element by element: along each axis an extent of 1 counts for every position
//! of the other. Gradients are summed up where values counted more than once.

use std::ops::Range;

use crate::rows::{RowKernel, Sink, Source, run_rows};
use crate::simd::Simd;
use crate::{BlockedMap, Context, Destination, MapMut, MapRef};

/// A map that is spread out to the extent of another.
#[derive(Clone, Copy)]
pub struct Operand<'a> {
    /// The map: of as many rows and columns as the other, or of one.
    pub map: MapRef<'a>,
    /// Whether its one channel, in slot 0, counts for all of the other's. Its blocks are the other's otherwise.
    pub one_channel: bool,
}

/// What becomes of the values `a` and `b` that meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `a · b`
    Mul,
    /// `a − b`
    Sub,
    /// `a / b`
    Div,
}

/// What an element passes back of the gradient `dy` of what it met.
#[derive(Clone, Copy)]
pub enum Term<'a> {
    /// `factor · dy`
    Plain {
        /// The factor.
        factor: f32,
    },
    /// `dy · other`
    Times(Operand<'a>),
    /// `dy / divisor`
    Over(Operand<'a>),
    /// `−dy · dividend / divisor²`
    Divisor(Operand<'a>, Operand<'a>),
}

/// `y` = what becomes of `a` and `b`. `live` has, for each of `y`'s blocks, a bit for each slot that holds a
/// channel; the others become 0.
///
/// # Panics
/// If an extent does not fit, or a slice does not have its length.
pub fn forward(
    cx: &Context,
    binary: Binary,
    live: &[u16],
    a: Operand<'_>,
    b: Operand<'_>,
    y: MapMut<'_>,
) {
    let map = *y.map();
    assert_eq!(live.len(), map.blocks(), "the live slots of each block");
    let (a, b, y) = (Spread::new(a, &map), Spread::new(b, &map), Sink::overwrite(y));
    let row_bytes = 3 * y.row_bytes();
    let (blocks, height) = (map.blocks(), map.height());
    // SAFETY: each row is made from the inputs alone.
    unsafe {
        match binary {
            Binary::Mul => {
                run_rows(cx, blocks, height, row_bytes, &Pairs::<MUL> { live, a, b, y });
            }
            Binary::Sub => {
                run_rows(cx, blocks, height, row_bytes, &Pairs::<SUB> { live, a, b, y });
            }
            Binary::Div => {
                run_rows(cx, blocks, height, row_bytes, &Pairs::<DIV> { live, a, b, y });
            }
        }
    }
}

/// `y` = `factor` · `x`, or added, `x` spread out to its extent; `live` as for [`forward`].
///
/// # Panics
/// If an extent does not fit, or a slice does not have its length.
pub fn spread(cx: &Context, factor: f32, live: &[u16], x: Operand<'_>, y: Destination<'_>) {
    let map = *y.map();
    assert_eq!(live.len(), map.blocks(), "the live slots of each block");
    let kernel = Spreading { factor, live, x: Spread::new(x, &map), y: Sink::new(y) };
    let row_bytes = kernel.y.row_bytes();
    // SAFETY: each row is made from the input alone.
    unsafe { run_rows(cx, map.blocks(), map.height(), row_bytes, &kernel) }
}

/// The gradient of what was spread out to the extent of `dy`: each element of `dx` is the sum of `term` over all
/// places at which it counted. `live` is for the blocks of `dy`; where `one_channel`, `dx` has one channel for
/// all of them.
///
/// # Panics
/// If an extent does not fit, or a slice does not have its length.
pub fn gather(
    cx: &Context,
    term: Term<'_>,
    live: &[u16],
    dy: MapRef<'_>,
    one_channel: bool,
    dx: Destination<'_>,
) {
    let (map, to) = (*dy.map(), *dx.map());
    assert_eq!(live.len(), map.blocks(), "the live slots of each block");
    check_extent(&to, one_channel, &map);
    let (blocks, height) = (to.blocks(), to.height());
    let (dy, dx) = (Source::new(dy), Sink::new(dx));
    let row_bytes = 3 * dy.row_bytes() * (map.height() / height) * (map.blocks() / blocks);
    macro_rules! gather {
        ($term:expr) => {{
            let kernel = Gathering { term: $term, live, one_channel, dy, dx };
            // SAFETY: each row is made from the inputs alone.
            unsafe { run_rows(cx, blocks, height, row_bytes, &kernel) }
        }};
    }
    match term {
        Term::Plain { factor } => gather!(Plain { factor }),
        Term::Times(other) => gather!(Times(Spread::new(other, &map))),
        Term::Over(divisor) => gather!(Over(Spread::new(divisor, &map))),
        Term::Divisor(a, b) => gather!(Divisor(Spread::new(a, &map), Spread::new(b, &map))),
    }
}

/// Whether `map` can be spread out to the extent of `whole`.
fn check_extent(map: &BlockedMap, one_channel: bool, whole: &BlockedMap) {
    let rows = map.height() == whole.height() || map.height() == 1;
    let columns = map.width() == whole.width() || map.width() == 1;
    let blocks = map.blocks() == if one_channel { 1 } else { whole.blocks() };
    assert!(rows && columns && blocks, "the maps differ in extent");
}

/// A map as if it had another's extent.
#[derive(Clone, Copy)]
pub(crate) struct Spread<'a> {
    x: Source<'a>,
    one_channel: bool,
    rows: bool,
    /// From column to column, in values.
    step: usize,
}

/// A row of a spread map.
#[derive(Clone, Copy)]
pub(crate) struct SpreadRow {
    from: *const f32,
    one_channel: bool,
    step: usize,
}

impl<'a> Spread<'a> {
    pub(crate) fn new(operand: Operand<'a>, whole: &BlockedMap) -> Self {
        let map = *operand.map.map();
        check_extent(&map, operand.one_channel, whole);
        let x = Source::new(operand.map);
        let step = if map.width() == 1 { 0 } else { 16 };
        Self { x, one_channel: operand.one_channel, rows: map.height() > 1, step }
    }

    /// # Safety
    /// Block and row lie in the map whose extent it has.
    #[inline(always)]
    pub(crate) unsafe fn row(&self, block: usize, row: usize) -> SpreadRow {
        let block = if self.one_channel { 0 } else { block };
        // SAFETY: the caller's promise.
        let from = unsafe { self.x.row(block, if self.rows { row } else { 0 }) };
        SpreadRow { from, one_channel: self.one_channel, step: self.step }
    }
}

impl SpreadRow {
    /// # Safety
    /// The column lies in the map whose extent it has, and the processor has the level.
    #[inline(always)]
    pub(crate) unsafe fn at<S: Simd>(&self, column: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe {
            let from = self.from.add(column * self.step);
            if self.one_channel { S::splat(*from) } else { S::load(from) }
        }
    }
}

const MUL: u8 = 0;
const SUB: u8 = 1;
const DIV: u8 = 2;

struct Pairs<'a, const BINARY: u8> {
    live: &'a [u16],
    a: Spread<'a>,
    b: Spread<'a>,
    y: Sink<'a>,
}

impl<const BINARY: u8> RowKernel for Pairs<'_, BINARY> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            for row in rows.clone() {
                let (a, b) = (self.a.row(block, row), self.b.row(block, row));
                let to = self.y.row(block, row);
                for column in 0..self.y.map.width() {
                    let (a, b) = (a.at::<S>(column), b.at::<S>(column));
                    let y = match BINARY {
                        MUL => S::mul(a, b),
                        SUB => S::sub(a, b),
                        _ => S::div(a, b),
                    };
                    to.put::<S>(column, S::keep(y, self.live[block]));
                }
            }
            self.y.close(block, rows);
        }
    }
}

struct Spreading<'a> {
    factor: f32,
    live: &'a [u16],
    x: Spread<'a>,
    y: Sink<'a>,
}

impl RowKernel for Spreading<'_> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            let factor = S::splat(self.factor);
            for row in rows.clone() {
                let (x, to) = (self.x.row(block, row), self.y.row(block, row));
                for column in 0..self.y.map.width() {
                    let y = S::mul(x.at::<S>(column), factor);
                    to.put::<S>(column, S::keep(y, self.live[block]));
                }
            }
            self.y.close(block, rows);
        }
    }
}

/// A term, by row.
///
/// # Safety
/// The functions want a processor that has the level, and a place of the maps.
trait RowTerm: Sync {
    type Row: Copy;

    unsafe fn row(&self, block: usize, row: usize) -> Self::Row;
    unsafe fn of<S: Simd>(row: Self::Row, column: usize, dy: S::V) -> S::V;
}

struct Plain {
    factor: f32,
}

impl RowTerm for Plain {
    type Row = f32;

    #[inline(always)]
    unsafe fn row(&self, _block: usize, _row: usize) -> f32 {
        self.factor
    }
    #[inline(always)]
    unsafe fn of<S: Simd>(factor: f32, _column: usize, dy: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::mul(dy, S::splat(factor)) }
    }
}

struct Times<'a>(Spread<'a>);

impl RowTerm for Times<'_> {
    type Row = SpreadRow;

    #[inline(always)]
    unsafe fn row(&self, block: usize, row: usize) -> SpreadRow {
        // SAFETY: the caller's promise.
        unsafe { self.0.row(block, row) }
    }
    #[inline(always)]
    unsafe fn of<S: Simd>(row: SpreadRow, column: usize, dy: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::mul(dy, row.at::<S>(column)) }
    }
}

struct Over<'a>(Spread<'a>);

impl RowTerm for Over<'_> {
    type Row = SpreadRow;

    #[inline(always)]
    unsafe fn row(&self, block: usize, row: usize) -> SpreadRow {
        // SAFETY: the caller's promise.
        unsafe { self.0.row(block, row) }
    }
    #[inline(always)]
    unsafe fn of<S: Simd>(row: SpreadRow, column: usize, dy: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::div(dy, row.at::<S>(column)) }
    }
}

struct Divisor<'a>(Spread<'a>, Spread<'a>);

impl RowTerm for Divisor<'_> {
    type Row = (SpreadRow, SpreadRow);

    #[inline(always)]
    unsafe fn row(&self, block: usize, row: usize) -> (SpreadRow, SpreadRow) {
        // SAFETY: the caller's promise.
        unsafe { (self.0.row(block, row), self.1.row(block, row)) }
    }
    #[inline(always)]
    unsafe fn of<S: Simd>((a, b): (SpreadRow, SpreadRow), column: usize, dy: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe {
            let (a, b) = (a.at::<S>(column), b.at::<S>(column));
            let share = S::div(S::mul(dy, a), S::mul(b, b));
            S::sub(S::zero(), share)
        }
    }
}

struct Gathering<'a, T> {
    term: T,
    live: &'a [u16],
    one_channel: bool,
    dy: Source<'a>,
    dx: Sink<'a>,
}

/// How many columns are summed up side by side.
const COLUMNS: usize = 8;

impl<T: RowTerm> RowKernel for Gathering<'_, T> {
    #[inline(always)]
    unsafe fn rows<S: Simd>(&self, block: usize, rows: Range<usize>) {
        let (dy, dx) = (&self.dy.map, &self.dx.map);
        let every_row = dx.height() < dy.height();
        let every_column = dx.width() < dy.width();
        // SAFETY: rows and columns lie in the maps.
        unsafe {
            for row in rows.clone() {
                let to = self.dx.row(block, row);
                let from = if every_row { 0..dy.height() } else { row..row + 1 };
                if every_column {
                    let sum = self.sums::<S, 1>(block, from, 0..dy.width())[0];
                    to.put::<S>(0, sum);
                    continue;
                }
                let mut column = 0;
                while column + COLUMNS <= dx.width() {
                    let sums = self.sums::<S, COLUMNS>(block, from.clone(), column..column + 1);
                    for (n, sum) in sums.into_iter().enumerate() {
                        to.put::<S>(column + n, sum);
                    }
                    column += COLUMNS;
                }
                for column in column..dx.width() {
                    let sums = self.sums::<S, 1>(block, from.clone(), column..column + 1);
                    to.put::<S>(column, sums[0]);
                }
            }
            self.dx.close(block, rows);
        }
    }
}

impl<T: RowTerm> Gathering<'_, T> {
    /// The sums over rows and columns, and over all channels if need be, of `N` places side by side.
    #[inline(always)]
    unsafe fn sums<S: Simd, const N: usize>(
        &self,
        block: usize,
        rows: Range<usize>,
        columns: Range<usize>,
    ) -> [S::V; N] {
        let blocks = if self.one_channel { 0..self.dy.map.blocks() } else { block..block + 1 };
        // SAFETY: as in `rows`.
        unsafe {
            let mut sums = [S::zero(); N];
            for block in blocks {
                let live = self.live[block];
                for row in rows.clone() {
                    let (dy, term) = (self.dy.row(block, row), self.term.row(block, row));
                    let mut of_row = [S::zero(); N];
                    for column in columns.clone() {
                        for n in 0..N {
                            let dy = S::load(dy.add((column + n) * 16));
                            let value = S::keep(T::of::<S>(term, column + n, dy), live);
                            of_row[n] = S::add(of_row[n], value);
                        }
                    }
                    for n in 0..N {
                        sums[n] = S::add(sums[n], of_row[n]);
                    }
                }
            }
            if self.one_channel {
                for n in 0..N {
                    sums[n] = S::keep(S::splat(S::sum(sums[n])), 1);
                }
            }
            sums
        }
    }
}
