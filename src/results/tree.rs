//! Figures as a tree of named values, in the order of their fields, which every face but the story reads.
//!
//! A leaf has a path such as `carts.lost`, `load.per_server.0.busy` or `faults."the crash".lost_of_open`. A field added
//! to [`Figures`](super::Figures) thereby appears in expectations, intervals, JSON and CSV at once.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::path::part;

/// A value and everything below it.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// No value.
    Absent,
    /// A figure.
    Number(f64),
    /// A name.
    Text(String),
    /// Numbered from 0.
    List(Vec<Tree>),
    /// Named, in order.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// The tree of any serialisable value.
    ///
    /// # Panics
    ///
    /// If the value is not plain data: if it has a map with keys that are not text, for example.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Tree {
        let text = serde_json::to_string(value).expect("figures are plain data");
        serde_json::from_str(&text).expect("what was just written can be read")
    }

    /// Every number with its path, in order.
    #[must_use]
    pub fn leaves(&self) -> Vec<(String, f64)> {
        let mut leaves = Vec::new();
        let _ = self.map(&mut |path, number| {
            leaves.push((path.to_string(), number));
            Tree::Absent
        });
        leaves
    }

    /// Every number by its path.
    #[must_use]
    pub fn by_path(&self) -> BTreeMap<String, f64> {
        self.leaves().into_iter().collect()
    }

    /// Merges in everything that only `other` has, after what this tree has already.
    #[must_use]
    pub fn with(self, other: Tree) -> Tree {
        match (self, other) {
            (Tree::Absent, other) => other,
            (Tree::Map(mut map), Tree::Map(other)) => {
                for (name, theirs) in other {
                    match map.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, ours)) => *ours = std::mem::replace(ours, Tree::Absent).with(theirs),
                        None => map.push((name, theirs)),
                    }
                }
                Tree::Map(map)
            }
            (Tree::List(list), Tree::List(other)) => {
                let more = other.get(list.len()..).map(<[Tree]>::to_vec).unwrap_or_default();
                let both = list.into_iter().zip(other.into_iter().map(Some).chain(std::iter::repeat(None)));
                let both = both.map(|(ours, theirs)| ours.with(theirs.unwrap_or(Tree::Absent)));
                Tree::List(both.chain(more).collect())
            }
            (ours, _) => ours,
        }
    }

    /// The tree with every number replaced.
    #[must_use]
    pub fn map(&self, replace: &mut impl FnMut(&str, f64) -> Tree) -> Tree {
        self.map_below("", replace)
    }

    fn map_below(&self, path: &str, replace: &mut impl FnMut(&str, f64) -> Tree) -> Tree {
        let join = |name: &str| {
            let part = part(name);
            if path.is_empty() { part.into_owned() } else { format!("{path}.{part}") }
        };
        match self {
            Tree::Absent => Tree::Absent,
            Tree::Number(number) => replace(path, *number),
            Tree::Text(text) => Tree::Text(text.clone()),
            Tree::List(list) => Tree::List(
                list.iter().enumerate().map(|(i, tree)| tree.map_below(&join(&i.to_string()), replace)).collect(),
            ),
            Tree::Map(map) => {
                Tree::Map(map.iter().map(|(name, tree)| (name.clone(), tree.map_below(&join(name), replace))).collect())
            }
        }
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Tree::Absent => serializer.serialize_unit(),
            Tree::Number(number) => serializer.serialize_f64(*number),
            Tree::Text(text) => serializer.serialize_str(text),
            Tree::List(list) => {
                let mut out = serializer.serialize_seq(Some(list.len()))?;
                list.iter().try_for_each(|tree| out.serialize_element(tree))?;
                out.end()
            }
            Tree::Map(map) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                map.iter().try_for_each(|(name, tree)| out.serialize_entry(name, tree))?;
                out.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain data")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Absent)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Number(f64::from(u8::from(value))))
    }

    #[expect(clippy::cast_precision_loss, reason = "no count comes near 2^53")]
    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "no count comes near 2^53")]
    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(tree) = access.next_element()? {
            list.push(tree);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = access.next_entry()? {
            map.push(entry);
        }
        Ok(Tree::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Figures, Load, ServerLoad};

    #[test]
    fn leaves_come_in_the_order_of_the_fields() {
        let per_server = vec![ServerLoad { name: "server-1".into(), requests: 7, busy: 0.25, ..ServerLoad::default() }];
        let figures = Figures { load: Load { per_server, ..Load::default() }, ..Figures::default() };
        let tree = Tree::of(&figures);
        let leaves = tree.leaves();
        assert_eq!(leaves[0].0, "carts.opened");
        assert_eq!(tree.by_path()["load.per_server.0.busy"].to_bits(), 0.25f64.to_bits());
        assert!(!leaves.iter().any(|(path, _)| path.contains("name")));
    }

    #[test]
    fn writes_what_it_read() {
        let text = r#"{"b":1.0,"a":[0.1,null,"x"]}"#;
        let tree: Tree = serde_json::from_str(text).expect("JSON");
        assert_eq!(serde_json::to_string(&tree).expect("plain data"), text);
    }
}
