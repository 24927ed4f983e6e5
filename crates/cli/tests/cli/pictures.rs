//! What pictures mean, whatever their files look like. The dreams here take steps of length 0, so
//! that the output is the picture as it was understood.

use std::fs::File;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::tiff::TiffEncoder;
use image::codecs::webp::WebPEncoder;
use image::{
    DynamicImage, ExtendedColorType, GrayImage, ImageBuffer, ImageEncoder, Luma, Rgb, RgbImage,
    Rgba, RgbaImage,
};
use moxcms::ColorProfile;

use crate::room::{Room, STILL, picture};

/// Has the program read `input` and write `output`.
fn pass(room: &Room, input: &str, output: &str, more: &[&str]) {
    let args = ["image", input, "-o", output];
    room.deepdream().args(args).args(STILL).args(more).assert().success();
}

#[test]
fn lossless_formats_keep_every_value() {
    let room = Room::new();
    for input in ["photo.png", "photo.webp", "photo.tif", "photo.bmp"] {
        room.picture(input);
        for output in ["out.png", "out.webp", "out.tif", "out.bmp"] {
            pass(&room, input, output, &["--force"]);
            assert_eq!(room.open(output), picture(40, 24).into(), "{input} to {output}");
        }
    }
}

#[test]
fn jpeg_stays_close_and_keeps_full_colour() {
    let room = Room::new();
    // Red and blue columns side by side: halved colour would mix them.
    let stripes =
        RgbImage::from_fn(
            48,
            32,
            |x, _| {
                if x % 2 == 0 { Rgb([220, 30, 30]) } else { Rgb([30, 30, 220]) }
            },
        );
    stripes.save(room.path("stripes.png")).unwrap();
    pass(&room, "stripes.png", "out.jpg", &[]);
    let out = room.open("out.jpg").to_rgb8();
    for (a, b) in out.as_raw().iter().zip(stripes.as_raw()) {
        assert!(a.abs_diff(*b) < 24, "{a} for {b}");
    }
}

#[test]
fn every_orientation_is_turned_upright() {
    let room = Room::new();
    let upright = DynamicImage::from(picture(40, 24));
    for orientation in 1..=8_u8 {
        let stored = match orientation {
            2 => upright.fliph(),
            3 => upright.rotate180(),
            4 => upright.flipv(),
            5 => upright.fliph().rotate270(),
            6 => upright.rotate270(),
            7 => upright.fliph().rotate90(),
            8 => upright.rotate90(),
            _ => upright.clone(),
        };
        let mut bytes = Vec::new();
        let mut encoder = PngEncoder::new(&mut bytes);
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        let stored = stored.to_rgb8();
        let (width, height) = stored.dimensions();
        encoder.write_image(&stored, width, height, ExtendedColorType::Rgb8).unwrap();
        room.write("turned.png", bytes);
        pass(&room, "turned.png", "out.png", &["--force"]);
        assert_eq!(room.open("out.png"), upright, "orientation {orientation}");
    }
}

#[test]
fn orientation_of_a_jpeg_is_applied() {
    let room = Room::new();
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 100);
    encoder.set_exif_metadata(exif(6)).unwrap();
    encoder.write_image(&picture(40, 24), 40, 24, ExtendedColorType::Rgb8).unwrap();
    room.write("turned.jpg", bytes);
    pass(&room, "turned.jpg", "out.jpg", &[]);
    let out = room.open("out.jpg");
    assert_eq!((out.width(), out.height()), (24, 40));
    // Turned upright once, and not to be turned again by whoever reads the dream.
    pass(&room, "out.jpg", "again.png", &[]);
    assert_eq!(room.open("again.png").height(), 40);
}

/// EXIF with one entry: the orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0".to_vec();
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]);
    exif
}

fn with_profile(room: &Room, name: &str, profile: Vec<u8>) {
    write(room, name, profile, PngEncoder::new);
}

/// Writes [`soft`] with a profile.
fn write<E: ImageEncoder>(
    room: &Room,
    name: &str,
    profile: Vec<u8>,
    encoder: impl FnOnce(File) -> E,
) {
    let mut encoder = encoder(File::create(room.path(name)).unwrap());
    encoder.set_icc_profile(profile).unwrap();
    encoder.write_image(&soft(), 40, 24, ExtendedColorType::Rgb8).unwrap();
}

/// Colours that Display P3 and sRGB both have.
fn soft() -> RgbImage {
    RgbImage::from_fn(40, 24, |x, y| {
        Rgb([80 + 2 * x as u8, 90 + 3 * y as u8, 100 + x as u8 + y as u8])
    })
}

#[test]
fn profile_is_converted_to_srgb() {
    let room = Room::new();
    let profile = || ColorProfile::new_display_p3().encode().unwrap();
    with_profile(&room, "p3.png", profile());
    write(&room, "p3.jpg", profile(), |file| JpegEncoder::new_with_quality(file, 100));
    write(&room, "p3.tif", profile(), TiffEncoder::new);
    write(&room, "p3.webp", profile(), WebPEncoder::new_lossless);
    for (input, bound) in [("p3.png", 1.0), ("p3.tif", 1.0), ("p3.webp", 1.0), ("p3.jpg", 5.0)] {
        pass(&room, input, "out.png", &["--force"]);
        let out = room.open("out.png").to_rgb8();
        for (x, y, p3) in soft().enumerate_pixels() {
            let expected = p3_to_srgb(p3.0);
            let found = out.get_pixel(x, y).0;
            for channel in 0..3 {
                let off = (f64::from(found[channel]) - expected[channel]).abs();
                assert!(off <= bound, "{input}: {p3:?} became {found:?}, not {expected:?}");
            }
        }
    }
}

/// By the definitions: both have sRGB's curve and the same white, and differ in their primaries.
fn p3_to_srgb(p3: [u8; 3]) -> [f64; 3] {
    const MATRIX: [[f64; 3]; 3] = [
        [1.224_940, -0.224_940, 0.0],
        [-0.042_057, 1.042_057, 0.0],
        [-0.019_638, -0.078_636, 1.098_274],
    ];
    let linear = p3.map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    MATRIX.map(|row| {
        let value: f64 = row.iter().zip(linear).map(|(a, b)| a * b).sum();
        let value = if value <= 0.003_130_8 {
            value * 12.92
        } else {
            1.055 * value.powf(1.0 / 2.4) - 0.055
        };
        value.clamp(0.0, 1.0) * 255.0
    })
}

#[test]
fn profile_of_srgb_changes_nothing() {
    let room = Room::new();
    with_profile(&room, "srgb.png", ColorProfile::new_srgb().encode().unwrap());
    pass(&room, "srgb.png", "out.png", &[]);
    assert_eq!(room.open("out.png"), soft().into());
}

#[test]
fn broken_profile_is_said_and_left_aside() {
    let room = Room::new();
    with_profile(&room, "broken.png", vec![7; 200]);
    let args = ["image", "broken.png", "-o", "out.png"];
    let assert = room.deepdream().args(args).args(STILL).assert().success();
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("broken.png: the colour profile is broken"), "{said}");
    assert_eq!(room.open("out.png"), soft().into());
}

#[test]
fn sixteen_bits_stay_sixteen_where_the_format_has_them() {
    let room = Room::new();
    let deep = ImageBuffer::<Rgb<u16>, _>::from_fn(40, 24, |x, y| {
        Rgb([x as u16 * 1601, y as u16 * 2711, (x * y) as u16 * 61 + 13])
    });
    for input in ["deep.png", "deep.tif"] {
        deep.save(room.path(input)).unwrap();
        for output in ["out.png", "out.tif"] {
            pass(&room, input, output, &["--force"]);
            assert_eq!(room.open(output), deep.clone().into(), "{input} to {output}");
        }
        pass(&room, input, "out.webp", &["--force"]);
        assert_eq!(room.open("out.webp").color(), image::ColorType::Rgb8);
    }
}

#[test]
fn grey_becomes_colour() {
    let room = Room::new();
    let grey = GrayImage::from_fn(40, 24, |x, y| Luma([(x * 5 + y) as u8]));
    let deep =
        ImageBuffer::<Luma<u16>, _>::from_fn(40, 24, |x, y| Luma([(x * 5 + y) as u16 * 257]));
    grey.save(room.path("grey.png")).unwrap();
    grey.save(room.path("grey.jpg")).unwrap();
    deep.save(room.path("deep.png")).unwrap();
    pass(&room, "grey.png", "out.png", &[]);
    pass(&room, "deep.png", "deep_out.png", &[]);
    pass(&room, "grey.jpg", "out.jpg", &[]);
    let out = room.open("out.png");
    assert_eq!(out.color(), image::ColorType::Rgb8);
    assert_eq!(out.to_luma8(), grey);
    assert_eq!(room.open("deep_out.png").to_rgb8(), out.to_rgb8());
    assert_eq!(room.open("out.jpg").color(), image::ColorType::Rgb8);
}

fn clear() -> RgbaImage {
    RgbaImage::from_fn(40, 24, |x, y| Rgba([x as u8 * 6, y as u8 * 10, 90, (x * 6 + y) as u8]))
}

#[test]
fn transparency_is_kept() {
    let room = Room::new();
    for input in ["clear.png", "clear.webp", "clear.tif"] {
        clear().save(room.path(input)).unwrap();
        for output in ["out.png", "out.webp", "out.tif", "out.bmp"] {
            pass(&room, input, output, &["--force"]);
            assert_eq!(room.open(output), clear().into(), "{input} to {output}");
        }
    }
}

#[test]
fn transparency_follows_the_size() {
    let room = Room::new();
    let half =
        RgbaImage::from_fn(64, 48, |x, _| Rgba([120, 130, 140, if x < 32 { 255 } else { 0 }]));
    half.save(room.path("half.png")).unwrap();
    pass(&room, "half.png", "out.png", &["--size", "32"]);
    let out = room.open("out.png").to_rgba8();
    assert_eq!(out.dimensions(), (32, 24));
    assert_eq!((out.get_pixel(3, 9).0[3], out.get_pixel(28, 9).0[3]), (255, 0));
}

#[test]
fn jpeg_lays_what_is_clear_on_white() {
    let room = Room::new();
    RgbaImage::from_pixel(40, 24, Rgba([0, 0, 0, 51])).save(room.path("clear.png")).unwrap();
    pass(&room, "clear.png", "out.jpg", &[]);
    let pixel = room.open("out.jpg").to_rgb8().get_pixel(20, 12).0;
    assert!(pixel.iter().all(|value| value.abs_diff(204) <= 2), "{pixel:?}");
}

#[test]
fn content_decides_not_the_name() {
    let room = Room::new();
    room.picture("photo.png");
    std::fs::rename(room.path("photo.png"), room.path("photo.jpg")).unwrap();
    room.deepdream().args(["image", "photo.jpg"]).args(STILL).assert().success();
    assert_eq!(room.open("photo.dream.png"), picture(40, 24).into());
}

#[test]
fn what_the_output_cannot_hold_is_said() {
    let room = Room::new();
    let clear = RgbaImage::from_fn(40, 24, |x, _| Rgba([90, 90, 90, x as u8]));
    clear.save(room.path("clear.png")).unwrap();
    RgbaImage::from_pixel(40, 24, Rgba([90, 90, 90, 255])).save(room.path("solid.png")).unwrap();
    let deep = ImageBuffer::from_pixel(40, 24, Rgb([90_u16 * 256; 3]));
    DynamicImage::ImageRgb16(deep).save(room.path("deep.png")).unwrap();
    for (input, output, note) in [
        ("clear.png", "a.jpg", Some("no transparency")),
        ("clear.png", "a.png", None),
        ("solid.png", "b.jpg", None),
        ("deep.png", "c.jpg", Some("8 bits per channel")),
        ("deep.png", "c.tif", None),
    ] {
        let args = ["image", input, "-o", output];
        let assert = room.deepdream().args(args).args(STILL).assert().success();
        let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        let told = ["no transparency", "8 bits per channel"].map(|text| said.contains(text));
        let wanted = ["no transparency", "8 bits per channel"].map(|text| note == Some(text));
        assert_eq!(told, wanted, "{input} to {output}: {said}");
    }
}
