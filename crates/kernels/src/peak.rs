//! How fast this machine multiplies and adds when nothing holds it up: what other speeds are to be seen
//! beside.

use std::time::{Duration, Instant};

use crate::conv::tile::{self, Epilogue, Tile};
use crate::scratch::Scratch;
use crate::{Context, Vec16};

/// Taps of a tile whose inputs and weights fit the cache nearest to the core.
const TAPS: usize = 4;

/// Times the work is done, so short that a busy machine leaves some of them alone, and how long each is.
const ROUNDS: usize = 20;
const ROUND: Duration = Duration::from_millis(2);

/// Floating-point operations a second that all threads together reach at the best, two for each
/// multiplication with an addition. Takes less than a tenth of a second.
pub fn peak(cx: &Context) -> f64 {
    let threads = cx.threads().count();
    let mut rates = vec![[0.0; ROUNDS]; threads];
    cx.threads().for_each_mut(&mut rates, |rates| {
        for rate in rates {
            *rate = round(cx);
        }
    });
    (0..ROUNDS).map(|round| rates.iter().map(|rates| rates[round]).sum()).fold(0.0, f64::max)
}

/// Operations a second of one thread for a moment.
fn round(cx: &Context) -> f64 {
    let blocks = tile::max_blocks(cx.level()).min(2);
    let pixels = tile::max_pixels(cx.level(), blocks, 1);
    let (inputs, weights) = (TAPS * pixels, 16 * TAPS * blocks);
    let vectors = inputs + weights + blocks * pixels;
    let mut scratch = Scratch::new(vectors);
    // SAFETY: there are as many vectors. (Numbers near zero would take longer.)
    unsafe { scratch.as_mut_ptr().write_bytes(0, vectors) };
    let vectors = scratch.as_mut_ptr();
    let taps: [isize; TAPS] = std::array::from_fn(|tap| (16 * tap * pixels) as isize);
    let run = tile::tile_fn(cx.level(), blocks, pixels, 1);
    let (mut calls, start) = (0, Instant::now());
    while start.elapsed() < ROUND {
        for _ in 0..64 {
            // SAFETY: the scratch holds the inputs, the weights and the sums, one after the other; the
            // level is the context's, which the processor has.
            unsafe {
                let tile = Tile {
                    x: vectors.cast(),
                    taps: taps.as_ptr(),
                    ahead: 0,
                    count: TAPS,
                    live: 16,
                    weights: vectors.add(inputs).cast(),
                    fetch: 0,
                    next: std::ptr::null(),
                    y: vectors.add(inputs + weights).cast(),
                    y_block: 16 * pixels,
                    y_step: 16,
                    epilogue: Epilogue::PLAIN,
                };
                run(&tile);
            }
            calls += 1;
        }
    }
    let operations = 2 * size_of::<Vec16>() / size_of::<f32>() * 16 * TAPS * blocks * pixels;
    (calls * operations) as f64 / start.elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CpuLevel, Threads};

    #[test]
    #[cfg_attr(miri, ignore = "takes too long")]
    fn every_level_multiplies_and_adds() {
        let threads = Threads::new(2).expect("threads start");
        for level in CpuLevel::available() {
            let rate = peak(&Context::new(threads.clone(), level));
            assert!(rate.is_finite() && rate > 1e6, "{rate} at {level}");
        }
    }
}
