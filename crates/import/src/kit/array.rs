//! Arrays that are known while a network is loaded: its constants, and what is computed from them alone.
//!
//! Nothing here but [`Array::tiled`] makes an array larger than what it is made from, and that is bounded,
//! so that a small file cannot ask for all memory. What cannot be computed is `None`.

use super::places::{Along, places};

/// The most dimensions an array or a value may have.
pub(crate) const MAX_RANK: usize = 8;

/// The most values that an array of fewer may grow to.
pub(crate) const MAX_GROWN: usize = 1 << 20;

/// Numbers in rows: the last axis varies fastest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    shape: Vec<usize>,
    values: Values,
}

/// An array's numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Floats(Vec<f32>),
    Integers(Vec<i64>),
}

/// What is taken along one axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) start: usize,
    pub(crate) step: isize,
    pub(crate) count: usize,
    /// Whether the axis is left out afterwards.
    pub(crate) dropped: bool,
}

impl Slice {
    /// All along an axis of `count`.
    pub(crate) fn all(count: usize) -> Self {
        Self { start: 0, step: 1, count, dropped: false }
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Values::Floats(values) => values.len(),
            Values::Integers(values) => values.len(),
        }
    }

    /// The values at some places, all of which are there.
    fn gather(&self, places: impl Iterator<Item = usize>) -> Self {
        match self {
            Values::Floats(values) => Values::Floats(places.map(|i| values[i]).collect()),
            Values::Integers(values) => Values::Integers(places.map(|i| values[i]).collect()),
        }
    }
}

impl Array {
    /// An array, if there are as many values as the shape says.
    pub(crate) fn new(shape: Vec<usize>, values: Values) -> Option<Self> {
        let fits = shape.len() <= MAX_RANK && values_of(&shape) == Some(values.len());
        fits.then_some(Self { shape, values })
    }

    /// A row of whole numbers.
    pub(crate) fn integers(values: Vec<i64>) -> Self {
        Self { shape: vec![values.len()], values: Values::Integers(values) }
    }

    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub(crate) fn into_parts(self) -> (Vec<usize>, Values) {
        (self.shape, self.values)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Its floats, if it has such.
    pub(crate) fn as_floats(&self) -> Option<&[f32]> {
        match &self.values {
            Values::Floats(values) => Some(values),
            Values::Integers(_) => None,
        }
    }

    /// Its whole numbers, if it has such.
    pub(crate) fn as_integers(&self) -> Option<&[i64]> {
        match &self.values {
            Values::Integers(values) => Some(values),
            Values::Floats(_) => None,
        }
    }

    /// The same values in another shape, in which one size may be −1: what is left.
    pub(crate) fn reshaped(self, sizes: &[i64]) -> Option<Self> {
        Self::new(sizes_for(sizes, self.len())?, self.values)
    }

    /// Without some axes of size 1; without all of them where none is named.
    pub(crate) fn squeezed(self, axes: &[i64]) -> Option<Self> {
        let rank = self.shape.len();
        let axes: Vec<usize> = axes.iter().map(|&axis| place(axis, rank)).collect::<Option<_>>()?;
        let dropped = |axis: usize| match axes.is_empty() {
            true => self.shape[axis] == 1,
            false => axes.contains(&axis),
        };
        if (0..rank).any(|axis| dropped(axis) && self.shape[axis] != 1) {
            return None;
        }
        let kept = (0..rank).filter(|&axis| !dropped(axis));
        Self::new(kept.map(|axis| self.shape[axis]).collect(), self.values)
    }

    /// With an axis of size 1 more, before the one numbered `axis`.
    pub(crate) fn expanded(mut self, axis: i64) -> Option<Self> {
        let axis = place(axis, self.shape.len() + 1)?;
        self.shape.insert(axis, 1);
        Self::new(self.shape, self.values)
    }

    /// How far apart two values next to each other along each axis lie.
    fn steps(&self) -> impl Iterator<Item = isize> + use<> {
        let mut steps = vec![1; self.shape.len()];
        for axis in (1..steps.len()).rev() {
            steps[axis - 1] = steps[axis] * self.shape[axis].max(1) as isize;
        }
        steps.into_iter()
    }

    /// `f` of each value of an array of floats.
    pub(crate) fn map(mut self, f: impl Fn(f32) -> f32) -> Option<Self> {
        let Values::Floats(values) = &mut self.values else { return None };
        values.iter_mut().for_each(|x| *x = f(*x));
        Some(self)
    }

    /// As floats, rounded to the nearest.
    pub(crate) fn into_floats(self) -> Self {
        let values = match self.values {
            Values::Integers(values) => values.into_iter().map(|x| x as f32).collect(),
            Values::Floats(values) => values,
        };
        Self { shape: self.shape, values: Values::Floats(values) }
    }

    /// As whole numbers, cut off.
    pub(crate) fn into_integers(self) -> Self {
        let values = match self.values {
            Values::Floats(values) => values.into_iter().map(|x| x as i64).collect(),
            Values::Integers(values) => values,
        };
        Self { shape: self.shape, values: Values::Integers(values) }
    }

    /// One of two functions of the values of both, axes of size 1 being as long as the other array's
    /// (NumPy's broadcasting).
    pub(crate) fn zip(
        &self,
        other: &Self,
        floats: impl Fn(f32, f32) -> f32,
        integers: impl Fn(i64, i64) -> Option<i64>,
    ) -> Option<Self> {
        let rank = self.shape.len().max(other.shape.len());
        let size = |array: &Self, axis: usize| {
            (axis + array.shape.len()).checked_sub(rank).map_or(1, |axis| array.shape[axis])
        };
        let shape = (0..rank).map(|axis| match (size(self, axis), size(other, axis)) {
            (a, b) if a == b || b == 1 => Some(a),
            (1, b) => Some(b),
            _ => None,
        });
        let shape: Vec<usize> = shape.collect::<Option<_>>()?;
        let count = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size))?;
        if count > self.len() + other.len() {
            return None;
        }
        let taken = |array: &Self| {
            let missing = rank - array.shape.len();
            let steps = std::iter::repeat_n(0, missing).chain(array.steps());
            let along = |(axis, step): (usize, isize)| {
                (shape[axis], if size(array, axis) == 1 { 0 } else { step })
            };
            places(0, &steps.enumerate().map(along).collect::<Vec<_>>())
        };
        let pairs = taken(self).zip(taken(other));
        let values = match (&self.values, &other.values) {
            (Values::Floats(a), Values::Floats(b)) => {
                Values::Floats(pairs.map(|(i, j)| floats(a[i], b[j])).collect())
            }
            (Values::Integers(a), Values::Integers(b)) => {
                let values = pairs.map(|(i, j)| integers(a[i], b[j]));
                Values::Integers(values.collect::<Option<_>>()?)
            }
            _ => return None,
        };
        Self::new(shape, values)
    }

    /// The array so many times along each axis.
    pub(crate) fn tiled(&self, times: &[usize]) -> Option<Self> {
        if times.len() != self.shape.len() {
            return None;
        }
        let sizes = self.shape.iter().zip(times).map(|(size, times)| size.checked_mul(*times));
        let shape: Vec<usize> = sizes.collect::<Option<_>>()?;
        let count = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size))?;
        if count > self.len().max(MAX_GROWN) {
            return None;
        }
        let axes = self.shape.iter().zip(times).zip(self.steps());
        let axes: Vec<Along> =
            axes.flat_map(|((&size, &times), step)| [(times, 0), (size, step)]).collect();
        let values = self.values.gather(places(0, &axes));
        Self::new(shape, values)
    }

    /// With its axes in another order: first the one numbered `order[0]`.
    pub(crate) fn transposed(&self, order: &[usize]) -> Option<Self> {
        let all = (0..self.shape.len()).all(|axis| order.contains(&axis));
        if !all || order.len() != self.shape.len() {
            return None;
        }
        let steps: Vec<isize> = self.steps().collect();
        let axes: Vec<Along> = order.iter().map(|&axis| (self.shape[axis], steps[axis])).collect();
        let values = self.values.gather(places(0, &axes));
        Self::new(order.iter().map(|&axis| self.shape[axis]).collect(), values)
    }

    /// Arrays one after another along an axis.
    pub(crate) fn concat(arrays: &[Self], axis: i64) -> Option<Self> {
        let first = arrays.first()?;
        let axis = place(axis, first.shape.len())?;
        let fits = |array: &Self| {
            array.shape.len() == first.shape.len()
                && (0..array.shape.len()).all(|i| i == axis || array.shape[i] == first.shape[i])
        };
        if !arrays.iter().all(fits) {
            return None;
        }
        let mut shape = first.shape.clone();
        shape[axis] = arrays.iter().map(|array| array.shape[axis]).sum();
        let rows: usize = shape[..axis].iter().product();
        // Of each array in turn, what belongs to one row of the result.
        fn joined<T: Copy>(rows: usize, parts: &[&[T]]) -> Vec<T> {
            let row = |row: usize| {
                parts.iter().flat_map(move |part| {
                    let length = part.len() / rows;
                    part[row * length..][..length].iter().copied()
                })
            };
            (0..rows).flat_map(row).collect()
        }
        let floats = || {
            arrays.iter().map(|array| match &array.values {
                Values::Floats(values) => Some(&values[..]),
                Values::Integers(_) => None,
            })
        };
        let values = if let Some(parts) = floats().collect::<Option<Vec<_>>>() {
            Values::Floats(joined(rows, &parts))
        } else {
            let parts: Vec<_> = arrays.iter().map(Self::as_integers).collect::<Option<_>>()?;
            Values::Integers(joined(rows, &parts))
        };
        Self::new(shape, values)
    }

    /// The steps along an axis that whole numbers say, in the place of the axis with the axes of the numbers;
    /// those below zero count from the end.
    pub(crate) fn gathered(&self, places: &Self, axis: i64) -> Option<Self> {
        let axis = place(axis, self.shape.len())?;
        let size = self.shape[axis];
        let steps = places.as_integers()?.iter().map(|&step| place(step, size));
        let steps: Vec<usize> = steps.collect::<Option<_>>()?;
        let inner: usize = self.shape[axis + 1..].iter().product();
        let outer: usize = self.shape[..axis].iter().product();
        let mut shape = self.shape[..axis].to_vec();
        shape.extend(&places.shape);
        shape.extend(&self.shape[axis + 1..]);
        let count = outer.checked_mul(steps.len())?.checked_mul(inner)?;
        if count > self.len().max(MAX_GROWN) {
            return None;
        }
        let row = |from: usize| from * inner..(from + 1) * inner;
        let rows = (0..outer).flat_map(|o| steps.iter().map(move |step| o * size + step));
        Self::new(shape, self.values.gather(rows.flat_map(row)))
    }

    /// Arrays of one shape, one after another along a new axis.
    pub(crate) fn stack(arrays: Vec<Self>, axis: i64) -> Option<Self> {
        let arrays = arrays.into_iter().map(|array| array.expanded(axis));
        Self::concat(&arrays.collect::<Option<Vec<_>>>()?, axis)
    }

    /// What `slices` take along the first axes, and all along the others.
    pub(crate) fn sliced(&self, slices: &[Slice]) -> Option<Self> {
        let rest = self.shape.get(slices.len()..)?.iter().copied().map(Slice::all);
        let slices: Vec<Slice> = slices.iter().copied().chain(rest).collect();
        let count =
            slices.iter().try_fold(1usize, |count, slice| count.checked_mul(slice.count))?;
        if count > self.len() {
            return None;
        }
        let (mut start, mut axes) = (0, Vec::with_capacity(slices.len()));
        for ((slice, &size), step) in slices.iter().zip(&self.shape).zip(self.steps()) {
            let last = isize::try_from(slice.count.saturating_sub(1)).ok()?;
            let last = slice.start.checked_add_signed(last.checked_mul(slice.step)?)?;
            if count > 0 && slice.start.max(last) >= size {
                return None;
            }
            start += if count > 0 { slice.start * step.unsigned_abs() } else { 0 };
            axes.push((
                slice.count,
                if count > 0 && slice.count > 1 { slice.step * step } else { 0 },
            ));
        }
        let kept = slices.iter().filter(|slice| !slice.dropped || slice.count != 1);
        let shape = kept.map(|slice| slice.count).collect();
        Self::new(shape, self.values.gather(places(start, &axes)))
    }
}

/// How many values an array of a shape has, if they and all parts of it can be counted, in bytes as well.
pub(crate) fn values_of(shape: &[usize]) -> Option<usize> {
    let parts = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size.max(1)));
    parts.filter(|&count| count <= isize::MAX as usize / 16)?;
    Some(shape.iter().product())
}

/// The sizes of a shape for `count` values, of which one may be −1: what is left. `None` where the values do not
/// fill it, or it has more dimensions than any.
pub(crate) fn sizes_for(sizes: &[i64], count: usize) -> Option<Vec<usize>> {
    if sizes.len() > MAX_RANK {
        return None;
    }
    let given = sizes.iter().filter(|&&size| size != -1);
    let mut given = given.map(|&size| usize::try_from(size).ok());
    let given = given.try_fold(1usize, |product, size| product.checked_mul(size?))?;
    let free = sizes.iter().filter(|&&size| size == -1).count();
    let left = if free == 0 { 1 } else { count.checked_div(given).unwrap_or(0) };
    let fits = free <= 1 && left * given == count;
    let size = |&size: &i64| if size == -1 { left } else { size as usize };
    fits.then(|| sizes.iter().map(size).collect())
}

/// An axis, or a position along one, counted from the front; those below zero count from the back.
pub(crate) fn place(axis: i64, rank: usize) -> Option<usize> {
    let from_front = if axis < 0 { axis.checked_add(i64::try_from(rank).ok()?)? } else { axis };
    usize::try_from(from_front).ok().filter(|&axis| axis < rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(shape: &[usize], values: &[f32]) -> Array {
        Array::new(shape.to_vec(), Values::Floats(values.to_vec())).unwrap()
    }

    #[test]
    fn axes_of_one_are_as_long_as_the_others() {
        let (column, row) = (floats(&[2, 1], &[10.0, 20.0]), floats(&[2], &[1.0, 2.0]));
        let sum = |a: &Array, b: &Array| a.zip(b, |a, b| a + b, |a, b| a.checked_add(b));
        let whole = sum(&column, &row).unwrap();
        assert_eq!(whole, floats(&[2, 2], &[11.0, 12.0, 21.0, 22.0]));
        assert_eq!(sum(&whole, &floats(&[], &[0.5])).unwrap().shape(), [2, 2]);
        assert_eq!(sum(&whole, &floats(&[3], &[0.0; 3])), None);
        let thousand = vec![0.0; 1000];
        let (column, row) = (floats(&[1000, 1], &thousand), floats(&[1000], &thousand));
        assert_eq!(sum(&column, &row), None, "a million of two thousand");
        let (large, one) = (Array::integers(vec![i64::MAX]), Array::integers(vec![1]));
        assert_eq!(sum(&large, &one), None);
    }

    #[test]
    fn shapes_change_and_values_stay() {
        let array = || floats(&[1, 2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(array().reshaped(&[3, -1]).unwrap().shape(), [3, 2]);
        assert_eq!(array().reshaped(&[4, -1]), None);
        assert_eq!(array().reshaped(&[-1, -1]), None);
        assert_eq!(array().reshaped(&[-2, -3]), None);
        assert_eq!(array().squeezed(&[]).unwrap().shape(), [2, 3]);
        assert_eq!(array().squeezed(&[-3]).unwrap().shape(), [2, 3]);
        assert_eq!(array().squeezed(&[1]), None);
        assert_eq!(array().expanded(-1).unwrap().shape(), [1, 2, 3, 1]);
        assert_eq!(array().expanded(5), None);
    }

    #[test]
    fn arrays_are_joined_stacked_and_cut() {
        let (a, b) = (floats(&[2, 1], &[0.0, 1.0]), floats(&[2, 2], &[2.0, 3.0, 4.0, 5.0]));
        let joined = Array::concat(&[a.clone(), b.clone()], 1).unwrap();
        assert_eq!(joined, floats(&[2, 3], &[0.0, 2.0, 3.0, 1.0, 4.0, 5.0]));
        assert_eq!(Array::concat(&[a.clone(), b], 0), None);
        assert_eq!(Array::stack(vec![a.clone(), a], 0).unwrap().shape(), [2, 2, 1]);
        let slice = |start, step, count, dropped| Slice { start, step, count, dropped };
        let last_column = joined.sliced(&[slice(0, 1, 2, false), slice(2, 1, 1, true)]);
        assert_eq!(last_column.unwrap(), floats(&[2], &[3.0, 5.0]));
        assert_eq!(joined.sliced(&[slice(1, -1, 2, false)]).unwrap().len(), 6);
        assert_eq!(joined.sliced(&[slice(0, -1, 2, false)]), None);
        assert_eq!(joined.sliced(&[slice(0, 1, 3, false)]), None);
    }
}
