//! What a network makes of a part of an image, as against what it makes of all of it.
//!
//! A layer's value at a position depends on as much of the image as its windows reach. Where a part holds all of
//! that, and its grid is the whole image's, the value is the same, and so is its slope with respect to each pixel.
//! Each axis is by itself.

use std::ops::Range;

use crate::{Graph, NodeId, Op, Shape, Size, Taps, Window};

/// The positions that a layer has along one axis of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// Which of the whole image's positions the part's first one is.
    pub first: usize,
    /// Those of the whole image's positions that have the same values in the part.
    pub same: Range<usize>,
}

/// Why layers do not make of a part what they make of the whole image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// At this node, each value depends on all of the image, or on more than can be told.
    Everywhere(NodeId),
    /// The part's grid is not the whole image's, or the part is too small for any value.
    OffGrid,
}

impl Graph {
    /// The number of pixels of which a part's start is to be a multiple, along `axis` (0 rows, 1 columns), for the
    /// targets' grids to be the whole image's. What is left of the image's side and of the part's divided by it is
    /// to be the same.
    pub fn grid(&self, targets: &[NodeId], axis: usize) -> usize {
        let mut strides = vec![1.0f64; self.nodes().len()];
        let mut grid = 1;
        for id in self.ancestors(targets) {
            let node = self.node(id);
            let steps = node.inputs.iter().map(|input| strides[input.index()]);
            let step = node.op.window().map_or(node.op.step(), |window| window.stride[axis] as f64);
            // Inputs have the image's positions.
            strides[id.index()] = steps.reduce(f64::max).map_or(1.0, |before| before * step);
            grid = least_common_multiple(grid, strides[id.index()].round().max(1.0) as usize);
        }
        grid
    }

    /// What each target makes of the pixels `part` along `axis` of an image of `whole` size, the other axis being
    /// whole.
    ///
    /// # Errors
    /// Layers of which nothing is the same.
    pub fn partials(
        &self,
        targets: &[NodeId],
        whole: Size,
        axis: usize,
        part: &Range<usize>,
    ) -> Result<Vec<Partial>, Apart> {
        let needed = self.ancestors(targets);
        let mut sides = [whole.height, whole.width];
        let all = self.fitting_shapes(&needed, sides)?;
        sides[axis] = part.len();
        let own = self.fitting_shapes(&needed, sides)?;
        let mut partials: Vec<Option<Partial>> = vec![None; self.nodes().len()];
        for id in needed {
            let node = self.node(id);
            let extents = |id: NodeId| {
                [&all, &own].map(|shapes| shapes[id.index()].map_or(0, |shape| side(shape, axis)))
            };
            let inputs: Vec<Partial> =
                node.inputs.iter().filter_map(|input| partials[input.index()].clone()).collect();
            let partial = match (&node.op, &inputs[..]) {
                (Op::Input { .. }, _) => Partial { first: part.start, same: part.clone() },
                (op, [first, others @ ..]) if op.is_local() => {
                    let same_side = |input: &NodeId| extents(*input) == extents(id);
                    if !node.inputs.iter().all(same_side) {
                        return Err(Apart::Everywhere(id));
                    }
                    others.iter().try_fold(first.clone(), |met, other| met.and(other))?
                }
                (op, [input]) if op.window().is_some() => {
                    let window = op.window().expect("it has one");
                    input.through(window, axis, extents(node.inputs[0]))?
                }
                (op, [input, ..]) => {
                    let taps = |shapes: &[Option<Shape>]| {
                        let (input, output) =
                            (shapes[node.inputs[0].index()]?, shapes[id.index()]?);
                        op.taps(input, output).map(|taps| taps[axis].clone())
                    };
                    let taps = taps(&all).zip(taps(&own)).ok_or(Apart::Everywhere(id))?;
                    input.sampled([&taps.0, &taps.1]).ok_or(Apart::OffGrid)?
                }
                (_, []) => return Err(Apart::Everywhere(id)),
            };
            if partial.same.is_empty() {
                return Err(Apart::OffGrid);
            }
            partials[id.index()] = Some(partial);
        }
        Ok(targets.iter().filter_map(|target| partials[target.index()].take()).collect())
    }

    fn fitting_shapes(
        &self,
        needed: &[NodeId],
        [height, width]: [usize; 2],
    ) -> Result<Vec<Option<Shape>>, Apart> {
        match self.try_shapes(needed, height, width) {
            Ok(Ok(shapes)) => Ok(shapes),
            _ => Err(Apart::OffGrid),
        }
    }
}

impl Partial {
    /// What is the same in both, which have the same grid.
    fn and(self, other: &Partial) -> Result<Partial, Apart> {
        let same = self.same.start.max(other.same.start)..self.same.end.min(other.same.end);
        if self.first == other.first { Ok(Partial { same, ..self }) } else { Err(Apart::OffGrid) }
    }

    /// Behind a window over `whole` and `own` positions of the image and of the part.
    fn through(
        &self,
        window: &Window,
        axis: usize,
        [whole, own]: [usize; 2],
    ) -> Result<Partial, Apart> {
        let stride = window.stride[axis];
        let reach = (window.kernel[axis] - 1) * window.dilation[axis];
        let spans = [whole, own].map(|extent| window.span(axis, extent));
        let [Some(all), Some(part)] = spans else { return Err(Apart::OffGrid) };
        let start = (self.first + all.before).checked_sub(part.before).ok_or(Apart::OffGrid)?;
        if start % stride != 0 {
            return Err(Apart::OffGrid);
        }
        let first = start / stride;
        // A border is the same border, or none.
        let from = match self.same.start {
            0 if self.first == 0 && all.before == part.before => 0,
            start => (start + all.before).div_ceil(stride),
        };
        let at_end = self.same.end == whole
            && self.first + own == whole
            && all.after == part.after
            && first + part.output == all.output;
        let to = match (self.same.end + all.before).checked_sub(reach + 1) {
            _ if at_end => all.output,
            Some(last) => (last / stride + 1).min(all.output),
            None => 0,
        };
        Ok(Partial { first, same: from.max(first)..to.min(first + part.output) })
    }

    /// Behind what samples the image's positions and the part's as these taps say; `None` if nothing in the
    /// middle is the same.
    fn sampled(&self, [all, own]: [&Taps; 2]) -> Option<Partial> {
        let alike = |whole: usize, part: usize| {
            let mut taps = all.at(whole).iter().zip(own.at(part));
            let near = |((of, weight), (own, own_weight)): (&(usize, f32), &(usize, f32))| {
                *of == self.first + own && (weight - own_weight).abs() < 1e-6
            };
            all.at(whole).len() == own.at(part).len() && taps.all(near)
        };
        let middle = own.positions() / 2;
        let from = |there: usize| {
            let first = there.checked_sub(middle).filter(|_| alike(there, middle))?;
            let positions = first..all.positions().min(first + own.positions());
            let known = |position: usize| {
                let mut taps = all.at(position).iter();
                alike(position, position - first) && taps.all(|(of, _)| self.same.contains(of))
            };
            let mut same = first..first;
            let mut start = first;
            for position in positions {
                match known(position) {
                    true if position + 1 - start > same.len() => same = start..position + 1,
                    true => {}
                    false => start = position + 1,
                }
            }
            Some(Partial { first, same })
        };
        // A position that samples nothing has no place, and several may sample the same.
        let placed = !own.at(middle).is_empty();
        (0..all.positions()).filter(|_| placed).filter_map(from).max_by_key(|it| it.same.len())
    }
}

fn side(shape: Shape, axis: usize) -> usize {
    [shape.height, shape.width][axis]
}

fn least_common_multiple(a: usize, b: usize) -> usize {
    let (mut divisor, mut rest) = (a, b);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    (a / divisor).saturating_mul(b)
}
