//! From flags to a recipe's movie: motion, levels and keyframes.

use clap::Args;
use dream::{Key, Motion, MotionPreset, Movie, Recipe};
use media::FrameRate;
use toml::{Table, Value};

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
    #[arg(long = "at", value_name = "TIME:KNOB=VALUE,…", value_parser = key)]
    keys: Vec<Key>,
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
        let mut movie = recipe.movie.take().unwrap_or_default();
        if let Some(fps) = self.fps {
            movie.fps = fps.per_second();
        }
        if let Some(named) = self.motion {
            movie.motion = Motion::preset(named.preset(), movie.fps);
        }
        let motion = &mut movie.motion;
        motion.zoom = self.zoom.unwrap_or(motion.zoom);
        motion.rotate = self.rotate.unwrap_or(motion.rotate);
        motion.shift = self.shift.unwrap_or(motion.shift);
        motion.centre = self.centre.unwrap_or(motion.centre);
        motion.ease_in = self.ease_in.unwrap_or(motion.ease_in);
        motion.ease_out = self.ease_out.unwrap_or(motion.ease_out);
        movie.pace = self.pace.unwrap_or(movie.pace);
        movie.levels = self.levels.unwrap_or(movie.levels);
        if !self.keys.is_empty() {
            movie.keys.clone_from(&self.keys);
        }
        if movie.motion.ease_out > 0.0 && self.ease_out.is_some() {
            let Some(frames) = frames else {
                let what = "--ease-out needs to know the end of the motion";
                return Err(Failure::new(Fault::Usage, what).or("say how many frames: --count"));
            };
            movie.length = Some(frames.saturating_sub(1) as f64 / movie.fps);
        }
        recipe.movie = Some(movie);
        recipe.validate().map_err(|error| Failure::new(Fault::Recipe, error))
    }

    /// The frame rate that the flags or the recipe ask for.
    pub(crate) fn rate(&self, recipe: Option<&Recipe>) -> FrameRate {
        let movie = recipe.and_then(|recipe| recipe.movie.as_ref());
        let usual = movie.map_or_else(|| Movie::default().fps, |movie| movie.fps);
        self.fps.unwrap_or_else(|| FrameRate::nearest(usual))
    }
}

fn pair(text: &str) -> Result<[f64; 2], String> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    text.split_once(',')
        .and_then(|(x, y)| Some([number(x)?, number(y)?]))
        .ok_or_else(|| format!("`{text}` is no pair of numbers: write 0.1,-0.05, for example"))
}

/// `6s:layer=mixed4d,step=2`: what a keyframe sets, in the recipe's terms.
fn key(text: &str) -> Result<Key, String> {
    let usage = "write 6s:layer=NAME,step=2, for example";
    let (time, knobs) = text.split_once(':').ok_or(usage)?;
    let at = time
        .strip_suffix('s')
        .unwrap_or(time)
        .trim()
        .parse::<f64>()
        .map_err(|_| format!("`{time}` is no time: use seconds, as in 6s:"))?;
    let mut set = Table::new();
    let mut layers = Vec::new();
    for knob in knobs.split(',') {
        let (name, value) = knob.split_once('=').ok_or(usage)?;
        let (name, value) = (name.trim().replace('-', "_"), value.trim());
        match name.as_str() {
            "layer" => layers.push(layer(value)?),
            "zoom" | "rotate" | "ease_in" | "ease_out" => {
                in_motion(&mut set).insert(name, number(value)?);
            }
            "shift" | "centre" | "tint" => {
                let parts = value.split('/').map(number).collect::<Result<Vec<_>, _>>()?;
                in_motion(&mut set).insert(name, parts.into());
            }
            _ => {
                set.insert(name, plain(value));
            }
        }
    }
    if !layers.is_empty() {
        set.insert("layers".into(), layers.into());
    }
    Ok(Key { at, set })
}

fn in_motion(set: &mut Table) -> &mut Table {
    set.entry("motion")
        .or_insert_with(|| Value::Table(Table::new()))
        .as_table_mut()
        .expect("only tables are put there")
}

/// `NAME` or `NAME=WEIGHT`, as a recipe lists layers.
fn layer(text: &str) -> Result<Value, String> {
    let (name, weight) = match text.split_once('=') {
        Some((name, weight)) => (name, number(weight)?),
        None => (text, Value::Float(1.0)),
    };
    let mut layer = Table::new();
    layer.insert("name".into(), name.into());
    layer.insert("weight".into(), weight);
    Ok(layer.into())
}

fn number(text: &str) -> Result<Value, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Value::Float(number)),
        _ => Err(format!("`{text}` is no number")),
    }
}

/// A number, yes or no, or else a word.
fn plain(text: &str) -> Value {
    if let Ok(whole) = text.parse::<i64>() {
        return Value::Integer(whole);
    }
    if let Ok(yes) = text.parse::<bool>() {
        return Value::Boolean(yes);
    }
    number(text).unwrap_or_else(|_| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_the_recipes_terms() {
        let read =
            key("6s:layer=mixed4d,layer=mixed3b=0.5,step=2,detail=replace,zoom=1.2,shift=0.1/-0.2")
                .unwrap();
        assert_eq!(read.at, 6.0);
        let expected = "step = 2\ndetail = \"replace\"\n\
            layers = [{ name = \"mixed4d\", weight = 1.0 }, { name = \"mixed3b\", weight = 0.5 }]\n\
            motion = { zoom = 1.2, shift = [0.1, -0.2] }";
        assert_eq!(read.set, expected.parse::<Table>().unwrap());
        for wrong in ["6s", "x:step=1", "1:step", "1:zoom=fast", "1:layer=a=b"] {
            assert!(key(wrong).is_err(), "{wrong}");
        }
    }
}
