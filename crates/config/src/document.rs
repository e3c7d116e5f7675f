//! From text to a TOML tree whose values know where they stand.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;

use crate::problem::{Complaint, Problem, Problems};
use crate::source::Source;

/// Keys that stand twice of which the places are told.
const MOST_TWICE: usize = 100;

/// The tree, its source and the keys that stand twice; or the one place where the text stops being TOML.
pub(crate) fn parse<'t>(name: &str, text: &'t str) -> Result<(Spanned<DeTable<'t>>, Source, Vec<Problem>), Problems> {
    let (tree, errors) = DeTable::parse_recoverable(text);
    let (twice, broken): (Vec<_>, Vec<_>) = errors.into_iter().partition(|error| error.message() == "duplicate key");
    // Recovery guesses after the first break, and its guesses would be complaints about what nobody wrote.
    if let Some(error) = broken.iter().min_by_key(|error| error.span().map(|span| span.start)) {
        let span = error.span().unwrap_or(0..0);
        return Err(Source::unread(name, text)
            .problem_at(span, "", Complaint::Syntax(in_words(error.message())))
            .into());
    }
    let source = Source::new(name, text, tree.get_ref());
    let problems = twice.iter().take(MOST_TWICE).map(|error| {
        let span = error.span().unwrap_or(0..0);
        let key = path_at(text, span.clone());
        // The place of a table is where it was last opened: that is no help.
        let first = source.line_of(&key).filter(|line| source.line_at(span.start) > *line);
        let found = match first {
            Some(line) => format!("it again after line {line}"),
            None => "it a second time".to_owned(),
        };
        source.problem_at(span, &key, Complaint::wrong("each key once", found, "keep one of the two"))
    });
    let problems = problems.collect();
    Ok((tree, source, problems))
}

/// The parser's sentence without its filler, and the slip that most often leads to it.
pub(crate) fn in_words(message: &str) -> String {
    let message = message.trim_end_matches(", expected nothing");
    let bare = ["invalid float", "invalid integer", "invalid datetime", "string values must be quoted"];
    let advice = if bare.iter().any(|slip| message.starts_with(slip)) {
        "; write addresses, durations, sizes and names in quotes"
    } else {
        ""
    };
    format!("{message}{advice}")
}

/// The path of the key at `span`: its own words after those of the table header above it.
fn path_at(text: &str, span: Range<usize>) -> String {
    let key = text.get(span.clone()).unwrap_or_default();
    let line = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    if text[line..].trim_start().starts_with('[') {
        return key.to_owned();
    }
    let header = text[..line].lines().rev().map(str::trim).find(|line| line.starts_with('['));
    match header.and_then(|header| header.trim_start_matches('[').split(']').next()) {
        Some(table) => format!("{}.{key}", table.trim()),
        None => key.to_owned(),
    }
}
