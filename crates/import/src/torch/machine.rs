//! The stack machine whose programs pickles are ("pickletools" in Python's library describes its
//! instructions). Here classes and functions stay names, and calling one makes a [`Value::Call`] that others
//! may understand or ignore.

use std::collections::HashMap;

use prost::bytes::Bytes;

use super::opcode as op;
use super::pickle::{Call, Ref, Value};

/// The most values of a pickle; a training state's few tensors are some thousands.
const MAX_VALUES: usize = 2_000_000;

/// The longest number or name that is written as text.
const MAX_LINE: usize = 4096;

/// The longest name of a module, or of what is in it, that is made of other values: a few bytes can make it
/// again and again.
const MAX_NAME: usize = 256;

/// The most bytes of all such names.
const MAX_NAMED: usize = 1 << 24;

/// The machine: what it reads, and what it has made so far.
pub(super) struct Machine<'a> {
    bytes: &'a Bytes,
    /// How far it has read.
    pub(super) at: usize,
    /// Whether there were too few bytes.
    pub(super) broke_off: bool,
    pub(super) values: Vec<Value>,
    stack: Vec<Ref>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: HashMap<u64, Ref>,
    /// How many bytes of names it has made of other values.
    named: usize,
}

type Step<T> = Result<T, String>;

impl<'a> Machine<'a> {
    /// A machine before the first instruction.
    pub(super) fn new(bytes: &'a Bytes) -> Self {
        let (values, stack, marks, memo) = (Vec::new(), Vec::new(), Vec::new(), HashMap::new());
        Self { bytes, at: 0, broke_off: false, values, stack, marks, memo, named: 0 }
    }

    /// Runs up to the end of the pickle; returns what it is.
    ///
    /// # Errors
    /// What breaks off, or is no pickle.
    pub(super) fn run(&mut self) -> Step<Ref> {
        loop {
            let code = self.number(1)? as u8;
            match code {
                op::STOP => return self.pop(),
                op::PROTO => drop(self.number(1)?),
                op::FRAME => drop(self.number(8)?),
                op::MARK => self.mark()?,
                op::POP if self.marks.last() == Some(&self.stack.len()) => drop(self.marks.pop()),
                op::POP => drop(self.pop()?),
                op::POP_MARK => drop(self.marked()?),
                op::DUP => {
                    let top = self.top()?;
                    self.stack.push(top);
                }
                op::BUILD => {
                    let state = self.pop()?;
                    let object = self.top()?;
                    if let Value::Call(call) = &mut self.values[object as usize] {
                        call.state = Some(state);
                    }
                }
                op::REDUCE | op::NEWOBJ => {
                    let (arguments, function) = (self.pop()?, self.pop()?);
                    self.call(function, arguments)?;
                }
                op::NEWOBJ_EX => {
                    let (_, arguments, function) = (self.pop()?, self.pop()?, self.pop()?);
                    self.call(function, arguments)?;
                }
                op::OBJ | op::INST => {
                    let inst = if code == op::INST { Some(self.global_by_lines()?) } else { None };
                    let mut arguments = self.marked()?;
                    let function = match inst {
                        Some(global) => self.made(global)?,
                        None if arguments.is_empty() => return Err("a class is missing".into()),
                        None => arguments.remove(0),
                    };
                    let arguments = self.made(Value::Tuple(arguments))?;
                    self.call(function, arguments)?;
                }
                op::GLOBAL => {
                    let global = self.global_by_lines()?;
                    self.push(global)?;
                }
                op::STACK_GLOBAL => {
                    let (name, module) = (self.pop_text()?, self.pop_text()?);
                    let name = format!("{module}.{name}");
                    self.named += name.len();
                    if self.named > MAX_NAMED {
                        return Err("it makes too many names".into());
                    }
                    self.push(Value::Global(name))?;
                }
                op::BINPERSID => {
                    let id = self.pop()?;
                    self.push(Value::Persistent(id))?;
                }
                op::PERSID => {
                    let id = self.line()?;
                    let id = self.made(Value::Text(id))?;
                    self.push(Value::Persistent(id))?;
                }
                op::GET | op::BINGET | op::LONG_BINGET => {
                    let place = self.memo_place(code)?;
                    let value = self.memo.get(&place).copied();
                    self.stack.push(value.ok_or("it refers to what it has not made")?);
                }
                op::PUT | op::BINPUT | op::LONG_BINPUT | op::MEMOIZE => {
                    let place = self.memo_place(code)?;
                    let top = self.top()?;
                    if self.memo.insert(place, top).is_none() && self.memo.len() > MAX_VALUES {
                        return Err("it remembers too much".into());
                    }
                }
                _ if self.collects(code)? => {}
                _ => {
                    let value = self.literal(code)?;
                    self.push(value)?;
                }
            }
        }
    }

    /// Lists, tuples, sets and dictionaries, from what lies on the stack; `false` for another instruction.
    fn collects(&mut self, code: u8) -> Step<bool> {
        match code {
            op::EMPTY_TUPLE => self.push(Value::Tuple(Vec::new()))?,
            op::EMPTY_LIST | op::EMPTY_SET => self.push(Value::List(Vec::new()))?,
            op::EMPTY_DICT => self.push(Value::Dict(Vec::new()))?,
            op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => {
                let count = usize::from(code - op::TUPLE1) + 1;
                let from = self.floor();
                let start = self.stack.len().checked_sub(count).filter(|&start| start >= from);
                let elements = self.stack.split_off(start.ok_or("its stack is empty")?);
                self.push(Value::Tuple(elements))?;
            }
            op::TUPLE => {
                let elements = self.marked()?;
                self.push(Value::Tuple(elements))?;
            }
            op::LIST | op::FROZENSET => {
                let elements = self.marked()?;
                self.push(Value::List(elements))?;
            }
            op::DICT => {
                let entries = pairs(self.marked()?)?;
                self.push(Value::Dict(entries))?;
            }
            op::APPEND | op::APPENDS | op::ADDITEMS => {
                let added = if code == op::APPEND { vec![self.pop()?] } else { self.marked()? };
                let list = self.top()?;
                if let Value::List(elements) = &mut self.values[list as usize] {
                    elements.extend(added);
                }
            }
            op::SETITEM | op::SETITEMS => {
                let added = if code == op::SETITEM {
                    let (value, key) = (self.pop()?, self.pop()?);
                    vec![(key, value)]
                } else {
                    pairs(self.marked()?)?
                };
                let dict = self.top()?;
                if let Value::Dict(entries) = &mut self.values[dict as usize] {
                    entries.extend(added);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A value that the instruction holds itself.
    fn literal(&mut self, code: u8) -> Step<Value> {
        Ok(match code {
            op::NONE => Value::None,
            op::TRUE => Value::Bool(true),
            op::FALSE => Value::Bool(false),
            op::BININT => Value::Integer(i64::from(self.number(4)? as u32 as i32)),
            op::BININT1 => Value::Integer(self.number(1)? as i64),
            op::BININT2 => Value::Integer(self.number(2)? as i64),
            op::LONG1 | op::LONG4 => {
                let length = self.number(if code == op::LONG1 { 1 } else { 4 })?;
                long(&self.take(length)?)
            }
            op::INT | op::LONG => {
                let line = self.line()?;
                let digits = std::str::from_utf8(&line).unwrap_or_default().trim_end_matches('L');
                match (code, digits) {
                    (op::INT, "00") => Value::Bool(false),
                    (op::INT, "01") => Value::Bool(true),
                    _ => digits.parse().map_or(Value::Number, Value::Integer),
                }
            }
            op::FLOAT => {
                self.line()?;
                Value::Number
            }
            op::BINFLOAT => {
                self.number(8)?;
                Value::Number
            }
            op::STRING => {
                let line = self.line()?;
                let quoted = |quote: &[u8]| {
                    line.len() > 1 && line.starts_with(quote) && line.ends_with(quote)
                };
                if !quoted(b"'") && !quoted(b"\"") {
                    return Err("a string has no quotes".into());
                }
                Value::Text(line.slice(1..line.len() - 1))
            }
            op::UNICODE => Value::Text(self.line()?),
            op::SHORT_BINSTRING | op::SHORT_BINUNICODE | op::SHORT_BINBYTES => self.text(1)?,
            op::BINSTRING | op::BINUNICODE | op::BINBYTES => self.text(4)?,
            op::BINUNICODE8 | op::BINBYTES8 | op::BYTEARRAY8 => self.text(8)?,
            _ => {
                return Err(format!(
                    "{code:#04x} is no instruction of a pickle that holds a network"
                ));
            }
        })
    }

    fn text(&mut self, size: usize) -> Step<Value> {
        let length = self.number(size)?;
        self.take(length).map(Value::Text)
    }

    /// Notes a call; the dictionaries that are classes of their own are made at once, as they are filled.
    fn call(&mut self, function: Ref, arguments: Ref) -> Step<()> {
        let dict = match &self.values[function as usize] {
            Value::Global(name) => {
                ["collections.OrderedDict", "collections.defaultdict", "__builtin__.dict"]
                    .contains(&name.as_str())
            }
            _ => false,
        };
        if !dict {
            return self.push(Value::Call(Box::new(Call { function, arguments, state: None })));
        }
        // Python 2 gives a list of lists of a key and a value.
        let elements = |at: Ref| match &self.values[at as usize] {
            Value::List(elements) | Value::Tuple(elements) => Some(&elements[..]),
            _ => None,
        };
        let given = elements(arguments).and_then(|all| elements(*all.first()?)).unwrap_or_default();
        let pair = |&at: &Ref| match elements(at) {
            Some(&[key, value]) => Some((key, value)),
            _ => None,
        };
        let entries = given.iter().filter_map(pair).collect();
        self.push(Value::Dict(entries))
    }

    fn mark(&mut self) -> Step<()> {
        self.marks.push(self.stack.len());
        if self.marks.len() > MAX_VALUES { Err("it has too many marks".into()) } else { Ok(()) }
    }

    /// What lies above the last mark.
    fn marked(&mut self) -> Step<Vec<Ref>> {
        let mark = self.marks.pop().ok_or("a mark is missing")?;
        Ok(self.stack.split_off(mark))
    }

    /// How high the stack is at the last mark, below which nothing is taken.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Step<Ref> {
        let value = self.top()?;
        self.stack.pop();
        Ok(value)
    }

    fn top(&self) -> Step<Ref> {
        let above = self.stack.get(self.floor()..).unwrap_or_default();
        Ok(*above.last().ok_or("its stack is empty")?)
    }

    fn pop_text(&mut self) -> Step<String> {
        let at = self.pop()?;
        match &self.values[at as usize] {
            Value::Text(text) if text.len() <= MAX_NAME => {
                Ok(String::from_utf8_lossy(text).into_owned())
            }
            _ => Err("a name is no short text".into()),
        }
    }

    fn made(&mut self, value: Value) -> Step<Ref> {
        if self.values.len() >= MAX_VALUES {
            return Err(format!("it has more than {MAX_VALUES} values"));
        }
        self.values.push(value);
        Ok((self.values.len() - 1) as Ref)
    }

    fn push(&mut self, value: Value) -> Step<()> {
        let at = self.made(value)?;
        self.stack.push(at);
        Ok(())
    }

    fn memo_place(&mut self, code: u8) -> Step<u64> {
        match code {
            op::MEMOIZE => Ok(self.memo.len() as u64),
            op::BINGET | op::BINPUT => self.number(1),
            op::LONG_BINGET | op::LONG_BINPUT => self.number(4),
            _ => {
                let line = self.line()?;
                let place = std::str::from_utf8(&line).ok().and_then(|line| line.parse().ok());
                place.ok_or_else(|| "a place in its memory is no number".into())
            }
        }
    }

    fn global_by_lines(&mut self) -> Step<Value> {
        let (module, name) = (self.line()?, self.line()?);
        let text = |line: &Bytes| String::from_utf8_lossy(line).into_owned();
        Ok(Value::Global(format!("{}.{}", text(&module), text(&name))))
    }

    /// A little-endian number of up to 8 bytes.
    fn number(&mut self, size: usize) -> Step<u64> {
        let bytes = self.take(size as u64)?;
        Ok(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn take(&mut self, length: u64) -> Step<Bytes> {
        let length = usize::try_from(length).ok().filter(|&l| l <= self.bytes.len() - self.at);
        self.broke_off |= length.is_none();
        let end = self.at + length.ok_or("it breaks off")?;
        let taken = self.bytes.slice(self.at..end);
        self.at = end;
        Ok(taken)
    }

    /// The text up to the next line break, which is left out.
    fn line(&mut self) -> Step<Bytes> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().take(MAX_LINE).position(|&byte| byte == b'\n');
        self.broke_off |= length.is_none() && rest.len() < MAX_LINE;
        let mut line = self.take(length.ok_or("a line has no end")? as u64 + 1)?;
        line.truncate(line.len() - 1);
        Ok(line)
    }
}

fn pairs(values: Vec<Ref>) -> Step<Vec<(Ref, Ref)>> {
    let (pairs, rest) = values.as_chunks::<2>();
    if rest.is_empty() {
        Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
    } else {
        Err("a key has no value".into())
    }
}

/// A whole number in two's complement, little-endian; beyond 64 bits it is just some number.
fn long(bytes: &[u8]) -> Value {
    if bytes.len() > 8 {
        return Value::Number;
    }
    let sign = if bytes.last().is_some_and(|&byte| byte >= 0x80) { 0xff } else { 0 };
    let mut eight = [sign; 8];
    eight[..bytes.len()].copy_from_slice(bytes);
    Value::Integer(i64::from_le_bytes(eight))
}
