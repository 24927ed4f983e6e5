//! What kind of value each setting has, and the least and the most it may be, for forms. `validate.rs`
//! decides; a test holds both to the same ranges.

/// What a setting's value is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A number from the least to the most; of a whole one no fractions.
    Number {
        /// The least it may be.
        least: f64,
        /// The most it may be.
        most: f64,
        /// Whether it has no fractions.
        whole: bool,
    },
    /// `true` or `false`.
    Switch,
    /// One of the setting's choices.
    Choice,
    /// Words, lists and tables, which no range tells.
    Other,
}

const fn number(least: f64, most: f64) -> Kind {
    Kind::Number { least, most, whole: false }
}

const fn whole(least: f64, most: f64) -> Kind {
    Kind::Number { least, most, whole: true }
}

/// The numbers and switches.
const KINDS: [(&str, Kind); 47] = [
    ("seed", whole(0.0, i64::MAX as f64)),
    ("size", whole(1.0, 65_535.0)),
    ("pictures", whole(1.0, 64.0)),
    ("diversity", number(0.0, 10.0)),
    ("noise.width", whole(1.0, 65_535.0)),
    ("noise.height", whole(1.0, 65_535.0)),
    ("tiles.rolled.size", whole(32.0, 16_384.0)),
    ("tiles.scattered.size", whole(32.0, 16_384.0)),
    ("tiles.exact.size", whole(0.0, 65_535.0)),
    ("subtract_mean", Kind::Switch),
    ("octaves.count", whole(1.0, 32.0)),
    ("octaves.anchor", whole(1.0, 65_535.0)),
    ("octaves.scale", number(1.01, 16.0)),
    ("octaves.detail.blend.share", number(0.0, 1.0)),
    ("octaves.blur", number(0.0, 64.0)),
    ("ascent.iterations", whole(1.0, 100_000.0)),
    ("ascent.step", number(0.0, 1000.0)),
    ("ascent.strength", number(0.0, 10.0)),
    ("ascent.wobble.angle", number(0.0, 180.0)),
    ("ascent.jitter", whole(0.0, 4096.0)),
    ("ascent.normalisation.laplacian.levels", whole(1.0, 12.0)),
    ("ascent.smoothing", number(0.0, 64.0)),
    ("ascent.smoothing_growth", number(0.0, 64.0)),
    ("ascent.chroma", number(0.0, 4.0)),
    ("ascent.by_depth", Kind::Switch),
    ("ascent.refine", number(0.0, 4.0)),
    ("penalty.tv", number(0.0, 10.0)),
    ("penalty.pull", number(0.0, 50.0)),
    ("penalty.blur", number(0.0, 1.0)),
    ("penalty.tv_exponent", number(1.0, 12.0)),
    ("penalty.pull_exponent", number(1.0, 12.0)),
    ("penalty.blur_width", number(0.1, 64.0)),
    ("finish.mix", number(0.0, 1.5)),
    ("finish.levels", number(0.0, 1.0)),
    ("finish.saturation", number(0.0, 4.0)),
    ("finish.contrast", number(0.0, 4.0)),
    ("zoom.fps", number(0.001, 1000.0)),
    ("zoom.length", number(0.0, 1_000_000.0)),
    ("zoom.pace", number(0.0, 1_000_000.0)),
    ("zoom.levels", number(0.0, 1.0)),
    ("zoom.shoulder", number(0.0, 127.0)),
    ("zoom.motion.zoom", number(0.000_001, 1_000_000.0)),
    ("zoom.motion.rotate", number(-36_000.0, 36_000.0)),
    ("zoom.motion.ease_in", number(0.0, 86_400.0)),
    ("zoom.motion.ease_out", number(0.0, 86_400.0)),
    ("video.coherence.flow.persistence", number(0.0, 0.99)),
    ("video.coherence.blend.share", number(0.0, 0.99)),
];

/// The kind of the setting at `path`, which has these choices.
pub(super) fn of(path: &str, choices: &[&str]) -> Kind {
    match KINDS.iter().find(|(known, _)| *known == path) {
        Some((_, kind)) => *kind,
        None if choices.is_empty() => Kind::Other,
        None => Kind::Choice,
    }
}

#[cfg(test)]
mod tests {
    use crate::recipe::{NoiseStart, Recipe, Video, Zoom};

    use super::*;

    fn full() -> Recipe {
        Recipe {
            noise: Some(NoiseStart { width: 1, height: 1 }),
            zoom: Some(Zoom { length: Some(1.0), ..Zoom::default() }),
            video: Some(Video::default()),
            ..Recipe::default()
        }
    }

    #[test]
    fn numbers_may_be_what_they_are_said_to_be() {
        for (path, kind) in KINDS {
            let mut recipe = full();
            match kind {
                Kind::Number { least, most, whole } => {
                    // 2⁶³ is no whole number of a recipe, and the nearest that a float can say.
                    let largest = if path == "seed" { most / 2.0 } else { most };
                    let text = |value: f64| match whole {
                        true => format!("{value:.0}"),
                        false => format!("{value}"),
                    };
                    for value in [least, largest] {
                        let set = recipe.set(path, &text(value));
                        assert!(set.is_ok(), "{path} = {}: {set:?}", text(value));
                    }
                    for value in [least - 1.0, most * 1.01 + 1.0] {
                        assert!(recipe.set(path, &text(value)).is_err(), "{path} = {value}");
                    }
                }
                _ => {
                    for value in ["true", "false"] {
                        let set = recipe.set(path, value);
                        assert!(set.is_ok(), "{path} = {value}: {set:?}");
                    }
                    assert!(recipe.set(path, "2").is_err(), "{path}");
                }
            }
        }
    }

    #[test]
    fn every_setting_of_a_still_has_a_kind() {
        let texts = ["schema", "version", "model.name", "model.hash", "objective", "noise"];
        let lists = ["ascent.wobble.scale", "ascent.optimiser.adam.betas"];
        for setting in Recipe::settings() {
            let path = &*setting.path;
            let other = ["zoom", "video", "guides", "regions", "vectors"];
            if other.iter().any(|group| path.starts_with(group)) {
                continue;
            }
            let known = texts.contains(&path) || lists.contains(&path);
            assert_eq!(setting.kind == Kind::Other, known, "{path}");
        }
    }
}
