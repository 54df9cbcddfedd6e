//! The words of tables, stories and reports, explained: `whatcart explain WORD`, and docs/glossary.md.

/// A word and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word, as it is printed.
    pub name: &'static str,
    /// Other words for it.
    pub also: &'static [&'static str],
    /// What it means, in a few sentences.
    pub means: &'static str,
}

const fn word(name: &'static str, also: &'static [&'static str], means: &'static str) -> Word {
    Word { name, also, means }
}

/// All words, in alphabetical order.
#[rustfmt::skip]
pub const WORDS: [Word; 42] = [
    word("abandoned", &["visits abandoned", "patience", "gives up"], "A visit whose user gave up. A user tries a step that failed, was refused or was not answered in time again after a pause, up to `users.patience` times (three by default), and then leaves."),
    word("absent", &["as predicted"], "With --engine both: a kind of loss that occurred in none of the hundred simulations, and must not occur in the real run."),
    word("busiest x mean", &["busiest", "x mean", "peak to mean", "imbalance"], "How uneven the load is: the work of the busiest server divided by the mean of all servers, each over the time it was in the pool and alive. 1.00 is perfectly even; with three servers, 3.00 means that one does everything."),
    word("busy", &["busy, server by server"], "The share of the time that a server's workers are at work while the shop is open, one figure for each server: 99/24/24 %."),
    word("capacity lost", &["server-minutes"], "How much serving time a deploy costs: for each moment, how many servers are missing, added up. One server missing for two minutes makes 2 server-minutes."),
    word("carts lost", &["lost", "loss"], "A cart is lost if an item that the shop had acknowledged is missing at checkout. If the user was never told whether an add worked, its absence is not a loss."),
    word("certain", &["possible", "impossible"], "With --engine both: a kind of loss that occurred at least ten times in each of the hundred simulations. It must occur in the real run too."),
    word("charged twice", &["double charge"], "A checkout that was charged again when the user repeated it, because the server that answered did not know of the first charge."),
    word("cold start", &["cold starts"], "A request on a serverless platform found no idle instance and had to wait until a new one had started."),
    word("cut-offs", &["user cut-offs", "cut off", "cut-off"], "How often a server was stopped while a cookie still bound a user to it. A user counts once for each server that is stopped under them. What that costs depends on what the server remembered."),
    word("design", &["variant", "variants"], "One row of the table: the scenario with one thing changed. In the file, designs are the `variants`."),
    word("digest", &["digests", "same run"], "A short hash of a scenario's text, its changes, the seed, and all figures of all designs. Whoever has the same digest has seen the same run, on paper, in JSON or on the page. It tells runs apart that differ by accident, and proves nothing: whoever wants to can make two runs with one digest. Real requests have none, because no run of them is like another."),
    word("drain", &["drained", "draining"], "Before a server is stopped, the balancer sends it no new users and waits for those whom a cookie binds to it (or, where the scenario says so, only for requests in flight), up to the time given. Then it is stopped, even if some are left."),
    word("ejections", &["outlier ejection", "ejected", "outlier"], "How often the balancer took a server out of its choice because its responses failed, although its health check passed. It tries the server again after a while."),
    word("evicted", &["eviction"], "A cart that the store dropped because it was full, to make room for another. Nothing fails; the user notices at checkout."),
    word("expired", &["time to live", "ttl"], "A cart that the store dropped because it was not changed for longer than the store keeps carts."),
    word("fair share", &["new servers' fair share", "new one fair after"], "When added servers (or one that came back) first carried at least nine tenths of an even share of the requests, counted from when they were up. `never` means not while the run lasted; a dash, that no server was added or came back."),
    word("items back again", &["ghost", "ghosts"], "Items in a cart that had been removed or paid for. An older copy of the cart has come back."),
    word("Jain", &["jain's index", "jain index"], "Jain's fairness index of the servers' load: 1 if all carry the same, 1/n if one of n carries everything."),
    word("judgements", &["judgement", "agree", "range"], "With --engine both: each comparison of the real run with a hundred simulations, one for each rate and each kind of loss of each design. Rows that agree on an absence are printed together, so there are more judgements than rows."),
    word("leeway", &["clock skew"], "How long after its expiry a token is still accepted, because the clocks of servers differ: a minute by default. A token of 15 minutes works for up to 16."),
    word("median", &["p50", "median a step"], "Half of the steps took less, half took more. A median says nothing about the slowest: see `--details` for p99. Work of 20 ms on average has a median of 14 ms, because a few requests take much longer than most."),
    word("neighbours", &["neighbours' median", "neighbour"], "Other users' requests on a server that served a heavy user less than a second before. Their median tells how much one customer slows down the others."),
    word("noticed after", &["noticed"], "The mean time until the balancer marked a dead server as down. `4.4 s (4 of 9)` means that it noticed four of nine: the others were replaced before a health check had failed often enough."),
    word("open", &["open cart", "open carts", "of those open"], "A cart is open from its first add until it is checked out or its visit is abandoned. `Of those open at the crash` counts what the fault cost among the carts that were open at that moment. The shop is `open for 2 min`: so long do new visits begin."),
    word("overwritten", &["lost update", "last writer wins"], "A concurrent request put an older copy of the cart over a newer one, so an item is gone."),
    word("paired", &["paired difference", "plus minus", "interval"], "Runs with the same seed have the same users and faults in every design. So designs are compared run by run, and the interval is that of the differences, which vary less than the figures themselves."),
    word("price", &["per request"], "What a design costs while it runs: calls of a shared store or object store, copies sent to other servers, and bytes that users carry with each request. What all designs carry is left out and named below the table."),
    word("rolled back", &["durable", "durability"], "A change that the store acknowledged and then forgot, because it failed over or restarted before the change was durable."),
    word("seed", &["seeds"], "The number from which all chance in a run is derived. The same seed gives the same run on every machine; another seed gives other users and other luck. One seed is not evidence: use --runs."),
    word("servers paid for", &["servers"], "The mean number of servers in the pool while the shop was open, whether they had work or not."),
    word("split", &["scattered"], "The items of a cart are in the memory of several servers, and the checkout reached a server that had only some of them."),
    word("stale", &["stale cart", "stale pages", "stale page"], "An older copy answered. A stale page is one that is older than a page this user has seen before."),
    word("sticky", &["affinity", "sticky sessions", "pinned"], "The balancer sends a user back to the same server, by a cookie or a hash."),
    word("triangle", &["triangles", "mark in charts"], "In charts: the moment at which a fault struck."),
    word("unfinished", &["still open", "answered step"], "Visits that were still going on when the run ended, after the closing time. What their users were waiting for is in no latency, so with many of them the median is that of the steps that were answered."),
    word("users hurt", &["users_hurt"], "Users to whom something went wrong at least once, each counted once: a lost cart, a wrong charge, a wrong view, a rejected form, a missing file, a login that was not accepted, a visit that was given up, or a step without an answer when the run ended."),
    word("unknown", &["unknown outcome"], "The user never learned whether an operation took effect: its answer was late or its connection broke. It is neither a loss nor a success."),
    word("visit", &["visits"], "One walk of a user through the journey, from the first step to the last. Users make many visits."),
    word("wiped", &["last copy"], "The last copy of a cart was in a memory that is gone: its server crashed, was stopped or was replaced."),
    word("wrong view", &["wrong views", "wrong-views"], "The user looked at the cart, and it lacked an item that had been acknowledged, or showed one that had been removed. Nothing is lost by that alone; the checkout decides."),
    word("zombie login", &["zombie logins", "zombies", "zombie"], "A copied session that was still accepted after its user had logged out."),
];

/// The word with this name, whatever its case.
#[must_use]
pub fn find(name: &str) -> Option<&'static Word> {
    let name = name.trim().to_lowercase();
    let has = |word: &&Word| word.name.to_lowercase() == name || word.also.contains(&name.as_str());
    WORDS.iter().find(has)
}

/// All names that [`find`] knows.
pub fn names() -> impl Iterator<Item = &'static str> {
    WORDS.iter().flat_map(|word| std::iter::once(word.name).chain(word.also.iter().copied()))
}

/// The page docs/glossary.md.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(
        "# Glossary\n\nThe words of tables, stories and reports. `whatcart explain WORD` prints the same on a terminal.\n",
    );
    for word in &WORDS {
        text += &format!("\n**{}**: {}\n", word.name, word.means);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_means_one_thing() {
        let names: Vec<String> = names().map(str::to_lowercase).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(WORDS.iter().all(|word| word.also.iter().all(|also| *also == also.to_lowercase())));
        assert_eq!(find("X Mean").map(|word| word.name), Some("busiest x mean"));
        assert_eq!(find("whatever"), None);
    }

    #[test]
    fn each_cause_of_a_loss_is_explained() {
        for (_, cause, _) in crate::faces::table::CAUSES {
            assert!(cause == "unexplained" || find(cause).is_some(), "{cause}");
        }
    }
}
