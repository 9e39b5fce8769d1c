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
//! - [`client`]: connections and HTTP
//! - [`expect`]: pure matchers on JSON
//! - [`verdict`]: what can be said about a requirement
//! - [`target`]: who is under test
//! - [`calibration`]: how long to wait there
//! - [`transcript`]: what went over the wire

pub mod calibration;
pub mod client;
pub mod contract;
pub mod expect;
pub mod scenarios;
pub mod scene;
pub mod target;
pub mod transcript;
pub mod verdict;
