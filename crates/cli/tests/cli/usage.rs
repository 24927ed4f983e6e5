//! What people type who have not read the manual: the program does it, or says what to type instead.

use crate::room::{QUICK, Room};

/// What the program says to `args`, which must fail with `code`.
fn refused(room: &Room, args: &[&str], code: i32) -> String {
    let assert = room.deepdream().args(args).assert().code(code);
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

fn answered(room: &Room, args: &[&str]) -> String {
    let assert = room.deepdream().args(args).assert().success();
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

#[test]
fn help_is_given_however_it_is_asked_for() {
    let room = Room::new();
    let all = answered(&room, &["--help"]);
    assert_eq!(answered(&room, &["help"]), all);
    let image = answered(&room, &["image", "--help"]);
    for args in [
        &["help", "image"][..],
        &["image", "--bogus", "--help"],
        &["image", "photo.png", "--size", "large", "-h"],
    ] {
        assert!(answered(&room, args).starts_with(image.lines().next().unwrap()), "{args:?}");
    }
    let pull = answered(&room, &["help", "models", "pull"]);
    assert!(pull.contains("deepdream models pull"), "{pull}");
    assert_eq!(answered(&room, &["models", "help"]), answered(&room, &["models", "--help"]));
    assert_eq!(answered(&room, &["models", "list"]), answered(&room, &["models"]));
    assert!(refused(&room, &["help", "nothing"], 2).contains("no command `nothing`"));
}

#[test]
fn what_was_meant_is_named() {
    let room = Room::new();
    room.picture("photo.png");
    std::fs::create_dir(room.path("my frames")).unwrap();
    for (args, way_out) in [
        (&["photo.png"][..], "`deepdream image photo.png`"),
        (&["my photo.jpg"], "`deepdream image \"my photo.jpg\"`"),
        (&["clip.mp4"], "`deepdream video clip.mp4`"),
        (&["my frames"], "`deepdream movie \"my frames\"`"),
        (&["imag", "photo.png"], "`deepdream image`"),
        (&["version"], "`deepdream --version`"),
        (&["pull", "googlenet"], "`deepdream models pull`"),
        (&["--size", "64", "photo.png"], "A command comes first"),
        (&["models", "remov"], "`deepdream models remove`"),
        (&["image", "photo.png", "--verbose"], "Progress is shown"),
        (&["image", "-v", "photo.png"], "Progress is shown"),
        (&["image", "--input", "photo.png"], "needs no flag"),
        (&["image", "-i", "photo.png"], "needs no flag"),
        (&["image", "photo.png", "--layers", "conv1"], "--layer NAME --layer NAME"),
        (&["image", "photo.png", "--iteration", "3"], "--iterations"),
        (&["image", "photo.png", "--steps", "3"], "--iterations"),
        (&["image", "photo.png", "--overwrite"], "--force"),
        (&["image", "photo.png", "--gpu"], "runs on the processor"),
        (&["image", "photo.png", "--seconds", "3"], "a flag of `deepdream zoom`"),
        (&["image", "photo.png", "--preset", "googel"], "`google`"),
        (&["image", "photo.png", "--size", "640x400"], "longest side: 640"),
        (&["image", "photo.png", "--size", "50%"], "percentage"),
        (&["image", "photo.png", "--octaves", "-1"], "use a whole number"),
        (&["image", "photo.png", "--step", "nan"], "use a number"),
        (&["image", "photo.png", "--threads", "many"], "from 1 to 1024"),
        (&["image", "photo.png", "--noise", "64x48"], "cannot go together"),
        (&["image", "--noise", "large"], "such as 640x400"),
        (&["image", "photo.png", "--seed", "1", "--seed", "2"], "only once"),
        (&["zoom"], "needs PHOTO"),
        (&["classify", "photo.png", "other.png"], "no use for `other.png`"),
    ] {
        let said = refused(&room, args, 2);
        assert!(said.starts_with("deepdream: "), "{args:?}: {said}");
        assert!(said.contains(way_out), "{args:?}: `{way_out}` is not in:\n{said}");
    }
}

#[test]
fn names_that_are_no_files_are_explained() {
    let room = Room::new();
    room.picture("photo.png");
    for (name, way_out) in [
        (".", "Give the pictures in it"),
        ("-", "Standard input is not read"),
        ("https://example.com/photo.jpg", "Download the file first"),
        ("file:///photo.jpg", "without `file://`"),
        ("\"photo.png\"", "quotation marks"),
        ("*.tiff", "No file matches"),
        ("photo.jpg", "Did you mean photo.png?"),
    ] {
        for command in ["image", "classify", "check"] {
            let said = refused(&room, &[command, name], 3);
            assert!(said.contains(way_out), "{command} {name}: `{way_out}` is not in:\n{said}");
        }
    }
}

#[test]
fn wildcards_work_without_a_shell() {
    let room = Room::new();
    for name in ["b.png", "a.png", "c.jpg"] {
        room.picture(name);
    }
    let mut command = room.deepdream();
    command.args(["image", "*.png", "-o", "dreams/"]).args(QUICK).assert().success();
    let mut names: Vec<_> = std::fs::read_dir(room.path("dreams"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["a.dream.png", "b.dream.png"]);
}

#[test]
fn values_out_of_range_name_their_flag() {
    let room = Room::new();
    room.picture("photo.png");
    let said = refused(&room, &["image", "photo.png", "--octaves", "0"], 5);
    assert!(said.contains("--octaves sets it"), "{said}");
    let said = refused(&room, &["image", "photo.png", "--set", "nothing=1"], 5);
    assert!(said.contains("`deepdream recipe --fields`"), "{said}");
}

#[test]
fn layers_that_are_not_there_name_the_network_and_a_way_out() {
    let room = Room::new();
    room.picture("photo.png");
    for (layer, way_out) in [
        ("fire6/conact", "Did you mean `fire6/concat`, `fire2/concat` or `fire3/concat`?"),
        ("mixed4c", "a layer of inception5h: choose that network (--model)"),
        ("conv1,fire2/concat", "--layer NAME --layer NAME"),
    ] {
        for args in [
            &["image", "photo.png", "--model", "squeezenet", "--layer", layer][..],
            &[
                "probe",
                "photo.png",
                "--gradient",
                "g.npy",
                "--model",
                "squeezenet",
                "--layer",
                layer,
            ],
            &["bench", "--model", "squeezenet", "--layer", layer],
        ] {
            let said = refused(&room, args, 5);
            assert!(
                said.contains(&format!("the network squeezenet has no layer `{layer}`")),
                "{said}"
            );
            assert!(said.contains(way_out), "{args:?}: `{way_out}` is not in:\n{said}");
        }
    }
}
