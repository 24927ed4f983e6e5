//! RGB to YCbCr for video: ITU-R BT.709, limited range, 4:2:0.

/// A frame of even width and height as three planes. Those for colour have half the width and height.
pub(super) struct Yuv {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) y: Vec<u8>,
    pub(super) cb: Vec<u8>,
    pub(super) cr: Vec<u8>,
}

impl Yuv {
    /// Converts interleaved RGB of 8 bits; odd sizes grow by repeating the last column or row. Colour
    /// is sampled where decoders expect it: on the even columns, halfway between the rows.
    pub(super) fn from_rgb(rgb: &[u8], width: usize, height: usize) -> Self {
        let (wide, high) = (width.next_multiple_of(2), height.next_multiple_of(2));
        let mut y = vec![0; wide * high];
        let mut cb = vec![0; wide * high / 4];
        let mut cr = cb.clone();
        let pixel = |x: usize, row: usize| {
            let at = (row.min(height - 1) * width + x.min(width - 1)) * 3;
            [0, 1, 2].map(|channel| f32::from(rgb[at + channel]))
        };
        for row in 0..high {
            for x in 0..wide {
                y[row * wide + x] = (16.5 + 219.0 / 255.0 * luma(pixel(x, row))) as u8;
            }
        }
        for row in 0..high / 2 {
            for x in 0..wide / 2 {
                let mut mean = [0.0; 3];
                for (column, weight) in [(2 * x).saturating_sub(1), 2 * x, 2 * x + 1]
                    .into_iter()
                    .zip([0.125, 0.25, 0.125])
                {
                    for line in [2 * row, 2 * row + 1] {
                        let value = pixel(column, line);
                        for channel in 0..3 {
                            mean[channel] += weight * value[channel];
                        }
                    }
                }
                let luma = luma(mean);
                let part = |colour: f32, weight: f32| {
                    (128.5 + 112.0 / 255.0 * (colour - luma) / (1.0 - weight)) as u8
                };
                cb[row * wide / 2 + x] = part(mean[2], BLUE);
                cr[row * wide / 2 + x] = part(mean[0], RED);
            }
        }
        Self { width: wide, height: high, y, cb, cr }
    }
}

const RED: f32 = 0.2126;
const BLUE: f32 = 0.0722;

fn luma(rgb: [f32; 3]) -> f32 {
    RED * rgb[0] + (1.0 - RED - BLUE) * rgb[1] + BLUE * rgb[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_colours() {
        let cases = [
            ([0, 0, 0], [16, 128, 128]),
            ([255, 255, 255], [235, 128, 128]),
            ([255, 0, 0], [63, 102, 240]),
            ([0, 255, 0], [173, 42, 26]),
            ([0, 0, 255], [32, 240, 118]),
        ];
        for (rgb, [y, cb, cr]) in cases {
            let yuv = Yuv::from_rgb(&rgb.repeat(4), 2, 2);
            assert_eq!((yuv.y, yuv.cb, yuv.cr), (vec![y; 4], vec![cb], vec![cr]), "{rgb:?}");
        }
    }

    #[test]
    fn odd_sizes_repeat_their_last_column_and_row() {
        let yuv = Yuv::from_rgb(&[9, 9, 9, 90, 90, 90, 200, 200, 200], 3, 1);
        assert_eq!((yuv.width, yuv.height), (4, 2));
        assert_eq!(yuv.y[2], yuv.y[3]);
        assert_eq!(yuv.y[..4], yuv.y[4..]);
    }
}
