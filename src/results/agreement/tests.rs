use super::*;
use crate::results::{Carts, FaultFigures, Keyed, LostBy, Price, Requests, Visits};

/// A run in which a crash wipes this many of 1,000 carts.
fn run(wiped: u64) -> Figures {
    let fault = FaultFigures { open_carts: 100, lost_of_open: wiped, ..FaultFigures::default() };
    Figures {
        carts: Carts { opened: 1_000, lost: wiped, intact: 1_000 - wiped, ..Carts::default() },
        lost_by: LostBy { wiped, ..LostBy::default() },
        visits: Visits { begun: 1_000, finished: 1_000, ..Visits::default() },
        requests: Requests { sent: 8_000, ok: 8_000, ..Requests::default() },
        views: 1_000,
        faults: [("the crash", fault)].into_iter().collect(),
        ..Figures::default()
    }
}

/// Compares simulations with these numbers of wiped carts with real runs with those.
fn wiped(simulated: &[u64], executed: &[u64]) -> Agreement {
    let predicted: Vec<Figures> = simulated.iter().copied().map(run).collect();
    let executed: Vec<Figures> = executed.iter().copied().map(run).collect();
    against(&predicted, &executed)
}

fn against(predicted: &[Figures], executed: &[Figures]) -> Agreement {
    judge(&[Trial { predicted, executed: executed.iter().collect(), service_ms: 20.0, speed: 6.0 }])
}

fn of<'a>(agreement: &'a Agreement, figure: &str) -> &'a Judgement {
    agreement.variants[0].iter().find(|one| one.figure == figure).expect(figure)
}

#[test]
fn impossible_certain_possible() {
    use Conformity::{Agrees, Differs, NotJudged};
    use Predicted::{Certain, Impossible, Possible};
    let cases: [(&[u64], &[u64], Predicted, Conformity); 9] = [
        (&[0, 0, 0], &[0], Impossible, Agrees),
        (&[0, 0, 0], &[1], Impossible, Differs),
        (&[0, 0, 0], &[0, 0, 1], Impossible, Differs),
        (&[10, 12, 14], &[11], Certain, Agrees),
        (&[10, 12, 14], &[1], Certain, Agrees),
        (&[10, 12, 14], &[0], Certain, Differs),
        (&[10, 12, 14], &[11, 0], Certain, Differs),
        (&[9, 12, 14], &[0], Possible, NotJudged),
        (&[0, 0, 1], &[9], Possible, NotJudged),
    ];
    for (simulated, executed, predicted, verdict) in cases {
        let agreement = wiped(simulated, executed);
        let one = of(&agreement, "lost_by.wiped");
        assert_eq!((one.predicted, one.verdict), (predicted, verdict), "{simulated:?} {executed:?}");
    }
}

#[test]
fn every_figure_is_judged_once() {
    let agreement =
        judge(&[Trial { predicted: &[run(9), run(7)], executed: vec![&run(8)], service_ms: 20.0, speed: 1.0 }]);
    let mut figures: Vec<&str> = agreement.variants[0].iter().map(|one| &*one.figure).collect();
    let all = figures.len();
    figures.sort_unstable();
    figures.dedup();
    assert_eq!(figures.len(), all);
}

/// Three simulations allow little precision, and the interval shows that; it remains a valid share.
#[test]
fn an_interval_is_a_share_and_holds_what_was_seen() {
    let agreement = wiped(&[1, 2, 40], &[30]);
    let one = of(&agreement, "faults.\"the crash\".lost_of_open / open_carts");
    assert_eq!(one.verdict, Conformity::Agrees);
    assert!(one.low >= 0.0 && one.low <= 0.01 && one.high >= 0.4 && one.high <= 1.0, "{one:?}");
    assert!((one.mean - 0.43 / 3.0).abs() < 1e-12);
}

/// An event that occurs once or twice in few seeds may occur a few more times, but not many.
#[test]
fn few_cases_have_a_grace() {
    let mut simulated = [0; 100];
    simulated[7] = 1;
    simulated[70] = 1;
    assert!(wiped(&simulated, &[4]).agrees());
    assert!(!wiped(&simulated, &[5]).agrees());
}

/// A value that is the same in all simulations must recur, to the precision with which it is printed.
#[test]
fn no_spread_no_interval() {
    let carrying =
        |bytes: f64| Figures { price: Price { bytes_carried_per_request: Some(bytes), ..Price::default() }, ..run(0) };
    let predicted = [carrying(155.1), carrying(155.1), carrying(155.1)];
    assert!(
        against(&predicted, &[carrying(155.1 + 1e-9)]).agrees() && against(&predicted, &[carrying(155.15)]).agrees()
    );
    assert!(!against(&predicted, &[carrying(155.2)]).agrees());
    let all = wiped(&[100, 100, 100], &[100]);
    let one = of(&all, "faults.\"the crash\".lost_of_open / open_carts");
    assert_eq!((one.low.to_bits(), one.high.to_bits()), (1.0f64.to_bits(), 1.0f64.to_bits()));
    assert!(!wiped(&[100, 100, 100], &[99]).agrees());
}

/// Without cases no rate is judged, but the absence of cases is.
#[test]
fn a_share_of_nothing_is_not_judged() {
    let none = Figures { faults: Keyed::default(), ..run(12) };
    let agreement = against(&[run(12), run(13)], std::slice::from_ref(&none));
    assert!(agreement.variants[0].iter().all(|one| one.figure != "faults.\"the crash\".lost_of_open / open_carts"));
    assert_eq!(of(&agreement, "faults.open_carts").verdict, Conformity::Differs);
    let agreement = against(&[none.clone(), none], &[run(12)]);
    assert_eq!(of(&agreement, "faults.open_carts").verdict, Conformity::Differs);
}

/// The mean of several real runs varies less, and is judged by a narrower interval.
#[test]
fn several_real_runs_are_judged_by_their_mean() {
    let simulated: Vec<u64> = (0..100).map(|i| 40 + i % 21).collect();
    assert!(wiped(&simulated, &[66]).agrees());
    let many = wiped(&simulated, &[66; 20]);
    let one = of(&many, "carts.lost / carts.opened");
    let single = wiped(&simulated, &[66]);
    assert!(one.high < of(&single, "carts.lost / carts.opened").high);
    assert_eq!(one.verdict, Conformity::Differs);
}

/// The more rates are judged, the wider each interval: the confidence level is joint.
#[test]
fn judging_more_widens_each() {
    let predicted: Vec<Figures> = (0..50).map(|i| run(40 + i % 11)).collect();
    let executed = run(45);
    let trial = || Trial { predicted: &predicted, executed: vec![&executed], service_ms: 20.0, speed: 6.0 };
    let high = |agreement: &Agreement| of(agreement, "carts.lost / carts.opened").high;
    let (one, ten) = (judge(&[trial()]), judge(&vec![trial(); 10]));
    assert!(high(&ten) > high(&one));
    assert_eq!(ten.judged(), 10 * one.judged());
    assert!((one.service_ms - 20.0 / 6.0).abs() < 1e-12 && !one.timed());
}

#[test]
fn many_faults_are_one_rate() {
    let often = |wiped: u64| Figures {
        faults: ["a", "b", "c"].map(|name| (name, run(wiped).faults[0].clone())).into_iter().collect(),
        ..run(wiped)
    };
    let agreement = against(&[often(10), often(12)], &[often(11)]);
    let one = of(&agreement, "faults lost_of_open / open_carts");
    assert!((one.observed - 0.11).abs() < 1e-12);
}

#[test]
fn nothing_to_compare_is_no_panic() {
    assert!(judge(&[]).agrees());
    let agreement = judge(&[Trial { predicted: &[], executed: vec![&run(1)], service_ms: 20.0, speed: 1.0 }]);
    assert_eq!((agreement.judged(), agreement.simulations), (0, 0));
}
