//! The wire format of protocol buffers, gone through without what is large in it.
//!
//! What is decoded is a file's *skeleton*: the same messages, in which each value that may be large has become the
//! place where it lies. Weights are then read one layer at a time.

use std::io;

use prost::bytes::Bytes;

use crate::content::{Content, Cursor};

/// The fields of a message in which large values lie.
pub(crate) struct Message(pub(crate) &'static [(u64, Part)]);

/// What lies in a field.
pub(crate) enum Part {
    Message(&'static Message),
    /// Bytes whose [`place`] stands in the skeleton in a field of bytes with this number, which then means
    /// nothing else.
    Large(u64),
}

/// How deep messages may lie in each other; those deeper stay as they are.
const MAX_DEPTH: usize = 48;

/// Bytes of a place in a skeleton.
const PLACE: usize = 16;

/// The longest skeleton. Those of real networks have a few megabytes at the most.
const MAX_SKELETON: usize = 1 << 28;

/// So many bytes that stay as they are are copied at once.
const RUN: usize = 1 << 13;

/// What is wrong with a protocol buffer, or with the reading of it.
type Wrong = String;

/// The messages of `content` with the places of what is large.
///
/// # Errors
/// What breaks off, or is no protocol buffer.
pub(crate) fn skeleton(content: &Content, message: &Message) -> Result<Bytes, Wrong> {
    let mut fields = Fields::new(content);
    let mut skeleton = Vec::new();
    fields.message(content.len(), message, 0, &mut skeleton)?;
    Ok(skeleton.into())
}

/// What a place in the skeleton of `content` stands for; `None` if it is no such place.
pub(crate) fn place(place: &[u8], content: &Content) -> Option<Content> {
    let (&[start, len], []) = place.as_chunks::<8>() else { return None };
    let [start, len] = [start, len].map(|number| usize::try_from(u64::from_le_bytes(number)));
    content.get(start.ok()?, len.ok()?)
}

impl Fields {
    /// Appends the message that lies before `end`.
    fn message(
        &mut self,
        end: usize,
        message: &Message,
        depth: usize,
        to: &mut Vec<u8>,
    ) -> Result<(), Wrong> {
        // Where what stays as it is begins.
        let mut kept = self.at;
        while self.at < end {
            let start = self.at;
            let (number, field) = self.next(end)?;
            let after = self.at;
            let taken = message
                .0
                .iter()
                .any(|(_, part)| matches!(part, Part::Large(taken) if *taken == number));
            match (message.0.iter().find(|(known, _)| *known == number), field) {
                (Some((_, Part::Message(inner))), Field::Bytes { start: inside, len })
                    if depth < MAX_DEPTH =>
                {
                    self.copy(kept, start, to)?;
                    let mut content = Vec::new();
                    self.at = inside;
                    self.message(inside + len, inner, depth + 1, &mut content)?;
                    put_bytes(number, &content, to)?;
                    kept = after;
                }
                (Some((_, Part::Large(becomes))), Field::Bytes { start: inside, len }) => {
                    self.copy(kept, start, to)?;
                    let mut place = [0; PLACE];
                    place[..8].copy_from_slice(&(inside as u64).to_le_bytes());
                    place[8..].copy_from_slice(&(len as u64).to_le_bytes());
                    put_bytes(*becomes, &place, to)?;
                    kept = after;
                }
                _ if taken => {
                    self.copy(kept, start, to)?;
                    kept = after;
                }
                _ if after - kept >= RUN => {
                    self.copy(kept, after, to)?;
                    kept = after;
                }
                _ => {}
            }
        }
        self.copy(kept, end, to)
    }

    /// Appends what lies in between.
    fn copy(&mut self, start: usize, end: usize, to: &mut Vec<u8>) -> Result<(), Wrong> {
        let mut at = start;
        room(end - start, to)?;
        while at < end {
            let bytes = self.cursor.from(at).map_err(unread)?;
            let bytes = &bytes[..bytes.len().min(end - at)];
            if bytes.is_empty() {
                return Err("it breaks off".into());
            }
            to.extend_from_slice(bytes);
            at += bytes.len();
        }
        Ok(())
    }
}

/// Sees that so many more bytes fit into a skeleton, and makes room for them.
fn room(count: usize, to: &mut Vec<u8>) -> Result<(), Wrong> {
    if count > MAX_SKELETON - to.len().min(MAX_SKELETON) {
        return Err(format!("it has more than {MAX_SKELETON} bytes beside its weights"));
    }
    to.try_reserve(count)
        .map_err(|_| "there is no memory for what it has beside its weights".into())
}

fn put_bytes(number: u64, bytes: &[u8], to: &mut Vec<u8>) -> Result<(), Wrong> {
    // A key and a length have up to ten bytes each.
    room(20 + bytes.len(), to)?;
    put_number(number << 3 | 2, to);
    put_number(bytes.len() as u64, to);
    to.extend_from_slice(bytes);
    Ok(())
}

fn put_number(mut number: u64, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn unread(error: io::Error) -> Wrong {
    format!("it cannot be read: {error}")
}

/// A field's value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field {
    Number,
    Fixed,
    /// Where bytes lie.
    Bytes {
        start: usize,
        len: usize,
    },
}

/// Goes through the fields of a message, without reading what is in them.
pub(crate) struct Fields {
    cursor: Cursor,
    /// Where the next one begins.
    pub(crate) at: usize,
}

impl Fields {
    pub(crate) fn new(content: &Content) -> Self {
        Self { cursor: Cursor::new(content.clone()), at: 0 }
    }

    /// The next field of a message that ends at `end`, with its number.
    ///
    /// # Errors
    /// What breaks off, or is no field.
    pub(crate) fn next(&mut self, end: usize) -> Result<(u64, Field), Wrong> {
        let key = self.number(end)?;
        let field = match key & 7 {
            0 => self.number(end).map(|_| Field::Number)?,
            1 => self.skip(8, end).map(|_| Field::Fixed)?,
            2 => {
                let len = self.number(end)?;
                let start = self.skip(len, end)?;
                Field::Bytes { start, len: len as usize }
            }
            5 => self.skip(4, end).map(|_| Field::Fixed)?,
            _ => return Err("a field is of no known type".into()),
        };
        match key >> 3 {
            0 => Err("a field has no number".into()),
            number => Ok((number, field)),
        }
    }

    fn number(&mut self, end: usize) -> Result<u64, Wrong> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = match self.at < end {
                true => self.cursor.from(self.at).map_err(unread)?.first().copied(),
                false => None,
            };
            let byte = byte.ok_or("it breaks off")?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number is too long".into())
    }

    /// Goes on behind so many bytes; returns where they begin.
    fn skip(&mut self, count: u64, end: usize) -> Result<usize, Wrong> {
        let start = self.at;
        let after = usize::try_from(count).ok().and_then(|count| start.checked_add(count));
        self.at = after.filter(|&after| after <= end).ok_or("it breaks off")?;
        Ok(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static INNER: Message = Message(&[(1, Part::Large(9))]);
    static OUTER: Message = Message(&[(2, Part::Message(&INNER))]);

    /// A field of bytes.
    fn bytes(number: u64, content: &[u8]) -> Vec<u8> {
        let mut field = Vec::new();
        put_bytes(number, content, &mut field).unwrap();
        field
    }

    #[test]
    fn large_values_become_places_and_all_else_stays() {
        let large = vec![7; 1000];
        let inner = [bytes(1, &large), vec![3 << 3, 5], bytes(9, b"a place of its own")].concat();
        let content = Content::from([bytes(2, &inner), bytes(1, b"name")].concat());
        let skeleton = skeleton(&content, &OUTER).unwrap();
        let start = content.len() - 6 - 20 - 2 - 1000;
        let place_ = [(start as u64).to_le_bytes(), 1000u64.to_le_bytes()].concat();
        let inner = [bytes(9, &place_), vec![3 << 3, 5]].concat();
        assert_eq!(skeleton, [bytes(2, &inner), bytes(1, b"name")].concat());
        assert_eq!(place(&place_, &content).unwrap().read().unwrap(), large);
        let beyond = [(start as u64).to_le_bytes(), (1u64 << 40).to_le_bytes()].concat();
        assert!(place(&beyond, &content).is_none() && place(b"raw", &content).is_none());
    }

    #[test]
    fn what_breaks_off_is_an_error() {
        let wrong = |bytes: Vec<u8>| skeleton(&bytes.into(), &OUTER).unwrap_err();
        assert_eq!(wrong(bytes(2, &[1 << 3 | 2, 100])), "it breaks off");
        assert_eq!(wrong(vec![2 << 3 | 2, 100]), "it breaks off");
        assert_eq!(wrong(vec![1 << 3, 0x80]), "it breaks off");
        assert_eq!(wrong(vec![1 << 3 | 3]), "a field is of no known type");
        assert_eq!(wrong(vec![2, 0]), "a field has no number");
        assert_eq!(wrong(vec![0xff; 11]), "a number is too long");
    }
}
