//! The arithmetic of image networks on `f32`: the CPU level that runs it, the threads that share it, and
//! the kernels, each forward and backward.
//!
//! Activations lie in memory in blocks of sixteen channels ([`BlockedMap`]). A kernel is given maps with
//! their vectors ([`MapRef`], [`MapMut`], [`Destination`]) and a [`Context`]; it is written once and compiled
//! for every [`CpuLevel`], of which plain Rust is the one the others are tested against. Its result has the
//! same bytes on any number of threads.
//!
//! Functions panic if what they are given does not fit together: sizes are the caller's knowledge. What comes
//! from outside, where it makes a size, is refused without a panic by [`BlockedMap::new`] and
//! [`ConvGeometry::new`].
//!
//! ```
//! use kernels::{BlockedMap, Context, ConvGeometry, CpuLevel, MapMut, MapRef, Threads, Vec16, pool};
//!
//! let cx = Context::new(Threads::new(2)?, CpuLevel::detect()?);
//! // The largest value of each 2 × 2 square of sixteen channels of 4 × 4 pixels.
//! let window = ConvGeometry::new([2, 2], [2, 2], [1, 1], [0, 0]).ok_or("an empty window")?;
//! let [wide, small] = [4, 2].map(|side| BlockedMap::new(1, side, side, 0).expect("a small map"));
//! let x: Vec<Vec16> = (0..16).map(|pixel| Vec16([pixel as f32; 16])).collect();
//! let (mut y, mut argmax) = ([Vec16::default(); 4], [0; 4 * 8]);
//! let to = MapMut::new(small, &mut y);
//! pool::max_forward(&cx, &window.into(), MapRef::new(wide, &x), to, &mut argmax);
//! assert_eq!(y.map(|pixel| pixel.0[0]), [5.0, 7.0, 13.0, 15.0]);
//! # Ok::<(), String>(())
//! ```
//!
//! # Features
//!
//! Both are on by default; without them the crate needs neither threads nor a system that maps memory, and
//! builds for WebAssembly.
//!
//! - `threads`: shares the work among threads.
//! - `mmap`: maps the memory of activations and weights from the system, on large pages where it has them, and
//!   numbers that lie in scratch files.
#![allow(unsafe_code, reason = "vector instructions and shared buffers live here, and only here")]

mod argmax;
pub mod attention;
pub mod blur;
pub mod broadcast;
mod channels;
mod context;
pub mod conv;
pub mod depthwise;
pub mod elementwise;
mod exponential;
mod geometry;
pub mod group_norm;
pub mod layer_norm;
mod level;
mod leveled;
pub mod lrn;
pub mod lrn_pool;
mod map;
pub mod matching;
mod memory;
pub mod pack;
mod peak;
pub mod pool;
pub mod quantised;
pub mod resample;
mod rows;
mod scratch;
mod shared_ptr;
pub mod shuffle;
mod simd;
mod softmax;
pub mod sum;
mod threads;
pub mod tokens;
pub mod unary;
mod window;
pub mod winograd;

pub use context::Context;
pub use geometry::ConvGeometry;
pub use level::CpuLevel;
pub use leveled::Leveled;
pub use map::{BlockedMap, Destination, MapMut, MapRef, Relu, Vec16, WriteMode};
pub use memory::{Memory, OutOfMemory, Plain};
#[cfg(feature = "mmap")]
pub use memory::{Pages, ScratchValues};
pub use peak::peak;
pub use threads::Threads;
