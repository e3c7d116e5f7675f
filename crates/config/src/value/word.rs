//! Words that stand for values, such as the levels of the log.

use super::{Parsed, quoted};
use crate::nearest::nearest;
use crate::problem::Complaint;

/// One of the words of a key.
pub(crate) fn one_of<T: Copy>(words: &[(&'static str, T)], text: &str) -> Parsed<T> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let expected = words.iter().map(|(word, _)| quoted(word)).collect::<Vec<_>>().join(", ");
    let near = nearest(text, words.iter().map(|(word, _)| *word)).unwrap_or(words[0].0);
    Err(Complaint::wrong(format!("one of {expected}"), quoted(text), format!("write \"{near}\"")))
}

/// The word for a value.
pub(crate) fn word_of<T: PartialEq + Copy>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, known)| *known == value).map_or("", |(word, _)| word)
}
