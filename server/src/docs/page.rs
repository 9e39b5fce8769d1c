//! What every page has: a head, links to the others, and a content security policy that allows what is in the page itself, and
//! little else.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::File;

/// Where the pages are, and what they are called.
const PAGES: [(&str, &str); 4] = [
    ("/docs", "Overview"),
    ("/docs/events", "Events"),
    ("/docs/rest", "REST"),
    ("/docs/playground", "Playground"),
];

const STYLE: &str = include_str!("style.css");

/// A lane of dots between two bars: a picture that asks nothing of the network.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' \
                    height='16' rx='3' fill='%231f5a96'/%3E%3Cpath d='M4 3v10M12 3v10M5 6h5M11 10H6' stroke='%23fff' \
                    stroke-width='1.5'/%3E%3C/svg%3E";

/// A page, but for what all have.
pub(super) struct Page {
    /// Where it is.
    pub(super) path: &'static str,
    /// What it is about.
    pub(super) title: String,
    /// What is said at the top.
    pub(super) lead: Markup,
    /// What follows, each with a heading.
    pub(super) sections: Vec<Section>,
    /// What makes it move.
    pub(super) script: Option<Script>,
}

/// A section of a page, as in the table of contents.
pub(super) struct Section {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) body: Markup,
}

/// A script of a page, and a file that it needs beforehand.
pub(super) struct Script {
    /// Where the server has that file.
    pub(super) needs: &'static str,
    pub(super) text: &'static str,
}

impl Page {
    /// The page as it is served.
    pub(super) fn file(&self) -> File {
        File {
            content_type: "text/html; charset=utf-8",
            policy: Some(self.policy()),
            body: self.document().into_string().into(),
        }
    }

    /// Nothing from elsewhere, and of what is in the page only this. A page with a script may connect to its server.
    fn policy(&self) -> String {
        let style = hash(STYLE);
        let script = match &self.script {
            Some(script) => format!("'self' '{}'; connect-src 'self'", hash(script.text)),
            None => "'none'".to_owned(),
        };
        format!(
            "default-src 'none'; style-src '{style}'; script-src {script}; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'"
        )
    }

    fn document(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " - chatspec-server" }
                    link rel="icon" href=(ICON);
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header {
                        (self.others())
                        h1 { (self.title) }
                        (self.lead)
                    }
                    (self.contents())
                    main #main tabindex="-1" {
                        @for Section { id, title, body } in &self.sections {
                            section aria-labelledby=(id) {
                                h2 #(id) { (title) }
                                (body)
                            }
                        }
                    }
                    footer {
                        p {
                            "Served by chatspec-server " (env!("CARGO_PKG_VERSION")) " from the contract that it is built with. "
                            code { "--no-docs" } " switches these pages off."
                        }
                    }
                    @if let Some(Script { needs, text }) = &self.script {
                        script src=(needs) {}
                        script { (PreEscaped(text)) }
                    }
                }
            }
        }
    }

    fn others(&self) -> Markup {
        html! {
            nav.pages aria-label="Pages" {
                ul {
                    @for (path, name) in PAGES {
                        li { a href=(path) aria-current=[(path == self.path).then_some("page")] { (name) } }
                    }
                }
            }
        }
    }

    fn contents(&self) -> Markup {
        html! {
            @if self.sections.len() > 3 {
                nav aria-label="Contents" {
                    ul {
                        @for Section { id, title, .. } in &self.sections { li { a href={ "#" (id) } { (title) } } }
                    }
                }
            }
        }
    }
}

/// The source expression of a content security policy that allows this text in the page.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text)))
}

/// A text of the contract: blank lines separate paragraphs, and code is between backticks.
pub(super) fn paragraphs(text: &str) -> Markup {
    html! { @for part in text.split("\n\n") { p { (prose(part)) } } }
}

/// A sentence of the contract, which writes code between backticks.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for (n, part) in text.trim().split('`').enumerate() {
            @if n % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

/// A table that is wider than a narrow screen has a box of its own to scroll in, which the keyboard reaches.
pub(super) fn scrolling(label: &str, table: &Markup) -> Markup {
    html! { div.scroll role="group" aria-label=(label) tabindex="0" { (table) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_lets_in_what_stands_in_the_page_and_nothing_else() {
        let page = |script| Page {
            path: "/docs",
            title: String::new(),
            lead: Markup::default(),
            sections: Vec::new(),
            script,
        };
        let still = page(None);
        assert!(still.policy().contains("script-src 'none'; img-src"));
        assert!(!still.policy().contains("connect-src"));
        assert!(!still.document().into_string().contains("<script"));
        let script = Script {
            needs: "/client.js",
            text: "alert(1)",
        };
        // As `openssl dgst -sha256 -binary | base64` has it.
        let hash = "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='";
        let moving = page(Some(script));
        assert!(
            moving
                .policy()
                .contains(&format!("script-src 'self' {hash}; connect-src 'self'"))
        );
        for page in [still, moving] {
            let policy = page.policy();
            assert!(
                policy.starts_with("default-src 'none'; style-src 'sha256-"),
                "{policy}"
            );
            assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        }
    }

    #[test]
    fn code_stands_between_backticks() {
        assert_eq!(prose("a `b` <c>\n").into_string(), "a <code>b</code> &lt;c&gt;");
        assert_eq!(paragraphs("a\n\nb").into_string(), "<p>a</p><p>b</p>");
    }
}
