//! Who is served now, who waits, and who is refused at a server with a bounded queue.

/// What happens to a request that arrives at a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted<W> {
    /// This worker takes it.
    Worker(W),
    /// It waits in the queue.
    Queued,
    /// The queue is full: 503.
    Full,
}

/// Admits a request: an idle worker takes it; if all are busy it waits, as long as fewer than `limit` requests do.
#[inline]
pub fn admit<W>(idle: Option<W>, queued: usize, limit: usize) -> Admitted<W> {
    match idle {
        Some(worker) => Admitted::Worker(worker),
        None if queued < limit => Admitted::Queued,
        None => Admitted::Full,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_waits_only_if_all_are_busy_and_is_refused_only_if_the_queue_is_full() {
        assert_eq!(admit(Some(7), 0, 0), Admitted::Worker(7), "an idle worker needs no queue");
        let busy = |queued, limit| admit(None::<u32>, queued, limit);
        assert_eq!([busy(0, 2), busy(1, 2), busy(2, 2)], [Admitted::Queued, Admitted::Queued, Admitted::Full]);
        assert_eq!(busy(0, 0), Admitted::Full);
    }
}
