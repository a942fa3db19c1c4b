//! The protocol of `oneowner` for Rust, in one file to copy, without dependencies: implement
//! `Adapter` and call `run`.
//!
//! One thread does everything: a request is read, the function of its operation is called, and what
//! it answers is written before the next request is read.  That is why `settle` can be answered at
//! once.
//!
//! stdout belongs to the protocol.  `#[macro_use] mod oneowner;` as the first item of main.rs lets
//! `print!` and `println!` of this crate write to stderr, so that one left in the implementation
//! does no harm.  It does not reach into other crates, nor into C: there, write to stderr with
//! `eprintln!` or `dbg!`.

// An adapter uses the part of this that its operations need.
#![allow(dead_code)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Write};
use std::process::exit;
use std::rc::Rc;

const MAX_LINE: usize = 1 << 20;
const MAX_DEPTH: usize = 8;
const UNSUPPORTED: i32 = -32001;
const INDETERMINATE: i32 = -32002;
const INTERNAL: i32 = -32603;
const PARSE_ERROR: i32 = -32700;
const BAD_REQUEST: i32 = -32600;
const NO_METHOD: i32 = -32601;
const BAD_PARAMS: i32 = -32602;

#[allow(unused_macros)]
macro_rules! println {
    ($($argument:tt)*) => { ::std::eprintln!($($argument)*) };
}
#[allow(unused_macros)]
macro_rules! print {
    ($($argument:tt)*) => { ::std::eprint!($($argument)*) };
}

/// What an adapter says of itself.
pub struct About {
    pub name: &'static str,
    pub version: &'static str,
    pub profiles: &'static [&'static str],
    pub limits: &'static [(&'static str, i64)],
}

/// The handles of what is there after a reset, by name.
pub type Handles = Vec<(&'static str, String)>;

/// Does an operation: returns `ok(...)`, `error("EAGAIN")`, or `later()` where it suspended the call.
pub type Operation<A> = fn(&mut A, &Call) -> Reply;

/// What an adapter is.
pub trait Adapter: Sized + 'static {
    const ABOUT: About;
    const OPERATIONS: &'static [(&'static str, Operation<Self>)];

    /// Start afresh, with the sizes in `topology`.
    fn reset(&mut self, topology: &Args) -> Result<Handles, Error>;
}

pub type Reply = Result<Answer, Error>;

/// The answer of a call that was not refused.
pub enum Answer {
    Now(Value),
    Later,
}

/// Why a call has no answer.
#[derive(Debug)]
pub enum Error {
    /// An outcome of the system, such as "EAGAIN".
    Outcome(&'static str),
    /// The adapter does not have the operation.
    Unsupported(String),
    /// It may or may not have happened.
    Indeterminate(String),
    /// The adapter failed.
    Internal(String),
    /// An argument is missing or of another type than was asked for.
    BadParams(String),
}

pub fn ok(answer: impl Into<Value>) -> Reply {
    Ok(Answer::Now(answer.into()))
}

/// An answer with several fields: `fields([("region", region.into()), ("short", Value::Null)])`.
pub fn fields<const N: usize>(answer: [(&str, Value); N]) -> Reply {
    ok(object(answer))
}

pub fn error(name: &'static str) -> Reply {
    Err(Error::Outcome(name))
}

pub fn later() -> Reply {
    Ok(Answer::Later)
}

/// A call under way.
pub struct Call<'a> {
    pub actor: &'a str,
    pub op: &'a str,
    pub args: &'a Args,
    id: i64,
    line: &'a Rc<Line>,
    ticket: Cell<Option<u64>>,
}

impl Call<'_> {
    /// Leave the call unanswered for now: keep the ticket, and return `later()`.
    pub fn suspend(&self) -> Ticket {
        let number = self.line.tickets.get() + 1;
        self.line.tickets.set(number);
        self.line.suspended.borrow_mut().insert(number, self.id);
        self.ticket.set(Some(number));
        Ticket {
            number,
            line: Rc::clone(self.line),
        }
    }
}

/// What is needed to answer a suspended call, once.  A reset forgets suspended calls: what is said to
/// them after it is dropped.
pub struct Ticket {
    number: u64,
    line: Rc<Line>,
}

impl Ticket {
    pub fn ok(self, answer: impl Into<Value>) {
        self.late("ok", answer.into());
    }

    pub fn fields<const N: usize>(self, answer: [(&str, Value); N]) {
        self.late("ok", object(answer));
    }

    pub fn error(self, name: &'static str) {
        self.late("error", name.into());
    }

    fn late(self, key: &str, value: Value) {
        let id = self.line.suspended.borrow_mut().remove(&self.number);
        if let Some(id) = id {
            self.line.result(id, object([(key, value)]));
        }
    }
}

/// Arguments by name, or the sizes of a topology.  Null is an argument that is not there: None from
/// those that answer with an Option, an error from the others.
#[derive(Debug)]
pub struct Args(Vec<(String, Value)>);

impl Args {
    pub fn get(&self, name: &str) -> &Value {
        member(&self.0, name).unwrap_or(&Value::Null)
    }

    pub fn str(&self, name: &str) -> Result<&str, Error> {
        self.opt_str(name)?.ok_or_else(|| bad(name))
    }

    pub fn opt_str(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.get(name) {
            Value::Null => Ok(None),
            Value::Str(text) => Ok(Some(text)),
            _ => Err(bad(name)),
        }
    }

    pub fn int(&self, name: &str) -> Result<i64, Error> {
        self.opt_int(name)?.ok_or_else(|| bad(name))
    }

    pub fn opt_int(&self, name: &str) -> Result<Option<i64>, Error> {
        match self.get(name) {
            Value::Null => Ok(None),
            Value::Int(number) => Ok(Some(*number)),
            _ => Err(bad(name)),
        }
    }

    pub fn bool(&self, name: &str) -> Result<bool, Error> {
        match self.get(name) {
            Value::Bool(truth) => Ok(*truth),
            _ => Err(bad(name)),
        }
    }

    pub fn ints(&self, name: &str) -> Result<Vec<i64>, Error> {
        let items = self.list(name)?.iter();
        items
            .map(|item| {
                if let Value::Int(number) = item {
                    Ok(*number)
                } else {
                    Err(bad(name))
                }
            })
            .collect()
    }

    pub fn strs(&self, name: &str) -> Result<Vec<&str>, Error> {
        let items = self.list(name)?.iter();
        items
            .map(|item| {
                if let Value::Str(text) = item {
                    Ok(text.as_str())
                } else {
                    Err(bad(name))
                }
            })
            .collect()
    }

    fn list(&self, name: &str) -> Result<&[Value], Error> {
        match self.get(name) {
            Value::List(items) => Ok(items),
            _ => Err(bad(name)),
        }
    }
}

fn bad(name: &str) -> Error {
    Error::BadParams(format!("missing or of another type: {name}"))
}

/// What the protocol can say.  It has no numbers but whole ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Str(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl From<()> for Value {
    fn from(_: ()) -> Value {
        Value::Null
    }
}
impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Str(text.to_string())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Str(text)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}
impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Value {
        Value::List(items.into_iter().map(Into::into).collect())
    }
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(
        members
            .into_iter()
            .map(|(name, value)| (name.to_string(), value))
            .collect(),
    )
}

fn member<'a>(members: &'a [(String, Value)], name: &str) -> Option<&'a Value> {
    members
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

impl Value {
    fn member(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Object(members) => member(members, name),
            _ => None,
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Value::Int(number) => out.push_str(&number.to_string()),
            Value::Str(text) => write_string(text, out),
            Value::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Value::Object(members) => {
                out.push('{');
                for (i, (name, value)) in members.iter().enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    write_string(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\0'..='\x1f' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// Reads one JSON value; None where there is none, or one that the protocol does not have.
struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn line(text: &str) -> Option<Value> {
        let mut parser = Parser { rest: text };
        let value = parser.value(0)?;
        parser.space();
        parser.rest.is_empty().then_some(value)
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    fn next(&mut self, wanted: &str) -> bool {
        self.space();
        let found = self.rest.strip_prefix(wanted);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.next("{") {
            let mut members = Vec::new();
            self.members("}", |parser| {
                let name = parser.next("\"").then(|| parser.string())??;
                let value = parser.next(":").then(|| parser.value(depth + 1))??;
                members.push((name, value));
                Some(())
            })?;
            return Some(Value::Object(members));
        }
        if self.next("[") {
            let mut items = Vec::new();
            self.members("]", |parser| {
                items.push(parser.value(depth + 1)?);
                Some(())
            })?;
            return Some(Value::List(items));
        }
        if self.next("\"") {
            return self.string().map(Value::Str);
        }
        for (word, value) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ] {
            if self.next(word) {
                return Some(value);
            }
        }
        self.number()
    }

    /// What stands between commas, up to `end`.
    fn members(&mut self, end: &str, mut one: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if self.next(end) {
            return Some(());
        }
        loop {
            one(self)?;
            if self.next(end) {
                return Some(());
            }
            if !self.next(",") {
                return None;
            }
        }
    }

    fn number(&mut self) -> Option<Value> {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c))
            .unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.starts_with(|c: char| c.is_ascii_digit())
            || (digits.len() > 1 && digits.starts_with('0'))
        {
            return None;
        }
        self.rest = rest;
        text.parse().ok().map(Value::Int)
    }

    /// A string whose opening quote was read.
    fn string(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.rest.chars();
        loop {
            match characters.next()? {
                '"' => break,
                '\\' => text.push(escaped(&mut characters)?),
                '\0'..='\x1f' => return None,
                character => text.push(character),
            }
        }
        self.rest = characters.as_str();
        Some(text)
    }
}

fn escaped(characters: &mut std::str::Chars) -> Option<char> {
    Some(match characters.next()? {
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let code = hex4(characters)?;
            if !(0xD800..0xDC00).contains(&code) {
                return char::from_u32(code);
            }
            let low = (characters.next()? == '\\' && characters.next()? == 'u')
                .then(|| hex4(characters))??;
            return (0xDC00..0xE000)
                .contains(&low)
                .then(|| char::from_u32(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)))?;
        }
        character @ ('"' | '\\' | '/') => character,
        _ => return None,
    })
}

fn hex4(characters: &mut std::str::Chars) -> Option<u32> {
    (0..4).try_fold(0, |code, _| {
        Some(code << 4 | characters.next()?.to_digit(16)?)
    })
}

/// The conversation: what is written, and which calls are suspended.
struct Line {
    tickets: Cell<u64>,
    suspended: RefCell<BTreeMap<u64, i64>>,
}

impl Line {
    fn say(&self, id: Option<i64>, key: &str, value: Value) {
        let mut text = String::new();
        object([("jsonrpc", "2.0".into()), ("id", id.into()), (key, value)]).write(&mut text);
        text.push('\n');
        let mut out = io::stdout().lock();
        if out
            .write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .is_err()
        {
            eprintln!("oneowner.rs: cannot write: the checker is gone");
            exit(70);
        }
    }

    fn result(&self, id: i64, value: Value) {
        self.say(Some(id), "result", value);
    }

    fn fail(&self, id: Option<i64>, code: i32, message: &str) {
        self.say(
            id,
            "error",
            object([
                ("code", i64::from(code).into()),
                ("message", message.into()),
            ]),
        );
    }

    fn answer(&self, id: i64, result: Result<Value, Error>) {
        match result {
            Ok(value) => self.result(id, value),
            Err(Error::Outcome(name)) => self.result(id, object([("error", name.into())])),
            Err(Error::Unsupported(why)) => self.fail(Some(id), UNSUPPORTED, &why),
            Err(Error::Indeterminate(why)) => self.fail(Some(id), INDETERMINATE, &why),
            Err(Error::Internal(why)) => self.fail(Some(id), INTERNAL, &why),
            Err(Error::BadParams(why)) => self.fail(Some(id), BAD_PARAMS, &why),
        }
    }
}

fn initialize<A: Adapter>(params: &Value) -> Result<Value, Error> {
    let about = A::ABOUT;
    let spoken = matches!(params.member("protocol"), Some(Value::List(versions)) if versions.contains(&Value::Int(1)));
    if !spoken {
        return Err(Error::BadParams(
            "this adapter speaks protocol 1".to_string(),
        ));
    }
    let limits = about
        .limits
        .iter()
        .map(|(name, most)| (name.to_string(), Value::Int(*most)))
        .collect();
    Ok(object([
        ("protocol", Value::Int(1)),
        ("name", about.name.into()),
        ("version", about.version.into()),
        ("language", "Rust".into()),
        ("profiles", about.profiles.to_vec().into()),
        ("capabilities", object([("settle", Value::Bool(true))])),
        ("limits", Value::Object(limits)),
    ]))
}

fn reset<A: Adapter>(adapter: &mut A, line: &Line, params: &Value) -> Result<Value, Error> {
    let Some(Value::Object(sizes)) = params.member("topology") else {
        return Err(Error::BadParams("a reset has a topology".to_string()));
    };
    let topology = Args(sizes.clone());
    for (name, _) in sizes {
        let size = topology.int(name)?;
        if size < 0 {
            return Err(bad(name));
        }
        if A::ABOUT
            .limits
            .iter()
            .any(|(limited, most)| limited == name && size > *most)
        {
            return Err(Error::Unsupported(
                "the topology is larger than the adapter's limits".to_string(),
            ));
        }
    }
    line.suspended.borrow_mut().clear();
    let handles = adapter.reset(&topology)?;
    Ok(Value::Object(
        handles
            .into_iter()
            .map(|(name, handle)| (name.to_string(), handle.into()))
            .collect(),
    ))
}

/// The result of a call, or None where it is suspended.
fn call<A: Adapter>(
    adapter: &mut A,
    line: &Rc<Line>,
    id: i64,
    params: &Value,
) -> Option<Result<Value, Error>> {
    let (actor, op, args) = (
        params.member("actor"),
        params.member("op"),
        params.member("args"),
    );
    let (Some(Value::Str(actor)), Some(Value::Str(op)), Some(Value::Object(args))) =
        (actor, op, args)
    else {
        return Some(Err(Error::BadParams(
            "a call has an actor, an op and args".to_string(),
        )));
    };
    let Some((_, operation)) = A::OPERATIONS.iter().find(|(name, _)| name == op) else {
        return Some(Err(Error::Unsupported("not supported".to_string())));
    };
    let args = Args(args.clone());
    let call = Call {
        actor,
        op,
        args: &args,
        id,
        line,
        ticket: Cell::new(None),
    };
    let reply = operation(adapter, &call);
    match (reply, call.ticket.get()) {
        (Ok(Answer::Later), Some(_)) => None,
        (Ok(Answer::Later), None) => Some(Err(Error::Internal(format!(
            "{op} is answered later, but was not suspended"
        )))),
        (_, Some(ticket)) => {
            let waits = line.suspended.borrow_mut().remove(&ticket).is_some();
            waits.then(|| {
                Err(Error::Internal(format!(
                    "{op} is suspended, and answered too"
                )))
            })
        }
        (Ok(Answer::Now(value)), None) => Some(Ok(object([("ok", value)]))),
        (Err(error), None) => Some(Err(error)),
    }
}

/// Serve one line; false after the last.
fn serve<A: Adapter>(adapter: &mut A, line: &Rc<Line>, bytes: &[u8]) -> bool {
    let Some(request) = std::str::from_utf8(bytes).ok().and_then(Parser::line) else {
        line.fail(None, PARSE_ERROR, "not JSON, or not of the protocol's kind");
        return true;
    };
    let (id, method) = (request.member("id"), request.member("method"));
    let (Some(Value::Int(id)), Some(Value::Str(method))) = (id, method) else {
        let id = if let Some(Value::Int(id)) = id {
            Some(*id)
        } else {
            None
        };
        line.fail(id, BAD_REQUEST, "a request has an integer id and a method");
        return true;
    };
    let params = request.member("params").unwrap_or(&Value::Null);
    match method.as_str() {
        "call" => {
            if let Some(result) = call(adapter, line, *id, params) {
                line.answer(*id, result);
            }
        }
        "initialize" => line.answer(*id, initialize::<A>(params)),
        "reset" => line.answer(*id, reset(adapter, line, params)),
        "settle" | "shutdown" => line.result(*id, object([])),
        _ => line.fail(Some(*id), NO_METHOD, "no such method"),
    }
    method != "shutdown"
}

/// The next line, of which no more than MAX_LINE + 1 bytes are kept; false at the end.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let most = MAX_LINE as u64 + 1;
    input.by_ref().take(most).read_until(b'\n', line)?;
    let mut rest = Vec::new();
    while line.len() > MAX_LINE && line.last() != Some(&b'\n') {
        rest.clear();
        input.by_ref().take(most).read_until(b'\n', &mut rest)?;
        if rest.is_empty() || rest.last() == Some(&b'\n') {
            break;
        }
    }
    Ok(!line.is_empty())
}

/// Serve stdin until `shutdown` or its end.
pub fn run(mut adapter: impl Adapter) {
    let line = Rc::new(Line {
        tickets: Cell::new(0),
        suspended: RefCell::default(),
    });
    let mut input = io::stdin().lock();
    let mut bytes = Vec::new();
    while matches!(read_line(&mut input, &mut bytes), Ok(true)) {
        if bytes.len() > MAX_LINE && bytes.last() != Some(&b'\n') {
            line.fail(None, PARSE_ERROR, "a line has at most 1 MiB");
        } else if !bytes.iter().all(u8::is_ascii_whitespace) && !serve(&mut adapter, &line, &bytes)
        {
            break;
        }
    }
}
