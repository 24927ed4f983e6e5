//! `check`: fast kernels and plain loops side by side.

use serde_json::Value;

use crate::room::{Room, shared};

fn check(room: &Room, args: &[&str]) -> String {
    let assert = room.deepdream().arg("check").args(args).assert().success();
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

fn json(room: &Room, args: &[&str]) -> Value {
    serde_json::from_str(&check(room, &[args, &["--json"]].concat())).unwrap()
}

fn lines(report: &Value) -> &[Value] {
    report["compared"].as_array().unwrap()
}

#[test]
fn every_layer_of_the_built_in_network_agrees() {
    let room = Room::new();
    let report = json(&room, &["--size", "48", "--steps", "2"]);
    assert_eq!(report["agrees"], true, "{report:#}");
    assert_eq!((&report["width"], &report["height"]), (&48.into(), &36.into()));
    assert_eq!(report["steps"].as_array().unwrap().len(), 2);
    let names: Vec<&str> =
        lines(&report).iter().map(|line| line["layer"].as_str().unwrap()).collect();
    for name in ["conv1", "pool1", "fire2/squeeze1x1", "fire5/expand3x3", "fire9/concat"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert!(!names.contains(&"conv10"), "beyond what was dreamt on: {names:?}");
    for line in lines(&report) {
        assert!(line["activation_error"].as_f64().unwrap() <= 1e-5, "{line:#}");
        assert!(line["gradient_error"].as_f64().unwrap() <= 1e-4, "{line:#}");
    }
}

#[test]
fn table_names_every_layer_up_to_the_one_dreamt_on() {
    let room = Room::new();
    room.picture("photo.png");
    let args = ["photo.png", "--layer", "fire2/concat", "--size", "32", "--steps", "1"];
    let (report, table) = (json(&room, &args), check(&room, &args));
    assert_eq!(report["picture"], "photo.png");
    assert_eq!((&report["width"], &report["height"]), (&32.into(), &19.into()));
    let steps = &report["steps"][0];
    assert!(table.contains(&format!("photo.png, 32×19, after step {steps}\n")), "{table}");
    let names: Vec<&Value> = lines(&report).iter().map(|line| &line["layer"]).collect();
    assert_eq!(names.last().unwrap(), &"fire2/concat");
    for name in names {
        let row = |row: &&str| row.split_whitespace().next() == name.as_str();
        assert!(table.lines().any(|line| row(&line)), "{name} is not in\n{table}");
    }
    let pool1 = lines(&report).iter().find(|line| line["layer"] == "pool1").unwrap();
    let kernels = (&pool1["forward"], &pool1["backward"]);
    assert_eq!(kernels, (&"max pool".into(), &"max pool".into()));
    assert!(table.contains("layers agree"), "{table}");
}

#[test]
fn plain_loops_agree_with_themselves_exactly() {
    let room = Room::new();
    let args = ["check", "--layer", "fire3/concat", "--size", "32", "--steps", "1", "--json"];
    let assert = room.deepdream().env("DEEPDREAM_CPU", "scalar").args(args).assert().success();
    let report: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    assert_eq!(report["level"], "scalar");
    assert!(lines(&report).len() > 5, "{report:#}");
    for line in lines(&report) {
        assert_eq!(line["activation_error"], 0.0, "{line:#}");
        assert_eq!(line["gradient_error"], 0.0, "{line:#}");
    }
}

#[test]
fn what_cannot_be_dreamt_on_cannot_be_checked() {
    let room = Room::new();
    let refused = |args: &[&str]| room.deepdream().arg("check").args(args).assert();
    refused(&["--layer", "conv99"]).code(5);
    refused(&["missing.png"]).code(3);
    refused(&["--size", "2", "--layer", "fire9/concat"]).code(5);
    refused(&["--steps", "0"]).code(2);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn other_networks_agree() {
    let model = shared("models/inception5h_like.pb");
    let args = ["--model", model.to_str().unwrap(), "--layer", "mixed3a", "--size", "64"];
    let report = json(&Room::new(), &[&args[..], &["--steps", "1"]].concat());
    assert_eq!(report["agrees"], true, "{report:#}");
    assert!(lines(&report).iter().any(|line| line["forward"] == "lrn"), "{report:#}");
}
