//! Why a load makes no sense, and what to do.

use thiserror::Error;

/// Why a load makes no sense.
#[derive(Debug, PartialEq, Error)]
pub enum PlanError {
    /// A room in which nobody else is.
    #[error("--room-size {0}: a room takes at least 2 members")]
    Alone(u32),
    /// Nobody at all.
    #[error("there is nothing to connect: give --rooms, --idle or --connect-only")]
    Nobody,
    /// Not a single message.
    #[error("--rate {rate} over --duration {seconds} s makes no message: raise one of them")]
    Nothing {
        /// The value of `--rate`, in messages per second.
        rate: f64,
        /// The value of `--duration`, in seconds.
        seconds: f64,
    },
    /// More than can be numbered.
    #[error("--rate {0}: that makes more than four thousand million messages; give a shorter --duration")]
    TooMany(f64),
    /// The limit would be met.
    #[error(
        "--rate {rate}: {users} users may send {most} messages a second at most, so that none of them comes near the limit of \
         {max} in {window_ms} ms. Give more users, as in --rooms {rooms}, or lift the limit: start the server with \
         --rate-max {enough} or the like, and say so by --rate-max {enough} here, or by limits.rate_max in the target file"
    )]
    TooFast {
        /// The value of `--rate`, in messages per second.
        rate: f64,
        /// Who would send them.
        users: u32,
        /// How many a second they may send.
        most: f64,
        /// The limit.
        max: usize,
        /// Its window.
        window_ms: u64,
        /// A number of rooms with which the rate would be allowed.
        rooms: f64,
        /// Such a limit would do.
        enough: f64,
    },
    /// The body does not hold what it must, or is too long.
    #[error(
        "--payload {payload}: must be between {least} bytes, which a message needs to be recognised, and {most}"
    )]
    Payload {
        /// The value of `--payload`, in bytes.
        payload: usize,
        /// The shortest that will do.
        least: usize,
        /// The longest that the target takes.
        most: usize,
    },
    /// The system does not let so many be open.
    #[error(
        "{wanted} connections need as many open files, but this process may only have {limit}: raise the limit with ulimit -n"
    )]
    Files {
        /// Connections, and a few for all else.
        wanted: u64,
        /// What is allowed.
        limit: u64,
    },
}
