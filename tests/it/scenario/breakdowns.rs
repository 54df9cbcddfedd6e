//! Random faults, and health checks by server, as written in scenarios.

use whatcart::scenario::{Health, Loaded, Preset, load};

use super::errors::{BASE, error, of};

fn loaded(rest: &str, set: &[&str]) -> Loaded {
    let set: Vec<String> = set.iter().map(|set| (*set).into()).collect();
    load("t", "t.toml", &format!("{BASE}{rest}\n"), &set, &[]).unwrap_or_else(|error| panic!("{error}"))
}

const KILLS: &str = "[[random_faults]]\nname = \"the kills\"\nevery = { constant = \"20s\" }";

#[test]
fn random_faults_that_do_not_say_how_often() {
    insta::assert_snapshot!(of("[[random_faults]]\nhow = \"crash\""), @r#"
    error: these random faults do not say how often they strike
     --> t.toml:3:1
      |
    3 | [[random_faults]]
      | ^^^^^^^^^^^^^^^^^
      |
      = help: `every = { constant = "20s" }` kills one server of the pool every 20 s, `mtbf = {
              exponential = "10m" }` each server every 10 minutes on average
    "#);
}

#[test]
fn random_faults_of_the_pool_and_of_each_server() {
    insta::assert_snapshot!(of(&format!("{KILLS}\nmtbf = {{ exponential = \"10m\" }}")), @r#"
    error: `every` and `mtbf` exclude each other
     --> t.toml:6:1
      |
    6 | mtbf = { exponential = "10m" }
      | ^^^^
      |
      = help: keep one of `every`, `mtbf`
    "#);
}

#[test]
fn random_faults_without_end() {
    insta::assert_snapshot!(of("[[random_faults]]\nevery = { constant = \"0s\" }"), @r#"
    error: these are too many random faults
     --> t.toml:4:9
      |
    4 | every = { constant = "0s" }
      |         ^^^^^^^^^^^^^^^^^^^
      |
      = help: at most 10,000 in a run
    "#);
}

#[test]
fn random_faults_with_the_name_of_another() {
    let fault = "[[faults]]\nname = \"the kills\"\nat = \"3s\"\ncrash = \"server-1\"";
    insta::assert_snapshot!(of(&format!("{fault}\n{KILLS}")), @r#"
    error: two faults are named `the kills`
     --> t.toml:8:8
      |
    8 | name = "the kills"
      |        ^^^^^^^^^^^
      |
      = help: patches refer to faults by name: give each its own
    "#);
}

#[test]
fn patches_reach_random_faults_by_name() {
    let set = ["random_faults.\"the kills\".mtbf.exponential=10m", "random_faults.\"the kills\".how=vanish"];
    let patched = &loaded(KILLS, &set).base.random_faults[0];
    assert!(patched.every.is_none() && patched.mtbf.is_some(), "{patched:?}");
    assert!(loaded(KILLS, &["random_faults=[]"]).base.random_faults.is_empty());
    let set = ["random_faults.kill.how=vanish".to_owned()];
    assert!(error(&format!("{BASE}{KILLS}"), &set, &[]).to_string().contains("there is no fault named `kill`"));
}

#[test]
fn health_checks_of_products() {
    let health = |rest: &str, set: &[&str]| loaded(rest, set).base.balancer.health;
    assert_eq!(health("", &[]), Health::of(Preset::Haproxy));
    assert_eq!(health("balancer.health.preset = \"alb\"", &[]), Health::of(Preset::Alb));
    let faster = health("balancer.health.preset = \"alb\"", &["balancer.health.interval=5s"]);
    assert_eq!(faster, Health { interval: faster.interval, ..Health::of(Preset::Alb) });
    let other = health("balancer.health = { preset = \"alb\", fall = 7 }", &["balancer.health.preset=kubernetes"]);
    assert_eq!(other, Health { fall: other.fall, ..Health::of(Preset::Kubernetes) });
}

#[test]
fn a_product_that_is_not_known() {
    insta::assert_snapshot!(of("balancer.health.preset = \"kubernets\""), @r#"
    error: `kubernets` is not a choice here
     --> t.toml:3:26
      |
    3 | balancer.health.preset = "kubernets"
      |                          ^^^^^^^^^^^
      |
      = help: did you mean `kubernetes`?
    "#);
}
