//! Contact sheets: pictures in rows, each with a name under it.

use font8x8::{BASIC_FONTS, LATIN_FONTS, UnicodeFonts};
use graph::Size;
use media::{Image, ImageError};

use crate::{Error, Fault, Knob, Result, readable_bytes};

/// The longest side of a picture's file, in pixels.
const LONGEST: u64 = 65_535;

/// The side of a letter, in pixels.
const LETTER: usize = 8;

/// Pixels between a picture, its name and the next picture.
const GAP: usize = 4;

/// Lines that a name may have, at the most.
const LINES: usize = 3;

/// Bytes that a sheet takes for each of its pixels until it is written: its own bytes, those of an image's
/// planes, and what is made of them for the file.
const BYTES_OF_A_PIXEL: u64 = 24;

/// How wide a sheet is for its height, by default.
const PROPORTION: f64 = 1.6;

/// A sheet: where each picture is, and the pixels so far.
pub(crate) struct Sheet {
    cell: Size,
    columns: usize,
    /// How many lines the names take.
    lines: usize,
    /// How many pixels of the sheet a pixel of a letter is.
    scale: usize,
    size: Size,
    pixels: Vec<u8>,
}

impl Sheet {
    /// An empty sheet for pictures of `cell` with these `names`, in so many columns or, for none, about 16:10.
    ///
    /// # Errors
    /// A sheet larger than a picture's file can be, or one that takes more than `memory` bytes, with the size
    /// of pictures that fits.
    pub(crate) fn new(
        cell: Size,
        names: &[String],
        columns: Option<usize>,
        memory: u64,
    ) -> Result<Self> {
        let scale = if cell.width >= 300 { 2 } else { 1 };
        let letters = (cell.width / (LETTER * scale)).max(1);
        let lines = names.iter().map(|name| wrapped(name, letters).len()).max().unwrap_or(1);
        let height = |cell: Size| cell.height + 2 * GAP + lines * (LETTER * scale + 2);
        let width = |cell: Size| cell.width + GAP;
        let count = names.len().max(1);
        let near = (count as f64 * height(cell) as f64 * PROPORTION / width(cell) as f64).sqrt();
        let columns = columns.unwrap_or((near.round() as usize).max(1)).min(count);
        let rows = count.div_ceil(columns);
        let sides = |cell: Size| {
            [
                columns as u64 * width(cell) as u64 + GAP as u64,
                rows as u64 * height(cell) as u64 + GAP as u64,
            ]
        };
        let [across, down] = sides(cell);
        let is_small = |[across, down]: [u64; 2]| across.max(down) <= LONGEST;
        let bytes = |[across, down]: [u64; 2]| across * down * BYTES_OF_A_PIXEL;
        let wrong = if !is_small([across, down]) {
            Some((Fault::Output, format!("{LONGEST} a side are possible")))
        } else if bytes([across, down]) > memory {
            let [needed, free] = [bytes([across, down]), memory].map(readable_bytes);
            Some((
                Fault::Memory,
                format!("that takes {needed} of memory, but only {free} may be used"),
            ))
        } else {
            None
        };
        if let Some((fault, why)) = wrong {
            let what = format!(
                "a sheet of {count} pictures in {columns} columns would be {across}×{down} pixels; {why}"
            );
            let fits = |side: &usize| {
                let sides = sides(cell.with_longest(*side));
                is_small(sides) && bytes(sides) <= memory
            };
            let error = Error::new(fault, what);
            return Err(match (1..cell.longest()).rev().find(fits) {
                Some(side) => error
                    .turn(Knob::Cell, format!("Make pictures of at most {side} pixels a side.")),
                None => error.hint("Show fewer pictures, or use more columns."),
            });
        }
        let size = Size::new(down as usize, across as usize);
        let pixels = vec![255; 3 * size.height * size.width];
        Ok(Self { cell, columns, lines, scale, size, pixels })
    }

    /// The sheet's size.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// Puts a picture of at most the cells' size in the place `index`, from 0, and `name` under it.
    pub(crate) fn put(&mut self, index: usize, picture: &Image, name: &str) {
        let Self { cell, columns, lines, scale, .. } = *self;
        let height = cell.height + 2 * GAP + lines * (LETTER * scale + 2);
        let (top, left) =
            (GAP + index / columns * height, GAP + index % columns * (cell.width + GAP));
        let Size { height, width } = picture.size();
        let rgb = picture.to_rgb8();
        for row in 0..height.min(cell.height) {
            let length = 3 * width.min(cell.width);
            let start = 3 * ((top + row) * self.size.width + left);
            self.pixels[start..start + length].copy_from_slice(&rgb[3 * row * width..][..length]);
        }
        let letters = (cell.width / (LETTER * scale)).max(1);
        for (line, text) in wrapped(name, letters).into_iter().enumerate() {
            let top = top + cell.height + GAP + line * (LETTER * scale + 2);
            for (place, letter) in text.chars().enumerate() {
                self.letter(letter, top, left + place * LETTER * scale);
            }
        }
    }

    fn letter(&mut self, letter: char, top: usize, left: usize) {
        let known = BASIC_FONTS.get(letter).or_else(|| LATIN_FONTS.get(letter));
        let Some(rows) = known.or_else(|| BASIC_FONTS.get('?')) else { return };
        let scale = self.scale;
        for (y, bits) in rows.into_iter().enumerate() {
            for x in (0..LETTER).filter(|x| bits >> x & 1 == 1) {
                for row in top + y * scale..top + (y + 1) * scale {
                    let start = 3 * (row * self.size.width + left + x * scale);
                    if let Some(dots) = self.pixels.get_mut(start..start + 3 * scale) {
                        dots.fill(0);
                    }
                }
            }
        }
    }

    /// The sheet as it is.
    ///
    /// # Errors
    /// None, as it has as many pixels as its size says.
    pub(crate) fn image(&self) -> std::result::Result<Image, ImageError> {
        Image::from_rgb8(self.size, &self.pixels)
    }
}

/// A name in lines of so many letters, parted where words end, and cut off where it takes too many lines.
fn wrapped(name: &str, letters: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    let pieces = name.split_inclusive([' ', '/', '_', ':']).flat_map(|word| {
        let word: Vec<char> = word.chars().collect();
        let pieces: Vec<String> =
            word.chunks(letters).map(|piece| piece.iter().collect()).collect();
        pieces
    });
    for piece in pieces {
        let last = lines.last_mut().expect("there is a line");
        if last.chars().count() + piece.trim_end().chars().count() > letters {
            lines.push(piece);
        } else {
            last.push_str(&piece);
        }
    }
    if lines.len() > LINES {
        lines.truncate(LINES);
        let last = lines.last_mut().expect("there are lines");
        *last = last.chars().take(letters.saturating_sub(2)).collect::<String>() + "..";
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|number| number.to_string()).collect()
    }

    #[test]
    fn pictures_have_their_place_and_a_name_under_it() {
        let cell = Size::new(20, 30);
        let mut sheet = Sheet::new(cell, &names(5), Some(2), u64::MAX).unwrap();
        let grey = Image::from_rgb8(cell, &vec![90; 3 * 20 * 30]).unwrap();
        for index in 0..5 {
            sheet.put(index, &grey, &index.to_string());
        }
        let size = sheet.size();
        let height = 20 + 2 * GAP + LETTER + 2;
        assert_eq!(size, Size::new(3 * height + GAP, 2 * (30 + GAP) + GAP));
        let image = sheet.image().unwrap();
        let value = |x: usize, y: usize| image.color().channel(0)[y * size.width + x];
        assert_eq!([value(GAP, GAP), value(GAP + 29, GAP + 19)], [90.0; 2]);
        assert_eq!([value(0, 0), value(GAP + 30, GAP)], [255.0; 2]);
        let dark = |left: usize, top: usize| {
            let dots = (top..top + LETTER).flat_map(|y| (left..left + 30).map(move |x| (x, y)));
            dots.filter(|&(x, y)| value(x, y) == 0.0).count()
        };
        assert!(dark(GAP, GAP + 20 + GAP) > 5, "the first name");
        // The last place is empty.
        assert_eq!(value(GAP + 30 + GAP, GAP + 2 * height), 255.0);
    }

    #[test]
    fn sheets_are_wider_than_high_and_no_larger_than_files_can_be() {
        let Size { height, width } =
            Sheet::new(Size::new(160, 160), &names(512), None, u64::MAX).unwrap().size();
        assert!((1.2..2.0).contains(&(width as f64 / height as f64)), "{width}×{height}");
        let error = Sheet::new(Size::new(160, 160), &names(1000), Some(1), u64::MAX).err().unwrap();
        assert!(error.to_string().contains("at most 47 pixels a side"), "{error}");
        let error = Sheet::new(Size::new(1000, 1000), &names(200), None, 1 << 30).err().unwrap();
        assert_eq!(error.fault(), Fault::Memory, "{error}");
        assert!(error.to_string().contains("of memory, but"), "{error}");
        let fitting =
            error.to_string().split("at most ").nth(1).unwrap().split(' ').next().unwrap().parse();
        let cell = Size::new(1000, 1000).with_longest(fitting.unwrap());
        assert!(Sheet::new(cell, &names(200), None, 1 << 30).is_ok());
    }

    #[test]
    fn names_are_parted_at_words_and_cut_off() {
        assert_eq!(wrapped("281", 20), ["281"]);
        assert_eq!(wrapped("inception_4c/output", 12), ["inception_", "4c/output"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        let long = wrapped("one two three four five six seven", 9);
        assert_eq!(long, ["one two ", "three ", "four fi.."]);
    }
}
