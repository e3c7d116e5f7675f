//! The text that complaints point into, with every secret in it already painted over.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::environment::Set;
use crate::problem::{Complaint, Place, Problem};
use crate::secret;

/// Longest piece of a line that a complaint repeats, in characters.
const WINDOW: usize = 100;

/// Tables of the contract are at most this deep (`auth.users[0].name`); nothing below can be asked for by path.
const DEEPEST: usize = 4;

/// A file's name and text, and where each value of it stands.
///
/// The text is a copy in which the characters of secrets are stars, so that no complaint can leak one, whatever it
/// points at. Offsets stay those of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    name: String,
    text: String,
    lines: Vec<usize>,
    places: BTreeMap<String, Range<usize>>,
    /// What the environment says wins over the text.
    set: Set,
}

impl Source {
    /// A source whose values have places and whose secrets are masked.
    pub(crate) fn new(name: &str, text: &str, document: &DeTable<'_>) -> Self {
        let mut walk = Walk { masked: text.as_bytes().to_vec(), places: BTreeMap::new() };
        walk.table("", document, 0);
        let text = String::from_utf8(walk.masked).unwrap_or_default();
        Self { name: name.to_owned(), lines: line_starts(&text), text, places: walk.places, set: Set::default() }
    }

    /// A source of which only syntax is known: lines that could hold a secret are masked by their looks.
    pub(crate) fn unread(name: &str, text: &str) -> Self {
        let text = secret::mask_by_looks(text);
        Self { name: name.to_owned(), lines: line_starts(&text), text, ..Self::default() }
    }

    /// No file at all: the defaults speak.
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Lets the environment win: `document` is the tree with its values. They have no place in the text.
    pub(crate) fn lay_over(&mut self, set: Set, document: &DeTable<'_>) {
        if !set.is_empty() {
            self.places.retain(|place, _| set.by(place).is_none());
        }
        // Nothing is painted over: only the paths are wanted.
        let mut walk = Walk { masked: Vec::new(), places: BTreeMap::new() };
        for path in set.paths() {
            let depth = path.split('.').count();
            if let Some(value) = value_at(document, path) {
                walk.value(path, value, 0..0, depth);
            }
        }
        self.places.extend(walk.places.into_keys().map(|path| (path, 0..0)));
        self.set = set;
    }

    /// Which variables of the environment say something.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.set.names()
    }

    /// Whether the environment says what stands at `path`.
    pub(crate) fn is_environment(&self, path: &str) -> bool {
        self.set.by(path).is_some()
    }

    /// Where the value at `path` came from: a variable, or the file and its line. `None`: it is a default.
    pub(crate) fn origin(&self, path: &str) -> Option<String> {
        if let Some(variable) = self.set.by(path) {
            return Some(variable.to_owned());
        }
        self.line_of(path).map(|line| format!("{}:{line}", self.name))
    }

    /// Whether the file says something about `path` itself.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.places.contains_key(path)
    }

    /// The line on which the value at `path` begins, from 1.
    pub(crate) fn line_of(&self, path: &str) -> Option<usize> {
        Some(self.line_at(self.places.get(path)?.start))
    }

    /// The line of a byte, from 1.
    pub(crate) fn line_at(&self, offset: usize) -> usize {
        self.lines.partition_point(|&line| line <= offset)
    }

    /// A complaint about the value at `path`, with the variable it came from, else with its place in the file; when the file does not hold it, about the nearest table that it holds.
    pub(crate) fn problem(&self, path: &str, complaint: Complaint) -> Problem {
        if self.is_environment(path) {
            return self.problem_at(0..0, path, complaint);
        }
        let mut holder = path;
        while !self.places.contains_key(holder) {
            match holder.rfind(['.', '[']) {
                Some(end) => holder = &holder[..end],
                None => return Problem { file: self.name.clone(), place: None, key: path.to_owned(), complaint },
            }
        }
        self.problem_at(self.places[holder].clone(), path, complaint)
    }

    /// A complaint about the bytes at `span`.
    pub(crate) fn problem_at(&self, span: Range<usize>, path: &str, complaint: Complaint) -> Problem {
        if let Some(variable) = self.set.by(path) {
            return Problem { file: variable.to_owned(), place: None, key: path.to_owned(), complaint };
        }
        Problem { file: self.name.clone(), place: Some(self.place(span)), key: path.to_owned(), complaint }
    }

    fn place(&self, span: Range<usize>) -> Place {
        let start = self.text.floor_char_boundary(span.start.min(self.text.len()));
        let row = self.line_at(start) - 1;
        let begin = self.lines[row];
        let line_end = self.text[begin..].find('\n').map_or(self.text.len(), |at| begin + at);
        let end = self.text.ceil_char_boundary(span.end.clamp(start, line_end.max(start)));
        let before = self.text[begin..start].chars().count();
        let width = self.text[start..end].chars().count().max(1);
        let (excerpt, underline) = excerpt(self.text[begin..line_end.max(begin)].trim_end_matches('\r'), before, width);
        Place { line: row + 1, column: before + 1, excerpt, underline }
    }
}

/// What stands at the path of a key; elements of lists have none.
fn value_at<'t, 'd>(document: &'t DeTable<'d>, path: &str) -> Option<&'t DeValue<'d>> {
    match path.split_once('.') {
        None => document.get(path).map(Spanned::get_ref),
        Some((head, rest)) => value_at(document.get(head)?.get_ref().as_table()?, rest),
    }
}

struct Walk {
    masked: Vec<u8>,
    places: BTreeMap<String, Range<usize>>,
}

impl Walk {
    fn table(&mut self, path: &str, table: &DeTable<'_>, depth: usize) {
        for (key, value) in table {
            let path = if path.is_empty() { key.get_ref().to_string() } else { format!("{path}.{}", key.get_ref()) };
            self.value(&path, value.get_ref(), value.span(), depth + 1);
        }
    }

    fn value(&mut self, path: &str, value: &DeValue<'_>, span: Range<usize>, depth: usize) {
        match value {
            DeValue::Table(table) => self.table(path, table, depth),
            DeValue::Array(array) => {
                for (index, item) in array.iter().enumerate() {
                    let path = if depth <= DEEPEST { format!("{path}[{index}]") } else { path.to_owned() };
                    self.value(&path, item.get_ref(), item.span(), depth + 1);
                }
            }
            _ if secret::is_kept_at(path) => self.mask(span.clone()),
            _ => {}
        }
        if depth <= DEEPEST {
            self.places.insert(path.to_owned(), span);
        }
    }

    /// Stars for everything but line ends and the outer quotes, so that lines, columns and the shape stay.
    fn mask(&mut self, span: Range<usize>) {
        for byte in self.masked.get_mut(span).into_iter().flatten() {
            if !matches!(byte, b'\n' | b'\r' | b'"' | b'\'') {
                *byte = b'*';
            }
        }
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// The part of `line` around its characters `before..before + width`, and the carets to print below it.
fn excerpt(line: &str, before: usize, width: usize) -> (String, String) {
    let skip = if before + width > WINDOW { before.saturating_sub(WINDOW / 2) } else { 0 };
    let shown: String = line
        .chars()
        .skip(skip)
        .take(WINDOW)
        .map(|c| {
            if c == '\t' {
                ' '
            } else if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect();
    let room = shown.chars().count().saturating_sub(before - skip).max(1);
    (shown, format!("{}{}", " ".repeat(before - skip), "^".repeat(width.min(room))))
}
