//! The studio's renders with the real program: the same bytes as from the command line, and nothing lost however
//! the program ends.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use crate::room::Room;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A studio that runs.
struct Studio {
    child: Child,
    address: String,
    /// Its own folder.
    folder: PathBuf,
}

impl Drop for Studio {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Studio {
    /// Starts one that keeps its files in a folder.
    fn start(room: &Room, home: &Path) -> Self {
        let token = room.write("token", TOKEN);
        std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_deepdream"))
            .args(["studio", "--no-browser", "--port", "0", "--token-file"])
            .arg(&token)
            .env("DEEPDREAM_HOME", home)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = said.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, address) = line.split_once("the studio is at http://")?;
            Some(address.trim_end_matches('/').to_owned())
        });
        // What it says after that has somewhere to go.
        std::thread::spawn(move || said.for_each(drop));
        Self { child, address: address.unwrap(), folder: home.join("studio") }
    }

    fn ask(&self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (host, length) = (&self.address, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n\
             Connection: close\r\nContent-Length: {length}\r\n\r\n"
        )
        .unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
        (status, answer[end + 4..].to_vec())
    }

    fn json(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, body.to_string().as_bytes());
        let text = String::from_utf8_lossy(&answer);
        assert!(status < 300, "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn get(&self, path: &str) -> Value {
        self.json("GET", path, &Value::Null)
    }

    /// Puts a photo on the desk and sets its recipe's steps.
    fn put(&self, photo: &Path, steps: u32) {
        let bytes = std::fs::read(photo).unwrap();
        let (status, _) = self.ask("POST", "/api/pictures?name=photo.png", &bytes);
        assert_eq!(status, 200);
        self.edit(&[("ascent.iterations", steps.into()), ("seed", 7.into())]);
    }

    /// Sets some of the recipe's settings.
    fn edit(&self, settings: &[(&str, Value)]) {
        let rev = self.get("/api/state")["desk"]["rev"].clone();
        let set =
            |(path, value): &(&str, Value)| json!({ "set": { "path": path, "value": value } });
        let changes: Vec<Value> = settings.iter().map(set).collect();
        self.json("PATCH", "/api/dream", &json!({ "rev": rev, "changes": changes }));
    }

    /// The dream on the desk as a PNG, once it is whole.
    fn saved(&self) -> Vec<u8> {
        let begun = Instant::now();
        while self.get("/api/state")["dream"]["phase"] != "done" {
            assert!(begun.elapsed() < Duration::from_secs(120));
            std::thread::sleep(Duration::from_millis(20));
        }
        let opened = self.json("POST", "/api/session", &json!({ "token": TOKEN }));
        let key = opened["key"].as_str().unwrap();
        let (status, bytes) = self.ask("GET", &format!("/files/{key}/save/dream.png"), b"");
        assert_eq!(status, 200);
        bytes
    }

    fn add(&self, wanted: &Value) -> String {
        let job = self.json("POST", "/api/jobs", &json!({ "wanted": wanted }));
        job["id"].as_str().unwrap().to_owned()
    }

    fn jobs(&self) -> Vec<Value> {
        self.get("/api/jobs")["jobs"].as_array().unwrap().clone()
    }

    /// Waits until all jobs are done; returns what each made, by the order in which they were added.
    fn made(&self) -> Vec<Vec<u8>> {
        let mut jobs = self.until(|jobs| jobs.iter().all(|job| job["state"] == "done"));
        jobs.sort_by_key(|job| job["number"].as_i64());
        let file = |job: &Value| self.folder.join(job["output"].as_str().unwrap());
        jobs.iter().map(|job| std::fs::read(file(job)).unwrap()).collect()
    }

    fn until(&self, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let jobs = self.jobs();
            if is_so(&jobs) {
                return jobs;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "{jobs:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn picture() -> Value {
    json!({ "kind": "picture", "extension": "png" })
}

fn zoom() -> Value {
    json!({ "kind": "zoom", "seconds": 0.5, "fps": 12, "longest": 64 })
}

fn photo(room: &Room) -> PathBuf {
    let photo = RgbImage::from_fn(96, 64, |x, y| {
        Rgb([(x * 2) as u8, (y * 3) as u8, ((x * 7 + y * 3) % 256) as u8])
    });
    photo.save(room.path("photo.png")).unwrap();
    room.path("photo.png")
}

#[test]
fn a_render_has_the_bytes_that_the_command_line_makes() {
    let room = Room::new();
    let photo = photo(&room);
    let studio = Studio::start(&room, &room.path("home"));
    studio.put(&photo, 3);
    studio.add(&picture());
    let deep = json!({ "kind": "picture", "extension": "tiff", "longest": 80, "sixteen": true });
    studio.add(&deep);
    studio.add(&zoom());
    let made = studio.made();
    room.write("render.png", &made[0]);
    let again = |args: &[&str]| {
        room.deepdream().args(args).args(["--quiet"]).assert().success();
    };
    again(&["image", "photo.png", "--recipe", "render.png", "-o", "again.png"]);
    assert!(made[0] == room.bytes("again.png"), "another picture");
    room.write("deep.tiff", &made[1]);
    let sixteen = "--sixteen-bits";
    again(&["image", "photo.png", "--recipe", "deep.tiff", "-o", "deeper.tiff", sixteen]);
    assert!(made[1] == room.bytes("deeper.tiff"), "another picture of 16 bits");
    room.write("fall.mp4", &made[2]);
    again(&["zoom", "photo.png", "--recipe", "fall.mp4", "--seconds", "0.5", "-o", "again.mp4"]);
    assert!(made[2] == room.bytes("again.mp4"), "another movie");
}

#[test]
fn noise_larger_than_the_stage_is_the_noise_of_its_command_line() {
    let room = Room::new();
    let studio = Studio::start(&room, &room.path("home"));
    studio.json("POST", "/api/noise", &json!({ "width": 160, "height": 120 }));
    studio.json("POST", "/api/dream/size", &json!({ "longest": 96 }));
    studio.edit(&[("ascent.iterations", 2.into()), ("octaves.anchor", 64.into())]);
    let dream = studio.saved();
    let line = String::from_utf8(studio.ask("GET", "/api/command", b"").1).unwrap();
    assert!(line.contains("--noise 160x120"), "{line}");
    let line = line.replacen("deepdream", env!("CARGO_BIN_EXE_deepdream"), 1);
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", &format!("{line} --quiet -o again.png")]);
    let shell = shell.current_dir(room.path(".")).env("DEEPDREAM_HOME", room.path("home"));
    assert!(shell.status().unwrap().success(), "{line}");
    assert!(dream == room.bytes("again.png"), "another picture by {line}");
}

/// Kills studios at moments that fall everywhere in what the jobs that `add` adds take: each ends once, with the bytes
/// that it has without a kill, and nothing is left half-way. `files` says how many lie in a folder then.
fn killed(moments: u32, files: &[(&str, usize)], add: impl Fn(&Room, &Studio)) {
    let room = Room::new();
    let begin = |home: &str| {
        let studio = Studio::start(&room, &room.path(home));
        add(&room, &studio);
        (studio, Instant::now())
    };
    let (studio, begun) = begin("whole");
    let (jobs, wanted) = (studio.jobs().len(), studio.made());
    let took = begun.elapsed();
    drop(studio);
    for moment in 0..moments {
        let home = format!("home {moment}");
        let (mut studio, begun) = begin(&home);
        std::thread::sleep((took * moment / moments).saturating_sub(begun.elapsed()));
        studio.child.kill().unwrap();
        drop(studio);
        let studio = Studio::start(&room, &room.path(&home));
        assert_eq!(studio.jobs().len(), jobs, "a job is lost at {moment} of {moments}");
        assert!(studio.made() == wanted, "other bytes after a kill at {moment} of {moments}");
        let count = |folder: &str| std::fs::read_dir(studio.folder.join(folder)).unwrap().count();
        for (folder, wanted) in files {
            assert_eq!(count(folder), *wanted, "{folder}");
        }
        let left = std::fs::read_dir(studio.folder.join("incoming")).unwrap().flatten();
        let left = left.map(|run| std::fs::read_dir(run.path()).unwrap().count()).sum::<usize>();
        assert_eq!(left, 0, "something is left half-way");
    }
}

#[test]
fn a_kill_at_any_moment_loses_no_job_and_changes_no_byte() {
    // A movie and the folder of its frames.
    killed(30, &[("dreams/photo", 1), ("movies", 2)], |room, studio| {
        studio.put(&photo(room), 20);
        studio.add(&picture());
        studio.add(&zoom());
    });
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn a_video_that_is_killed_at_any_moment_is_the_same_movie() {
    // Its frames have gone into it.
    killed(4, &[("movies", 1)], |room, studio| {
        studio.put(&photo(room), 2);
        crate::videos::clip(room, "clip.mp4", "12", 8, "");
        let bytes = room.bytes("clip.mp4");
        let (status, answer) = studio.ask("POST", "/api/videos?name=clip.mp4", &bytes);
        assert_eq!(status, 200);
        let video: Value = serde_json::from_slice(&answer).unwrap();
        let job = json!({ "wanted": { "kind": "video", "longest": 64 }, "video": video["id"] });
        studio.json("POST", "/api/jobs", &job);
    });
}

#[test]
fn a_photo_that_is_removed_while_it_is_rendered_is_called_by_its_name() {
    let room = Room::new();
    let (photo, home) = (photo(&room), room.path("home"));
    let mut studio = Studio::start(&room, &home);
    studio.put(&photo, 20);
    let first = studio.add(&zoom());
    studio.until(|jobs| jobs.iter().any(|job| job["id"] == *first && job["state"] == "running"));
    let second = studio.add(&picture());
    let originals = std::fs::read_dir(home.join("studio/originals")).unwrap().flatten();
    originals.for_each(|folder| std::fs::remove_dir_all(folder.path()).unwrap());
    studio.child.kill().unwrap();
    drop(studio);
    let studio = Studio::start(&room, &home);
    let jobs = studio.until(|jobs| jobs.iter().all(|job| job["state"] == "failed"));
    assert!([first, second].iter().all(|id| jobs.iter().any(|job| job["id"] == **id)));
    for job in jobs {
        let said = job["failure"]["detail"].as_str().unwrap();
        assert!(said.starts_with("The file of photo.png is gone: it was "), "{said}");
        assert_eq!(job["failure"]["ways_out"][0], "Choose the photo again.");
    }
}

/// Fills the disk at twenty moments of what two jobs take: no file is ever there by half, what is dreamt can still be
/// steered, and once there is room again each job ends with the bytes that it has on an empty disk.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_at_any_moment_leaves_no_half_file_and_the_queue_goes_on_later() {
    const MOMENTS: u32 = 20;
    let room = Room::new();
    let photo = photo(&room);
    let Some(disk) = crate::room::SmallDisk::new(room.path("disk"), "600m") else { return };
    let studio = Studio::start(&room, &room.path("disk"));
    studio.put(&photo, 8);
    let begin = || {
        studio.add(&zoom());
        studio.add(&picture());
        Instant::now()
    };
    let remove = || {
        for job in studio.jobs() {
            let path = format!("/api/jobs/{}", job["id"].as_str().unwrap());
            assert!(studio.ask("DELETE", &path, b"").0 < 300);
        }
    };
    let begun = begin();
    let wanted = studio.made();
    let took = begun.elapsed();
    remove();
    let mut paused = 0;
    for moment in 0..MOMENTS {
        let begun = begin();
        std::thread::sleep((took * moment / MOMENTS).saturating_sub(begun.elapsed()));
        disk.fill(4 * u64::from(moment % 4));
        let full = || studio.get("/api/state")["queue"]["failure"]["fault"] == "disk";
        studio.until(|jobs| full() || jobs.iter().all(|job| job["state"] == "done"));
        paused += u32::from(full());
        let movies = std::fs::read_dir(studio.folder.join("movies")).unwrap().flatten();
        for movie in movies.filter(|file| file.path().is_file()) {
            assert!(std::fs::read(movie.path()).unwrap() == wanted[0], "half a movie at {moment}");
        }
        let pictures = std::fs::read_dir(studio.folder.join("dreams/photo"));
        for picture in pictures.into_iter().flatten().flatten() {
            let bytes = std::fs::read(picture.path()).unwrap();
            assert!(bytes == wanted[1], "half a picture at {moment}");
        }
        studio.edit(&[("seed", 8.into())]);
        studio.edit(&[("seed", 7.into())]);
        disk.resize("600m");
        studio.json("PATCH", "/api/queue", &json!("resume"));
        assert!(studio.made() == wanted, "other bytes where the disk was full at {moment}");
        remove();
    }
    assert!(paused > 0, "the disk was never full");
}
