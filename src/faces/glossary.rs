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

impl Word {
    fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.also.iter().copied())
    }
}

const fn word(name: &'static str, also: &'static [&'static str], means: &'static str) -> Word {
    Word { name, also, means }
}

/// All words, in alphabetical order.
#[rustfmt::skip]
pub const WORDS: &[Word] = &[
    word("403 forms", &["forbidden", "forms", "csrf", "csrf token", "403", "whose form is this?"], "A form was rejected because another server had issued its CSRF token: a secret in a form that proves that the shop itself sent the form to this user."),
    word("404", &["404 \"what file?\"", "what file?", "not found", "missing file"], "A download that did not find its file: the server that was asked does not have it on its disk, or nobody has it any more."),
    word("429: too many at once", &["too many at once", "throttled"], "The serverless platform runs as many instances as it is allowed to, and refuses the request: nothing happens."),
    word("503: store is down", &["store is down", "the store goes down"], "The request needs the shared store, which is down, so it is refused and nothing happens."),
    word("507: store is full", &["store is full", "full store"], "The store has no room left and drops no cart for another, so it refuses a new one: nothing happens."),
    word("abandoned", &["visits abandoned", "patience", "gives up", "after refusals", "after a refusal", "after a failure", "given up"], "A visit whose user gave up. A user tries a step that failed, was refused or was not answered in time again after a pause, up to `users.patience` times (three by default), and then leaves. `After refusals` and `after a failure` say what came last."),
    word("absent", &["as predicted"], "With --engine both: a kind of loss that occurred in none of the hundred simulations, and must not occur in the real run."),
    word("an add by region", &["an add", "an add ms", "add by region"], "The median time of adding an item for users in each region, in milliseconds: the user's last mile, the work, and all calls of the store, each with the distance it travels."),
    word("atomic", &["at once", "read then write", "read-modify-write", "compare and swap"], "Read then write: a server reads the cart, changes its copy and writes all of it back; whoever writes last wins. At once (atomic): a single call of the store changes the cart where it is, so there is no copy that can be out of date."),
    word("autoscaler", &["autoscale", "auto scaling"], "It adds servers when those in the pool are busier than a target, and removes some when they are less busy. A server that it removes takes its memory along."),
    word("balancer", &["load balancer"], "It takes all requests of users and sends each to one of the servers. What it knows of them it has from health checks and from their answers."),
    word("big bang", &["dual write", "read through", "migration"], "Ways to move carts while the shop is open. Big bang: from a moment on only the new place counts. Dual write: for a while before, every change is also written there. Read through: what the new place does not have is looked up in the old one and copied."),
    word("blue-green", &["rolling", "all at once", "surge", "spare", "rolling deploy"], "Ways to deploy. All at once: every server stops and starts again. Rolling: one after another; with a surge, a spare server starts first. Blue-green: a second set of servers starts, takes all requests, and the first set is removed."),
    word("busiest x mean", &["busiest", "x mean", "peak to mean", "imbalance", "worst", "variation", "window", "cv"], "How uneven the load is: the work of the busiest server divided by the mean of all servers, each over the time it was in the pool and alive. 1.00 is perfectly even; with three servers, 3.00 means that one does everything. `Worst 1 s`: the same in the worst second. `Variation` (cv): the standard deviation divided by the mean."),
    word("busy", &["busy server by server", "busy server busiest first"], "The share of the time that a server's workers are at work while the shop is open, one figure for each server: 99/24/24 %."),
    word("capacity back", &["capacity back after"], "The mean time from a server's death until a replacement was up and the balancer sent it requests."),
    word("capacity lost", &["server-minutes"], "How much serving time a deploy costs: for each moment, how many servers are missing, added up. One server missing for two minutes makes 2 server-minutes."),
    word("carts abandoned", &["abandoned carts"], "Carts whose users gave up their visit before checkout. They are not lost: nobody was told that something was bought."),
    word("carts lost", &["lost", "loss"], "A cart is lost if an item that the shop had acknowledged is missing at checkout. If the user was never told whether an add worked, its absence is not a loss."),
    word("certain", &["possible", "impossible"], "With --engine both: a kind of loss that occurred at least ten times in each of the hundred simulations. It must occur in the real run too."),
    word("charged twice", &["double charge", "a second bill", "charged again"], "A checkout that was charged again when the user repeated it, because the server that answered did not know of the first charge."),
    word("cold start", &["cold starts of requests"], "A request on a serverless platform found no idle instance and had to wait until a new one had started."),
    word("complete", &[], "In stories: the user was charged for exactly what was added."),
    word("cookie", &["affinity cookie"], "A short text that a browser is given and sends along with every later request. By the balancer's own cookie it knows which server a user was sent to."),
    word("copies sent", &["copy", "replicated", "replication"], "Changes of a cart that a server sent to other servers, per request. The user is told first and the copy arrives a little later."),
    word("crash", &["crashes", "kill"], "The server's process ends, and its memory with it. Its machine still refuses connections, so the balancer can try another server at once."),
    word("cut off", &[], "A server that the network cannot reach: neither the balancer nor other servers get an answer from it. Its process runs on, keeps its memory, and still reaches the store."),
    word("cut-offs", &["user cut-offs"], "How often a server was stopped while a cookie still bound a user to it. A user counts once for each server that is stopped under them. What that costs depends on what the server remembered."),
    word("deny list", &["revoked", "revocation", "revoke"], "To revoke a login is to end it before it expires. A deny list is a list in the shared store of the logins that were revoked. Every server has to look there at every request."),
    word("deploy took", &["the deploy took"], "The time from the start of a deploy until every server is new and ready."),
    word("design", &["variant"], "One row of the table: the scenario with one thing changed. In the file, designs are the `variants`."),
    word("digest", &["same run"], "A short hash of a scenario's text, its changes, the seed, and all figures of all designs. Whoever has the same digest has seen the same run, on paper, in JSON or on the page. It tells runs apart that differ by accident, and proves nothing: whoever wants to can make two runs with one digest. Real requests have none, because no run of them is like another."),
    word("drain", &["drained", "draining"], "Before a server is stopped, the balancer sends it no new users and waits for those whom a cookie binds to it (or, where the scenario says so, only for requests in flight), up to the time given. Then it is stopped, even if some are left."),
    word("ejections", &["outlier ejection", "ejected", "outlier"], "How often the balancer took a server out of its choice because its responses failed, although its health check passed. It tries the server again after a while."),
    word("errors", &["requests failed", "failed", "refused", "failed requests", "503", "500", "429", "no server", "cannot connect"], "Requests that were refused (a 4xx or 503: nothing happened) or failed (a 500, or a connection that broke: it may have happened). Users try again after a pause."),
    word("evicted", &["eviction"], "A cart that the store dropped because it was full, to make room for another. Nothing fails; the user notices at checkout. An isolate is evicted when the platform stops it to use its room for others; what it had in memory is gone."),
    word("expired", &["time to live", "ttl"], "A cart that the store dropped because it was not changed for longer than the store keeps carts."),
    word("failover", &["fails over", "snapshot", "log"], "Another machine takes over from a store that failed. What had not reached that machine, or the disk, is rolled back: with a snapshot everything since it was made, with a log that is flushed every second the last second."),
    word("fair share", &["new servers' fair share", "new one fair after", "joined"], "When added servers (or one that came back) first carried at least nine tenths of an even share of the requests, counted from when they were up. `never` means not while the run lasted; a dash, that no server was added or came back."),
    word("files destroyed", &["destroyed"], "Files whose upload was acknowledged and that are nowhere at the end: they went with the disk of a server that was replaced."),
    word("goes dark", &["go dark", "region outage"], "A whole region fails: its servers fall silent and lose their memory. A store there cannot be reached, but keeps its data."),
    word("HAProxy", &["alb", "envoy", "kubernetes"], "HAProxy and Envoy are balancers, ALB (application load balancer) is the one of Amazon's cloud, and Kubernetes runs containers and balances between them. A design with such a name has that product's defaults, such as its health checks."),
    word("hash modulo servers", &["modulo", "ip-hash", "by hash", "hashing"], "The number made from the user, divided by the number of servers: the remainder says which server. Another number of servers gives nearly everybody another remainder."),
    word("hash ring", &["ring-hash", "rendezvous", "maglev", "consistent hashing", "ring"], "Ways to hash users to servers that move as few as possible when a server joins or leaves: only those that the new server takes, or that the old one had. A ring, rendezvous and Maglev differ in speed and evenness."),
    word("health check", &["probe", "marked down"], "A small request that the balancer sends to every server at intervals. After a number of failures in a row it marks the server as down and sends it nobody; after a number of successes, as up again."),
    word("idempotency", &["idempotency key", "charged once"], "A request with an idempotency key has its effect once, however often it is repeated, if whoever answers can see that it was done before."),
    word("impostors let in", &["impostors", "an impostor", "welcome!"], "Requests that were accepted although their login was forged."),
    word("in an older copy", &["older copy"], "In stories: the change was made in a copy of the cart that lacks earlier changes."),
    word("instance", &["isolate", "serverless", "instances mean", "edge worker"], "On a serverless platform: a process that works on one request at a time. The platform starts it when none is idle and stops it when it likes. `10.2 (11)`: the mean number, and the most at any moment."),
    word("intact", &[], "Carts that were charged with exactly what their users had added."),
    word("items back again", &["ghost"], "Items in a cart that had been removed or paid for. An older copy of the cart has come back."),
    word("Jain", &["jain's index"], "Jain's fairness index of the servers' load: 1 if all carry the same, 1/n if one of n carries everything."),
    word("judgements", &["agree", "range", "simulated", "happened", "difference"], "With --engine both: each comparison of the real run with a hundred simulations, one for each rate and each kind of loss of each design. Rows that agree on an absence are printed together, so there are more judgements than rows."),
    word("last mile", &[], "The way between a user and the user's own region, there and back. Nothing in a design makes it shorter."),
    word("least requests", &["power of two"], "The balancer sends a request to the server with the fewest requests in flight; `power of two`: to the better of two servers drawn at random, which is nearly as good and needs no view of all."),
    word("leeway", &["clock skew"], "How long after its expiry a token is still accepted, because the clocks of servers differ: a minute by default. A token of 15 minutes works for up to 16."),
    word("logged out", &["401", "who are you?", "turned away"], "How often a user who was logged in was answered 401, because the server did not know the login. The user logs in again and repeats the step."),
    word("looks around", &[], "In stories: the user looks at a page of the shop and changes nothing."),
    word("losses went on for", &["losses lasted"], "The time from a migration until the last cart was charged that lacked something because of it."),
    word("median", &["p50", "median a step"], "Half of the steps took less, half took more. A median says nothing about the slowest: see `--details` for p99. Work of 20 ms on average has a median of 14 ms, because a few requests take much longer than most."),
    word("MISSING", &[], "In stories: what the user had added and was not charged for at checkout. Those items are lost."),
    word("MORE than was added", &[], "In stories: the user was charged for items that were never added, or had been put back."),
    word("neighbours", &["neighbours' median"], "Other users' requests on a server that served a heavy user less than a second before. Their median tells how much one customer slows down the others."),
    word("noticed after", &["noticed"], "The mean time until the balancer marked a dead server as down. `4.4 s (4 of 9)` means that it noticed four of nine: the others were replaced before a health check had failed often enough."),
    word("object store", &["object calls"], "A service that keeps files for all servers, such as Amazon's S3."),
    word("open", &["open cart", "of those open", "carts open", "opened"], "A cart is open from its first add until it is checked out or its visit is abandoned. `Of those open at the crash` counts what the fault cost among the carts that were open at that moment. The shop is `open for 2 min`: so long do new visits begin."),
    word("over limit", &["rate limiter", "rate limit", "too many requests"], "Requests that were served although their user had already had as many as the limit allows: each server counts only those it has seen."),
    word("overcharged", &[], "Carts that were charged with an item that their user had removed, or never added."),
    word("overwritten", &["lost update", "last writer wins"], "A concurrent request put an older copy of the cart over a newer one, so an item is gone."),
    word("paired", &["paired difference", "plus minus", "interval"], "Runs with the same seed have the same users and faults in every design. So designs are compared run by run, and the interval is that of the differences, which vary less than the figures themselves."),
    word("peak EWMA", &["ewma"], "The balancer keeps a moving average of each server's latency that rises at once and falls slowly, and sends a request where average x requests in flight is least."),
    word("preStop", &["told late", "endpoints"], "A hook of Kubernetes: a pod that is to be stopped waits first, and goes on serving, so that every proxy has time to learn that it leaves."),
    word("price", &["per request"], "What a design costs while it runs: calls of a shared store or object store, copies sent to other servers, and bytes that users carry with each request. What all designs carry is left out and named below the table."),
    word("puts back", &[], "In stories: the user removes an item from the cart."),
    word("queue", &["queue full"], "The requests that wait in a server for a free worker. If the queue is full, the server refuses further ones: 503."),
    word("region", &["location", "region failover", "failover of a region"], "A place in the world with users, servers or a store: a data centre, or a location of an edge platform. If none of a region's servers is up, the next nearest region answers its users: the failover of a region."),
    word("replica", &["replication lag", "lag", "behind"], "A copy of the shared store, or of carts in another server's memory, that takes in changes a little later. That delay is the replication lag: until it has passed, the replica answers with an older state."),
    word("request", &["requests sent"], "What a user sends to the shop for a step, such as adding an item, and the answer. A step that has to be repeated takes several requests."),
    word("requests by server", &["server by server", "requests most first"], "The share of the requests that each server was sent, whatever became of them: 33/33/33 %."),
    word("requests cut", &["cut requests"], "Requests in flight at a server that was stopped, whose users were waiting for the answer."),
    word("requests in flight", &["in flight"], "Requests that were sent and are not answered yet."),
    word("requests ok", &["ok"], "Requests that were answered, and neither refused nor failed."),
    word("restarts", &["replaced", "replaces"], "A restarted server is a new process on the same machine: its memory is empty, its disk is as it was. A replaced server is another machine: its disk is empty, too."),
    word("retries", &["balancer retries", "requests balancer retries", "retry budget", "budget"], "How often the balancer sent a request again to another server because the first did not answer. A retry budget limits retries to a share of the requests in flight."),
    word("rolled back", &["durable", "durability"], "A change that the store acknowledged and then forgot, because it failed over or restarted before the change was durable."),
    word("round robin", &["random", "policy", "in turn"], "The balancer sends requests to the servers in turn; `random`: each to a server drawn at random. Neither looks at how the servers are doing."),
    word("seed", &[], "The number from which all chance in a run is derived. The same seed gives the same run on every machine; another seed gives other users and other luck. One seed is not evidence: use --runs."),
    word("server", &["pool"], "A process of the shop that answers requests, on a machine or in a container. All servers behind the balancer together are the pool."),
    word("server memory", &["memory", "in memory"], "Each server keeps what it was told in its own process: no other server can see it, and it is gone when the process ends."),
    word("server's cart", &["has added"], "In stories: what the cart held on the side that answered, beside all that the user `has added` and not put back. Where the two differ, something is missing or too much."),
    word("servers paid for", &["servers"], "The mean number of servers in the pool while the shop was open, whether they had work or not."),
    word("session store", &["unsigned cookie"], "Logins are kept in the shared store, and every request looks there. An unsigned cookie says who the user is, and anybody can write one."),
    word("shared store", &["store", "store calls", "store calls a second"], "One place that every server can call, such as Redis or a database. A store call is one such call; requests wait for it."),
    word("signature", &[], "A proof, added to a token, that it was made with the shop's secret key and was not changed since. Every server can check it without asking anybody."),
    word("signed token", &["jwt", "token", "signed login", "bytes carried"], "What the user carries instead of the servers: signed, so that any server can check that it is genuine, and nobody can change it. A JWT is such a token for a login. It costs bytes with every request, and cannot be taken back before it expires."),
    word("signing key", &["cache", "hidden state"], "Examples of state that every process makes for itself: a key made when it starts signs tokens that no other process accepts; a cache shows what it read some time ago."),
    word("silent", &["falls silent", "vanish", "vanishes"], "A silent server neither answers nor refuses, as when its machine loses power: whoever asks it waits until a timeout. A crashed one refuses at once."),
    word("single point of failure", &[], "A part without a substitute: while it is down, so is the whole shop."),
    word("split", &["scattered"], "The items of a cart are in the memory of several servers, and the checkout reached a server that had only some of them."),
    word("stale", &["stale cart", "stale pages", "catalogue"], "An older copy answered. A stale page is one that is older than a page this user has seen before."),
    word("stateless", &["state"], "A server is stateless if it remembers nothing between two requests that only it knows. Any server can then answer any request, and none is missed when it goes. The state is elsewhere: in a shared store, or with the user."),
    word("step", &["journey"], "One thing that a user does in a visit, such as adding an item: a request and, if that fails, its repetitions. The journey is the list of all steps of a visit."),
    word("step latency", &["p90", "p99", "latency"], "The time from a step's intended start to its final answer, with all repetitions. p90: nine of ten steps were faster; p99: ninety-nine of a hundred."),
    word("sticky", &["affinity", "sticky sessions", "pinned", "bound"], "The balancer sends a user back to the same server, by a cookie or a hash: the user is bound (pinned) to that server."),
    word("triangle", &["mark in charts"], "In charts: the moment at which a fault struck."),
    word("unfinished", &["still open", "answered step"], "Visits that were still going on when the run ended, after the closing time. What their users were waiting for is in no latency, so with many of them the median is that of the steps that were answered."),
    word("unknown", &["unknown outcome", "failed: did it work?", "timed out", "finds a bill"], "The user never learned whether an operation took effect: its answer was late or its connection broke. It is neither a loss nor a success."),
    word("user", &["visitor"], "A customer of the shop, who makes one visit after another."),
    word("users hurt", &[], "Users to whom something went wrong at least once, each counted once: a lost cart, a wrong charge, a wrong view, a rejected form, a missing file, a login that was not accepted, a visit that was given up, or a step without an answer when the run ended."),
    word("users well after", &["users well"], "The mean time from a server's death until users' requests no longer failed because of it."),
    word("visit", &[], "One walk of a user through the journey, from the first step to the last. Users make many visits."),
    word("What cart?", &["new one"], "In stories: the server that answers does not have this user's cart. It begins a new one, or shows an empty one."),
    word("where is the mug?", &["where is the"], "In stories: the user looks at the cart and does not find an item that was added."),
    word("wiped", &["last copy"], "The last copy of a cart was in a memory that is gone: its server crashed, was stopped or was replaced."),
    word("worker", &[], "What does the work in a server: each worker handles one request at a time. If all are busy, requests wait in the queue."),
    word("wrong view", &["view", "looks at cart"], "The user looked at the cart, and it lacked an item that had been acknowledged, or showed one that had been removed. Nothing is lost by that alone; the checkout decides."),
    word("zombie login", &["zombie", "thief", "welcome back!"], "A copied session that was still accepted after its user had logged out."),
];

/// The words with this name, whatever its case and punctuation, and whether it is one thing or several.
#[must_use]
pub fn find(name: &str) -> Vec<&'static Word> {
    let name = plain(name);
    WORDS.iter().filter(|word| word.names().any(|known| plain(known) == name)).collect()
}

/// The words with the longest name that occurs in this phrase, such as the head of a column with its denominator, or a
/// line of a story.
#[must_use]
pub fn in_phrase(phrase: &str) -> Vec<&'static Word> {
    let phrase = format!(" {} ", plain(phrase));
    let named = names().map(plain).filter(|name| phrase.contains(&format!(" {name} ")));
    named.max_by_key(String::len).map_or_else(Vec::new, |longest| find(&longest))
}

/// A name in small letters without punctuation, where a word and its plural are spelt alike.
fn plain(name: &str) -> String {
    let name = name.to_lowercase().replace('\'', "");
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(without_plural).collect::<Vec<_>>().join(" ")
}

/// `worker` for `workers`, and `retry` for `retries` (so `cooky` for both `cookie` and `cookies`).
fn without_plural(word: &str) -> String {
    let one = word.strip_suffix('s').filter(|one| one.len() > 2 && !one.ends_with('s')).unwrap_or(word);
    one.strip_suffix("ie").map_or_else(|| one.into(), |stem| format!("{stem}y"))
}

/// All names that [`find`] knows.
pub fn names() -> impl Iterator<Item = &'static str> {
    WORDS.iter().flat_map(Word::names)
}

/// The page docs/glossary.md.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(
        "# Glossary\n\nThe words of tables, stories and reports. `whatcart explain WORD` prints the same on a terminal.\n",
    );
    for word in WORDS {
        text += &format!("\n**{}**: {}\n", word.name, word.means);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn found(name: &str) -> Vec<&'static str> {
        find(name).iter().map(|word| word.name).collect()
    }

    /// Two names mean two things, on purpose. No other does, and none is there twice.
    #[test]
    fn every_name_means_one_thing() {
        let mut known = BTreeSet::new();
        let twice: Vec<String> = names().map(plain).filter(|name| !known.insert(name.clone())).collect();
        assert_eq!(twice, ["cut off", "server"]);
        assert_eq!(found("cut off"), ["cut off", "cut-offs"]);
        assert_eq!(found("whatever"), [""; 0]);
        assert!(WORDS.is_sorted_by_key(|word| word.name.to_lowercase()));
    }

    #[test]
    fn case_punctuation_and_number_do_not_matter() {
        let asked = [
            "X Mean",
            "Replicas",
            "worker",
            "\"What cart?\"",
            "Server's cart",
            "403",
            "Store-calls",
            "retry",
            "cookies",
        ];
        let words = [
            "busiest x mean",
            "replica",
            "worker",
            "What cart?",
            "server's cart",
            "403 forms",
            "shared store",
            "retries",
            "cookie",
        ];
        assert_eq!(asked.map(|name| found(name).concat()), words);
    }

    /// What stands in a table or a story with figures and names in it can be asked for as it is printed.
    #[test]
    fn phrases_are_explained_by_the_longest_name_in_them() {
        for (phrase, word) in [
            ("of those open at the crash (57)", "open"),
            ("carts lost of 2,416", "carts lost"),
            ("step latency ms mean", "step latency"),
            ("an add, ms new-york / tokyo", "an add by region"),
            ("where is the pen?", "where is the mug?"),
            ("puts back lamp", "puts back"),
            ("\"What cart?\" New one.", "What cart?"),
            ("MISSING mug lamp", "MISSING"),
            ("0:30 tokyo goes dark", "goes dark"),
            ("503: queue full", "queue"),
            ("429: too many at once", "429: too many at once"),
            ("507: store is full", "507: store is full"),
            ("0:35 an empty server-2 replaces it", "restarts"),
        ] {
            let words: Vec<&str> = in_phrase(phrase).iter().map(|word| word.name).collect();
            assert_eq!(words, [word], "{phrase}");
        }
        assert_eq!(in_phrase("server-2 is cut off").len(), 2);
        assert!(in_phrase("nobody knows").is_empty());
    }

    #[test]
    fn every_column_is_explained() {
        let unknown = |name: &&&str| find(name).is_empty();
        let missing: Vec<&&str> = crate::results::expectations::COLUMNS.iter().filter(unknown).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    /// A scenario can have a column for any figure.
    #[test]
    fn the_head_of_every_figure_is_explained() {
        let mut report = crate::results::sample::sticky_crash();
        let summaries = crate::results::statistics::Summary::all(&report.variants);
        let unknown = |path: &&String| {
            report.scenario.columns = vec![(*path).clone()];
            let columns = crate::faces::table::columns::choose(&report, &summaries);
            columns.iter().any(|column| in_phrase(&column.head.join(" ")).is_empty())
        };
        let paths = summaries[0].each[0].1.keys();
        assert_eq!(paths.filter(unknown).collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn each_cause_of_a_loss_is_explained() {
        for (_, cause, _) in crate::faces::table::CAUSES {
            assert!(cause == "unexplained" || !find(cause).is_empty(), "{cause}");
        }
    }
}
