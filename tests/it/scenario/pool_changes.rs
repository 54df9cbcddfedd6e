//! Plans that cannot begin, or cannot end in time.

use super::errors::of;

const DEPLOY: &str = "faults = [{ name = \"the deploy\", at = \"20s\", deploy = { strategy = \"rolling\"";

#[test]
fn a_deploy_without_room() {
    insta::assert_snapshot!(of(&format!("{DEPLOY}, surge = 0, unavailable = 0 }} }}]")), @r#"
    error: no server may be added and none may be missing: this deploy could not begin
     --> t.toml:3:55
      |
    3 | ... = "20s", deploy = { strategy = "rolling", surge = 0, unavailable = 0 } }]
      |                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: say `surge = 1` or `unavailable = 1`
    "#);
}

#[test]
fn a_surge_in_place() {
    insta::assert_snapshot!(of(&format!("{DEPLOY}, surge = 1, in_place = true }} }}]")), @r#"
    error: two processes cannot run in the same place at once
     --> t.toml:3:101
      |
    3 | ...trategy = "rolling", surge = 1, in_place = true } }]
      |                                               ^^^^
      |
      = help: leave `in_place` out: new servers beside the old ones need their own hosts
    "#);
}

#[test]
fn steps_of_a_deploy_that_has_none() {
    insta::assert_snapshot!(of("faults = [{ at = \"20s\", deploy = { strategy = \"blue-green\", surge = 1 } }]"), @r#"
    error: `surge` is for rolling deploys
     --> t.toml:3:69
      |
    3 | faults = [{ at = "20s", deploy = { strategy = "blue-green", surge = 1 } }]
      |                                                                     ^
      |
      = help: all-at-once and blue-green have no steps: leave it out (a variant can do `without`
              it), or use the strategy "rolling"
    "#);
}

#[test]
fn a_drain_longer_than_the_run() {
    insta::assert_snapshot!(of(&format!("{DEPLOY}, drain = \"5m\" }} }}]")), @r#"
    error: this drain could take longer than the run: the shop closes at 1m
     --> t.toml:3:87
      |
    3 | faults = [{ name = "the deploy", at = "20s", deploy = { strategy = "rolling", drain = "5m" } }]
      |                                                                                       ^^^^
      |
      = help: shorten the drain, start earlier, or make `duration` longer
    "#);
}

/// The parts of a drain fit together.
#[test]
fn a_drain_in_parts() {
    let said = |drain: &str| of(&format!("faults = [{{ at = \"2s\", scale = {{ to = 2, drain = {drain} }} }}]"));
    for (drain, want) in [
        ("{ timeout = \"9s\", pre_stop = \"2s\" }", "`pre_stop` is for drains that wait for requests in flight"),
        ("{ timeout = \"9s\", learns_after = \"2s\" }", "`learns_after` is for drains that wait for requests"),
        ("{ timeout = \"9s\", pre_stop = \"9s\", for = \"requests\" }", "no time is left for requests in flight"),
        ("{ timeout = \"2m\", for = \"requests\" }", "this drain could take longer than the run"),
        ("{ for = \"requests\" }", "timeout"),
        ("30", "a time, or a table such as { timeout = \"30s\", for = \"requests\" }"),
    ] {
        let said = said(drain);
        assert!(said.starts_with("error") && said.contains(want), "{drain}: {said}");
    }
}

#[test]
fn an_unknown_strategy() {
    insta::assert_snapshot!(of("faults = [{ at = \"20s\", deploy = { strategy = \"roling\" } }]"), @r#"
    error: `roling` is not a choice here
     --> t.toml:3:47
      |
    3 | faults = [{ at = "20s", deploy = { strategy = "roling" } }]
      |                                               ^^^^^^^^
      |
      = help: did you mean `rolling`?
    "#);
}

#[test]
fn scaled_to_nothing() {
    insta::assert_snapshot!(of("faults = [{ at = \"20s\", scale = 0 }]"), @r#"
    error: with 0 servers nobody would ever answer
     --> t.toml:3:33
      |
    3 | faults = [{ at = "20s", scale = 0 }]
      |                                 ^
      |
      = help: keep at least one server; `serverless` platforms scale to zero
    "#);
}

#[test]
fn first_misspelt() {
    insta::assert_snapshot!(of("faults = [{ at = \"20s\", scale = { to = 2, first = \"newst\" } }]"), @r#"
    error: `newst` is not a choice here
     --> t.toml:3:51
      |
    3 | faults = [{ at = "20s", scale = { to = 2, first = "newst" } }]
      |                                                   ^^^^^^^
      |
      = help: did you mean `newest`?
    "#);
}

#[test]
fn a_scale_that_is_no_number() {
    insta::assert_snapshot!(of("faults = [{ at = \"20s\", scale = \"6\" }]"), @r#"
    error: expected a number of servers, or a table such as { to = 6, drain = "30s" }, found the
           text "6"
     --> t.toml:3:33
      |
    3 | faults = [{ at = "20s", scale = "6" }]
      |                                 ^^^
      |
      = help: without quotes: 6
    "#);
}

#[test]
fn fewer_users_than_there_are() {
    insta::assert_snapshot!(of("faults = [{ at = \"20s\", join = { to = 200 } }]"), @r#"
    error: there are 300 users by then: 200 are not more
     --> t.toml:3:39
      |
    3 | faults = [{ at = "20s", join = { to = 200 } }]
      |                                       ^^^
      |
      = help: `to` is the total, including users who are already there, and it can only grow
    "#);
    let twice = "faults = [{ at = \"30s\", join = { to = 500 } }, { at = \"20s\", join = { to = 600 } }]";
    assert!(of(twice).contains("there are 600 users by then: 500 are not more"), "{}", of(twice));
}

#[test]
fn users_who_join_the_other_loop() {
    insta::assert_snapshot!(of("users.rate = 5.0\nfaults = [{ at = \"20s\", join = { to = 600 } }]"), @r#"
    error: the new rate is missing
     --> t.toml:4:32
      |
    4 | faults = [{ at = "20s", join = { to = 600 } }]
      |                                ^^^^^^^^^^^^
      |
      = help: these users arrive at a `rate`: write `rate_to = 20`
    "#);
    let closed = of("faults = [{ at = \"20s\", join = { rate_to = 5.0 } }]");
    assert!(closed.contains("the new number of users is missing"), "{closed}");
}

#[test]
fn an_autoscaler_between_nothing() {
    insta::assert_snapshot!(of("autoscaler = { min = 4, max = 2 }"), @r"
    error: `min` (4) is larger than `max` (2)
     --> t.toml:3:22
      |
    3 | autoscaler = { min = 4, max = 2 }
      |                      ^
      |
      = help: `min` is the fewest servers, `max` the most
    ");
    let many = of("autoscaler = { max = 2 }");
    assert!(many.contains("the run begins with 3 servers"), "{many}");
    let busy = of("autoscaler = { max = 4, target = 60 }");
    assert!(busy.contains("a number above 0 and at most 1, found `60`") && busy.contains("60 % is 0.6"), "{busy}");
}

#[test]
fn a_fault_that_is_two_plans() {
    let told = of("faults = [{ at = \"20s\", scale = 4, join = { to = 600 } }]");
    assert!(told.contains("`scale` and `join` exclude each other"), "{told}");
}

/// A fault may strike a server that is added later.
#[test]
fn a_server_that_is_yet_to_come() {
    let text = |server: &str| {
        format!(
            "title = \"t\"\nduration = \"1m\"\nfaults = [{{ at = \"5s\", scale = 5 }}, {{ at = \"40s\", crash = \"{server}\" }}]"
        )
    };
    let load = |server: &str| whatcart::scenario::load("t", "t.toml", &text(server), &[], &[]);
    assert!(load("server-5").is_ok());
    assert!(load("server-9").is_err());
}
