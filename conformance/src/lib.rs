//! chatspec: a conformance kit for realtime chat over Socket.IO.
//!
//! # Layout
//!
//! ```text
//! args → Plan → Target → runner ─► scenario(scene) → clients → expectations ─► RunEvent ─► reports → exit code
//! ```
//!
//! - [`contract`]: what is demanded, as data
//! - [`scenarios`]: the stories that look for it, one file per area
//! - [`scene`]: what a story gets
//! - [`client`]: connections and HTTP; [`event`]: what they receive; [`packet`]: how it is written
//! - [`expect`]: pure matchers on JSON; [`text`]: values cut for people; [`placeholders`]: `{{…}}` filled in
//! - [`verdict`]: what can be said about a requirement; [`measurement`]: what was measured on the way
//! - [`cli`]: what people type
//! - [`plan`]: what to run
//! - [`targets`]: who is under test
//! - [`preflight`], [`calibration`]: whether it can be tested, and how long to wait there
//! - [`runner`]: runs the plan and tells what happens
//! - [`result`]: what came of it; [`standing`]: what that means, as an exit code too; [`fingerprint`]: how failures differ
//! - [`doctor`]: whether a target file says what is true
//! - [`baseline`]: which failures are known, so that only new ones fail a run
//! - [`shapes`]: what acks and broadcasts look like, without what is different each time
//! - [`report`]: what people and machines get to read; [`saved`]: a report read back
//! - [`compare`]: reports held against each other
//! - [`repro`]: a scenario as a script, for people who do not have chatspec
//! - [`transcript`]: what went over the wire
//! - [`services`]: what a target needs beside it; [`private`]: what is not printed of it
//! - [`load`]: many users at once, with an eye on every message
//! - [`proxy`]: between clients and a target, to see and to spoil; [`sabotage`]: whether the kit notices

pub mod baseline;
pub mod calibration;
pub mod cli;
pub mod client;
pub mod compare;
pub mod contract;
pub mod doctor;
pub mod event;
pub mod expect;
pub mod fingerprint;
pub mod load;
pub mod measurement;
pub mod packet;
pub mod placeholders;
pub mod plan;
pub mod preflight;
pub mod private;
pub mod proxy;
pub mod report;
pub mod repro;
pub mod result;
pub mod runner;
pub mod sabotage;
pub mod saved;
pub mod scenarios;
pub mod scene;
pub mod services;
pub mod shapes;
pub mod standing;
pub mod targets;
pub mod text;
pub mod transcript;
pub mod verdict;
