//! The commands beside `image`.

use std::path::Path;

use serde_json::Value;

use crate::golden::closed_form;
use crate::room::{Room, shared};

fn answer(room: &Room, args: &[&str]) -> String {
    let assert = room.deepdream().args(args).assert().success();
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

fn json(room: &Room, args: &[&str]) -> Value {
    serde_json::from_str(&answer(room, args)).unwrap()
}

#[test]
fn version_and_help() {
    let room = Room::new();
    assert_eq!(answer(&room, &["--version"]), format!("deepdream {}\n", env!("CARGO_PKG_VERSION")));
    let help = answer(&room, &["--help"]);
    for text in ["image", "layers", "classify", "probe", "bench", "check", "Exit codes:", "130"] {
        assert!(help.contains(text), "`{text}` is not in:\n{help}");
    }
    let help = answer(&room, &["image", "--help"]);
    for text in ["Output:", "Network:", "Recipe:", "Machine:"] {
        assert!(help.contains(text), "`{text}` is not in:\n{help}");
    }
}

#[test]
fn completions_and_manual() {
    let room = Room::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = answer(&room, &["completions", shell]);
        assert!(script.contains("deepdream") && script.contains("DEEPDREAM_COMPLETE"), "{shell}");
    }
    let completed = |words: &[&str]| {
        let mut command = room.deepdream();
        command.env("DEEPDREAM_COMPLETE", "bash").env("_CLAP_IFS", "\n");
        command.env("_CLAP_COMPLETE_INDEX", words.len().to_string());
        let assert = command.args(["--", "deepdream"]).args(words).assert().success();
        String::from_utf8(assert.get_output().stdout.clone()).unwrap()
    };
    for (words, wanted) in [
        (&["image", "--model", "squee"][..], "squeezenet"),
        (&["image", "-m", "squeezenet", "--layer", "fire8/con"], "fire8/concat"),
        (&["image", "-m", "squeezenet", "--class", "castl"], "castle"),
        (&["image", "-m", "squeezenet", "--class", "tibetan_m"], "Tibetan_mastiff"),
        (&["image", "--set", "octaves.detail=repl"], "octaves.detail=replace"),
        (&["image", "--preset", "goo"], "google"),
    ] {
        let found = completed(words);
        assert!(found.lines().any(|line| line == wanted), "{words:?}: {found}");
    }
    // A network that is installed, and no file.
    room.write("squeeze.txt", "");
    assert_eq!(completed(&["models", "default", "squee"]), "squeezenet");
    assert_eq!(completed(&["models", "remove", "squee"]), "");
    assert!(answer(&room, &["man"]).contains(".TH deepdream"));
    answer(&room, &["man", "pages"]);
    let page = String::from_utf8(room.bytes("pages/deepdream-image.1")).unwrap();
    assert!(page.contains("octave"), "{page}");
    #[cfg(unix)]
    {
        // A folder from elsewhere.
        room.write("precious", "precious");
        std::fs::remove_file(room.path("pages/deepdream.1")).unwrap();
        std::os::unix::fs::symlink("../precious", room.path("pages/deepdream.1")).unwrap();
        answer(&room, &["man", "pages"]);
        assert_eq!(room.bytes("precious"), b"precious");
        assert!(room.bytes("pages/deepdream.1").len() > 100);
    }
}

/// bash takes words apart at `=` and `:`, and inserts answers as they are.
#[cfg(unix)]
#[test]
fn bash_completes_words_that_it_takes_apart() {
    let room = Room::new();
    room.write("script", answer(&room, &["completions", "bash"]));
    let run = r#"
        source ./script; COMP_LINE="$*"; COMP_LINE=${COMP_LINE// = /=}
        COMP_LINE=${COMP_LINE/% =/=}; COMP_POINT=${#COMP_LINE}
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        word=${COMP_WORDS[COMP_CWORD]}; [[ $word == = ]] && word=''
        deepdream() { "$DEEPDREAM" "$@"; }
        _deepdream deepdream "$word" ""
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    for (words, wanted) in [
        (&["--set", "octaves.detail", "=", "repl"][..], "replace"),
        (&["--set", "octaves.detail", "="], "reinject"),
        (&["--set", "octaves.det"], "octaves.detail="),
        (&["--model", "=", "squee"], "squeezenet"),
        (&["-m", "squeezenet", "--class", "jack-o"], r"jack-o\'-lantern"),
        (&["-m", "squeezenet", "--class", r"jack-o\'"], r"jack-o\'-lantern"),
        (&["-m", "squeezenet", "--class", "\"jack-o"], "jack-o'-lantern"),
    ] {
        let words = [&["script", "deepdream", "image"], words].concat();
        let mut command = std::process::Command::new("bash");
        command
            .current_dir(room.path(""))
            .env("DEEPDREAM", env!("CARGO_BIN_EXE_deepdream"))
            .args(["-c", run])
            .args(words);
        let output = command.output().unwrap();
        let found = String::from_utf8(output.stdout).unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(found.lines().any(|line| line == wanted), "{wanted}: {found} {said}");
    }
}

#[test]
fn layers_are_listed() {
    let room = Room::new();
    let text = answer(&room, &["layers"]);
    assert!(text.contains("fire6/concat") && text.contains("default"), "{text}");
    let layers = json(&room, &["layers", "--json"]);
    let layers = layers.as_array().unwrap();
    let fire6 = layers.iter().find(|layer| layer["name"] == "fire6/concat").unwrap();
    assert_eq!(fire6["channels"], 384);
    assert_eq!(fire6["stride"], 16);
    assert!(layers.iter().any(|layer| layer["default"] == true));
}

#[test]
fn bench_measures() {
    let room = Room::new();
    let args = ["bench", "--size", "40x24", "--rounds", "3", "--layer", "fire2/concat"];
    let report = json(&room, &[&args[..], &["--threads", "1", "--json"]].concat());
    assert_eq!(report["model"], "squeezenet");
    assert_eq!(report["threads"], 1);
    // conv1: 19×11×64 positions of 27 weights; pool1 9×5; squeeze 16 of 64, expand 128 of 16 and 144.
    let weights = 19 * 11 * 64 * 27 + 9 * 5 * (16 * 64 + 64 * 16 + 64 * 144);
    let gflop = report["gflop"].as_f64().unwrap();
    assert!((gflop - 4.0 * f64::from(weights) / 1e9).abs() < 1e-12, "{gflop}");
    let time = |name: &str| report[name].as_f64().unwrap();
    assert!(0.0 < time("min_ms") && time("min_ms") <= time("median_ms"), "{report}");
    assert!(time("median_ms") <= time("max_ms"), "{report}");
    assert!(0.0 < time("outside_network_ms"), "{report}");
    assert!(time("outside_network_ms") < time("dream_step_ms"), "{report}");
    assert!(time("peak_gflop_per_second") > 0.0, "{report}");
    assert!(report.get("parts").is_none(), "{report}");
    assert!(answer(&room, &args).contains("GFLOP/s"));
}

#[test]
fn bench_tells_what_steering_costs() {
    let room = Room::new();
    let args = ["bench", "--suite", "steering", "--size", "40x24", "--rounds", "2"];
    let args = [&args[..], &["--layer", "fire2/concat"]].concat();
    let report = json(&room, &[&args[..], &["--json"]].concat());
    let costs = report["costs"].as_array().unwrap();
    for name in ["plain", "adam", "spectrum", "tv", "all of it"] {
        let cost = costs.iter().find(|cost| cost["name"] == name).unwrap();
        let share = cost["share"].as_f64().unwrap();
        assert!(0.0 < share && share < 1.0, "{cost}");
    }
    assert!(answer(&room, &args).contains("ascent.parametrisation = spectrum"));
}

#[test]
fn bench_says_where_the_time_goes() {
    let room = Room::new();
    let args = ["bench", "--size", "40x24", "--rounds", "1", "--layer", "fire2/concat", "--layers"];
    let report = json(&room, &[&args[..], &["--json"]].concat());
    let parts = report["parts"].as_array().unwrap();
    let share: f64 = parts.iter().map(|part| part["share"].as_f64().unwrap()).sum();
    assert!((share - 1.0).abs() < 1e-9, "{report:#}");
    for pass in ["forward", "backward"] {
        let conv1 = |part: &&Value| part["pass"] == pass && part["layers"] == "conv1";
        assert!(parts.iter().any(|part| conv1(&part)), "{report:#}");
    }
    let kernels = report["kernels"].as_array().unwrap();
    let share: f64 = kernels.iter().map(|kernel| kernel["share"].as_f64().unwrap()).sum();
    assert!((share - 1.0).abs() < 1e-9 && kernels.len() < parts.len(), "{report:#}");
    assert!(answer(&room, &args).contains("fire2/expand3x3"));
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn cat_is_found_by_every_network() {
    let picture = shared("images/chelsea.png");
    let models = shared("models");
    let room = Room::new();
    let classify = |model: &Path, more: &[&str]| {
        let args = ["classify", picture.to_str().unwrap(), "--model", model.to_str().unwrap()];
        answer(&room, &[&args[..], more].concat())
    };
    for model in [
        "squeezenet".into(),
        models.join("bvlc_googlenet.caffemodel"),
        models.join("inception5h_like.pb"),
    ] {
        let classes: Value = serde_json::from_str(&classify(&model, &["--json"])).unwrap();
        println!("{}: {classes:#}", model.display());
        assert_eq!(classes.as_array().unwrap().len(), 5);
        let first = classes[0]["label"].as_str().unwrap();
        assert!(first.contains("cat") || first.contains("tabby"), "{classes:#}");
    }
    let text = classify(Path::new("squeezenet"), &["--top", "3"]);
    assert_eq!(text.lines().count(), 3);
    assert!(text.contains("tabby, tabby cat"), "{text}");
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn classes_agree_with_another_programs() {
    let golden = shared("golden/inception5h_like_97x130.safetensors");
    let model = shared("models/inception5h_like.pb");
    let bytes = std::fs::read(golden).unwrap();
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let layers: Value =
        serde_json::from_str(&metadata.metadata().as_ref().unwrap()["layers"]).unwrap();
    let room = Room::new();
    closed_form(224, 224).save(room.path("picture.png")).unwrap();
    let args = ["classify", "picture.png", "--model", model.to_str().unwrap(), "--json"];
    let classes = json(&room, &args);
    for (found, expected) in classes
        .as_array()
        .unwrap()
        .iter()
        .zip(layers["softmax2@224x224"]["top5"].as_array().unwrap())
    {
        assert_eq!(found["index"], expected[0], "{classes:#}");
        let number = |value: &Value| value.as_f64().unwrap();
        let off = number(&found["probability"]) - number(&expected[1]);
        assert!(off.abs() < 1e-4, "{classes:#}");
    }
}

#[test]
fn probe_wants_something_to_write() {
    let room = Room::new();
    room.picture("photo.png");
    let probe = |args: &[&str]| {
        room.deepdream().args(["probe", "photo.png", "--layer", "conv1"]).args(args).assert()
    };
    probe(&[]).code(2);
    probe(&["--gradient", "g.txt"]).code(6);
    probe(&["--gradient", "g.npy"]).success();
    probe(&["--gradient", "g.npy"]).code(6);
    probe(&["--gradient", "g.npy", "--force"]).success();
}
