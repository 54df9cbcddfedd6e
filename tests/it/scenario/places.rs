//! Contradictory regions, as their author sees the errors.

use super::errors::of;

/// The error of regions with this text added to their names and round trips, without the source excerpt.
fn said(rest: &str) -> String {
    let ways = "round_trip = { us-eu = \"80ms\", us-asia = \"160ms\", eu-asia = \"240ms\" }";
    short(&format!("[regions]\nnames = [\"us\", \"eu\", \"asia\"]\n{ways}\n{rest}"))
}

/// The message, what it points at, and the help.
fn short(rest: &str) -> String {
    let text = of(rest);
    let of_line = |marker: &str| text.lines().find_map(|line| line.trim().strip_prefix(marker).map(str::to_owned));
    let lines: Vec<&str> = text.lines().collect();
    let marked = lines.iter().position(|line| line.contains('^'));
    let pointed = marked.map_or(String::new(), |i| {
        let (from, to) = (lines[i].find('^').unwrap_or(0), lines[i].rfind('^').unwrap_or(0));
        lines[i - 1].chars().skip(from).take(to + 1 - from).collect()
    });
    let help = text.split_once("help: ").map_or("", |(_, help)| help);
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{} | {pointed} | {help}", of_line("error: ").unwrap_or_default())
}

#[test]
fn regions_that_are_not_there() {
    insta::assert_snapshot!(said("users = { us = 0.5, aisa = 0.5 }"), @"there is no region `aisa` | 0.5 | did you mean `asia`?");
    insta::assert_snapshot!(said("servers = \"mars\""), @r#"there is no region `mars` | "mars" | the regions are: `us`, `eu`, `asia`"#);
    insta::assert_snapshot!(said("servers = { us = 2, aisa = 1 }"), @"there is no region `aisa` | 1 | did you mean `asia`?");
    insta::assert_snapshot!(said("store = \"eu1\""), @r#"there is no region `eu1` | "eu1" | did you mean `eu`?"#);
    insta::assert_snapshot!(said("[[faults]]\nat = \"3s\"\nregion_outage = \"aisa\""), @r#"there is no region `aisa` | "aisa" | did you mean `asia`?"#);
}

#[test]
fn shares_and_servers_that_do_not_add_up() {
    insta::assert_snapshot!(said("users = { us = 0.5, eu = 0.4 }"), @"these shares add up to 0.9, not to 1 | { us = 0.5, eu = 0.4 } | everybody lives in exactly one region");
    insta::assert_snapshot!(said("users = { us = 1.5 }"), @"expected a share from 0 to 1, found `1.5` | 1.5 | ");
    insta::assert_snapshot!(said("servers = { us = 3, eu = 3 }"), @"these are 6 servers, but `servers.count` is 3 | { us = 3, eu = 3 } | make them add up to it, or set `servers.count = 6`");
}

#[test]
fn ways_that_are_missing_or_lead_nowhere() {
    let named = "[regions]\nnames = [\"us\", \"eu\", \"asia\"]\n";
    let with = |ways: &str| short(&format!("{named}round_trip = {ways}"));
    insta::assert_snapshot!(with("{ us-eu = \"80ms\", us-asia = \"160ms\" }"), @r#"the round trip of `eu-asia` is missing | { us-eu = "80ms", us-asia = "160ms" } | add `eu-asia = "80ms"`, or `others = "80ms"` for all pairs that are not listed"#);
    insta::assert_snapshot!(with("{ us-eu = \"80ms\", us-aisa = \"160ms\", others = \"1ms\" }"), @r#"there is no pair `us-aisa` | "160ms" | did you mean `us-asia`?"#);
    insta::assert_snapshot!(with("{ us-eu = \"80ms\", eu-us = \"90ms\", others = \"1ms\" }"), @r#"`us-eu` and `eu-us` are the same pair | "90ms" | "#);
    insta::assert_snapshot!(short("[regions]\nnames = [\"us\", \"us\"]\nround_trip = { others = \"80ms\" }"), @r#"two regions are called `us` | "us" | "#);
    insta::assert_snapshot!(short("[regions]\nnames = []"), @r#"there is no region here | [] | such as ["us-east", "frankfurt", "tokyo"]"#);
    insta::assert_snapshot!(short("[regions]\nnames = [\"us\"]\ntravellers = 0.1"), @"nobody can travel if there is only one region | 0.1 | add another region");
}

#[test]
fn what_does_not_go_with_replicas_or_without_regions() {
    let replicas = "store = { replicated_within = \"1s\" }";
    insta::assert_snapshot!(said(&format!("{replicas}\n[store]\nupdate = \"read-modify-write\"")), @r#"read-modify-write with replicas in several regions is not modelled | "read-modify-write" | leave `store.update` out: replicas receive changes, not whole carts"#);
    insta::assert_snapshot!(said(&format!("{replicas}\n[homes]\nsession = \"shared-store\"")), @r#"logins in replicas of several regions are not modelled | "shared-store" | replicas keep carts here; `homes.session = "signed-token"` needs no store"#);
    insta::assert_snapshot!(said("store = { within = \"1s\" }"), @"unknown key `within` | within | did you mean `replicated_within`?");
    insta::assert_snapshot!(said("store = 3"), @r#"expected a region, or { replicated_within = "1s" }, found `3` | 3 | "#);
    insta::assert_snapshot!(short("[[faults]]\nat = \"3s\"\nregion_outage = \"us\""), @r#"there are no regions here | "us" | give `[regions]` with `names` and `round_trip`"#);
    insta::assert_snapshot!(said("[[faults]]\nat = \"3s\"\nregion_outage = \"us\"\nreplace_after = \"5s\""), @r#"`replace_after` goes with `crash` or `vanish`, not with `region_outage` | "5s" | "#);
    insta::assert_snapshot!(said("[[faults]]\nat = \"3s\"\nregion_outage = \"us\"\ncrash = \"server-1\""), @r"`region_outage` and `crash` exclude each other | crash | keep one of `crash`, `restart`, `replace`, `vanish`, `revive`, `slow`, `failing`, `isolate`, `store`, `deploy`, `scale`, `join`, `region_outage`");
}

/// The engine over real sockets leaves out what one machine cannot have, whether or not the scenario says so.
#[test]
fn regions_are_for_simulations() {
    let good = "[regions]\nnames = [\"us\", \"eu\"]\nround_trip = { us-eu = \"80ms\" }\n";
    for (rest, needs) in [
        ("", false),
        ("sim_only = true", true),
        (good, true),
        ("store.lookups_per_add = 1", true),
        ("serverless = {}", true),
    ] {
        let text = format!("{}{rest}", super::errors::BASE);
        let loaded = whatcart::scenario::load("t", "t", &text, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(loaded.base.needs_simulation(), needs, "{rest}");
    }
}

#[test]
fn what_a_platform_cannot_promise() {
    let with = |rest: &str| short(&format!("serverless = {{ idle = \"1m\" }}\n{rest}"));
    insta::assert_snapshot!(with("balancer.affinity = { cookie = \"visit\" }"), @r#"no cookie can bind a user to an instance: the platform chooses | { cookie = "visit" } | leave `balancer.affinity` out: serverless platforms have no sticky sessions"#);
    insta::assert_snapshot!(with("[[faults]]\nat = \"3s\"\ncrash = \"server-1\""), @r#"instances come and go, so a fault cannot name one | "server-1" | leave this fault out; `evicted_after` makes the platform evict instances"#);
    insta::assert_snapshot!(short("serverless.most = 0"), @"expected a whole number from 1 to 10,000, found `0` | 0 | ");
    insta::assert_snapshot!(short("serverless = \"aws\""), @r#"expected a table, found the text "aws" | "aws" | write serverless = { idle = "5m" }"#);
}
