//! What a setting takes, in words and with an example, for a recipe or a flag that has something of another type.

use toml::{Table, Value};

use super::settings::{self, joined};
use super::{Kind, Recipe, RecipeError, Setting};

/// What neither a range nor a choice tells.
enum Shape {
    Text(&'static str),
    /// So many numbers.
    Numbers(usize, &'static str),
    /// A number for each of something, in a list.
    List(&'static str),
    Number(&'static str),
    Switch,
    /// Settings in braces.
    Group(&'static str),
    /// Settings in braces, several of them in a list.
    Groups(&'static str),
}

use Shape::{Group, Groups, List, Number, Numbers, Switch, Text};

const SHAPES: [(&str, Shape); 33] = [
    ("schema", Number("1")),
    ("version", Text("0.2.0")),
    ("model.name", Text("inception5h")),
    ("model.hash", Text("")),
    ("noise", Group("{ width = 640, height = 400 }")),
    ("objective", Groups("[{ layer = \"mixed4c\", weight = 1.0 }]")),
    ("ascent.wobble.scale", Numbers(2, "[0.9, 1.1]")),
    ("ascent.optimiser.adam.betas", Numbers(2, "[0.9, 0.999]")),
    ("zoom.motion.shift", Numbers(2, "[0.1, 0]")),
    ("zoom.motion.centre", Numbers(2, "[0.5, 0.5]")),
    ("zoom.motion.tint", Numbers(3, "[3, 0, 0]")),
    ("zoom.rhythm.curve", List("[0, 128, 255]")),
    ("zoom.rhythm.motion", Number("0.6")),
    ("zoom.rhythm.pace", Number("0.6")),
    ("zoom.keyframes", Groups("[{ at = 2.0, set = { ascent = { step = 1.5 } } }]")),
    ("vectors.NAME", Group("{ file = \"direction.npy\" }")),
    ("vectors.NAME.file", Text("direction.npy")),
    ("vectors.NAME.sha256", Text("")),
    ("vectors.NAME.values", List("[1.0, 0.5, 0.0]")),
    ("guides.NAME", Group("{ file = \"flowers.jpg\" }")),
    ("guides.NAME.file", Text("flowers.jpg")),
    ("guides.NAME.sha256", Text("")),
    ("guides.NAME.size", Number("224")),
    ("guides.NAME.part", Numbers(4, "[0.25, 0.25, 0.5, 0.5]")),
    ("regions.NAME", Group("{ mask = \"sky.png\" }")),
    ("regions.NAME.mask", Text("sky.png")),
    ("regions.NAME.sha256", Text("")),
    ("regions.NAME.color", Text("#0000ff")),
    ("regions.NAME.feather", Number("0.02")),
    ("regions.NAME.invert", Switch),
    ("guides", Group("{ flowers = { file = \"flowers.jpg\" } }")),
    ("regions", Group("{ sky = { mask = \"sky.png\" } }")),
    ("vectors", Group("{ smile = { file = \"smile.npy\" } }")),
];

/// Numbers whose default is none.
const EXAMPLES: [(&str, &str); 5] = [
    ("size", "640"),
    ("diversity", "0.5"),
    ("noise.width", "640"),
    ("noise.height", "400"),
    ("zoom.length", "10"),
];

/// The first setting in a recipe's table that has a value of another type than it takes.
pub(super) fn check(table: &Table) -> Result<(), RecipeError> {
    let settings = Recipe::settings();
    check_group(table, "", &settings, false)?;
    let keyframes = table.get("zoom").and_then(|zoom| zoom.get("keyframes"));
    for keyframe in keyframes.and_then(Value::as_array).into_iter().flatten() {
        let Some(set) = keyframe.get("set").and_then(Value::as_table) else { continue };
        let at = keyframe.get("at").and_then(settings::number).unwrap_or(f64::NAN);
        check_group(set, "", &settings, true).map_err(|error| error.in_keyframe(at))?;
    }
    Ok(())
}

fn check_group(
    table: &Table,
    group: &str,
    settings: &[Setting],
    in_keyframe: bool,
) -> Result<(), RecipeError> {
    for (name, value) in table {
        let path = joined(group, name);
        let known = settings::general(&path);
        let setting = settings.iter().find(|setting| setting.path == known);
        let problem = match setting {
            Some(setting) => problem(setting, value, in_keyframe),
            None => unshaped(&known, value),
        };
        if let Some(problem) = problem {
            return Err(RecipeError::Value { setting: path, value: value.to_string(), problem });
        }
        if let Value::Table(table) = value {
            check_group(table, &path, settings, in_keyframe)?;
        }
    }
    Ok(())
}

/// What is wrong with a setting's value.
fn problem(setting: &Setting, value: &Value, in_keyframe: bool) -> Option<String> {
    let number = settings::number(value).is_some();
    match setting.kind {
        // Word and number at once.
        _ if setting.path == "octaves.anchor" => {
            let pixels = 1..=i64::from(u32::MAX);
            let whole = value.as_integer().is_some_and(|value| pixels.contains(&value));
            let fits = value.as_str() == Some("full") || if in_keyframe { number } else { whole };
            (!fits)
                .then(|| "it takes a whole number of pixels, such as 640, or \"full\"".to_owned())
        }
        // Once it was a switch.
        _ if setting.path == "ascent.bound" && value.is_bool() => None,
        Kind::Number { least, most, whole } => {
            let most_stored = if setting.path == "seed" { i64::MAX } else { i64::from(u32::MAX) };
            let fits = match whole && !in_keyframe {
                true => value.as_integer().is_some_and(|value| (0..=most_stored).contains(&value)),
                false => number,
            };
            let kind = if whole { "a whole number" } else { "a number" };
            let example = EXAMPLES.iter().find(|(path, _)| *path == setting.path);
            let example = example.map_or(&*setting.default, |(_, example)| example);
            let most = if setting.path == "seed" { i64::MAX.to_string() } else { most.to_string() };
            (!fits).then(|| format!("it takes {kind} from {least} to {most}, such as {example}"))
        }
        Kind::Switch => (!value.is_bool()).then(|| "it takes true or false".to_owned()),
        Kind::Choice => {
            let word = match value {
                Value::String(word) => Some(word),
                Value::Table(table) => table.keys().next(),
                _ => None,
            };
            let fits = word.is_some_and(|word| setting.choices.contains(&&**word));
            (!fits).then(|| format!("it takes {}", listed(setting.choices)))
        }
        Kind::Other => unshaped(&setting.path, value),
    }
}

/// What is wrong with the value of what is no number, switch or choice.
fn unshaped(path: &str, value: &Value) -> Option<String> {
    let (_, shape) = SHAPES.iter().find(|(known, _)| *known == path)?;
    let numbers = |value: &Value| settings::number(value).is_some();
    let list = value.as_array();
    let (fits, takes, example) = match shape {
        Text(example) => (value.is_str(), "text in quotation marks".to_owned(), *example),
        Numbers(count, example) => {
            let fits = list.is_some_and(|list| list.len() == *count && list.iter().all(numbers));
            (fits, format!("a list of {count} numbers"), *example)
        }
        List(example) => {
            let fits = list.is_some_and(|list| list.iter().all(numbers));
            (fits, "a list of numbers".to_owned(), *example)
        }
        Number(example) => (numbers(value), "a number".to_owned(), *example),
        Switch => (value.is_bool(), "true or false".to_owned(), ""),
        Group(example) => (value.is_table(), "settings in braces".to_owned(), *example),
        Groups(example) => {
            let fits = list.is_some_and(|list| list.iter().all(Value::is_table));
            (fits, "a list of settings in braces".to_owned(), *example)
        }
    };
    let such_as = match (example, shape) {
        ("", _) => String::new(),
        (example, Text(_)) => format!(", such as {example:?}"),
        (example, _) => format!(", such as {example}"),
    };
    (!fits).then(|| format!("it takes {takes}{such_as}"))
}

/// Words in backquotes, the last after `or`.
fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match &quoted[..] {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => quoted.concat(),
    }
}

/// In this program's words what serde says of a value of another type; what it says of other things as it is.
pub(super) fn in_words(message: &str) -> String {
    if let Some(name) = message.strip_prefix("missing field ") {
        return format!("{name} is missing");
    }
    let wrong = ["invalid type: ", "invalid value: ", "invalid "];
    let Some(rest) = wrong.iter().find_map(|prefix| message.strip_prefix(prefix)) else {
        return message.to_owned();
    };
    let Some((found, expected)) = rest.rsplit_once(", expected ") else {
        return message.to_owned();
    };
    let expected = match expected.trim_end() {
        "u8" => "a whole number from 0 to 255",
        "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i64" | "i32" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" => "text in quotation marks",
        "a boolean" => "true or false",
        "a sequence" => "a list in brackets, [1, 2]",
        "a map" => "settings in braces, { name = 1 }",
        other if other.starts_with("struct ") => "settings in braces, { name = 1 }",
        other => other.strip_prefix("an array of ").unwrap_or(other),
    };
    let expected = match expected.strip_prefix("length ") {
        Some(count) => format!("a list of {count} values"),
        None => expected.to_owned(),
    };
    let found = match found.split_once(' ') {
        Some(("string" | "integer" | "boolean", value)) => value.trim_matches('`'),
        Some(("floating", value)) => value.trim_start_matches("point ").trim_matches('`'),
        Some(("length", count)) => return format!("it takes {expected}, not of {count}"),
        _ if found == "sequence" => "a list",
        _ if found == "map" => "settings in braces",
        _ => found,
    };
    format!("it takes {expected}, not {found}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_says_what_it_takes_and_takes_its_example() {
        for setting in Recipe::settings() {
            // A date is nothing that any setting takes.
            let never = "value = 1979-05-27".parse::<Table>().unwrap()["value"].clone();
            let said =
                problem(&setting, &never, false).unwrap_or_else(|| panic!("{}", setting.path));
            let Some((_, example)) = said.split_once(", such as ") else { continue };
            let example = example.split(", or ").next().unwrap();
            let value = super::super::set::value(example);
            assert_eq!(problem(&setting, &value, false), None, "{}: {said}", setting.path);
        }
    }

    #[test]
    fn shapes_are_those_of_settings() {
        let settings = Recipe::settings();
        for (path, _) in SHAPES {
            let known = settings.iter().any(|setting| settings::is_within(&setting.path, path));
            assert!(known, "{path}");
        }
    }

    #[test]
    fn what_serde_says_is_said_in_words() {
        for (said, wanted) in [
            (
                "invalid type: string \"x\", expected u32",
                "it takes a whole number, 0 or more, not \"x\"",
            ),
            (
                "invalid type: floating point `1.5`, expected u64",
                "it takes a whole number, 0 or more, not 1.5",
            ),
            (
                "invalid value: integer `-1`, expected u32",
                "it takes a whole number, 0 or more, not -1",
            ),
            (
                "invalid type: integer `3`, expected a string",
                "it takes text in quotation marks, not 3",
            ),
            (
                "invalid length 3, expected an array of length 2",
                "it takes a list of 2 values, not of 3",
            ),
            ("invalid type: sequence, expected f32", "it takes a number, not a list"),
            ("missing field `at`", "`at` is missing"),
            ("unknown field `a`, expected `b`", "unknown field `a`, expected `b`"),
        ] {
            assert_eq!(in_words(said), wanted);
        }
    }
}
