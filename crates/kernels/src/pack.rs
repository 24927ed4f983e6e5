//! Between planes of `f32` and the blocked layout: the picture on its way in, its gradient on the way
//! out, and any activation.

use std::ops::Range;

use crate::map::clear_halo;
use crate::shared_ptr::SharedPtr;
use crate::threads::part;
use crate::{BlockedMap, Context, MapMut, MapRef, Vec16, WriteMode};

/// How the picture becomes the network's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputTransform {
    /// Channels of the network's input, 1–4.
    pub channels: usize,
    /// Which of the picture's channels each of them is.
    pub source: [usize; 4],
    /// Subtracted from each, in the picture's units.
    pub mean: [f32; 4],
    /// Multiplied with each after that.
    pub scale: [f32; 4],
    /// By how many rows and columns the picture is rolled while it is read: the input's (y, x) is the
    /// picture's `(y − shift[0], x − shift[1])`, modulo its extent.
    pub shift: [usize; 2],
    /// Space to depth: squares of so many pixels each way, 1–4, become channels. 1 leaves them in place.
    ///
    /// Channel `(c · depth + qy) · depth + qx` of the map's pixel (Y, X) is channel c of the input's
    /// pixel (Y · depth + qy, X · depth + qx), or 0 where that lies beyond the picture.
    pub space_to_depth: usize,
}

impl InputTransform {
    /// The map's extent for a picture, in blocks, rows and columns.
    pub fn extent(&self, height: usize, width: usize) -> [usize; 3] {
        let slots = self.channels * self.space_to_depth * self.space_to_depth;
        [
            slots.div_ceil(16),
            height.div_ceil(self.space_to_depth),
            width.div_ceil(self.space_to_depth),
        ]
    }

    fn check(&self, picture: usize, height: usize, width: usize, map: &BlockedMap) -> usize {
        let usual = (1..=4).contains(&self.channels) && (1..=4).contains(&self.space_to_depth);
        assert!(usual, "an input of 1–4 channels, in squares of 1–4 pixels");
        assert_eq!(
            self.extent(height, width),
            [map.blocks(), map.height(), map.width()],
            "the map does not hold the picture"
        );
        assert!(
            height > 0 && width > 0 && picture.is_multiple_of(height * width),
            "the picture is no whole number of planes"
        );
        let planes = picture / (height * width);
        assert!(self.source[..self.channels].iter().all(|&c| c < planes), "no such plane");
        planes
    }

    /// Channel, row and column within its square of a channel of the map.
    fn place(&self, slot: usize) -> (usize, usize, usize) {
        let (rest, qx) = (slot / self.space_to_depth, slot % self.space_to_depth);
        (rest / self.space_to_depth, rest % self.space_to_depth, qx)
    }

    /// The picture's row for a row of the input.
    fn row(&self, row: usize, height: usize) -> usize {
        (row + height - self.shift[0] % height) % height
    }

    /// For the columns X of the map whose pixel X · depth + `qx` lies on the picture: calls `f` with a
    /// range of them and the picture's column of the first; from there on the picture's columns go in
    /// steps of d.
    fn columns(&self, qx: usize, width: usize, mut f: impl FnMut(Range<usize>, usize)) {
        let shift = self.shift[1] % width;
        // The first column of the map that reads from the picture's left part, past the seam.
        let seam = shift.saturating_sub(qx).div_ceil(self.space_to_depth);
        let end = width.saturating_sub(qx).div_ceil(self.space_to_depth);
        let seam = seam.min(end);
        if seam > 0 {
            f(0..seam, width - shift + qx);
        }
        if seam < end {
            f(seam..end, seam * self.space_to_depth + qx - shift);
        }
    }
}

/// How many tasks share so many rows of so many vectors.
fn tasks(rows: usize, vectors: usize) -> usize {
    (rows * vectors).div_ceil(4096).clamp(1, rows.max(1))
}

/// A row of a map's block.
///
/// # Safety
/// `vectors` are the map's, the row lies in it, and nobody else touches it.
unsafe fn row<'a>(
    map: &BlockedMap,
    vectors: SharedPtr<Vec16>,
    block: usize,
    row: usize,
) -> &'a mut [Vec16] {
    // SAFETY: the caller's promise.
    unsafe {
        let start = vectors.get().add(map.at(block, row as isize, 0));
        std::slice::from_raw_parts_mut(start, map.width())
    }
}

/// Writes the picture (channels × height × width) as the network's input.
///
/// # Panics
/// If a slice or the map does not have the picture's extent.
pub fn pack(
    cx: &Context,
    input: &InputTransform,
    picture: &[f32],
    height: usize,
    width: usize,
    x: MapMut<'_>,
) {
    let map = *x.map();
    input.check(picture.len(), height, width, &map);
    let slots = input.channels * input.space_to_depth * input.space_to_depth;
    let shared = SharedPtr::of(x.into_vectors());
    let tasks = tasks(map.height(), map.blocks() * map.width());
    cx.threads().for_each(tasks, |task| {
        let rows = part(task, tasks, map.height());
        for block in 0..map.blocks() {
            for y in rows.clone() {
                // SAFETY: the row lies in the map and is this task's alone.
                let to = unsafe { row(&map, shared, block, y) };
                to.fill(Vec16::default());
                for slot in block * 16..slots.min(block * 16 + 16) {
                    let (c, qy, qx) = input.place(slot);
                    let (lane, mean, scale) = (slot % 16, input.mean[c], input.scale[c]);
                    let py = y * input.space_to_depth + qy;
                    if py >= height {
                        continue;
                    }
                    let from = input.source[c] * height + input.row(py, height);
                    let from = &picture[from * width..][..width];
                    input.columns(qx, width, |columns, first| {
                        let (to, from) = (&mut to[columns], &from[first..]);
                        let of = |to: &mut Vec16, value: f32| to.0[lane] = (value - mean) * scale;
                        match input.space_to_depth {
                            1 => take::<1>(to, from, of),
                            2 => take::<2>(to, from, of),
                            3 => take::<3>(to, from, of),
                            _ => take::<4>(to, from, of),
                        }
                    });
                }
            }
            // SAFETY: the block lies in the map, and the rows are this task's alone.
            unsafe { clear_halo(&map, shared.get().add(block * map.block()), rows.clone()) };
        }
    });
}

/// Calls `f` with one pixel after the other and every `D`-th value.
#[inline(always)]
fn take<const D: usize>(pixels: &mut [Vec16], values: &[f32], f: impl Fn(&mut Vec16, f32)) {
    let (whole, rest) = values.as_chunks::<D>();
    if let (Some(pixel), Some(value)) = (pixels.get_mut(whole.len()), rest.first()) {
        f(pixel, *value);
    }
    for (pixel, values) in pixels.iter_mut().zip(whole) {
        f(pixel, values[0]);
    }
}

/// Calls `f` with every `D`-th value and one pixel after the other.
#[inline(always)]
fn give<const D: usize>(values: &mut [f32], pixels: &[Vec16], f: impl Fn(&mut f32, &Vec16)) {
    let (whole, rest) = values.as_chunks_mut::<D>();
    if let (Some(pixel), Some(value)) = (pixels.get(whole.len()), rest.first_mut()) {
        f(value, pixel);
    }
    for (pixel, values) in pixels.iter().zip(whole) {
        f(&mut values[0], pixel);
    }
}

/// The gradient of [`pack`]: what the map's gradient `dx` is to the picture's values. Channels of the
/// picture that the network does not read become 0.
///
/// # Panics
/// If a slice or the map does not have the picture's extent.
pub fn unpack(
    cx: &Context,
    input: &InputTransform,
    dx: MapRef<'_>,
    height: usize,
    width: usize,
    gradient: &mut [f32],
) {
    let map = dx.map();
    let planes = input.check(gradient.len(), height, width, map);
    let slots = input.channels * input.space_to_depth * input.space_to_depth;
    let shared = SharedPtr::of(gradient);
    let tasks = tasks(map.height(), map.blocks() * map.width());
    cx.threads().for_each(tasks, |task| {
        // SAFETY: different rows of the map have different rows of the picture.
        let picture_row = |plane: usize, y: usize| unsafe {
            let start = (plane * height + input.row(y, height)) * width;
            std::slice::from_raw_parts_mut(shared.get().add(start), width)
        };
        for y in part(task, tasks, map.height()) {
            for py in y * input.space_to_depth..height.min((y + 1) * input.space_to_depth) {
                (0..planes).for_each(|plane| picture_row(plane, py).fill(0.0));
            }
            for slot in 0..slots {
                let (c, qy, qx) = input.place(slot);
                let (block, lane, scale) = (slot / 16, slot % 16, input.scale[c]);
                let py = y * input.space_to_depth + qy;
                if py >= height {
                    continue;
                }
                let (from, to) = (dx.row(block, y), picture_row(input.source[c], py));
                input.columns(qx, width, |columns, first| {
                    let (to, from) = (&mut to[first..], &from[columns]);
                    let of = |to: &mut f32, from: &Vec16| *to += from.0[lane] * scale;
                    match input.space_to_depth {
                        1 => give::<1>(to, from, of),
                        2 => give::<2>(to, from, of),
                        3 => give::<3>(to, from, of),
                        _ => give::<4>(to, from, of),
                    }
                });
            }
        }
    });
}

/// Columns that are moved together: their vectors stay at hand while channel after channel is taken.
const COLUMNS: usize = 64;

/// Writes a map's channels as planes of height × width; `channels` names the slot of each.
///
/// # Panics
/// If the planes do not have the map's extent, or a slot is not in the map.
pub fn to_planes(cx: &Context, x: MapRef<'_>, channels: &[usize], out: &mut [f32]) {
    let map = x.map();
    assert_eq!(
        out.len(),
        channels.len() * map.height() * map.width(),
        "the planes are not the map's"
    );
    assert!(channels.iter().all(|&slot| slot < map.blocks() * 16), "no such slot");
    let shared = SharedPtr::of(out);
    let tasks = tasks(map.height(), map.blocks() * map.width());
    cx.threads().for_each(tasks, |task| {
        for y in part(task, tasks, map.height()) {
            for start in (0..map.width()).step_by(COLUMNS) {
                let columns = start..(start + COLUMNS).min(map.width());
                for (c, &slot) in channels.iter().enumerate() {
                    let from = &x.row(slot / 16, y)[columns.clone()];
                    let at = (c * map.height() + y) * map.width() + start;
                    // SAFETY: each plane's row is this task's alone.
                    let to = unsafe {
                        std::slice::from_raw_parts_mut(shared.get().add(at), columns.len())
                    };
                    for (to, from) in to.iter_mut().zip(from) {
                        *to = from.0[slot % 16];
                    }
                }
            }
        }
    });
}

/// Writes planes of height × width as a map's channels, or adds them; `channels` names the slot of
/// each. Slots that no plane is for become 0, or stay.
///
/// # Panics
/// If the planes do not have the map's extent, or a slot is not in the map.
pub fn from_planes(
    cx: &Context,
    planes: &[f32],
    channels: &[usize],
    x: MapMut<'_>,
    mode: WriteMode,
) {
    let map = *x.map();
    assert_eq!(
        planes.len(),
        channels.len() * map.height() * map.width(),
        "the planes are not the map's"
    );
    assert!(channels.iter().all(|&slot| slot < map.blocks() * 16), "no such slot");
    let shared = SharedPtr::of(x.into_vectors());
    let tasks = tasks(map.height(), map.blocks() * map.width());
    cx.threads().for_each(tasks, |task| {
        let rows = part(task, tasks, map.height());
        for y in rows.clone() {
            // SAFETY: the row lies in the map and is this task's alone.
            let to = |block: usize| unsafe { row(&map, shared, block, y) };
            for start in (0..map.width()).step_by(COLUMNS) {
                let columns = start..(start + COLUMNS).min(map.width());
                if mode == WriteMode::Overwrite {
                    (0..map.blocks()).for_each(|b| to(b)[columns.clone()].fill(Vec16::default()));
                }
                for (c, &slot) in channels.iter().enumerate() {
                    let at = (c * map.height() + y) * map.width() + start;
                    let values = &planes[at..][..columns.len()];
                    for (to, from) in to(slot / 16)[columns.clone()].iter_mut().zip(values) {
                        to.0[slot % 16] += from;
                    }
                }
            }
        }
        if mode == WriteMode::Overwrite {
            for block in 0..map.blocks() {
                // SAFETY: the block lies in the map, and the rows are this task's alone.
                unsafe { clear_halo(&map, shared.get().add(block * map.block()), rows.clone()) };
            }
        }
    });
}
