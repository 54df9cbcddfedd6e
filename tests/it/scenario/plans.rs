//! Plans that cannot begin, or cannot end in time.

use super::errors::of;

const DEPLOY: &str = "faults = [{ name = \"the deploy\", at = \"20s\", deploy = { strategy = \"rolling\"";

#[test]
fn a_deploy_without_room() {
    insta::assert_snapshot!(of(&format!("{DEPLOY}, surge = 0, unavailable = 0 }} }}]")), @"");
}

#[test]
fn a_surge_in_place() {
    insta::assert_snapshot!(of(&format!("{DEPLOY}, surge = 1, in_place = true }} }}]")), @"");
}

#[test]
fn steps_of_a_deploy_that_has_none() {
    insta::assert_snapshot!(of("faults = [{ at = \"20s\", deploy = { strategy = \"blue-green\", surge = 1 } }]"), @"");
}

#[test]
fn a_drain_longer_than_the_run() {
    insta::assert_snapshot!(of(&format!("{DEPLOY}, drain = \"5m\" }} }}]")), @"");
}

#[test]
fn an_unknown_strategy() {
    insta::assert_snapshot!(of("faults = [{ at = \"20s\", deploy = { strategy = \"roling\" } }]"), @"");
}

#[test]
fn scaled_to_nothing() {
    insta::assert_snapshot!(of("faults = [{ at = \"20s\", scale = 0 }]"), @"");
}

#[test]
fn first_misspelt() {
    insta::assert_snapshot!(of("faults = [{ at = \"20s\", scale = { to = 2, first = \"newst\" } }]"), @"");
}

#[test]
fn a_scale_that_is_no_number() {
    insta::assert_snapshot!(of("faults = [{ at = \"20s\", scale = \"6\" }]"), @"");
}

#[test]
fn fewer_users_than_there_are() {
    insta::assert_snapshot!(of("faults = [{ at = \"20s\", join = { to = 200 } }]"), @"");
    let twice = "faults = [{ at = \"30s\", join = { to = 500 } }, { at = \"20s\", join = { to = 600 } }]";
    assert!(of(twice).contains("there are 600 users by then: 500 are not more"), "{}", of(twice));
}

#[test]
fn users_who_join_the_other_loop() {
    insta::assert_snapshot!(of("users.rate = 5.0\nfaults = [{ at = \"20s\", join = { to = 600 } }]"), @"");
    let closed = of("faults = [{ at = \"20s\", join = { rate_to = 5.0 } }]");
    assert!(closed.contains("how many there are to be is missing"), "{closed}");
}

#[test]
fn an_autoscaler_between_nothing() {
    insta::assert_snapshot!(of("autoscaler = { min = 4, max = 2 }"), @"");
    let many = of("autoscaler = { max = 2 }");
    assert!(many.contains("the run begins with 3 servers"), "{many}");
    let busy = of("autoscaler = { max = 4, target = 60 }");
    assert!(busy.contains("workers are never busier than all the time"), "{busy}");
}

#[test]
fn a_fault_that_is_two_plans() {
    let told = of("faults = [{ at = \"20s\", scale = 4, join = { to = 600 } }]");
    assert!(told.contains("`scale` and `join` exclude each other"), "{told}");
}

/// A server that may be added later may be broken.
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
