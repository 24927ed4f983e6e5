//! Putting networks in and taking them out, whole or not at all.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::Addition;
use testkit::server::{Server, reply};

/// The built-in network's file, the smallest real one there is.
fn squeezenet() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/squeezenet1_1.safetensors")
}

fn addition(file: impl Into<PathBuf>) -> Addition {
    Addition { file: file.into(), ..Addition::default() }
}

#[test]
fn what_is_installed_is_not_fetched_again() {
    let (_folder, store) = store();
    let server = Server::answering(vec![reply("200 OK", &[], WHOLE)]);
    let url = server.url();
    assert_eq!(pull(&store, &url, 1).unwrap(), Pulled::Downloaded);
    assert_eq!(pull(&store, &url, 1).unwrap(), Pulled::AlreadyThere);
    assert_eq!(server.requests().len(), 1);
}

/// A device may have no end: it is named before it is read.
#[cfg(unix)]
#[test]
fn a_device_is_no_network() {
    let (_folder, store) = store();
    for name in ["endless", "inception5h"] {
        let name = Some(name.to_owned());
        let device = Addition { name, ..addition("/dev/zero") };
        let error = store.add(&device, &mut |_| ControlFlow::Continue(())).unwrap_err();
        assert!(error.to_string().contains("it is a device or a pipe, not a file"), "{error}");
    }
    let error = store.resolve(Some("/dev/zero")).unwrap_err();
    assert!(error.to_string().contains("it is a device or a pipe, not a file"), "{error}");
}

#[test]
fn what_was_damaged_is_fetched_again() {
    let (folder, store) = store();
    let server = Server::answering(vec![reply("200 OK", &[], WHOLE); 2]);
    pull(&store, &server.url(), 1).unwrap();
    fs::write(folder.path().join("models/small/small.bin"), b"rotten").unwrap();
    assert_eq!(pull(&store, &server.url(), 1).unwrap(), Pulled::Downloaded);
    assert_eq!(installed(&folder).unwrap(), WHOLE);
    assert_eq!(names_in(&folder.path().join("models/.staging")), [""; 0]);
}

#[test]
fn pulls_at_the_same_time_wait_for_each_other() {
    let (folder, store) = store();
    let server = Server::answering(vec![reply("200 OK", &[], WHOLE)]);
    let url = server.url();
    let pulled: Vec<Pulled> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| pull(&store, &url, 1).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(pulled.iter().filter(|pulled| **pulled == Pulled::Downloaded).count(), 1);
    assert_eq!(installed(&folder).unwrap(), WHOLE);
}

#[test]
fn waiting_for_another_is_told() {
    let (folder, store) = store();
    fs::create_dir_all(folder.path().join("models")).unwrap();
    let held = fs::File::create(folder.path().join("models/.lock")).unwrap();
    held.lock().unwrap();
    let told = AtomicUsize::new(0);
    let mut let_go = |event| {
        if event == StoreEvent::Waiting && told.fetch_add(1, Ordering::Relaxed) == 1 {
            held.unlock().unwrap();
        }
        ControlFlow::Continue(())
    };
    let server = Server::answering(vec![reply("200 OK", &[], WHOLE)]);
    pull_and_tell(&store, &server.url(), patience(1), &mut let_go).unwrap();
    assert_eq!(told.load(Ordering::Relaxed), 2);
    assert_eq!(installed(&folder).unwrap(), WHOLE);
}

#[test]
fn a_whole_part_is_installed_without_asking_the_server() {
    let (folder, store) = store();
    let downloads = folder.path().join("downloads");
    fs::create_dir_all(&downloads).unwrap();
    fs::write(downloads.join("small.part"), WHOLE).unwrap();
    let url = "http://127.0.0.1:1/model";
    let state = format!("url = '{url}'\nvalidator = '\"one\"'\ntotal = {}\n", WHOLE.len());
    fs::write(downloads.join("small.part.toml"), state).unwrap();
    pull(&store, url, 1).unwrap();
    assert_eq!(installed(&folder).unwrap(), WHOLE);
}

#[test]
fn what_a_killed_program_left_is_cleared_away() {
    let (folder, store) = store();
    let left = folder.path().join("models/.staging/small-x1");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("small.bin"), b"half").unwrap();
    assert_eq!(store.installed().unwrap(), [""; 0]);
    let server = Server::answering(vec![reply("200 OK", &[], WHOLE)]);
    pull(&store, &server.url(), 1).unwrap();
    assert!(!left.exists());
    assert_eq!(store.installed().unwrap(), ["small"]);
}

#[test]
fn an_added_network_is_used_with_the_input_that_was_given() {
    let (folder, store) = store();
    let classes: String = (0..1000).map(|class| format!("thing {class}\n")).collect();
    fs::write(folder.path().join("classes"), classes).unwrap();
    let addition = Addition {
        name: Some("mine".into()),
        channel_order: Some(graph::ChannelOrder::Rgb),
        scale: Some([0.5; 3]),
        labels: Some(folder.path().join("classes")),
        ..addition(squeezenet())
    };
    store.add(&addition, &mut quietly).unwrap();
    let (network, origin) = store.resolve(Some("mine")).unwrap();
    assert_eq!(origin, crate::Origin::Installed);
    assert_eq!(network.name, "mine");
    let built_in = crate::squeezenet().unwrap();
    assert_eq!(network.input.order, graph::ChannelOrder::Rgb);
    assert_eq!((network.input.mean, network.input.scale), (built_in.input.mean, [0.5; 3]));
    assert_eq!((network.labels.len(), network.labels[7].as_str()), (1000, "thing 7"));
    assert_eq!(network.hash, built_in.hash);
}

#[test]
fn labels_that_do_not_fit_are_refused() {
    let (folder, store) = store();
    let labels = folder.path().join("classes");
    fs::write(&labels, "cat\ndog\n").unwrap();
    let addition = Addition { labels: Some(labels), ..addition(squeezenet()) };
    let error = store.add(&addition, &mut quietly).unwrap_err();
    assert!(matches!(error, ModelError::Labels { lines: 2, .. }), "{error}");
    assert_eq!(store.installed().unwrap(), [""; 0]);
}

#[test]
fn an_added_network_is_called_after_its_file() {
    let (folder, store) = store();
    let file = folder.path().join("My Net.SafeTensors");
    fs::copy(squeezenet(), &file).unwrap();
    assert_eq!(store.add(&addition(file), &mut quietly).unwrap(), "my-net");
    assert_eq!(store.installed().unwrap(), ["my-net"]);
    let vgg16 = folder.path().join("vgg16.pth");
    fs::copy(squeezenet(), &vgg16).unwrap();
    assert_eq!(store.add(&addition(vgg16), &mut quietly).unwrap(), "vgg16-own");
}

#[test]
fn names_that_are_taken_or_lead_elsewhere_are_refused() {
    let (_folder, store) = store();
    let add = |name: &str| {
        let name = Some(name.to_owned());
        store.add(&Addition { name, ..addition(squeezenet()) }, &mut quietly).unwrap_err()
    };
    assert!(matches!(add(crate::BUILT_IN), ModelError::BuiltInName { .. }));
    let text = add("inception5h").to_string();
    assert!(text.contains("is not the published inception5h: its sha256 should be"), "{text}");
    for name in ["", "../up", "a/b", ".hidden", "Big", &"a".repeat(65)] {
        assert!(matches!(add(name), ModelError::Name { .. }), "{name}");
    }
}

#[test]
fn the_input_of_a_known_network_is_not_changed() {
    let (_folder, store) = store();
    let name = Some("googlenet".to_owned());
    let addition = Addition { name, mean: Some([0.0; 3]), ..addition(squeezenet()) };
    let error = store.add(&addition, &mut quietly).unwrap_err();
    assert!(matches!(error, ModelError::Published { .. }), "{error}");
}

#[test]
fn a_known_network_is_taken_from_a_file_of_its_checksum() {
    let (folder, store) = store();
    let path = folder.path().join("whatever.bin");
    fs::write(&path, WHOLE).unwrap();
    let (network, source) = small(sha256(WHOLE));
    let take = |path: &Path| store.pull_file(&network, &source, path, &mut quietly);
    assert_eq!(take(&path).unwrap(), Pulled::Downloaded);
    assert_eq!(installed(&folder).unwrap(), WHOLE);
    assert!(store.manifest("small").unwrap().source.ends_with("whatever.bin"));
    assert_eq!(take(&path).unwrap(), Pulled::AlreadyThere);
    assert!(path.exists(), "the file itself stays");

    store.remove("small", &mut quietly).unwrap();
    fs::write(&path, b"another").unwrap();
    let error = take(&path).unwrap_err();
    assert!(matches!(error, ModelError::NotPublished { .. }), "{error}");
    assert!(matches!(take(&folder.path().join("gone")).unwrap_err(), ModelError::NoFile { .. }));
    assert!(!store.is_installed("small"));
}

#[test]
fn a_file_that_cannot_be_loaded_is_not_added() {
    let (folder, store) = store();
    let file = folder.path().join("noise.pb");
    fs::write(&file, b"no network at all").unwrap();
    let error = store.add(&addition(&file), &mut quietly).unwrap_err();
    assert!(matches!(error, ModelError::Load { .. }), "{error}");
    assert!(matches!(
        store.add(&addition(folder.path().join("none.pb")), &mut quietly).unwrap_err(),
        ModelError::NoFile { .. }
    ));
    assert_eq!(store.installed().unwrap(), [""; 0]);
}

#[test]
fn removing_takes_the_network_and_its_broken_download_and_no_more() {
    let (folder, store) = store();
    for name in ["one", "two"] {
        let name = Some(name.to_owned());
        store.add(&Addition { name, ..addition(squeezenet()) }, &mut quietly).unwrap();
    }
    fs::write(folder.path().join("downloads/one.part"), b"half").unwrap();
    store.remove("one", &mut quietly).unwrap();
    assert_eq!(store.installed().unwrap(), ["two"]);
    assert_eq!(names_in(&folder.path().join("downloads")), [""; 0]);
    assert!(squeezenet().is_file());
}

#[test]
fn the_built_in_network_and_what_is_not_there_cannot_be_removed() {
    let (_folder, store) = store();
    let remove = |name: &str| store.remove(name, &mut quietly).unwrap_err();
    assert!(matches!(remove(crate::BUILT_IN), ModelError::BuiltIn { .. }));
    assert!(matches!(remove("inception5h"), ModelError::NotInstalled { .. }));
    assert!(matches!(remove("none"), ModelError::Unknown { .. }));
    assert!(matches!(remove(".."), ModelError::Name { .. }));
}

#[cfg(unix)]
#[test]
fn removing_does_not_follow_links() {
    let (folder, store) = store();
    store
        .add(&Addition { name: Some("one".into()), ..addition(squeezenet()) }, &mut quietly)
        .unwrap();
    let mine = folder.path().join("mine");
    fs::create_dir(&mine).unwrap();
    fs::write(mine.join("diary"), b"dear").unwrap();
    std::os::unix::fs::symlink(&mine, folder.path().join("models/one/link")).unwrap();
    store.remove("one", &mut quietly).unwrap();
    assert_eq!(names_in(&mine), ["diary"]);
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn the_two_files_of_a_caffe_network_are_installed_together() {
    let prototxt = testkit::shared().join("models/bvlc_googlenet.prototxt");
    let (folder, store) = store();
    let name = store.add(&addition(prototxt), &mut quietly).unwrap();
    let (network, _) = store.resolve(Some(&name)).unwrap();
    assert_eq!(network.name, "bvlc_googlenet");
    assert!(network.graph.find_target("inception_4c/output").is_ok());
    assert_eq!(
        names_in(&folder.path().join("models/bvlc_googlenet")),
        ["bvlc_googlenet.caffemodel", "bvlc_googlenet.prototxt", "manifest.toml"]
    );
}

#[test]
fn the_usual_input_can_be_named() {
    let (_folder, store) = store();
    let statistics = Some("ImageNet".to_owned());
    let named = Addition { statistics, mean: Some([1.0; 3]), ..addition(squeezenet()) };
    let name = store.add(&named, &mut quietly).unwrap();
    let imagenet = import::input::IMAGENET;
    let input = store.resolve(Some(&name)).unwrap().0.input;
    assert_eq!((input.order, input.mean, input.scale), (imagenet.order, [1.0; 3], imagenet.scale));
    let statistics = Some("imgnet".to_owned());
    let error = store.add(&Addition { name: Some("b".into()), statistics, ..named }, &mut quietly);
    let text = error.unwrap_err().to_string();
    assert!(text.contains("`imgnet`") && text.contains("imagenet, inception"), "{text}");
}

#[test]
fn one_network_is_the_default_as_long_as_it_is_there() {
    let (_folder, store) = store();
    assert_eq!(store.default_network(), crate::BUILT_IN);
    let mine = Addition { name: Some("mine".into()), ..addition(squeezenet()) };
    store.add(&mine, &mut quietly).unwrap();
    store.set_default("mine", &mut quietly).unwrap();
    assert_eq!(store.default_network(), "mine");
    assert_eq!(store.resolve(None).unwrap().1, crate::Origin::Installed);
    let error = |name| store.set_default(name, &mut quietly).unwrap_err();
    assert!(matches!(error("vgg16"), ModelError::NotInstalled { .. }));
    let near = |nearest: &[String]| nearest.contains(&"mine".to_owned());
    assert!(matches!(error("minee"), ModelError::Unknown { nearest, .. } if near(&nearest)));
    assert_eq!(store.default_network(), "mine");
    store.remove("mine", &mut quietly).unwrap();
    assert_eq!(store.default_network(), crate::BUILT_IN);
    store.add(&mine, &mut quietly).unwrap();
    assert_eq!(store.default_network(), crate::BUILT_IN, "what was removed is not chosen still");
}

#[test]
fn the_first_digits_of_a_checksum_decide_where_no_more_are_published() {
    let (folder, store) = store();
    let file = folder.path().join("small.bin");
    fs::write(&file, WHOLE).unwrap();
    let pulled = |checksum| {
        let (known, source) = small("");
        let source = Source { checksum, ..source };
        store.pull_file(&known, &source, &file, &mut quietly)
    };
    let text = pulled(Checksum::Sha256Start("01234567")).unwrap_err().to_string();
    assert!(text.contains("its sha256 should be 01234567…"), "{text}");
    assert_eq!(pulled(Checksum::Sha256Start(&sha256(WHOLE)[..8])).unwrap(), Pulled::Downloaded);
}

#[test]
fn weights_beside_a_model_come_along() {
    let (folder, store) = store();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../import/tests/data/onnx/external");
    let model = folder.path().join("external.onnx");
    let weights = folder.path().join("weights/conv.bin");
    fs::copy(data.join("external.onnx"), &model).unwrap();
    let add = || store.add(&addition(&model), &mut |_| ControlFlow::Continue(()));
    let error = add().unwrap_err().to_string();
    assert!(error.contains("weights/conv.bin"), "{error}");
    fs::create_dir(weights.parent().unwrap()).unwrap();
    fs::copy(data.join("weights/conv.bin"), &weights).unwrap();
    assert_eq!(add().unwrap(), "external");
    fs::write(&weights, [0; 64]).unwrap();
    assert!(folder.path().join("models/external/weights/conv.bin").is_file());
    let (installed, _) = store.resolve(Some("external")).unwrap();
    let (changed, _) = store.resolve(model.to_str()).unwrap();
    assert_ne!(installed.hash, changed.hash, "the weights are part of what the network is");
    assert!(store.size("external").unwrap() > 64 + 150);
    store.remove("external", &mut |_| ControlFlow::Continue(())).unwrap();
}
