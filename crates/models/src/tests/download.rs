//! Servers that break off, lie, lead astray and change their minds.

use std::io::Write;

use super::*;
use testkit::server::{Server, lie, listener, reply, request, rest};

const TAG: &str = "ETag: \"one\"";

#[test]
fn a_whole_answer_is_installed_and_leaves_no_part() {
    let (folder, store) = store();
    let server = Server::answering(vec![reply("200 OK", &[TAG], WHOLE)]);
    assert_eq!(pull(&store, &server.url(), 1).unwrap(), Pulled::Downloaded);
    assert_eq!(installed(&folder).unwrap(), WHOLE);
    assert_eq!(names_in(&folder.path().join("downloads")), [""; 0]);
    assert!(!server.requests()[0].contains("range:"));
}

#[test]
fn a_broken_download_goes_on_where_it_ended() {
    let (folder, store) = store();
    let server = Server::answering(vec![
        lie("200 OK", &[TAG], WHOLE.len(), &WHOLE[..20]),
        rest(WHOLE, 20, &[TAG]),
    ]);
    pull(&store, &server.url(), 2).unwrap();
    assert_eq!(installed(&folder).unwrap(), WHOLE);
    let requests = server.requests();
    assert!(requests[1].contains("range: bytes=20-\r\n"), "{}", requests[1]);
    assert!(requests[1].contains("if-range: \"one\"\r\n"), "{}", requests[1]);
}

#[test]
fn a_later_pull_goes_on_too() {
    let (folder, store) = store();
    let server = Server::answering(vec![
        lie("200 OK", &[TAG], WHOLE.len(), &WHOLE[..20]),
        rest(WHOLE, 20, &[TAG]),
    ]);
    let error = pull(&store, &server.url(), 1).unwrap_err();
    assert!(
        matches!(&error, ModelError::BrokeOff { done: 20, total: Some(total), .. } if *total == WHOLE.len() as u64),
        "{error}"
    );
    assert_eq!((installed(&folder), part(&folder).unwrap()), (None, WHOLE[..20].to_vec()));
    pull(&store, &server.url(), 1).unwrap();
    assert_eq!(installed(&folder).unwrap(), WHOLE);
    assert!(server.requests()[1].contains("range: bytes=20-"));
}

#[test]
fn attempts_that_bring_something_do_not_count() {
    let (folder, store) = store();
    let piece = |start: usize| {
        let range = format!("Content-Range: bytes {start}-{}/{}", WHOLE.len() - 1, WHOLE.len());
        let body = &WHOLE[start..(start + 10).min(WHOLE.len())];
        lie("206 Partial Content", &[TAG, &range], WHOLE.len() - start, body)
    };
    let mut replies = vec![lie("200 OK", &[TAG], WHOLE.len(), &WHOLE[..10])];
    replies.extend((10..WHOLE.len()).step_by(10).map(piece));
    let server = Server::answering(replies);
    pull(&store, &server.url(), 2).unwrap();
    assert_eq!(installed(&folder).unwrap(), WHOLE);
}

#[test]
fn a_length_that_is_never_reached_ends_in_an_error() {
    let (folder, store) = store();
    let total = WHOLE.len() + 100;
    let range = format!("Content-Range: bytes {}-{}/{total}", WHOLE.len(), total - 1);
    let server = Server::answering(vec![
        lie("200 OK", &[TAG], total, WHOLE),
        lie("206 Partial Content", &[TAG, &range], 100, b""),
        lie("206 Partial Content", &[TAG, &range], 100, b""),
    ]);
    let error = pull(&store, &server.url(), 3).unwrap_err();
    assert!(matches!(error, ModelError::BrokeOff { .. }), "{error}");
    assert_eq!(installed(&folder), None);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_length_that_is_too_short_fails_the_checksum() {
    let (folder, store) = store();
    let server = Server::answering(vec![lie("200 OK", &[TAG], 30, WHOLE)]);
    let error = pull(&store, &server.url(), 1).unwrap_err();
    assert!(
        matches!(&error, ModelError::Checksum { expected, actual, .. }
            if *expected == sha256(WHOLE) && *actual == sha256(&WHOLE[..30])),
        "{error}"
    );
    assert_eq!((installed(&folder), part(&folder)), (None, None));
}

#[test]
fn wrong_bytes_are_removed_and_both_checksums_told() {
    let (folder, store) = store();
    let server = Server::answering(vec![reply("200 OK", &[TAG], b"something else")]);
    let text = pull(&store, &server.url(), 1).unwrap_err().to_string();
    assert!(text.contains(sha256(WHOLE)) && text.contains(sha256(b"something else")), "{text}");
    assert_eq!((installed(&folder), part(&folder)), (None, None));
}

#[test]
fn without_a_checksum_a_file_has_to_load() {
    let (folder, store) = store();
    let (network, source) = small("");
    let source = Source { checksum: Checksum::NotPublished, ..source };
    let pull = |body: &[u8]| {
        let server = Server::answering(vec![reply("200 OK", &[TAG], body)]);
        store.pull_from(&network, &source, Some(&server.url()), patience(1), &mut quietly)
    };
    let error = pull(b"<!DOCTYPE html><html>This file has moved.</html>").unwrap_err();
    assert!(
        matches!(error, ModelError::Load { .. }) && error.to_string().contains("http"),
        "{error}"
    );
    assert_eq!((installed(&folder), part(&folder)), (None, None));
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../import/tests/data/torch/small.pth");
    pull(&fs::read(model).unwrap()).unwrap();
    assert!(installed(&folder).is_some());
}

#[test]
fn a_length_over_the_limit_is_refused_before_it_comes() {
    let (folder, store) = store();
    let server = Server::answering(vec![lie("200 OK", &[TAG], 1001, WHOLE)]);
    let error = pull(&store, &server.url(), 2).unwrap_err();
    assert!(matches!(error, ModelError::TooLong { limit: 1000, .. }), "{error}");
    assert_eq!(part(&folder), None);
}

#[test]
fn an_endless_answer_is_cut_at_the_limit() {
    let (folder, store) = store();
    let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    let server = Server::answering(vec![[&head[..], &[7; 100_000]].concat()]);
    let error = pull(&store, &server.url(), 2).unwrap_err();
    assert!(matches!(error, ModelError::TooLong { limit: 1000, .. }), "{error}");
    assert_eq!(part(&folder), None);
}

#[test]
fn redirects_are_followed_with_the_range() {
    let (folder, store) = store();
    let server = Server::answering(vec![
        reply("302 Found", &["Location: /elsewhere"], b""),
        lie("200 OK", &[TAG], WHOLE.len(), &WHOLE[..20]),
        reply("307 Temporary Redirect", &["Location: /elsewhere"], b""),
        rest(WHOLE, 20, &[TAG]),
    ]);
    pull(&store, &server.url(), 2).unwrap();
    assert_eq!(installed(&folder).unwrap(), WHOLE);
    let requests = server.requests();
    assert!(requests[1].starts_with("get /elsewhere "));
    assert!(requests[3].contains("range: bytes=20-") && requests[3].contains("if-range: \"one\""));
}

#[test]
fn redirects_in_a_circle_end() {
    let (_folder, store) = store();
    let server = Server::answering(vec![reply("302 Found", &["Location: /model"], b""); 11]);
    let error = pull(&store, &server.url(), 3).unwrap_err();
    assert!(matches!(error, ModelError::Redirects { .. }), "{error}");
    assert_eq!(server.requests().len(), 11);
}

#[test]
fn a_missing_file_is_not_asked_for_twice() {
    let (_folder, store) = store();
    let server = Server::answering(vec![reply("404 Not Found", &[], b"no")]);
    let error = pull(&store, &server.url(), 3).unwrap_err();
    assert!(matches!(error, ModelError::Status { status: 404, .. }), "{error}");
    assert!(error.to_string().contains("Try a mirror"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    let (folder, store) = store();
    let server = Server::answering(vec![
        reply("500 Internal Server Error", &[], b"oh"),
        reply("503 Service Unavailable", &[], b"no"),
        reply("200 OK", &[], WHOLE),
    ]);
    pull(&store, &server.url(), 3).unwrap();
    assert_eq!(installed(&folder).unwrap(), WHOLE);
}

#[test]
fn a_server_that_stays_in_trouble_is_named_with_its_answer() {
    let (_folder, store) = store();
    let server = Server::answering(vec![reply("500 Internal Server Error", &[], b"oh"); 2]);
    let error = pull(&store, &server.url(), 2).unwrap_err();
    assert!(matches!(error, ModelError::Status { status: 500, .. }), "{error}");
}

#[test]
fn a_server_without_that_part_is_asked_for_the_whole() {
    let (folder, store) = store();
    let server = Server::answering(vec![
        lie("200 OK", &[TAG], WHOLE.len(), &WHOLE[..20]),
        reply("416 Range Not Satisfiable", &["Content-Range: bytes */10"], b""),
        reply("200 OK", &[TAG], WHOLE),
    ]);
    pull(&store, &server.url(), 3).unwrap();
    assert_eq!(installed(&folder).unwrap(), WHOLE);
    assert!(!server.requests()[2].contains("range:"));
}

#[test]
fn a_server_that_ignores_the_range_or_has_a_new_version_sends_the_whole() {
    let (folder, store) = store();
    let server = Server::answering(vec![
        lie("200 OK", &[TAG], WHOLE.len(), b"of an older version!"),
        reply("200 OK", &["ETag: \"two\""], WHOLE),
    ]);
    pull(&store, &server.url(), 2).unwrap();
    assert_eq!(installed(&folder).unwrap(), WHOLE);
}

#[test]
fn a_part_of_another_version_or_place_is_thrown_away() {
    for wrong in [rest(WHOLE, 20, &["ETag: \"two\""]), rest(WHOLE, 19, &[TAG])] {
        let (folder, store) = store();
        let server = Server::answering(vec![
            lie("200 OK", &[TAG], WHOLE.len(), b"of an older version!"),
            wrong,
            reply("200 OK", &["ETag: \"two\""], WHOLE),
        ]);
        pull(&store, &server.url(), 3).unwrap();
        assert_eq!(installed(&folder).unwrap(), WHOLE);
        assert!(!server.requests()[2].contains("range:"));
    }
}

#[test]
fn without_a_strong_validator_nothing_is_joined() {
    let (folder, store) = store();
    let server = Server::answering(vec![
        lie("200 OK", &["ETag: W/\"weak\""], WHOLE.len(), &WHOLE[..20]),
        reply("200 OK", &[], WHOLE),
    ]);
    pull(&store, &server.url(), 2).unwrap();
    assert_eq!(installed(&folder).unwrap(), WHOLE);
    assert!(!server.requests()[1].contains("range:"));
}

#[test]
fn the_time_of_the_last_change_is_a_validator() {
    let (folder, store) = store();
    let changed = "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT";
    let server = Server::answering(vec![
        lie("200 OK", &["ETag: W/\"weak\"", changed], WHOLE.len(), &WHOLE[..20]),
        rest(WHOLE, 20, &[changed]),
    ]);
    pull(&store, &server.url(), 2).unwrap();
    assert_eq!(installed(&folder).unwrap(), WHOLE);
    assert!(server.requests()[1].contains("if-range: wed, 21 oct 2015 07:28:00 gmt"));
}

#[test]
fn another_address_does_not_go_on_with_what_the_first_sent() {
    let (folder, store) = store();
    let first = Server::answering(vec![lie("200 OK", &[TAG], 64, b"of a broken mirror")]);
    pull(&store, &first.url(), 1).unwrap_err();
    let second = Server::answering(vec![reply("200 OK", &[TAG], WHOLE)]);
    pull(&store, &second.url(), 1).unwrap();
    assert_eq!(installed(&folder).unwrap(), WHOLE);
    assert!(!second.requests()[0].contains("range:"));
}

#[test]
fn a_silent_server_is_given_up() {
    let (_folder, store) = store();
    let (_listener, url) = listener();
    let patience = Patience { silence: Duration::from_millis(50), ..patience(2) };
    let error = pull_and_tell(&store, &url, patience, &mut quietly).unwrap_err();
    assert!(matches!(error, ModelError::Connect { .. }), "{error}");
}

#[test]
fn progress_counts_what_came_before() {
    let (_folder, store) = store();
    let server = Server::answering(vec![
        lie("200 OK", &[TAG], WHOLE.len(), &WHOLE[..20]),
        rest(WHOLE, 20, &[TAG]),
    ]);
    let mut events = Vec::new();
    let mut record = |event| {
        events.push(event);
        ControlFlow::Continue(())
    };
    pull_and_tell(&store, &server.url(), patience(2), &mut record).unwrap();
    events.retain(|event| *event != StoreEvent::Connecting);
    events.dedup();
    let total = Some(WHOLE.len() as u64);
    let done = [0, 20, WHOLE.len() as u64];
    assert_eq!(events, done.map(|done| StoreEvent::Downloading { done, total }));
}

/// Pulls from a server that never answers, or not to the end, and cancels at the first such event.
fn cancelled(url: &str, at: impl Fn(StoreEvent) -> bool) -> (ModelError, TempDir) {
    let (folder, store) = store();
    let mut seen = 0;
    let mut cancel = |event| {
        seen += usize::from(at(event));
        // Again: what comes while nothing happens is told too.
        if seen < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let patience = Patience { silence: Duration::from_secs(3600), ..patience(1) };
    let error = pull_and_tell(&store, url, patience, &mut cancel).unwrap_err();
    (error, folder)
}

#[test]
fn a_download_can_be_cancelled_while_the_server_is_silent() {
    let (_listener, url) = listener();
    let (error, _) = cancelled(&url, |event| event == StoreEvent::Connecting);
    assert!(matches!(error, ModelError::Cancelled), "{error}");
}

#[test]
fn what_came_before_the_cancelling_is_kept() {
    let (listener, url) = listener();
    let (done, release) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        let (_, mut stream) = request(&listener);
        stream.write_all(&lie("200 OK", &[TAG], WHOLE.len(), &WHOLE[..20])).unwrap();
        // The connection stays open until the test is over.
        let () = release.recv().unwrap();
    });
    let came = |event| matches!(event, StoreEvent::Downloading { done: 20, .. });
    let (error, folder) = cancelled(&url, came);
    assert!(matches!(error, ModelError::Cancelled), "{error}");
    assert_eq!(part(&folder).unwrap(), WHOLE[..20]);
    done.send(()).unwrap();
    server.join().unwrap();
}
