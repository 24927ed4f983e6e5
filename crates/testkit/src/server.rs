//! An HTTP server on this machine that says exactly what a test tells it to, lies included.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::JoinHandle;

/// A port of this machine, and its address.
///
/// # Panics
/// If there is no free port.
pub fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

/// The next request to a listener, in lower case, and the connection to answer on.
///
/// # Panics
/// If the connection fails.
pub fn request(listener: &TcpListener) -> (String, TcpStream) {
    let (stream, _) = listener.accept().unwrap();
    let (mut lines, mut text) = (BufReader::new(stream.try_clone().unwrap()), String::new());
    while lines.read_line(&mut text).unwrap() > 2 {}
    (text.to_lowercase(), stream)
}

/// Answers one request after another, each on its own connection, and then is gone.
pub struct Server {
    address: String,
    thread: JoinHandle<Vec<String>>,
}

impl Server {
    /// A server that gives these answers, in this order.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn answering(replies: Vec<Vec<u8>>) -> Self {
        let (listener, address) = listener();
        let answer = move |reply: Vec<u8>| {
            let (request, mut stream) = request(&listener);
            // The client may have heard enough before the end.
            let _ = stream.write_all(&reply).and_then(|()| stream.shutdown(Shutdown::Both));
            request
        };
        let thread = std::thread::spawn(|| replies.into_iter().map(answer).collect());
        Self { address, thread }
    }

    /// The URL of a file there.
    pub fn url(&self) -> String {
        format!("{}/model", self.address)
    }

    /// All requests, in lower case, once every answer was given.
    ///
    /// # Panics
    /// If a connection failed.
    pub fn requests(self) -> Vec<String> {
        self.thread.join().unwrap()
    }
}

/// An answer with its true length.
pub fn reply(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    lie(status, headers, body.len(), body)
}

/// An answer that claims `length`, whatever its body.
pub fn lie(status: &str, headers: &[&str], length: usize, body: &[u8]) -> Vec<u8> {
    let mut reply =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n");
    for header in headers {
        reply += &format!("{header}\r\n");
    }
    [reply.as_bytes(), b"\r\n", body].concat()
}

/// The answer to a request for the rest of the file `whole`, from `start` on.
pub fn rest(whole: &[u8], start: usize, headers: &[&str]) -> Vec<u8> {
    let range = format!("Content-Range: bytes {start}-{}/{}", whole.len() - 1, whole.len());
    reply("206 Partial Content", &[headers, &[&range]].concat(), &whole[start..])
}
