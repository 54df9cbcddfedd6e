//! Mistakes that people make, over all tables, and what they are told: one line for what is wrong, one for the mend.

use std::fmt::Write;

use whatcart::scenario::{ScenarioError, load};

/// For each text, added to a title and a duration: every error, and below it the mend.
fn told(texts: &[&str]) -> String {
    let mut told = String::new();
    for rest in texts {
        let text = format!("title = \"t\"\nduration = \"1m\"\n{rest}\n");
        let error = load("t", "t", &text, &[], &[]).expect_err(rest);
        writeln!(told, "{}", rest.replace('\n', " ¶ ")).unwrap();
        for error in [&error].into_iter().chain(&error.more) {
            told += &lines(error);
        }
    }
    told
}

fn lines(error: &ScenarioError) -> String {
    let help = error.help.as_ref().map_or(String::new(), |help| format!("    -> {help}\n"));
    format!("  {error}\n{help}")
}

const SHAPES: &[&str] = &[
    "[faults]\nat = \"10s\"\ncrash = \"server-1\"",
    "[variants]\nname = \"a\"",
    "[variants]\nname = \"a\"\n[variants]\nname = \"b\"",
    "[expect]\nthat = \"carts.lost == 0\"",
    "[random_faults]\nevery = { constant = \"20s\" }",
    "[[servers]]\ncount = 3",
    "servers = 3",
    "users = 300",
    "columns = \"carts.lost\"",
    "users.journey = \"login, add, checkout\"",
    "balancer = \"random\"",
    "store = \"redis\"",
    "homes = \"shared-store\"",
    "sim_only = \"yes\"",
    "faults = [\"crash\"]",
];

const TOML: &[&str] = &[
    "store.connections = 0,8",
    "users.count = 1.000",
    "users.rate = 2 000",
    "servers.count: 3",
    "lesson = \"one\ntwo\"",
    "balancer.policy = \"random",
    "users.count = 5\nusers.count = 6",
    "[servers]\ncount = 3\n[servers]\nworkers = 2",
    "servers.count = ",
    "closing = '5s",
    "users.count = 1e3",
    "sim_only = True",
];

const DISTRIBUTIONS: &[&str] = &[
    "users.think = { lognormal = { mean = \"2s\", sigma = 1.0 } }",
    "users.think = { lognormal = \"2s\" }",
    "users.think = { normal = \"2s\" }",
    "users.think = \"normal\"",
    "users.think = { uniform = [\"1s\", \"3s\"] }",
    "users.think = { uniform = { min = \"1s\", max = \"3s\" } }",
    "users.think = { exponential = { mean = \"2s\" } }",
    "users.think = { constant = 2 }",
    "users.think.lognormal = { median = \"2s\", sigma = 7.0 }",
    "users.think = \"2s\"",
    "servers.service = \"20ms\"",
    "users.think = [\"2s\"]",
];

const TABLES: &[&str] = &[
    "[health]\ninterval = \"2s\"",
    "[affinity]\ncookie = \"visit\"",
    "policy = \"random\"",
    "count = 5",
    "drain = \"30s\"",
    "name = \"x\"",
    "without = [\"autoscaler\"]",
    "[servers]\ntimeout = \"5s\"",
    "[servers]\nthreads = 4",
    "[servers]\nreplicas = 4",
    "[balancer]\nalgorithm = \"random\"",
    "[balancer]\nsticky = true",
    "[users]\npolicy = \"random\"",
    "[store]\nreplication = 3",
    "[autoscaler]\nminimum = 2\nmax = 5",
    "[weather]\nfine = true",
];

const CHOICES: &[&str] = &[
    "balancer.policy = \"least_conn\"",
    "balancer.policy = \"sticky\"",
    "balancer.policy = \"consistent-hash\"",
    "balancer.affinity = \"user\"",
    "balancer.affinity = \"10m\"",
    "balancer.affinity = \"cookie\"",
    "balancer.affinity = true",
    "balancer.affinity.cookie = \"forever\"",
    "balancer.health = \"alb\"",
    "balancer.health.preset = \"aws\"",
    "balancer.outlier = true",
    "homes.cart = \"redis\"",
    "homes.cart = \"memory\"",
    "homes.session = \"jwt\"",
    "homes.upload = \"s3\"",
    "homes.login = \"redis\"",
    "autoscaler = \"none\"",
    "store.memory = 500",
    "store.memory = { carts = 500 }",
    "store.durability_window = 1",
    "users.journey = [\"login\", \"buy\"]",
    "users.heavy = 3",
    "regions = [\"us\", \"eu\"]",
    "serverless = true",
    "next = \"foo\"",
    "next = \"deploy-drian\"",
];

const NUMBERS: &[&str] = &[
    "[autoscaler]\nmax = 5\ntarget = \"50%\"",
    "[autoscaler]\nmax = 5\ntarget = 60",
    "balancer.panic_threshold = \"50%\"",
    "balancer.retry_budget = 20",
    "balancer.bounded_load = 0.5",
    "users.rate = \"20\"",
    "users.rate = \"0,5\"",
    "users.count = 10.5",
    "users.timeout = \"1.5\"",
    "users.timeout = \"1,5s\"",
    "users.timeout = 500",
    "closing = \"2 minutes\"",
];

const FAULTS: &[&str] = &[
    "[[faults]]\nat = \"5s\"\nkind = \"crash\"\nserver = \"server-2\"",
    "[[faults]]\nwhen = \"5s\"\ncrash = \"server-1\"",
    "[[faults]]\nat = \"5s\"\nslow = \"server-1\"\nduration = \"5s\"\nfactor = 3",
    "[[faults]]\nat = \"5s\"\ndeploy = \"rolling\"",
    "[[faults]]\nat = \"5s\"\ndeploy = true",
    "[[faults]]\nat = \"5s\"\ndeploy = { max_surge = 1 }",
    "[[faults]]\nat = \"5s\"\ndeploy = { strategy = \"canary\" }",
    "[[faults]]\nat = \"5s\"\ndeploy = { strategy = \"blue-green\", surge = 1 }",
    "[[faults]]\nat = \"5s\"\nscale = \"6\"",
    "[[faults]]\nat = \"5s\"\njoin = 600",
    "[[faults]]\nat = \"5s\"\ncrash = 2",
    "[[faults]]\nat = \"5s\"\ncrash = [\"server-1\", \"server-2\"]",
    "[[faults]]\nat = \"5s\"\nstore = \"down\"",
    "[[faults]]\nat = \"5s\"\nstore = \"outage\"",
    "[[faults]]\nat = 5\ncrash = \"server-1\"",
    "[[faults]]\nat = \"5s\"\nregion_outage = \"us\"",
    "[[random_faults]]\nevery = \"20s\"",
];

const AROUND_THE_DESIGNS: &[&str] = &[
    "[predict]\nask = \"a?\"\nchoices = [\"a\", \"b\"]\nanswer = \"c\"\nwhy = \"d\"",
    "[predict]\nask = \"a?\"\nchoices = [\"a\", \"b\"]\nanswer = 1\nwhy = \"d\"",
    "[[expect]]\nclaim = \"carts.lost == 0\"",
    "[[expect]]\ndesign = \"a\"\nthat = \"carts.lost == 0\"",
    "[[variants]]\nhomes.cart = \"shared-store\"",
    "[[variants]]\nname = \"a\"\nwithout = \"autoscaler\"",
    "[[variants]]\nname = \"a\"\nwithout = [\"autoscaler\"]",
    "servers.boot = \"1s\"\n[[variants]]\nname = \"a\"\nwithout = [\"servers.boto\"]",
    "[[variants]]\nname = \"a\"\nwithout = [\"title\"]",
    "[[faults]]\nname = \"x\"\nat = \"5s\"\ncrash = \"server-1\"\n[[variants]]\nname = \"a\"\nwithout = ['faults.y']",
    "[[variants]]\nname = \"a\"\nfaults = { at = \"5s\", crash = \"server-1\" }",
];

const ALL_AT_ONCE: &[&str] = &[
    "users.cuont = 5\nservers.count = \"three\"\n[balancer]\npolicy = \"fastest\"\n[[faults]]\ncrash = \"server-1\"\n[[variants]]\nname = \"a\"\nbalancer.polciy = \"random\"",
    "users.rate = 5.0\nusers.ramp = \"5s\"\nbalancer.slow_start = \"5s\"\n[[faults]]\nat = \"2m\"\ncrash = \"server-9\"\n[[faults]]\nat = \"3s\"",
    "users.cuont = 5\nbalancer.slow_start = \"5s\"\n[[faults]]\nat = \"5s\"\ncrash = \"server-9\"",
    "servers.count = \"three\"\nbalancer.slow_start = \"5s\"\n[[faults]]\nat = \"5s\"\ncrash = \"server-9\"",
    "servrs.count = 9\nbalancer.slow_start = \"5s\"\n[[faults]]\nat = \"5s\"\ncrash = \"server-9\"",
    "next = \"foo\"\nstory = 5\n[[variants]]\nname = \"a\"\nservers.count = \"x\"\n[[variants]]\nname = \"b\"\nbalancer.slow_start = \"5s\"",
    "a = = 1\nb = 2\nc = [\n",
];

/// The table is in `snapshots/`: whoever changes a message reads it there.
#[test]
fn every_mistake_is_told_with_its_mend() {
    let sections = [
        ("shapes", SHAPES),
        ("toml", TOML),
        ("distributions", DISTRIBUTIONS),
        ("tables", TABLES),
        ("choices", CHOICES),
        ("numbers", NUMBERS),
        ("faults", FAULTS),
        ("around the designs", AROUND_THE_DESIGNS),
        ("all at once", ALL_AT_ONCE),
    ];
    let table: Vec<String> = sections.iter().map(|(title, texts)| format!("== {title}\n{}", told(texts))).collect();
    insta::assert_snapshot!(table.join("\n"));
}
