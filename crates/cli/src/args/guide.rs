//! `--guide`: a guide's name and its picture.

use std::path::PathBuf;

use deepdream::{Error, Fault, GivenFiles};

use super::mask::named;

/// `[NAME=]FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GuideArg {
    name: Option<String>,
    file: PathBuf,
}

impl GuideArg {
    /// Reads what was typed. A text that names a file as a whole is that file.
    ///
    /// # Errors
    /// A text without a file.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, file) = match named(text) {
            Some((name, file)) => (Some(name.to_owned()), file),
            None => (None, text),
        };
        match file {
            "" => Err("a file is missing: write --guide flowers.jpg".into()),
            file => Ok(Self { name, file: file.into() }),
        }
    }

    /// Puts the guide of this number, from 1, into a request.
    ///
    /// # Errors
    /// A guide of that name is there already.
    pub(crate) fn edit(&self, number: usize, files: &mut GivenFiles) -> Result<(), Error> {
        let unnamed = if number == 1 { "guide".to_owned() } else { format!("guide{number}") };
        let name = self.name.clone().unwrap_or(unnamed);
        match files.guides.insert(name.clone(), self.file.clone()) {
            None => Ok(()),
            Some(_) => Err(Error::new(Fault::Usage, format!("two guides are called `{name}`"))
                .hint("Give each a name of its own: --guide NAME=FILE.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guides_are_read_with_or_without_a_name() {
        let mut files = GivenFiles::default();
        for (text, number) in [("flowers.jpg", 1), ("b=stars.png", 2), ("a/c=d.png", 3)] {
            GuideArg::parse(text).unwrap().edit(number, &mut files).unwrap();
        }
        let named = |(name, file): (&str, &str)| (name.to_owned(), PathBuf::from(file));
        let expected = [("guide", "flowers.jpg"), ("b", "stars.png"), ("guide3", "a/c=d.png")];
        assert_eq!(files.guides, expected.map(named).into());
        let again = GuideArg::parse("b=other.png").unwrap().edit(4, &mut files);
        assert!(again.unwrap_err().to_string().contains("two guides are called `b`"));
        assert!(GuideArg::parse("").is_err() && GuideArg::parse("a=").is_err());
    }
}
