//! What the tests of several crates share: generated networks and images, the conformance suite that every
//! backend passes, an HTTP server, and the folder of files that are not in the repository.

mod backwards;
pub mod conformance;
mod networks;
mod odd;
mod random;
pub mod server;

use std::path::PathBuf;
use std::process::Command;

pub use networks::{inception, network, random_graph, unary_ops};
pub use odd::odd_graph;
pub use random::Random;

/// The folder of test files that the repository does not have. Tests that need it are ignored unless asked
/// for.
///
/// # Panics
/// If `DEEPDREAM_SHARED` does not say where it is.
pub fn shared() -> PathBuf {
    std::env::var_os("DEEPDREAM_SHARED")
        .expect("DEEPDREAM_SHARED should be the folder of shared test files; see CONTRIBUTING.md")
        .into()
}

/// The image that the reference numbers were computed from, as interleaved RGB bytes. The description of the
/// shared files has the formula.
pub fn closed_form(height: usize, width: usize) -> Vec<u8> {
    let pixel = |i: usize| {
        let (x, y) = ((i % width) as f64, (i / width) as f64);
        [
            80.0 * (x / 7.0).sin() + 40.0 * (y / 11.0).cos(),
            70.0 * ((x + y) / 9.0).sin() + 45.0 * (x / 5.0).cos(),
            60.0 * ((x - y) / 13.0).cos() + 55.0 * (y / 6.0).sin(),
        ]
    };
    let byte = |value: f64| (127.5 + value).clamp(0.0, 255.0).round_ties_even() as u8;
    (0..height * width).flat_map(pixel).map(byte).collect()
}

/// Whether there is no ffmpeg, which the caller then does without.
///
/// # Panics
/// If there is none where the shared test files are: there, nothing may be left out.
pub fn ffmpeg_is_missing() -> bool {
    let missing = Command::new("ffprobe").arg("-version").output().is_err();
    assert!(
        !(missing && std::env::var_os("DEEPDREAM_SHARED").is_some()),
        "ffmpeg is needed here: install it"
    );
    if missing {
        println!("skipped: ffmpeg is not installed");
    }
    missing
}

/// `‖a − b‖ / ‖b‖`
///
/// # Panics
/// If they are not of one length.
pub fn error(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut a.iter().zip(b).map(|(&a, &b)| f64::from(a) - f64::from(b)));
    difference / norm(&mut b.iter().map(|&b| f64::from(b))).max(1e-30)
}
