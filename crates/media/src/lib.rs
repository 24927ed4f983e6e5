//! Pictures, movies and videos for DeepDream: from files to planes of floats, and back.
//!
//! An [`Image`] is what a dream works on: upright, sRGB, one plane of `f32` for each channel. It is
//! read from any of five formats, told apart by content, and written to any of them. What a file has
//! instead (16 bits, grey, a colour profile, a turned camera) ends at that border. Files are not
//! trusted: headers are checked, and memory is bounded by [`Limits`], before anything large is read.
//!
//! ```
//! use media::{EncodeOptions, Image, ImageFormat};
//!
//! # let folder = tempfile::tempdir()?;
//! # let photo = folder.path().join("photo.png");
//! # Image::from_rgb8("4x2".parse()?, &[120; 24])?.save(&photo)?;
//! let image = Image::open(&photo)?;
//! let bytes = image.encode(ImageFormat::Jpeg, &EncodeOptions::with_recipe("seed = 7"))?;
//! let again = Image::decode(&bytes)?;
//! assert_eq!(again.size(), image.size());
//! assert_eq!(again.to_rgb8().len(), 3 * 4 * 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Pictures and movies carry the recipe that made them: a text, whose meaning this crate does not
//! know. [`recipe_of`] reads it back.
//!
//! [`movie`] writes frames as MP4, GIF or animated PNG with nothing installed, and as WebM, MOV or
//! Matroska through the installed ffmpeg. [`video`] reads any video that the installed ffmpeg decodes, and
//! [`sound`] hears the beats of any sound.
//!
//! # Features
//!
//! All but the last are on by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `pictures` | reading and writing PNG, JPEG, WebP, TIFF and BMP. Without it, [`Image`] converts between planes and bytes, and depends on no codec |
//! | `movies` | [`movie`] and [`sound`]: GIF, animated PNG, the formats that ffmpeg writes, and what it hears |
//! | `h264` | MP4 without ffmpeg. It compiles C++ code |
//! | `video` | [`video`]: reading videos with ffmpeg |
//! | `ffmpeg` | calling the installed ffmpeg; `movies` and `video` turn it on |

mod bytes;
mod fault;
// Movies need one part of it, videos another.
#[cfg(feature = "ffmpeg")]
#[cfg_attr(not(all(feature = "movies", feature = "video")), allow(dead_code, unused_imports))]
mod ffmpeg;
mod kind;
#[cfg(feature = "movies")]
pub mod movie;
mod picture;
#[cfg(feature = "pictures")]
mod place;
mod rate;
#[cfg(feature = "pictures")]
mod recipe;
mod regular;
#[cfg(feature = "pictures")]
mod scratch;
#[cfg(feature = "movies")]
pub mod sound;
#[cfg(feature = "ffmpeg")]
mod timing;
#[cfg(feature = "video")]
pub mod video;
#[cfg(feature = "pictures")]
mod xmp;

pub use bytes::readable_bytes;
pub use fault::Fault;
#[cfg(feature = "ffmpeg")]
pub use ffmpeg::{FfmpegError, check as check_ffmpeg};
pub use kind::{FileClass, FileKind};
pub use picture::{BitDepth, Image, ImageError, ImageFormat};
#[cfg(feature = "pictures")]
pub use picture::{EncodeOptions, Limits};
#[cfg(feature = "pictures")]
pub use place::{Place, sync_folder};
pub use rate::FrameRate;
#[cfg(feature = "pictures")]
pub use recipe::{RecipeError, recipe_of};
pub use regular::check_regular;
#[cfg(feature = "pictures")]
pub use scratch::{clear_scratch, is_scratch, scratch_file};
#[cfg(feature = "ffmpeg")]
pub use timing::{Timestamps, Timing};
