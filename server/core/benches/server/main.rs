//! What single steps of the server cost: `cargo bench -p chatspec-server-core`.
//!
//! - `request`: from the text of a packet to its ack
//! - `timing`: the two that keep time, the rate limiter and the presence throttle, with few users and with many

mod request;
mod timing;

fn main() {
    divan::main();
}
