//! A write that has been asked for.

use std::future::IntoFuture;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::Result;

/// A write that has been asked for; awaiting it gives its outcome. A plain call makes it, so what was asked for before it, and
/// what after, is known without looking at who awaits what, and when.
#[must_use = "the outcome must be awaited"]
pub struct Pending<'a, T> {
    has_place: bool,
    outcome: BoxFuture<'a, Result<T>>,
}

impl<'a, T> Pending<'a, T> {
    /// A write that has its place: it is done, or it is in the store's queue, and whatever is asked for from now on comes
    /// after it. It is carried out even when nobody awaits it.
    pub fn in_place(outcome: impl Future<Output = Result<T>> + Send + 'a) -> Self {
        Self {
            has_place: true,
            outcome: outcome.boxed(),
        }
    }

    /// A write whose place among others is decided while it is awaited.
    pub fn unplaced(outcome: impl Future<Output = Result<T>> + Send + 'a) -> Self {
        Self {
            has_place: false,
            outcome: outcome.boxed(),
        }
    }

    /// Whether it has its place.
    pub fn has_place(&self) -> bool {
        self.has_place
    }
}

impl<'a, T> IntoFuture for Pending<'a, T> {
    type Output = Result<T>;
    type IntoFuture = BoxFuture<'a, Result<T>>;

    fn into_future(self) -> Self::IntoFuture {
        self.outcome
    }
}
