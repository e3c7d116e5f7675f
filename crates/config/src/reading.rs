//! Reads values by path, complains about those of the wrong type, and remembers which keys are broken.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::keys;
use crate::problem::{Complaint, Problem, shortened};
use crate::secret;
use crate::source::Source;
use crate::value::Parsed;

/// Problems of which the place is looked up. A file of a megabyte may have a million; the rest is only counted.
const KEPT: usize = 200;

/// Entries of one list: no machine has more addresses, no operator more exceptions.
const LONGEST_LIST: usize = 256;

/// A pass over one document that collects problems and goes on.
///
/// Every method that reads answers `None` both when the key is absent and when it is wrong; the caller then puts the
/// default, which is harmless because a file with a problem is refused as a whole.
pub(crate) struct Reading<'d> {
    source: &'d Source,
    root: &'d DeTable<'d>,
    problems: Vec<Problem>,
    more: usize,
    warnings: Vec<Problem>,
    broken: BTreeSet<String>,
}

impl<'d> Reading<'d> {
    /// A fresh pass.
    pub(crate) fn new(source: &'d Source, root: &'d DeTable<'d>) -> Self {
        Self { source, root, problems: Vec::new(), more: 0, warnings: Vec::new(), broken: BTreeSet::new() }
    }

    /// The document.
    pub(crate) fn root(&self) -> &'d DeTable<'d> {
        self.root
    }

    /// Problems, how many more there were, and warnings.
    pub(crate) fn finish(self) -> (Vec<Problem>, usize, Vec<Problem>) {
        (self.problems, self.more, self.warnings)
    }

    /// Whether the file says something at `path`.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.source.has(path)
    }

    /// Whether none of these keys has a problem of its own, so that judging them together makes sense.
    pub(crate) fn is_sound(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| !self.broken.contains(*key))
    }

    /// A problem with the value at `path`; its key counts as broken from now on.
    pub(crate) fn complain(&mut self, path: &str, complaint: Complaint) {
        let key = path.split('[').next().unwrap_or(path);
        self.broken.insert(key.to_owned());
        if !self.is_full() {
            self.problems.push(self.source.problem(path, complaint));
        } else {
            self.more += 1;
        }
    }

    /// A problem with the bytes at `span`.
    pub(crate) fn complain_at(&mut self, span: Range<usize>, path: &str, complaint: Complaint) {
        if !self.is_full() {
            self.problems.push(self.source.problem_at(span, path, complaint));
        } else {
            self.more += 1;
        }
    }

    /// Whether further problems are only counted, so that their words need not be found.
    pub(crate) fn is_full(&self) -> bool {
        self.problems.len() >= KEPT
    }

    /// A list or an array of tables longer than anybody needs is refused as a whole.
    fn is_endless(&mut self, path: &str, entries: usize) -> bool {
        if entries > LONGEST_LIST {
            let expected = format!("at most {LONGEST_LIST} entries");
            self.complain(path, Complaint::wrong(expected, entries.to_string(), "remove some"));
        }
        entries > LONGEST_LIST
    }

    /// Something that the operator should know about the value at `path`.
    pub(crate) fn warn(&mut self, path: &str, complaint: Complaint) {
        self.warnings.push(self.source.problem(path, complaint));
    }

    /// A text, read by `parse`.
    pub(crate) fn text<T>(&mut self, path: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<T> {
        match self.value(path)? {
            DeValue::String(text) => self.parsed(path, parse(text)),
            other => self.wrong_type(path, other),
        }
    }

    /// A list of texts, each read by `parse`; all wrong ones are complained about.
    pub(crate) fn list<T>(&mut self, path: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<Vec<T>> {
        let array = match self.value(path)? {
            DeValue::Array(array) => array,
            other => return self.wrong_type(path, other),
        };
        if self.is_endless(path, array.len()) {
            return None;
        }
        let mut list = Vec::new();
        for (index, item) in array.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let item = match item.get_ref() {
                DeValue::String(text) => self.parsed(&path, parse(text)),
                other => self.wrong_type(&path, other),
            };
            list.extend(item);
        }
        (list.len() == array.len()).then_some(list)
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, path: &str) -> Option<bool> {
        match self.value(path)? {
            DeValue::Boolean(flag) => Some(*flag),
            other => self.wrong_type(path, other),
        }
    }

    /// A whole number within `range`.
    pub(crate) fn number(&mut self, path: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let integer = match self.value(path)? {
            DeValue::Integer(integer) => integer,
            other => return self.wrong_type(path, other),
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        match number.and_then(|number| u64::try_from(number).ok()).filter(|number| range.contains(number)) {
            Some(number) => Some(number),
            None => {
                let (low, high) = (range.start(), range.end());
                let expected = format!("a whole number from {low} to {high}");
                let write = if number.is_some_and(|number| number < i128::from(*low)) {
                    format!("write at least {low}")
                } else {
                    format!("write at most {high}")
                };
                self.complain(path, Complaint::wrong(expected, shortened(integer.as_str()), write));
                None
            }
        }
    }

    /// How many tables stand in the array of tables at `path`; they are then read as `path[0].key` and so on.
    pub(crate) fn tables(&mut self, path: &str) -> usize {
        let array = match self.value(path) {
            Some(DeValue::Array(array)) => array,
            Some(other) => {
                self.wrong_type::<()>(path, other);
                return 0;
            }
            None => return 0,
        };
        if self.is_endless(path, array.len()) {
            return 0;
        }
        for (index, item) in array.iter().enumerate() {
            if !item.get_ref().is_table() {
                self.wrong_type::<()>(&format!("{path}[{index}]"), item.get_ref());
            }
        }
        if self.is_sound(&[path]) { array.len() } else { 0 }
    }

    fn value(&self, path: &str) -> Option<&'d DeValue<'d>> {
        let mut table = self.root;
        let mut steps = path.split('.').peekable();
        while let Some(step) = steps.next() {
            let (name, index) = match step.split_once('[') {
                Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
                None => (step, None),
            };
            let mut value: &Spanned<DeValue<'d>> = table.get(name)?;
            if let Some(index) = index {
                value = value.get_ref().as_array()?.get(index)?;
            }
            if steps.peek().is_none() {
                return Some(value.get_ref());
            }
            table = value.get_ref().as_table()?;
        }
        None
    }

    fn parsed<T>(&mut self, path: &str, parsed: Parsed<T>) -> Option<T> {
        parsed.map_err(|complaint| self.complain(path, complaint)).ok()
    }

    fn wrong_type<T>(&mut self, path: &str, found: &DeValue<'_>) -> Option<T> {
        let (expected, write) = pattern(path, found);
        self.complain(path, Complaint::wrong(expected, described(found, path), write));
        None
    }
}

/// What the key at `path` takes, and a value to write: the one that stands there, in a list, when only the list is missing.
fn pattern(path: &str, found: &DeValue<'_>) -> (String, String) {
    let (list, element) = match path.strip_suffix(']').and_then(|path| path.rsplit_once('[')) {
        Some((list, _)) => (list, true),
        None => (path, false),
    };
    let plain: String = list.split('[').next().map_or_else(String::new, |head| {
        let tail = list.split(']').nth(1).unwrap_or_default();
        format!("{head}{tail}")
    });
    let key = keys::key(&plain);
    if element {
        let one = key.expects.trim_start_matches("a list of ");
        let quotes = if key.example.starts_with("[\"") { " in quotes" } else { "" };
        return (format!("{one}{quotes}"), format!("write {} = {}", key.name, key.example));
    }
    let wants_list = key.example.starts_with('[');
    let write = match found.as_str() {
        Some(text) if wants_list && !secret::is_kept_at(path) => {
            format!("write {} = [\"{}\"]", key.name, shortened(text))
        }
        _ => format!("write {} = {}", key.name, key.example),
    };
    (key.expects.to_owned(), write)
}

/// A value in words. What may be a secret is named by its type alone.
pub(crate) fn described(value: &DeValue<'_>, path: &str) -> String {
    let hidden = secret::is_kept_at(path);
    match value {
        DeValue::String(_) if hidden => "a text".to_owned(),
        DeValue::String(text) => format!("the text \"{}\"", shortened(text)),
        DeValue::Integer(_) | DeValue::Float(_) if hidden => "a number".to_owned(),
        DeValue::Integer(number) => format!("the number {}", shortened(number.as_str())),
        DeValue::Float(number) => format!("the number {}", shortened(number.as_str())),
        DeValue::Boolean(flag) => format!("{flag}"),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
