//! Paths of figures in schema 1, in which faults, deploys and regions were numbered.

use crate::results::path;

/// For a path of schema 1, the error message and what to write instead, for a design with the `known` paths. `None` for
/// any other path.
pub(super) fn path(former: &str, known: &[String]) -> Option<(String, String)> {
    let parts = path::split(former)?;
    let (table, entry, rest) = match &*parts {
        [table, number, rest @ ..] if ["faults", "deploys", "regions"].contains(&&**table) => {
            (&**table, number.parse::<usize>().ok()?, rest)
        }
        [table, rest] if table == "scaling" => (&**table, 0, std::slice::from_ref(rest)),
        _ => return None,
    };
    let names = names(table, known);
    if names.contains(&parts[1]) {
        return None;
    }
    let now = |name: &str| match former {
        "scaling.most_servers" => "price.most_servers".to_owned(),
        _ => path::join([table, name].into_iter().chain(rest.iter().map(String::as_str))),
    };
    let help = match names.get(entry) {
        Some(name) => format!("write `{}`", now(name)),
        None => format!("write a name instead of the number: `{}`", now("…")),
    };
    let what = if table == "regions" { "regions" } else { "faults" };
    Some((format!("`{former}` is a path of former versions: {what} are named now"), help))
}

/// The names of a table's entries, in the order of the `known` paths.
fn names(table: &str, known: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for path in known {
        match path::split(path).as_deref() {
            Some([of, name, ..]) if of == table && !names.contains(name) => names.push(name.clone()),
            _ => {}
        }
    }
    names
}
