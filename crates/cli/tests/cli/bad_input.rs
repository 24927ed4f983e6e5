//! Each kind of bad input has its own text and exit code.

use assert_cmd::assert::Assert;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageFormat};

use crate::room::{QUICK, Room, picture, shared};

/// Runs `deepdream image` with `args`, which must fail with `code` and say all of `texts`, and must
/// write nothing.
fn refused(room: &Room, args: &[&str], code: i32, texts: &[&str]) {
    let before = room.names();
    let assert = room.deepdream().arg("image").args(args).assert();
    says(assert, code, texts);
    assert_eq!(room.names(), before, "{args:?} left something behind");
}

fn says(assert: Assert, code: i32, texts: &[&str]) {
    let assert = assert.code(code);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    for text in texts {
        assert!(said.contains(text), "`{text}` is not in:\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

/// Tiles that stay as large as they are: what a dream takes on them, no CPU level and no scratch file makes little.
const UNCUT: &str = "tiles={rolled={size=2000}}";

#[test]
#[cfg(target_os = "linux")]
fn less_memory_than_the_program_has_blames_no_picture() {
    let room = Room::new();
    room.picture("a.png");
    for more in [&[][..], &["--guide", "a.png"], &["--dry-run"]] {
        let args = [&["a.png", "--memory", "1M"], more].concat();
        refused(&room, &args, 7, &["1 MB of memory is not enough", "(--memory)"]);
    }
    // The limit is said as it was set.
    let args =
        ["a.png", "--size", "2000", "--memory", "90M", "--layer", "fire9/concat", "--set", UNCUT];
    refused(&room, &args, 7, &["only 90 MB may be used", "Allow more memory (--memory)."]);
}

#[test]
fn sixteen_bits_where_there_is_no_place_for_them() {
    let room = Room::new();
    room.picture("a.png");
    let args = ["a.png", "--sixteen-bits", "--layer", "fire2/concat", "-o", "x.jpg"];
    refused(&room, &args, 6, &["JPEG files have 8 bits per channel", ".png or a .tiff (-o)"]);
}

#[test]
fn missing_file() {
    let room = Room::new();
    refused(&room, &["none.jpg"], 3, &["none.jpg", "there is no such file"]);
}

#[test]
fn folder_for_a_picture() {
    let room = Room::new();
    std::fs::create_dir(room.path("photos")).unwrap();
    refused(&room, &["photos"], 3, &["photos", "folder"]);
}

#[test]
fn not_a_picture() {
    let room = Room::new();
    room.write("notes.png", "Only words, whatever the name says.");
    refused(&room, &["notes.png"], 3, &["notes.png", "a text file", "PNG, JPEG, WebP"]);
    room.write("loop.gif", b"GIF89a\x01\x00\x01\x00");
    refused(&room, &["loop.gif"], 3, &["a GIF, which is not supported"]);
}

#[test]
fn empty_picture() {
    let room = Room::new();
    room.write("empty.jpg", "");
    refused(&room, &["empty.jpg"], 3, &["empty.jpg", "empty"]);
}

#[test]
fn truncated_pictures() {
    let room = Room::new();
    for name in ["cut.png", "cut.jpg", "cut.webp", "cut.tif", "cut.bmp"] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let format = ImageFormat::from_path(name).unwrap();
        picture(90, 70).write_to(&mut bytes, format).unwrap();
        let bytes = bytes.into_inner();
        for part in [40, bytes.len() / 2, bytes.len() - 20] {
            room.write(name, &bytes[..part]);
            refused(&room, &[name], 3, &[name]);
        }
    }
}

#[test]
fn truncated_jpeg_with_a_thumbnail() {
    let room = Room::new();
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new(&mut bytes);
    // A thumbnail has an end marker of its own.
    encoder.set_exif_metadata(vec![0xff, 0xd9]).unwrap();
    encoder.write_image(&picture(90, 70), 90, 70, ExtendedColorType::Rgb8).unwrap();
    room.write("cut.jpg", &bytes[..bytes.len() / 2]);
    refused(&room, &["cut.jpg"], 3, &["cut.jpg", "cut off"]);
}

#[test]
fn random_bytes_after_a_good_start() {
    let room = Room::new();
    let mut state = 1_u32;
    for name in ["noise.png", "noise.jpg", "noise.webp", "noise.tif", "noise.bmp"] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let format = ImageFormat::from_path(name).unwrap();
        picture(90, 70).write_to(&mut bytes, format).unwrap();
        let mut bytes = bytes.into_inner();
        for byte in &mut bytes[16..] {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8;
        }
        room.write(name, bytes);
        let assert = room.deepdream().args(["image", name]).assert().failure();
        let code = assert.get_output().status.code();
        assert!(matches!(code, Some(3 | 7)), "{name}: {code:?}");
    }
}

#[test]
fn enormous_header() {
    let room = Room::new();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 60_000, 60_000);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Sixteen);
    drop(encoder.write_header().unwrap());
    room.write("header.png", &bytes[..33]);
    refused(&room, &["header.png"], 3, &["header.png", "cut off"]);
    bytes.truncate(33);
    bytes.extend([0, 0, 1, 0]);
    bytes.extend(b"IDAT");
    room.write("huge.png", bytes);
    refused(&room, &["huge.png"], 3, &["huge.png", "60000×60000", "1024 megapixels"]);
}

#[test]
fn enormous_headers_of_other_formats() {
    let room = Room::new();
    let patched = |name: &str, at: usize, side: &[u8]| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture(40, 24).write_to(&mut bytes, ImageFormat::from_path(name).unwrap()).unwrap();
        let mut bytes = bytes.into_inner();
        for place in [at, at + side.len()] {
            bytes[place..place + side.len()].copy_from_slice(side);
        }
        room.write(name, bytes);
        refused(&room, &[name], 3, &[name, "60000×60000"]);
    };
    patched("huge.bmp", 18, &60_000_u32.to_le_bytes());
    let jpeg = room.picture("small.jpg");
    let bytes = std::fs::read(jpeg).unwrap();
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    patched("huge.jpg", frame + 5, &60_000_u16.to_be_bytes());
}

#[test]
fn dream_too_large_for_its_format() {
    let room = Room::new();
    let args = ["--noise", "16385x8", "--layer", "conv1", "-o", "long.webp"];
    refused(&room, &args, 6, &["long.webp", "16385×8", "16384", "PNG"]);
}

#[test]
fn unknown_network() {
    let room = Room::new();
    room.picture("photo.png");
    refused(&room, &["photo.png", "--model", "none.pb"], 4, &["none.pb"]);
}

#[test]
fn files_that_are_no_network() {
    let room = Room::new();
    room.picture("photo.png");
    let mut state = 1_u32;
    let random: Vec<u8> = (0..5000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    for (name, bytes) in [("empty.pb", &b""[..]), ("random.pb", &random), ("words.pb", b"words")] {
        room.write(name, bytes);
        refused(&room, &["photo.png", "--model", name], 4, &[name]);
    }
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn truncated_networks() {
    let models = shared("models");
    let room = Room::new();
    room.picture("photo.png");
    for name in ["squeezenet1_1.safetensors", "inception5h_like.pb", "bvlc_googlenet.caffemodel"] {
        let bytes = std::fs::read(models.join(name)).unwrap();
        room.write(name, &bytes[..bytes.len() / 2]);
        refused(&room, &["photo.png", "--model", name], 4, &[name]);
    }
}

#[test]
fn unknown_layer() {
    let room = Room::new();
    room.picture("photo.png");
    let texts = [
        "fire6/concta",
        "squeezenet has no layer",
        "Did you mean",
        "fire6/concat",
        "deepdream layers",
    ];
    refused(&room, &["photo.png", "--layer", "fire6/concta"], 5, &texts);
}

#[test]
fn layer_without_gradient() {
    let room = Room::new();
    room.picture("photo.png");
    refused(&room, &["photo.png", "--layer", "data"], 5, &["data", "no gradient"]);
}

#[test]
fn picture_too_small_for_the_layer() {
    let room = Room::new();
    picture(9, 5).save(room.path("tiny.png")).unwrap();
    let texts = ["9×5", "too small", "fire9/concat", "at least"];
    refused(&room, &["tiny.png", "--layer", "fire9/concat"], 5, &texts);
}

#[test]
fn values_outside_their_range() {
    let room = Room::new();
    room.picture("photo.png");
    refused(&room, &["photo.png", "--octaves", "0"], 5, &["octaves", "1 to 32"]);
    refused(&room, &["photo.png", "--octave-scale", "NaN"], 2, &["--octave-scale", "NaN"]);
    refused(&room, &["photo.png", "--layer", "conv1=much"], 2, &["conv1=1.5"]);
    refused(&room, &["photo.png", "--threads", "0"], 2, &["--threads"]);
    refused(&room, &["photo.png", "--preset", "goggle"], 2, &["google", "hvass"]);
    refused(&room, &["--noise", "640"], 2, &["640x400"]);
    refused(&room, &["photo.png", "--noise", "640x400"], 2, &["--noise"]);
    refused(&room, &[], 2, &["nothing to dream on"]);
}

#[test]
fn dream_that_would_not_fit() {
    let room = Room::new();
    refused(&room, &["--noise", "65535x65535"], 7, &["65535×65535", "--size", "would fit"]);
}

#[test]
fn output_that_exists() {
    let room = Room::new();
    room.picture("photo.png");
    room.write("photo.dream.png", "precious");
    refused(&room, &["photo.png"], 6, &["photo.dream.png", "exists already", "--force"]);
    assert_eq!(room.bytes("photo.dream.png"), b"precious");
    room.deepdream().args(["image", "photo.png", "--force"]).args(QUICK).assert().success();
    assert_ne!(room.bytes("photo.dream.png"), b"precious");
}

#[test]
fn output_that_cannot_be() {
    let room = Room::new();
    room.picture("photo.png");
    room.write("file", "");
    refused(&room, &["photo.png", "-o", "none/out.png"], 6, &["out.png", "no folder none"]);
    refused(&room, &["photo.png", "-o", "file/out.png"], 6, &["could not write file/out.png"]);
    refused(&room, &["photo.png", "-o", "file/"], 6, &["could not write file/"]);
    refused(&room, &["photo.png", "-o", "out.xyz"], 6, &["out.xyz", ".png, .jpg, .webp"]);
    refused(&room, &["photo.png", "-o", "out.gif"], 6, &["out.gif", ".png, .jpg, .webp"]);
}

#[test]
fn recipe_that_is_none() {
    let room = Room::new();
    room.picture("photo.png");
    let with = |name: &'static str| ["photo.png", "--recipe", name];
    refused(&room, &with("none.toml"), 5, &["could not read the recipe none.toml"]);
    room.write("wrong.toml", "octaves = \"four\"");
    refused(&room, &with("wrong.toml"), 5, &["wrong.toml", "octaves"]);
    room.write("unknown.toml", "octavess = 4");
    refused(&room, &with("unknown.toml"), 5, &["unknown.toml", "octavess"]);
    refused(&room, &with("photo.png"), 5, &["photo.png", "carries no recipe"]);
    room.write("big.toml", vec![b'#'; 2 << 20]);
    refused(&room, &with("big.toml"), 5, &["big.toml", "neither a recipe nor a picture"]);
    std::fs::write(room.path("program"), b"\x7fELF\x02\x01\x01\0\0\0\0\0").unwrap();
    refused(&room, &with("program"), 5, &["program is a program, which carries no recipe", "TOML"]);
}

#[test]
fn recipe_of_another_network() {
    let room = Room::new();
    room.picture("photo.png");
    let hash = "0".repeat(64);
    room.write("other.toml", format!("[model]\nname = \"squeezenet\"\nhash = \"{hash}\"\n"));
    let texts = ["squeezenet", hash.as_str(), "SHA-256"];
    refused(&room, &["photo.png", "--recipe", "other.toml"], 5, &texts);
}

#[test]
fn one_bad_picture_does_not_keep_the_others() {
    let room = Room::new();
    room.picture("a.png");
    room.picture("c.png");
    let mut cut = room.bytes("a.png");
    cut.truncate(cut.len() / 2);
    room.write("b.png", cut);
    let pictures = ["image", "a.png", "b.png", "c.png"];
    let assert = room.deepdream().args(pictures).args(QUICK).assert();
    says(assert, 3, &["b.png", "1 of 3 pictures"]);
    assert_eq!(
        room.names(),
        ["a.dream.png", "a.png", "b.png", "c.dream.png", "c.png"].map(str::to_owned)
    );
}

#[test]
fn wrong_cpu_level() {
    let room = Room::new();
    room.picture("photo.png");
    let mut command = room.deepdream();
    let assert = command.env("DEEPDREAM_CPU", "avx3").args(["image", "photo.png"]).assert();
    says(assert, 2, &["avx3", "avx2"]);
}

#[test]
fn what_is_no_picture_is_named_and_has_a_way_out() {
    let room = Room::new();
    let brand = |name: &str| [b"\0\0\0\x18ftyp", name.as_bytes(), &[0; 12]].concat();
    for (name, bytes, kind, way_out) in [
        ("a.jpg", brand("heic"), "a HEIC picture", "Convert it"),
        ("b.png", brand("isom"), "an MP4 video", "`deepdream video`"),
        ("c.png", b"schema = 1\nseed = 7\n".to_vec(), "a recipe", "--recipe"),
        ("d.png", b"PK\x03\x04....vgg/data.pkl".to_vec(), "a PyTorch model", "--model"),
        ("e.png", vec![0; 5000], "nothing but zeros", "again"),
        ("f.png", b"8BPS\0\x01".to_vec(), "a Photoshop file", "Export it"),
        ("g.png", b"II*\0\x10\0\0\0CR\x02\0".to_vec(), "camera's raw", "Develop it"),
        ("h.png", b"%PDF-1.7\n".to_vec(), "a PDF file", "Export the page"),
    ] {
        room.write(name, bytes);
        refused(&room, &[name], 3, &[name, kind, way_out]);
    }
}

/// The picture itself would fit, but no dream on it.
#[test]
fn a_picture_too_large_for_the_dream_is_refused_by_its_header() {
    let room = Room::new();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 20_000, 15_000);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    drop(encoder.write_header().unwrap());
    bytes.truncate(33);
    bytes.extend([0, 0, 1, 0]);
    bytes.extend(b"IDAT");
    room.write("bomb.png", bytes);
    // Were it read, its missing data would be what is wrong.
    let said = ["bomb.png", "memory"];
    refused(&room, &["bomb.png", "--memory", "90M", "--set", UNCUT], 7, &said);
}
