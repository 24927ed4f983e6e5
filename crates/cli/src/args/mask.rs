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
    /// A text without a file.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, rest) = named(text).unwrap_or((Recipe::USUAL_REGION, text));
        let (file, color) = colored(rest).map_or((rest, None), |(file, color)| (file, Some(color)));
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

/// The file before a colour, and the colour.
fn colored(text: &str) -> Option<(&str, &str)> {
    let (file, digits) = text.rsplit_once('#').filter(|_| !Path::new(text).exists())?;
    let is_color = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_color.then(|| (file, &text[file.len()..]))
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
            assert!(MaskArg::parse(wrong).is_err(), "{wrong}");
        }
    }
}
