//! Archives: what is taken out of them, and what of hostile ones is not.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::Origin;
use testkit::server::{Server, reply};

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(data).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Pulls the archive as a network whose model is `small.bin` with the checksum of [`WHOLE`].
fn pull_zip(store: &Store, archive: &[u8]) -> Result<Pulled, ModelError> {
    let server = Server::answering(vec![reply("200 OK", &["ETag: \"one\""], archive)]);
    let (network, source) = small(sha256(archive));
    let network = KnownNetwork { file_sha256: Some(sha256(WHOLE)), ..network };
    let members = &["small.bin", "strings.txt", "LICENSE"];
    let source = Source { members, bytes: 250, ..source };
    let url = server.url();
    let pulled = store.pull_from(&network, &source, Some(&url), patience(1), &mut quietly);
    server.requests();
    pulled
}

const LICENCE: (&str, &[u8]) = ("LICENSE", b"Do as you like.");
const LABELS: (&str, &[u8]) = ("strings.txt", b"cat\ndog\n");

#[test]
fn the_model_its_licence_and_its_labels_are_taken() {
    let (folder, store) = store();
    let archive = zip(&[LABELS, ("small.bin", WHOLE), ("../evil", b"no"), LICENCE]);
    assert_eq!(pull_zip(&store, &archive).unwrap(), Pulled::Downloaded);
    assert_eq!(installed(&folder).unwrap(), WHOLE);
    let small = folder.path().join("models/small");
    assert_eq!(names_in(&small), ["LICENSE", "manifest.toml", "small.bin", "strings.txt"]);
    assert_eq!(fs::read(small.join("LICENSE")).unwrap(), LICENCE.1);
    assert_eq!(fs::read(small.join("strings.txt")).unwrap(), LABELS.1);
    let manifest = store.manifest("small").unwrap();
    assert_eq!(manifest.sha256, sha256(WHOLE));
    assert_eq!(manifest.licence_file.as_deref(), Some("LICENSE"));
    assert_eq!(part(&folder), None);
}

/// A tar archive, packed with gzip.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    for (name, data) in files {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
        gz.write_all(&header).unwrap();
        gz.write_all(data).unwrap();
        gz.write_all(&vec![0; data.len().next_multiple_of(512) - data.len()]).unwrap();
    }
    gz.write_all(&[0; 1024]).unwrap();
    gz.finish().unwrap()
}

#[test]
fn a_packed_tar_archive_will_do_as_well() {
    let (folder, store) = store();
    let archive =
        tar(&[("./strings.txt", LABELS.1), ("./LICENSE", LICENCE.1), ("small.bin", WHOLE)]);
    assert_eq!(pull_zip(&store, &archive).unwrap(), Pulled::Downloaded);
    assert_eq!(installed(&folder).unwrap(), WHOLE);
    assert_eq!(fs::read(folder.path().join("models/small/LICENSE")).unwrap(), LICENCE.1);
    let refused = |archive: &[u8]| {
        let (_folder, store) = self::store();
        pull_zip(&store, archive).unwrap_err().to_string()
    };
    assert!(refused(&tar(&[LABELS, LICENCE])).contains("it has no file `small.bin`"));
    assert!(refused(&archive[..archive.len() / 2]).contains("is damaged"));
    let bomb = tar(&[("before", &vec![0; 1 << 13]), ("small.bin", WHOLE), LABELS, LICENCE]);
    let text = refused(&bomb);
    assert!(text.contains("small.bin"), "what is before a file is bounded: {text}");
}

#[test]
fn an_archive_on_this_machine_or_the_model_out_of_it_will_do() {
    let archive = zip(&[LABELS, ("small.bin", WHOLE), LICENCE]);
    let (network, source) = small(sha256(&archive));
    let network = KnownNetwork { file_sha256: Some(sha256(WHOLE)), ..network };
    let source = Source { members: &["small.bin", "strings.txt", "LICENSE"], ..source };
    let files = [("small.zip", &archive[..]), ("small.bin", WHOLE), LABELS];
    for (given, licence_file) in [("small.zip", Some("LICENSE")), ("small.bin", None)] {
        let (folder, store) = store();
        files.iter().for_each(|(name, data)| fs::write(folder.path().join(name), data).unwrap());
        let path = folder.path().join(given);
        store.pull_file(&network, &source, &path, &mut quietly).unwrap();
        assert_eq!(installed(&folder).unwrap(), WHOLE);
        let labels = fs::read(folder.path().join("models/small/strings.txt")).unwrap();
        assert_eq!(labels, LABELS.1);
        assert_eq!(store.manifest("small").unwrap().licence_file.as_deref(), licence_file);
    }
}

/// Pulls an archive that must be refused, and gives the reason.
fn refused(archive: &[u8]) -> String {
    let (folder, store) = store();
    let error = pull_zip(&store, archive).unwrap_err();
    assert!(!store.is_installed("small"));
    assert_eq!(part(&folder), None);
    error.to_string()
}

#[test]
fn a_missing_member_is_named() {
    let text = refused(&zip(&[LICENCE, LABELS]));
    assert!(text.contains("no file `small.bin`"), "{text}");
}

#[test]
fn a_bomb_is_not_unpacked_beyond_the_limit() {
    let text = refused(&zip(&[("small.bin", &[0; 100_000]), LICENCE, LABELS]));
    assert!(text.contains("`small.bin` is larger than 1000 bytes"), "{text}");
}

#[test]
fn a_bomb_that_hides_its_size_is_not_unpacked_either() {
    let mut archive = zip(&[("small.bin", &[0; 10_000]), LICENCE, LABELS]);
    let size = 10_000u32.to_le_bytes();
    for place in 0..archive.len() - 4 {
        if archive[place..place + 4] == size {
            archive[place..place + 4].copy_from_slice(&50u32.to_le_bytes());
        }
    }
    let text = refused(&archive);
    assert!(text.contains("`small.bin`"), "{text}");
}

#[test]
fn the_model_inside_has_a_checksum_of_its_own() {
    let text = refused(&zip(&[("small.bin", b"another model"), LICENCE, LABELS]));
    assert!(text.contains(sha256(b"another model")), "{text}");
}

#[test]
fn what_is_no_archive_is_refused() {
    let text = refused(b"<html>Please log in</html>");
    assert!(text.contains("no table of contents"), "{text}");
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn what_is_published_as_inception5h_becomes_the_default_network() {
    let model = fs::read(testkit::shared().join("models/inception5h_like.pb")).unwrap();
    let known = *crate::known("inception5h").unwrap();
    let source = known.source.unwrap();
    let classes: String = (0..1008).map(|class| format!("thing {class}\n")).collect();
    let contents = [&model[..], classes.as_bytes(), LICENCE.1];
    let files: Vec<(&str, &[u8])> = source.members.iter().copied().zip(contents).collect();
    let archive = zip(&files);
    let server = Server::answering(vec![reply("200 OK", &[], &archive)]);
    let source = Source { checksum: Checksum::Sha256(sha256(&archive)), ..source };
    let known = KnownNetwork { file_sha256: Some(sha256(&model)), ..known };
    let (_folder, store) = store();
    let url = server.url();
    store.pull_from(&known, &source, Some(&url), patience(1), &mut quietly).unwrap();

    let (network, origin) = store.resolve(None).unwrap();
    assert_eq!((network.name.as_str(), origin), ("inception5h", Origin::Installed));
    assert_eq!(network.hash, sha256(&model));
    assert_eq!(network.input.mean, [117.0; 3]);
    assert_eq!(network.labels[7], "thing 7");
    assert!(network.graph.find_target("mixed4c").is_ok());
    assert_eq!(store.manifest("inception5h").unwrap().licence_file.as_deref(), Some("LICENSE"));
}
