//! The errors of invalid variants, `--set` and `--vary`.

use super::errors::{BASE, CRASH, error, of};

fn set(argument: &str) -> String {
    error(BASE, &[argument.to_owned()], &[]).draw(false, 100)
}

fn vary(argument: &str) -> String {
    error(BASE, &[], &[argument.to_owned()]).draw(false, 100)
}

#[test]
fn an_unknown_key_in_a_variant() {
    insta::assert_snapshot!(of("[[variants]]\nname = \"a\"\nbalancer.polciy = \"random\""), @r#"
    error: unknown key `polciy`
     --> t.toml:5:10
      |
    5 | balancer.polciy = "random"
      |          ^^^^^^
      |
      = note: in the variant `a`
      = help: did you mean `policy`?
    "#);
}

#[test]
fn an_unknown_key_in_a_set() {
    insta::assert_snapshot!(set("users.cuont=5"), @"
    error: unknown key `cuont`
     --> --set:1:7
      |
    1 | users.cuont=5
      |       ^^^^^
      |
      = help: did you mean `count`?
    ");
}

#[test]
fn an_unknown_choice_in_a_set() {
    insta::assert_snapshot!(set("balancer.policy=fastest"), @"
    error: `fastest` is not a choice here
     --> --set:1:17
      |
    1 | balancer.policy=fastest
      |                 ^^^^^^^
      |
      = help: choose one of: `round-robin`, `weighted-round-robin`, `random`, `least-requests`,
              `power-of-two`, `peak-ewma`, `ip-hash`, `ring-hash`, `rendezvous`, `maglev`
    ");
}

#[test]
fn a_server_that_only_one_variant_lacks() {
    insta::assert_snapshot!(of(&format!("{CRASH}\n[[variants]]\nname = \"three\"\n[[variants]]\nname = \"one\"\nservers.count = 1")), @r#"
    error: there is no server `server-2`
     --> t.toml:6:9
      |
    6 | crash = "server-2"
      |         ^^^^^^^^^^
      |
      = note: in the variant `one`
      = help: there is one server, `server-1`
    "#);
}

#[test]
fn two_variants_of_one_name() {
    insta::assert_snapshot!(of("[[variants]]\nname = \"a\"\n[[variants]]\nname = \"a\""), @r#"
    error: two variants are named `a`
     --> t.toml:6:8
      |
    6 | name = "a"
      |        ^^^
      |
      = help: expectations and `--only` refer to variants by name: give each its own
    "#);
}

#[test]
fn a_variant_without_a_name() {
    insta::assert_snapshot!(of("[[variants]]\nservers.count = 1"), @r#"
    error: a variant needs a `name`
     --> t.toml:3:1
      |
    3 | [[variants]]
      | ^^^^^^^^^^^^
      |
      = help: such as name = "sticky, server memory"
    "#);
}

#[test]
fn a_variant_that_changes_the_title() {
    insta::assert_snapshot!(of("[[variants]]\nname = \"a\"\ntitle = \"b\""), @r#"
    error: a variant cannot change `title`
     --> t.toml:5:1
      |
    5 | title = "b"
      | ^^^^^
      |
      = help: `title` belongs to the scenario as a whole: change it in the file itself
    "#);
}

#[test]
fn a_patch_of_a_fault_that_is_not_there() {
    insta::assert_snapshot!(of(&format!("{CRASH}\n[[variants]]\nname = \"a\"\nfaults.\"the crahs\".at = \"5s\"")), @r#"
    error: there is no fault named `the crahs`
     --> t.toml:9:8
      |
    9 | faults."the crahs".at = "5s"
      |        ^^^^^^^^^^^
      |
      = help: did you mean `the crash`?
    "#);
}

#[test]
fn a_set_of_a_fault_that_is_not_there() {
    insta::assert_snapshot!(set("faults.\"the crash\".at=40s"), @r#"
    error: there is no fault named `the crash`
     --> --set:1:8
      |
    1 | faults."the crash".at=40s
      |        ^^^^^^^^^^^
      |
      = help: no fault here has a name
    "#);
}

#[test]
fn a_set_into_a_list() {
    insta::assert_snapshot!(set("users.journey.first=add"), @r#"
    error: expected a list, found a table
     --> --set:1:15
      |
    1 | users.journey.first=add
      |               ^^^^^
      |
      = help: write a list: journey = ["…", "…"]
    "#);
}

#[test]
fn a_set_without_a_value() {
    insta::assert_snapshot!(set("users.count"), @"
    error: --set needs a key, `=` and a value
     --> --set:1:1
      |
    1 | users.count
      | ^^^^^^^^^^^
      |
      = help: write it as --set users.count=50
    ");
}

#[test]
fn a_set_with_broken_brackets() {
    insta::assert_snapshot!(set("balancer.affinity={ cookie = visit }"), @r#"
    error: `visit` is not a TOML value
     --> --set:1:30
      |
    1 | balancer.affinity={ cookie = visit }
      |                              ^^^^^
      |
      = help: write a text in quotes: "visit"
    "#);
}

#[test]
fn a_set_of_the_expectations() {
    insta::assert_snapshot!(set("expect=[]"), @"
    error: --set cannot change `expect`
     --> --set:1:1
      |
    1 | expect=[]
      | ^^^^^^
      |
      = help: `expect` belongs to the scenario as a whole: change it in the file itself
    ");
}

#[test]
fn a_vary_with_a_gap() {
    insta::assert_snapshot!(vary("users.count=1,,2"), @"
    error: --vary needs a value here
     --> --vary:1:15
      |
    1 | users.count=1,,2
      |               ^
    ");
}

#[test]
fn a_vary_with_a_wrong_value() {
    insta::assert_snapshot!(vary("users.count=1,two"), @r#"
    error: expected a whole number from 1 to 10,000,000, found the text "two"
     --> --vary:1:15
      |
    1 | users.count=1,two
      |               ^^^
      |
      = note: in the variant `count=two`
    "#);
}

#[test]
fn a_vary_with_too_many_values() {
    insta::assert_snapshot!(vary(&format!("seed={}", (0..65).map(|i| i.to_string()).collect::<Vec<_>>().join(","))), @"
    error: 65 variants are too many: at most 64
     --> --vary:1:6
      |
    1 | seed=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32...
      |      ^
    ");
}

#[test]
fn an_expectation_of_no_variant() {
    insta::assert_snapshot!(of("[[variants]]\nname = \"sticky\"\n[[expect]]\nvariant = \"stiky\"\nthat = \"carts.lost == 0\""), @r#"
    error: there is no variant `stiky`
     --> t.toml:6:11
      |
    6 | variant = "stiky"
      |           ^^^^^^^
      |
      = help: did you mean `sticky`?
    "#);
}
