use super::*;
use crate::results::expectations;
use crate::results::sample::{both_engines, cut_short, several_runs, sticky_crash};

#[test]
fn one_run_keeps_its_figures_in_order() {
    let mut report = sticky_crash();
    report.expectations = expectations::judge(&report).expect("sound claims");
    report.variants.truncate(2);
    let text = json(&report);
    let short: Vec<&str> = text.lines().take(44).collect();
    insta::assert_snapshot!(short.join("\n"), @r#"
    {
      "schema": 2,
      "scenario": "sticky-crash",
      "title": "Sticky sessions keep every cart whole. What does one crash cost?",
      "engine": "sim",
      "seed": 1,
      "version": "0.2.0",
      "digest": "e847-c374-e25f-22d0",
      "interrupted": false,
      "runs": {
        "planned": 2,
        "complete": 2
      },
      "variants": [
        {
          "name": "round robin, server memory",
          "runs": 1,
          "carts": {
            "opened": 2416,
            "intact": 83,
            "lost": 2333,
            "overcharged": 0,
            "abandoned": 0,
            "unknown": 0,
            "open": 0
          },
          "lost_by": {
            "rolled_back": 0,
            "evicted": 0,
            "expired": 0,
            "overwritten": 0,
            "wiped": 73,
            "stale": 0,
            "split": 2260,
            "unexplained": 0
          },
          "visits": {
            "begun": 2416,
            "finished": 2416,
            "abandoned_refused": 0,
            "abandoned_unknown": 0,
            "abandoned_logged_out": 0,
            "open": 0
          },
    "#);
    let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(read["expectations"][0]["observed"], "lost_by.wiped = 49");
    assert_eq!(read["expectations"][0]["passed"], true);
    assert_eq!(read["expectations"][1]["passed"], false);
    assert_eq!(read["variants"][1]["load"]["per_server"][0]["name"], "server-1");
    assert!(read["variants"][0].get("each").is_none());
}

#[test]
fn several_runs_have_means_intervals_and_each() {
    let read: serde_json::Value = serde_json::from_str(&json(&several_runs())).expect("JSON");
    let sticky = &read["variants"][1];
    assert_eq!(sticky["runs"], 4);
    assert_eq!(sticky["carts"]["lost"], 51.25);
    assert_eq!(sticky["each"][3]["seed"], 4);
    assert_eq!(sticky["each"][3]["carts"]["lost"], 50);
    let interval = sticky["interval95"]["carts"]["lost"].as_array().expect("low and high");
    assert!(interval[0].as_f64() < Some(51.25) && interval[1].as_f64() > Some(51.25), "{interval:?}");
    assert_eq!(sticky["paired_difference95"]["carts"]["lost"], serde_json::json!([-2284.0, -2284.0]));
    assert!(read["variants"][0].get("paired_difference95").is_none());
    assert!(sticky["load"].get("fair_share_after_s").is_none());
}

#[test]
fn both_engines_have_their_judgements() {
    let read: serde_json::Value = serde_json::from_str(&json(&both_engines())).expect("JSON");
    assert_eq!(read["agrees"], true);
    assert_eq!(read["simulations"], 24);
    let sticky = &read["variants"][1];
    assert_eq!(sticky["pace"]["speed"], 6.0);
    assert_eq!(sticky["pace"]["kept_up"], true);
    let judgement = |figure: &str| {
        let all = sticky["agreement"].as_array().expect("judgements");
        all.iter().find(|one| one["figure"] == figure).expect(figure).clone()
    };
    insta::assert_snapshot!(judgement("lost_by.wiped"), @r#"{"figure":"lost_by.wiped","high":55.0,"low":43.0,"mean":49.041666666666664,"observed":49.0,"predicted":"certain","verdict":"agrees"}"#);
    insta::assert_snapshot!(judgement("lost_by.split"), @r#"{"figure":"lost_by.split","high":0.0,"low":0.0,"mean":0.0,"observed":0.0,"predicted":"impossible","verdict":"agrees"}"#);
    assert_eq!(judgement("carts.lost / carts.opened")["predicted"], "interval");

    let alone: serde_json::Value = serde_json::from_str(&json(&sticky_crash())).expect("JSON");
    for (place, name) in [(&alone, "agrees"), (&alone["variants"][0], "agreement"), (&alone["variants"][0], "pace")] {
        assert!(place.get(name).is_none(), "{name}");
    }
}

#[cfg(feature = "cli")]
#[test]
fn csv_has_what_was_judged() {
    let text = csv(&both_engines(), false);
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().expect("a head").split(',').collect();
    let at = head.iter().position(|name| *name == "predicted low lost_by.wiped").expect("a column");
    let rows: Vec<String> =
        lines.map(|line| line.split(',').skip(at + 1).take(4).collect::<Vec<_>>().join(" ")).collect();
    insta::assert_snapshot!(format!("{}\n{}", head[at..at + 4].join(" | "), rows.join("\n")), @r"
    predicted low lost_by.wiped | predicted high lost_by.wiped | executed lost_by.wiped | verdict lost_by.wiped
    67 79 73 agrees
    43 55 49 agrees
    0 0 0 agrees
    0 0 0 agrees
    ");
}

#[cfg(feature = "cli")]
#[test]
fn markdown_of_both_engines() {
    let text = markdown(&both_engines(), &[], "whatcart run sticky-crash --engine both");
    let both = text.split_once("## Both engines").expect("a part").1.split_once("## To repeat").expect("a part").0;
    insta::assert_snapshot!(both, @r"


    | design | figure | simulated | range | happened | difference |  |
    |--:|:--|--:|--:|--:|--:|:--|
    | 1 | carts lost, of opened | 96.6 % | 94.9 to 97.9 % | 96.6 % | 0.0 points | ok |
    | 1 | lost, of open at the crash | 49.4 % | 36.2 to 62.5 % | 49.3 % | 0.0 points | ok |
    | 1 | wrong views, of all views | 46.8 % | 46.3 to 47.2 % | 46.8 % | 0.0 points | ok |
    | 1 | requests per visit | 8.01 | 8.01 | 8.01 | 0.0 % | ok |
    | 1 | split carts | certain | 2,254 to 2,266 | 2,260 | 0.0 | ok |
    | 1 | wiped carts | certain | 67 to 79 | 73 | 0.0 | ok |
    | 1 | wrong views | certain | 1,127 to 1,133 | 1,130 | +0.2 | ok |
    | 2 | carts lost, of opened | 2.0 % | 1.3 to 2.9 % | 2.0 % | 0.0 points | ok |
    | 2 | lost, of open at the crash | 33.1 % | 20.4 to 46.7 % | 33.1 % | 0.0 points | ok |
    | 2 | requests per visit | 8.01 | 8.01 | 8.01 | 0.0 % | ok |
    | 2 | wiped carts | certain | 43 to 55 | 49 | 0.0 | ok |
    | 3 | requests per visit | 8.01 | 8.01 | 8.01 | 0.0 % | ok |
    | 3 | bytes carried per request | 210 | 210 | 210 | 0.0 % | ok |
    | 4 | requests per visit | 8.01 | 8.01 | 8.01 | 0.0 % | ok |
    | 4 | store calls per request | 0.63 | 0.61 to 0.64 | 0.63 | 0.0 % | ok |

    Design 2: absent, as predicted: split carts and wrong views.

    Design 3: absent, as predicted: split carts, wiped carts and wrong views.

    Design 4: absent, as predicted: split carts, wiped carts and wrong views.

    Absent in every design, as predicted: overwritten carts, stale carts, rolled-back carts, evicted carts, expired carts, unexplained losses, overcharged carts, carts still open, visits given up, visits given up after logouts, logouts, zombie logins, impostors let in, missing files, ghosts and double charges.

    Ranges: for counts the least and the most of any simulation; for rates where real runs should lie, with a certainty of 99.9 % for all rates together.

    Latency and load are not compared: a request takes 3.33 real ms of service, and below 10 ms the delays of this machine would be a good part of what is measured. A lower --speed makes it longer.

    Both engines agree: 128 of 128 judgements.

    ## Assumptions

    - 300 users · 3 servers · open for 2 min · seed 1 · real, 6x as fast, beside 24 simulations.
    - A visit is login, browse, browse, add, view, add, add and checkout.
    - 0:30 server-2 crashes · 0:35 an empty server-2 replaces it.
    - Every figure is measured on one machine, by whatcart 0.2.0.
    ");
}

#[cfg(feature = "cli")]
#[test]
fn csv_has_a_row_for_each_variant_and_run() {
    let text = csv(&several_runs(), false);
    assert_eq!(text.lines().count(), 1 + 4 * 4);
    let head: Vec<&str> = text.lines().take(3).map(|line| &line[..75]).collect();
    insta::assert_snapshot!(head.join("\n"), @r#"
    variant,seed,carts.opened,carts.intact,carts.lost,carts.overcharged,carts.a
    "round robin, server memory",1,2416,83,2333,0,0,0,0,0,0,0,0,73,0,2260,0,241
    "round robin, server memory",2,2416,80,2336,0,0,0,0,0,0,0,0,76,0,2260,0,241
    "#);
    insta::assert_snapshot!(series_csv(&sticky_crash(), false).lines().take(3).collect::<Vec<_>>().join("\n"), @r#"
    variant,seed,from_s,sent,ok,refused,failed,timed_out,logged_out,lost_carts,intact_carts,open_carts,served_server_1,served_server_2,served_server_3
    "round robin, server memory",1,0,150,150,0,0,0,0,0,0,148,50,50,50
    "round robin, server memory",1,1,150,150,0,0,0,0,0,0,148,50,50,50
    "#);
}

#[cfg(feature = "cli")]
#[test]
fn markdown_for_a_design_review() {
    let (value, from) = ("1,000".into(), "house setting".into());
    let queue = crate::faces::assumptions::Assumption { what: "queue of a server", value, from };
    insta::assert_snapshot!(markdown(&sticky_crash(), &[queue], "whatcart run sticky-crash --seed 1"), @r"
    # sticky-crash

    Sticky sessions keep every cart whole. What does one crash cost?

    | | design | carts lost of 2,416 | of those open at the crash (148) | wrong views of 2,416 | busiest x mean | price per request |
    |--:|:--|--:|--:|--:|--:|:--|
    | 1 | round robin, server memory | 2,333 (97 %) | 73 (49 %) | 1,130 (47 %) | 1.02 | – |
    | 2 | sticky, server memory | 49 (2 %) | 49 (33 %) | 0 | 1.09 | – |
    | 3 | round robin, signed token | 0 | 0 | 0 | 1.02 | 210 bytes carried |
    | 4 | round robin, shared store | 0 | 0 | 0 | 1.02 | 0.63 store calls |

    Of design 1's losses 2,260 are split: their items sit in another server's memory; 73 are wiped: their last copy went with a server. All carts lost in design 2 are wiped.

    ## Assumptions

    - 300 users · 3 servers · open for 2 min · seed 1 · simulated.
    - A visit is login, browse, browse, add, view, add, add and checkout.
    - 0:30 server-2 crashes · 0:35 an empty server-2 replaces it.
    - Every figure is simulated, not measured, by whatcart 0.2.0.

    | what | value | whose |
    |:--|:--|:--|
    | queue of a server | 1,000 | house setting |

    ## To repeat it

    ```sh
    whatcart run sticky-crash --seed 1
    ```
    ");
}

/// Runs that were cut short are in no row but the ones that were asked for.
#[cfg(feature = "cli")]
#[test]
fn an_interrupted_report_says_so_in_its_first_line() {
    let report = cut_short();
    let line = "Interrupted: 2 of 4 runs went to the end; only these count.";
    let seeds = |text: &str| {
        text.lines().skip(2).map(|line| line.split("\",").last().unwrap_or("")[..4].to_owned()).collect::<Vec<_>>()
    };
    for text in [csv(&report, false), series_csv(&report, false)] {
        assert_eq!(text.lines().next(), Some(&*format!("# {line}")));
        assert!(text.contains("round robin, server memory") && !text.contains("sticky, server memory"), "{text}");
    }
    let all = csv(&report, true);
    assert_eq!(seeds(&all), ["1,,2", "1,7,", "1,,2"]);
    assert!(series_csv(&report, true).contains("\"sticky, server memory\",1,7,"));
    let text = markdown(&report, &[], "whatcart run sticky-crash");
    assert_eq!(text.lines().next(), Some(&*format!("**{line}**")));
    assert!(text.contains("| sticky, server memory (cut short at 0:07, before the crash at 0:30) | – |"), "{text}");
    assert!(text.contains("| round robin, shared store (not begun) | – |"), "{text}");
    let read: serde_json::Value = serde_json::from_str(&json(&report)).expect("JSON");
    assert_eq!(read["runs"], serde_json::json!({"planned": 4, "complete": 2}));
    let variants = &read["variants"];
    assert_eq!((&variants[0]["runs"], variants[0].get("cut_short_at_s")), (&1.into(), None));
    assert_eq!((&variants[1]["runs"], &variants[1]["cut_short_at_s"]), (&0.into(), &7.0.into()));
    assert_eq!(variants[3], serde_json::json!({"name": "round robin, shared store", "runs": 0}));
}
