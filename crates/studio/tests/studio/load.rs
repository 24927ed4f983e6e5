//! Many who look at the same time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::fake::Running;
use serde_json::json;

/// Pages that look at the same time.
const PAGES: usize = 50;

#[test]
fn fifty_pages_are_all_told_and_served_frames() {
    let studio = Running::new();
    studio.put(b"picture");
    studio.until(|dream| dream["phase"] == "done");
    let count = studio.state()["count"].clone();
    let pages: Vec<TcpStream> = (0..PAGES)
        .map(|_| {
            let mut stream = TcpStream::connect(studio.address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let (key, host) = (&studio.key, studio.address);
            let get = format!("GET /events/{key}?after={count} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            stream.write_all(get.as_bytes()).unwrap();
            stream
        })
        .collect();
    let changed = studio.edit(&json!([{ "set": { "path": "a", "value": 1 } }])).json();
    let rev = changed["rev"].to_string();
    std::thread::scope(|scope| {
        for page in pages {
            let (studio, rev) = (&studio, rev.as_str());
            scope.spawn(move || {
                is_told(&page, rev);
                pull(studio, rev);
            });
        }
    });
}

/// Reads events until one tells that the desk is at `rev`.
fn is_told(mut page: &TcpStream, rev: &str) {
    let (mut text, mut bytes) = (String::new(), [0; 4096]);
    while !(text.contains("event: desk") && text.contains(&format!("\"rev\":{rev}"))) {
        let count = page.read(&mut bytes).unwrap();
        assert!(count > 0, "{text}");
        text += &String::from_utf8_lossy(&bytes[..count]);
    }
}

/// Asks for the newest frame, one request at a time, until there is one of `rev`.
fn pull(studio: &Running, rev: &str) {
    let mut after = "0".to_owned();
    for _ in 0..100 {
        let frame = studio.get(&format!("/frames/{}?after={after}", studio.key));
        if frame.status == 204 {
            continue;
        }
        assert_eq!(frame.status, 200, "{frame:?}");
        if frame.header("x-rev") == Some(rev) {
            return;
        }
        after = frame.header("x-frame").unwrap().to_owned();
    }
    panic!("no frame of {rev} came");
}
