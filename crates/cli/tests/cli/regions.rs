//! Masks: given as flags, kept by hash in the recipe, found again or asked for.

use image::{GrayImage, Luma, RgbImage};

use crate::room::{QUICK, Room};

/// White on the right.
fn mask() -> GrayImage {
    GrayImage::from_fn(40, 24, |x, _| Luma([if x >= 20 { 255 } else { 0 }]))
}

fn room() -> Room {
    let room = Room::new();
    room.picture("photo.png");
    mask().save(room.path("mask.png")).unwrap();
    room
}

fn rgb(room: &Room, name: &str) -> RgbImage {
    room.open(name).to_rgb8()
}

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_mask_leaves_every_other_pixel_as_it_is() {
    for preset in ["default", "classic"] {
        masked(preset);
    }
}

/// Dreams on the right of a photo and compares both sides with it.
fn masked(preset: &str) {
    let room = room();
    let mut command = room.deepdream();
    command.args(["image", "photo.png", "-o", "out.png", "--mask", "mask.png", "--preset", preset]);
    command.args(["--layer", "conv1", "--octaves", "1", "--iterations", "4"]).assert().success();
    let (before, after) = (rgb(&room, "photo.png"), rgb(&room, "out.png"));
    // The soft border ends a few pixels to the left of the middle.
    let columns = |range: std::ops::Range<u32>| {
        range.flat_map(|x| (0..24).map(move |y| (x, y))).collect::<Vec<_>>()
    };
    let same = |(x, y): &(u32, u32)| before.get_pixel(*x, *y) == after.get_pixel(*x, *y);
    assert!(columns(0..16).iter().all(same), "{preset}");
    let changed = columns(24..40).iter().filter(|at| !same(at)).count();
    assert!(changed > 200, "{preset}: {changed}");
}

#[test]
fn a_dream_finds_its_mask_again_or_asks_for_it() {
    let room = room();
    let mut command = room.deepdream();
    command.args(["image", "photo.png", "-o", "first.png", "--mask", "mask.png"]).args(QUICK);
    command.assert().success();
    let recipe = String::from_utf8_lossy(&room.bytes("first.png")).into_owned();
    assert!(recipe.contains("sha256 = "), "the recipe has no hash");
    let again = |folder: &str| {
        let mut command = room.deepdream();
        command.current_dir(room.path(folder));
        command.args(["image", "../photo.png", "-o", "again.png", "-f", "--recipe"]);
        command.arg(room.path("kept/first.png"));
        command.output().unwrap()
    };
    for folder in ["kept", "elsewhere", "home", "home/pictures"] {
        std::fs::create_dir(room.path(folder)).unwrap();
    }
    std::fs::rename(room.path("first.png"), room.path("kept/first.png")).unwrap();
    let first = room.bytes("kept/first.png");

    // Beside the recipe.
    std::fs::copy(room.path("mask.png"), room.path("kept/mask.png")).unwrap();
    let output = again("elsewhere");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(room.bytes("elsewhere/again.png"), first);

    // In the folder of the command.
    std::fs::rename(room.path("kept/mask.png"), room.path("elsewhere/mask.png")).unwrap();
    assert!(again("elsewhere").status.success());

    // Nowhere.
    std::fs::remove_file(room.path("elsewhere/mask.png")).unwrap();
    let output = again("elsewhere");
    let text = said(&output);
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("the mask of the region `mask` (mask.png, SHA-256 "), "{text}");
    assert!(text.contains("was not found beside") && text.contains("--mask NAME=FILE"), "{text}");

    // Another file of that name, then the right one among the store's pictures beside it.
    let mut other = mask();
    image::imageops::invert(&mut other);
    other.save(room.path("elsewhere/mask.png")).unwrap();
    let output = again("elsewhere");
    let text = said(&output);
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("is not the file that the recipe was made with"), "{text}");
    let hash = recipe.split("sha256 = ").nth(1).unwrap();
    let hash: String = hash.chars().filter(char::is_ascii_hexdigit).take(64).collect();
    std::fs::copy(room.path("mask.png"), room.path(&format!("home/pictures/{hash}.png"))).unwrap();
    let output = again("elsewhere");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(room.bytes("elsewhere/again.png"), first);

    // The other one, once the recipe takes any.
    let mut command = room.deepdream();
    command.current_dir(room.path("elsewhere"));
    command.args(["image", "../photo.png", "-o", "other.png", "--recipe", "../kept/first.png"]);
    command.args(["--set", "regions.mask.sha256=\"\""]).assert().success();
    assert_ne!(room.bytes("elsewhere/other.png"), first);
}

#[test]
fn masks_that_cannot_be_are_refused() {
    let room = room();
    GrayImage::new(24, 40).save(room.path("tall.png")).unwrap();
    GrayImage::new(40, 24).save(room.path("black.png")).unwrap();
    room.write("text.png", "no picture");
    for (mask, code, wanted) in [
        ("tall.png", 5, "is 24×40, but the dream is 40×24"),
        ("black.png", 5, "the region `mask` is empty: black.png selects no pixel"),
        ("mask.png#0000ff", 5, "no pixel of mask.png is #0000ff"),
        ("text.png", 3, "text.png"),
        ("none.png", 3, "could not read none.png: there is no such file"),
        ("photo.png#12", 2, "`#12` is no colour: write six hexadecimal digits, photo.png#0000ff"),
    ] {
        let mut command = room.deepdream();
        command.args(["image", "photo.png", "-o", "out.png", "--mask", mask]).args(QUICK);
        let output = command.output().unwrap();
        let text = said(&output);
        assert!(text.contains(wanted), "{mask}: {text}");
        assert_eq!(output.status.code(), Some(code), "{mask}: {text}");
    }
    // No output replaces what the dream is made from, whoever names it.
    let named = "regions.mask.mask=mask.png";
    for flags in [["--mask", "mask.png"], ["--set", named]] {
        let mut command = room.deepdream();
        command.args(["image", "photo.png", "-o", "mask.png", "-f"]).args(flags).args(QUICK);
        let text = said(&command.output().unwrap());
        assert!(text.contains("made from this very file, the mask"), "{flags:?}: {text}");
    }
    let mut command = room.deepdream();
    command.args(["image", "photo.png", "--mask", "mask.png", "--mask", "tall.png"]).args(QUICK);
    let output = command.output().unwrap();
    let text = said(&output);
    assert!(text.contains("two masks are for the region `mask`"), "{text}");
    assert_eq!(output.status.code(), Some(2), "{text}");
}

#[test]
fn a_region_that_nothing_is_in_is_noted() {
    let room = room();
    let mut command = room.deepdream();
    command.args(["image", "photo.png", "-o", "out.png", "--mask", "sky=mask.png"]).args(QUICK);
    let output = command.output().unwrap();
    assert!(output.status.success());
    let text = said(&output);
    assert!(text.contains("the region `sky` is used by no part of the objective"), "{text}");
}
