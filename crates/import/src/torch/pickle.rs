//! Python's pickles as data: trees of values, in which calls of functions are written down and never made.
//!
//! Values lie in one table and refer to each other by number, so that a deep or circular tree costs no stack.

use prost::bytes::Bytes;

use super::machine::Machine;
use crate::content::Content;

/// A value's place in its [`Pickle`].
pub(super) type Ref = u32;

/// How many bytes are read at first of what begins with a pickle.
const FIRST: usize = 1 << 20;

/// The most bytes that are read of it: numbers are stored outside of pickles.
const MOST: usize = 1 << 28;

/// The longest name of a tensor or a storage.
const MAX_NAME: usize = 1024;

/// What a pickle can hold.
#[derive(Debug)]
pub(super) enum Value {
    None,
    Bool(bool),
    Integer(i64),
    /// A number of another kind, which networks have no use for.
    Number,
    /// Text, or bytes, which Python 2 did not tell apart.
    Text(Bytes),
    List(Vec<Ref>),
    Tuple(Vec<Ref>),
    Dict(Vec<(Ref, Ref)>),
    /// A class or function by its full name, such as `torch.FloatStorage`.
    Global(String),
    /// What a function or class would give for arguments, with what is put into it later.
    Call(Box<Call>),
    /// What is stored outside the pickle, by its description.
    Persistent(Ref),
}

/// A call that is not made.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) function: Ref,
    pub(super) arguments: Ref,
    /// What the object's attributes would be set from.
    pub(super) state: Option<Ref>,
}

/// All values of a pickle.
#[derive(Debug)]
pub(super) struct Pickle {
    values: Vec<Value>,
    /// What the pickle is.
    pub(super) root: Ref,
    /// How many bytes it takes.
    pub(super) length: usize,
}

impl Pickle {
    /// Reads the pickle at the beginning of `bytes`.
    ///
    /// # Errors
    /// What breaks off, or is no pickle.
    #[cfg(test)]
    pub(super) fn read(bytes: &Bytes) -> Result<Self, String> {
        Self::run(Machine::new(bytes)).map_err(|(problem, _)| problem)
    }

    /// What a machine makes, or what is wrong, and whether that is but for want of bytes.
    fn run(mut machine: Machine<'_>) -> Result<Self, (String, bool)> {
        match machine.run() {
            Ok(root) => Ok(Self { values: machine.values, root, length: machine.at }),
            Err(problem) => {
                let at = machine.at;
                let problem = format!("the pickle in it goes wrong at byte {at}: {problem}");
                Err((problem, machine.broke_off))
            }
        }
    }

    /// Reads the pickle at the beginning of `content`, of which there may be much more.
    ///
    /// # Errors
    /// What breaks off, is no pickle, or a very large one.
    pub(super) fn of(content: &Content) -> Result<Self, String> {
        let mut most = FIRST;
        loop {
            let bytes = content.first(most).read().map_err(|error| error.to_string())?;
            match Self::run(Machine::new(&bytes)) {
                Err((_, true)) if bytes.len() < content.len() && most < MOST => most *= 4,
                Err((_, true)) if bytes.len() < content.len() => {
                    return Err(format!("the pickle in it is larger than {} MiB", MOST >> 20));
                }
                read => return read.map_err(|(problem, _)| problem),
            }
        }
    }

    pub(super) fn value(&self, at: Ref) -> &Value {
        &self.values[at as usize]
    }

    /// The descriptions of all that is stored outside.
    pub(super) fn persistent(&self) -> impl Iterator<Item = Ref> {
        self.values.iter().filter_map(|value| match value {
            Value::Persistent(id) => Some(*id),
            _ => None,
        })
    }

    pub(super) fn integer(&self, at: Ref) -> Option<i64> {
        match self.value(at) {
            Value::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// A number that cannot be negative.
    pub(super) fn count(&self, at: Ref) -> Option<usize> {
        self.integer(at).and_then(|value| usize::try_from(value).ok())
    }

    pub(super) fn text(&self, at: Ref) -> Option<&str> {
        match self.value(at) {
            Value::Text(text) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// A text that is short enough to be a name: one text may stand in many places.
    pub(super) fn name(&self, at: Ref) -> Option<&str> {
        self.text(at).filter(|name| name.len() <= MAX_NAME)
    }

    /// A key as text, which may be a number.
    pub(super) fn key(&self, at: Ref) -> Option<String> {
        match self.value(at) {
            Value::Integer(key) => Some(key.to_string()),
            _ => self.name(at).map(str::to_owned),
        }
    }

    pub(super) fn global(&self, at: Ref) -> Option<&str> {
        match self.value(at) {
            Value::Global(name) => Some(name),
            _ => None,
        }
    }

    /// The elements of a list or a tuple.
    pub(super) fn elements(&self, at: Ref) -> Option<&[Ref]> {
        match self.value(at) {
            Value::List(elements) | Value::Tuple(elements) => Some(elements),
            _ => None,
        }
    }

    /// The name of the function that is called, and its arguments.
    pub(super) fn call(&self, at: Ref) -> Option<(&str, &[Ref])> {
        let Value::Call(call) = self.value(at) else { return None };
        Some((self.global(call.function)?, self.elements(call.arguments).unwrap_or_default()))
    }

    /// The entries of a dictionary, or the attributes of an object.
    pub(super) fn entries(&self, at: Ref) -> Option<&[(Ref, Ref)]> {
        match self.value(at) {
            Value::Dict(entries) => Some(entries),
            Value::Call(call) => match self.value(call.state?) {
                Value::Dict(entries) => Some(entries),
                _ => None,
            },
            _ => None,
        }
    }

    /// The entry of a dictionary or the attribute of an object.
    pub(super) fn entry(&self, at: Ref, name: &str) -> Option<Ref> {
        let entries = self.entries(at)?.iter().rev();
        entries.filter(|(key, _)| self.text(*key) == Some(name)).map(|(_, value)| *value).next()
    }
}
