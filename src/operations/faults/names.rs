//! The names of faults: those they were given, or unique ones derived from what they do.

use std::collections::BTreeSet;

use super::Fault;
use crate::scenario::Scenario;

/// Makes the default names of faults unique, in the order in which they strike: `crash server-2`, `crash server-2 (2)`.
pub(super) fn tell_apart(faults: &mut [Fault], scenario: &Scenario) {
    let mut taken = given(scenario);
    let mut order: Vec<usize> = (0..faults.len()).collect();
    order.sort_by_key(|i| (faults[*i].at, *i));
    for i in order {
        let is_given = scenario.faults.get(i).is_some_and(|written| written.name.is_some());
        if !is_given {
            faults[i].name = free(&faults[i].name, &taken);
            taken.insert(faults[i].name.clone());
        }
    }
}

/// The names of the random processes, in the order in which they are written.
#[must_use]
pub fn of_processes(scenario: &Scenario) -> Vec<String> {
    let mut taken = given(scenario);
    taken.extend(super::timeline(scenario).into_iter().map(|fault| fault.name));
    let name = |process: &crate::scenario::RandomFaults| {
        let name = if process.name.is_some() { process.called().into() } else { free(process.called(), &taken) };
        taken.insert(name.clone());
        name
    };
    scenario.random_faults.iter().map(name).collect()
}

/// The name of a fault that is added to others: its own or, if that is taken, with a number.
#[must_use]
pub fn beside(name: &str, others: &[Fault]) -> String {
    free(name, &others.iter().map(|other| other.name.clone()).collect())
}

/// The names given in the scenario.
fn given(scenario: &Scenario) -> BTreeSet<String> {
    let written = scenario.faults.iter().filter_map(|fault| fault.name.clone());
    written.chain(scenario.random_faults.iter().filter_map(|process| process.name.clone())).collect()
}

/// The name itself, or with a number appended to make it unique.
fn free(name: &str, taken: &BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name} ({number})"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::faults::timeline;
    use crate::scenario::load;

    fn names(text: &str) -> Vec<String> {
        let loaded = load("a test", "test.toml", text, &[], &[]).expect("a scenario");
        let scenario = &loaded.base;
        timeline(scenario).into_iter().map(|fault| fault.name).chain(of_processes(scenario)).collect()
    }

    #[test]
    fn equal_default_names_are_numbered_in_order_of_time() {
        let text = "
            title = 'x'
            duration = '2m'
            faults = [
                { at = '40s', crash = 'server-2' },
                { at = '20s', crash = 'server-2' },
                { at = '30s', crash = 'server-2', name = 'crash server-2 (2)' },
                { at = '50s', restart = 'server-2' },
                { at = '50s', name = 'random crashes', deploy = {} },
            ]
            random_faults = [{ every.constant = '30s' }, { every.constant = '40s' }]
        ";
        insta::assert_snapshot!(names(text).join("\n"), @r"
        crash server-2 (3)
        crash server-2
        crash server-2 (2)
        restart server-2
        random crashes
        random crashes (2)
        random crashes (3)
        ");
    }
}
