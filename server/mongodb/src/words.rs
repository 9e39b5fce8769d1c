//! What a search compares: the words of a text, whatever the case, with their accents.

use std::collections::BTreeSet;

/// Longer words are told apart by their beginning alone.
const LONGEST_CHARS: usize = 64;

/// The words of a text, each once: runs of letters and digits, with the marks on them.
pub(super) fn of(text: &str) -> Vec<String> {
    let words: BTreeSet<String> = text
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(LONGEST_CHARS).collect())
        .collect();
    words.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_counts_once_whatever_its_case() {
        assert_eq!(of("Fox, fox! ÄPFEL (1st)"), ["1st", "fox", "äpfel"]);
        assert_eq!(of(" \u{0}*\"' "), [""; 0]);
        assert_eq!(of(&"x".repeat(1_000)), ["x".repeat(LONGEST_CHARS)]);
    }
}
