//! Where outputs go: beside their pictures, into a folder, or where the user says. Two
//! dreams never share a file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use media::ImageFormat;

use crate::inputs::same;
use crate::output::{check_folder, unwritable};
use crate::{Error, Fault, Knob, Result};

/// What noise is called, where a picture would give its name.
const NOISE: &str = "noise";

/// Where a dream goes, and in which format.
pub(crate) type OutputPath = (PathBuf, ImageFormat);

/// Where the dream of each picture goes (`None` is noise), or why there can be none. A folder for them is made,
/// if `make` says so.
///
/// # Errors
/// What concerns all of them: an extension of no known format, one file for several pictures, a folder
/// that cannot be made, whether or not it is to be now.
pub(crate) fn output_paths(
    pictures: &[Option<&Path>],
    wanted: Option<&Path>,
    make: bool,
) -> Result<Vec<Result<OutputPath>>> {
    let paths: Vec<Result<OutputPath>> = match wanted {
        Some(file) if !is_folder(file, pictures.len()) => {
            let path = file.to_owned();
            match pictures.len() {
                1 => vec![Ok((path, ImageFormat::of_name(file)?))],
                count => return Err(one_file(&path, count)),
            }
        }
        folder => {
            if let Some(folder) = folder {
                check_folder(folder)?;
            }
            if let Some(folder) = folder.filter(|_| make) {
                std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
            }
            pictures.iter().map(|picture| beside(*picture, folder)).collect()
        }
    };
    apart(pictures, &paths)?;
    Ok(paths)
}

/// Where each of so many pictures goes that are dreamt together, where one by itself would go to `path`:
/// `noise.dream_0.png`, `noise.dream_1.png` and so on, their numbers all as long as the last.
pub(crate) fn numbered(path: &Path, pictures: usize) -> impl Iterator<Item = PathBuf> {
    let digits = pictures.saturating_sub(1).to_string().len();
    (0..pictures).map(move |number| {
        let mut name = path.file_stem().unwrap_or_default().to_owned();
        name.push(format!("_{number:0digits$}"));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        path.with_file_name(name)
    })
}

/// Where a movie goes that is called `own` where nothing else is `wanted`: there, or into the folder that
/// the wanted path ends as.
///
/// # Errors
/// A folder that cannot be made.
#[cfg(feature = "video")]
pub(crate) fn movie_path(wanted: Option<&Path>, own: PathBuf) -> Result<PathBuf> {
    let Some(path) = wanted else { return Ok(own) };
    if !ends_as_folder(path) {
        return Ok(path.to_owned());
    }
    std::fs::create_dir_all(path).map_err(|error| unwritable(path, error))?;
    Ok(path.join(own.file_name().unwrap_or_default()))
}

/// Whether `path` is for more than one file: it is a folder, it ends as one, or there are several
/// pictures for it and its name has no extension.
fn is_folder(path: &Path, pictures: usize) -> bool {
    path.is_dir() || ends_as_folder(path) || (pictures > 1 && path.extension().is_none())
}

fn ends_as_folder(path: &Path) -> bool {
    path.as_os_str().to_string_lossy().ends_with(std::path::is_separator)
}

/// The error for one file that is to hold several dreams.
fn one_file(path: &Path, pictures: usize) -> Error {
    let what = format!("could not write {pictures} dreams into one file, {}", path.display());
    Error::new(Fault::Output, what).at(path).turn(
        Knob::Output,
        format!("Give a folder: {}{}", path.display(), std::path::MAIN_SEPARATOR),
    )
}

/// Refuses two dreams in one file.
fn apart(pictures: &[Option<&Path>], paths: &[Result<OutputPath>]) -> Result<()> {
    let mut seen = HashMap::new();
    let all = pictures.iter().zip(paths).filter_map(|(picture, path)| {
        Some((picture.as_ref()?.to_path_buf(), &path.as_ref().ok()?.0))
    });
    for (picture, path) in all {
        let Some(other) = seen.insert(same(path), picture.clone()) else { continue };
        let (first, second) = (other.display(), picture.display());
        return Err(match same(&other) == same(&picture) {
            true => Error::new(Fault::Usage, format!("{second} is named twice"))
                .at(&picture)
                .hint("Name each picture once."),
            false => {
                let path_text = path.display();
                let what = format!("{first} and {second} would both become {path_text}");
                Error::new(Fault::Output, what).at(path).turn(
                    Knob::Output,
                    "Dream on them one at a time, each with an output of its own.",
                )
            }
        });
    }
    Ok(())
}

/// `photo.dream.jpg` for `photo.jpg`, beside it or in `folder`. A name that hides another format gets
/// that format's extension.
fn beside(picture: Option<&Path>, folder: Option<&Path>) -> Result<OutputPath> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_dreamt_together_are_numbered_in_their_order() {
        let names = |path, pictures| Vec::from_iter(numbered(Path::new(path), pictures));
        assert_eq!(
            names("a/dog.dream.png", 2),
            ["a/dog.dream_0.png", "a/dog.dream_1.png"].map(PathBuf::from)
        );
        let twelve = names("dog.jpg", 12);
        assert_eq!(
            [&twelve[0], &twelve[11]].map(|path| path.to_str()),
            [Some("dog_00.jpg"), Some("dog_11.jpg")]
        );
        assert!(twelve.is_sorted());
    }
}
