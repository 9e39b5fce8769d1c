//! The program as operators meet it, in good times and in bad ones.
//!
//! - `operators`: how it starts, what it says when it cannot, how it stops
//! - `docs`: the pages beside the protocol, and none where they are switched off
//! - `killed`: nothing acknowledged is lost when it is killed, in either store
//! - `outage`: the database goes away and comes back
//! - `slow`: the database takes its time
//! - `process`, `chatter`, `burst`: the server as a child process, people who talk to it, and many messages at once

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

mod burst;
mod chatter;
mod docs;
mod killed;
mod operators;
mod outage;
mod process;
mod slow;
