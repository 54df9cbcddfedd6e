//! Figures in schema 1: faults, deploys and regions are lists, and the cost of all changes of the pool's size is one
//! sum.

use serde::Deserialize;
use serde_json::Error;
use serde_json::value::{RawValue, to_raw_value};

use crate::results::{FaultFigures, Keyed, Scaling};

/// The entry for the total cost of all changes of the pool's size, in results of schema 1.
pub const ALL_CHANGES: &str = "all changes";

/// A table whose values have not been parsed.
type Raw = Keyed<Box<RawValue>>;

/// Converts the JSON of a run's figures to the current schema.
pub(super) fn in_todays_schema(json: &str) -> Result<String, Error> {
    let fields: Raw = serde_json::from_str(json)?;
    let scaling: Option<FormerScaling> =
        fields.get("scaling").map(|json| serde_json::from_str(json.get())).transpose()?;
    let mut now = Raw::default();
    for (name, value) in fields {
        let value = match name.as_str() {
            "faults" => to_raw_value(&faults(value.get())?)?,
            "deploys" | "regions" => to_raw_value(&by_name(value.get())?)?,
            "scaling" => to_raw_value(&scaling.iter().map(|all| (ALL_CHANGES, &all.cost)).collect::<Keyed<_>>())?,
            "price" => to_raw_value(&price(value.get(), scaling.as_ref())?)?,
            _ => value,
        };
        now.push(&name, value);
    }
    serde_json::to_string(&now)
}

struct FormerScaling {
    most_servers: u64,
    cost: Scaling,
}

impl<'de> Deserialize<'de> for FormerScaling {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            most_servers: u64,
            taken_out: u64,
            cut_off_users: u64,
            cut_requests: u64,
        }
        let Fields { most_servers, taken_out, cut_off_users, cut_requests } = Fields::deserialize(deserializer)?;
        Ok(FormerScaling { most_servers, cost: Scaling { taken_out, cut_off_users, cut_requests } })
    }
}

#[derive(Deserialize)]
struct FormerFault {
    name: String,
    at_s: f64,
    open_carts: u64,
    lost_of_open: u64,
    losses_lasted_s: Option<f64>,
}

/// Faults with the same name were drawn by one random process.
fn faults(json: &str) -> Result<Keyed<FaultFigures>, Error> {
    let list: Vec<FormerFault> = serde_json::from_str(json)?;
    let mut names: Vec<&str> = Vec::new();
    for fault in &list {
        if !names.contains(&&*fault.name) {
            names.push(&fault.name);
        }
    }
    let figures = |name: &str| {
        let alike: Vec<&FormerFault> = list.iter().filter(|fault| fault.name == name).collect();
        let only = if let [only] = alike[..] { Some(only) } else { None };
        FaultFigures {
            at_s: only.map(|fault| fault.at_s),
            strikes: if only.is_some() { None } else { Some(alike.len() as u64) },
            open_carts: alike.iter().map(|fault| fault.open_carts).sum(),
            lost_of_open: alike.iter().map(|fault| fault.lost_of_open).sum(),
            losses_lasted_s: only.and_then(|fault| fault.losses_lasted_s),
        }
    };
    Ok(names.iter().map(|name| (name, figures(name))).collect())
}

/// Converts a list of tables with names to a table keyed by those names.
fn by_name(json: &str) -> Result<Keyed<Raw>, Error> {
    #[derive(Deserialize)]
    struct Name {
        name: String,
    }
    let list: Vec<Box<RawValue>> = serde_json::from_str(json)?;
    let entry = |json: &RawValue| {
        let Name { name } = serde_json::from_str(json.get())?;
        let fields: Raw = serde_json::from_str(json.get())?;
        Ok((name, fields.into_iter().filter(|(field, _)| field != "name").collect()))
    };
    list.iter().map(|json| entry(json)).collect()
}

fn price(json: &str, scaling: Option<&FormerScaling>) -> Result<Raw, Error> {
    let mut price: Raw = serde_json::from_str(json)?;
    if let Some(scaling) = scaling {
        price.push("most_servers", to_raw_value(&scaling.most_servers)?);
    }
    Ok(price)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_tables() {
        let former = r#"{"carts":{"lost":3},"regions":[{"name":"tokyo","requests":7}],"price":{"servers":4.5},"faults":[
            {"name":"kills","at_s":1.5,"open_carts":10,"lost_of_open":1},{"name":"a crash","at_s":2.0,"open_carts":5,"lost_of_open":5},
            {"name":"kills","at_s":3.0,"open_carts":20,"lost_of_open":2}],"deploys":[{"name":"d","took_s":0.1},{"name":"d","took_s":0.3}],
            "scaling":{"most_servers":6,"taken_out":2,"cut_off_users":1,"cut_requests":0}}"#;
        insta::assert_snapshot!(in_todays_schema(former).expect("figures"), @r#"{"carts":{"lost":3},"regions":{"tokyo":{"requests":7}},"price":{"servers":4.5,"most_servers":6},"faults":{"kills":{"strikes":2,"open_carts":30,"lost_of_open":3},"a crash":{"at_s":2.0,"open_carts":5,"lost_of_open":5}},"deploys":{"d":{"took_s":0.1},"d (2)":{"took_s":0.3}},"scaling":{"all changes":{"taken_out":2,"cut_off_users":1,"cut_requests":0}}}"#);
    }
}
