//! From text to a TOML tree whose values know where they stand.

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
            .problem_at(span, "", Complaint::Syntax(error.message().to_owned()))
            .into());
    }
    let source = Source::new(name, text, tree.get_ref());
    let problems = twice.iter().take(MOST_TWICE).map(|error| {
        let span = error.span().unwrap_or(0..0);
        let key = text.get(span.clone()).unwrap_or_default();
        source.problem_at(span, key, Complaint::wrong("each key once", "it a second time", "keep one of the two"))
    });
    let problems = problems.collect();
    Ok((tree, source, problems))
}
