//! Values and long texts, cut for people.

use serde_json::Value;

/// JSON in one line, cut where it gets too long to read.
pub fn show(value: &Value) -> String {
    shorten(&value.to_string())
}

/// Text cut where it gets too long to read.
pub fn shorten(text: &str) -> String {
    cut(text, 400)
}

/// Text cut after so many characters; what is cut says how long it was.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_values_are_cut_between_characters() {
        let cut = show(&json!("ü".repeat(1000)));
        assert!(cut.ends_with("(2002 bytes)"), "{cut}");
    }
}
