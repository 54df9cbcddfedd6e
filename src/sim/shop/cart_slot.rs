//! The carts of one client in one cache line, and what does not fit there.

use crate::base::time::Instant;
use crate::base::{Item, Items, ProcessId};

/// One client's carts: 32 bytes adjacent to the client itself, so that both are in one cache line.
///
/// With carts in server memory, the slot holds entries, one per (process, item), from the front. Entries that do not
/// fit go to a chain of further chunks. An entry of a dead process is what was lost with it: no server can read it, but
/// the post-mortem can. So a crash costs nothing here, and memory grows with what open visits hold, not with users
/// times servers. With a single copy (in the store, or with the user) the slot holds that copy.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub struct CartSlot {
    entries: [Entry; ENTRIES],
    pub(super) next: u32,
}

const ENTRIES: usize = 7;
/// Marks the end of a chain of chunks.
const NIL: u32 = u32::MAX;

impl CartSlot {
    /// No cart anywhere.
    pub const EMPTY: CartSlot = CartSlot { entries: [Entry::EMPTY; ENTRIES], next: NIL };

    /// The single copy, if there is one.
    #[inline]
    #[must_use]
    pub fn copy(&self) -> Option<Items> {
        let [low, high, mark, ..] = self.entries;
        (mark != Entry::EMPTY).then(|| Items(u64::from(low.0) | u64::from(high.0) << 32))
    }

    /// Stores the single copy.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "both halves are kept")]
    pub fn keep(&mut self, items: Items) {
        self.entries[0] = Entry(items.0 as u32);
        self.entries[1] = Entry((items.0 >> 32) as u32);
        self.entries[2] = Entry(0);
    }

    /// Stores the single copy, which expires at `end`: a token, or a cart in a store that sets a time to live.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "both halves are kept")]
    pub fn keep_until(&mut self, items: Items, end: Instant) {
        self.keep(items);
        self.entries[3] = Entry(end.as_nanos() as u32);
        self.entries[4] = Entry((end.as_nanos() >> 32) as u32);
    }

    /// When the single copy expires, if it does.
    #[inline]
    #[must_use]
    pub fn expires(&self) -> Instant {
        let [_, _, _, low, high, ..] = self.entries;
        Instant::from_nanos(u64::from(low.0) | u64::from(high.0) << 32)
    }
}

impl CartSlot {
    /// Replaces an entry in this slot. Returns whether it was found.
    fn replace(&mut self, old: Entry, new: Entry) -> bool {
        let place = self.entries.iter_mut().find(|entry| **entry == old);
        place.map(|entry| *entry = new).is_some()
    }
}

/// The entries that did not fit in their clients' slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Overflow {
    chunks: Vec<CartSlot>,
    free: Vec<u32>,
}

/// An item in the memory of a process, or (code 0) only a marker that the process knows the cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry(u32);

const CODE_BITS: u32 = 7;
const CODE_MASK: u32 = (1 << CODE_BITS) - 1;

impl Entry {
    const EMPTY: Entry = Entry(u32::MAX);

    #[inline]
    pub fn new(process: ProcessId, item: Option<Item>) -> Entry {
        debug_assert!(process.0 < (1 << (32 - CODE_BITS)) - 1, "too many processes for an entry");
        Entry(process.0 << CODE_BITS | item.map_or(0, |item| u32::from(item.number())))
    }

    #[inline]
    pub fn process(self) -> ProcessId {
        ProcessId(self.0 >> CODE_BITS)
    }

    #[inline]
    fn is_of(self, process: ProcessId) -> bool {
        self.0 ^ (process.0 << CODE_BITS) <= CODE_MASK
    }

    /// The item as a set; empty for the marker.
    #[inline]
    pub fn items(self) -> Items {
        let code = self.0 & CODE_MASK;
        Items(1u64.wrapping_shl(code.wrapping_sub(1)) * u64::from(code != 0))
    }
}

/// The result of scanning a client's entries.
pub(super) struct Found {
    pub items: Items,
    pub knew: bool,
    /// The last chunk ([`NIL`] for the slot itself), and how many of its entries are used.
    last: u32,
    taken: usize,
}

impl Found {
    /// Compares without branches, because they would be unpredictable.
    #[inline]
    fn read(&mut self, chunk: &CartSlot, process: ProcessId) {
        let mut here = 0u32;
        self.taken = 0;
        for (i, entry) in chunk.entries.iter().enumerate() {
            here |= u32::from(entry.is_of(process)) << i;
            self.taken += usize::from(*entry != Entry::EMPTY);
        }
        self.knew |= here != 0;
        while here != 0 {
            self.items.0 |= chunk.entries[here.trailing_zeros() as usize].items().0;
            here &= here - 1;
        }
    }
}

impl Overflow {
    /// What this process holds for a client, and whether it knows the cart at all.
    #[inline]
    pub fn find(&self, slot: &CartSlot, process: ProcessId) -> Found {
        let mut found = Found { items: Items::NONE, knew: false, last: NIL, taken: 0 };
        found.read(slot, process);
        let mut at = slot.next;
        while let Some(chunk) = self.chunks.get(at as usize) {
            found.read(chunk, process);
            found.last = at;
            at = chunk.next;
        }
        found
    }

    #[inline]
    pub fn append(&mut self, slot: &mut CartSlot, found: &mut Found, entry: Entry) {
        let last = self.chunks.get_mut(found.last as usize).unwrap_or(slot);
        if let Some(place) = last.entries.get_mut(found.taken) {
            *place = entry;
            found.taken += 1;
            return;
        }
        let new = self.chunk(entry);
        self.chunks.get_mut(found.last as usize).unwrap_or(slot).next = new;
        (found.last, found.taken) = (new, 1);
    }

    #[cold]
    fn chunk(&mut self, entry: Entry) -> u32 {
        let mut chunk = CartSlot::EMPTY;
        chunk.entries[0] = entry;
        if let Some(at) = self.free.pop() {
            self.chunks[at as usize] = chunk;
            return at;
        }
        self.chunks.push(chunk);
        u32::try_from(self.chunks.len() - 1).ok().filter(|at| *at != NIL).expect("fewer than 2^32 chunks")
    }

    pub fn entries<'a>(&'a self, slot: &'a CartSlot) -> impl Iterator<Item = Entry> + 'a {
        let chain = std::iter::successors(Some(slot), |chunk| self.chunks.get(chunk.next as usize));
        chain.flat_map(|chunk| chunk.entries).take_while(|entry| *entry != Entry::EMPTY)
    }

    #[cold]
    pub fn replace(&mut self, slot: &mut CartSlot, old: Entry, new: Entry) {
        if slot.replace(old, new) {
            return;
        }
        let mut at = slot.next;
        while let Some(chunk) = self.chunks.get_mut(at as usize) {
            if chunk.replace(old, new) {
                return;
            }
            at = chunk.next;
        }
    }

    #[inline]
    pub fn free_chain(&mut self, first: u32) {
        let mut at = first;
        while let Some(chunk) = self.chunks.get(at as usize) {
            self.free.push(at);
            at = chunk.next;
        }
    }
}
