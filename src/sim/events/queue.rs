//! The large event set: when clients wake.
//!
//! A ladder of time buckets (Tang, Goh and Thng 2005, in its simplest form). An event is appended to the bucket of its
//! time, and a bucket is sorted once, when it becomes current. Late arrivals for the current bucket go to a small heap,
//! and events beyond the last bucket wait in an unsorted list. An entry has 8 bytes: the offset within its bucket, and
//! the client. Ties go to the lower client.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::base::ClientId;
use crate::base::time::{Instant, Span};

const ID_BITS: u32 = 24;
const ID_MASK: u64 = (1 << ID_BITS) - 1;
/// An offset has 64 - 24 bits.
const MAX_SHIFT: u32 = 63 - ID_BITS;
/// 2^10 ns. Finer buckets would mostly be empty.
const MIN_SHIFT: u32 = 10;
/// The intended number of events per bucket in a large simulation.
const TARGET: u64 = 2_048;
/// How far ahead the ladder reaches, in mean delays.
const HORIZON: u64 = 8;
/// How many events [`WakeQueue::upcoming`] returns at a time.
const BATCH: usize = 16;

/// Pending wake-ups of clients, at most one per client, in order of time.
#[derive(Clone, Debug)]
pub struct WakeQueue {
    /// A bucket is 2^shift ns wide.
    shift: u32,
    /// The number of the current bucket, counted from time 0.
    current: u64,
    /// The events of the current bucket, latest first.
    run: Vec<u64>,
    /// Events pushed into the current bucket after it was sorted.
    late: BinaryHeap<Reverse<u64>>,
    /// Later buckets, by number modulo their count (a power of two).
    buckets: Vec<Bucket>,
    chunks: Vec<Chunk>,
    free: Vec<u32>,
    /// The total number of events in the buckets.
    in_buckets: usize,
    /// Events beyond the last bucket.
    far: Vec<(Instant, u32)>,
}

const NIL: u32 = u32::MAX;
const KEYS: u32 = 15;

/// A chain of chunks of which only the first may be partly filled. The fill level is kept here, not in the chunk, so
/// that an append only writes to the chunk and need not wait for a cache miss.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    first: u32,
    taken: u32,
}

impl Bucket {
    const EMPTY: Bucket = Bucket { first: NIL, taken: 0 };
}

/// 128 bytes: two cache lines.
#[derive(Clone, Copy, Debug)]
#[repr(align(128))]
struct Chunk {
    keys: [u64; KEYS as usize],
    next: u32,
}

impl WakeQueue {
    /// Creates a queue sized for this many clients with this mean delay.
    #[must_use]
    pub fn new(clients: usize, mean_delay: Span) -> WakeQueue {
        let clients = (clients as u64).max(1);
        let mean = mean_delay.as_nanos().clamp(1 << MIN_SHIFT, 1 << 50);
        let target = (clients / 8).clamp(4, TARGET);
        let width = u64::try_from(u128::from(mean) * u128::from(target) / u128::from(clients)).unwrap_or(u64::MAX);
        let shift = width.max(1).ilog2().clamp(MIN_SHIFT, MAX_SHIFT);
        let count = ((mean >> shift) * HORIZON).clamp(4, 1 << 16).next_power_of_two();
        WakeQueue {
            shift,
            current: 0,
            run: Vec::new(),
            late: BinaryHeap::new(),
            buckets: vec![Bucket::EMPTY; usize::try_from(count).expect("at most 65,536")],
            chunks: Vec::new(),
            free: Vec::new(),
            in_buckets: 0,
            far: Vec::new(),
        }
    }

    /// Whether no wake-up is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.in_buckets == 0 && self.run.is_empty() && self.late.is_empty() && self.far.is_empty()
    }

    /// Schedules a client's wake-up, which must not be earlier than the last event taken.
    #[inline(always)]
    pub fn push(&mut self, at: Instant, client: ClientId) {
        let bucket = at.as_nanos() >> self.shift;
        let ahead = bucket.wrapping_sub(self.current);
        let key = (at.as_nanos() & ((1 << self.shift) - 1)) << ID_BITS | u64::from(client.0);
        if ahead == 0 {
            self.late.push(Reverse(key));
        } else if ahead < self.buckets.len() as u64 {
            self.append(self.place(bucket), key);
        } else {
            self.far.push((at, client.0));
        }
    }

    /// Removes the earliest event before `limit`, if there is one. The queue never advances past `limit`, because
    /// earlier events may still be pushed.
    #[inline(always)]
    pub fn pop_before(&mut self, limit: Instant) -> Option<(Instant, ClientId)> {
        if self.run.is_empty() && self.late.is_empty() {
            self.open_next(limit);
        }
        let sorted = self.run.last().copied().unwrap_or(u64::MAX);
        let late = self.late.peek().map_or(u64::MAX, |Reverse(key)| *key);
        let key = sorted.min(late);
        let at = Instant::from_nanos(self.current << self.shift | key >> ID_BITS);
        if key == u64::MAX || at >= limit {
            return None;
        }
        if sorted < late {
            self.run.pop();
        } else {
            self.late.pop();
        }
        Some((at, ClientId((key & ID_MASK) as u32)))
    }

    /// Returns, once per batch, the clients of a batch of events that are due soon but not next, for prefetching.
    #[inline]
    pub fn upcoming(&self) -> Option<impl Iterator<Item = ClientId>> {
        let left = self.run.len();
        if !left.is_multiple_of(BATCH) || left <= BATCH {
            return None;
        }
        let batch = &self.run[left.saturating_sub(2 * BATCH)..left - BATCH];
        Some(batch.iter().map(|key| ClientId((key & ID_MASK) as u32)))
    }

    /// All pending wake-ups, in no particular order.
    pub fn pending(&self) -> impl Iterator<Item = (Instant, ClientId)> + '_ {
        let now = self.run.iter().chain(self.late.iter().map(|Reverse(key)| key)).map(|key| (self.current, *key));
        let mask = self.buckets.len() as u64 - 1;
        let number = move |place: usize| self.current + ((place as u64).wrapping_sub(self.current) & mask);
        let later = self.buckets.iter().enumerate().flat_map(move |(place, bucket)| {
            let chunk = |at: u32| self.chunks.get(at as usize);
            let chain = std::iter::successors(chunk(bucket.first), move |this| chunk(this.next));
            let keys = chain.enumerate().flat_map(move |(i, chunk)| {
                let taken = if i == 0 { bucket.taken } else { KEYS };
                chunk.keys[..taken as usize].iter().copied()
            });
            keys.map(move |key| (number(place), key))
        });
        let here = move |(bucket, key): (u64, u64)| {
            (Instant::from_nanos(bucket << self.shift | key >> ID_BITS), ClientId((key & ID_MASK) as u32))
        };
        let far = self.far.iter().map(|(at, client)| (*at, ClientId(*client)));
        now.chain(later).map(here).chain(far)
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "masked to the count of buckets")]
    fn place(&self, bucket: u64) -> usize {
        (bucket & (self.buckets.len() as u64 - 1)) as usize
    }

    #[inline]
    fn append(&mut self, place: usize, key: u64) {
        self.in_buckets += 1;
        let bucket = &mut self.buckets[place];
        if let Some(chunk) = self.chunks.get_mut(bucket.first as usize)
            && let Some(slot) = chunk.keys.get_mut(bucket.taken as usize)
        {
            *slot = key;
            bucket.taken += 1;
            return;
        }
        let mut chunk = Chunk { keys: [0; KEYS as usize], next: bucket.first };
        chunk.keys[0] = key;
        let first = if let Some(at) = self.free.pop() {
            self.chunks[at as usize] = chunk;
            at
        } else {
            self.chunks.push(chunk);
            u32::try_from(self.chunks.len() - 1).expect("fewer chunks than clients")
        };
        *bucket = Bucket { first, taken: 1 };
    }

    /// Advances to the next non-empty bucket, but not past that of `limit`.
    fn open_next(&mut self, limit: Instant) {
        let last = limit.as_nanos() >> self.shift;
        while self.current < last {
            if self.in_buckets == 0 {
                self.skip_to(last);
            } else {
                self.current += 1;
                if self.place(self.current) == 0 {
                    self.rescan_far();
                }
            }
            self.load(self.place(self.current));
            if !self.run.is_empty() || !self.late.is_empty() {
                return;
            }
        }
    }

    /// Turns a bucket into the sorted run.
    fn load(&mut self, place: usize) {
        let Bucket { first: mut at, taken: mut len } = std::mem::replace(&mut self.buckets[place], Bucket::EMPTY);
        while let Some(chunk) = self.chunks.get(at as usize) {
            self.run.extend_from_slice(&chunk.keys[..len as usize]);
            self.free.push(at);
            (at, len) = (chunk.next, KEYS);
        }
        self.in_buckets -= self.run.len();
        self.run.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// With all buckets empty, jumps to the first far event or to the limit.
    fn skip_to(&mut self, last: u64) {
        let first = self.far.iter().map(|(at, _)| at.as_nanos() >> self.shift).min();
        self.current = first.map_or(last, |first| first.min(last));
        self.rescan_far();
    }

    fn rescan_far(&mut self) {
        for (at, client) in std::mem::take(&mut self.far) {
            self.push(at, ClientId(client));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// Compared with an ordered set: any mix of pushes and limited pops, at any scale.
        #[test]
        fn agrees_with_an_ordered_set(
            clients in 1u32..200,
            mean_log in 0u32..45,
            steps in prop::collection::vec((0u64..1 << 46, 0u32..46, any::<bool>()), 1..400),
        ) {
            let mut queue = WakeQueue::new(clients as usize, Span::from_nanos(1 << mean_log));
            let mut model: BTreeSet<(Instant, u32)> = BTreeSet::new();
            let mut now = Instant::ZERO;
            let mut next = 0;
            for (noise, scale, push) in steps {
                let span = Span::from_nanos(noise >> scale);
                if push && next < clients {
                    queue.push(now + span, ClientId(next));
                    model.insert((now + span, next));
                    next += 1;
                    continue;
                }
                let limit = now + span;
                let want = model.first().copied().filter(|(at, _)| *at < limit);
                let got = queue.pop_before(limit);
                prop_assert_eq!(got, want.map(|(at, client)| (at, ClientId(client))));
                if let Some(event) = want {
                    model.remove(&event);
                }
                now = want.map_or(limit, |(at, _)| at);
            }
            let end = Instant::from_nanos(1 << 60);
            while let Some((at, client)) = model.pop_first() {
                prop_assert_eq!(queue.pop_before(end), Some((at, ClientId(client))));
            }
            prop_assert_eq!(queue.pop_before(end), None);
        }
    }
}
