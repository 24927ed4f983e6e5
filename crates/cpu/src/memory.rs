//! Memory planning: values whose lifetimes do not overlap share memory.

use std::ops::Range;

/// What a value takes: parts that lie behind each other, each in use at its own time.
#[derive(Clone, Debug)]
pub(super) struct Buffer {
    pub(super) parts: Vec<Part>,
}

/// A part of a value: where it begins in it, how much memory it takes, and during which steps.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) offset: usize,
    pub(super) size: usize,
    pub(super) lifetime: Range<usize>,
}

impl Part {
    fn end(&self) -> usize {
        self.offset.saturating_add(self.size)
    }
}

impl Buffer {
    /// A value that is in use as a whole.
    pub(super) fn new(size: usize, lifetime: Range<usize>) -> Self {
        Self { parts: vec![Part { offset: 0, size, lifetime }] }
    }

    fn size(&self) -> usize {
        self.parts.iter().map(Part::end).max().unwrap_or(0)
    }

    /// The places where this cannot begin because of another that begins at `start`.
    fn barred(&self, other: &Buffer, start: usize) -> impl Iterator<Item = Range<usize>> {
        self.parts.iter().flat_map(move |own| {
            let at_once = |part: &&Part| {
                part.lifetime.start < own.lifetime.end && own.lifetime.start < part.lifetime.end
            };
            other.parts.iter().filter(at_once).map(move |part| {
                let [from, to] = [part.offset, part.end()].map(|at| start.saturating_add(at));
                (from + 1).saturating_sub(own.end())..to.saturating_sub(own.offset)
            })
        })
    }
}

/// Gives each buffer a place such that no two parts in use at once overlap; returns each one's start and the
/// size of the whole. Places the largest first, each as low as it fits (greedy by size: Pisarchyk and
/// Lee 2020).
pub(super) fn place(buffers: &[Buffer]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..buffers.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(buffers[i].size()));
    let mut starts = vec![0usize; buffers.len()];
    let mut placed: Vec<usize> = Vec::new();
    for &index in &order {
        let buffer = &buffers[index];
        let others = placed.iter();
        let mut barred: Vec<Range<usize>> = others
            .flat_map(|&other| buffer.barred(&buffers[other], starts[other]))
            .filter(|range| !range.is_empty())
            .collect();
        barred.sort_by_key(|range| range.start);
        let mut start = 0usize;
        for range in barred {
            if start < range.start {
                break;
            }
            start = start.max(range.end);
        }
        starts[index] = start;
        placed.push(index);
    }
    let end = |(buffer, start): (&Buffer, &usize)| start.saturating_add(buffer.size());
    let total = buffers.iter().zip(&starts).map(end).max();
    (starts, total.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_apart(buffers: &[Buffer], starts: &[usize]) {
        let parts = |i: usize| buffers[i].parts.iter().map(move |part| (starts[i], part));
        for i in 0..buffers.len() {
            for j in i + 1..buffers.len() {
                for (at, a) in parts(i) {
                    for (place, b) in parts(j) {
                        let at_once =
                            a.lifetime.start < b.lifetime.end && b.lifetime.start < a.lifetime.end;
                        let apart =
                            at + a.end() <= place + b.offset || place + b.end() <= at + a.offset;
                        assert!(!at_once || apart, "{i} and {j}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_lives_at_once_lies_apart_and_what_does_not_shares() {
        let buffers = [(10, 0..2), (4, 1..5), (10, 2..4), (6, 4..6), (0, 0..6)];
        let buffers = buffers.map(|(size, lifetime)| Buffer::new(size, lifetime));
        let (starts, total) = place(&buffers);
        assert_apart(&buffers, &starts);
        assert_eq!(total, 14);
    }

    #[test]
    fn something_lies_where_a_part_is_not_yet_or_no_longer_in_use() {
        let part = |offset, size, lifetime| Part { offset, size, lifetime };
        let buffers = [
            Buffer { parts: vec![part(0, 4, 0..9), part(4, 10, 3..5), part(14, 2, 1..9)] },
            Buffer::new(9, 0..3),
            Buffer { parts: vec![part(0, 3, 5..7), part(3, 5, 6..9)] },
            Buffer::new(2, 8..10),
            Buffer { parts: Vec::new() },
        ];
        let (starts, total) = place(&buffers);
        assert_apart(&buffers, &starts);
        assert_eq!(total, 16);
    }
}
