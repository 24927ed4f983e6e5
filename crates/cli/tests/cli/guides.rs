//! Guides: given as flags, kept by hash in the recipe, seen by the layers.

use crate::room::{Room, picture};

const FLAGS: [&str; 6] = ["--model", "squeezenet", "--octaves", "2", "--iterations", "2"];

fn room() -> Room {
    let room = Room::new();
    picture(80, 56).save(room.path("photo.png")).unwrap();
    image::imageops::rotate180(&picture(60, 70)).save(room.path("guide.png")).unwrap();
    room
}

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn no_output_replaces_a_file_that_a_setting_names() {
    let room = Room::new();
    room.picture("photo.png");
    crate::room::picture(40, 40).save(room.path("guide.png")).unwrap();
    std::fs::rename(room.path("guide.png"), room.path("guide.npy")).unwrap();
    let before = room.bytes("guide.npy");
    let term = "objective=[{layer=\"conv1\",guides=[\"g\"]}]";
    let probe =
        ["probe", "photo.png", "--force", "--set", "guides.g.file=guide.npy", "--set", term];
    let gradient = |file: &str| {
        let output = room.deepdream().args(probe).args(["--gradient", file]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = gradient("guide.npy");
    assert!(code == Some(6) && said.contains("guide"), "{code:?}: {said}");
    assert_eq!(room.bytes("guide.npy"), before);
    let (code, said) = gradient("gradient.npy");
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_guided_dream_carries_its_guides_hash_and_comes_again_on_any_number_of_threads() {
    let room = room();
    let dream = |more: &[&str]| {
        let mut command = room.deepdream();
        command.args(["image", "photo.png"]).args(more).args(FLAGS).assert().success();
    };
    dream(&["-o", "plain.png", "--layer", "fire6/concat"]);
    dream(&["-o", "first.png", "--guide", "guide.png", "--threads", "1"]);
    dream(&["-o", "again.png", "--recipe", "first.png", "--threads", "2"]);
    assert_eq!(room.bytes("first.png"), room.bytes("again.png"));
    assert_ne!(room.open("first.png"), room.open("plain.png"));
    let recipe = String::from_utf8_lossy(&room.bytes("first.png")).into_owned();
    for wanted in ["fire6/concat", "[guides.guide]", "file = \"guide.png\"", "sha256 = \""] {
        assert!(recipe.contains(wanted), "`{wanted}` is not in the recipe");
    }
    // The mean of the guide is another dream, and so are two guides.
    let average = "objective=[{layer=\"fire6/concat\",guides=[\"guide\"],pick=\"average\"}]";
    dream(&["-o", "average.png", "--guide", "guide.png", "--set", average]);
    assert_ne!(room.open("first.png"), room.open("average.png"));
    dream(&["-o", "two.png", "--guide", "guide.png", "--guide", "b=photo.png"]);
    assert_ne!(room.open("first.png"), room.open("two.png"));

    // Another picture of that name is no guide of this dream.
    picture(64, 64).save(room.path("guide.png")).unwrap();
    let mut command = room.deepdream();
    command.args(["image", "photo.png", "-o", "other.png", "--recipe", "first.png"]).args(FLAGS);
    let output = command.output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(
        text.contains("not the file that the recipe was made with as the guide `guide`"),
        "{text}"
    );
    assert!(text.contains("--guide NAME=FILE"), "{text}");
}

#[test]
fn guides_that_cannot_be_are_refused_and_those_that_do_nothing_are_noted() {
    let room = room();
    picture(20, 15).save(room.path("small.png")).unwrap();
    let run = |more: &[&str]| {
        let mut command = room.deepdream();
        command.args(["image", "photo.png", "-f", "-o", "out.png"]).args(more).args(FLAGS);
        command.output().unwrap()
    };
    let lost = "objective=[{layer=\"conv1\",guides=[\"flower\"]}]";
    let energy = "objective=[{layer=\"conv1\",guides=[\"guide\"],measure=\"energy\"}]";
    for (flags, code, wanted) in [
        (&["--guide", "small.png"][..], 5, "is 20×15: at least 32 pixels a side are needed"),
        (&["--guide", "none.png"], 3, "could not read none.png"),
        (
            &["--guide", "b=guide.png", "--set", lost],
            5,
            "there is no guide `flower` (there are: b)",
        ),
        (&["--guide", "guide.png", "--set", energy], 5, "needs pick = \"average\""),
        (&["--guide", "guide.png", "--set", "guides.guide.size=8"], 5, "must be 32 to 4096"),
    ] {
        let output = run(flags);
        let text = said(&output);
        assert!(text.contains(wanted), "{flags:?}: {text}");
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {text}");
    }
    let output = run(&["--guide", "guide.png", "--layer", "conv1:3"]);
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("the guide `guide` is used by no part of the objective"), "{text}");
}
