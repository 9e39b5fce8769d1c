//! The reference server: one way to keep the contract, readable from top to bottom. As a library: the program around it is
//! `chatspec-server`, the store on MongoDB is `chatspec-server-mongodb`.
//!
//! # Layout
//!
//! Data flows one way, and the types of the stages keep it so:
//!
//! ```text
//! socket event ─ decode ─► command ─ authorize ─► Permit<command> ─ apply ─► Committed ─ publish ─► ack
//! REST request ─┘
//! ```
//!
//! - [`config`]: what can be set
//! - [`command`]: what a client can ask for, decoded and checked
//! - [`policy`]: who may do what; the only source of a `Permit`
//! - [`chat`]: the use-cases, and `Service::perform`, the one way through them
//! - [`auth`]: whose token this is
//! - [`rest`]: the HTTP API, one file per resource
//! - [`gateway`]: the sockets
//! - [`presence`]: who is online
//! - [`publish`]: what is sent to whom
//! - [`store`]: what is kept
//! - [`model`]: the data of the contract
//! - [`rate_limit`]: the sliding window
//! - [`metrics`]: what is counted
//! - [`error`]: what can go wrong, and how it looks from outside
//! - [`clock`], [`ids`]: time and ids as parameters

pub mod auth;
pub mod chat;
pub mod clock;
pub mod command;
pub mod config;
pub mod error;
pub mod gateway;
mod health;
pub mod ids;
pub mod metrics;
pub mod model;
pub mod policy;
pub mod presence;
pub mod publish;
pub mod rate_limit;
pub mod rest;
mod serve;
pub mod store;

pub use serve::{ServeError, Server};
