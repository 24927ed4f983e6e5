//! An HTTP server on this machine that says exactly what a test tells it to, lies included.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener};
use std::thread::JoinHandle;

/// Answers one request after another, each on its own connection, and then is gone.
pub(super) struct Server {
    address: String,
    thread: JoinHandle<Vec<String>>,
}

impl Server {
    /// A server that gives these answers, in this order.
    pub(super) fn answering(replies: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let mut requests = Vec::new();
            for reply in replies {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = String::new();
                let mut lines = BufReader::new(stream.try_clone().unwrap());
                while lines.read_line(&mut request).unwrap() > 2 {}
                requests.push(request.to_lowercase());
                // The client may have heard enough before the end.
                let _ = stream.write_all(&reply).and_then(|()| stream.shutdown(Shutdown::Both));
            }
            requests
        });
        Self { address, thread }
    }

    /// The address of a file there.
    pub(super) fn url(&self) -> String {
        format!("{}/model", self.address)
    }

    /// All requests, in lower case, once every answer was given.
    pub(super) fn requests(self) -> Vec<String> {
        self.thread.join().unwrap()
    }
}

/// An answer with its length told truly.
pub(super) fn reply(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    lie(status, headers, body.len(), body)
}

/// An answer that tells `length` whatever is sent.
pub(super) fn lie(status: &str, headers: &[&str], length: usize, body: &[u8]) -> Vec<u8> {
    let mut reply =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n");
    for header in headers {
        reply += &format!("{header}\r\n");
    }
    [reply.as_bytes(), b"\r\n", body].concat()
}

/// The answer to a request for all from `start` on, of a file `whole`.
pub(super) fn rest(whole: &[u8], start: usize, headers: &[&str]) -> Vec<u8> {
    let range = format!("Content-Range: bytes {start}-{}/{}", whole.len() - 1, whole.len());
    reply("206 Partial Content", &[headers, &[&range]].concat(), &whole[start..])
}
