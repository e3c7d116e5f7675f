//! The known word that somebody probably meant.

/// Longest word that is worth comparing, in bytes: no key of ours is near.
const LONGEST: usize = 48;

/// The candidate with the fewest edits to `word`, when they are few enough to be a slip.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let lower = word.to_lowercase().replace('-', "_");
    let scored = candidates.map(|candidate| (distance(&lower, candidate), candidate));
    let (edits, candidate) = scored.min_by_key(|(edits, _)| *edits)?;
    let slips = (candidate.len().max(lower.len()) / 3).max(1);
    let holds = candidate.len() >= 4 && lower.len() >= 4 && (lower.contains(candidate) || candidate.contains(&lower));
    (edits <= slips || holds).then_some(candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_a_stranger_finds_none() {
        let keys = ["listen", "ports", "relay_addresses", "deny_peers", "workers"];
        let find = |word| nearest(word, keys.into_iter());
        assert_eq!(find("prots"), Some("ports"));
        assert_eq!(find("port"), Some("ports"));
        assert_eq!(find("relay-address"), Some("relay_addresses"));
        assert_eq!(find("deny_peer"), Some("deny_peers"));
        assert_eq!(find("certificate"), None);
        assert_eq!(find(""), None);
    }
}
