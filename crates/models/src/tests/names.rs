//! Which network a name means.

use super::*;
use crate::Origin;

#[test]
fn the_built_in_network_is_there_without_a_store() {
    let (folder, store) = store();
    let (network, origin) = store.resolve(None).unwrap();
    assert_eq!((network.name.as_str(), origin), (crate::BUILT_IN, Origin::BuiltIn));
    assert_eq!(store.resolve(Some(crate::BUILT_IN)).unwrap().1, Origin::BuiltIn);
    assert_eq!(names_in(folder.path()), [""; 0]);
}

#[test]
fn a_known_network_that_is_not_here_says_how_to_get_it() {
    let (_folder, store) = store();
    let text = store.resolve(Some("inception5h")).unwrap_err().to_string();
    assert!(text.contains("`inception5h` is not installed"), "{text}");
}

#[test]
fn an_unknown_name_offers_the_nearest() {
    let (_folder, store) = store();
    for (wrong, right) in [("inception", "inception5h"), ("SqueezNet", "squeezenet")] {
        let text = store.resolve(Some(wrong)).unwrap_err().to_string();
        assert!(text.contains(&format!("Did you mean `{right}`")), "{text}");
    }
    let error = store.resolve(Some("qqqq")).unwrap_err();
    assert!(matches!(&error, ModelError::Unknown { nearest, .. } if nearest.is_empty()), "{error}");
}

#[test]
fn a_path_is_a_file_or_an_error() {
    let (folder, store) = store();
    let gone = folder.path().join("gone.pb");
    let error = store.resolve(gone.to_str()).unwrap_err();
    assert!(matches!(error, ModelError::NoFile { .. }), "{error}");
    fs::write(&gone, b"no network").unwrap();
    let error = store.resolve(gone.to_str()).unwrap_err();
    assert!(matches!(error, ModelError::Load { .. }), "{error}");
}

/// Writes a manifest by hand and tries to use it.
fn with_manifest(text: &str) -> ModelError {
    let (folder, store) = store();
    let small = folder.path().join("models/small");
    fs::create_dir_all(&small).unwrap();
    fs::write(small.join("manifest.toml"), text).unwrap();
    store.resolve(Some("small")).unwrap_err()
}

#[test]
fn a_manifest_cannot_lead_out_of_its_folder() {
    for file in ["../../secret", "/etc/hostname", "..", "sub/file", "c:\\\\file", ""] {
        let error = with_manifest(&format!("file = \"{file}\"\nsha256 = \"\"\nsource = \"\"\n"));
        assert!(matches!(error, ModelError::Manifest { .. }), "{file}: {error}");
    }
}

#[test]
fn a_broken_manifest_says_how_to_clear_it_away() {
    let text = with_manifest("file = 3").to_string();
    assert!(text.contains("Remove the network and install it again"), "{text}");
}

#[test]
fn input_statistics_must_be_numbers() {
    let error = with_manifest(
        "file = 'a'\nsha256 = ''\nsource = ''\n[input]\nchannel_order = 'rgb'\nmean = [nan, 0.0, 0.0]\nscale = [1.0, 1.0, 1.0]",
    );
    assert!(matches!(error, ModelError::Manifest { .. }), "{error}");
}

#[test]
fn every_known_network_has_a_name_that_can_be_stored() {
    for known in crate::catalogue() {
        assert!(crate::store::check_name(known.name).is_ok(), "{}", known.name);
    }
    assert!(crate::known(crate::PREFERRED).is_some());
}
