//! From flags to a recipe's zoom: motion, levels and keyframes.

use clap::Args;
use dream::{Keyframe, Motion, MotionPreset, Recipe, Zoom};
use media::FrameRate;

use crate::exit::{Failure, Fault};

/// Arguments about how frames follow from each other.
#[derive(Debug, Args)]
#[command(next_help_heading = "Motion")]
pub(crate) struct MotionArgs {
    /// Start from a known motion. Default: a slow zoom, or the recipe's.
    #[arg(long, value_enum, value_name = "NAME")]
    motion: Option<Named>,
    /// Frames in a second: a number, or a fraction such as 30000/1001. Default: 30, or the recipe's.
    #[arg(long, value_name = "RATE")]
    fps: Option<FrameRate>,
    /// How much larger everything gets in a second, at any frame rate. Default: 1.35.
    #[arg(long, value_name = "FACTOR")]
    zoom: Option<f64>,
    /// Degrees turned in a second, clockwise. Default: 0.
    #[arg(long, value_name = "DEGREES", allow_negative_numbers = true)]
    rotate: Option<f64>,
    /// Shift in a second, to the right and down, as shares of the width and height. Default: 0,0.
    #[arg(long, value_name = "X,Y", value_parser = pair, allow_hyphen_values = true)]
    shift: Option<[f64; 2]>,
    /// What zoom and turn go around, as shares of the width and height. Default: 0.5,0.5.
    #[arg(long, value_name = "X,Y", value_parser = pair, allow_hyphen_values = true)]
    centre: Option<[f64; 2]>,
    /// Seconds in which the motion starts from rest. Default: 0.
    #[arg(long, value_name = "SECONDS")]
    ease_in: Option<f64>,
    /// Seconds in which the motion comes to rest before the end. Default: 0.
    #[arg(long, value_name = "SECONDS")]
    ease_out: Option<f64>,
    /// How many dreams there are to a second, spread over its frames: each frame takes its share of
    /// --iterations, whatever the --fps. As many as --fps dreams each frame anew in full. Default: 2.
    #[arg(long, value_name = "DREAMS")]
    pace: Option<f64>,
    /// How far brightness, contrast and colours are led back to the first frame's, 0 to 1. Default: 1.
    #[arg(long, value_name = "STRENGTH")]
    levels: Option<f64>,
    /// Set knobs at a time; between two times they change evenly and layers fade. Repeat it:
    /// --at 0s:layer=fire3/concat --at 6s:layer=fire8/concat,step=2,zoom=1.2
    #[arg(long = "at", value_name = "TIME:KNOB=VALUE,…", value_parser = str::parse::<Keyframe>)]
    keys: Vec<Keyframe>,
}

/// [`MotionPreset`] as the command line spells it.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Named {
    /// Nothing moves; the picture only goes on dreaming.
    Still,
    /// The zoom of Google's notebook, a twentieth each frame.
    Google,
    /// The slow fall of sentdex's movies.
    Sentdex,
    /// A slow pan.
    Drift,
    /// Zoom and turn.
    Spiral,
}

impl Named {
    fn preset(self) -> MotionPreset {
        match self {
            Named::Still => MotionPreset::Still,
            Named::Google => MotionPreset::Google,
            Named::Sentdex => MotionPreset::Sentdex,
            Named::Drift => MotionPreset::Drift,
            Named::Spiral => MotionPreset::Spiral,
        }
    }
}

impl MotionArgs {
    /// Puts the flags into the recipe. `frames` is how many there will be, where that is known.
    ///
    /// # Errors
    /// A value outside its range, or a motion that is to rest at an end that is not known.
    pub(crate) fn edit(&self, recipe: &mut Recipe, frames: Option<u64>) -> Result<(), Failure> {
        let mut zoom = recipe.zoom.take().unwrap_or_default();
        if let Some(fps) = self.fps {
            zoom.fps = fps.per_second();
        }
        if let Some(named) = self.motion {
            zoom.motion = Motion::preset(named.preset(), zoom.fps);
        }
        let motion = &mut zoom.motion;
        motion.zoom = self.zoom.unwrap_or(motion.zoom);
        motion.rotate = self.rotate.unwrap_or(motion.rotate);
        motion.shift = self.shift.unwrap_or(motion.shift);
        motion.centre = self.centre.unwrap_or(motion.centre);
        motion.ease_in = self.ease_in.unwrap_or(motion.ease_in);
        motion.ease_out = self.ease_out.unwrap_or(motion.ease_out);
        zoom.pace = self.pace.unwrap_or(zoom.pace);
        zoom.levels = self.levels.unwrap_or(zoom.levels);
        if !self.keys.is_empty() {
            zoom.keyframes.clone_from(&self.keys);
        }
        if zoom.motion.ease_out > 0.0 && self.ease_out.is_some() {
            let Some(frames) = frames else {
                let what = "--ease-out needs to know the end of the motion";
                return Err(Failure::new(Fault::Usage, what).or("say how many frames: --count"));
            };
            zoom.length = Some(frames.saturating_sub(1) as f64 / zoom.fps);
        }
        recipe.zoom = Some(zoom);
        recipe.validate().map_err(|error| Failure::new(Fault::Recipe, error))
    }

    /// The frame rate that the flags or the recipe ask for.
    pub(crate) fn rate(&self, recipe: Option<&Recipe>) -> FrameRate {
        let zoom = recipe.and_then(|recipe| recipe.zoom.as_ref());
        let usual = zoom.map_or_else(|| Zoom::default().fps, |zoom| zoom.fps);
        self.fps.unwrap_or_else(|| FrameRate::nearest(usual))
    }
}

fn pair(text: &str) -> Result<[f64; 2], String> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    text.split_once(',')
        .and_then(|(x, y)| Some([number(x)?, number(y)?]))
        .ok_or_else(|| format!("`{text}` is no pair of numbers: write 0.1,-0.05, for example"))
}
