//! Where an array's values lie that are taken in another order, some of them perhaps several times or not at all.

/// How many values are taken along an axis, and how far behind the one before each lies.
pub(super) type Along = (usize, isize);

/// The places of what is taken along `axes` from `start` on, the last axis fastest. There are no more of them than
/// can be counted, and all are in the array.
pub(super) fn places(start: usize, axes: &[Along]) -> impl Iterator<Item = usize> + use<> {
    let nothing = axes.iter().any(|&(count, _)| count == 0);
    let mut kept: Vec<Along> = Vec::with_capacity(axes.len());
    for &(count, step) in axes.iter().filter(|&&(count, _)| count != 1 && !nothing) {
        match kept.last_mut() {
            // Each of the outer axis goes on where the inner one has ended.
            Some(outer) if outer.1 == step * count as isize => *outer = (outer.0 * count, step),
            _ => kept.push((count, step)),
        }
    }
    let (count, step) = kept.pop().unwrap_or((usize::from(!nothing), 0));
    let rows = kept.iter().map(|&(count, _)| count).product();
    let mut taken = vec![0; kept.len()];
    let mut next = start;
    (0..rows).flat_map(move |_: usize| {
        let row = next;
        for (taken, &(count, step)) in taken.iter_mut().zip(&kept).rev() {
            *taken += 1;
            next = next.wrapping_add_signed(step);
            if *taken < count {
                break;
            }
            *taken = 0;
            next = next.wrapping_add_signed(-(step * count as isize));
        }
        (0..count as isize).map(move |at| row.wrapping_add_signed(at * step))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_axis_is_fastest() {
        let taken = |start, axes: &[Along]| places(start, axes).collect::<Vec<_>>();
        assert_eq!(taken(0, &[(2, 3), (3, 1)]), [0, 1, 2, 3, 4, 5]);
        assert_eq!(taken(0, &[(3, 1), (2, 3)]), [0, 3, 1, 4, 2, 5]);
        assert_eq!(taken(1, &[(2, 0), (2, 4), (1, 9), (2, 0)]), [1, 1, 5, 5, 1, 1, 5, 5]);
        assert_eq!(taken(5, &[(2, -3), (3, -1)]), [5, 4, 3, 2, 1, 0]);
        assert_eq!(taken(7, &[]), [7]);
        assert_eq!(taken(0, &[(usize::MAX, 1), (0, 1), (usize::MAX, 1)]), [0; 0]);
    }
}
