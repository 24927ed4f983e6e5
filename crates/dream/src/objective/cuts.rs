//! Where a picture is cut into parts that overlap by as much as layers see beyond each: every position of every
//! layer belongs to one part, which makes of it what the whole picture makes of it.

use std::ops::Range;

use graph::{Apart, Graph, NodeId, Partial, Size};

use super::place::Owned;
use super::tiles::{Span, Tile};

/// What a picture is cut by: a network and its target layers.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    graph: Graph,
    targets: Vec<NodeId>,
}

/// A picture in parts, all of one size.
#[derive(Clone, Debug)]
pub(crate) struct Cuts {
    /// Rows and columns.
    axes: [Axis; 2],
}

/// A part of a picture, with what belongs to it of each target.
pub(super) type OwnedTile = (Tile, Vec<Owned>);

/// Why a picture cannot be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Uncut {
    /// This layer's values depend on all of the picture.
    Everywhere(NodeId),
    /// Parts are to be longer.
    Short,
}

/// One axis in parts.
#[derive(Clone, Debug)]
struct Axis {
    length: usize,
    starts: Vec<usize>,
    /// For each part and target what is the part's of the target's positions.
    owned: Vec<Vec<Own>>,
}

/// What of a target's positions along an axis belongs to a part: a span of the part's own positions, of which the
/// first is this one of the whole picture's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Own {
    span: Span,
    first: usize,
}

impl Grid {
    pub(crate) fn new(graph: &Graph, targets: &[NodeId]) -> Self {
        Self { graph: graph.clone(), targets: targets.to_vec() }
    }

    /// Cuts pictures of `size` into parts whose sides are no longer than `most`: into as few as can be, and no
    /// longer than these have to be.
    ///
    /// # Errors
    /// Layers that see everything, or more than such a part shows.
    pub(crate) fn cut(&self, size: Size, most: usize) -> Result<Cuts, Uncut> {
        Ok(Cuts { axes: [self.axis(size, 0, most)?, self.axis(size, 1, most)?] })
    }

    /// How long parts are to be at the least for pictures of `size`, where parts no longer than `most` are too
    /// short.
    pub(crate) fn least(&self, size: Size, most: usize) -> usize {
        let axis = |axis: usize| {
            let side = [size.height, size.width][axis];
            let grid = self.graph.grid(&self.targets, axis);
            let longer = (side % grid..side).step_by(grid).filter(|length| *length > most);
            let does = |length: &usize| {
                let lane = self.lane(size, axis, *length, grid);
                lane.is_ok_and(|lane| lane.is_some_and(|lane| lane.is_cut()))
            };
            longer.into_iter().find(does).unwrap_or(side)
        };
        axis(0).max(axis(1))
    }

    fn axis(&self, size: Size, axis: usize, most: usize) -> Result<Axis, Uncut> {
        let side = [size.height, size.width][axis];
        if side <= most {
            let own = |_| Own { span: Span { start: 0, end: usize::MAX }, first: 0 };
            let owned = vec![self.targets.iter().map(own).collect()];
            return Ok(Axis { length: side, starts: vec![0], owned });
        }
        // The grid of parts is the whole's only if what is left over at their ends is.
        let grid = self.graph.grid(&self.targets, axis);
        let rest = side % grid;
        let lane = |length| self.lane(size, axis, length, grid);
        let longest = most.checked_sub(rest).map(|most| rest + most / grid * grid);
        let longest = longest.filter(|length| *length > 0);
        let Some(lane) = longest.map(lane).transpose()?.flatten().filter(Lane::is_cut) else {
            return Err(Uncut::Short);
        };
        let count = lane.starts().map_or(1, |starts| starts.len());
        let as_few = |less: usize| {
            let lane = lane.shorter(less)?;
            lane.starts().filter(|starts| starts.len() <= count).map(|starts| (lane, starts))
        };
        let (mut less, mut too_much) = (0, lane.length / grid + 1);
        while too_much - less > 1 {
            let middle = less + (too_much - less) / 2;
            if as_few(middle).is_some() { less = middle } else { too_much = middle }
        }
        let (lane, starts) = as_few(less).ok_or(Uncut::Short)?;
        let owned = lane.owned(&starts);
        let starts = starts.into_iter().map(|start| start * grid).collect();
        Ok(Axis { length: lane.length, starts, owned })
    }

    /// What the targets make of parts so long; `None` if they are too short for one of them.
    fn lane(
        &self,
        size: Size,
        axis: usize,
        length: usize,
        grid: usize,
    ) -> Result<Option<Lane>, Uncut> {
        let side = [size.height, size.width][axis];
        let partials = |start: usize| {
            let part: Range<usize> = start..start + length;
            match self.graph.partials(&self.targets, size, axis, &part) {
                Ok(partials) => Ok(Some(partials)),
                Err(Apart::OffGrid) => Ok(None),
                Err(Apart::Everywhere(node)) => Err(Uncut::Everywhere(node)),
            }
        };
        let inner = if side - length > grid { partials(grid)? } else { Some(Vec::new()) };
        let ends = partials(0)?.zip(partials(side - length)?);
        let lane = |((first, last), inner)| Lane {
            length,
            grid,
            count: (side - length) / grid,
            first,
            inner,
            last,
        };
        Ok(ends.zip(inner).map(lane))
    }

    /// How many positions each target has.
    pub(super) fn positions(&self, size: Size) -> Vec<Size> {
        let shapes = self.graph.shapes(&self.targets, size.height, size.width);
        let shapes = shapes.unwrap_or_default();
        let of = |target: &NodeId| shapes.get(target.index()).copied().flatten();
        self.targets
            .iter()
            .map(|target| of(target).map_or(Size::new(0, 0), |it| it.size()))
            .collect()
    }
}

/// What targets make of parts of one length, wherever these start: at the first line of the grid, at the last, or
/// at one between, where all is the same but for the place.
#[derive(Clone)]
struct Lane {
    length: usize,
    grid: usize,
    /// The number of the last line at which a part can start.
    count: usize,
    first: Vec<Partial>,
    /// For a part that starts at line 1; empty if that is the last one.
    inner: Vec<Partial>,
    last: Vec<Partial>,
}

impl Lane {
    /// How many of a target's positions there are from line to line.
    fn step(&self, target: usize) -> usize {
        self.last[target].first / self.count
    }

    /// For parts that are shorter by so many lines; `None` if they are too short.
    fn shorter(&self, by: usize) -> Option<Lane> {
        let length = self.length.checked_sub(by * self.grid)?;
        let mut lane = Lane { length, count: self.count + by, ..self.clone() };
        if lane.inner.is_empty() && by > 0 {
            // A part that starts at line 1 begins as the last one and ends as the first one does.
            let both = self.first.iter().zip(&self.last).enumerate();
            let inner = both.map(|(target, (first, last))| {
                let step = self.step(target);
                Partial { first: last.first, same: last.same.start..first.same.end + step }
            });
            lane.inner = inner.collect();
        }
        for target in 0..self.first.len() {
            let less = by * self.step(target);
            for partials in [&mut lane.first, &mut lane.inner] {
                if let Some(partial) = partials.get_mut(target) {
                    let same = &mut partial.same;
                    same.end = same.end.checked_sub(less).filter(|end| *end > same.start)?;
                }
            }
            let Partial { first, same } = &mut lane.last[target];
            *first += less;
            same.start += less;
            if same.start >= same.end {
                return None;
            }
        }
        Some(lane)
    }

    /// What a target makes of a part that starts at a line.
    fn at(&self, line: usize, target: usize) -> Partial {
        match line {
            0 => self.first[target].clone(),
            line if line == self.count => self.last[target].clone(),
            line => {
                let (Partial { first, same }, by) =
                    (&self.inner[target], (line - 1) * self.step(target));
                Partial { first: first + by, same: same.start + by..same.end + by }
            }
        }
    }

    /// Whether parts can be so long that they leave no gap.
    fn is_cut(&self) -> bool {
        self.starts().is_some()
    }

    /// The lines at which parts start, each as far behind the one before as can be without a gap; `None` if they
    /// are too short for that.
    fn starts(&self) -> Option<Vec<usize>> {
        let targets = 0..self.first.len();
        let meet = |before: usize, next: usize| {
            targets
                .clone()
                .all(|target| self.at(next, target).same.start <= self.at(before, target).same.end)
        };
        let mut starts = vec![0];
        while starts[starts.len() - 1] < self.count {
            let before = starts[starts.len() - 1];
            let (mut next, mut gap) = (before, self.count + 1);
            while gap - next > 1 {
                let middle = next + (gap - next) / 2;
                if meet(before, middle) { next = middle } else { gap = middle }
            }
            if next == before {
                return None;
            }
            starts.push(next);
        }
        Some(starts)
    }

    /// Shares each target's positions among parts that start at these lines: where two have the same, each gets
    /// half.
    fn owned(&self, starts: &[usize]) -> Vec<Vec<Own>> {
        let border = |part: usize, target: usize| {
            let [before, next] = [part - 1, part].map(|part| self.at(starts[part], target).same);
            next.start + (before.end - next.start) / 2
        };
        let own = |part: usize, target: usize| {
            let Partial { first, same } = self.at(starts[part], target);
            let start = if part == 0 { same.start } else { border(part, target) };
            let last = part + 1 == starts.len();
            let end = if last { same.end } else { border(part + 1, target) };
            Own { span: Span { start, end }.back_by(first), first }
        };
        let targets = self.first.len();
        (0..starts.len()).map(|part| (0..targets).map(|it| own(part, it)).collect()).collect()
    }
}

impl Cuts {
    /// The size of the parts.
    pub(crate) fn part(&self) -> Size {
        let [rows, columns] = &self.axes;
        Size::new(rows.length, columns.length)
    }

    /// How many parts there are: from top to bottom and from left to right.
    pub(crate) fn counts(&self) -> [usize; 2] {
        self.axes.each_ref().map(|axis| axis.starts.len())
    }

    /// Whether the picture is one part.
    pub(crate) fn is_whole(&self) -> bool {
        self.counts() == [1, 1]
    }

    /// Each part, with what belongs to it of each target, of which so many `positions` are the whole picture's.
    pub(super) fn parts(&self, positions: &[Size]) -> Vec<OwnedTile> {
        let [rows, columns] = &self.axes;
        let mut parts = Vec::new();
        for (top, own_rows) in rows.starts.iter().zip(&rows.owned) {
            for (left, own_columns) in columns.starts.iter().zip(&columns.owned) {
                let tile = Tile {
                    rows: Span { start: *top, end: top + rows.length },
                    columns: Span { start: *left, end: left + columns.length },
                };
                let owned = own_rows.iter().zip(own_columns).zip(positions);
                let owned = owned.map(|((rows, columns), whole)| Owned {
                    rows: rows.span,
                    columns: columns.span,
                    first: [rows.first, columns.first],
                    whole: *whole,
                });
                parts.push((tile, owned.collect()));
            }
        }
        parts
    }
}
