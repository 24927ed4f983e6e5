//! What a decoder gives: interleaved samples, which lie where the planes that are made of them will lie.

use graph::{Size, Storage, Tensor, Values};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageResult};

use super::image::{BitDepth, planes};
use super::interleave::Walk;

/// The samples of a picture as it lies in its file.
pub(super) struct Samples {
    /// Their bytes.
    bytes: Values,
    len: usize,
    size: Size,
    color: ColorType,
}

impl Samples {
    /// Those of a decoder.
    ///
    /// # Errors
    /// What the decoder says.
    pub(super) fn decoded(
        decoder: Box<dyn ImageDecoder + '_>,
        storage: &Storage,
    ) -> ImageResult<Self> {
        let (width, height) = decoder.dimensions();
        let size = Size::new(height as usize, width as usize);
        let mut samples = Self::zeros(size, decoder.color_type(), storage);
        decoder.read_image_boxed(samples.bytes_mut())?;
        Ok(samples)
    }

    /// Those that another decoder has made, of one channel or three; `None` if they are not as many as that.
    pub(super) fn made(size: Size, channels: usize, made: &[u8]) -> Option<Self> {
        let color = if channels == 1 { ColorType::L8 } else { ColorType::Rgb8 };
        let mut samples = Self::zeros(size, color, &Storage::default());
        (samples.len == made.len()).then(|| samples.bytes_mut().copy_from_slice(made))?;
        Some(samples)
    }

    fn zeros(size: Size, color: ColorType, storage: &Storage) -> Self {
        let len = size.pixels() as usize * usize::from(color.bytes_per_pixel());
        let bytes = storage.zeros(len.div_ceil(size_of::<f32>()));
        Self { bytes, len, size, color }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.bytes)[..self.len]
    }

    /// The depth of a file that loses nothing of them.
    pub(super) fn depth(&self) -> BitDepth {
        match self.bytes_of_one() {
            1 => BitDepth::Eight,
            _ => BitDepth::Sixteen,
        }
    }

    /// Whether they have no colours.
    pub(super) fn is_grey(&self) -> bool {
        !self.color.has_color()
    }

    fn bytes_of_one(&self) -> u8 {
        self.color.bytes_per_pixel() / self.color.channel_count()
    }

    /// The planes of the picture, turned upright.
    pub(super) fn planes(&self, orientation: Orientation) -> (Tensor, Option<Tensor>) {
        let (size, walk) = upright(self.size, orientation);
        let (channels, storage) = (usize::from(self.color.channel_count()), self.bytes.storage());
        let place = (size, walk, storage);
        let values = &self.bytes;
        match self.bytes_of_one() {
            1 => planes(place, channels, &bytemuck::cast_slice::<f32, u8>(values)[..self.len]),
            2 => planes(place, channels, &bytemuck::cast_slice::<f32, u16>(values)[..self.len / 2]),
            _ => planes(place, channels, &values[..self.len / 4]),
        }
    }
}

/// The size of a picture of `size` once it is turned, and how its samples are gone through for that.
pub(super) fn upright(size: Size, orientation: Orientation) -> (Size, Walk) {
    let (width, height) = (size.width as isize, size.height as isize);
    let turned = Size::new(size.width, size.height);
    let (left, right, bottom) = (0, width - 1, (height - 1) * width);
    let (size, start, across, down) = match orientation {
        Orientation::NoTransforms => (size, left, 1, width),
        Orientation::FlipHorizontal => (size, right, -1, width),
        Orientation::FlipVertical => (size, bottom, 1, -width),
        Orientation::Rotate180 => (size, bottom + right, -1, -width),
        Orientation::Rotate90 => (turned, bottom, -width, 1),
        Orientation::Rotate270 => (turned, right, width, -1),
        Orientation::Rotate90FlipH => (turned, left, width, 1),
        Orientation::Rotate270FlipH => (turned, bottom + right, -width, -1),
    };
    (size, Walk { start, across, down })
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, RgbImage};

    use super::*;

    #[test]
    fn pictures_are_turned_as_the_decoder_s_library_turns_them() {
        let bytes: Vec<u8> = (0..3 * 5 * 4).collect();
        let picture: DynamicImage = RgbImage::from_raw(5, 4, bytes.clone()).unwrap().into();
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let mut turned = picture.clone();
            turned.apply_orientation(orientation);
            let samples = Samples::made(Size::new(4, 5), 3, &bytes).unwrap();
            let (color, alpha) = samples.planes(orientation);
            assert!(alpha.is_none() && color.shape.width == turned.width() as usize);
            let wanted = turned.as_bytes();
            let plane = color.shape.plane();
            for (at, value) in color.data.iter().enumerate() {
                assert_eq!(*value, f32::from(wanted[at % plane * 3 + at / plane]), "{exif}");
            }
        }
        assert!(Samples::made(Size::new(4, 5), 1, &bytes).is_none());
    }
}
