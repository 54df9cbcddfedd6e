//! Decodes the tree into typed values with serde; errors carry their place and suggest a fix.

use std::collections::BTreeSet;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::mismatch::{Mismatch, about_text, shortened};
use super::tree::{Entry, Node, Origin, Problem, Value};
use super::usual;
use crate::base::time::Span;

/// The most problems that are worth reporting at once.
const MOST_PROBLEMS: usize = 50;

/// Decodes a value from the tree. `beside` lists keys that the root may have in addition to those of the type.
///
/// # Errors
///
/// Everything that cannot be read.
pub(super) fn decode<T: DeserializeOwned>(root: &Node, beside: &[&'static str]) -> Result<T, Vec<Problem>> {
    let read = decode_partly(root, beside);
    match read.value {
        Some(value) if read.problems.is_empty() => Ok(value),
        _ => Err(read.problems),
    }
}

/// A value without the parts that could not be read.
pub(super) struct Partly<T> {
    /// The value; `None` if too little of it could be read.
    pub value: Option<T>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// The keys of the root under which something could not be read, or is missing.
    pub unread: BTreeSet<String>,
}

/// Decodes as much of a value as possible: what cannot be read is taken out, and reading goes on.
pub(super) fn decode_partly<T: DeserializeOwned>(root: &Node, beside: &[&'static str]) -> Partly<T> {
    let mut tree = root.clone();
    let (mut problems, mut unread) = (Vec::new(), BTreeSet::new());
    // The tables with an unknown key, and all tables and lists that something was taken out of.
    let (mut misspelt, mut around) = (Vec::new(), Vec::new());
    loop {
        let mismatch = match T::deserialize(Decoder(&tree)) {
            Ok(value) => return Partly { value: Some(value), problems, unread },
            Err(mismatch) => mismatch,
        };
        let (missing, is_unknown) = (mismatch.missing_key(), mismatch.is_unknown_key());
        unread.extend(mismatch.concerned(&tree));
        let problem = mismatch.problem(&tree, beside);
        let at = problem.at;
        // What was taken out is missing afterwards, which is no further problem.
        let follows = match missing {
            Some(key) => root.has(at, key) || misspelt.contains(&at),
            None => around.contains(&at),
        };
        if !follows {
            problems.push(problem);
        }
        let before = around.len();
        let goes_on = match missing {
            Some(key) if at == tree.origin => tree.stand_in(key),
            _ => tree.prune(at, &mut around),
        };
        if is_unknown {
            misspelt.extend(around.get(before).copied());
        }
        if !goes_on || problems.len() >= MOST_PROBLEMS {
            return Partly { value: None, problems, unread };
        }
    }
}

struct Decoder<'a>(&'a Node);

/// Decodes one value. An error without a place gets the place of this value.
fn read<'de, T: DeserializeSeed<'de>>(seed: T, node: &Node) -> Result<T::Value, Mismatch> {
    seed.deserialize(Decoder(node)).map_err(|mismatch| mismatch.or_at(node.origin))
}

impl<'de> Deserializer<'de> for Decoder<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let origin = self.0.origin;
        let value = match &self.0.value {
            Value::Text(text) => visitor.visit_str(text).map_err(|mismatch| about_text(text, mismatch)),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Huge(digits) => Err(Mismatch::invalid_type(Unexpected::Other(&format!("`{digits}`")), &visitor)),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Flag(flag) => visitor.visit_bool(*flag),
            Value::Date => Err(Mismatch::invalid_type(Unexpected::Other("a date or a time of day"), &visitor)),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Table(table) => {
                let mut entries: Vec<_> = table.iter().collect();
                entries.sort_by_key(|(_, entry)| entry.origin);
                visitor.visit_map(Entries { rest: entries.into_iter(), value: None })
            }
        };
        value.map_err(|mismatch| mismatch.or_at(origin))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    /// Accepts a table, but not a list of its values.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.0.value {
            Value::List(_) => Err(Mismatch::invalid_type(Unexpected::Seq, &visitor).or_at(self.0.origin)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        choices: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        choice(self.0, name, choices)
            .and_then(|choice| visitor.visit_enum(choice))
            .map_err(|mismatch| mismatch.or_at(self.0.origin))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// What selects an enum variant: a text, or a table with one key.
fn choice<'a>(node: &'a Node, name: &str, choices: &'static [&'static str]) -> Result<Choice<'a>, Mismatch> {
    let listed =
        || format!("choose one of: {}", choices.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", "));
    match &node.value {
        Value::Text(text) if name == "Dist" && !choices.contains(&text.as_str()) => Err(no_distribution(text)),
        Value::Text(text) if name == "Affinity" && !choices.contains(&text.as_str()) => Err(no_affinity(Some(text))),
        Value::Flag(_) if name == "Affinity" => Err(no_affinity(None)),
        Value::Text(text) => Ok(Choice { name: text, at: node.origin, content: None }),
        Value::Table(table) => {
            let mut entries: Vec<(&String, &Entry)> = table.iter().collect();
            entries.sort_by_key(|(_, entry)| entry.origin);
            match entries[..] {
                [(key, entry)] => Ok(Choice { name: key, at: entry.origin, content: Some(&entry.node) }),
                [] => Err(Mismatch::said("nothing is chosen here", Some(listed()))),
                [_, (key, entry), ..] => {
                    Err(Mismatch::said(format!("`{key}` is one key too many"), Some(listed())).or_at(entry.origin))
                }
            }
        }
        _ => Err(Mismatch::said("expected a text or a table with one key", Some(listed()))),
    }
}

/// A text where a distribution is expected: most often a time.
fn no_distribution(text: &str) -> Mismatch {
    let time = if text.parse::<Span>().is_ok() { text } else { "2s" };
    let help = usual::meant(text, "lognormal")
        .unwrap_or_else(|| format!("write {{ constant = \"{time}\" }} or {{ exponential = \"{time}\" }}"));
    Mismatch::said(format!("expected a distribution, found the text \"{}\"", shortened(text)), Some(help))
}

/// A text where session affinity is expected: most often how long its cookie lives.
fn no_affinity(text: Option<&str>) -> Mismatch {
    let is_life = |text: &&str| *text == "user" || text.parse::<Span>().is_ok();
    let life = text.filter(is_life).unwrap_or("visit");
    let found = text.map_or(String::new(), |text| format!(", and not \"{}\"", shortened(text)));
    let help = format!("write {{ cookie = \"{life}\" }}, or \"none\"");
    Mismatch::said(format!("session affinity is by a cookie{found}"), Some(help))
}

struct Choice<'a> {
    name: &'a str,
    at: Origin,
    content: Option<&'a Node>,
}

impl<'de> EnumAccess<'de> for Choice<'_> {
    type Error = Mismatch;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Mismatch> {
        let name: StrDeserializer<'_, Mismatch> = self.name.into_deserializer();
        let value = seed.deserialize(name).map_err(|mismatch| mismatch.or_at(self.at))?;
        Ok((value, self))
    }
}

impl<'a> Choice<'a> {
    fn needed(&self) -> Result<&'a Node, Mismatch> {
        let help = || Some(format!("write {{ {} = {} }}", self.name, usual::value_of(self.name)));
        self.content.ok_or_else(|| Mismatch::said(format!("`{}` needs a value", self.name), help()).or_at(self.at))
    }
}

impl<'de> VariantAccess<'de> for Choice<'_> {
    type Error = Mismatch;

    fn unit_variant(self) -> Result<(), Mismatch> {
        if self.content.is_none() {
            return Ok(());
        }
        let help = Some(format!("write \"{}\"", self.name));
        Err(Mismatch::said(format!("`{}` takes no value", self.name), help).or_at(self.at))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Mismatch> {
        let node = self.needed()?;
        read(seed, node).map_err(|mismatch| mismatch.of(self.name, node))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Mismatch> {
        Decoder(self.needed()?).deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Mismatch> {
        Decoder(self.needed()?).deserialize_any(visitor)
    }
}

struct Items<'a>(std::slice::Iter<'a, Node>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        self.0.next().map(|node| read(seed, node)).transpose()
    }
}

struct Entries<'a> {
    rest: std::vec::IntoIter<(&'a String, &'a Entry)>,
    value: Option<(&'a str, &'a Node)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mismatch> {
        let Some((key, entry)) = self.rest.next() else { return Ok(None) };
        self.value = Some((key, &entry.node));
        let key: StrDeserializer<'_, Mismatch> = key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|mismatch| mismatch.or_at(entry.origin))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mismatch> {
        let (key, node) = self.value.take().ok_or_else(|| Mismatch::custom("a value was asked for before its key"))?;
        seed.deserialize(Decoder(node)).map_err(|mismatch| mismatch.or_at(node.origin).of(key, node))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scenario;
    use super::super::tree::document;
    use super::*;

    fn message(text: &str) -> String {
        let text = format!("title = \"t\"\nduration = \"1m\"\n{text}");
        let problem = decode::<Scenario>(&document(0, &text).unwrap(), &["variants"]).unwrap_err().remove(0);
        let place = &text[problem.at.start..problem.at.end];
        format!("{place} | {} | {}", problem.message, problem.help.unwrap_or_default())
    }

    #[test]
    fn every_mismatch_names_its_place_and_a_remedy() {
        for (text, expected) in [
            ("servrs.count = 1", "servrs | unknown key `servrs` | did you mean `servers`?"),
            ("variant = 1", "variant | unknown key `variant` | did you mean `variants`?"),
            ("users.variant = 1", "variant | unknown key `variant` | `variant` belongs in `[[expect]]`"),
            ("servers = 3", "3 | expected a table, found `3` | write servers = { count = 3 }"),
            (
                "migration = [{ at = \"30s\" }]",
                "[{ at = \"30s\" }] | expected a table, found a list | write `[migration]`, with one bracket: there is only one",
            ),
            (
                "faults.x.at = 3",
                "faults | expected a list, found a table | write `[[faults]]`, with two brackets: there can be several",
            ),
            (
                "servers.count = \"3\"",
                "\"3\" | expected a whole number from 1 to 10,000, found the text \"3\" | without quotes: 3",
            ),
            (
                "servers.count = 99999999999999999999",
                "99999999999999999999 | expected a whole number from 1 to 10,000, found `99999999999999999999` | ",
            ),
            (
                "closing = 5",
                "5 | expected a time such as \"30s\", \"20ms\" or \"1m30s\", found `5` | write \"5s\" or \"5ms\"",
            ),
            (
                "closing = 07:30:00",
                "07:30:00 | expected a time such as \"30s\", \"20ms\" or \"1m30s\", found a date or a time of day | ",
            ),
            ("users.rate = nan", "nan | expected a number above 0 and at most 1,000,000, found `nan` | "),
            (
                "users.think = \"2s\"",
                "\"2s\" | expected a distribution, found the text \"2s\" | write { constant = \"2s\" } or { exponential = \"2s\" }",
            ),
            (
                "users.think = \"uniform\"",
                "\"uniform\" | `uniform` needs a value | write { uniform = { from = \"1s\", to = \"3s\" } }",
            ),
            (
                "users.think = {}",
                "{} | nothing is chosen here | choose one of: `constant`, `exponential`, `lognormal`, `uniform`",
            ),
            (
                "users.think = 3",
                "3 | expected a text or a table with one key | choose one of: `constant`, `exponential`, `lognormal`, `uniform`",
            ),
            (
                "users.think.exponentail = \"2s\"",
                "exponentail | `exponentail` is not a choice here | did you mean `exponential`?",
            ),
            (
                "users.think.lognormal.median = \"2s\"",
                "lognormal | the key `sigma` is missing here | add `sigma = 1.0`",
            ),
            ("balancer.policy = { random = 1 }", "random | `random` takes no value | write \"random\""),
            (
                "balancer.affinity = { cookie = \"vist\" }",
                "\"vist\" | `vist` is not the life of a cookie: write \"visit\", \"user\" or a time such as \"10m\" | ",
            ),
            (
                "balancer.affinity = { cookie = \"visit\", on = 1 }",
                "on | `on` is one key too many | choose one of: `none`, `cookie`",
            ),
            ("users.journey = [\"login\", \"buy\"]", "\"buy\" | `buy` is not a choice here | write \"checkout\""),
        ] {
            assert_eq!(message(text), expected, "{text}");
        }
    }

    #[test]
    fn without_a_title_the_file_itself_is_the_place() {
        let problem = decode::<Scenario>(&document(0, "duration = \"1m\"").unwrap(), &[]).unwrap_err().remove(0);
        assert_eq!((problem.at.start, problem.message.as_str()), (0, "the key `title` is missing here"));
    }
}
