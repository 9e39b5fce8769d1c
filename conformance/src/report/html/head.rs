//! The head of a page that asks nothing of the network: the policy in it says so to the browser.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

/// The head of a page with this title and style, in the light or the dark, and with a script where there is one.
pub(crate) fn head(title: &str, style: &str, script: Option<&str>) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy(style, script));
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="referrer" content="no-referrer";
            title { (title) }
            style { (PreEscaped(style)) }
        }
    }
}

/// Nothing from anywhere, and of what stands in the page only this.
fn policy(style: &str, script: Option<&str>) -> String {
    let style = hash(style);
    let script = script.map_or_else(|| "'none'".to_owned(), |script| format!("'{}'", hash(script)));
    format!(
        "default-src 'none'; style-src '{style}'; script-src {script}; base-uri 'none'; form-action 'none'"
    )
}

/// How a content security policy names a text that may stand in the page.
pub(super) fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text)))
}
