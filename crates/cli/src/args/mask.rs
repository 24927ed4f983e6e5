//! `--mask`: a region's name, its mask and its colour.

use std::path::{Path, PathBuf};

use deepdream::{Error, Fault, GivenFiles, Recipe, RecipeRequest};

/// `[NAME=]FILE[#RRGGBB]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MaskArg {
    name: String,
    file: PathBuf,
    color: Option<String>,
}

impl MaskArg {
    /// Reads what was typed. A text that names a file as a whole is that file.
    ///
    /// # Errors
    /// A text without a file, or with something that was to be a colour and is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, rest) = named(text).unwrap_or((Recipe::USUAL_REGION, text));
        let (file, color) = match colored(rest) {
            None => (rest, None),
            Some((file, color)) if is_color(color) => (file, Some(color)),
            Some((file, color)) => return Err(no_color(file, color)),
        };
        if file.is_empty() {
            return Err(
                "a file is missing: write --mask areas.png, or --mask sky=areas.png#0000ff".into(),
            );
        }
        let (name, file) = (name.to_owned(), PathBuf::from(file));
        Ok(Self { name, file, color: color.map(str::to_owned) })
    }

    /// Puts it into a request.
    ///
    /// # Errors
    /// A mask of that region is there already.
    pub(crate) fn edit(
        &self,
        recipe: &mut RecipeRequest,
        files: &mut GivenFiles,
    ) -> Result<(), Error> {
        let Self { name, file, .. } = self;
        if files.masks.insert(name.clone(), file.clone()).is_some() {
            let what = format!("two masks are for the region `{name}`");
            return Err(Error::new(Fault::Usage, what)
                .hint("Give each a name of its own: --mask NAME=FILE."));
        }
        if let Some(color) = &self.color {
            recipe.set(&format!("regions.{name}.color"), format!("\"{color}\""));
        }
        Ok(())
    }
}

/// The name before a `=`, and the rest.
pub(super) fn named(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('=').filter(|_| !Path::new(text).exists())?;
    let fits = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    (!name.is_empty() && name.chars().all(fits)).then_some((name, rest))
}

/// The file before what is a colour or was to be one, and that. What has a point or goes on into a folder is a
/// file's name.
fn colored(text: &str) -> Option<(&str, &str)> {
    let (file, digits) = text.rsplit_once('#').filter(|_| !Path::new(text).exists())?;
    (!digits.contains(['.', '/', '\\'])).then(|| (file, &text[file.len()..]))
}

fn is_color(text: &str) -> bool {
    text.len() == 7 && text[1..].bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn no_color(file: &str, color: &str) -> String {
    let file = if file.is_empty() { "areas.png" } else { file };
    let digits = &color.as_bytes()[1..];
    // As style sheets shorten them.
    let meant = match digits {
        [r, g, b] if digits.iter().all(u8::is_ascii_hexdigit) => {
            [r, r, g, g, b, b].iter().map(|digit| char::from(**digit)).collect()
        }
        _ => "0000ff".to_owned(),
    };
    format!("`{color}` is no colour: write six hexadecimal digits, {file}#{meant}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_read_with_or_without_a_name_and_a_colour() {
        let read = |text: &str| {
            let MaskArg { name, file, color } = MaskArg::parse(text).unwrap();
            (name, file.display().to_string(), color.unwrap_or_default())
        };
        let as_text = |(a, b, c): (&str, &str, &str)| (a.to_owned(), b.to_owned(), c.to_owned());
        for (text, expected) in [
            ("areas.png", ("mask", "areas.png", "")),
            ("sky=areas.png", ("sky", "areas.png", "")),
            ("sky=areas.png#0000ff", ("sky", "areas.png", "#0000ff")),
            ("areas.png#F0a0B1", ("mask", "areas.png", "#F0a0B1")),
            ("a/b=c.png", ("mask", "a/b=c.png", "")),
            ("mask#1.png", ("mask", "mask#1.png", "")),
        ] {
            assert_eq!(read(text), as_text(expected), "{text}");
        }
        for wrong in ["", "sky=", "sky=#ff0000"] {
            let said = MaskArg::parse(wrong).unwrap_err();
            assert!(said.contains("a file is missing"), "{wrong}: {said}");
        }
        for (wrong, meant) in [
            ("#ggg", "`#ggg` is no colour: write six hexadecimal digits, areas.png#0000ff"),
            ("areas.png#0f8", "areas.png#00ff88"),
            ("sky=areas.png#ff00000", "`#ff00000` is no colour"),
            ("areas.png#blue", "`#blue` is no colour"),
            ("areas.png#", "`#` is no colour"),
            ("areas.png#é", "`#é` is no colour"),
        ] {
            let said = MaskArg::parse(wrong).unwrap_err();
            assert!(said.contains(meant), "{wrong}: {said}");
        }
    }
}
