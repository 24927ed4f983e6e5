//! What a dream climbs towards: channels, classes, galleries, and numbers for other programs.

use assert_cmd::assert::Assert;

use crate::room::{Room, picture};

/// What a command said on its error stream.
fn said(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

/// Writes a photo that every layer of the built-in network sees.
fn photo(room: &Room) {
    picture(64, 48).save(room.path("photo.png")).unwrap();
}

const FAST: [&str; 4] = ["--octaves", "1", "--iterations", "2"];

#[test]
fn channels_and_classes_are_dreamt_of_and_the_recipe_lists_them() {
    let room = Room::new();
    photo(&room);
    let dream = |args: &[&str]| room.deepdream().arg("image").args(args).assert();
    let terms =
        ["--layer", "conv1:5+17=0.5", "--layer", "fire2/concat:average3", "--class", "Tabby"];
    let flags =
        [&["photo.png", "-o", "a.png", "--save-recipe", "a.toml"], &terms[..], &FAST].concat();
    dream(&flags).success();
    let recipe = String::from_utf8(room.bytes("a.toml")).unwrap();
    for wanted in ["channels = [5, 17]", "weight = 0.5", "class = 281", "balance = \"auto\""] {
        assert!(recipe.contains(wanted), "{wanted}: {recipe}");
    }
    assert_eq!(recipe.matches("channels = [").count(), 2, "{recipe}");
    dream(&["photo.png", "--recipe", "a.toml", "-o", "b.png"]).success();
    assert_eq!(room.bytes("a.png"), room.bytes("b.png"));
    dream(&["photo.png", "--recipe", "a.png", "-o", "c.png"]).success();
    assert_eq!(room.bytes("a.png"), room.bytes("c.png"));
}

#[test]
fn classes_alone_take_more_steps_and_fewer_octaves() {
    let room = Room::new();
    photo(&room);
    let recipe = |more: &[&str]| {
        let words = ["image", "photo.png", "--class", "castle", "--iterations", "1", "-f"];
        let saved = ["-o", "a.png", "--save-recipe", "a.toml"];
        room.deepdream().args(words).args(saved).args(more).assert().success();
        String::from_utf8(room.bytes("a.toml")).unwrap()
    };
    let alone = recipe(&[]);
    assert!(alone.contains("count = 1") && alone.contains("tv = 0.2"), "{alone}");
    for more in [&["--layer", "conv1"][..], &["--preset", "figures"]] {
        let usual = recipe(more);
        assert!(usual.contains("count = 5") && usual.contains("tv = 0.0"), "{more:?}: {usual}");
    }
    assert!(recipe(&["--octaves", "3"]).contains("count = 3"));
}

#[test]
fn what_is_not_there_is_refused_before_any_work() {
    let room = Room::new();
    photo(&room);
    for (flags, code, text) in [
        (
            ["--layer", "conv1:64"],
            5,
            "layer `conv1` has 64 channels, numbered 0 to 63: there is no 64",
        ),
        (["--layer", "conv1:strongest65"], 5, "\"strongest 65\": layer `conv1` has 64 channels"),
        (["--layer", "conv1:strongst5"], 2, "\"strongst5\" chooses no channels"),
        (["--class", "tabbi"], 5, "did you mean \"tabby, tabby cat\" (281)?"),
        (["--class", "crane"], 5, "\"crane\" is 2 classes, 134 (crane) and 517 (crane)"),
        (["--class", "1000"], 5, "are numbered 0 to 999: there is no 1000"),
        (["--class", "castle=huge"], 2, "`huge` is not a weight"),
    ] {
        let assert = room.deepdream().args(["image", "photo.png"]).args(flags).assert().code(code);
        let said = said(&assert);
        assert!(said.contains(text), "{flags:?}: {said}");
        assert_eq!(room.names(), ["photo.png"]);
    }
}

#[test]
fn probe_takes_every_objective() {
    let room = Room::new();
    photo(&room);
    let probe = |args: &[&str]| {
        let assert = room.deepdream().args(["probe", "photo.png", "--force"]).args(args).assert();
        let output = assert.success().get_output().stdout.clone();
        String::from_utf8(output).unwrap()
    };
    let one = probe(&["--layer", "conv1:5", "--gradient", "one.npy"]);
    assert!(one.starts_with("objective = ") && one.contains("× conv1:5"), "{one}");
    let value = |text: &str| -> f64 {
        text.lines().next().unwrap().rsplit(' ').next().unwrap().parse().unwrap()
    };
    let raw = ["--set", "balance=raw", "--gradient", "two.npy"];
    let two = probe(&[&["--layer", "conv1:5=2", "--class", "tabby=0"], &raw[..]].concat());
    assert!((value(&two) / value(&one) - 2.0).abs() < 1e-6, "{one}{two}");
    let floats = |name: &str| -> Vec<f32> {
        let file = room.bytes(name);
        npyz::NpyFile::new(&file[..]).unwrap().into_vec().unwrap()
    };
    let (single, double) = (floats("one.npy"), floats("two.npy"));
    assert!(single.iter().any(|&x| x != 0.0));
    assert!(single.iter().zip(&double).all(|(a, b)| (2.0 * a - b).abs() <= 1e-6 * b.abs()));
    // Where the mask is black the gradient is 0, and elsewhere what it is without a mask.
    image::GrayImage::from_fn(64, 48, |x, _| image::Luma([if x >= 32 { 255 } else { 0 }]))
        .save(room.path("mask.png"))
        .unwrap();
    let mask = ["--mask", "mask.png", "--set", "regions.mask.feather=0", "--gradient", "m.npy"];
    let masked = probe(&[&["--layer", "conv1:5", "--json"], &mask[..]].concat());
    let masked: serde_json::Value = serde_json::from_str(&masked).unwrap();
    assert!((masked["objective"].as_f64().unwrap() / value(&one) - 1.0).abs() < 1e-6, "{masked}");
    assert_eq!(masked["terms"][0]["term"], "conv1:5");
    let (whole, masked) = (floats("one.npy"), floats("m.npy"));
    for (at, (whole, masked)) in whole.iter().zip(&masked).enumerate() {
        assert_eq!(*masked, if at / 3 % 64 >= 32 { *whole } else { 0.0 }, "{at}");
    }
    let activation = ["--layer", "conv1", "--class", "tabby", "--activation", "a.npy"];
    let assert = room.deepdream().args(["probe", "photo.png"]).args(activation).assert().code(2);
    assert!(said(&assert).contains("single, whole layer"));
}

#[test]
fn channels_are_ranked_and_shown() {
    let room = Room::new();
    photo(&room);
    let channels = |args: &[&str]| {
        let words = ["channels", "photo.png", "--model", "squeezenet"];
        let assert = room.deepdream().args(words).args(args).assert().success();
        String::from_utf8(assert.get_output().stdout.clone()).unwrap()
    };
    let flags = [&["--layer", "conv1", "--count", "3", "-o", "sheet.png"], &FAST[..]].concat();
    let table = channels(&flags);
    assert_eq!(table.lines().count(), 2 + 3, "{table}");
    assert!(room.open("sheet.png").width() >= 160);
    assert_eq!(room.names(), ["photo.png", "sheet.png"]);
    let json: serde_json::Value =
        serde_json::from_str(&channels(&["--layer", "conv1", "--at", "0.9,0.1", "--json"]))
            .unwrap();
    let ranked = json["channels"].as_array().unwrap();
    assert_eq!((ranked.len(), &json["layer"]), (64, &"conv1".into()));
    let answers: Vec<f64> = ranked.iter().map(|it| it["answer"].as_f64().unwrap()).collect();
    assert!(answers.is_sorted_by(|a, b| a >= b), "{answers:?}");
    room.deepdream().args(["channels", "photo.png"]).assert().code(2);
}

#[test]
fn a_gallery_is_one_sheet_and_its_pictures_if_they_are_wanted() {
    let room = Room::new();
    photo(&room);
    let gallery = |args: &[&str]| {
        let words = ["gallery", "photo.png", "--model", "squeezenet", "--cell", "32"];
        room.deepdream().args(words).args(args).assert()
    };
    let flags = [&["--layer", "fire2/squeeze1x1", "--cells", "cells"], &FAST[..]].concat();
    let assert = gallery(&flags).success();
    assert!(said(&assert).contains("wrote photo.gallery.png (16 pictures)"), "{}", said(&assert));
    assert_eq!(room.names(), ["cells", "photo.gallery.png", "photo.png"]);
    let cells = std::fs::read_dir(room.path("cells")).unwrap().count();
    assert_eq!(cells, 16);
    gallery(&flags).code(6);
    // A picture of it can be dreamt large.
    let large = ["image", "photo.png", "--recipe", "cells/fire2_squeeze1x1_3.png", "-s", "56"];
    room.deepdream().args(large).args(["-o", "large.png"]).assert().success();
    assert_eq!(room.open("large.png").width(), 56);
    let small = ["image", "photo.png", "--recipe", "cells/fire2_squeeze1x1_3.png"];
    room.deepdream().args(small).args(["-o", "small.png"]).assert().success();
    let cell = room.open("cells/fire2_squeeze1x1_3.png").to_rgb8();
    assert_eq!(room.open("small.png").to_rgb8(), cell);
    // Every layer looks to a guide and counts in a region; channels cannot look to one.
    image::GrayImage::from_fn(64, 48, |x, _| image::Luma([if x >= 32 { 255 } else { 0 }]))
        .save(room.path("mask.png"))
        .unwrap();
    let masked = ["--layer", "conv1:3@right", "--mask", "right=mask.png", "--cells", "masked"];
    gallery(&[&masked[..], &["-o", "m.png"]].concat()).success();
    let recipe = String::from_utf8_lossy(&room.bytes("masked/conv1_3.png")).into_owned();
    assert!(recipe.contains("region = \"right\""), "{recipe}");
    let guided = ["--layer", "conv1", "--guide", "mask.png", "-o", "g.png"];
    assert!(said(&gallery(&guided).code(2)).contains("channels of a layer cannot look to a guide"));
    let noise = ["gallery", "--class", "tabby", "--class", "281", "--cell", "40", "-o", "n.png"];
    room.deepdream().args(noise).args(FAST).assert().success();
}
