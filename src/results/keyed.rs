//! Figures keyed by name, in a meaningful order.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An ordered table keyed by unique names, of faults or regions.
#[derive(Clone, Debug, PartialEq)]
pub struct Keyed<T>(Vec<(String, T)>);

impl<T> Keyed<T> {
    /// Adds an entry at the end. If the name is taken, a number is appended to it.
    pub fn push(&mut self, name: &str, value: T) {
        let mut free = name.to_owned();
        for number in 2.. {
            if self.get(&free).is_none() {
                break;
            }
            free = format!("{name} ({number})");
        }
        self.0.push((free, value));
    }

    /// The entry with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Names and values, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names, in order.
    #[must_use]
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The values, in order.
    #[must_use]
    pub fn values(&self) -> impl ExactSizeIterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<T> Default for Keyed<T> {
    fn default() -> Self {
        Keyed(Vec::new())
    }
}

impl<T, N: AsRef<str>> FromIterator<(N, T)> for Keyed<T> {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(entries: I) -> Self {
        let mut all = Keyed::default();
        for (name, value) in entries {
            all.push(name.as_ref(), value);
        }
        all
    }
}

impl<T> IntoIterator for Keyed<T> {
    type Item = (String, T);
    type IntoIter = std::vec::IntoIter<(String, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The entry at this index.
impl<T> Index<usize> for Keyed<T> {
    type Output = T;

    fn index(&self, place: usize) -> &T {
        &self.0[place].1
    }
}

impl<T> IndexMut<usize> for Keyed<T> {
    fn index_mut(&mut self, place: usize) -> &mut T {
        &mut self.0[place].1
    }
}

impl<T: Serialize> Serialize for Keyed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Keyed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Keyed<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of named entries")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Keyed<T>, A::Error> {
                let mut all = Keyed::default();
                while let Some((name, value)) = access.next_entry::<String, T>()? {
                    all.push(&name, value);
                }
                Ok(all)
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_keep_their_order() {
        let all: Keyed<u32> = [("b", 1), ("a", 2), ("b", 3)].into_iter().collect();
        let text = serde_json::to_string(&all).expect("plain data");
        assert_eq!(text, r#"{"b":1,"a":2,"b (2)":3}"#);
        assert_eq!(serde_json::from_str::<Keyed<u32>>(&text).expect("a table"), all);
        assert_eq!((all.get("b (2)"), all.get("c"), all[1]), (Some(&3), None, 2));
    }
}
