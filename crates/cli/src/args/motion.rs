//! From flags to what a recipe says of a zoom: motion, levels and keyframes.

use clap::Args;
use deepdream::media::FrameRate;
use deepdream::{Keyframe, MotionPreset, RecipeRequest};

use super::number;

/// Arguments about how frames follow from each other.
#[derive(Debug, Args)]
#[command(next_help_heading = "Motion")]
pub(crate) struct MotionArgs {
    /// Start from a known motion; other flags change it. Default: a slow zoom, or the recipe's.
    #[arg(long, value_enum, value_name = "NAME")]
    motion: Option<Named>,
    /// Frames per second: a number, or a fraction such as 30000/1001. Default: 30, or the recipe's.
    #[arg(long, value_name = "RATE")]
    pub(crate) fps: Option<FrameRate>,
    /// How many times larger everything gets per second. Default: 1.35.
    #[arg(long, value_name = "FACTOR")]
    #[arg(value_parser = number::<f64>, allow_negative_numbers = true)]
    zoom: Option<f64>,
    /// Degrees to turn per second, clockwise. Default: 0.
    #[arg(long, value_name = "DEGREES")]
    #[arg(value_parser = number::<f64>, allow_negative_numbers = true)]
    rotate: Option<f64>,
    /// Shift per second, to the right and down, as shares of the width and height. Default: 0,0.
    #[arg(long, value_name = "X,Y", value_parser = pair, allow_hyphen_values = true)]
    shift: Option<[f64; 2]>,
    /// The centre of zoom and rotation, as shares of the width and height. Default: 0.5,0.5.
    #[arg(long, value_name = "X,Y", value_parser = pair, allow_hyphen_values = true)]
    centre: Option<[f64; 2]>,
    /// Seconds in which the motion speeds up at the beginning. Default: 0.
    #[arg(long, value_name = "SECONDS")]
    #[arg(value_parser = number::<f64>, allow_negative_numbers = true)]
    ease_in: Option<f64>,
    /// Seconds in which the motion slows down at the end. Default: 0.
    #[arg(long, value_name = "SECONDS")]
    #[arg(value_parser = number::<f64>, allow_negative_numbers = true)]
    ease_out: Option<f64>,
    /// How many whole dreams to spread over the frames of a second, whatever --fps is. With as many as
    /// --fps, each frame is a whole dream with all its --iterations. Default: 3 (other presets than
    /// figures: 2).
    #[arg(long, value_name = "DREAMS")]
    #[arg(value_parser = number::<f64>, allow_negative_numbers = true)]
    pace: Option<f64>,
    /// How strongly brightness, contrast and colours are kept at those of the first frame, 0 to 1.
    /// Default: 1.
    #[arg(long, value_name = "STRENGTH")]
    #[arg(value_parser = number::<f64>, allow_negative_numbers = true)]
    levels: Option<f64>,
    /// Change settings at a time. Between two times, numbers change evenly and layers fade. Repeat it:
    /// --at 0s:layer=fire3/concat --at 6s:layer=fire8/concat,pace=6,zoom=1.2
    #[arg(long = "at", value_name = "TIME:FIELD=VALUE,…", value_parser = str::parse::<Keyframe>)]
    keyframes: Vec<Keyframe>,
}

/// [`MotionPreset`] as the command line spells it.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Named {
    /// Nothing moves; the dream only grows.
    Still,
    /// The zoom of Google's notebook: 5 % per frame.
    Google,
    /// The slow zoom of sentdex's movies.
    Sentdex,
    /// A slow pan.
    Drift,
    /// A zoom that turns.
    Spiral,
}

impl MotionArgs {
    /// The motion to start from.
    pub(crate) fn motion(&self) -> Option<MotionPreset> {
        self.motion.map(|named| match named {
            Named::Still => MotionPreset::Still,
            Named::Google => MotionPreset::Google,
            Named::Sentdex => MotionPreset::Sentdex,
            Named::Drift => MotionPreset::Drift,
            Named::Spiral => MotionPreset::Spiral,
        })
    }

    /// Puts all other flags into a request.
    pub(crate) fn edit(&self, recipe: &mut RecipeRequest) {
        let number = |number: &Option<f64>| number.map(|number| number.to_string());
        let pair = |pair: &Option<[f64; 2]>| pair.map(|pair| format!("{pair:?}"));
        for (path, value) in [
            ("zoom.motion.zoom", number(&self.zoom)),
            ("zoom.motion.rotate", number(&self.rotate)),
            ("zoom.motion.shift", pair(&self.shift)),
            ("zoom.motion.centre", pair(&self.centre)),
            ("zoom.motion.ease_in", number(&self.ease_in)),
            ("zoom.motion.ease_out", number(&self.ease_out)),
            ("zoom.pace", number(&self.pace)),
            ("zoom.levels", number(&self.levels)),
        ] {
            if let Some(value) = value {
                recipe.set(path, value);
            }
        }
        if !self.keyframes.is_empty() {
            recipe.set_list("zoom.keyframes", &self.keyframes);
        }
    }
}

fn pair(text: &str) -> Result<[f64; 2], String> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    text.split_once(',')
        .and_then(|(x, y)| Some([number(x)?, number(y)?]))
        .ok_or_else(|| "use two numbers, such as 0.1,-0.05".to_owned())
}
