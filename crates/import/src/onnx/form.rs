//! How a file lays out a value's channels, rows and columns along its own axes.
//!
//! A value here has always channels, rows and columns. Files transpose, flatten, split and join them at will;
//! that moves no number here: a [`Form`] says which part of which of the three goes along each of the file's
//! axes. Only where an operation does not fit the form does something have to be computed, or is it refused.

use std::fmt;

use crate::kit::{place, sizes_for};

/// One of the three things that values here have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Channels,
    Rows,
    Columns,
}

/// A part of channels, rows or columns: `size` steps that are each `step` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) size: usize,
    pub(super) step: usize,
}

/// What goes along each of the file's axes, slowest first; nothing along axes of size 1. Sizes are those for a
/// picture of the size that the reader has in mind.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Form(pub(super) Vec<Vec<Part>>);

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for axis in &self.0 {
            f.write_str("[")?;
            for part in axis {
                let letter = &format!("{:?}", part.kind)[..1];
                write!(f, "{letter}{}/{} ", part.size, part.step)?;
            }
            f.write_str("]")?;
        }
        Ok(())
    }
}

impl Part {
    pub(super) fn whole(kind: Kind, size: usize) -> Self {
        Self { kind, size, step: 1 }
    }
}

impl Form {
    pub(super) fn rank(&self) -> usize {
        self.0.len()
    }

    /// The size of an axis.
    pub(super) fn size(&self, axis: usize) -> usize {
        self.0[axis].iter().map(|part| part.size).product()
    }

    pub(super) fn sizes(&self) -> Vec<usize> {
        (0..self.rank()).map(|axis| self.size(axis)).collect()
    }

    /// An axis counted from the front; those below 0 count from the back.
    pub(super) fn axis(&self, axis: i64) -> Option<usize> {
        place(axis, self.rank())
    }

    /// Whether an axis has all channels and nothing else, of `channels`.
    pub(super) fn is_channels(&self, axis: usize, channels: usize) -> bool {
        match self.0[axis][..] {
            [] => channels == 1 && !self.has(Kind::Channels),
            [part] => part == Part::whole(Kind::Channels, channels),
            _ => false,
        }
    }

    /// As [`Self::is_channels`], beside rows and columns of which there is one in a picture of this size.
    pub(super) fn has_channels(&self, axis: usize, channels: usize) -> bool {
        let mut parts = self.0[axis].iter().filter(|part| part.size != 1);
        match (parts.next(), parts.next()) {
            (None, _) => channels == 1,
            (Some(&part), None) => part == Part::whole(Kind::Channels, channels),
            _ => false,
        }
    }

    /// Whether any axis has a part of these.
    pub(super) fn has(&self, kind: Kind) -> bool {
        self.0.iter().flatten().any(|part| part.kind == kind)
    }

    /// The axis that has rows, or columns, whole and alone.
    pub(super) fn alone(&self, axis: usize, kind: Kind) -> bool {
        matches!(self.0[axis][..], [part] if part.kind == kind && part.step == 1
            && self.0.iter().flatten().filter(|other| other.kind == kind).count() == 1)
    }

    /// Whether this is a batch of one map with channels, rows and columns in that order, all of them whole.
    pub(super) fn is_map(&self, channels: usize) -> bool {
        let [batch, _, rows, columns] = &self.0[..] else { return false };
        let alone = |axis: usize, kind, parts: &Vec<Part>| {
            parts.is_empty() && !self.has(kind) || self.alone(axis, kind)
        };
        batch.is_empty()
            && self.is_channels(1, channels)
            && alone(2, Kind::Rows, rows)
            && alone(3, Kind::Columns, columns)
    }

    /// With the file's axes in another order: first the one numbered `order[0]`.
    pub(super) fn transposed(&self, order: &[usize]) -> Option<Self> {
        let all = (0..self.rank()).all(|axis| order.contains(&axis));
        (all && order.len() == self.rank())
            .then(|| Self(order.iter().map(|&axis| self.0[axis].clone()).collect()))
    }

    /// The same values along axes of other sizes, of which one may be −1: what is left.
    pub(super) fn reshaped(&self, sizes: &[i64]) -> Option<Self> {
        let sizes = sizes_for(sizes, self.sizes().iter().product())?;
        let mut parts: Vec<Part> = self.0.iter().flatten().rev().copied().collect();
        let mut axes = Vec::with_capacity(sizes.len());
        for &size in &sizes {
            let (mut axis, mut left) = (Vec::new(), size);
            if left == 1 && parts.last().is_some_and(|part| part.size == 1) {
                axis.extend(parts.pop());
            }
            while left > 1 {
                let part = parts.pop()?;
                if part.size == 0 {
                    return None;
                }
                if left.is_multiple_of(part.size) {
                    left /= part.size;
                    axis.push(part);
                } else if part.size.is_multiple_of(left) {
                    let inner = part.size / left;
                    axis.push(Part { size: left, step: part.step * inner, ..part });
                    parts.push(Part { size: inner, ..part });
                    left = 1;
                } else {
                    return None;
                }
            }
            axes.push(axis);
        }
        // Rows and columns of which there is one in a picture of this size.
        let rest: Vec<Part> = parts.into_iter().rev().collect();
        match axes.last_mut() {
            _ if rest.iter().any(|part| part.size != 1) => return None,
            Some(last) => last.extend(rest),
            None if rest.is_empty() => {}
            None => return None,
        }
        Some(Self(axes).joined())
    }

    /// Parts that follow each other as they do in the whole become one again.
    fn joined(mut self) -> Self {
        for axis in &mut self.0 {
            let mut joined: Vec<Part> = Vec::with_capacity(axis.len());
            for part in axis.drain(..) {
                match joined.last_mut() {
                    Some(last)
                        if last.kind == part.kind
                            && last.step == part.step.saturating_mul(part.size) =>
                    {
                        last.size *= part.size;
                        last.step = part.step;
                    }
                    _ => joined.push(part),
                }
            }
            *axis = joined;
        }
        self
    }

    /// Without the rows or columns, where there is always one, and the channel, if there is one.
    pub(super) fn without(mut self, kinds: &[Kind]) -> Self {
        for axis in &mut self.0 {
            axis.retain(|part| !kinds.contains(&part.kind));
            axis.retain(|part| part.kind != Kind::Channels || part.size != 1);
        }
        self
    }

    /// The form of what two values give element by element, if they meet as they do here.
    pub(super) fn met(&self, other: &Self) -> Option<Self> {
        let rank = self.rank().max(other.rank());
        let part = |form: &Self, axis: usize| match (axis + form.rank()).checked_sub(rank) {
            Some(axis) => form.0[axis].clone(),
            None => Vec::new(),
        };
        let axis = |axis: usize| match (part(self, axis), part(other, axis)) {
            (a, b) if a == b || b.is_empty() => Some(a),
            (a, b) if a.is_empty() => Some(b),
            _ => None,
        };
        let form = Self((0..rank).map(axis).collect::<Option<_>>()?);
        // What is along two axes at once met itself in two ways.
        let mut seen: Vec<Part> = Vec::new();
        for &part in form.0.iter().flatten() {
            if seen.contains(&part) {
                return None;
            }
            seen.push(part);
        }
        Some(form)
    }

    /// For each channel, where its number is in a constant of `sizes` that meets a value of this form; `None`
    /// where the constant has a number for each row or column, or more of anything than the value.
    pub(super) fn places(&self, sizes: &[usize], channels: usize) -> Option<Vec<usize>> {
        let skipped = self.rank().checked_sub(sizes.len())?;
        let mut places = vec![0; channels];
        let mut stride = 1;
        for (axis, &size) in self.0[skipped..].iter().zip(sizes).rev() {
            if size == 1 {
                continue;
            }
            let mut along = stride;
            for part in axis.iter().rev() {
                // Rows and columns of which there is one in a picture of this size.
                if part.size == 1 {
                    continue;
                }
                if part.kind != Kind::Channels {
                    return None;
                }
                let add =
                    |(c, place): (usize, &mut usize)| *place += c / part.step % part.size * along;
                places.iter_mut().enumerate().for_each(add);
                along *= part.size;
            }
            if along != stride * size {
                return None;
            }
            stride *= size;
        }
        Some(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(channels: usize, rows: usize, columns: usize) -> Form {
        let axis = |kind, size| vec![Part::whole(kind, size)];
        Form(vec![
            vec![],
            axis(Kind::Channels, channels),
            axis(Kind::Rows, rows),
            axis(Kind::Columns, columns),
        ])
    }

    #[test]
    fn what_is_flattened_and_back_is_the_same() {
        let form = map(6, 4, 5);
        let flat = form.reshaped(&[1, -1]).unwrap();
        assert_eq!(flat.sizes(), [1, 120]);
        assert_eq!(flat.reshaped(&[1, 6, 4, 5]).unwrap(), form);
        assert!(flat.reshaped(&[7, -1]).is_none());
        let split = form.reshaped(&[1, 2, 3, 4, 5]).unwrap();
        assert_eq!(split.reshaped(&[1, -1, 4, 5]).unwrap(), form);
    }

    #[test]
    fn shuffled_channels_are_no_map_and_told() {
        let split = map(6, 4, 5).reshaped(&[1, 2, 3, 4, 5]).unwrap();
        let shuffled = split.transposed(&[0, 2, 1, 3, 4]).unwrap().reshaped(&[1, 6, 4, 5]).unwrap();
        assert!(!shuffled.is_map(6) && map(6, 4, 5).is_map(6));
        assert_eq!(shuffled.places(&[6, 1, 1], 6).unwrap(), [0, 2, 4, 1, 3, 5]);
    }

    #[test]
    fn constants_meet_channels_wherever_these_are() {
        let last = map(3, 4, 5).transposed(&[0, 2, 3, 1]).unwrap();
        assert_eq!(last.places(&[3], 3).unwrap(), [0, 1, 2]);
        assert_eq!(last.places(&[], 3).unwrap(), [0, 0, 0]);
        assert_eq!(last.places(&[5, 1], 3), None, "a number for each column");
        assert_eq!(last.places(&[2], 3), None);
        let head = map(3, 1, 1).reshaped(&[1, 3]).unwrap();
        assert_eq!(head.places(&[3], 3).unwrap(), [0, 1, 2]);
        assert!(head.has_channels(1, 3) && !head.is_channels(1, 3));
    }

    #[test]
    fn one_row_or_column_goes_where_the_file_puts_it() {
        let pooled = map(6, 1, 1);
        let row = pooled.reshaped(&[1, 6]).unwrap();
        assert_eq!(row.0[1].len(), 3);
        assert_eq!(pooled.reshaped(&[1, 6, 1, 1]).unwrap(), pooled);
        let unit = pooled.without(&[Kind::Rows, Kind::Columns]);
        assert_eq!(unit.reshaped(&[1, 6]).unwrap().0[1], [Part::whole(Kind::Channels, 6)]);
    }
}
