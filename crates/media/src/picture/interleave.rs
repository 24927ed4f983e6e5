//! Between planes of floats and interleaved samples: the one place where either becomes the other.

/// A sample as files and codecs store it. A plane's values are 0–255 whatever the sample's type.
pub(super) trait Sample: bytemuck::Pod {
    /// The sample nearest to a plane's value, halves up; what is out of range becomes the nearest end.
    fn from_value(value: f32) -> Self;

    /// The plane's value of a sample.
    fn value(self) -> f32;
}

impl Sample for u8 {
    fn from_value(value: f32) -> Self {
        (value + 0.5) as u8
    }

    fn value(self) -> f32 {
        f32::from(self)
    }
}

impl Sample for u16 {
    fn from_value(value: f32) -> Self {
        (value * 257.0 + 0.5) as u16
    }

    fn value(self) -> f32 {
        f32::from(self) / 257.0
    }
}

/// 0–1.
impl Sample for f32 {
    fn from_value(value: f32) -> Self {
        value / 255.0
    }

    fn value(self) -> f32 {
        (self * 255.0).clamp(0.0, 255.0)
    }
}

/// Writes equally long planes into `samples`, pixel after pixel.
pub(super) fn interleave<S: Sample>(planes: &[&[f32]], samples: &mut [S]) {
    for (channel, plane) in planes.iter().enumerate() {
        for (pixel, value) in samples.chunks_exact_mut(planes.len()).zip(*plane) {
            pixel[channel] = S::from_value(*value);
        }
    }
}

/// The way through a picture's pixels, counted row by row, that leads through those of a turned one row by row.
#[derive(Clone, Copy)]
pub(super) struct Walk {
    /// The first pixel.
    pub(super) start: isize,
    /// From pixel to pixel of a row.
    pub(super) across: isize,
    /// From row to row.
    pub(super) down: isize,
}

impl Walk {
    /// Through a picture of so many columns that is not turned.
    pub(super) fn straight(width: usize) -> Self {
        Self { start: 0, across: 1, down: width as isize }
    }
}

/// Writes `samples`, pixel after pixel along `walk`, into equally long planes with rows of `width`.
pub(super) fn deinterleave<S: Sample>(
    samples: &[S],
    planes: &mut [&mut [f32]],
    (width, walk): (usize, Walk),
) {
    let channels = planes.len();
    for (channel, plane) in planes.iter_mut().enumerate() {
        for (y, row) in plane.chunks_exact_mut(width).enumerate() {
            let first = walk.start + y as isize * walk.down;
            if walk.across == 1 {
                let pixels = samples[first as usize * channels..].chunks_exact(channels);
                pixels.zip(row).for_each(|(pixel, value)| *value = pixel[channel].value());
                continue;
            }
            for (x, value) in row.iter_mut().enumerate() {
                let pixel = (first + x as isize * walk.across) as usize;
                *value = samples[pixel * channels + channel].value();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_back_as_they_were() {
        fn both_ways<S: Sample + PartialEq + std::fmt::Debug>(samples: &[S]) {
            let (mut a, mut b) = (vec![0.0; samples.len() / 2], vec![0.0; samples.len() / 2]);
            let row = samples.len() / 2;
            deinterleave(samples, &mut [&mut a, &mut b], (row, Walk::straight(row)));
            let mut back = vec![S::zeroed(); samples.len()];
            interleave(&[&a, &b], &mut back);
            assert_eq!(samples, back);
        }
        both_ways(&(0..=255).collect::<Vec<u8>>());
        both_ways(&(0..=65_535).collect::<Vec<u16>>());
        both_ways(&[0.0_f32, 1.0]);
    }

    #[test]
    fn values_are_rounded_and_kept_in_range() {
        let values = [-7.0, 0.49, 0.5, 254.5, 255.4, 999.0, f32::NAN];
        let mut samples = [1_u8; 7];
        interleave(&[&values], &mut samples);
        assert_eq!(samples, [0, 0, 1, 255, 255, 255, 0]);
    }
}
