//! The one image type: planes of floats, and their conversions to and from interleaved bytes.

use std::fmt;
use std::marker::PhantomData;

use graph::{Shape, Size, Storage, Tensor, Values};

use super::ImageError;
use super::interleave::{Sample, Walk, deinterleave, interleave};

/// How many bits per channel a file has, or is to have where its format can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BitDepth {
    /// 8 bits.
    #[default]
    Eight,
    /// 16 bits. A picture of floats counts as one.
    Sixteen,
}

/// An image in memory: upright, in sRGB, a plane of `f32` for each channel, with values of 0–255.
///
/// Whatever a file has instead (16 bits, grey, another colour space, a turned camera) ends where it is
/// read. Values between whole numbers are kept; they are rounded when the image becomes bytes.
#[derive(Clone, PartialEq)]
pub struct Image {
    color: Tensor,
    alpha: Option<Tensor>,
    depth: BitDepth,
    notes: Vec<String>,
}

impl Image {
    /// An image of planes: 3 × height × width for red, green and blue, and 1 × height × width for
    /// alpha, from 0 (clear) to 255 (opaque). All values are 0–255; the bit depth is 8.
    ///
    /// # Errors
    /// [`ImageError::Samples`]: another number of channels or values, no pixels, or two sizes.
    pub fn from_planes(color: Tensor, alpha: Option<Tensor>) -> Result<Self, ImageError> {
        let Shape { height, width, .. } = color.shape;
        let fits = |plane: &Tensor, channels| {
            let wanted = Shape::new(channels, height, width);
            match plane.shape == wanted && plane.data.len() == wanted.len() && !wanted.is_empty() {
                true => Ok(()),
                false => Err(ImageError::Samples(format!(
                    "a plane of {} with {} values, where {wanted} is needed",
                    plane.shape,
                    plane.data.len()
                ))),
            }
        };
        fits(&color, 3)?;
        alpha.iter().try_for_each(|alpha| fits(alpha, 1))?;
        Ok(Self { color, alpha, depth: BitDepth::Eight, notes: Vec::new() })
    }

    /// An image of interleaved red, green and blue bytes, row by row from the top.
    ///
    /// # Errors
    /// [`ImageError::Samples`]: not 3 bytes for each pixel, or no pixels.
    pub fn from_rgb8(size: Size, bytes: &[u8]) -> Result<Self, ImageError> {
        Self::from_samples(size, 3, bytes)
    }

    /// An image of interleaved red, green, blue and alpha bytes, row by row from the top. The colours
    /// are not multiplied with alpha.
    ///
    /// # Errors
    /// [`ImageError::Samples`]: not 4 bytes for each pixel, or no pixels.
    pub fn from_rgba8(size: Size, bytes: &[u8]) -> Result<Self, ImageError> {
        Self::from_samples(size, 4, bytes)
    }

    /// Interleaved red, green and blue bytes, row by row from the top. A transparent image is laid on
    /// white.
    pub fn to_rgb8(&self) -> Vec<u8> {
        self.samples(false).into_vec()
    }

    /// Interleaved red, green, blue and alpha bytes, row by row from the top.
    pub fn to_rgba8(&self) -> Vec<u8> {
        if self.alpha.is_some() {
            return self.samples(true).into_vec();
        }
        let opaque = Tensor { shape: self.plane(), data: vec![255.0; self.plane().len()].into() };
        interleaved(&self.color, Some(&opaque)).into_vec()
    }

    /// Rows and columns.
    pub fn size(&self) -> Size {
        Size::new(self.color.shape.height, self.color.shape.width)
    }

    /// Red, green and blue: 3 × height × width, 0–255.
    pub fn color(&self) -> &Tensor {
        &self.color
    }

    /// 1 × height × width, from 0 (clear) to 255 (opaque); `None` for an opaque image.
    pub fn alpha(&self) -> Option<&Tensor> {
        self.alpha.as_ref()
    }

    /// Whether anything shows through it.
    pub fn is_transparent(&self) -> bool {
        self.alpha.as_ref().is_some_and(|alpha| alpha.data.iter().any(|value| *value < 255.0))
    }

    /// The planes of [`Self::color`] and [`Self::alpha`].
    pub fn into_planes(self) -> (Tensor, Option<Tensor>) {
        (self.color, self.alpha)
    }

    /// The planes of [`Self::color`] alone.
    pub fn into_color(self) -> Tensor {
        self.color
    }

    /// How many bits per channel the file had, or a file of it is to have.
    pub fn depth(&self) -> BitDepth {
        self.depth
    }

    /// The same image for files of another bit depth.
    pub fn with_depth(self, depth: BitDepth) -> Self {
        Self { depth, ..self }
    }

    /// What was left aside when the image was read, in sentences without a full stop.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    #[cfg(feature = "pictures")]
    pub(super) fn with_notes(self, notes: Vec<String>) -> Self {
        Self { notes, ..self }
    }

    /// The image laid on white: opaque.
    pub fn flatten(self) -> Self {
        match self.on_white() {
            Some(color) => Self { color, alpha: None, ..self },
            None => self,
        }
    }

    /// Interleaved samples of any depth: with alpha if `with_alpha` and the image has it, laid on white
    /// otherwise.
    pub(super) fn samples<S: Sample>(&self, with_alpha: bool) -> Interleaved<S> {
        match self.on_white() {
            Some(color) if !with_alpha => interleaved(&color, None),
            _ => interleaved(&self.color, self.alpha.as_ref()),
        }
    }

    fn on_white(&self) -> Option<Tensor> {
        let alpha = &self.alpha.as_ref()?.data;
        let mut color = self.color.clone();
        for plane in color.data.chunks_exact_mut(alpha.len()) {
            for (value, alpha) in plane.iter_mut().zip(alpha) {
                let cover = alpha.clamp(0.0, 255.0) / 255.0;
                *value = value.clamp(0.0, 255.0) * cover + 255.0 * (1.0 - cover);
            }
        }
        Some(color)
    }

    fn plane(&self) -> Shape {
        Shape { channels: 1, ..self.color.shape }
    }

    fn from_samples(size: Size, channels: usize, bytes: &[u8]) -> Result<Self, ImageError> {
        let wanted = size.pixels().checked_mul(channels as u64);
        if wanted != Some(bytes.len() as u64) || bytes.is_empty() {
            return Err(ImageError::Samples(format!(
                "{} bytes for {size} pixels, which need {channels} each",
                bytes.len()
            )));
        }
        let place = (size, Walk::straight(size.width), &Storage::default());
        let (color, alpha) = planes(place, channels, bytes);
        Self::from_planes(color, alpha)
    }
}

/// Says what the image is, not every value of it.
impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("size", &format_args!("{}", self.size()))
            .field("has_alpha", &self.alpha.is_some())
            .field("depth", &self.depth)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

/// Interleaved samples, gone through along `walk`, as planes that lie in `storage`: 3 × height × width, and a plane
/// for alpha if there are 2 or 4 `channels`. Grey, of 1 or 2 channels, fills all three colours.
pub(super) fn planes<S: Sample>(
    (size, walk, storage): (Size, Walk, &Storage),
    channels: usize,
    samples: &[S],
) -> (Tensor, Option<Tensor>) {
    let shape = Shape::new(3, size.height, size.width);
    let plane = shape.plane();
    let mut color = Tensor::zeros_in(storage, shape);
    let has_alpha = channels.is_multiple_of(2);
    let mut alpha = has_alpha.then(|| Tensor::zeros_in(storage, Shape { channels: 1, ..shape }));
    let colors = channels - usize::from(has_alpha);
    let own = color.data.chunks_exact_mut(plane).take(colors);
    deinterleave(
        samples,
        &mut own.chain(alpha.iter_mut().map(|a| &mut a.data[..])).collect::<Vec<_>>(),
        (size.width, walk),
    );
    if colors == 1 {
        color.data.copy_within(..plane, plane);
        color.data.copy_within(..plane, 2 * plane);
    }
    (color, alpha)
}

/// Interleaved samples, which lie where the colours do.
pub(super) struct Interleaved<S> {
    bytes: Values,
    len: usize,
    sample: PhantomData<S>,
}

impl<S: Sample> Interleaved<S> {
    pub(super) fn as_mut_slice(&mut self) -> &mut [S] {
        &mut bytemuck::cast_slice_mut(&mut self.bytes)[..self.len]
    }

    fn into_vec(mut self) -> Vec<S> {
        self.as_mut_slice().to_vec()
    }
}

fn interleaved<S: Sample>(color: &Tensor, alpha: Option<&Tensor>) -> Interleaved<S> {
    let plane = color.shape.plane();
    let planes = color.data.chunks_exact(plane).chain(alpha.map(|alpha| &alpha.data[..]));
    let planes: Vec<&[f32]> = planes.collect();
    let len = plane * planes.len();
    let bytes = color.storage().zeros((len * size_of::<S>()).div_ceil(size_of::<f32>()));
    let mut samples = Interleaved { bytes, len, sample: PhantomData };
    interleave(&planes, samples.as_mut_slice());
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { height: 1, width: 2 };

    #[test]
    fn bytes_become_planes_and_planes_bytes() {
        let rgba = [1, 2, 3, 255, 4, 5, 6, 0];
        let image = Image::from_rgba8(SIZE, &rgba).unwrap();
        assert_eq!(image.color().data, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(image.alpha().unwrap().data, [255.0, 0.0]);
        assert_eq!(image.to_rgba8(), rgba);
        // Clear is white where there is no alpha.
        assert_eq!(image.to_rgb8(), [1, 2, 3, 255, 255, 255]);
        assert_eq!(image.flatten().to_rgba8(), [1, 2, 3, 255, 255, 255, 255, 255]);
        let image = Image::from_rgb8(SIZE, &[1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(image.to_rgb8(), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn what_is_no_image_is_refused() {
        for bytes in [0, 5, 7] {
            assert!(Image::from_rgb8(SIZE, &vec![0; bytes]).is_err(), "{bytes} bytes");
        }
        assert!(Image::from_rgb8(Size::new(0, 7), &[]).is_err());
        assert!(Image::from_rgb8(Size::new(usize::MAX, usize::MAX), &[0; 3]).is_err());
        let plane = |channels, width| Tensor::zeros(Shape::new(channels, 4, width));
        assert!(Image::from_planes(plane(3, 5), None).is_ok());
        assert!(Image::from_planes(plane(1, 5), None).is_err());
        assert!(Image::from_planes(plane(3, 5), Some(plane(1, 4))).is_err());
        let short = Tensor { data: vec![0.0; 3].into(), ..plane(3, 5) };
        assert!(Image::from_planes(short, None).is_err());
    }
}
