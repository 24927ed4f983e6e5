//! From flags to how frames become a movie.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use deepdream::media::movie::{Codec, Quality};
use deepdream::{Encoding, Playback};

use super::{seconds, whole};

/// What each quality is for.
const QUALITIES: [(Quality, &str); 3] = [
    (Quality::Small, "For sending around"),
    (Quality::Good, "Hard to tell from the frames"),
    (Quality::Best, "For further editing"),
];

/// What each codec is.
const CODECS: [(Codec, &str); 5] = [
    (Codec::H264, "H.264: plays everywhere"),
    (Codec::H265, "H.265"),
    (Codec::Av1, "AV1"),
    (Codec::Vp9, "VP9"),
    (Codec::Prores, "Apple ProRes, for editing"),
];

/// A parser of the words for some values, each with a text for the help.
fn words<T: Copy + Send + Sync + 'static>(
    values: &'static [(T, &'static str)],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let word =
        move |(value, help): &(T, &'static str)| PossibleValue::new(name(*value)).help(*help);
    PossibleValuesParser::new(values.iter().map(word)).map(move |word| {
        let value = values.iter().find(|(value, _)| name(*value) == word);
        value.expect("no other word passes").0
    })
}

/// Arguments about which frames are seen when.
#[derive(Debug, Args)]
#[command(next_help_heading = "Frames")]
pub(crate) struct PlaybackArgs {
    /// Show the first frame this many seconds longer. Default: 0.
    #[arg(long, value_name = "SECONDS", default_value = "0", hide_default_value = true)]
    #[arg(value_parser = seconds, allow_negative_numbers = true)]
    hold_first: f64,
    /// Show the last frame this many seconds longer. Default: 0.
    #[arg(long, value_name = "SECONDS", default_value = "0", hide_default_value = true)]
    #[arg(value_parser = seconds, allow_negative_numbers = true)]
    hold_last: f64,
    /// After the last frame, go back to the first.
    #[arg(long)]
    ping_pong: bool,
    /// Fade the last seconds into the first, so that the movie loops smoothly. Default: a hard cut.
    #[arg(long = "loop", value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    #[arg(conflicts_with_all = ["ping_pong", "hold_first", "hold_last"])]
    fade: Option<f64>,
}

impl PlaybackArgs {
    /// What the flags ask for.
    pub(crate) fn playback(&self) -> Playback {
        let Self { hold_first, hold_last, ping_pong, fade } = *self;
        Playback { hold_first, hold_last, ping_pong, fade }
    }
}

/// Arguments about how frames are compressed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Compression")]
pub(crate) struct EncodingArgs {
    /// Longest side of the movie in pixels. Default: the size of the frames.
    #[arg(long = "movie-size", value_name = "PIXELS")]
    #[arg(value_parser = whole::<u32>(2..=65_535), allow_negative_numbers = true)]
    movie_size: Option<u32>,
    /// How good the movie looks; better ones are larger. Default: good.
    #[arg(long, value_parser = words(&QUALITIES, Quality::name), default_value = "good")]
    #[arg(hide_default_value = true)]
    quality: Quality,
    /// How the movie is compressed. All but H.264 in .mp4 need ffmpeg. Default: H.264 in .mp4 and .mkv,
    /// AV1 in .webm, ProRes in .mov.
    #[arg(long, value_parser = words(&CODECS, Codec::name))]
    codec: Option<Codec>,
    /// Let ffmpeg compress H.264 as well, which does it better than the built-in encoder.
    #[arg(long)]
    ffmpeg: bool,
}

impl EncodingArgs {
    /// What the flags ask for.
    pub(crate) fn encoding(&self) -> Encoding {
        let Self { movie_size: longest, quality, codec, ffmpeg } = *self;
        Encoding { codec, ffmpeg, quality, longest }
    }
}
