//! Memory planning: values whose lifetimes do not overlap share memory.

use std::ops::Range;

/// What a value takes: how much memory, and during which steps.
#[derive(Clone, Debug)]
pub(super) struct Buffer {
    pub(super) size: usize,
    pub(super) lifetime: Range<usize>,
}

/// Gives each buffer a place such that no two in use at once overlap; returns each one's start and the
/// size of the whole. Places the largest first, each as low as it fits (greedy by size: Pisarchyk and
/// Lee 2020).
pub(super) fn place(buffers: &[Buffer]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..buffers.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(buffers[i].size));
    let mut starts = vec![0usize; buffers.len()];
    let mut placed: Vec<usize> = Vec::new();
    for &index in &order {
        let buffer = &buffers[index];
        let mut taken: Vec<Range<usize>> = placed
            .iter()
            .filter(|&&other| {
                let lifetime = &buffers[other].lifetime;
                lifetime.start < buffer.lifetime.end && buffer.lifetime.start < lifetime.end
            })
            .map(|&other| starts[other]..starts[other].saturating_add(buffers[other].size))
            .collect();
        taken.sort_by_key(|range| range.start);
        let mut start = 0usize;
        for range in taken {
            if start.saturating_add(buffer.size) <= range.start {
                break;
            }
            start = start.max(range.end);
        }
        starts[index] = start;
        placed.push(index);
    }
    let end = |(buffer, start): (&Buffer, &usize)| start.saturating_add(buffer.size);
    let total = buffers.iter().zip(&starts).map(end).max();
    (starts, total.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lives_at_once_lies_apart_and_what_does_not_shares() {
        let buffer = |size, lifetime| Buffer { size, lifetime };
        let buffers =
            [buffer(10, 0..2), buffer(4, 1..5), buffer(10, 2..4), buffer(6, 4..6), buffer(0, 0..6)];
        let (starts, total) = place(&buffers);
        for (i, a) in buffers.iter().enumerate() {
            for (j, b) in buffers.iter().enumerate().skip(i + 1) {
                let at_once =
                    a.lifetime.start < b.lifetime.end && b.lifetime.start < a.lifetime.end;
                let apart = starts[i] + a.size <= starts[j] || starts[j] + b.size <= starts[i];
                assert!(!at_once || apart, "{i} and {j}");
            }
        }
        assert_eq!(total, 14);
    }
}
