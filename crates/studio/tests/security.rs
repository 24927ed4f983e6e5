//! Who is let in, and what those outside can do: nothing.

mod fake;

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use fake::Running;
use serde_json::json;

#[test]
fn every_route_that_is_not_open_wants_its_secret() {
    let studio = Running::new();
    studio.put(b"picture");
    let before = studio.state();
    for (method, path) in [
        ("POST", "/api/codes"),
        ("GET", "/api/state"),
        ("GET", "/api/form"),
        ("GET", "/api/networks"),
        ("POST", "/api/networks/*"),
        ("DELETE", "/api/networks/*"),
        ("GET", "/api/layers?name=net"),
        ("POST", "/api/pictures?name=a.png"),
        ("POST", "/api/noise"),
        ("POST", "/api/recipes"),
        ("POST", "/api/offers/*/recipe"),
        ("POST", "/api/offers/*/picture"),
        ("POST", "/api/dream/size"),
        ("POST", "/api/dream/on"),
        ("PATCH", "/api/dream"),
        ("POST", "/api/dream/resume"),
        ("POST", "/api/dream/pause"),
        ("POST", "/api/dream/stop"),
        ("POST", "/api/dream/undo"),
        ("POST", "/api/dream/redo"),
        ("GET", "/api/recipe"),
        ("PUT", "/api/gallery"),
        ("POST", "/api/quit"),
    ] {
        for wrong in ["", "Bearer ", "Bearer 0", "Basic dXNlcg=="] {
            let answer = studio.send(method, path, &[("Authorization", wrong)], b"{}").unwrap();
            assert_eq!(answer.status, 401, "{method} {path} with {wrong:?}");
        }
        // The key opens pictures, not this.
        let bearer = format!("Bearer {}", studio.key);
        let answer = studio.send(method, path, &[("Authorization", &bearer)], b"{}").unwrap();
        assert_eq!(answer.status, 401, "{method} {path} with the key");
    }
    for path in [
        "/events/KEY",
        "/frames/KEY",
        "/files/KEY/small/a",
        "/files/KEY/photo/a",
        "/files/KEY/save/dream.png",
    ] {
        for key in ["0", "%", &studio.token] {
            let answer = studio.get(&path.replace("KEY", key));
            assert_eq!(answer.status, 401, "{path} with {key}");
        }
        let path = path.replace("KEY", &studio.key);
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert_eq!(studio.ask(method, &path, b"").status, 405, "{method} {path}");
        }
    }
    let after = studio.state();
    assert_eq!(before["desk"], after["desk"]);
}

#[test]
fn the_table_of_routes_is_the_one_that_is_tested() {
    let source = include_str!("../src/routes.rs");
    let tested = include_str!("security.rs");
    let routes = source.split("const ROUTES").nth(1).unwrap().split("];").next().unwrap();
    let of = |access: &str| -> Vec<&str> {
        let lines = routes.lines().filter(|line| line.contains(access));
        lines.map(|line| line.split('"').nth(1).unwrap()).collect()
    };
    let tokens = of("Access::Token");
    assert!(tokens.len() > 10);
    for path in tokens {
        assert!(tested.contains(&format!("\"{path}")), "{path} is not in the test");
    }
    assert_eq!(of("Access::Key").len(), 5);
    assert_eq!(
        of("Access::Open"),
        ["/", "/app.js", "/app.css", "/coffee.jpg", "/icon.svg", "/api/session"]
    );
}

#[test]
fn a_code_opens_one_window() {
    let studio = Running::new();
    let again = studio.post("/api/session", &json!({ "code": studio.used_code() }));
    assert_eq!(again.status, 401);
    assert!(again.json()["detail"].as_str().unwrap().contains("already"));
    let by_token = studio.post("/api/session", &json!({ "token": studio.token }));
    assert_eq!(by_token.json()["key"], studio.key);
    let code = studio.post("/api/codes", &json!({})).json()["code"].clone();
    assert_eq!(studio.post("/api/session", &json!({ "code": code })).status, 200);
    for _ in 0..10 {
        let guess = studio.post("/api/session", &json!({ "token": "guess" }));
        assert_eq!(guess.status, 401);
    }
    assert_eq!(studio.post("/api/session", &json!({ "token": "guess" })).status, 429);
}

#[test]
fn other_pages_and_names_are_refused() {
    let studio = Running::new();
    let bearer = format!("Bearer {}", studio.token);
    let own = format!("http://{}", studio.address);
    let host = studio.address.to_string();
    let ask = |more: &[(&str, &str)]| {
        let all = [&[("Authorization", bearer.as_str())], more].concat();
        studio.send("GET", "/api/state", &all, b"").unwrap().status
    };
    assert_eq!(ask(&[]), 200);
    assert_eq!(ask(&[("Origin", &own)]), 200);
    assert_eq!(ask(&[("Host", "localhost:1"), ("Origin", "http://localhost:1")]), 200);
    for origin in ["null", "http://evil.example", "http://127.0.0.1:1"] {
        assert_eq!(ask(&[("Origin", origin)]), 403, "{origin}");
    }
    for name in ["evil.example", "127.0.0.1.evil.example", "0.0.0.0", "192.168.0.1"] {
        assert_eq!(ask(&[("Host", name)]), 403, "{name}");
        assert_eq!(ask(&[("Host", name), ("X-Forwarded-Host", &host)]), 403, "{name}");
    }
    assert_eq!(ask(&[("Sec-Fetch-Site", "cross-site")]), 403);
    let answer = studio.get("/api/state");
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let options = studio.ask("OPTIONS", "/api/state", b"");
    assert_eq!((options.status, options.header("access-control-allow-methods")), (405, None));
    let named = Running::with(|options| options.hosts.push("dreams.example".into()));
    let status = |host| named.send("GET", "/", &[("Host", host)], b"").unwrap().status;
    assert_eq!([status("dreams.example"), status("other.example")], [200, 403]);
}

#[test]
fn answers_can_do_nothing_elsewhere() {
    let studio = Running::new();
    let page = studio.send("GET", "/", &[], b"").unwrap();
    let policy = page.header("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "trusted-types 'none'",
    ] {
        assert!(policy.contains(part), "{part}");
    }
    assert!(!policy.contains("unsafe"));
    studio.put(b"picture");
    studio.until(|dream| dream["phase"] == "done");
    let paths =
        ["/".to_owned(), "/api/state".into(), format!("/files/{}/save/dream.png", studio.key)];
    for path in paths {
        let answer = studio.get(&path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        assert!(answer.header("content-security-policy").is_some());
        assert!(!answer.head.contains(&studio.token));
    }
    let saved = studio.get(&format!("/files/{}/save/dream.png", studio.key));
    assert!(saved.header("content-disposition").unwrap().starts_with("attachment; filename=\"sky"));
}

#[test]
fn no_path_comes_from_a_request() {
    let studio = Running::new();
    for path in [
        "/../Cargo.toml",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/files/KEY/small/..",
        "/files/KEY/small/..%2fstudio.json",
        "/files/KEY/small/..\\studio.json",
        "/files/KEY/small/%00",
        "/files/KEY/photo/..%2f..%2fetc%2fpasswd",
        "/files/KEY/save/dream.svg",
        "/files/KEY/save/dream.html",
        "/files/KEY/originals/a",
        "/app.js/",
        "/index.html",
    ] {
        let answer = studio.get(&path.replace("KEY", &studio.key));
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
    }
}

#[test]
fn what_comes_in_is_bounded() {
    let studio = Running::new();
    let wrong = studio.ask("POST", "/api/pictures?name=holiday.heic", b"no such thing");
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("holiday.heic: this is not a picture"));
    assert!(studio.files().is_empty());
    // What is announced is not what comes.
    let head = format!(
        "POST /api/pictures?name=a HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Length: 100\r\n\r\npicture",
        studio.address, studio.token
    );
    TcpStream::connect(studio.address).unwrap().write_all(head.as_bytes()).unwrap();
    let json = |body: &[u8]| studio.ask("POST", "/api/noise", body).status;
    assert_eq!(json(&[b' '; 300 << 10]), 400);
    assert_eq!(json("[".repeat(100_000).as_bytes()), 400);
    assert_eq!(json(b"{\"width\": 1e9, \"height\": 10}"), 400);
    assert_eq!(json(b"{\"width\": 100000, \"height\": 100}"), 422);
    assert_eq!(json(b"\xff\xfe"), 400);
    let long = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nX: {}\r\n\r\n",
        studio.address,
        "x".repeat(40 << 10)
    );
    assert!(studio.raw(long.as_bytes()).is_none_or(|answer| answer.status == 431));
    let many: String = (0..100).map(|field| format!("X-{field}: 1\r\n")).collect();
    let many = format!("GET / HTTP/1.1\r\nHost: {}\r\n{many}\r\n", studio.address);
    assert!(studio.raw(many.as_bytes()).is_none_or(|answer| answer.status == 431));
    assert_eq!(studio.state()["desk"]["start"], json!(null));
}

#[test]
fn those_who_send_nothing_keep_nobody_out() {
    let studio = Running::new();
    // Fewer than there are places for: the page beside them is answered.
    let mut slow: Vec<TcpStream> =
        (0..100).map(|_| TcpStream::connect(studio.address).unwrap()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
    }
    let begun = Instant::now();
    assert_eq!(studio.get("/api/state").status, 200);
    assert!(begun.elapsed() < Duration::from_secs(9));
}

#[test]
fn malformed_requests_break_nothing() {
    let studio = Running::new();
    studio.put(b"picture");
    let bearer = format!("Bearer {}", studio.token);
    // A small generator of our own: the same requests in every run.
    let mut state = 4711u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    let paths = [
        "/api/dream",
        "/api/noise",
        "/api/gallery",
        "/api/session",
        "/api/pictures?name=a",
        "/api/state",
        "/frames/x",
        "/",
    ];
    let methods = ["GET", "POST", "PATCH", "PUT", "DELETE", "TRACE", "X"];
    let bodies: [&[u8]; 6] = [
        b"",
        b"{",
        b"{\"rev\":1,\"changes\":[{\"set\":{\"path\":\"a\",\"value\":null}}]}",
        b"[[[[",
        b"\xff\x00",
        b"{\"rev\":18446744073709551616}",
    ];
    for _ in 0..300 {
        let (method, path) = (methods[next(methods.len())], paths[next(paths.len())]);
        let mut body = bodies[next(bodies.len())].to_vec();
        if !body.is_empty() {
            let at = next(body.len());
            body[at] ^= 1 << next(8);
        }
        let answer = studio.send(method, path, &[("Authorization", &bearer)], &body);
        assert!(answer.is_none_or(|answer| answer.status < 500), "{method} {path} {body:?}");
    }
    assert_eq!(studio.get("/api/state").status, 200);
}

#[test]
fn a_panic_says_nothing_and_poisons_nothing() {
    let studio = Running::new();
    studio.put(b"picture");
    let answer = studio.edit(&json!([{ "set": { "path": "panic", "value": 1 } }]));
    assert_eq!(answer.status, 500);
    assert!(!answer.text().contains("as it was told"));
    assert_eq!(studio.edit(&json!([{ "set": { "path": "a", "value": 1 } }])).status, 200);
    assert_eq!(studio.edit(&json!([{ "set": { "path": "break", "value": true } }])).status, 200);
    let state = studio.until(|dream| dream["phase"] == "refused");
    assert_eq!(state["dream"]["failure"]["fault"], "internal");
    assert_eq!(studio.ask("POST", "/api/dream/undo", b"").status, 204);
    studio.until(|dream| dream["phase"] == "done");
}
