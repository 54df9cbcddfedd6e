use proptest::prelude::*;

use super::*;
use crate::faces::glossary;
use crate::faces::story;
use crate::faces::text::{Page, width};
use crate::results::sample::{both_engines, crashed, cut_short, scenario, several_runs, sticky_crash, unharmed};
use crate::results::{DeployFigures, Figures, Latency, ServerLoad};
use crate::scenario::FaultKind;

/// Removes colour codes.
/// Without colours, and without the digest, in which every change of the figures shows.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string().split("Digest ").next().unwrap_or_default().to_owned()
}

#[test]
fn the_whole_output() {
    let report = sticky_crash();
    let (at, hurt) = story::choose(&report).expect("somebody is hurt");
    assert_eq!((at, hurt.visit.user.0), (1, 42));
    let story = story::tell(&report.variants[1], &crashed(), 12).against(&report.variants[3], &unharmed());
    let title = "A deploy is a crash with a calendar. Can we wait?";
    let look = Look { story: Some(&story), next_title: Some(title), ..Look::default() };
    let text = anstream::adapter::strip_str(&render(&report, &look)).to_string();
    assert!(text.lines().count() <= 30);
    insta::assert_snapshot!(text, @r#"
    sticky-crash     Sticky sessions keep every cart whole. What does one crash cost?
    300 users · 3 servers · open for 2 min · seed 1 · simulated
    0:30 server-2 crashes · 0:35 an empty server-2 replaces it

                                                   of those
                                    carts lost  open at the  wrong views  busiest  price
       design                         of 2,416  crash (148)     of 2,416   x mean  per request
    1  round robin, server memory  2,333  97 %     73  49 %  1,130  47 %     1.02  –
    2  sticky, server memory          49   2 %     49  33 %      0           1.09  –
    3  round robin, signed token       0            0            0           1.02  210 bytes carried
    4  round robin, shared store       0            0            0           1.02  0.63 store calls
       Of design 1's losses 2,260 are split: their items sit in another server's memory; 73 are wiped:
       their last copy went with a server. All carts lost in design 2 are wiped.

    User 42, design 2                                       server's cart     user 42 has added
       0:24.7  adds mug    server-2  ok                     mug               mug
       0:27.9  adds lamp   server-2  ok                     mug lamp          mug lamp
       0:30.0  ------------ server-2 crashes: 49 open carts gone, this one too ------------
       0:32.7  adds pen    server-1  "What cart?" New one.  pen               mug lamp pen
       0:38.0  checks out  server-1  charged: pen           MISSING mug lamp
    The same user in design 4
       0:38.0  checks out  server-1  charged: mug lamp pen  complete

    Lesson  Sticky sessions did not remove the danger: they moved it to the day the server dies.
    Next    A deploy is a crash with a calendar. Can we wait?   whatcart run deploy-drain
    Digest  d13e-2bb1-cfb1-979a
    "#);
}

#[test]
fn several_runs_show_how_sure_they_are() {
    let text = plain(&render(&several_runs(), &Look::default()));
    insta::assert_snapshot!(text, @r"
    sticky-crash     Sticky sessions keep every cart whole. What does one crash cost?
    300 users · 3 servers · open for 2 min · 4 runs, seeds from 1 · simulated
    0:30 server-2 crashes · 0:35 an empty server-2 replaces it

                                         carts lost       of those open  wrong views  price
       design                              of 2,416  at the crash (148)     of 2,416  per request
    1  round robin, server memory   2,335 ± 4  97 %    75.2 ± 3.5  51 %  1,130  47 %  –
    2  sticky, server memory       51.2 ± 3.5   2 %    51.2 ± 3.5  35 %      0        –
    3  round robin, signed token            0                   0            0        210 bytes carried
    4  round robin, shared store            0                   0            0        0.63 store calls
       Of design 1's losses 2,260 are split: their items sit in another server's memory; about 75 are
       wiped: their last copy went with a server. All carts lost in design 2 are wiped.
       Compared with design 1, design 2 loses 2,284 fewer carts; designs 3 and 4 lose 2,331 to 2,339
       fewer carts (95 % interval of the paired difference over 4 runs).

    Lesson  Sticky sessions did not remove the danger: they moved it to the day the server dies.
    Next    whatcart run deploy-drain
    ");
}

#[test]
fn both_engines_side_by_side() {
    let text = plain(&render(&both_engines(), &Look::default()));
    insta::assert_snapshot!(text, @r"
    sticky-crash     Sticky sessions keep every cart whole. What does one crash cost?
    300 users · 3 servers · open for 2 min · seed 1 · real, 6x as fast, beside 24 simulations
    0:30 server-2 crashes · 0:35 an empty server-2 replaces it

                                                   of those
                                    carts lost  open at the  wrong views  busiest  price
       design                         of 2,416  crash (148)     of 2,416   x mean  per request
    1  round robin, server memory  2,333  97 %     73  49 %  1,130  47 %     1.02  –
    2  sticky, server memory          49   2 %     49  33 %      0           1.09  –
    3  round robin, signed token       0            0            0           1.02  210 bytes carried
    4  round robin, shared store       0            0            0           1.02  0.63 store calls
       Of design 1's losses 2,260 are split: their items sit in another server's memory; 73 are wiped:
       their last copy went with a server. All carts lost in design 2 are wiped.
       99 % of requests were sent less than 1.90 ms later than meant.

       both engines                 simulated            range   happened   difference
    1  carts lost, of opened           96.6 %   94.9 to 97.9 %     96.6 %   0.0 points   ok
       lost, of open at the crash      49.4 %   36.2 to 62.5 %     49.3 %   0.0 points   ok
       wrong views, of all views       46.8 %   46.3 to 47.2 %     46.8 %   0.0 points   ok
       requests per visit                8.01             8.01       8.01        0.0 %   ok
       split carts                    certain   2,254 to 2,266      2,260          0.0   ok
       wiped carts                    certain         67 to 79         73          0.0   ok
       wrong views                    certain   1,127 to 1,133      1,130         +0.2   ok
    2  carts lost, of opened            2.0 %     1.3 to 2.9 %      2.0 %   0.0 points   ok
       lost, of open at the crash      33.1 %   20.4 to 46.7 %     33.1 %   0.0 points   ok
       requests per visit                8.01             8.01       8.01        0.0 %   ok
       wiped carts                    certain         43 to 55         49          0.0   ok
       absent, as predicted: split carts and wrong views
    3  requests per visit                8.01             8.01       8.01        0.0 %   ok
       bytes carried per request          210              210        210        0.0 %   ok
       absent, as predicted: split carts, wiped carts and wrong views
    4  requests per visit                8.01             8.01       8.01        0.0 %   ok
       store calls per request           0.63     0.61 to 0.64       0.63        0.0 %   ok
       absent, as predicted: split carts, wiped carts and wrong views
       Absent in every design, as predicted: overwritten carts, stale carts, rolled-back carts, evicted
       carts, expired carts, unexplained losses, overcharged carts, carts still open, visits given up,
       visits given up after logouts, logouts, zombie logins, impostors let in, missing files, ghosts
       and double charges.
       Ranges: for counts the least and the most of any simulation; for rates where real runs should
       lie, with a certainty of 99.9 % for all rates together.
       Latency and load are not compared: a request takes 3.33 real ms of service, and below 10 ms the
       delays of this machine would be a good part of what is measured. A lower --speed makes it longer.
       Both engines agree: 128 of 128 judgements.

    Lesson  Sticky sessions did not remove the danger: they moved it to the day the server dies.
    Next    whatcart run deploy-drain
    ");
}

#[test]
fn engines_that_differ_and_a_machine_that_was_too_slow() {
    let mut report = both_engines();
    report.agreement = None;
    let predicted: Vec<Vec<Figures>> =
        several_runs().variants.into_iter().map(|v| v.runs.into_iter().map(|run| run.figures).collect()).collect();
    for variant in [1, 3] {
        let figures = &mut report.variants[variant].runs[0].figures;
        figures.lost_by.overwritten = 7;
        figures.price.store_calls_per_request = figures.price.store_calls_per_request.map(|calls| 1.5 * calls);
        figures.pace.as_mut().expect("a pace").kept_up = false;
    }
    report.agreement = Some(crate::results::agreement::compare(&report, &predicted));
    let text = render(&report, &Look { details: true, ..Look::default() });
    assert!(text.contains("\u{1b}[1m\u{1b}[91mDIFFERS"), "{text:?}");
    let text = plain(&text);
    let told = text.split_once("crash (148)").expect("a head").1.split_once("Requests of users").expect("details").0;
    insta::assert_snapshot!(told, @r"
         of 2,416   x mean  per request
    1  round robin, server memory  2,333  97 %     73  49 %  1,130  47 %     1.02  –
    2  sticky, server memory          49   2 %     49  33 %      0           1.09  –
    3  round robin, signed token       0            0            0           1.02  210 bytes carried
    4  round robin, shared store       0            0            0           1.02  0.94 store calls
       Of design 1's losses 2,260 are split: their items sit in another server's memory; 73 are wiped:
       their last copy went with a server. Of design 2's losses 49 are wiped; 7 are overwritten: a
       concurrent writer put an older copy over them. All carts lost in design 4 are overwritten.
       99 % of requests were sent less than 1.90 ms later than meant.
       This machine could not keep up in designs 2 and 4: requests were sent too late. Do not trust this
       run. Try a lower --speed, or fewer users.

       both engines                  simulated            range   happened    difference
    1  carts lost, of opened            96.7 %   94.1 to 98.6 %     96.6 %   −0.1 points   ok
       lost, of open at the crash       50.8 %   16.8 to 84.5 %     49.3 %   −1.5 points   ok
       wrong views, of all views        46.8 %           46.8 %     46.8 %    0.0 points   ok
       requests per visit                 8.01             8.01       8.01         0.0 %   ok
       split carts                     certain            2,260      2,260           0.0   ok
       wiped carts                     certain         73 to 78         73          −2.2   ok
       wrong views                     certain            1,130      1,130           0.0   ok
       absent, as predicted: overwritten carts
    2  carts lost, of opened             2.1 %    0.40 to 4.9 %      2.0 %   −0.1 points   ok
       lost, of open at the crash       34.6 %    4.8 to 72.0 %     33.1 %   −1.5 points   ok
       requests per visit                 8.01             8.01       8.01         0.0 %   ok
       wiped carts                     certain         49 to 54         49          −2.2   ok
       overwritten carts            impossible                           7          +7.0   DIFFERS
       absent, as predicted: split carts and wrong views
    3  requests per visit                 8.01             8.01       8.01         0.0 %   ok
       bytes carried per request           210              210        210         0.0 %   ok
       absent, as predicted: split carts, wiped carts, overwritten carts and wrong views
    4  requests per visit                 8.01             8.01       8.01         0.0 %   ok
       store calls per request            0.63             0.63       0.94         +50 %   DIFFERS
       overwritten carts            impossible                           7          +7.0   DIFFERS
       absent, as predicted: split carts, wiped carts and wrong views
       Absent in every design, as predicted: stale carts, rolled-back carts, evicted carts, expired
       carts, unexplained losses, overcharged carts, carts still open, visits given up, visits given up
       after logouts, logouts, zombie logins, impostors let in, missing files, ghosts and double
       charges.
       Ranges: for counts the least and the most of any simulation; for rates where real runs should
       lie, with a certainty of 99.9 % for all rates together.
       Latency and load are not compared: a request takes 3.33 real ms of service, and below 10 ms the
       delays of this machine would be a good part of what is measured. A lower --speed makes it longer.
       The engines differ in 3 of 128 judgements: overwritten carts in design 2, store calls per request
       in design 4 and overwritten carts in design 4.
    ");
    insta::assert_snapshot!(text.split_once("How late").expect("details").1.split_once("Lost carts").expect("more").0, @r"
    requests were sent, in real ms
      design   mean    p50    p90    p99    max
      1        0.30   0.20   0.80   1.90   6.40
      2        0.30   0.20   0.80   1.90   6.40
      3        0.30   0.20   0.80   1.90   6.40
      4        0.30   0.20   0.80   1.90   6.40
    ");
}

#[test]
fn details() {
    let look = Look { details: true, ..Look::default() };
    let text = plain(&render(&sticky_crash(), &look));
    let details = text.split_once("Requests of users").expect("details").1;
    insta::assert_snapshot!(details, @r"
       design     sent     = ok   + refused   + failed   + timed out   + in flight   balancer's retries
       1        19,341   19,328           0         13             0             0                    0
       2        19,341   19,328           0         13             0             0                    0
       3        19,341   19,328           0         13             0             0                    0
       4        19,341   19,328           0         13             0             0                    0

    Latency of a request, ms
       design   mean    p50    p90    p99   max
       1        20.6   14.0   46.0   93.0   210
       2        20.6   14.0   46.0   93.0   210
       3        20.6   14.0   46.0   93.0   210
       4        20.6   14.0   46.0   93.0   210

    Latency of a step (from its intended start to its final answer), ms
       design   mean    p50    p90   p99     max
       1        20.6   14.0   46.0   104   1,210
       2        20.6   14.0   46.0   104   1,210
       3        20.6   14.0   46.0   104   1,210
       4        20.6   14.0   46.0   104   1,210

    Lost carts by cause
       design   split   wiped
       1        2,260      73
       2            0      49
       3            0       0
       4            0       0

    Load of the servers, by busy time
       design   busiest x mean   worst 1 s   variation   Jain's index   new one fair after s
       1                  1.02        1.30       0.020           1.00                      –
       2                  1.09        1.30       0.020           1.00                      –
       3                  1.02        1.30       0.020           1.00                      –
       4                  1.02        1.30       0.020           1.00                      –

    Requests served, and share of the time that workers were busy
       design       server-1       server-2       server-3
       1        6,442 (26 %)   6,442 (25 %)   6,442 (24 %)
       2        6,442 (27 %)   6,442 (25 %)   6,442 (24 %)
       3        6,442 (26 %)   6,442 (25 %)   6,442 (24 %)
       4        6,442 (26 %)   6,442 (25 %)   6,442 (24 %)

    Faults
       design     at   what        carts open   of these lost
       1        0:30   the crash          148              73
       2        0:30   the crash          148              49
       3        0:30   the crash          148               0
       4        0:30   the crash          148               0

    Lesson  Sticky sessions did not remove the danger: they moved it to the day the server dies.
    Next    whatcart run deploy-drain
    ");
}

#[test]
fn losses_are_red_and_zero_is_green() {
    let text = render(&sticky_crash(), &Look { quiet: true, ..Look::default() });
    let sticky = text.lines().find(|line| line.contains("sticky")).expect("a row");
    assert!(sticky.contains("\u{1b}[1m\u{1b}[91m49"), "{sticky:?}");
    let store = text.lines().find(|line| line.contains("store calls")).expect("a row");
    assert!(store.contains("\u{1b}[32m0"), "{store:?}");
}

#[test]
fn named_columns_are_shown_as_named() {
    let mut report = sticky_crash();
    report.scenario.columns = ["price", "lost_by.wiped", "busy", "latency", "lost"].map(String::from).into();
    insta::assert_snapshot!(plain(&render(&report, &Look { quiet: true, ..Look::default() })), @r"
                                    price               lost by   busy, server   median    carts lost
       design                       per request           wiped      by server   a step      of 2,416
    1  round robin, server memory   –                        73     26/25/24 %    14 ms   2,333  97 %
    2  sticky, server memory        –                        49     27/25/24 %    14 ms      49   2 %
    3  round robin, signed token    210 bytes carried         0     26/25/24 %    14 ms       0
    4  round robin, shared store    0.63 store calls          0     26/25/24 %    14 ms       0
    ");
}

/// And `whatcart explain` knows its head exactly as it is printed, after one run and after several.
#[test]
fn every_name_makes_a_column() {
    for mut report in [sticky_crash(), several_runs()] {
        let figures = &mut report.variants[0].runs[0].figures;
        figures.neighbours_latency_ms = Some(Latency::default());
        figures.deploys = [("the deploy", DeployFigures::default())].into_iter().collect();
        let summaries = Summary::all(&report.variants);
        for name in crate::results::expectations::COLUMNS {
            report.scenario.columns = vec![name.into()];
            let columns = columns::choose(&report, &summaries);
            assert_eq!(columns.iter().map(|column| &*column.name).collect::<Vec<_>>(), [name]);
            let (head, word) = (columns[0].head.join(" "), if name == "latency" { "median" } else { name });
            assert!(glossary::in_phrase(&head).iter().any(|known| glossary::find(word).contains(known)), "{head}");
        }
    }
}

#[test]
fn nothing_lost_nothing_shown() {
    let mut report = sticky_crash();
    report.variants.drain(..2);
    insta::assert_snapshot!(plain(&render(&report, &Look::default())), @r"
    sticky-crash     Sticky sessions keep every cart whole. What does one crash cost?
    300 users · 3 servers · open for 2 min · seed 1 · simulated
    0:30 server-2 crashes · 0:35 an empty server-2 replaces it

                                   price
       design                      per request
    3  round robin, signed token   210 bytes carried
    4  round robin, shared store   0.63 store calls
       No design lost a cart, of 2,416 opened in each.

    Lesson  Sticky sessions did not remove the danger: they moved it to the day the server dies.
    Next    whatcart run deploy-drain
    ");
}

#[test]
fn logins_lost_and_abandoned() {
    let mut report = sticky_crash();
    let text = "title = \"Who are you?\"\nduration = \"90s\"\nusers.rate = 20";
    report.scenario = scenario(text);
    report.variants.truncate(2);
    for variant in &mut report.variants {
        variant.scenario = report.scenario.clone();
        variant.runs[0].figures.faults.clear();
        variant.runs[0].strikes.clear();
        variant.runs[0].figures.lost_by = crate::results::LostBy::default();
        variant.runs[0].figures.carts.lost = 0;
    }
    let first = &mut report.variants[0].runs[0].figures;
    first.visits =
        crate::results::Visits { begun: 2_500, finished: 250, abandoned_logged_out: 2_250, ..Default::default() };
    first.carts = crate::results::Carts { opened: 900, intact: 250, abandoned: 650, ..Default::default() };
    first.logged_out = 14_004;
    first.step_latency_ms.as_mut().expect("steps").p50 = 91.0;
    let second = &mut report.variants[1].runs[0].figures;
    second.carts.open = 3;
    second.visits.abandoned_refused = 60;
    second.visits.abandoned_unknown = 40;
    insta::assert_snapshot!(plain(&render(&report, &Look::default())), @r"
    sticky-crash     Who are you?
    20 new visitors a second · 3 servers · open for 1 min 30 s · seed 1 · simulated

                                                    carts        visits  logged
                                        intact  abandoned  abandoned of     out  wrong views  busiest
       design                        of opened  of opened    all visits   times     of 2,416   x mean
    1  round robin, server memory    250  28 %  650  72 %   2,250  90 %  14,004  1,130  47 %     1.02
    2  sticky, server memory       2,367  98 %    0           100   4 %       0      0           1.09
       Those who gave up their visit in design 1 did so after being logged out. Those who gave up their
       visit in design 2 did so after refusals (60 %) or requests that failed or were never answered
       (40 %).
       Carts opened: 900 to 2,416. Whoever is held up, or gives up, comes back at other times.
       Still open at the end: 3 carts in design 2. What their users were waiting for is in no latency
       and no outcome. If they are not stuck, `closing` (1 min) is too short for these visits; raise it.
    ");
}

#[test]
fn interrupted_says_so() {
    let text = plain(&render(&cut_short(), &Look { details: true, ..Look::default() }));
    let (table, _) = text.split_once("\nRequests of users").expect("details");
    insta::assert_snapshot!(table, @r"
    Interrupted: 2 of 4 runs went to the end; only these count.
    sticky-crash     Sticky sessions keep every cart whole. What does one crash cost?
    300 users · 3 servers · open for 2 min · seed 1 · simulated
    0:30 server-2 crashes · 0:35 an empty server-2 replaces it

                                                             of those
                                                carts lost    open at  wrong views  price
       design                                     of 2,416  the crash     of 2,416  per request
    1  round robin, server memory              2,333  97 %   73  49 %  1,130  47 %  –
    2  sticky, server memory                       –          –            –        –
       cut short at 0:07, before the crash at
       0:30
    3  round robin, signed token                   0          0            0        210 bytes carried
    4  round robin, shared store                   –          –            –        –
       not begun
       Of design 1's losses 2,260 are split: their items sit in another server's memory; 73 are wiped:
       their last copy went with a server.
    ");
    let quiet = plain(&render(&cut_short(), &Look { quiet: true, ..Look::default() }));
    assert_eq!(quiet.lines().next(), text.lines().next());
    let mut several = several_runs();
    (several.runs, several.interrupted) = (1_000, true);
    several.variants[1].runs.pop();
    let text = plain(&render(&several, &Look::default()));
    let first = "Interrupted: 15 of 4,000 runs went to the end, 3 to 4 of 1,000 in each design; only these count.";
    assert_eq!(text.lines().next(), Some(first));
    assert!(text.contains("over 3 to 4 runs"), "{text}");
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let mut report = sticky_crash();
    let evil = "\u{1b}]0;owned\u{7}\r\n\u{202e}";
    report.name = evil.into();
    report.scenario.title = evil.into();
    report.scenario.lesson = evil.into();
    report.scenario.next = Some(evil.into());
    for variant in &mut report.variants {
        variant.name = evil.into();
        variant.scenario.faults[0].kind = Ok(FaultKind::Crash { server: evil.into(), comeback: None });
        variant.scenario.faults[0].name = Some(evil.into());
        let fault = variant.runs[0].figures.faults[0].clone();
        variant.runs[0].figures.faults = [(evil, fault)].into_iter().collect();
        variant.runs[0].strikes[0].name = evil.into();
    }
    let look = Look { details: true, next_title: Some(evil), ..Look::default() };
    let text = render(&report, &look);
    let codes = text.matches('\u{1b}').count();
    assert_eq!(codes, text.matches("\u{1b}[").count());
    assert!(!text.contains(['\u{7}', '\r', '\u{202e}']));
}

prop_compose! {
    fn any_figures()(
        counts in prop::collection::vec(0u64..3_000_000, 16),
        parts in prop::collection::vec(0.0f64..9_000.0, 8),
        servers in 0usize..8,
    ) -> Figures {
        let mut figures = Figures::default();
        [figures.carts.opened, figures.carts.intact, figures.carts.lost, figures.carts.overcharged] =
            [counts[0], counts[1], counts[2], counts[3]];
        [figures.carts.unknown, figures.carts.abandoned, figures.carts.open] = [counts[4], counts[5], counts[6]];
        [figures.lost_by.split, figures.lost_by.wiped, figures.lost_by.overwritten] = [counts[7], counts[8], counts[9]];
        [figures.visits.begun, figures.visits.abandoned_logged_out] = [counts[10], counts[11]];
        [figures.logged_out, figures.wrong_views, figures.views] = [counts[12], counts[13], counts[14]];
        [figures.impostors, figures.impostors_accepted] = [counts[15], counts[1] / 2];
        figures.step_latency_ms = Some(Latency { p50: parts[0] * 1e3, ..Latency::default() });
        figures.neighbours_latency_ms = Some(Latency { p50: parts[1], ..Latency::default() });
        figures.load.peak_to_mean = Some(parts[2] / 1e3);
        figures.load.per_server = vec![ServerLoad { busy: parts[3] / 9e3, ..ServerLoad::default() }; servers];
        figures.price.store_calls_per_request = Some(parts[4]);
        figures.price.bytes_carried_per_request = Some(parts[5] * 1e3);
        figures
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_table_fits(
        designs in prop::collection::vec(("[a-z ,é数]{0,70}", prop::collection::vec(any_figures(), 1..3)), 1..8),
        columns in prop::collection::vec(prop::sample::select(&crate::results::expectations::COLUMNS[..]), 0..9),
        details: bool,
        title in ".{0,200}",
        columns_of_page in 60usize..200,
    ) {
        let mut report = sticky_crash();
        report.scenario.columns = columns.into_iter().map(String::from).collect();
        report.scenario.title = title;
        let template = report.variants[0].clone();
        report.variants = designs.into_iter().map(|(name, runs)| {
            let mut variant = template.clone();
            variant.name = name;
            let run = variant.runs[0].clone();
            variant.runs = (1..).zip(runs).map(|(seed, figures)| {
                crate::results::RunReport { seed, figures, ..run.clone() }
            }).collect();
            variant
        }).collect();
        let look = Look { details, page: Page::of(columns_of_page), ..Look::default() };
        let text = plain(&render(&report, &look));
        for line in text.lines() {
            prop_assert!(width(line) <= columns_of_page, "{} columns: {line}", width(line));
        }
        prop_assert!(!text.contains('…') || report.scenario.title.contains('…'), "{text}");
    }
}
