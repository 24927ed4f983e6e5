//! Who may use the same memory: values whose lives do not overlap.

use std::ops::Range;

/// A request for memory: how much, and from which step to which (both included) it is in use.
#[derive(Clone, Debug)]
pub(super) struct Need {
    pub(super) size: usize,
    pub(super) life: Range<usize>,
}

/// Gives each need a place such that no two in use at once overlap; returns each one's start and the
/// size of the whole. Places the largest first, each as low as it fits (greedy by size: Pisarchyk and
/// Lee 2020).
pub(super) fn place(needs: &[Need]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..needs.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(needs[i].size));
    let mut starts = vec![0; needs.len()];
    let mut placed: Vec<usize> = Vec::new();
    for &index in &order {
        let need = &needs[index];
        let mut taken: Vec<Range<usize>> = placed
            .iter()
            .filter(|&&other| {
                let life = &needs[other].life;
                life.start < need.life.end && need.life.start < life.end
            })
            .map(|&other| starts[other]..starts[other] + needs[other].size)
            .collect();
        taken.sort_by_key(|range| range.start);
        let mut start = 0;
        for range in taken {
            if start + need.size <= range.start {
                break;
            }
            start = start.max(range.end);
        }
        starts[index] = start;
        placed.push(index);
    }
    let total = needs.iter().zip(&starts).map(|(need, start)| start + need.size).max();
    (starts, total.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lives_at_once_lies_apart_and_what_does_not_shares() {
        let need = |size, life| Need { size, life };
        let needs = [need(10, 0..2), need(4, 1..5), need(10, 2..4), need(6, 4..6), need(0, 0..6)];
        let (starts, total) = place(&needs);
        for (i, a) in needs.iter().enumerate() {
            for (j, b) in needs.iter().enumerate().skip(i + 1) {
                let at_once = a.life.start < b.life.end && b.life.start < a.life.end;
                let apart = starts[i] + a.size <= starts[j] || starts[j] + b.size <= starts[i];
                assert!(!at_once || apart, "{i} and {j}");
            }
        }
        assert_eq!(total, 14);
    }
}
