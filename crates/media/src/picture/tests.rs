//! Pictures through files: what goes in comes out, and what is hostile stays out.

use std::io::{self, Read};
use std::sync::Arc;

use graph::{Scratch, Shape, Size, Storage, Stored, Tensor};
use tempfile::TempDir;

use crate::{
    BitDepth, EncodeOptions, Fault, Image, ImageError, ImageFormat, Limits, RecipeError, recipe_of,
};

const RECIPE: &str = "model = \"a <&> b\"\nseed = 7\n";
const SIZE: Size = Size { height: 24, width: 40 };

/// A smooth picture, transparent towards the right.
fn picture() -> Image {
    let pixel = |index: usize| {
        let (x, y) = ((index % SIZE.width) as u8, (index / SIZE.width) as u8);
        [x * 6, y * 10, 90, 255 - x]
    };
    let bytes: Vec<u8> = (0..SIZE.height * SIZE.width).flat_map(pixel).collect();
    Image::from_rgba8(SIZE, &bytes).unwrap()
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    picture().encode(format, &EncodeOptions::with_recipe(RECIPE)).unwrap()
}

#[test]
fn pictures_and_recipes_come_back_from_every_format() {
    let folder = TempDir::new().unwrap();
    for format in ImageFormat::ALL {
        let bytes = encoded(format);
        let image = Image::decode(&bytes).unwrap();
        if format != ImageFormat::Jpeg {
            assert_eq!(image, picture(), "{format}");
        }
        assert_eq!(image.size(), SIZE);
        // The name says nothing.
        let path = folder.path().join("picture");
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(ImageFormat::of_file(&path).unwrap(), format);
        assert_eq!(Image::open(&path).unwrap(), image);
        let recipe = recipe_of(&path, &Limits::default());
        match format.has_metadata() {
            true => assert_eq!(recipe.unwrap(), RECIPE, "{format}"),
            false => assert!(matches!(recipe, Err(RecipeError::Missing { .. })), "{format}"),
        }
    }
}

#[test]
fn sixteen_bits_come_back_where_the_format_has_them() {
    let mut color = picture().into_color();
    // All 65,536 steps are 1/257 apart.
    color.data.iter_mut().enumerate().for_each(|(index, value)| *value = index as f32 / 257.0);
    let image = Image::from_planes(color, None).unwrap().with_depth(BitDepth::Sixteen);
    for format in ImageFormat::ALL {
        let bytes = image.encode(format, &EncodeOptions::default()).unwrap();
        let back = Image::decode(&bytes).unwrap();
        assert_eq!(back == image, format.has_sixteen_bits(), "{format}");
        assert_eq!(back.depth() == image.depth(), format.has_sixteen_bits(), "{format}");
    }
}

#[test]
fn memory_is_refused_before_it_is_taken() {
    for format in ImageFormat::ALL {
        let bytes = encoded(format);
        // The planes alone take more than three times as much.
        let error = Image::decode_within(&bytes, &Limits::memory(4 * SIZE.pixels())).unwrap_err();
        assert_eq!(error.fault(), Fault::Memory, "{format}: {error}");
    }
}

/// Everything from its first number on.
struct Shelf;

struct Lying(Vec<f32>);

impl AsRef<[f32]> for Lying {
    fn as_ref(&self) -> &[f32] {
        &self.0
    }
}

impl AsMut<[f32]> for Lying {
    fn as_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

impl Stored for Lying {}

impl Scratch for Shelf {
    fn zeros(&self, len: usize) -> Option<Box<dyn Stored>> {
        Some(Box::new(Lying(vec![0.0; len])))
    }

    fn failure(&self) -> Option<String> {
        None
    }

    fn touched(&self, _: usize) {}

    fn room(&self) -> u64 {
        1 << 21
    }

    fn place(&self) -> String {
        "a shelf".into()
    }
}

#[test]
fn pictures_are_the_same_wherever_they_lie_and_take_little_memory_there() {
    let storage = Storage::scratch(Arc::new(Shelf));
    for depth in [BitDepth::Eight, BitDepth::Sixteen] {
        for format in ImageFormat::ALL {
            let image = picture().with_depth(depth);
            let bytes = image.encode(format, &EncodeOptions::with_recipe(RECIPE)).unwrap();
            let limits = Limits::memory(1 << 20).in_storage(&storage);
            let stored = Image::decode_within(&bytes, &limits).unwrap();
            let usual = Image::decode(&bytes).unwrap();
            assert_eq!(stored, usual, "{format}");
            assert!(stored.color().storage().as_scratch().is_some(), "{format}");
            // Written strip by strip, a file may have other bytes.
            let decoded = |image: &Image| {
                let bytes = image.encode(format, &EncodeOptions::with_recipe(RECIPE)).unwrap();
                Image::decode(&bytes).unwrap()
            };
            assert_eq!(decoded(&stored), decoded(&usual), "{format}");
            if format.has_sixteen_bits() {
                // Less than the planes alone take.
                let little = Limits::memory(15 * SIZE.pixels());
                assert!(Image::decode_within(&bytes, &little).is_err(), "{format}");
                let little = little.in_storage(&storage);
                assert_eq!(Image::decode_within(&bytes, &little).unwrap(), stored, "{format}");
            }
        }
    }
}

/// Of other programs: turned, grey, with profiles, several pages, alpha that the colours are multiplied with, rare
/// scans; and what cannot be read has the same reason.
#[test]
fn files_of_any_kind_are_read_the_same_wherever_they_lie() {
    let limits = Limits::default().in_storage(&Storage::scratch(Arc::new(Shelf)));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    let mut read = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        match (Image::open(&path), Image::read(&path, &limits)) {
            (Ok(usual), Ok(stored)) => {
                assert!(usual == stored && usual.notes() == stored.notes(), "{}", path.display());
                read += 1;
            }
            (usual, stored) => {
                let [usual, stored] = [usual, stored].map(|it| it.unwrap_err().to_string());
                assert_eq!(usual, stored);
            }
        }
    }
    assert!(read > 20, "{read} files");
}

/// As other programs write it, a TIFF is one strip, or is packed in ways that are not read strip by strip.
#[test]
fn a_tiff_of_one_long_strip_is_read_where_it_lies() {
    use tiff::encoder::{Compression, TiffEncoder, colortype};
    let limits = Limits::default().in_storage(&Storage::scratch(Arc::new(Shelf)));
    let samples: Vec<u16> = (0..3 * 50 * 70).map(|at| at * 6).collect();
    let packed = [Compression::Uncompressed, Compression::Lzw, Compression::Packbits];
    for (compression, orientation) in packed.into_iter().zip([1_u16, 6, 3]) {
        let mut file = io::Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut file).unwrap().with_compression(compression);
        let mut image = encoder.new_image::<colortype::RGB16>(70, 50).unwrap();
        image.rows_per_strip(50).unwrap();
        image.encoder().write_tag(tiff::tags::Tag::Orientation, orientation).unwrap();
        image.write_data(&samples).unwrap();
        let bytes = file.into_inner();
        let usual = Image::decode(&bytes).unwrap();
        let stored = Image::decode_within(&bytes, &limits).unwrap();
        assert_eq!(stored, usual);
        assert_eq!(usual.size().width, if orientation == 6 { 50 } else { 70 });
    }
}

#[test]
fn what_takes_more_than_the_disk_has_is_refused() {
    let large = Tensor::zeros(Shape::new(3, 500, 500));
    let large = Image::from_planes(large, None).unwrap();
    let bytes = large.encode(ImageFormat::Png, &EncodeOptions::default()).unwrap();
    let limits = Limits::default().in_storage(&Storage::scratch(Arc::new(Shelf)));
    let error = Image::decode_within(&bytes, &limits).unwrap_err();
    assert!(error.to_string().contains("a shelf has room for"), "{error}");
}

#[test]
fn what_is_cut_off_or_altered_never_panics() {
    let mut state = 1_u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as usize
    };
    for format in ImageFormat::ALL {
        // A recipe may stand last: without it, the end of the file is the picture's.
        let bytes = picture().encode(format, &EncodeOptions::default()).unwrap();
        for length in (0..bytes.len() - 16).step_by(bytes.len() / 40 + 1) {
            let error = Image::decode(&bytes[..length]).unwrap_err();
            assert_eq!(error.fault(), Fault::Input, "{format}, {length} bytes: {error}");
        }
        let bytes = encoded(format);
        for _ in 0..200 {
            let mut altered = bytes.clone();
            for _ in 0..3 {
                let at = random() % altered.len();
                altered[at] = random() as u8;
            }
            // Any result will do, as long as there is one.
            let _ = Image::decode_within(&altered, &Limits::memory(1 << 24));
        }
    }
}

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/", $name))
    };
}

/// The mean difference of two pictures' bytes, transparency left out.
fn distance(a: &Image, b: &Image) -> f64 {
    assert_eq!(a.size(), b.size());
    let (a, b) = (&a.color().data, &b.color().data);
    a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>() / a.len() as f64
}

/// The PNGs are what libjpeg-turbo makes of the JPEGs, whose scans come in another order than usual, with
/// restart markers, or whose colours are finer than their brightness.
#[test]
fn rare_scans_and_samplings_are_read_right() {
    for (file, reference) in [
        (
            &data!("jpeg_scan_per_component_420.jpg")[..],
            &data!("jpeg_scan_per_component_420.png")[..],
        ),
        (data!("jpeg_cb_scan_first.jpg"), data!("jpeg_cb_scan_first.png")),
        (data!("apart_422.jpg"), data!("apart_422.png")),
        (data!("apart_440.jpg"), data!("apart_440.png")),
        (data!("apart_411.jpg"), data!("apart_411.png")),
        (data!("apart_410.jpg"), data!("apart_410.png")),
        (data!("apart_cmyk.jpg"), data!("apart_cmyk.png")),
        (data!("fine_colour_22.jpg"), data!("fine_colour_22.png")),
        (data!("fine_colour_22_progressive.jpg"), data!("fine_colour_22_progressive.png")),
        (data!("fine_colour_mixed.jpg"), data!("fine_colour_mixed.png")),
        (data!("sampled_3x1.jpg"), data!("sampled_3x1.png")),
    ] {
        let image = Image::decode(file).unwrap();
        let distance = distance(&image, &Image::decode(reference).unwrap());
        assert!(distance < 0.5, "{distance}");
        assert!(image.notes().is_empty());
    }
}

#[test]
fn a_jpeg_that_is_not_supported_is_said_to_be_one() {
    let mut flat = data!("fine_colour_22.jpg").to_vec();
    let frame = flat.windows(2).position(|bytes| bytes == b"\xff\xc0").unwrap();
    flat[frame + 5..frame + 7].fill(0);
    for (file, said) in [
        (&data!("arithmetic.jpg")[..], "arithmetic coding"),
        (data!("apart_4_2_1.jpg"), "sampling"),
        (&flat, "how high it is"),
    ] {
        let error = Image::decode(file).unwrap_err();
        assert!(matches!(error, ImageError::Variety { .. }), "{error}");
        assert!(error.to_string().contains(said), "{error}");
        assert!(error.hint().unwrap().contains("Convert it"));
    }
}

#[test]
fn a_file_without_its_end_is_read_if_the_picture_is_whole() {
    let reference = Image::decode(data!("jpeg_scan_per_component_420.png")).unwrap();
    let jpeg = data!("no_eoi.jpg");
    let image = Image::decode(jpeg).unwrap();
    assert!(distance(&image, &reference) < 0.5);
    assert!(image.notes()[0].contains("all of the picture is there"));
    // An end marker does not make a picture whole.
    for bytes in [jpeg.len() - 1, jpeg.len() - 20, jpeg.len() / 2] {
        for file in [jpeg[..bytes].to_vec(), [&jpeg[..bytes], b"\xff\xd9"].concat()] {
            let error = Image::decode(&file).unwrap_err();
            let is_cut = match file.ends_with(b"\xff\xd9") {
                // It may as well be damaged in the middle.
                true => matches!(error, ImageError::Damaged { .. }),
                false => matches!(error, ImageError::Truncated { .. }),
            };
            assert!(is_cut, "{bytes} bytes: {error}");
            assert!(error.hint().is_some());
        }
    }
    let error = Image::decode(data!("damaged_middle.jpg")).unwrap_err();
    assert!(matches!(error, ImageError::Damaged { .. }), "{error}");
    let png = data!("plain.png");
    for missing in 1..=12 {
        let image = Image::decode(&png[..png.len() - missing]).unwrap();
        assert_eq!(image.color(), Image::decode(png).unwrap().color());
        assert_eq!(image.notes().len(), 1);
    }
    let error = Image::decode(&png[..png.len() - 17]).unwrap_err();
    assert!(matches!(error, ImageError::Truncated { .. }), "{error}");
}

#[test]
fn colours_are_divided_by_their_alpha_where_the_file_has_multiplied_them() {
    let image = Image::decode(data!("tiff_assoc.tif")).unwrap();
    let (reference, alpha) = (Image::decode(data!("ref.png")).unwrap(), image.alpha().unwrap());
    let planes = image.color().data.chunks_exact(alpha.data.len());
    for (plane, wanted) in planes.zip(reference.color().data.chunks_exact(alpha.data.len())) {
        let visible = plane.iter().zip(wanted).zip(&alpha.data).filter(|(_, alpha)| **alpha > 0.0);
        for ((value, wanted), alpha) in visible {
            // What was cut off before, and half a step of rounding.
            let most = 255.0 / alpha + 0.5;
            assert!((value - wanted).abs() <= most, "{value} for {wanted} at alpha {alpha}");
        }
    }
}

#[test]
fn colours_are_what_the_file_says_without_a_profile() {
    let plain = Image::decode(data!("plain.png")).unwrap();
    for file in [&data!("linear.png")[..], data!("linear.bmp")] {
        // In 8 bits, light leaves little of what is dark.
        assert!(distance(&Image::decode(file).unwrap(), &plain) < 1.0);
    }
    let adobe = Image::decode(data!("adobe_rgb.jpg")).unwrap();
    assert!(distance(&adobe, &plain) > 5.0);
    let hdr = Image::decode(data!("pq.png")).unwrap();
    assert_eq!(hdr.color(), plain.color());
    assert!(hdr.notes()[0].contains("PQ"), "{:?}", hdr.notes());
}

/// `linear.png` with a profile of `unpacked` bytes, which are no profile.
fn with_profile(unpacked: usize) -> Vec<u8> {
    let png = data!("linear.png");
    let mut packed =
        flate2::write::ZlibEncoder::new(b"x\0\0".to_vec(), flate2::Compression::best());
    io::copy(&mut io::repeat(7).take(unpacked as u64), &mut packed).unwrap();
    let packed = packed.finish().unwrap();
    let chunk = [b"iCCP", &packed[..]].concat();
    let mut crc = flate2::Crc::new();
    crc.update(&chunk);
    let length = (packed.len() as u32).to_be_bytes();
    [&png[..33], &length, &chunk, &crc.sum().to_be_bytes(), &png[33..]].concat()
}

#[test]
fn a_profile_that_cannot_be_used_is_noted_and_the_gamma_counts() {
    let wanted = Image::decode(data!("linear.png")).unwrap();
    for unpacked in [0, 200, 20 << 20, 100 << 20] {
        let image = Image::decode(&with_profile(unpacked)).unwrap();
        assert_eq!(image.color(), wanted.color(), "{unpacked} bytes");
        assert!(image.notes()[0].contains("profile"), "{:?}", image.notes());
        assert_eq!(image.notes().len(), 1, "{:?}", image.notes());
    }
}

#[test]
fn data_that_go_on_after_a_png_s_pixels_are_not_read() {
    let png = data!("plain.png");
    let data = png.windows(4).position(|bytes| bytes == b"IDAT").unwrap();
    let mut endless = png[..data + 40].to_vec();
    endless[data - 4..data].copy_from_slice(&0x7fff_ffff_u32.to_be_bytes());
    let folder = TempDir::new().unwrap();
    for (bytes, is_endless) in [(&endless[..], true), (png, false)] {
        let path = folder.path().join("a.png");
        std::fs::write(&path, bytes).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_len(6 << 30).unwrap();
        let image = Image::open(&path);
        assert_eq!(matches!(image, Err(ImageError::Damaged { .. })), is_endless, "{image:?}");
        assert_eq!(image.is_ok(), !is_endless, "{image:?}");
    }
}

#[test]
fn what_is_left_aside_is_noted_and_a_thumbnail_never_taken_for_the_picture() {
    for (file, said) in [
        (&data!("three_pages.tif")[..], "first of its 3 pages"),
        (data!("three_frames.webp"), "first of its 3 frames"),
    ] {
        let image = Image::decode(file).unwrap();
        assert!(image.notes()[0].contains(said), "{:?}", image.notes());
    }
    for file in [&data!("photo.nef")[..], data!("linear.dng")] {
        let error = Image::decode(file).unwrap_err();
        assert!(error.to_string().contains("raw file"), "{error}");
        assert!(error.hint().unwrap().contains("Develop it"));
    }
}

#[test]
fn what_a_format_cannot_hold_is_refused() {
    let long = Image::from_rgb8(Size::new(1, 16_385), &[0; 3 * 16_385]).unwrap();
    let error = long.encode(ImageFormat::WebP, &EncodeOptions::default()).unwrap_err();
    assert!(matches!(error, ImageError::TooLarge { most: 16_384, .. }), "{error}");
    let recipe = "x".repeat(70_000);
    let options = EncodeOptions::with_recipe(&recipe);
    let error = picture().encode(ImageFormat::Jpeg, &options).unwrap_err();
    assert!(matches!(error, ImageError::RecipeTooLong { .. }), "{error}");
    assert!(picture().encode(ImageFormat::Png, &options).is_ok());
}

#[test]
fn saving_replaces_a_file_or_leaves_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.tif");
    std::fs::write(&path, "old").unwrap();
    picture().save(&path).unwrap();
    assert_eq!(Image::open(&path).unwrap(), picture());
    let error = picture().save(folder.path().join("a.gif")).unwrap_err();
    assert!(matches!(error, ImageError::Name { .. }), "{error}");
    let error = picture().save(folder.path().join("none/a.png")).unwrap_err();
    assert_eq!(error.fault(), Fault::Output, "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
