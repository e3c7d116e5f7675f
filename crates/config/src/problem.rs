//! A complaint about the file: where, about which key, what was expected, what was found, what to write.

use std::fmt;

/// Problems that one file may show; what is beyond them is counted.
const SHOWN: usize = 50;

/// One complaint. `Display` is its head line, then the line of the file with carets below the place.
///
/// ```text
/// posthouse.toml:12:1: relay.prots: unknown key; did you mean "ports"?
///    12 | prots = "49152-65535"
///       | ^^^^^
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as it was named to [`load`](fn@crate::load).
    pub file: String,
    /// Where in the file; `None` when it is about the file itself or about a value that the file does not hold.
    pub place: Option<Place>,
    /// The key's path, such as `relay.ports` or `auth.users[0].name`; empty when it is about the file itself.
    pub key: String,
    /// What is wrong and what to write.
    pub complaint: Complaint,
}

/// A place in the file. Lines and columns count from 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The line, or the part of it around the place. Secrets in it are stars.
    pub excerpt: String,
    /// What to print below the excerpt: blanks and carets.
    pub underline: String,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// The file could not be read.
    File {
        /// Why not.
        reason: String,
        /// What to do.
        write: String,
    },
    /// The text is not TOML.
    Syntax(String),
    /// No such key in this table.
    UnknownKey {
        /// The nearest thing that exists, as a sentence.
        nearest: String,
    },
    /// A value of the wrong type, out of its range, or at odds with another one.
    Wrong {
        /// What the key takes.
        expected: String,
        /// What stands there. Never a secret.
        found: String,
        /// What to write instead.
        write: String,
    },
    /// A key of the contract whose feature this version does not have.
    Unavailable {
        /// The feature.
        feature: String,
        /// What to write instead.
        write: String,
    },
    /// Allowed, but the operator should know. Only among warnings.
    Doubt {
        /// What is doubtful.
        about: String,
        /// What to do about it.
        write: String,
    },
}

impl Complaint {
    /// An expectation that was not met. `found` must not hold a secret.
    pub(crate) fn wrong(expected: impl Into<String>, found: impl Into<String>, write: impl Into<String>) -> Self {
        Self::Wrong { expected: expected.into(), found: found.into(), write: write.into() }
    }

    /// Something that the operator should know.
    pub(crate) fn doubt(about: impl Into<String>, write: impl Into<String>) -> Self {
        Self::Doubt { about: about.into(), write: write.into() }
    }

    /// A file that could not be read.
    pub(crate) fn file(reason: impl Into<String>, write: impl Into<String>) -> Self {
        Self::File { reason: reason.into(), write: write.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { reason, write } => write!(f, "{reason}; {write}"),
            Self::Syntax(message) => write!(f, "not TOML: {message}"),
            Self::UnknownKey { nearest } => write!(f, "unknown key; {nearest}"),
            Self::Wrong { expected, found, write } => write!(f, "expected {expected}, found {found}; {write}"),
            Self::Unavailable { feature, write } => write!(f, "{feature}: not available in this version; {write}"),
            Self::Doubt { about, write } => write!(f, "{about}; {write}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(Place { line, column, .. }) = &self.place {
            write!(f, ":{line}:{column}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", shortened(&self.key))?;
        }
        write!(f, ": {}", self.complaint)?;
        if let Some(Place { line, excerpt, underline, .. }) = &self.place {
            write!(f, "\n{line:>5} | {excerpt}\n      | {underline}")?;
        }
        Ok(())
    }
}

/// Everything that is wrong with one file, in the order of its lines. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    more: usize,
}

impl Problems {
    /// The list in the order of the file, cut where it stops being read by anybody; `more` are not even in the list.
    /// `None` when there is nothing wrong.
    pub(crate) fn of(mut list: Vec<Problem>, more: usize) -> Option<Self> {
        list.sort_by_key(|problem| problem.place.as_ref().map_or((0, 0), |place| (place.line, place.column)));
        let more = more + list.len().saturating_sub(SHOWN);
        list.truncate(SHOWN);
        if list.is_empty() { None } else { Some(Self { list, more }) }
    }

    /// The problems, at most 50.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.list.iter()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { list: vec![problem], more: 0 }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        if self.more > 0 {
            write!(f, "\n(and {} more)", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Text of the file fit for a line of a terminal: no control characters, no more than 60 characters.
pub(crate) fn shortened(text: &str) -> String {
    let mut short: String =
        text.chars().take(60).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}
