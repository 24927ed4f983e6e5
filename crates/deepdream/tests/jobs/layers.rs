//! Layers that are not there, and networks that can be read in part only.

use std::path::Path;

use deepdream::{
    CancelToken, Error, Fault, Knob, Limits, NetworkChoice, RecipeSource, StillJob, classify,
};

use crate::room::{Room, image, quick};

/// A small network of the tests of `import`.
fn network(name: &str) -> NetworkChoice {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../import/tests/data");
    NetworkChoice::Named(folder.join(name).display().to_string())
}

fn refused(room: &Room, change: impl FnOnce(&mut StillJob)) -> Error {
    let mut job = StillJob { dream: quick(), ..StillJob::new(room.picture("a.png")) };
    change(&mut job);
    job.run(&(), &CancelToken::new()).unwrap_err()
}

fn knobs(error: &Error) -> Vec<Knob> {
    error.hints().iter().filter_map(|hint| hint.knob).collect()
}

#[test]
fn a_layer_of_another_network_names_that() {
    let room = Room::new();
    let asks = |job: &mut StillJob| {
        job.dream.network = NetworkChoice::Named("squeezenet".into());
        job.dream.recipe.set("objective", "[{ layer = \"mixed4c\" }]");
    };
    let error = refused(&room, asks);
    assert_eq!((error.fault(), knobs(&error)), (Fault::Recipe, vec![Knob::Network]));
    let text = error.to_string();
    assert!(text.contains("the network squeezenet has no layer `mixed4c`"), "{text}");
    assert!(text.contains("It is a layer of inception5h"), "{text}");
}

#[test]
fn the_end_of_a_layers_name_leads_to_its_network() {
    let error = refused(&Room::new(), |job| {
        job.dream.network = NetworkChoice::Named("squeezenet".into());
        job.dream.recipe.set("objective", "[{ layer = \"4c\" }]");
    });
    assert!(error.to_string().contains("`mixed4c` is a layer of inception5h"), "{error}");
}

#[test]
fn a_layer_that_a_recipe_asks_for_names_the_recipe() {
    let room = Room::new();
    let error = refused(&room, |job| {
        job.dream.network = NetworkChoice::Named("squeezenet".into());
        let text = "schema = 1\nobjective = [{ layer = \"mixed4c\" }]".to_owned();
        let name = "old.toml".to_owned();
        job.dream.recipe.base = Some(RecipeSource::Text { name, text });
        job.dream.recipe.edits.clear();
    });
    assert!(error.to_string().contains("old.toml asks for this layer"), "{error}");
}

#[test]
fn of_a_network_that_can_be_used_in_part_no_layer_is_chosen() {
    let room = Room::new();
    let error = refused(&room, |job| {
        job.dream.network = network("hostile/terminal-escapes.pb");
        job.dream.recipe.edits.clear();
    });
    assert_eq!((error.fault(), knobs(&error)), (Fault::Model, vec![Knob::Layer]));
    assert!(error.to_string().contains("can be used in part only: `u` needs"), "{error}");
}

/// The kinds of pictures and videos are told where a network is wanted too, each with its own way out.
#[test]
fn what_is_to_be_seen_is_no_network() {
    let room = Room::new();
    let file = room.picture("seen.png");
    for (bytes, kind, way_out) in [
        (
            &b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c"[..],
            "a WMV video",
            "as a video",
        ),
        (b"qoif\0\0\0\x01\0\0\0\x01\x03\0", "a QOI picture", "Convert it"),
        (b"8BPS\0\x01\0\0\0\0\0\0", "a Photoshop file", "Export it"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", "a PNG picture", "Give it as the picture"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let error = NetworkChoice::Named(file.display().to_string()).load().unwrap_err();
        assert_eq!(error.fault(), Fault::Model);
        let text = error.to_string();
        assert!(text.contains(kind) && text.contains(way_out), "{text}");
    }
}

#[test]
fn what_does_not_classify_says_so() {
    let limits = Limits::default();
    let refusal = |name| {
        let network = network(name).load().unwrap();
        classify(&network, &image(32, 32), &limits).unwrap_err().to_string()
    };
    assert!(refusal("hostile/terminal-escapes.pb").contains("Its classes are behind that"));
    assert!(refusal("tf_relu6.pb").contains("does not classify"));
}
