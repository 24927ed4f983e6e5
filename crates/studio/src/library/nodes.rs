//! The history: what was dreamt on a picture, each with what it came from.

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use super::{Library, new_id, now};
use crate::workshop::Failure;

/// How many a picture may have.
const MOST: i64 = 10_000;

/// A dream that was kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    /// What it came from by a change, if that was kept.
    pub(crate) parent: Option<String>,
    pub(crate) title: String,
    /// How large the dream was.
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The longest side that was asked for.
    pub(crate) longest: u32,
    pub(crate) star: bool,
    /// Milliseconds since 1970.
    pub(crate) made: i64,
}

/// What makes a dream again, and tells whether it is the same.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Origin {
    /// What it was dreamt on.
    pub(crate) picture: String,
    pub(crate) recipe: String,
    /// The recipe that makes it again whatever memory is free, where it is known.
    pub(crate) settled: Option<String>,
    /// The longest side that was asked for.
    pub(crate) longest: u32,
    /// SHA-256 of its PNG, in hexadecimal; empty where nobody knows.
    pub(crate) exact: String,
    /// SHA-256 of its pixels, in hexadecimal; empty where nobody knows.
    pub(crate) pixels: String,
}

/// A dream that is to be kept.
#[derive(Clone, Debug)]
pub(crate) struct NewNode<'a> {
    /// What it was dreamt on: the id of a start.
    pub(crate) picture: &'a str,
    pub(crate) parent: Option<&'a str>,
    pub(crate) recipe: &'a str,
    pub(crate) title: &'a str,
    pub(crate) size: (u32, u32),
    pub(crate) longest: u32,
    /// Its recipe with nothing left to choose.
    pub(crate) settled: &'a str,
    /// SHA-256 of its PNG, in hexadecimal.
    pub(crate) exact: &'a str,
    /// SHA-256 of its pixels, in hexadecimal.
    pub(crate) pixels: &'a str,
    /// A small JPEG of it.
    pub(crate) small: &'a [u8],
}

/// A change of a node: what is not given stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeChange {
    #[serde(default)]
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) star: Option<bool>,
    #[serde(default)]
    pub(crate) trashed: Option<bool>,
}

fn node(row: &Row) -> rusqlite::Result<Node> {
    Ok(Node {
        id: row.get(0)?,
        parent: row.get(1)?,
        title: row.get(2)?,
        width: row.get(3)?,
        height: row.get(4)?,
        longest: row.get(5)?,
        star: row.get(6)?,
        made: row.get(7)?,
    })
}

impl Library {
    /// Keeps a dream; returns the name that it has from here on. A parent that is gone is none.
    ///
    /// # Errors
    /// A picture that has as many as it may have.
    pub(crate) fn add_node(&self, new: &NewNode) -> Result<String, Failure> {
        let count = "SELECT count(*) FROM nodes WHERE picture = ?1";
        let kept: i64 = self.one(count, new.picture, |row| row.get(0))?.unwrap_or(0);
        if kept >= MOST {
            let what = format!("This picture's history has {MOST} dreams, and takes no more.");
            return Err(
                Failure::new("full", what).way_out("Empty the trash, or start anew from a copy.")
            );
        }
        let id = new_id()?;
        let NewNode { picture, parent, recipe, title, size, longest, .. } = new;
        let NewNode { settled, exact, pixels, small, .. } = new;
        let (width, height) = size;
        let add = "INSERT INTO nodes \
                   (id, picture, parent, title, width, height, longest, made, recipe, small, exact, \
                   pixels, settled) \
                   VALUES (?1, ?2, (SELECT id FROM nodes WHERE id = ?3), ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
        self.write(|library| {
            library.execute(
                add,
                params![
                    id,
                    picture,
                    parent,
                    title,
                    width,
                    height,
                    longest,
                    now(),
                    recipe,
                    small,
                    exact,
                    pixels,
                    settled
                ],
            )
        })?;
        Ok(id)
    }

    /// The history of a picture in the order in which it was made, without what is in the trash.
    pub(crate) fn nodes(&self, picture: &str) -> Result<Vec<Node>, Failure> {
        let all = "SELECT id, parent, title, width, height, longest, star, made FROM nodes \
                   WHERE picture = ?1 AND trashed IS NULL ORDER BY number";
        self.read(|library| library.prepare_cached(all)?.query_map([picture], node)?.collect())
    }

    /// The nodes of a picture that have these pixels and are not in the trash, the last first: ids and recipes.
    pub(crate) fn nodes_of(
        &self,
        picture: &str,
        pixels: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        let question = "SELECT id, recipe FROM nodes \
                        WHERE picture = ?1 AND pixels = ?2 AND trashed IS NULL ORDER BY number DESC";
        self.read(|library| {
            let mut question = library.prepare_cached(question)?;
            question.query_map([picture, pixels], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    /// Keeps the hash of a node's pixels, and the recipe that made them.
    pub(crate) fn settle_node(&self, id: &str, pixels: &str, settled: &str) -> Result<(), Failure> {
        let settle = "UPDATE nodes SET pixels = ?2, settled = ?3 WHERE id = ?1";
        self.write(|library| library.execute(settle, [id, pixels, settled]).map(drop))
    }

    /// A node that shows exactly this, and what it was dreamt on.
    pub(crate) fn node_exactly(&self, exact: &str) -> Result<Option<(String, String)>, Failure> {
        let question =
            "SELECT id, picture FROM nodes WHERE exact = ?1 ORDER BY number DESC LIMIT 1";
        self.one(question, exact, |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// What makes the dream of a node again, in the trash or not.
    pub(crate) fn origin(&self, id: &str) -> Result<Option<Origin>, Failure> {
        let question =
            "SELECT picture, recipe, settled, longest, exact, pixels FROM nodes WHERE id = ?1";
        self.one(question, id, |row| {
            Ok(Origin {
                picture: row.get(0)?,
                recipe: row.get(1)?,
                settled: row.get(2)?,
                longest: row.get(3)?,
                exact: row.get(4)?,
                pixels: row.get(5)?,
            })
        })
    }

    /// The small JPEG of a node.
    pub(crate) fn small_of_node(&self, id: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.one("SELECT small FROM nodes WHERE id = ?1", id, |row| row.get(0))
    }

    /// Changes a node; returns whether it is there.
    pub(crate) fn change_node(&self, id: &str, change: &NodeChange) -> Result<bool, Failure> {
        let NodeChange { title, star, trashed } = change;
        let change = "UPDATE nodes SET title = coalesce(?2, title), star = coalesce(?3, star), \
                      trashed = CASE ?4 WHEN 1 THEN ?5 WHEN 0 THEN NULL ELSE trashed END WHERE id = ?1";
        self.write(|library| {
            Ok(library.execute(change, params![id, title, star, trashed, now()])? == 1)
        })
    }

    /// How many nodes are in the trash, by themselves or with their picture.
    pub(crate) fn trashed_nodes(&self) -> Result<u64, Failure> {
        let count = "SELECT count(*) FROM nodes LEFT JOIN pictures ON pictures.id = nodes.picture \
                     WHERE nodes.trashed NOT NULL OR pictures.trashed NOT NULL";
        self.read(|library| library.query_row(count, [], |row| row.get(0)))
    }

    /// Removes for good the nodes that went to the trash before a time. What came from them comes from what
    /// they came from.
    pub(crate) fn forget_nodes(&self, trashed_before: i64) -> Result<(), Failure> {
        self.write(|library| {
            loop {
                let next = "SELECT id, parent FROM nodes WHERE trashed < ?1 LIMIT 1";
                let mut next = library.prepare_cached(next)?;
                let mut rows = next.query([trashed_before])?;
                let Some(row) = rows.next()? else { return Ok(()) };
                let (id, parent): (String, Option<String>) = (row.get(0)?, row.get(1)?);
                let inherit = "UPDATE nodes SET parent = ?2 WHERE parent = ?1";
                library.execute(inherit, params![id, parent])?;
                library.execute("DELETE FROM nodes WHERE id = ?1", [id])?;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_a_tree_that_is_starred_named_and_pruned() {
        let folder = tempfile::tempdir().unwrap();
        let (library, _) = Library::open(folder.path()).unwrap();
        let add = |parent: Option<&str>, title| {
            let (picture, recipe, small) = ("sky", "recipe", &b"jpeg"[..]);
            let (size, longest, exact) = ((640, 480), 640, title);
            let (settled, pixels) = ("settled", title);
            let new = NewNode {
                picture,
                parent,
                recipe,
                title,
                size,
                longest,
                settled,
                exact,
                pixels,
                small,
            };
            library.add_node(&new).unwrap()
        };
        let first = add(None, "mixed4c");
        let second = add(Some(&first), "mixed4d");
        let third = add(Some(&second), "mixed5a");
        let known = vec![(second.clone(), "recipe".to_owned())];
        assert_eq!(library.nodes_of("sky", "mixed4d").unwrap(), known);
        assert_eq!(library.nodes_of("cup", "mixed4d").unwrap(), []);
        library.settle_node(&first, "pixels", "again").unwrap();
        let settled = library.origin(&first).unwrap().unwrap();
        assert_eq!((&*settled.pixels, settled.settled.as_deref()), ("pixels", Some("again")));
        assert_eq!(library.nodes("cup").unwrap(), []);
        let change = |id: &str, change: NodeChange| library.change_node(id, &change).unwrap();
        assert!(change(&third, NodeChange { star: Some(true), ..NodeChange::default() }));
        assert!(change(&third, NodeChange { title: Some("dogs".into()), ..NodeChange::default() }));
        assert!(!change("other", NodeChange::default()));
        assert!(change(&second, NodeChange { trashed: Some(true), ..NodeChange::default() }));
        let nodes = library.nodes("sky").unwrap();
        let seen: Vec<_> = nodes.iter().map(|node| (&*node.title, node.star)).collect();
        assert_eq!(seen, [("mixed4c", false), ("dogs", true)]);
        assert_eq!(library.trashed_nodes().unwrap(), 1);
        assert!(change(&second, NodeChange { trashed: Some(false), ..NodeChange::default() }));
        library.forget_nodes(i64::MAX).unwrap();
        assert_eq!(library.nodes("sky").unwrap().len(), 3);
        assert!(change(&second, NodeChange { trashed: Some(true), ..NodeChange::default() }));
        library.forget_nodes(i64::MAX).unwrap();
        let nodes = library.nodes("sky").unwrap();
        let parents: Vec<_> = nodes.iter().map(|node| node.parent.as_deref()).collect();
        assert_eq!(parents, [None, Some(&*first)]);
        let Origin { picture, recipe, longest, exact, .. } =
            library.origin(&third).unwrap().unwrap();
        assert_eq!((&*picture, &*recipe, longest, &*exact), ("sky", "recipe", 640, "mixed5a"));
        assert_eq!(library.origin(&second).unwrap(), None);
        assert_eq!(library.small_of_node(&third).unwrap().unwrap(), b"jpeg");
        assert_eq!(library.small_of_node(&second).unwrap(), None);
    }
}
