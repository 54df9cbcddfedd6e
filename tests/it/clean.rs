//! A correct shop is never accused, whatever is delayed, dropped, refused, retried or done after its user has gone.

use proptest::strategy::Strategy as _;
use whatcart::base::{Command, Outcome};
use whatcart::history::{Event, EventKind, Seen};
use whatcart::judging::checker::{CartVerdict, Checker, Finding};

use crate::support::histories::{Rules, moves, play};
use crate::support::{for_all, told_as_lines};

fn no_alarm(events: &[Event]) -> Result<(), String> {
    let mut checker = Checker::new();
    for event in events {
        let EventKind::Seen(visit, seen) = event.what else { continue };
        let finding = checker.observe(visit, &seen);
        let alarm = matches!(
            finding,
            Some(
                Finding::WrongView
                    | Finding::Impostor
                    | Finding::Cart(CartVerdict::Lost(_) | CartVerdict::Overcharged(_))
            )
        );
        if alarm {
            return Err(format!("a correct shop was accused: {finding:?} at {}", event.at.as_nanos()));
        }
    }
    let counts = checker.counts();
    if counts.ghosts + counts.double_charges > 0 {
        return Err(format!("a correct shop was accused: {counts:?}"));
    }
    Ok(())
}

fn never_accused(cases: u32, tangled: bool) {
    let rules = Rules { tangled, lies: false };
    let show = |moves: &Vec<_>| told_as_lines(&play(moves, rules));
    for_all(cases, &moves(150), show, |moves| no_alarm(&play(moves, rules)));
}

#[test]
fn orderly_shoppers_accuse_nobody() {
    never_accused(1_500, false);
}

#[test]
fn shoppers_with_tangled_requests_accuse_nobody() {
    never_accused(1_500, true);
}

/// The histories are not so tame that nothing could go wrong in them.
#[test]
fn the_histories_are_wild_enough() {
    let mut seen = [0u32; 6];
    let strategy = moves(150).prop_map(|moves| play(&moves, Rules { tangled: true, lies: false }));
    let count = std::cell::RefCell::new(&mut seen);
    for_all(
        300,
        &strategy,
        |_| String::new(),
        |events| {
            let mut count = count.borrow_mut();
            let mut checker = Checker::new();
            let mut out = 0i32;
            for event in events {
                event_counts(event, &mut out, *count);
                if let EventKind::Seen(visit, what) = event.what {
                    let intact = checker.observe(visit, &what) == Some(Finding::Cart(CartVerdict::Intact));
                    count[5] += u32::from(intact);
                }
            }
            Ok(())
        },
    );
    assert!(seen.iter().all(|n| *n > 100), "{seen:?}");
}

fn event_counts(event: &Event, out: &mut i32, count: &mut [u32; 6]) {
    match event.what {
        EventKind::Seen(_, Seen::Sent(_)) => *out += 1,
        EventKind::Seen(_, Seen::Told { request, outcome, .. }) => {
            *out -= 1;
            count[0] += u32::from(*out > 4);
            count[1] += u32::from(outcome.is_unknown());
            count[2] += u32::from(matches!(outcome, Outcome::Refused(_)));
            count[3] += u32::from(request.command == Command::Checkout && outcome.is_unknown());
            count[4] += u32::from(matches!(request.command, Command::Remove(_)));
        }
        _ => {}
    }
}
