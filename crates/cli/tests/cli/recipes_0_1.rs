//! Recipes of version 0.1, in every file that carries one, give the pixels that 0.1 gave.
//!
//! `tests/data/recipes-0.1/README.md` says how they and the hashes in `dreams.json` were made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kernels::CpuLevel;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::room::Room;

/// Frames that there are to be, with the first, which is the photo.
const FRAMES: usize = 4;

/// A recipe, and the SHA-256 of the pixels that 0.1 dreamt by it, by CPU level.
#[derive(Deserialize)]
struct Case {
    job: String,
    recipe: String,
    dreams: BTreeMap<String, String>,
}

impl Case {
    /// Whether it takes ffmpeg to read the recipe out of its file.
    fn needs_ffmpeg(&self) -> bool {
        [".mkv", ".mov", ".webm"].iter().any(|ending| self.recipe.ends_with(ending))
    }
}

#[test]
fn stills() {
    check("still", |room, recipe, level| {
        let arguments = ["image", "photo.png", "-q", "-o", "dream.png", "--recipe"];
        dream(room, level, &arguments, Some(recipe));
        vec![room.path("dream.png")]
    });
}

#[test]
fn noise() {
    check("noise", |room, recipe, level| {
        dream(room, level, &["image", "-q", "-o", "dream.png", "--recipe"], Some(recipe));
        vec![room.path("dream.png")]
    });
}

#[test]
fn frames() {
    check_where("frames", |case| !case.needs_ffmpeg(), zoomed);
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn frames_by_the_recipes_of_movies() {
    check_where("frames", Case::needs_ffmpeg, zoomed);
}

fn zoomed(room: &Room, recipe: &Path, level: &str) -> Vec<PathBuf> {
    std::fs::create_dir(room.path("dream")).unwrap();
    std::fs::copy(room.path("photo.png"), room.path("dream/img_0.png")).unwrap();
    dream(room, level, &["frames", "dream", "-q", "--count", "4", "--recipe"], Some(recipe));
    pictures(room, 1..FRAMES)
}

#[test]
fn frames_go_on() {
    check("goes-on", |room, folder, level| {
        copy(folder, &room.path("dream"));
        dream(room, level, &["frames", "dream", "-q", "--count", "4"], None);
        pictures(room, 1..FRAMES)
    });
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn videos() {
    check("video", |room, recipe, level| {
        let arguments = ["video", "clip.mov", "-q", "--keep", "-o", "dream.mp4", "--recipe"];
        dream(room, level, &arguments, Some(recipe));
        pictures(room, 0..5)
    });
}

#[test]
#[ignore = "needs ffmpeg; see CONTRIBUTING"]
fn videos_go_on() {
    check("video-goes-on", |room, folder, level| {
        copy(folder, &room.path("dream"));
        dream(room, level, &["video", "clip.mov", "-q", "--keep", "-o", "dream.mp4"], None);
        pictures(room, 0..5)
    });
}

#[test]
fn every_recipe_is_tried() {
    let cases = cases();
    let tried = |path: &Path| cases.iter().any(|case| data().join(&case.recipe) == path);
    for folder in ["carriers", "saved", "written"] {
        for entry in std::fs::read_dir(data().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            assert!(tried(&path), "{} is in no case", path.display());
        }
    }
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/recipes-0.1")
}

fn cases() -> Vec<Case> {
    serde_json::from_slice(&std::fs::read(data().join("dreams.json")).unwrap()).unwrap()
}

/// Runs a job by each of its recipes at each level that this machine has, and compares the pixels of
/// the pictures that it makes.
fn check(job: &str, run: impl Fn(&Room, &Path, &str) -> Vec<PathBuf>) {
    check_where(job, |_| true, run);
}

/// As [`check`], by those recipes that are `wanted`.
fn check_where(
    job: &str,
    wanted: impl Fn(&Case) -> bool,
    run: impl Fn(&Room, &Path, &str) -> Vec<PathBuf>,
) {
    let levels = CpuLevel::available().into_iter().map(|level| level.to_string());
    let levels: Vec<String> = levels.collect();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for case in cases().iter().filter(|case| case.job == job && wanted(case)) {
        for (level, expected) in case.dreams.iter().filter(|(level, _)| levels.contains(level)) {
            let room = Room::new();
            for name in ["photo.png", "clip.mov"] {
                std::fs::copy(data().join(name), room.path(name)).unwrap();
            }
            if hash(&run(&room, &data().join(&case.recipe), level)) != *expected {
                wrong.push(format!("{} at {level}", case.recipe));
            }
            compared += 1;
        }
    }
    assert!(compared > 0, "there is no case of {job}");
    assert!(wrong.is_empty(), "other pixels than those of 0.1: {}", wrong.join(", "));
}

fn dream(room: &Room, level: &str, arguments: &[&str], recipe: Option<&Path>) {
    let mut command = room.deepdream();
    command.env("DEEPDREAM_CPU", level).args(arguments).args(recipe).assert().success();
}

fn pictures(room: &Room, numbers: std::ops::Range<usize>) -> Vec<PathBuf> {
    numbers.map(|number| room.path(&format!("dream/img_{number}.png"))).collect()
}

/// SHA-256 of the pixels of pictures, one after another.
fn hash(pictures: &[PathBuf]) -> String {
    let mut digest = Sha256::new();
    for path in pictures {
        digest.update(image::open(path).unwrap().into_rgb8().as_raw());
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Copies a folder with the folders in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(path, to).unwrap();
        }
    }
}
