//! A dream carries its recipe, and the recipe gives the same dream again.

use crate::room::Room;

/// A dream whose every part counts: two octaves, jitter, a seed.
const KNOBS: [&str; 14] = [
    "--layer",
    "fire2/concat=0.5",
    "--layer",
    "conv1",
    "--octaves",
    "2",
    "--octave-scale",
    "1.3",
    "--iterations",
    "2",
    "--step",
    "0.25",
    "--jitter",
    "5",
];

#[test]
fn same_bytes_again_on_another_number_of_threads() {
    let room = Room::new();
    room.picture("photo.png");
    for extension in ["png", "jpg", "webp", "tif"] {
        let (first, again) = (format!("first.{extension}"), format!("again.{extension}"));
        let mut command = room.deepdream();
        command.args(["image", "photo.png", "--threads", "1", "--seed", "7", "-o", &first]);
        command.args(KNOBS).assert().success();
        let mut command = room.deepdream();
        command.args(["image", "photo.png", "--threads", "2", "--recipe", &first, "-o", &again]);
        command.assert().success();
        assert_eq!(room.bytes(&first), room.bytes(&again), "{extension}");
    }
}

#[test]
fn noise_comes_back_from_its_recipe_alone() {
    let room = Room::new();
    let mut command = room.deepdream();
    command.args(["image", "--noise", "40x32", "--seed", "7", "-o", "first.png"]).args(KNOBS);
    command.args(["--save-recipe", "recipe.toml"]).assert().success();
    for (recipe, again) in [("first.png", "again.png"), ("recipe.toml", "toml.png")] {
        room.deepdream().args(["image", "--recipe", recipe, "-o", again]).assert().success();
        assert_eq!(room.bytes("first.png"), room.bytes(again), "{recipe}");
    }
    let mut command = room.deepdream();
    command.args(["image", "--recipe", "first.png", "--seed", "8", "-o", "other.png"]);
    command.assert().success();
    assert_ne!(room.open("first.png"), room.open("other.png"));
}

#[test]
fn how_much_of_a_dream_there_is_has_flags() {
    let room = Room::new();
    room.picture("photo.png");
    let dream = |flags: &[&str], output: &str| {
        let mut command = room.deepdream();
        command.args(["image", "photo.png", "-o", output]).args(KNOBS).args(flags);
        command.args(["--save-recipe", "recipe.toml", "--force"]).assert().success();
        (room.open(output), String::from_utf8(room.bytes("recipe.toml")).unwrap())
    };
    let photo = room.open("photo.png");
    for nothing in [&["--strength", "0"][..], &["--mix", "0"]] {
        assert_eq!(dream(nothing, "nothing.png").0, photo, "{nothing:?}");
    }
    let (_, recipe) = dream(&["--strength", "2", "--mix", "0.5", "--keep-colours"], "some.png");
    for line in ["strength = 2.0", "mix = 0.5", "chroma = 0.0", "iterations = 2"] {
        assert!(recipe.lines().any(|found| found == line), "{line}: {recipe}");
    }
    let mut command = room.deepdream();
    command.args(["image", "photo.png", "--strength", "11", "-o", "strong.png"]);
    let refused = command.assert().failure().get_output().stderr.clone();
    let refused = String::from_utf8(refused).unwrap();
    assert!(refused.contains("`ascent.strength` is 11, but must be 0 to 10"), "{refused}");
    assert!(refused.contains("--strength sets it."), "{refused}");
}

#[test]
fn saved_recipe_says_everything() {
    let room = Room::new();
    room.picture("photo.png");
    let mut command = room.deepdream();
    command.args(["image", "photo.png", "--seed", "7", "--size", "32"]).args(KNOBS);
    command.args(["--save-recipe", "recipe.toml"]).assert().success();
    let recipe = String::from_utf8(room.bytes("recipe.toml")).unwrap();
    for line in [
        &format!("version = \"{}\"", env!("CARGO_PKG_VERSION")),
        "name = \"squeezenet\"",
        "hash = \"",
        "layer = \"fire2/concat\"",
        "weight = 0.5",
        "schema = 1",
        "count = 2",
        "scale = 1.3",
        "iterations = 2",
        "step = 0.25",
        "jitter = 5",
        "seed = 7",
        "size = 32",
    ] {
        assert!(recipe.contains(line), "`{line}` is not in:\n{recipe}");
    }
    assert!(!recipe.contains("photo"), "the recipe tells the picture's name:\n{recipe}");
}

#[test]
fn recipe_of_noise_serves_a_picture() {
    let room = Room::new();
    room.picture("photo.png");
    let mut command = room.deepdream();
    command.args(["image", "--noise", "32x32", "-o", "noise.png"]).args(KNOBS).assert().success();
    let args = ["image", "photo.png", "--recipe", "noise.png", "-o", "out.png"];
    room.deepdream().args(args).assert().success();
    assert_eq!(room.open("out.png").width(), 40);
}

#[test]
fn xmp_in_every_format_is_well_formed() {
    let room = Room::new();
    room.picture("photo.png");
    for (extension, before) in [
        ("png", "XML:com.adobe.xmp"),
        ("jpg", "ns.adobe.com/xap/1.0/"),
        ("webp", "XMP "),
        ("tif", ""),
    ] {
        let out = format!("out.{extension}");
        room.deepdream().args(["image", "photo.png", "-o", &out]).args(KNOBS).assert().success();
        let bytes = room.bytes(&out);
        let find =
            |text: &str| bytes.windows(text.len()).position(|window| window == text.as_bytes());
        let (start, end) = (find("<x:xmpmeta").unwrap(), find("</x:xmpmeta>").unwrap());
        let packet = std::str::from_utf8(&bytes[start..end + "</x:xmpmeta>".len()]).unwrap();
        roxmltree::Document::parse(packet).unwrap();
        assert!(before.is_empty() || find(before).unwrap() < start, "{extension}");
    }
}

#[test]
fn bmp_says_that_it_keeps_no_recipe() {
    let room = Room::new();
    room.picture("photo.bmp");
    let assert = room.deepdream().args(["image", "photo.bmp"]).args(KNOBS).assert().success();
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("--save-recipe"), "{said}");
}

#[test]
fn recipe_of_another_version_is_said() {
    let room = Room::new();
    room.picture("photo.png");
    room.write("old.toml", "version = \"0.0.1\"\n[[layers]]\nname = \"conv1\"\n");
    let args = ["image", "photo.png", "--recipe", "old.toml", "--iterations", "1"];
    let assert = room.deepdream().args(args).assert().success();
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("old.toml: made by version 0.0.1"), "{said}");
}

#[test]
fn network_of_a_recipe_that_is_not_here() {
    let room = Room::new();
    room.picture("photo.png");
    room.write("mine.toml", "[model]\nname = \"mine\"\nhash = \"abc\"\n");
    let args = ["image", "photo.png", "--recipe", "mine.toml"];
    let assert = room.deepdream().args(args).assert().code(4);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("mine.toml was made with `mine`") && said.contains("--model"), "{said}");
}

#[test]
fn any_field_can_be_set_and_gives_what_its_flag_gives() {
    let room = Room::new();
    room.picture("photo.png");
    let dream = |out: &str, more: &[&str]| {
        let args = ["image", "photo.png", "--layer", "fire2/concat", "-o", out];
        room.deepdream().args(args).args(more).assert().success();
        room.bytes(out)
    };
    let flags = dream(
        "flags.png",
        &["--octaves", "2", "--iterations", "1", "--step", "0.25", "--seed", "3"],
    );
    let set = ["octaves.count=2", "ascent.iterations=1", "ascent.step=0.25", "seed = 3"];
    let set = dream("set.png", &set.map(|set| ["--set", set]).concat());
    assert!(flags == set);
    let more = ["--octaves", "4", "--set", "octaves.count=1", "--set", "ascent.iterations=1"];
    let more =
        [&more[..], &["--set", "octaves.detail=replace", "--save-recipe", "r.toml"]].concat();
    dream("last.png", &more);
    let recipe = String::from_utf8(room.bytes("r.toml")).unwrap();
    assert!(recipe.contains("count = 1") && recipe.contains("detail = \"replace\""), "{recipe}");
}

#[test]
fn misspelt_fields_name_the_nearest_on_every_command() {
    let room = Room::new();
    room.picture("photo.png");
    std::fs::create_dir(room.path("sky")).unwrap();
    room.picture("sky/img_0.png");
    for args in [
        &["image", "photo.png"][..],
        &["frames", "sky", "--count", "2"],
        &["zoom", "photo.png", "-o", "fall.gif"],
    ] {
        let assert = room.deepdream().args(args).args(["--set", "octave.count=2"]).assert().code(5);
        let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(said.contains("did you mean `octaves.count`"), "{args:?}: {said}");
    }
    let nothing = room.deepdream().args(["image", "photo.png", "--set", "seed"]).assert().code(2);
    let said = String::from_utf8_lossy(&nothing.get_output().stderr).into_owned();
    assert!(said.contains("FIELD=VALUE"), "{said}");
}
