//! Ten thousand malformed requests over all routes, beside a render: none breaks anything, none keeps memory, and
//! what is dreamt stays what it was.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::fake::Running;
use serde_json::{Value, json};

/// How many requests there are, and how many of them at the same time.
const REQUESTS: usize = 10_000;
const CLIENTS: usize = 4;

/// After how many requests memory is looked at first.
const WARM: usize = 2_000;

/// How much memory all the others may keep, in bytes.
const KEPT: u64 = 5 << 20;

/// What each route that reads JSON takes.
const BODIES: &[(&str, &str)] = &[
    ("/api/session", r#"{"code":"0123","token":"4567"}"#),
    ("/api/noise", r#"{"width":64,"height":48,"more":1}"#),
    (
        "/api/dream",
        r#"{"rev":1,"gesture":2,"changes":[{"set":{"path":"a","value":1}},{"look":{}}]}"#,
    ),
    ("/api/dream/size", r#"{"longest":1e3}"#),
    ("/api/gallery", r#"{"layers":["a",1],"channels":[["a",3]],"in_view":-1}"#),
    ("/api/pictures/*", r#"{"name":1,"trashed":"yes"}"#),
    ("/api/plan", r#"{"wanted":{"kind":"zoom","seconds":null,"fps":1,"longest":64}}"#),
    ("/api/jobs", r#"{"wanted":{"kind":"picture","extension":"svg"},"draft":true}"#),
    ("/api/jobs/*", r#"{"move":"away"}"#),
    ("/api/queue", r#""stop""#),
    ("/api/recipes", r#"{"text":7}"#),
    ("/api/nodes/*", r#"{"title":"a","star":3}"#),
    ("/api/variations", r#"{"first":4294967296}"#),
    ("/api/looks", r#"{"name":"a","recipe":{}}"#),
    ("/api/looks/*", r#"{"name":["a"]}"#),
];

/// What stands where a name does.
const NAMES: &[&str] = &[
    "..",
    "%2e%2e%2flibrary.sqlite",
    "%00",
    "%",
    "%ff%fe",
    "-1",
    "18446744073709551616",
    "0123456789abcdef0123456789abcdef",
    "'%20OR%201=1",
    "C:%5Cwindows",
    "a.png",
    "~",
    "%25%32%65",
];

/// What stands where a query does.
const QUERIES: &[&str] = &[
    "",
    "?",
    "?name",
    "?name=%",
    "?name=%00&name=a",
    "?layer=layer&x=nan&y=1",
    "?layer=layer&x=0.5",
    "?after=-1&max=none",
    "?max=99999999999&q=300&after=x",
    "?save=perhaps&after=&max=",
];

/// Heads that are none, with HOST for the studio's address.
const HEADS: &[&str] = &[
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n",
    "GET / HTTP/1.1\r\nHost HOST\r\n\r\n",
    "GET / HTTP/9.9\r\nHost: HOST\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "GET http://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "GET * HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "CONNECT HOST HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "GET /\0 HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: HOST\r\nX: a\0b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: HOST\r\n X: folded\r\n\r\n",
    "POST /api/session HTTP/1.1\r\nHost: HOST\r\nContent-Length: -1\r\n\r\n",
    "POST /api/session HTTP/1.1\r\nHost: HOST\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "POST /api/session HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "POST /api/session HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    "POST /api/session HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: gzip\r\n\r\n{}",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];

/// The same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % bound
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// A request, and whether it is whole: of one that is not, no answer is waited for.
struct Request {
    bytes: Vec<u8>,
    whole: bool,
}

/// Methods and patterns of all routes.
fn routes() -> Vec<(&'static str, &'static str)> {
    let table = include_str!("../../src/table.rs").split("const ROUTES").nth(1).unwrap();
    let lines = table.split("];").next().unwrap().lines();
    let route = |line: &'static str| {
        let (method, rest) = line.split_once("(Method::")?.1.split_once(',')?;
        Some((method, rest.split('"').nth(1)?))
    };
    lines.filter_map(route).collect()
}

/// A route whose names, query and body are odd.
fn odd(studio: &Running, random: &mut Random, routes: &[(&str, &str)]) -> Request {
    let (own, pattern) = random.of(routes);
    let is_of_key = !pattern.starts_with("/api/") && pattern.contains('*');
    let key = if random.below(4) == 0 { random.of(NAMES) } else { &studio.key };
    let mut first = is_of_key;
    let part = |part| match part {
        "*" if std::mem::take(&mut first) => key,
        "*" => random.of(NAMES),
        part => part,
    };
    let mut path = pattern.split('/').map(part).collect::<Vec<_>>().join("/");
    // Those that would have been right, and answered for ever.
    let endless = ["/events/*", "/frames/*"].contains(&pattern);
    path += if endless { random.of(&QUERIES[7..]) } else { random.of(QUERIES) };
    let known = BODIES.iter().find(|(path, _)| *path == pattern);
    let mut body = known.map_or("{}", |(_, body)| body).as_bytes().to_vec();
    for _ in 0..random.below(4) {
        let at = random.below(body.len());
        match random.below(3) {
            0 => body[at] ^= 1 << random.below(8),
            1 => body.truncate(at.max(1)),
            _ => body.insert(at, random.of(b"[]{}\",:\\\xff\x00")),
        }
    }
    // What needs no body to be right has no right to be done.
    let is_file = ["/api/pictures", "/api/videos", "/api/assets"].contains(&pattern);
    let harmless = own == "GET" || pattern.contains('*') || known.is_some() || is_file;
    let method = if random.below(8) == 0 { random.of(&["TRACE", "get", "X", "HEAD"]) } else { own };
    let token = match harmless && random.below(4) > 0 {
        true => &studio.token,
        false => random.of(&["", "0", "\u{e9}", &studio.key]),
    };
    let mut bytes = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        studio.address,
        body.len()
    )
    .into_bytes();
    bytes.extend(body);
    let whole = random.below(8) > 0;
    if !whole {
        bytes.truncate(random.below(bytes.len()));
    }
    Request { bytes, whole }
}

fn malformed(studio: &Running, random: &mut Random, routes: &[(&str, &str)]) -> Request {
    match random.below(8) {
        0 => {
            let head = random.of(HEADS).replace("HOST", &studio.address.to_string());
            Request { bytes: head.into_bytes(), whole: true }
        }
        1 => {
            let count = 1 + random.below(200);
            let bytes = (0..count).map(|_| random.below(256) as u8).chain(*b"\r\n\r\n").collect();
            Request { bytes, whole: false }
        }
        _ => odd(studio, random, routes),
    }
}

/// Sends a request; the status that it is answered with, if it is.
fn send(studio: &Running, request: &Request) -> Option<u16> {
    let mut stream = TcpStream::connect(studio.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // A server that has answered already may have closed.
    let _ = stream.write_all(&request.bytes);
    let mut start = [0; 12];
    if !request.whole || stream.read_exact(&mut start).is_err() {
        return None;
    }
    std::str::from_utf8(&start[9..]).ok()?.parse().ok()
}

/// Bytes of memory that this process has, where the system says.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) << 10
}

#[test]
fn ten_thousand_malformed_requests_break_nothing() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        usual(panic);
    }));
    let routes = routes();
    assert!(routes.len() > 50, "{routes:?}");
    let studio = Running::new();
    studio.put(b"picture");
    studio.edit(&json!([{ "set": { "path": "pause-render", "value": 50 } }]));
    let before = studio.until(|dream| dream["phase"] == "done")["desk"].clone();
    let recipe = studio.get("/api/recipe").text();
    let wanted = json!({ "wanted": { "kind": "picture", "extension": "png" } });
    let job = studio.post("/api/jobs", &wanted).json()["id"].clone();
    let mut answered = 0;
    let mut attack = |from: usize, count: usize| {
        let each = count / CLIENTS;
        answered += std::thread::scope(|scope| {
            let client = |client: usize| {
                let (studio, routes) = (&studio, &routes);
                move || {
                    let mut random = Random((from + client) as u64);
                    let one = |_: &usize| {
                        let request = malformed(studio, &mut random, routes);
                        let status = send(studio, &request);
                        let text = String::from_utf8_lossy(&request.bytes);
                        assert!(status.is_none_or(|status| status < 500), "{status:?}: {text}");
                        status.is_some()
                    };
                    (0..each).filter(one).count()
                }
            };
            let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(client(number))).collect();
            clients.into_iter().map(|client| client.join().unwrap()).sum::<usize>()
        });
    };
    attack(0, WARM);
    let warm = resident();
    attack(CLIENTS, REQUESTS - WARM);
    let kept = resident().saturating_sub(warm);
    // Most of them came to where they could have done something.
    assert!(answered > REQUESTS / 2, "{answered} answers");
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
    assert!(kept <= KEPT, "{kept} bytes more");
    let after = studio.state()["desk"].clone();
    for part in ["start", "recipe", "longest"] {
        assert_eq!(before[part], after[part], "{part}");
    }
    let begun = Instant::now();
    let done = loop {
        let jobs = studio.get("/api/jobs").json();
        let one = jobs["jobs"].as_array().unwrap().iter().find(|one| one["id"] == job).cloned();
        match one {
            Some(one) if one["state"] == "done" => break one,
            one => assert!(begun.elapsed() < Duration::from_secs(20), "{one:?}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let made = std::fs::read_to_string(studio.root.join(done["output"].as_str().unwrap())).unwrap();
    assert_eq!(made, format!("{recipe} after 0"));
    assert_eq!(studio.edit(&json!([{ "set": { "path": "a", "value": 1 } }])).status, 200);
    studio.until(|dream| dream["phase"] == "done");
    let saved = studio.get(&format!("/files/{}/save/dream.png", studio.key)).text();
    let recipe: Value = serde_json::from_str(saved.strip_prefix("png ").unwrap()).unwrap();
    assert_eq!(recipe["a"], 1);
}
