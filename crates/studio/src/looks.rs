//! Looks that people have saved: recipes without photo, mask, size and seed.

use serde_json::{Value, json};

use crate::desk::Part;
use crate::server::Room;
use crate::shelf::label;
use crate::workshop::Failure;

/// Their names.
pub(crate) fn list(room: &Room) -> Result<Value, Failure> {
    let looks = room.library.looks()?;
    Ok(looks.iter().map(|look| json!({ "id": look.id, "name": look.name })).collect())
}

/// Saves a recipe, or that of what is on the desk, as a look.
///
/// # Errors
/// A name that another look has.
pub(crate) fn save(room: &Room, name: &str, recipe: Option<String>) -> Result<(), Failure> {
    let now = || room.desk.now().map(|(_, recipe)| recipe).ok_or_else(crate::upload::unfinished);
    let recipe = recipe.map_or_else(now, Ok)?;
    let look = room.desk.workshop.as_look(&recipe)?;
    room.library.save_look(&label(name), &look)?;
    room.desk.tell_of(Part::History);
    Ok(())
}

/// Dreams by a look what is on the desk, by its `layers` too or by those that are there; none without such a look.
pub(crate) fn apply(room: &Room, id: &str, layers: bool) -> Result<Option<()>, Failure> {
    let Some((_, now)) = room.desk.now() else { return Ok(None) };
    let Some(look) = recipe(room, id)? else { return Ok(None) };
    let recipe = room.desk.workshop.with_look(&now, &look, layers)?;
    room.desk.take(recipe);
    Ok(Some(()))
}

/// Gives a look another name; none if there is none.
pub(crate) fn rename(room: &Room, id: &str, name: &str) -> Result<Option<()>, Failure> {
    let renamed = room.library.rename_look(id, &label(name))?;
    room.desk.tell_of(Part::History);
    Ok(renamed.then_some(()))
}

/// Removes a look; what it was, so that it can be saved again, or none if there is none.
pub(crate) fn remove(room: &Room, id: &str) -> Result<Option<Value>, Failure> {
    let removed = room.library.remove_look(id)?;
    room.desk.tell_of(Part::History);
    Ok(removed.map(|look| json!({ "name": look.name, "recipe": look.recipe })))
}

/// The recipe of a look.
pub(crate) fn recipe(room: &Room, id: &str) -> Result<Option<String>, Failure> {
    Ok(room.library.look(id)?.map(|look| look.recipe))
}
