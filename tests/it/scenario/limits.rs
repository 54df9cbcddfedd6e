//! Limits that involve several values, and the errors for exceeding them.

use std::fmt::Write;

use whatcart::scenario::load;

/// For each text, added to a title and a duration: the error, and below it the remedy.
fn said(texts: &[&str]) -> String {
    let mut said = String::new();
    for rest in texts {
        let text = format!("title = \"t\"\nduration = \"1m\"\n{rest}\n");
        let error = load("t", "t.toml", &text, &[], &[]).expect_err(rest);
        writeln!(said, "{rest:?}\n  {error}").unwrap();
        if let Some(help) = error.help {
            writeln!(said, "    {help}").unwrap();
        }
    }
    said
}

#[test]
fn journeys() {
    insta::assert_snapshot!(said(&[
        "users.journey = []",
        "users.journey = [\"login\", \"add\"]",
        "users.journey = [\"remove\", \"add\", \"checkout\"]",
        "users.journey = [\"add\", \"checkout\", \"remove\"]",
        "users.journey = [\"add\", \"checkout\", \"checkout\"]",
    ]), @r#"
    "users.journey = []"
      t.toml:3:17: a visit needs at least one step
        such as ["login", "add", "checkout"]
    "users.journey = [\"login\", \"add\"]"
      t.toml:3:17: this journey fills a cart but never checks out
        end the journey with "checkout": a cart is judged only there
    "users.journey = [\"remove\", \"add\", \"checkout\"]"
      t.toml:3:18: there is nothing in the cart to remove at this step
    "users.journey = [\"add\", \"checkout\", \"remove\"]"
      t.toml:3:37: the cart is gone after checkout: this step comes too late
    "users.journey = [\"add\", \"checkout\", \"checkout\"]"
      t.toml:3:37: a visit checks out only once; this is the second time
    "#);
}

#[test]
fn journeys_of_several_steps_at_once() {
    insta::assert_snapshot!(said(&[
        "users.journey = [\"add\", [\"add\"], \"checkout\"]",
        "users.journey = [\"add\", [\"add\", \"buy\"], \"checkout\"]",
        "users.journey = [3]",
        "users.journey = [[\"login\", \"add\"], \"checkout\"]",
        "users.journey = [[\"add\", \"remove\"], \"checkout\"]",
        "users.journey = [\"add\", [\"checkout\", \"checkout\"]]",
        "users.journey = [[\"add\", \"add\", \"add\", \"add\", \"add\", \"add\", \"add\"], \"checkout\"]",
    ]), @r#"
    "users.journey = [\"add\", [\"add\"], \"checkout\"]"
      t.toml:3:25: a nested list in a journey needs at least two steps, sent at the same moment
    "users.journey = [\"add\", [\"add\", \"buy\"], \"checkout\"]"
      t.toml:3:33: `buy` is not a choice here
        write "checkout"
    "users.journey = [3]"
      t.toml:3:18: expected a step, or a list of concurrent steps, found `3`
    "users.journey = [[\"login\", \"add\"], \"checkout\"]"
      t.toml:3:19: this step cannot be concurrent: only browsing and cart steps can
        put it before or after the list
    "users.journey = [[\"add\", \"remove\"], \"checkout\"]"
      t.toml:3:26: there is nothing in the cart to remove at this step
    "users.journey = [\"add\", [\"checkout\", \"checkout\"]]"
      t.toml:3:38: a visit checks out only once; this is the second time
    "users.journey = [[\"add\", \"add\", \"add\", \"add\", \"add\", \"add\", \"add\"], \"checkout\"]"
      t.toml:3:61: at most 6 steps can be concurrent
        a browser opens six connections to a site
    "#);
}

#[test]
fn copies_and_moves() {
    insta::assert_snapshot!(said(&[
        "replication.copies = 3\nhomes.cart = \"replicated-memory\"",
        "homes.cart = \"replicated-memory\"\nservers.count = 1",
        "migration = { at = \"30s\", to = \"signed-token\", how = \"big-bang\" }",
        "homes.cart = \"shared-store\"\nmigration = { at = \"30s\", to = \"shared-store\", how = \"big-bang\" }",
        "homes.cart = \"signed-token\"\nmigration = { at = \"30s\", to = \"shared-store\", how = \"big-bang\" }",
        "store.update = \"read-modify-write\"\nmigration = { at = \"30s\", to = \"shared-store\", how = \"big-bang\" }",
        "migration = { at = \"1m\", to = \"shared-store\", how = \"read-through\" }",
        "migration = { at = \"30s\", to = \"shared-store\", how = \"dual-write\" }",
        "migration = { at = \"30s\", to = \"shared-store\", how = \"dual-write\", from = \"30s\" }",
        "migration = { at = \"30s\", to = \"shared-store\", how = \"read-through\", from = \"10s\" }",
        "[[migration]]\nat = \"30s\"\nto = \"shared-store\"\nhow = \"big-bang\"",
        "[[faults]]\nat = \"3s\"\ncrash = \"server-1\"\nfor = \"5s\"",
    ]), @r#"
    "replication.copies = 3\nhomes.cart = \"replicated-memory\""
      t.toml:3:22: a cart and its 3 copies need 4 servers, and there are 3
        keep fewer copies, or raise `servers.count`
    "homes.cart = \"replicated-memory\"\nservers.count = 1"
      t.toml:3:14: a cart and its 1 copy need 2 servers, and there is one
        keep fewer copies, or raise `servers.count`
    "migration = { at = \"30s\", to = \"signed-token\", how = \"big-bang\" }"
      t.toml:3:32: carts can only move to the shared store
        write "shared-store"
    "homes.cart = \"shared-store\"\nmigration = { at = \"30s\", to = \"shared-store\", how = \"big-bang\" }"
      t.toml:4:32: carts already live in the shared store
        `homes.cart` is where they live before they move: "server-memory"
    "homes.cart = \"signed-token\"\nmigration = { at = \"30s\", to = \"shared-store\", how = \"big-bang\" }"
      t.toml:3:14: carts can only move out of server memory
        `homes.cart` is where they live before they move
    "store.update = \"read-modify-write\"\nmigration = { at = \"30s\", to = \"shared-store\", how = \"big-bang\" }"
      t.toml:3:16: a migration works with atomic updates of the store only
        leave `store.update` out, or make it "atomic"
    "migration = { at = \"1m\", to = \"shared-store\", how = \"read-through\" }"
      t.toml:3:20: an event after the end: the shop closes at 1m
        move it to an earlier time, or make `duration` longer
    "migration = { at = \"30s\", to = \"shared-store\", how = \"dual-write\" }"
      t.toml:3:13: the start of the dual writes is missing
        `from = "30s"`: when servers start to write every change twice
    "migration = { at = \"30s\", to = \"shared-store\", how = \"dual-write\", from = \"30s\" }"
      t.toml:3:75: dual writes must begin before carts are read from the store, at 30s
    "migration = { at = \"30s\", to = \"shared-store\", how = \"read-through\", from = \"10s\" }"
      t.toml:3:77: `from` goes with `how = "dual-write"`: nothing is written twice otherwise
    "[[migration]]\nat = \"30s\"\nto = \"shared-store\"\nhow = \"big-bang\""
      t.toml:3:1: expected a table, found a list
        write `[migration]`, with one bracket: there is only one
    "[[faults]]\nat = \"3s\"\ncrash = \"server-1\"\nfor = \"5s\""
      t.toml:6:7: `for` goes with `slow` or `failing` or `isolate` or `store` or `region_outage`, not with `crash`
    "#);
}

#[test]
fn users() {
    insta::assert_snapshot!(said(&[
        "users = { rate = 5, ramp = \"1s\" }",
        "users = { count = 5, rate = 5 }",
        "users.rate = 0",
        "users.heavy = {}",
        "users.heavy = { count = 1, one_in = 2 }",
        "users.heavy.count = 301",
        "users = { rate = 5, heavy = { count = 1 } }",
        "users = { count = 5_000_000, heavy = { one_in = 2, parallel = 10 } }",
        "variants = [{ name = \"a\", duration = \"1h\", users.rate = 1_000_000 }]",
        "users.think.lognormal = { median = \"1s\", sigma = 6 }",
    ]), @r#"
    "users = { rate = 5, ramp = \"1s\" }"
      t.toml:3:28: `ramp` is for a fixed number of users
        leave `ramp` out: visitors at a `rate` have no common start
    "users = { count = 5, rate = 5 }"
      t.toml:3:22: `count` and `rate` exclude each other
        keep one of `count`, `rate`
    "users.rate = 0"
      t.toml:3:14: expected a number above 0 and at most 1,000,000, found `0`
    "users.heavy = {}"
      t.toml:3:15: the number of heavy users is missing
        give `count` or `one_in`
    "users.heavy = { count = 1, one_in = 2 }"
      t.toml:3:28: `count` and `one_in` exclude each other
        keep one of `count`, `one_in`
    "users.heavy.count = 301"
      t.toml:3:21: 301 heavy users among 300
        heavy users are part of `users.count`
    "users = { rate = 5, heavy = { count = 1 } }"
      t.toml:3:39: `count` is for a fixed number of users
        with `users.rate` use `one_in`: the number of visitors is not known in advance
    "users = { count = 5_000_000, heavy = { one_in = 2, parallel = 10 } }"
      t.toml:3:63: 27,500,000 clients at once are too many: at most 10,000,000
    "variants = [{ name = \"a\", duration = \"1h\", users.rate = 1_000_000 }]"
      t.toml:3:57: 1000000 visitors a second for 1h are more than a hundred million
        lower `users.rate` or `duration`
    "users.think.lognormal = { median = \"1s\", sigma = 6 }"
      t.toml:3:50: expected a number above 0 and at most 5, found `6`
    "#);
}

#[test]
fn servers() {
    insta::assert_snapshot!(said(&[
        "store.latency.uniform = { from = \"2s\", to = \"1s\" }",
        "servers = { count = 10_000, workers = 1_000 }",
        "servers = { count = 1, weights = [1, 2] }",
        "balancer.health.timeout = \"0s\"",
    ]), @r#"
    "store.latency.uniform = { from = \"2s\", to = \"1s\" }"
      t.toml:3:34: `from` (2s) is later than `to` (1s)
    "servers = { count = 10_000, workers = 1_000 }"
      t.toml:3:39: 10,000 servers with 1,000 workers each are too many: at most a million workers in all
    "servers = { count = 1, weights = [1, 2] }"
      t.toml:3:38: 2 weights for 1 server
        servers that are not listed have weight 1
    "balancer.health.timeout = \"0s\""
      t.toml:3:27: 0s is out of range: above zero and at most 1d
    "#);
}

#[test]
fn balancers() {
    insta::assert_snapshot!(said(&[
        "balancer.bounded_load = 1.25",
        "balancer = { policy = \"maglev\", bounded_load = 0.5 }",
        "balancer.slow_start = \"30s\"",
        "balancer.outlier.ejection = \"10m\"",
        "balancer.retry_budget = 2",
        "balancer.panic_threshold = -0.5",
    ]), @r#"
    "balancer.bounded_load = 1.25"
      t.toml:3:25: `bounded_load` limits what a hash policy gives one server, but this policy does not hash
        leave it out, or set `policy` to `ip-hash`, `ring-hash`, `rendezvous` or `maglev`
    "balancer = { policy = \"maglev\", bounded_load = 0.5 }"
      t.toml:3:48: 0.5 times the fair share is less than the fair share: some requests could go nowhere
        1 is perfectly even, 1.25 usual
    "balancer.slow_start = \"30s\""
      t.toml:3:23: `slow_start` reduces the weight of a server that comes up, but this policy does not use weights
        leave it out, or set `policy` to `weighted-round-robin`, `least-requests` or `power-of-two`
    "balancer.outlier.ejection = \"10m\""
      t.toml:3:10: the first ejection (10m) would be longer than the longest one (5m)
        Envoy's defaults are 30s and 5m
    "balancer.retry_budget = 2"
      t.toml:3:25: expected a share from 0 to 1, found `2`
        2 % is 0.02
    "balancer.panic_threshold = -0.5"
      t.toml:3:28: expected a share from 0 to 1, found `-0.5`
    "#);
}

#[test]
fn endless_runs() {
    insta::assert_snapshot!(said(&[
        "balancer.health.interval = \"1ns\"",
        "users = { think = { constant = \"0s\" }, pause = \"0s\" }",
        "users.think.constant = \"0s\"\nservers.service.constant = \"0s\"",
    ]), @r#"
    "balancer.health.interval = \"1ns\""
      t.toml:3:28: simulating so many health checks would take forever
        HAProxy checks every 2s
    "users = { think = { constant = \"0s\" }, pause = \"0s\" }"
      t.toml:3:48: users who neither think nor pause would retry forever at the same moment when a server refuses them
        a pause of 1ms is enough
    "users.think.constant = \"0s\"\nservers.service.constant = \"0s\""
      t.toml:3:7: a step of a visit takes so little time that this run would never end
        give users time to think, or servers time to work
    "#);
}

#[test]
fn faults() {
    insta::assert_snapshot!(said(&[
        "faults = [{ name = \"x\", at = \"1s\", crash = \"server-1\" }, { name = \"x\", at = \"2s\", crash = \"server-1\" }]",
        "faults = [{ name = \"\", at = \"1s\", crash = \"server-1\" }]",
        "faults = [{ at = \"1s\", slow = \"server-1\" }]",
        "faults = [{ at = \"1s\", crash = \"server-1\", factor = 2 }]",
        "faults = [{ at = \"1s\", restart = \"server-1\", replace_after = \"5s\" }]",
        "faults = [{ at = \"1s\", vanish = \"server-1\", restart_after = \"5s\" }]",
        "faults = [{ at = \"1s\", crash = \"server-1\", restart_after = \"5s\", replace_after = \"5s\" }]",
        "faults = [{ at = \"1s\", crash = \"server-01\" }]",
        "faults = [{ at = \"1s\", failing = \"server-1\", rate = 0 }]",
        "faults = [{ at = \"1s\", crash = \"server-1\", rate = 0.5 }]",
    ]), @r#"
    "faults = [{ name = \"x\", at = \"1s\", crash = \"server-1\" }, { name = \"x\", at = \"2s\", crash = \"server-1\" }]"
      t.toml:3:67: two faults are named `x`
        patches refer to faults by name: give each its own
    "faults = [{ name = \"\", at = \"1s\", crash = \"server-1\" }]"
      t.toml:3:20: this must not be empty
    "faults = [{ at = \"1s\", slow = \"server-1\" }]"
      t.toml:3:11: how slow is missing here
        `factor = 10` makes it ten times slower
    "faults = [{ at = \"1s\", crash = \"server-1\", factor = 2 }]"
      t.toml:3:53: `factor` goes with `slow`, not with `crash`
    "faults = [{ at = \"1s\", restart = \"server-1\", replace_after = \"5s\" }]"
      t.toml:3:62: `replace_after` goes with `crash` or `vanish`, not with `restart`
    "faults = [{ at = \"1s\", vanish = \"server-1\", restart_after = \"5s\" }]"
      t.toml:3:61: `restart_after` goes with `crash`, not with `vanish`
    "faults = [{ at = \"1s\", crash = \"server-1\", restart_after = \"5s\", replace_after = \"5s\" }]"
      t.toml:3:66: `restart_after` and `replace_after` exclude each other
        keep one of `restart_after`, `replace_after`
    "faults = [{ at = \"1s\", crash = \"server-01\" }]"
      t.toml:3:32: there is no server `server-01`
        did you mean `server-1`? there are 3 servers, `server-1` to `server-3`
    "faults = [{ at = \"1s\", failing = \"server-1\", rate = 0 }]"
      t.toml:3:53: nothing fails at this rate
        `rate = 0.5` fails every other request
    "faults = [{ at = \"1s\", crash = \"server-1\", rate = 0.5 }]"
      t.toml:3:51: `rate` goes with `failing`, not with `crash`
    "#);
}

#[test]
fn variants_and_texts() {
    insta::assert_snapshot!(said(&[
        "variants = 3",
        "variants = [3]",
        "variants = [{ name = 3 }]",
        "variants = [{ name = \" \" }]",
        "variants = [{ name = \"a\\nb\" }]",
        "lesson = \"\\u001b[2J\"",
        "expect = [{ that = \"\" }]",
    ]), @r#"
    "variants = 3"
      t.toml:3:1: expected a list of variants
        write each variant as `[[variants]]` with a `name` and its differences
    "variants = [3]"
      t.toml:3:13: expected a table
        write each variant as `[[variants]]` with a `name` and its differences
    "variants = [{ name = 3 }]"
      t.toml:3:22: a variant's name is a text
    "variants = [{ name = \" \" }]"
      t.toml:3:22: this must not be empty
    "variants = [{ name = \"a\\nb\" }]"
      t.toml:3:22: this must be a single line, without control characters
    "lesson = \"\\u001b[2J\""
      t.toml:3:10: this text has control characters in it
    "expect = [{ that = \"\" }]"
      t.toml:3:20: this must not be empty
    "#);
}

#[test]
fn warm_ups() {
    insta::assert_snapshot!(said(&["warm_up = \"1m\"", "warm_up = \"5m\"", "warm_up = 5"]), @r#"
    "warm_up = \"1m\""
      t.toml:3:11: after a warm-up of 1m nothing of 1m is left to measure
        a tenth of `duration` is usual
    "warm_up = \"5m\""
      t.toml:3:11: after a warm-up of 5m nothing of 1m is left to measure
        a tenth of `duration` is usual
    "warm_up = 5"
      t.toml:3:11: expected a time such as "30s", "20ms" or "1m30s", found `5`
        write "5s" or "5ms"
    "#);
}

#[test]
fn stores() {
    insta::assert_snapshot!(said(&[
        "faults = [{ at = \"30s\", store = \"outage\", for = \"20s\" }]",
        "homes.cart = \"shared-store\"\nfaults = [{ at = \"30s\", store = \"outage\", crash = \"server-1\" }]",
        "homes.cart = \"shared-store\"\nfaults = [{ at = \"30s\", store = \"outage\", replace_after = \"5s\" }]",
        "homes.cart = \"shared-store\"\nfaults = [{ at = \"30s\", store = \"outage\", factor = 2 }]",
        "homes.cart = \"shared-store\"\nfaults = [{ at = \"30s\", store = \"fail-over\" }]",
        "store.durability_window = \"always\"",
        "store.memory = { carts = 0, when_full = \"evict\" }",
        "store.memory = { carts = 120 }",
        "store.ttl = \"0s\"",
    ]), @r#"
    "faults = [{ at = \"30s\", store = \"outage\", for = \"20s\" }]"
      t.toml:3:33: a store fault without a store
        no state lives in it here: set `homes.cart` or `homes.session` to "shared-store"
    "homes.cart = \"shared-store\"\nfaults = [{ at = \"30s\", store = \"outage\", crash = \"server-1\" }]"
      t.toml:4:43: `store` and `crash` exclude each other
        keep one of `crash`, `restart`, `replace`, `vanish`, `revive`, `slow`, `failing`, `isolate`, `store`, `deploy`, `scale`, `join`, `region_outage`
    "homes.cart = \"shared-store\"\nfaults = [{ at = \"30s\", store = \"outage\", replace_after = \"5s\" }]"
      t.toml:4:59: `replace_after` is about a server, not the store
        say how long it lasts with `for`
    "homes.cart = \"shared-store\"\nfaults = [{ at = \"30s\", store = \"outage\", factor = 2 }]"
      t.toml:4:52: `factor` is about a server, not the store
        say how long it lasts with `for`
    "homes.cart = \"shared-store\"\nfaults = [{ at = \"30s\", store = \"fail-over\" }]"
      t.toml:4:33: `fail-over` is not a choice here
        did you mean `failover`?
    "store.durability_window = \"always\""
      t.toml:3:27: `always` is not what a store forgets: write a time such as "1s", or "all" if it keeps nothing on disk
    "store.memory = { carts = 0, when_full = \"evict\" }"
      t.toml:3:26: expected a whole number from 1 to 1,000,000, found `0`
    "store.memory = { carts = 120 }"
      t.toml:3:16: the key `when_full` is missing here
        add `when_full = "evict"`
    "store.ttl = \"0s\""
      t.toml:3:13: 0s is out of range: above zero and at most 1d
    "#);
}

#[test]
fn logins_that_end() {
    insta::assert_snapshot!(said(&[
        "homes.session = \"shared-store\"\ntokens.refresh = true",
        "homes.session = \"server-memory\"\ntokens.deny_list = true",
        "users.journey = [\"login\", \"replay-token\", \"logout\"]",
        "users.journey = [\"logout\", \"login\", \"replay-token\"]",
        "users.journey = [\"browse\", \"logout\", \"replay-token\"]",
    ]), @r#"
    "homes.session = \"shared-store\"\ntokens.refresh = true"
      t.toml:4:18: `tokens.refresh` without tokens: sessions live elsewhere here
        set `homes.session` to "signed-token", or leave this out
    "homes.session = \"server-memory\"\ntokens.deny_list = true"
      t.toml:4:20: `tokens.deny_list` without tokens: sessions live elsewhere here
        set `homes.session` to "signed-token", or leave this out
    "users.journey = [\"login\", \"replay-token\", \"logout\"]"
      t.toml:3:27: a session is replayed before its owner has logged out
        put "login" and "logout" before it: the copy is presented after its owner has logged out
    "users.journey = [\"logout\", \"login\", \"replay-token\"]"
      t.toml:3:37: a session is replayed before its owner has logged out
        put "login" and "logout" before it: the copy is presented after its owner has logged out
    "users.journey = [\"browse\", \"logout\", \"replay-token\"]"
      t.toml:3:38: nobody logs in here, so there is no session to copy
    "#);
}
