//! A workshop that dreams of nothing, at any speed, and a client that speaks HTTP as badly as it is told to.

// The example `load` needs a part of it.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use studio::{
    Change, Clip, Done, Dream, Failure, Fetched, Foreseen, Lane, Look, Options, Order, Picture,
    Render, Rendered, Sample, Source, Step, Studio, Wanted, Watch, Workshop,
};

/// Steps of each of its two octaves.
pub(crate) const STEPS: u32 = 20;

/// A workshop whose recipes are JSON, and whose dreams take a millisecond a step.
pub(crate) struct Fake;

/// The folder of what is kept, the same for all studios of a run.
pub(crate) fn kept() -> &'static Path {
    static KEPT: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
    KEPT.get_or_init(|| tempfile::tempdir().unwrap()).path()
}

struct Grey(String);

impl Picture for Grey {
    fn size(&self) -> (u32, u32) {
        (64, 48)
    }

    fn jpeg(&self, longest: u32, quality: u8) -> Vec<u8> {
        format!("jpeg {longest} {quality} {}", self.0).into_bytes()
    }
}

impl Dream for Grey {
    fn recipe(&self) -> &str {
        &self.0
    }

    fn file(&self, extension: &str) -> Result<Vec<u8>, Failure> {
        Ok(format!("{extension} {}", self.0).into_bytes())
    }

    fn pixels(&self) -> Vec<u8> {
        self.0.clone().into_bytes()
    }

    fn picture(self: Arc<Self>) -> Arc<dyn Picture> {
        self
    }
}

fn read(recipe: &str) -> Value {
    serde_json::from_str(recipe).unwrap()
}

impl Workshop for Fake {
    fn form(&self) -> Value {
        json!({ "settings": [], "looks": [], "version": "1" })
    }

    fn networks(&self) -> Result<Value, Failure> {
        Ok(json!([{ "name": "net", "ready": true }]))
    }

    fn fetch(&self, network: &str, watch: Fetched<'_>) -> Result<(), Failure> {
        if network == "nowhere" {
            return Err(Failure::new("network", "The server does not answer."));
        }
        for done in 0..200 {
            std::thread::sleep(Duration::from_millis(if network == "slow" { 20 } else { 1 }));
            if watch(done, Some(200)).is_break() {
                return Err(Failure::new(Failure::STOPPED, "It was cancelled."));
            }
        }
        Ok(())
    }

    fn layers(&self, network: &str) -> Result<Value, Failure> {
        match network {
            "net" => Ok(json!([{ "name": "layer" }])),
            _ => Err(Failure::new("network", "There is no such network.")),
        }
    }

    fn classes(&self, _: &str) -> Result<Value, Failure> {
        Ok(json!(["cup", "castle"]))
    }

    fn channels(
        &self,
        _: &str,
        _: &Source,
        layer: &str,
        at: Option<[f64; 2]>,
    ) -> Result<Value, Failure> {
        match layer {
            "layer" => Ok(json!([{ "channel": 3, "answer": at }])),
            _ => Err(Failure::new("network", "There is no such layer.")),
        }
    }

    fn keep(&self, file: &Path, hash: &str, extension: &str) -> Result<(), Failure> {
        std::fs::copy(file, kept().join(format!("{hash}.{extension}"))).unwrap();
        Ok(())
    }

    fn kept(&self, hash: &str) -> Option<PathBuf> {
        let file = kept().join(format!("{hash}.png"));
        (hash.len() == 64 && file.exists()).then_some(file)
    }

    fn remove_kept(&self, hash: &str) -> Result<(), Failure> {
        let removed = std::fs::remove_file(kept().join(format!("{hash}.png")));
        removed.map_err(|error| Failure::new("output", error))
    }

    fn usual_network(&self) -> String {
        "net".to_owned()
    }

    fn look(&self, file: &Path, name: &str) -> Result<Look, Failure> {
        match std::fs::read(file).unwrap().starts_with(b"picture") {
            true => {
                let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
                let recipe = text.split_once(" by ").map(|(_, recipe)| recipe.to_owned());
                Ok(Look { width: 64, height: 48, extension: "png".into(), recipe })
            }
            false => Err(Failure::new("picture", format!("{name}: this is not a picture."))),
        }
    }

    fn begin(&self, network: &str, noise: Option<(u32, u32)>) -> Result<String, Failure> {
        Ok(json!({ "network": network, "noise": noise.is_some() }).to_string())
    }

    fn edit(&self, recipe: &str, changes: &[Change]) -> Result<String, Failure> {
        let mut recipe = read(recipe);
        for change in changes {
            match change {
                Change::Set { path, .. } if path == "wrong" => {
                    let failure = Failure::new("recipe", "There is no setting `wrong`.");
                    return Err(Failure { knob: Some("wrong".into()), ..failure });
                }
                Change::Set { path, .. } if path == "panic" => panic!("as it was told to"),
                Change::Set { path, value } => recipe[path] = value.clone(),
                Change::Reset { path } => recipe[path] = Value::Null,
                Change::Look { name } => recipe["look"] = name.as_str().into(),
                Change::Network { name } => recipe["network"] = name.as_str().into(),
                Change::Guide { id, name } => recipe["guides"][name] = id.as_str().into(),
                Change::Unguide { name } => recipe["guides"][name] = Value::Null,
                Change::Mask { id } => recipe["mask"] = json!(id),
            }
        }
        Ok(recipe.to_string())
    }

    fn import(&self, text: &str, _: &str) -> Result<String, Failure> {
        match serde_json::from_str::<Value>(text) {
            Ok(recipe) => Ok(recipe.to_string()),
            Err(_) => Err(Failure::new("recipe", "This is no recipe.")),
        }
    }

    fn differences(&self, text: &str, now: &str) -> Result<Value, Failure> {
        let (then, now) = (read(&self.import(text, now)?), read(now));
        let then = then.as_object().unwrap();
        let other = then.iter().filter(|(name, value)| now[name.as_str()] != **value);
        Ok(other.map(|(name, value)| json!([name, now[name.as_str()], value])).collect())
    }

    fn view(&self, recipe: &str) -> Value {
        read(recipe)
    }

    fn varied(&self, recipe: &str, by: u64) -> Result<String, Failure> {
        let mut recipe = read(recipe);
        recipe["seed"] = (recipe["seed"].as_u64().unwrap_or(0) + by).into();
        Ok(recipe.to_string())
    }

    fn as_look(&self, recipe: &str) -> Result<String, Failure> {
        let mut recipe = read(recipe);
        recipe["seed"] = 0.into();
        Ok(recipe.to_string())
    }

    fn with_look(&self, recipe: &str, look: &str, layers: bool) -> Result<String, Failure> {
        let mut look = read(look);
        look["seed"] = read(recipe)["seed"].clone();
        if !layers {
            look["layers"] = read(recipe)["layers"].clone();
        }
        Ok(look.to_string())
    }

    fn command(&self, recipe: &str, photo: &str, longest: Option<u32>) -> Result<String, Failure> {
        Ok(format!("dream {photo} {longest:?} {recipe}"))
    }

    fn sample(&self, recipe: &str, of: &Sample) -> Result<String, Failure> {
        let mut recipe = read(recipe);
        recipe["sample"] = format!("{of:?}").into();
        Ok(recipe.to_string())
    }

    fn dream(&self, order: &Order, watch: &mut dyn Watch) -> Result<Arc<dyn Dream>, Failure> {
        let recipe = read(&order.recipe);
        if recipe["refuse"] == true {
            return Err(Failure::new("memory", "This dream takes more memory than is free."));
        }
        assert!(recipe["break"] != true, "as it was told to");
        let pause = Duration::from_millis(recipe["pause"].as_u64().unwrap_or(1));
        watch.laid_out(&[0.25, 1.0]);
        for step in 1..=2 * STEPS {
            std::thread::sleep(pause);
            let (octave, total) = ((step - 1) / STEPS + 1, u64::from(2 * STEPS));
            let at = Step {
                octave,
                octaves: 2,
                step: step - (octave - 1) * STEPS,
                steps: STEPS,
                done: u64::from(step),
                total,
                width: 32 * octave,
                height: 24 * octave,
            };
            let name = format!("{} {step}", order.recipe);
            if let ControlFlow::Break(()) = watch.step(at, &|| Arc::new(Grey(name.clone()))) {
                return Err(Failure::new(Failure::STOPPED, "The dream was stopped."));
            }
        }
        match recipe["again"].as_str().filter(|_| order.lane == Lane::Again) {
            Some("fail") => Err(Failure::new("memory", "It does not fit.")),
            Some(other) => Ok(Arc::new(Grey(other.to_owned()))),
            None => Ok(Arc::new(Grey(order.recipe.clone()))),
        }
    }

    fn look_at_video(&self, file: &Path, name: &str) -> Result<Clip, Failure> {
        match std::fs::read(file).unwrap().starts_with(b"video") {
            true => {
                let (seconds, rate, extension) = (2.0, 10.0, "mp4".to_owned());
                Ok(Clip { width: 64, height: 48, seconds, rate, extension })
            }
            false => Err(Failure::new("picture", format!("{name}: this is not a video."))),
        }
    }

    fn poster(&self, _: &Path, longest: u32) -> Result<Vec<u8>, Failure> {
        Ok(format!("poster {longest}").into_bytes())
    }

    fn foresee(&self, render: &Render) -> Result<Foreseen, Failure> {
        let recipe = read(&render.recipe);
        if recipe["refuse"] == true {
            return Err(Failure::new("memory", "This dream takes more memory than is free."));
        }
        let (width, height) = (64, 48);
        let work = u64::from(width * height * STEPS * 2);
        let recipe = render.recipe.clone();
        Ok(Foreseen {
            width,
            height,
            octaves: 2,
            work,
            memory: 1,
            free: 2,
            recipe,
            ..Foreseen::default()
        })
    }

    /// Writes the recipe and, of a movie, a line for each frame into its folder, from where that ends.
    fn render(&self, render: &Render, watch: Rendered<'_>) -> Result<Vec<u8>, Failure> {
        let recipe = read(&render.recipe);
        assert!(recipe["break-render"] != true, "as it was told to");
        if recipe["full"] == true {
            return Err(Failure::new("disk", "The disk is full."));
        }
        if recipe["fail"] == true {
            return Err(Failure::new("memory", "It does not fit."));
        }
        let pause = Duration::from_millis(recipe["pause-render"].as_u64().unwrap_or(1));
        let folder = render.output.with_extension("");
        let frames = matches!(render.wanted, Wanted::Zoom { .. } | Wanted::Video { .. });
        if frames {
            std::fs::create_dir_all(&folder).unwrap();
        }
        let made = if frames { std::fs::read_dir(&folder).unwrap().count() as u32 } else { 0 };
        for step in made..STEPS {
            std::thread::sleep(pause);
            if frames {
                std::fs::write(folder.join(step.to_string()), "frame").unwrap();
            }
            let share = f64::from(step + 1) / f64::from(STEPS);
            if watch(Done { share, ..Done::default() }).is_break() {
                return Err(Failure::new(Failure::STOPPED, "It was stopped."));
            }
        }
        let part = render.output.with_extension("part");
        std::fs::write(&part, format!("{} after {made}", render.recipe)).unwrap();
        std::fs::rename(part, &render.output).unwrap();
        Ok(b"small".to_vec())
    }

    fn photo(&self, file: &Path, longest: u32) -> Result<Vec<u8>, Failure> {
        Ok(format!("photo {longest} {}", std::fs::read(file).unwrap().len()).into_bytes())
    }
}

/// A studio that runs in a thread until it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    pub(crate) key: String,
    pub(crate) folder: tempfile::TempDir,
    /// The studio's own folder.
    pub(crate) root: PathBuf,
    code: Option<String>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Running {
    /// Starts one, and comes in by its code.
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path().join("studio"));
        options.address.set_port(0);
        change(&mut options);
        let root = options.folder.clone();
        let studio = Studio::open(Arc::new(Fake), options).unwrap();
        let address = studio.address();
        let code = studio.link().unwrap().split_once("#code=").unwrap().1.to_owned();
        let over = Arc::new(AtomicBool::new(false));
        let is_over = over.clone();
        let thread = Some(std::thread::spawn(move || {
            studio.run(|| is_over.load(Ordering::Relaxed)).unwrap();
        }));
        let (token, key) = (String::new(), String::new());
        let code = Some(code);
        let mut running = Self { address, token, key, folder, root, code, over, thread };
        let code = running.code.clone().unwrap();
        let answer = running.post("/api/session", &json!({ "code": code }));
        assert_eq!(answer.status, 200, "{answer:?}");
        let opened = answer.json();
        running.token = opened["token"].as_str().unwrap().to_owned();
        running.key = opened["key"].as_str().unwrap().to_owned();
        running
    }

    /// The code that opened it.
    pub(crate) fn used_code(&self) -> String {
        self.code.clone().unwrap()
    }

    /// Sends bytes and reads the answer to its end.
    pub(crate) fn raw(&self, request: &[u8]) -> Option<Answer> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // A server that has answered already may have closed.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        parsed(&bytes)
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !more.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in more {
            head += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() || method != "GET" {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        self.raw(&[head.as_bytes(), b"\r\n", body].concat())
    }

    /// Sends a request with the token.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        self.send(method, path, &[("Authorization", &bearer)], body).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, body.to_string().as_bytes())
    }

    pub(crate) fn state(&self) -> Value {
        self.get("/api/state").json()
    }

    /// Puts a picture on the desk.
    pub(crate) fn put(&self, bytes: &[u8]) -> Value {
        let answer = self.ask("POST", "/api/pictures?name=sky.png", bytes);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["start"].clone()
    }

    /// Changes the recipe at the desk's present count.
    pub(crate) fn edit(&self, changes: &Value) -> Answer {
        let rev = self.state()["desk"]["rev"].clone();
        let body = json!({ "rev": rev, "changes": changes });
        self.ask("PATCH", "/api/dream", body.to_string().as_bytes())
    }

    /// Waits until the dream is as `is_so` says.
    pub(crate) fn until(&self, is_so: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let state = self.state();
            if is_so(&state["dream"]) {
                return state;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{state}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The photos, whole or on their way.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let within = |folder| std::fs::read_dir(self.root.join(folder)).unwrap().flatten();
        let folders = within("incoming").chain(within("originals"));
        let files = folders.flat_map(|run| std::fs::read_dir(run.path()).unwrap().flatten());
        files.map(|file| file.path()).collect()
    }
}

fn parsed(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let mut body = bytes[end + 4..].to_vec();
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        body = unchunked(&body);
    }
    Some(Answer { status, head, body })
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end]).unwrap_or("0");
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        let rest = &bytes[end + 2..];
        if size == 0 || rest.len() < size {
            break;
        }
        body.extend(&rest[..size]);
        bytes = rest.get(size + 2..).unwrap_or_default();
    }
    body
}
