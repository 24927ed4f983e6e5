//! Several pictures dreamt together from noise: one file each, nothing lost, each of them makes all again.

use serde_json::Value;

use crate::room::Room;

const FAST: [&str; 6] = ["--layer", "conv1", "--octaves", "1", "--iterations", "2"];
const NAMES: [&str; 3] = ["d_0.png", "d_1.png", "d_2.png"];

/// Dreams of three pictures, with more flags; returns what is answered and what is said, and the code.
fn dream(room: &Room, more: &[&str]) -> (String, String, Option<i32>) {
    let mut command = room.deepdream();
    command.args(["image", "--noise", "40x32", "--pictures", "3"]).args(FAST).args(more);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

#[test]
fn pictures_dreamt_together_are_files_of_their_own_and_each_makes_all_again() {
    let room = Room::new();
    let (_, said, code) = dream(&room, &["-o", "d.png", "--save-recipe", "d.toml"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(room.names(), ["d.toml", "d_0.png", "d_1.png", "d_2.png"]);
    for name in NAMES {
        assert!(said.contains(&format!("wrote {name} (40×32)")), "{said}");
        assert_eq!(room.open(name).color(), image::ColorType::Rgb8);
    }
    assert!(said.contains("wrote 3 pictures in"), "{said}");
    let pictures = NAMES.map(|name| room.open(name));
    assert!(pictures[0] != pictures[1] && pictures[1] != pictures[2]);
    for from in ["d_1.png", "d.toml"] {
        let again = ["image", "--recipe", from, "-o", "again/"];
        room.deepdream().args(again).assert().success();
        for (number, name) in NAMES.iter().enumerate() {
            let again = room.bytes(&format!("again/noise.dream_{number}.png"));
            assert!(room.bytes(name) == again, "{name} by {from}");
        }
        std::fs::remove_dir_all(room.path("again")).unwrap();
    }
}

#[test]
fn the_recipe_of_several_makes_one_by_itself() {
    let room = Room::new();
    dream(&room, &["-o", "p.png"]);
    let mut command = room.deepdream();
    command.args(["image", "--recipe", "p_0.png", "--pictures", "1", "-o", "one.png"]);
    command.args(["--set", "diversity=0"]).assert().success();
    for (one, name) in [(["--pictures", "1"], "same.png"), (["--set", "pictures=1"], "set.png")] {
        let mut command = room.deepdream();
        command.args(["image", "--recipe", "p_0.png", "-o", name]).args(one).assert().success();
        assert_eq!(room.open(name), room.open("one.png"));
    }
}

#[test]
fn pictures_dreamt_together_may_have_sixteen_bits_and_be_probed() {
    let room = Room::new();
    let (_, said, code) = dream(&room, &["-o", "d.png", "--sixteen-bits"]);
    assert_eq!(code, Some(0), "{said}");
    for name in NAMES {
        assert_eq!(room.open(name).color(), image::ColorType::Rgb16);
    }
    let probe = ["probe", "d_1.png", "--layer", "conv1", "--gradient", "gradient.npy"];
    let several = ["--set", "pictures=3", "--set", "diversity=0.5"];
    room.deepdream().args(probe).args(several).assert().success();
}

#[test]
fn pictures_dreamt_together_without_diversity_are_those_of_their_seeds() {
    let room = Room::new();
    let (_, said, code) = dream(&room, &["-o", "d.png", "--seed", "4", "--set", "diversity=0"]);
    assert_eq!(code, Some(0), "{said}");
    for (seed, name) in ["4", "5", "6"].into_iter().zip(NAMES) {
        let alone = ["image", "--noise", "40x32", "-o", "alone.png", "--force", "--seed", seed];
        room.deepdream().args(alone).args(FAST).assert().success();
        assert_eq!(room.open(name), room.open("alone.png"), "{name}");
    }
}

#[test]
fn pictures_dreamt_together_replace_nothing_and_are_kept_foreseen_and_told() {
    let room = Room::new();
    room.write("d_1.png", "what somebody has here");
    let (_, said, code) = dream(&room, &["-o", "d.png"]);
    assert_ne!(code, Some(0), "{said}");
    assert!(said.contains("d_1.png"), "{said}");
    assert_eq!(room.names(), ["d_1.png"]);

    let (json, said, code) =
        dream(&room, &["-o", "d.png", "--skip-existing", "--dry-run", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let answer: Vec<Value> = serde_json::from_str(&json).unwrap();
    let of = |key: &str| answer.iter().map(|one| one[key].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(of("status"), ["dream", "kept", "dream"]);
    assert_eq!(of("file"), NAMES);
    assert_eq!(room.names(), ["d_1.png"]);

    let (json, said, code) = dream(&room, &["-o", "d.png", "--skip-existing", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let answer: Vec<Value> = serde_json::from_str(&json).unwrap();
    let mut told: Vec<_> = answer
        .iter()
        .map(|one| ["file", "status", "picture"].map(|key| one[key].as_str().unwrap()))
        .collect();
    told.sort_unstable();
    assert_eq!(told[0], ["d_0.png", "written", "40×32 noise, seed 0"]);
    assert_eq!(told[1], ["d_1.png", "kept", "40×32 noise, seed 1"]);
    assert_eq!(told[2], ["d_2.png", "written", "40×32 noise, seed 2"]);
    assert_eq!(room.bytes("d_1.png"), b"what somebody has here");
    let before = room.bytes("d_0.png");
    let (_, said, code) = dream(&room, &["-o", "d.png", "--skip-existing"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("kept d_2.png") && room.bytes("d_0.png") == before, "{said}");
    let (_, said, code) = dream(&room, &["-o", "d.png", "--force"]);
    assert_eq!(code, Some(0), "{said}");
    assert_ne!(room.bytes("d_1.png"), b"what somebody has here");
    assert_eq!(room.bytes("d_0.png"), before);
}

#[test]
fn pictures_are_dreamt_together_from_noise_in_stills_alone() {
    let room = Room::new();
    room.picture("photo.png");
    let refused = |args: &[&str], way_out: &str| {
        let mut command = room.deepdream();
        let output = command.args(args).args(FAST).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{args:?}");
        let begins = match args.contains(&"diversity=1") {
            true => "`diversity` needs `pictures` of 2 or more, noise and whole pictures: ",
            false => {
                "`pictures` of 2 or more are stills that are dreamt from noise, each of them whole: "
            }
        };
        assert!(said.contains(&format!("{begins}{way_out}")), "{said}");
        let mut names = room.names();
        // A zoom keeps its frames in a folder, which has its first one.
        names.retain(|name| name != "z");
        assert_eq!(names, ["photo.png"]);
    };
    refused(&["image", "photo.png", "--pictures", "2"], "start from noise");
    refused(&["image", "--noise", "40x32", "--set", "diversity=1"], "set `pictures` to 4");
    let tiles = "tiles={rolled={size=64}}";
    refused(&["image", "--noise", "40x32", "--pictures", "2", "--set", tiles], "set `tiles`");
    refused(
        &["zoom", "photo.png", "--set", "pictures=2", "-o", "z.gif", "--seconds", "1"],
        "a frame is one picture",
    );
    refused(&["gallery", "--set", "pictures=2", "-o", "g.png"], "each cell is one picture");
    refused(
        &["gallery", "photo.png", "--set", "pictures=2", "-o", "g.png"],
        "each cell is one picture",
    );
}
