//! What a graph does to the picture before the network begins, as far as [`InputSpec`] can say it: axes in
//! another order, colours in another order, numbers subtracted and multiplied.

use graph::{Affine, ChannelOrder, InputSpec};

use super::Array;

/// The picture on its way into the network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) axes: Vec<Axis>,
    pub(crate) channels: Vec<Channel>,
}

/// What an axis goes along.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Axis {
    Batch,
    Rows,
    Columns,
    Channels,
}
use Axis::{Batch, Channels, Columns, Rows};

/// `scale · x + shift`, with `x` being the picture's channel numbered `source`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Channel {
    pub(crate) source: usize,
    pub(crate) scale: f64,
    pub(crate) shift: f64,
}

impl Entry {
    /// The picture as it is, with its axes as the graph says.
    pub(crate) fn new(axes: &[Axis]) -> Self {
        let channel = |source| Channel { source, scale: 1.0, shift: 0.0 };
        Self { axes: axes.to_vec(), channels: (0..3).map(channel).collect() }
    }

    /// Whether a network that begins here has its maps with channels last, and what it wants for input; or why
    /// that is no picture.
    pub(crate) fn begun(&self) -> Result<(bool, InputSpec), &'static str> {
        let channels_last = match self.axes[..] {
            [Batch, Rows, Columns, Channels] | [Rows, Columns, Channels] => true,
            [Batch, Channels, Rows, Columns] | [Channels, Rows, Columns] => false,
            _ => return Err("the picture with its axes in an order that is neither NHWC nor NCHW"),
        };
        let sources = self.channels.iter().map(|channel| channel.source);
        let order = match sources.collect::<Vec<_>>()[..] {
            [0, 1, 2] => ChannelOrder::Rgb,
            [2, 1, 0] => ChannelOrder::Bgr,
            _ => return Err("a part of the picture's channels"),
        };
        let wanted = self.input_spec(order);
        Ok((
            channels_last,
            wanted.ok_or("the picture multiplied by 0, or by what is no finite number")?,
        ))
    }

    /// The numbers of the three channels, if they are numbers and can be undone.
    fn input_spec(&self, order: ChannelOrder) -> Option<InputSpec> {
        let [a, b, c] = self.channels[..] else { return None };
        let mean =
            [a, b, c].map(|x| if x.shift == 0.0 { 0.0 } else { (-x.shift / x.scale) as f32 });
        let scale = [a, b, c].map(|x| x.scale as f32);
        let numbers = mean.iter().chain(&scale).all(|x| x.is_finite());
        (numbers && scale.iter().all(|&x| x != 0.0)).then_some(InputSpec { order, mean, scale })
    }

    /// The number of an axis that the file counts from the front or, below 0, from the end.
    pub(crate) fn axis(&self, number: i64) -> Option<usize> {
        let rank = self.axes.len() as i64;
        let number = if number < 0 { number.checked_add(rank)? } else { number };
        usize::try_from(number).ok().filter(|&number| number < self.axes.len())
    }

    pub(crate) fn is_channels(&self, number: i64) -> bool {
        self.axis(number).is_some_and(|axis| self.axes[axis] == Channels)
    }

    /// The same with these of its channels.
    pub(crate) fn of(&self, channels: &[usize]) -> Option<Self> {
        let channels = channels.iter().map(|&channel| self.channels.get(channel).copied());
        Some(Self { axes: self.axes.clone(), channels: channels.collect::<Option<_>>()? })
    }

    /// The same without its axis of channels, of which it has one.
    pub(crate) fn flat(mut self) -> Option<Self> {
        self.axes.retain(|&axis| axis != Channels);
        (self.channels.len() == 1).then_some(self)
    }

    /// `f` of each channel and its number.
    pub(crate) fn each(self, f: impl Fn(Channel, usize) -> Channel) -> Self {
        let channels = self.channels.iter().enumerate().map(|(c, &channel)| f(channel, c));
        Self { channels: channels.collect(), axes: self.axes }
    }

    /// One number of a constant for each channel, if it has no more.
    pub(crate) fn by_channel(&self, array: &Array) -> Option<Vec<f64>> {
        let values: Vec<f64> =
            array.clone().into_floats().as_floats()?.iter().map(|&x| x.into()).collect();
        let skipped = self.axes.len().checked_sub(array.shape().len())?;
        let mut sizes = self.axes[skipped..].iter().zip(array.shape());
        if sizes.any(|(&axis, &size)| size != 1 && axis != Channels) {
            return None;
        }
        match values[..] {
            [all] => Some(vec![all; self.channels.len()]),
            _ => (values.len() == self.channels.len()).then_some(values),
        }
    }

    /// The channels of several one after another, with the axes that `axes` makes of the first's.
    pub(crate) fn joined(
        entries: &[Self],
        axes: impl FnOnce(&Self) -> Option<Vec<Axis>>,
    ) -> Option<Self> {
        let first = entries.first()?;
        // A picture has three channels; more, joined again and again, would be more than any memory holds.
        let count: usize = entries.iter().map(|entry| entry.channels.len()).sum();
        let alike = count <= 3 && entries.iter().all(|entry| entry.axes == first.axes);
        let axes = alike.then(|| axes(first))??;
        Some(Self { axes, channels: entries.iter().flat_map(|e| e.channels.clone()).collect() })
    }
}

impl Channel {
    pub(crate) fn over(self, divisor: f64) -> Self {
        Self { scale: self.scale / divisor, shift: self.shift / divisor, ..self }
    }

    pub(crate) fn times(self, factor: f64) -> Self {
        Self { scale: self.scale * factor, shift: self.shift * factor, ..self }
    }
}

/// What makes the input that one part of a network wants of the one that it is given, which has the same order
/// of colours.
pub(crate) fn between(given: InputSpec, wanted: InputSpec) -> Affine {
    let ratio = |c: usize| f64::from(wanted.scale[c]) / f64::from(given.scale[c]);
    let shift = |c: usize| {
        (f64::from(given.mean[c]) - f64::from(wanted.mean[c])) * f64::from(wanted.scale[c])
    };
    Affine {
        scale: (0..3).map(|c| ratio(c) as f32).collect(),
        shift: (0..3).map(|c| shift(c) as f32).collect(),
    }
}
