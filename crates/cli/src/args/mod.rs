//! Arguments that several commands share, and how they fill a request.

use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::Arg;

mod guide;
mod machine;
mod mask;
mod motion;
mod movie;
mod network;
mod objective;
mod recipe;

pub(crate) use guide::GuideArg;
pub(crate) use machine::MachineArgs;
pub(crate) use mask::MaskArg;
pub(crate) use motion::MotionArgs;
pub(crate) use movie::{EncodingArgs, PlaybackArgs};
pub(crate) use network::NetworkArgs;
pub(crate) use objective::ObjectiveArgs;
pub(crate) use recipe::RecipeArgs;

/// What the help of `--layer` ends with where nothing is known of the network.
pub(crate) const DEFAULT_LAYERS: &str = "Default: the layers chosen for the network";

/// What the help of `--preset` ends with.
const DEFAULT_PRESET: &str = "Default: figures";

/// `--layer`, for a command that has another default.
pub(crate) fn layers_by_default(arg: Arg, default: &str) -> Arg {
    saying(arg, &format!(". {DEFAULT_LAYERS}"), default)
}

/// `--preset`, for a command that has another default.
pub(crate) fn preset_by_default(arg: Arg, default: &str) -> Arg {
    saying(arg, DEFAULT_PRESET, default)
}

/// An argument whose help says something else.
pub(crate) fn saying(arg: Arg, before: &str, now: &str) -> Arg {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    arg.help(help.replace(before, now))
}

/// Reads a length of time in seconds, for `--hold-first 1.5`.
///
/// # Errors
/// What is no number, and more than a day.
pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("use seconds, from 0 to 86400".to_owned()),
    }
}

/// Reads an amount of memory in bytes, for `--memory 2G`, whose units are decimal: 1M is 1 000 000.
///
/// # Errors
/// What is none.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let number = text.trim_end_matches(['B', 'b']);
    let (number, unit) = match number.char_indices().last() {
        Some((at, 'k' | 'K')) => (&number[..at], 1e3),
        Some((at, 'm' | 'M')) => (&number[..at], 1e6),
        Some((at, 'g' | 'G')) => (&number[..at], 1e9),
        Some((at, 't' | 'T')) => (&number[..at], 1e12),
        _ => (number, 1.0),
    };
    match number.trim().parse::<f64>() {
        Ok(number) if (1.0..1e18).contains(&(number * unit)) => Ok((number * unit) as u64),
        _ => Err("use an amount such as 2G, 1.5G or 800M (decimal units)".to_owned()),
    }
}

/// Reads a size in pixels, for `--noise 640x400`.
///
/// # Errors
/// What is no size, and sides of more than 65535 pixels.
pub(crate) fn size(text: &str) -> Result<deepdream::Size, String> {
    let usage = "write width and height in pixels, such as 640x400";
    let size: deepdream::Size = text.parse().map_err(|_| usage)?;
    match size.longest() {
        1..=65_535 => Ok(size),
        _ => Err("a side can have 65535 pixels at most".to_owned()),
    }
}

/// Reads the longest side in pixels, for `--size 640`.
///
/// # Errors
/// What is no whole number, with what was meant.
pub(crate) fn longest_side(text: &str) -> Result<u32, String> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let usage = "use the longest side in pixels, from 1 to 65535, such as 640";
    text.parse().ok().filter(|side| (1..=65_535).contains(side)).ok_or_else(|| match text
        .parse::<deepdream::Size>(
    ) {
        Ok(size) => format!(
            "the picture keeps its shape, so give only its longest side: {}",
            size.longest()
        ),
        _ if text.ends_with('%') => format!("{usage}, not a percentage"),
        _ if text == format!("{digits}px") => format!("{usage}; leave out the unit: {digits}"),
        _ => usage.to_owned(),
    })
}

/// A parser of whole numbers in a range, for `--threads 4`.
pub(crate) fn whole<T: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| format!("use a whole number from {} to {}", range.start(), range.end()))
    }
}

/// Reads a whole number whose range the recipe knows.
///
/// # Errors
/// What is none.
pub(crate) fn any_whole(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "use a whole number".to_owned())
}

/// Reads an anchor in pixels, or the word for the dream's full size.
///
/// # Errors
/// What is neither.
pub(crate) fn anchor(text: &str) -> Result<String, String> {
    match text {
        "full" => Ok(text.to_owned()),
        _ => text
            .parse()
            .map(|pixels: u32| pixels.to_string())
            .map_err(|_| "use the longest side in pixels, such as 640, or `full`".to_owned()),
    }
}

/// Reads a number.
///
/// # Errors
/// What is none, or not finite.
pub(crate) fn number<T: FromStr>(text: &str) -> Result<T, String> {
    let finite = text.parse::<f64>().is_ok_and(f64::is_finite);
    text.parse().ok().filter(|_| finite).ok_or_else(|| "use a number, such as 1.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_another_kind_are_explained() {
        assert_eq!(longest_side("640"), Ok(640));
        for (text, explained) in [
            ("640x400", "longest side: 640"),
            ("400x640", "longest side: 640"),
            ("50%", "percentage"),
            ("640px", "unit: 640"),
            ("large", "in pixels"),
            ("-3", "in pixels"),
        ] {
            let said = longest_side(text).unwrap_err();
            assert!(said.contains(explained), "{text}: {said}");
        }
    }

    #[test]
    fn an_anchor_is_a_number_or_the_word_for_the_full_size() {
        for text in ["full", "640", "0", "70000"] {
            assert_eq!(anchor(text).as_deref(), Ok(text));
        }
        for text in ["none", "640x400", "-1", "1.5", ""] {
            assert!(anchor(text).unwrap_err().contains("`full`"), "{text}");
        }
    }

    #[test]
    fn numbers_stay_in_their_range() {
        assert_eq!(whole::<u16>(1..=1024)("8"), Ok(8));
        for text in ["0", "1025", "x", "1.5", "-1", ""] {
            let said = whole::<u16>(1..=1024)(text).unwrap_err();
            assert_eq!(said, "use a whole number from 1 to 1024");
        }
        assert_eq!(number("1.5"), Ok(1.5_f32));
        for text in ["nan", "inf", "1e999", "one", ""] {
            assert!(number::<f32>(text).is_err(), "{text}");
        }
    }
}
