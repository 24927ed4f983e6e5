//! Who is let in, and what those outside can do: nothing.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::fake::Running;
use serde_json::json;

/// Every route that wants the token, with a query where it reads one first.
const TOKEN: &[(&str, &str)] = &[
    ("POST", "/api/codes"),
    ("GET", "/api/state"),
    ("GET", "/api/form"),
    ("GET", "/api/networks"),
    ("POST", "/api/networks/*"),
    ("DELETE", "/api/networks/*"),
    ("GET", "/api/layers?name=net"),
    ("GET", "/api/nodes"),
    ("POST", "/api/nodes/*/show"),
    ("POST", "/api/nodes/*/check"),
    ("PATCH", "/api/nodes/*"),
    ("POST", "/api/offers/*/original"),
    ("POST", "/api/variations"),
    ("DELETE", "/api/variations"),
    ("POST", "/api/variations/*/take"),
    ("GET", "/api/looks"),
    ("POST", "/api/looks"),
    ("POST", "/api/looks/*/use"),
    ("PATCH", "/api/looks/*"),
    ("DELETE", "/api/looks/*"),
    ("GET", "/api/command"),
    ("GET", "/api/classes?name=net"),
    ("GET", "/api/channels?layer=layer"),
    ("POST", "/api/assets?name=a.png"),
    ("POST", "/api/pictures?name=a.png"),
    ("GET", "/api/pictures"),
    ("PATCH", "/api/pictures/*"),
    ("POST", "/api/pictures/*/open"),
    ("DELETE", "/api/trash"),
    ("GET", "/api/cache"),
    ("DELETE", "/api/cache"),
    ("POST", "/api/videos?name=a.mp4"),
    ("POST", "/api/plan"),
    ("GET", "/api/jobs"),
    ("POST", "/api/jobs"),
    ("PATCH", "/api/jobs/*"),
    ("DELETE", "/api/jobs/*"),
    ("PATCH", "/api/queue"),
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
];

/// A path of every route that wants the key.
const KEY: &[&str] = &[
    "/events/KEY",
    "/frames/KEY",
    "/files/KEY/small/a",
    "/files/KEY/photo/a",
    "/files/KEY/thumb/a",
    "/files/KEY/asset/a.png",
    "/files/KEY/made/a",
    "/files/KEY/small-made/a",
    "/files/KEY/card/a.jpg",
    "/files/KEY/again/a.jpg",
    "/files/KEY/variation/0",
    "/files/KEY/save/dream.png",
];

#[test]
fn every_route_that_is_not_open_wants_its_secret() {
    let studio = Running::new();
    studio.put(b"picture");
    let before = studio.state();
    for (method, path) in TOKEN {
        for wrong in ["", "Bearer ", "Bearer 0", "Basic dXNlcg=="] {
            let answer = studio.send(method, path, &[("Authorization", wrong)], b"{}").unwrap();
            assert_eq!(answer.status, 401, "{method} {path} with {wrong:?}");
        }
        // The key opens pictures, not this.
        let bearer = format!("Bearer {}", studio.key);
        let answer = studio.send(method, path, &[("Authorization", &bearer)], b"{}").unwrap();
        assert_eq!(answer.status, 401, "{method} {path} with the key");
    }
    for path in KEY {
        for key in ["0", "%", &studio.token] {
            let answer = studio.get(&path.replace("KEY", key));
            assert_eq!(answer.status, 401, "{path} with {key}");
        }
        let path = path.replace("KEY", &studio.key);
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert_eq!(studio.ask(method, &path, b"").status, 405, "{method} {path}");
        }
    }
    let (mut before, mut after) = (before, studio.state());
    // The dream becomes a card by itself, whoever asks for what.
    for state in [&mut before, &mut after] {
        state["desk"]["node"].take();
    }
    assert_eq!(before["desk"], after["desk"]);
}

#[test]
fn the_table_of_routes_is_the_one_that_is_tested() {
    let source = include_str!("../../src/table.rs");
    let routes = source.split("const ROUTES").nth(1).unwrap().split("];").next().unwrap();
    // `(Method::GET, "/api/state", Access::Token, …`
    let of = |access: &str| -> BTreeSet<(&str, &str)> {
        let lines = routes.lines().filter(|line| line.contains(&format!("Access::{access},")));
        let route = |line: &'static str| {
            let (method, path) = line.split_once("Method::").unwrap().1.split_once(',').unwrap();
            (method, path.split('"').nth(1).unwrap())
        };
        lines.map(route).collect()
    };
    let without_query = |path: &'static str| path.split('?').next().unwrap();
    let tested = TOKEN.iter().map(|(method, path)| (*method, without_query(path)));
    assert_eq!(of("Token"), tested.collect());
    // What stands for a star is some name.
    let pattern = |path: &str| match path.split('/').collect::<Vec<_>>()[..] {
        ["", "files", "KEY", what, _] => format!("/files/*/{what}/*"),
        _ => path.replace("KEY", "*"),
    };
    let tested: Vec<String> = KEY.iter().map(|path| pattern(path)).collect();
    assert_eq!(of("Key"), tested.iter().map(|path| ("GET", path.as_str())).collect());
    let open = ["/", "/app.js", "/app.css", "/coffee.jpg", "/icon.svg"].map(|path| ("GET", path));
    assert_eq!(of("Open"), open.into_iter().chain([("POST", "/api/session")]).collect());
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
        "/files/KEY/card/..%2flibrary.sqlite",
        "/files/KEY/again/%27%20OR%201=1",
        "/files/KEY/variation/-1",
        "/files/KEY/variation/99999999999999999999",
        "/files/KEY/asset/..",
        "/files/KEY/asset/..%2f..%2fstudio.json",
        "/files/KEY/asset/passwd.png",
        "/files/KEY/photo/..%2f..%2fetc%2fpasswd",
        "/files/KEY/thumb/..%2flibrary.sqlite",
        "/files/KEY/made/..%2flibrary.sqlite",
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
fn what_comes_in_is_shown_as_a_picture_and_nothing_else() {
    let studio = Running::new();
    let page = b"picture <!doctype html><script>alert(1)</script>";
    let id = studio.ask("POST", "/api/assets?name=guide.html", page).json()["id"].clone();
    let id = id.as_str().unwrap();
    studio.ask("POST", "/api/pictures?name=photo.svg", page);
    for path in [format!("asset/{id}.png"), format!("photo/{id}.jpg"), format!("thumb/{id}.jpg")] {
        let shown = studio.get(&format!("/files/{}/{path}", studio.key));
        assert_eq!(shown.status, 200, "{path}");
        assert!(shown.header("content-type").unwrap().starts_with("image/"), "{path}");
        assert_eq!(shown.header("x-content-type-options"), Some("nosniff"), "{path}");
        let policy = shown.header("content-security-policy").unwrap();
        assert_eq!(policy, "sandbox; default-src 'none'", "{path}");
    }
    for path in [format!("asset/{id}.html"), format!("asset/{id}.svg"), format!("asset/{id}")] {
        let path = format!("/files/{}/{path}", studio.key);
        assert_eq!(studio.get(&path).status, 404, "{path}");
    }
}

#[cfg(unix)]
#[test]
fn links_that_somebody_has_planted_lead_nowhere() {
    let studio = Running::new();
    studio.put(b"picture");
    studio.until(|dream| dream["phase"] == "done");
    let wanted = json!({ "wanted": { "kind": "picture", "extension": "png" } });
    let job = studio.post("/api/jobs", &wanted).json()["id"].as_str().unwrap().to_owned();
    let begun = Instant::now();
    let made = format!("/files/{}/made/{job}", studio.key);
    while studio.get(&made).status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(10));
    }
    let secret = studio.folder.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    let output = studio.get("/api/jobs").json()["jobs"][0]["output"].clone();
    let output = studio.root.join(output.as_str().unwrap());
    std::fs::remove_file(&output).unwrap();
    std::os::unix::fs::symlink(&secret, &output).unwrap();
    assert_eq!(studio.get(&made).status, 404);
    let name = "0123456789abcdef0123456789abcdef";
    let small = studio.root.join("cache").join(format!("{name}.jpg"));
    std::os::unix::fs::symlink(&secret, &small).unwrap();
    let small = format!("/files/{}/small/{name}.jpg", studio.key);
    assert_eq!(studio.get(&small).status, 404);
}

#[test]
fn what_comes_in_is_bounded() {
    let studio = Running::new();
    let wrong = studio.ask("POST", "/api/pictures?name=holiday.heic", b"no such thing");
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("holiday.heic: this is not a picture"));
    let wrong = studio.ask("POST", "/api/assets?name=guide.svg", b"<svg onload='alert(1)'/>");
    assert_eq!(wrong.status, 422);
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
    // More than there are places for: whoever asks for something comes before them.
    let mut slow = Vec::new();
    for _ in 0..500 {
        let mut stream = TcpStream::connect(studio.address).unwrap();
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: ");
        slow.push(stream);
    }
    for _ in 0..10 {
        let begun = Instant::now();
        assert_eq!(studio.get("/api/state").status, 200);
        // A head may take ten seconds.
        assert!(begun.elapsed() < Duration::from_secs(9));
    }
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
