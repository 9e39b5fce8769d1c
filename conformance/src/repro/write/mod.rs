//! A story as a script.
//!
//! - [`write()`]: all of it
//! - [`api`]: how the target is spoken to
//! - `Dialect`: what is different between languages; one file for each: [`js`], [`python`]
//! - `steps`: the story itself; `header`: what stands above it
//! - [`code`]: expressions in lines; [`frame`]: the helpers that a script needs

pub mod api;
pub mod code;
pub mod frame;
mod header;
pub mod js;
pub mod python;
mod steps;

use clap::ValueEnum;

use super::Untold;
use super::story::Story;
use super::term::Term;
use crate::contract::Contract;
pub use api::Api;
use code::Code;

/// The language of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// JavaScript for Node, with socket.io-client.
    Js,
    /// Python, with python-socketio and aiohttp.
    Python,
}

impl Language {
    const fn dialect(self) -> &'static dyn Dialect {
        match self {
            Self::Js => &js::Js,
            Self::Python => &python::Python,
        }
    }
}

/// What is different between languages.
trait Dialect: Sync {
    /// What begins a comment, with a space.
    fn comment(&self) -> &'static str;
    /// Spaces by which code is indented.
    fn step(&self) -> usize;
    /// What ends a statement.
    fn end(&self) -> &'static str;
    /// No value.
    fn null(&self) -> &'static str;
    /// A truth value.
    fn bool(&self, value: bool) -> &'static str;
    /// A text, in ASCII alone, so that neither an editor nor a terminal makes something else of it.
    fn quote(&self, text: &str) -> String;
    /// A text of parts, at least one of which is code.
    fn concat(&self, parts: &[Part]) -> String;
    /// A character so many times.
    fn repeat(&self, c: char, times: usize) -> String;
    /// The brackets and keys of an object, and what pads them in a single line.
    fn object(&self, fields: Vec<(String, Code)>) -> Code;
    /// A percent-encoded text.
    fn encoded(&self, code: &str) -> String;
    /// A list of requests that are started at once, and waited for.
    fn together(&self, asks: Vec<Code>) -> Code;
    /// A name of these words.
    fn name(&self, words: &[&str]) -> String;
    /// What makes a new name stand for something, up to the value.
    fn declare(&self, name: &str) -> String;
    /// Statements before the first one that gives these names another value.
    fn variables(&self, names: &[&str]) -> Option<String>;
    /// What the user is that has just registered.
    fn user(&self, id: &str, token: &str, session: Option<&str>) -> Code;
    /// Statements by which somebody who registers gets these.
    fn person(&self, what: &[&str]) -> Vec<String>;
    /// What a variable of the environment holds.
    fn environment(&self, name: &str) -> String;
    /// What comes behind the other places where the server's address may be found.
    fn or_else(&self, url: &str) -> String;
    /// What such a script is called, how what it needs is installed, how it is run.
    fn usage(&self, stem: &str) -> (String, &'static str, String);
    /// The whole script, of these parts.
    fn assembled(&self, fill: &[(&str, &str)]) -> String;
}

/// A part of a text.
enum Part {
    /// As it is.
    Plain(String),
    /// What this code gives.
    Code(String),
}

/// The script that tells a story in a language.
pub fn write(story: &Story, contract: &Contract, api: &Api, language: Language) -> Result<String, Untold> {
    let dialect = language.dialect();
    let writer = steps::Writer::new(story, contract, api, dialect);
    let told = writer.story()?;
    let sign_up = writer.sign_up()?;
    let url = api
        .url
        .as_deref()
        .map(|url| dialect.or_else(url))
        .unwrap_or_default();
    let rest = api
        .rest
        .url
        .as_deref()
        .map_or_else(|| "SERVER".to_owned(), |url| dialect.quote(url));
    Ok(dialect.assembled(&[
        ("header", &header::header(story, contract, api, dialect)),
        ("contract", &header::rules(story, contract, dialect)),
        ("ending", &dialect.quote(&header::ending(story))),
        ("url", &url),
        ("rest", &rest),
        ("path", &dialect.quote(&api.handshake.path)),
        ("authorization", &writer.authorization()),
        ("sign_up", &sign_up),
        ("story", &told),
    ]))
}

#[cfg(test)]
mod tests;

/// The variable of a text that is nothing else.
fn only_var(term: &Term) -> Option<super::term::Var> {
    match term {
        Term::Text(pieces) => match pieces.as_slice() {
            [super::term::Piece::Var(var)] => Some(*var),
            _ => None,
        },
        _ => None,
    }
}
