//! A write that has been asked for.

use std::future::{IntoFuture, ready};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::Result;

/// A write that has been asked for; awaiting it gives its outcome. A plain call makes it, so what was asked for before it, and
/// what after, is known without looking at who awaits what, and when.
#[must_use = "the outcome must be awaited"]
pub enum Pending<'a, T> {
    /// It is done already.
    Done(Result<T>),
    /// It is in the store's queue: whatever is asked for from now on comes after it. It is carried out even when nobody awaits
    /// it.
    Queued(BoxFuture<'a, Result<T>>),
    /// Its place among others is decided while it is awaited.
    Unplaced(BoxFuture<'a, Result<T>>),
}

impl<'a, T: Send + 'a> IntoFuture for Pending<'a, T> {
    type Output = Result<T>;
    type IntoFuture = BoxFuture<'a, Result<T>>;

    fn into_future(self) -> Self::IntoFuture {
        match self {
            Self::Done(outcome) => ready(outcome).boxed(),
            Self::Queued(outcome) | Self::Unplaced(outcome) => outcome,
        }
    }
}
