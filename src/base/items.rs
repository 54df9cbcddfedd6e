//! What users put into carts, and the files they upload.

use std::fmt;

use serde::Serialize;

/// Most items a visit can hold: a cart is a 64-bit set.
pub const MAX_ITEMS: usize = 64;

/// An item of a cart, numbered 1 to 64 within its visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Item(u8);

impl Item {
    /// The item with this number, if it is from 1 to 64.
    #[must_use]
    pub const fn new(number: u8) -> Option<Item> {
        if number >= 1 && number as usize <= MAX_ITEMS { Some(Item(number)) } else { None }
    }

    /// The number, from 1 to 64.
    #[inline]
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Names of the first items in stories; later ones are `item 13` and so on.
const ITEM_NAMES: [&str; 12] =
    ["mug", "lamp", "pen", "book", "kettle", "scarf", "clock", "vase", "chair", "globe", "drum", "kite"];

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ITEM_NAMES.get(usize::from(self.0) - 1) {
            Some(name) => f.write_str(name),
            None => write!(f, "item {}", self.0),
        }
    }
}

/// A set of items: item n is bit n - 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Items(pub u64);

impl Items {
    /// No items.
    pub const NONE: Items = Items(0);

    /// The set of one item.
    #[inline]
    #[must_use]
    pub const fn of(item: Item) -> Items {
        Items(1 << (item.0 - 1))
    }

    /// The set with one more item.
    #[inline]
    #[must_use]
    pub const fn with(self, item: Item) -> Items {
        Items(self.0 | Items::of(item).0)
    }

    /// The set without an item.
    #[inline]
    #[must_use]
    pub const fn without(self, item: Item) -> Items {
        Items(self.0 & !Items::of(item).0)
    }

    /// Items that are in either set.
    #[inline]
    #[must_use]
    pub const fn union(self, other: Items) -> Items {
        Items(self.0 | other.0)
    }

    /// Items that are in both sets.
    #[inline]
    #[must_use]
    pub const fn intersection(self, other: Items) -> Items {
        Items(self.0 & other.0)
    }

    /// Items that are in this set and not in the other.
    #[inline]
    #[must_use]
    pub const fn minus(self, other: Items) -> Items {
        Items(self.0 & !other.0)
    }

    /// Whether the item is in the set.
    #[inline]
    #[must_use]
    pub const fn contains(self, item: Item) -> bool {
        self.0 & Items::of(item).0 != 0
    }

    /// Whether the set is empty.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The number of items.
    #[inline]
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The items in order.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = Item> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let place = u8::try_from(left.trailing_zeros()).ok()?;
            left &= left.wrapping_sub(1);
            Item::new(place + 1)
        })
    }
}

/// `mug lamp pen`, or `–` when empty.
impl fmt::Display for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("–");
        }
        for (i, item) in self.iter().enumerate() {
            let gap = if i == 0 { "" } else { " " };
            write!(f, "{gap}{item}")?;
        }
        Ok(())
    }
}

/// A file of a user, numbered 1 to 64 in the order of uploads. Files outlive visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct File(Item);

impl File {
    /// The file with this number, if it is from 1 to 64.
    #[must_use]
    pub const fn new(number: u8) -> Option<File> {
        match Item::new(number) {
            Some(place) => Some(File(place)),
            None => None,
        }
    }

    /// The number, from 1 to 64.
    #[inline]
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0.number()
    }

    /// Its element in a set of files; such a set has 64 bits, like a cart.
    #[inline]
    #[must_use]
    pub const fn place(self) -> Item {
        self.0
    }
}

/// `file 3`
impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file {}", self.number())
    }
}
