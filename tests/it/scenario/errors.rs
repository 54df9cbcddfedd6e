//! The errors of scenarios that cannot run: each kind of mistake, as its author sees it.

use whatcart::scenario::{ScenarioError, load};

pub(super) const BASE: &str = "title = \"t\"\nduration = \"1m\"\n";
pub(super) const CRASH: &str = "[[faults]]\nname = \"the crash\"\nat = \"30s\"\ncrash = \"server-2\"";

pub(super) fn error(text: &str, set: &[String], vary: &[String]) -> ScenarioError {
    load("t", "t.toml", text, set, vary).expect_err(text)
}

/// The error of a whole file.
fn whole(text: &str) -> String {
    error(text, &[], &[]).draw(false, 100)
}

/// The error of a file that consists of a title, a duration and this text.
pub(super) fn of(rest: &str) -> String {
    whole(&format!("{BASE}{rest}\n"))
}

#[test]
fn broken_toml() {
    insta::assert_snapshot!(whole("title = \"t\"\nduration = [\n"), @"
    error: broken TOML: unclosed array, expected `]`
     --> t.toml:2:13
      |
    2 | duration = [
      |             ^
    ");
}

#[test]
fn a_text_without_quotes() {
    insta::assert_snapshot!(of("balancer.policy = random"), @r#"
    error: `random` is not a TOML value
     --> t.toml:3:19
      |
    3 | balancer.policy = random
      |                   ^^^^^^
      |
      = help: write a text in quotes: "random"
    "#);
}

#[test]
fn a_time_without_quotes() {
    insta::assert_snapshot!(whole("title = \"t\"\nduration = 30s\n"), @r#"
    error: `30s` is not a TOML value
     --> t.toml:2:12
      |
    2 | duration = 30s
      |            ^^^
      |
      = help: write a text in quotes: "30s"
    "#);
}

#[test]
fn the_same_key_twice() {
    insta::assert_snapshot!(of("seed = 1\nseed = 2"), @"
    error: `seed` is there twice
     --> t.toml:4:1
      |
    4 | seed = 2
      | ^^^^
      |
      = help: keep one of them
    ");
}

#[test]
fn an_empty_file() {
    insta::assert_snapshot!(whole("title = \"t\""), @r#"
    error: the key `duration` is missing here
     --> t.toml:1:1
      |
    1 | title = "t"
      | ^
      |
      = help: add `duration = "2m"`
    "#);
    insta::assert_snapshot!(whole(""), @r#"
    error: the key `title` is missing here
     --> t.toml:1:1
      |
    1 |
      | ^
      |
      = help: add `title = "…"`
    "#);
}

#[test]
fn an_unknown_key() {
    insta::assert_snapshot!(of("[servrs]\ncount = 3"), @"
    error: unknown key `servrs`
     --> t.toml:3:2
      |
    3 | [servrs]
      |  ^^^^^^
      |
      = help: did you mean `servers`?
    ");
}

#[test]
fn an_unknown_key_further_in() {
    insta::assert_snapshot!(of("[servers]\ncuont = 3"), @"
    error: unknown key `cuont`
     --> t.toml:4:1
      |
    4 | cuont = 3
      | ^^^^^
      |
      = help: did you mean `count`?
    ");
}

#[test]
fn an_unknown_key_that_resembles_none() {
    insta::assert_snapshot!(of("[balancer.health]\nweather = \"fine\""), @r#"
    error: unknown key `weather`
     --> t.toml:4:1
      |
    4 | weather = "fine"
      | ^^^^^^^
      |
      = help: the keys here are: `preset`, `interval`, `timeout`, `fall`, `rise`
    "#);
}

#[test]
fn an_unknown_choice() {
    insta::assert_snapshot!(of("[balancer]\npolicy = \"round-robbin\""), @r#"
    error: `round-robbin` is not a choice here
     --> t.toml:4:10
      |
    4 | policy = "round-robbin"
      |          ^^^^^^^^^^^^^^
      |
      = help: did you mean `round-robin`?
    "#);
}

#[test]
fn the_wrong_type() {
    insta::assert_snapshot!(of("[servers]\ncount = \"three\""), @r#"
    error: expected a whole number from 1 to 10,000, found the text "three"
     --> t.toml:4:9
      |
    4 | count = "three"
      |         ^^^^^^^
    "#);
}

#[test]
fn a_number_for_a_time() {
    insta::assert_snapshot!(whole("title = \"t\"\nduration = 30\n"), @r#"
    error: expected a time such as "30s", "20ms" or "1m30s", found `30`
     --> t.toml:2:12
      |
    2 | duration = 30
      |            ^^
      |
      = help: write "30s" or "30ms"
    "#);
}

#[test]
fn a_time_for_a_distribution() {
    insta::assert_snapshot!(of("users.think = \"2s\""), @r#"
    error: expected a distribution, found the text "2s"
     --> t.toml:3:15
      |
    3 | users.think = "2s"
      |               ^^^^
      |
      = help: write { constant = "2s" } or { exponential = "2s" }
    "#);
}

#[test]
fn no_servers() {
    insta::assert_snapshot!(of("servers.count = 0"), @"
    error: expected a whole number from 1 to 10,000, found `0`
     --> t.toml:3:17
      |
    3 | servers.count = 0
      |                 ^
    ");
}

#[test]
fn too_many_users() {
    insta::assert_snapshot!(of("users.count = 1_000_000_000_000"), @"
    error: expected a whole number from 1 to 10,000,000, found `1000000000000`
     --> t.toml:3:15
      |
    3 | users.count = 1_000_000_000_000
      |               ^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_negative_time() {
    insta::assert_snapshot!(of("closing = \"-1s\""), @r#"
    error: `-1s` is negative: a time is zero or more
     --> t.toml:3:11
      |
    3 | closing = "-1s"
      |           ^^^^^
    "#);
}

#[test]
fn an_absurd_time() {
    insta::assert_snapshot!(of("users.pause = \"3000000h\""), @r#"
    error: 125000d is too long: at most 1d
     --> t.toml:3:15
      |
    3 | users.pause = "3000000h"
      |               ^^^^^^^^^^
    "#);
}

#[test]
fn not_a_number() {
    insta::assert_snapshot!(of("users.rate = nan"), @"
    error: expected a number above 0 and at most 1,000,000, found `nan`
     --> t.toml:3:14
      |
    3 | users.rate = nan
      |              ^^^
    ");
}

#[test]
fn two_distributions_at_once() {
    insta::assert_snapshot!(of("seed = 1\n[users]\nthink = { constant = \"1s\", exponential = \"2s\" }"), @r#"
    error: `constant` and `exponential` exclude each other
     --> t.toml:5:28
      |
    5 | think = { constant = "1s", exponential = "2s" }
      |                            ^^^^^^^^^^^
      |
      = help: keep one of `constant`, `exponential`, `lognormal`, `uniform`
    "#);
}

#[test]
fn sixty_five_items() {
    insta::assert_snapshot!(of(&format!("users.journey = [{}\"checkout\"]", "\"add\", ".repeat(65))), @r#"
    error: a visit adds at most 64 items; this one adds 65, and here is the first too many
     --> t.toml:3:466
      |
    3 | ..."add", "add", "add", "add", "add", "add", "add", "checkout"]
      |                                              ^^^^^
    "#);
}

#[test]
fn a_fault_of_a_server_that_is_not_there() {
    insta::assert_snapshot!(of("[[faults]]\nat = \"3s\"\ncrash = \"server-4\""), @r#"
    error: there is no server `server-4`
     --> t.toml:5:9
      |
    5 | crash = "server-4"
      |         ^^^^^^^^^^
      |
      = help: there are 3 servers, `server-1` to `server-3`
    "#);
}

#[test]
fn a_misspelt_server() {
    insta::assert_snapshot!(of("[[faults]]\nat = \"3s\"\ncrash = \"sever-2\""), @r#"
    error: there is no server `sever-2`
     --> t.toml:5:9
      |
    5 | crash = "sever-2"
      |         ^^^^^^^^^
      |
      = help: did you mean `server-2`? there are 3 servers, `server-1` to `server-3`
    "#);
}

#[test]
fn an_event_after_the_end() {
    insta::assert_snapshot!(of("[[faults]]\nat = \"2m\"\ncrash = \"server-1\""), @r#"
    error: an event after the end: the shop closes at 1m
     --> t.toml:4:6
      |
    4 | at = "2m"
      |      ^^^^
      |
      = help: move it to an earlier time, or make `duration` longer
    "#);
}

#[test]
fn two_kinds_in_one_fault() {
    insta::assert_snapshot!(of("[[faults]]\nat = \"3s\"\ncrash = \"server-1\"\nslow = \"server-1\""), @r#"
    error: `crash` and `slow` exclude each other
     --> t.toml:6:1
      |
    6 | slow = "server-1"
      | ^^^^
      |
      = help: keep one of `crash`, `restart`, `replace`, `vanish`, `revive`, `slow`, `failing`,
              `isolate`, `store`, `deploy`, `scale`, `join`, `region_outage`
    "#);
}

#[test]
fn a_fault_of_no_kind() {
    insta::assert_snapshot!(of("[[faults]]\nname = \"calm\"\nat = \"3s\""), @r"
    error: this fault does not say what happens
     --> t.toml:3:1
      |
    3 | [[faults]]
      | ^^^^^^^^^^
      |
      = help: say one of `crash`, `restart`, `replace`, `vanish`, `revive`, `slow`, `failing`,
              `isolate`, each with a server's name, or one of `region_outage`, `store`, `deploy`,
              `scale`, `join`
    ");
}
