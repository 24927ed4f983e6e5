//! A library that was set aside is begun anew from the files that are there: a photo's name is lost with it, the
//! photo is not.

use std::path::{Path, PathBuf};

use crate::desk::Start;
use crate::photos;
use crate::server::Room;
use crate::workshop::Failure;

/// Takes every photo and video among the originals into the library that it does not know.
pub(crate) fn gather(room: &Room) {
    for file in originals(room.shelf.root()) {
        if room.desk.is_over() {
            return;
        }
        // What is neither stays where it is, for people to look at.
        let _ = take(room, file);
    }
}

/// The files among the originals that are named by hashes.
fn originals(root: &Path) -> Vec<PathBuf> {
    let within = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = within(&root.join("originals"));
    let files = folders.flat_map(|folder| within(&folder.path()));
    let plain = files.filter(|file| file.file_type().is_ok_and(|kind| kind.is_file()));
    plain.map(|file| file.path()).collect()
}

fn take(room: &Room, file: PathBuf) -> Result<(), Failure> {
    let part = |part: Option<&std::ffi::OsStr>| {
        part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let (id, extension) = (part(file.file_stem()), part(file.extension()));
    let is_hash = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hash || room.library.picture(&id)?.is_some() {
        return Ok(());
    }
    let name = format!("{}.{extension}", &id[..8]);
    let bytes = file.metadata().map_or(0, |about| about.len());
    let workshop = &room.desk.workshop;
    let look = {
        let _alone = room.look_alone();
        workshop.look(&file, &name)
    };
    match look {
        Ok(look) => {
            let (width, height) = (look.width, look.height);
            let start = Start { id, name, width, height, noise: false, file };
            photos::add(room, start, &extension, bytes).map(drop)
        }
        Err(_) => {
            let clip = workshop.look_at_video(&file, &name)?;
            photos::add_video(room, (&id, &name), &clip, bytes).map(drop)
        }
    }
}
