//! Where outputs go: beside their pictures, into a folder, or where the user says.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use media::ImageFormat;

use crate::output::unwritable;
use crate::{Error, Fault, Knob, Result};

/// What noise is called, where a picture would give its name.
const NOISE: &str = "noise";

/// A path and a format for the dream of each picture (`None` is noise).
///
/// # Errors
/// A picture that is none, an extension of no known format, one file for several pictures, or a
/// folder that cannot be made.
pub(crate) fn output_paths(
    pictures: &[Option<&Path>],
    wanted: &Option<PathBuf>,
) -> Result<Vec<(PathBuf, ImageFormat)>> {
    let paths = match wanted {
        Some(file) if !is_folder(file, pictures.len()) => {
            vec![(file.to_owned(), ImageFormat::of_name(file)?)]
        }
        folder => {
            let folder = folder.as_deref();
            if let Some(folder) = folder {
                std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
            }
            let beside = |picture: &Option<&Path>| beside(*picture, folder);
            pictures.iter().map(beside).collect::<Result<_>>()?
        }
    };
    let mut seen = HashSet::new();
    match paths.iter().find(|(path, _)| !seen.insert(path)) {
        None => Ok(paths),
        Some((path, _)) => {
            let what = format!("two of the dreams would be written to {}", path.display());
            Err(Error::new(Fault::Output, what)
                .at(path)
                .turn(Knob::Output, "Dream on them one at a time, each with its own output."))
        }
    }
}

/// Whether `path` is for more than one file: it is a folder, it ends as one, or there are several
/// pictures for it and its name is no picture's.
fn is_folder(path: &Path, pictures: usize) -> bool {
    let ends_as_one = path.as_os_str().to_string_lossy().ends_with(std::path::is_separator);
    path.is_dir() || ends_as_one || pictures > 1
}

/// `photo.dream.jpg` for `photo.jpg`, beside it or in `folder`. A name that hides another format gets
/// that format's extension.
fn beside(picture: Option<&Path>, folder: Option<&Path>) -> Result<(PathBuf, ImageFormat)> {
    let Some(picture) = picture else {
        let name = format!("{NOISE}.dream.png");
        return Ok((folder.unwrap_or(Path::new("")).join(name), ImageFormat::Png));
    };
    let format = ImageFormat::of_file(picture)?;
    let extension = match picture.extension() {
        Some(extension) if ImageFormat::of_name(picture).is_ok_and(|named| named == format) => {
            extension.to_owned()
        }
        _ => format.extension().into(),
    };
    let mut name = picture.file_stem().unwrap_or_default().to_owned();
    name.push(".dream.");
    name.push(extension);
    let folder = folder.or(picture.parent()).unwrap_or(Path::new(""));
    Ok((folder.join(name), format))
}
