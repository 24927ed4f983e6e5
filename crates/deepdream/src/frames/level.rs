//! The CPU level is a part of what frames are made with: at another one, the next frames differ in their last
//! bits from those that would have come.

use std::path::Path;

use kernels::CpuLevel;

use crate::progress::Run;
use crate::{Error, Fault, Knob, Note, Result};

/// Whether the frames in `folder`, which were made at the level `before`, can be gone on with at `now`. States
/// of versions before 0.3 do not say their level: a note does.
///
/// # Errors
/// Another level.
pub(crate) fn check_level(
    folder: &Path,
    before: Option<&str>,
    now: CpuLevel,
    run: Run,
) -> Result<()> {
    let Some(before) = before else {
        run.note(Note::UnknownLevel { folder: folder.to_owned(), level: now.to_string() });
        return Ok(());
    };
    if before == now.to_string() {
        return Ok(());
    }
    let name = folder.display();
    let what = format!(
        "the frames in {name} were made at the CPU level {before}, and this run is at {now}: the next ones would \
         not be the same to the byte"
    );
    let error = Error::new(Fault::Recipe, what).at(folder);
    let here = CpuLevel::available().iter().any(|level| level.to_string() == before);
    let error = match here {
        true => error.hint(format!("Set {}={before} to go on as before.", CpuLevel::VARIABLE)),
        false => {
            error.hint("Go on where the frames were begun, for this processor lacks the level.")
        }
    };
    Err(error.turn(Knob::Overwrite, "Or remove the frames and begin again."))
}
