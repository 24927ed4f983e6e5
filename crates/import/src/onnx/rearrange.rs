//! Values whose axes are not those of maps, made into maps again: channels in another order, channels that
//! became pixels, pixels that became channels.

use std::sync::Arc;

use graph::{BlockOrder, DepthToSpace, NodeId, Op, SelectChannels, SpaceToDepth};

use super::form::{Form, Kind, Part};
use super::reader::{Reader, Value};
use crate::ImportError;
use crate::kit::MAX_BLOCK;

/// The most channels whose order is worked out one by one.
const MAX_CHANNELS: usize = 1 << 16;

impl Reader {
    /// The node that has a value as a batch of channels, rows and columns, `name`d so if it has to be made;
    /// `None` if the value is no such thing.
    ///
    /// # Errors
    /// As [`Reader::add`].
    pub(super) fn map(&mut self, name: &str, value: &Value) -> Result<Option<NodeId>, ImportError> {
        let Some((id, form)) = value.node() else { return Ok(None) };
        if form.is_map(self.channels(id)) {
            return Ok(Some(id));
        }
        match self.steps(id, form) {
            Some(steps) => {
                let mut id = id;
                for op in steps {
                    id = self.add(name, op, &[id])?;
                }
                Ok(Some(id))
            }
            None => Ok(None),
        }
    }

    /// A value as a map where pixels have become its channels; any other as it is.
    ///
    /// # Errors
    /// As [`Reader::add`].
    pub(super) fn unmixed(&mut self, name: &str, value: &Value) -> Result<Value, ImportError> {
        let mixed = |form: &Form| {
            form.rank() == 4 && form.0[1].iter().any(|part| part.kind != Kind::Channels)
        };
        Ok(match value.node().filter(|(_, form)| mixed(form)) {
            Some(_) => match self.map(name, value)? {
                Some(map) => Value::Node(map, self.map_form(map)),
                None => value.clone(),
            },
            None => value.clone(),
        })
    }

    /// What makes a map of a node laid out so.
    fn steps(&self, id: NodeId, form: &Form) -> Option<Vec<Op>> {
        let channels = self.channels(id);
        let [batch, deep, rows, columns] = &form.0[..] else { return None };
        if !batch.is_empty() || channels > MAX_CHANNELS {
            return None;
        }
        let whole = pixels(rows, Kind::Rows) && pixels(columns, Kind::Columns);
        if whole && deep.iter().all(|part| part.kind == Kind::Channels) {
            return to_pixels(deep, rows, columns, channels);
        }
        self.to_channels(id, deep, rows, columns)
    }

    /// Pixels that became channels: rows and columns are the outer part of their own.
    fn to_channels(
        &self,
        id: NodeId,
        deep: &[Part],
        rows: &[Part],
        columns: &[Part],
    ) -> Option<Vec<Op>> {
        let (channels, shape, other) = (self.channels(id), self.shape(id, 0)?, self.shape(id, 1)?);
        let odd = self.shape(id, 2).unwrap_or(shape);
        let block = |parts: &[Part], kind: Kind, [size, other, odd]: [usize; 3]| match parts {
            [part] if part.kind == kind && part.size * part.step == size => Some(part.step),
            // All of them, however large the picture is.
            [] if [other, odd] == [size; 2] => Some(size),
            _ => None,
        };
        let high = block(rows, Kind::Rows, [shape.height, other.height, odd.height])?;
        let wide = block(columns, Kind::Columns, [shape.width, other.width, odd.width])?;
        if high.max(wide) > MAX_BLOCK {
            return None;
        }
        let places = numbers(deep, |part| match part.kind {
            Kind::Channels => Some(part.step * high * wide),
            Kind::Rows if part.step * part.size <= high => Some(part.step * wide),
            Kind::Columns if part.step * part.size <= wide => Some(part.step),
            _ => None,
        })?;
        let count = channels.checked_mul(high)?.checked_mul(wide)?;
        let shuffle = DepthToSpace { block: [high, wide], order: BlockOrder::ChannelsFirst };
        let select = permuted(places, count)?;
        Some(std::iter::once(Op::SpaceToDepth(SpaceToDepth(shuffle))).chain(select).collect())
    }
}

/// Whether parts are all of the rows, or columns, and then channels that become pixels between them.
fn pixels(parts: &[Part], kind: Kind) -> bool {
    let rest = match parts {
        [first, rest @ ..] if first.kind == kind && first.step == 1 => rest,
        rest => rest,
    };
    rest.iter().all(|part| part.kind == Kind::Channels)
}

/// Channels in another order, of which some become pixels.
fn to_pixels(deep: &[Part], rows: &[Part], columns: &[Part], channels: usize) -> Option<Vec<Op>> {
    let own = |parts: &[Part]| -> Vec<Part> {
        parts.iter().copied().filter(|part| part.kind == Kind::Channels).collect()
    };
    let (high, wide) = (own(rows), own(columns));
    let size = |parts: &[Part]| parts.iter().map(|part| part.size).product::<usize>();
    let block = [size(&high), size(&wide)];
    let all: Vec<Part> = deep.iter().copied().chain(high).chain(wide).collect();
    let mut steps: Vec<Op> =
        permuted(numbers(&all, |part| Some(part.step))?, channels)?.into_iter().collect();
    if block.iter().any(|&size| size > MAX_BLOCK) {
        return None;
    }
    if block != [1, 1] {
        steps.push(Op::DepthToSpace(DepthToSpace { block, order: BlockOrder::ChannelsFirst }));
    }
    Some(steps)
}

/// Where each of the values along parts lies, one step of each part being as far as `step` says.
fn numbers(parts: &[Part], step: impl Fn(&Part) -> Option<usize>) -> Option<Vec<usize>> {
    let count = parts.iter().try_fold(1usize, |count, part| count.checked_mul(part.size))?;
    if count > MAX_CHANNELS {
        return None;
    }
    let mut places = vec![0usize; count];
    let mut along = 1;
    for part in parts.iter().rev() {
        let step = step(part)?;
        places.iter_mut().enumerate().for_each(|(i, place)| *place += i / along % part.size * step);
        along *= part.size;
    }
    Some(places)
}

/// The channels at these places out of `count`, all of which are there once; nothing to do where they are in
/// order.
fn permuted(places: Vec<usize>, count: usize) -> Option<Option<Op>> {
    let mut seen = vec![false; count];
    let once = places.iter().all(|&at| at < count && !std::mem::replace(&mut seen[at], true));
    if !once || places.len() != count {
        return None;
    }
    if places.is_sorted() {
        return Some(None);
    }
    let channels: Arc<[usize]> = places.into();
    Some(Some(Op::SelectChannels(SelectChannels { in_channels: count, channels })))
}
