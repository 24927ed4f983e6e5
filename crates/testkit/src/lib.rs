//! What the tests of several crates share: generated networks and images, the conformance suite that every
//! backend passes, and the folder of files that are not in the repository.

pub mod conformance;
mod networks;
mod random;

use std::path::PathBuf;

pub use networks::{inception, network, random_graph};
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
