//! Pictures through files: what goes in comes out, and what is hostile stays out.

use graph::Size;
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
