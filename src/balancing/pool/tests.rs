use super::*;

fn rules() -> HealthRules {
    HealthRules::new(&scenario::Health::default())
}

#[test]
fn three_failures_down_two_successes_up() {
    let mut health = Health::new(Span::ZERO);
    let told: Vec<_> = [false, false, true, false, false, false, true, false, true, true]
        .map(|passed| health.check(passed, &rules()))
        .into();
    let want = [None, None, None, None, None, Some(false), None, None, None, Some(true)];
    assert_eq!(told, want);
}

const SECOND: ServerId = ServerId(1);

fn pool() -> Pool {
    Pool::new(&Scenario::house(), Seed(1))
}

fn both(pool: &Pool) -> (ServerState, ServerState) {
    (pool.members[1].state, pool.view.states[1])
}

/// Runs up to `most` health checks of the second server, as long as any are needed.
fn play_checks(pool: &mut Pool, most: usize) {
    for _ in 0..most {
        let Some(at) = pool.watch(SECOND, Instant::ZERO) else { return };
        let (passed, _) = pool.check(SECOND, at);
        pool.checked(SECOND, passed);
    }
}

#[test]
fn a_drained_server_runs_without_new_users() {
    use ServerState::{Draining, Up};
    let mut pool = pool();
    assert!(!pool.end_drain(SECOND));
    assert!(pool.drain(SECOND, DrainFor::BoundUsers) && !pool.drain(SECOND, DrainFor::BoundUsers));
    assert_eq!(both(&pool), (Draining, Draining));
    assert_eq!(pool.view.up, [ServerId(0), ServerId(2)]);
    assert_eq!(pool.watch(SECOND, Instant::ZERO), None, "checks pass as before");
    assert_eq!(pool.check(SECOND, Instant::ZERO), (true, Instant::ZERO));
    assert_eq!(pool.checked(SECOND, true), None);
    assert_eq!(both(&pool), (Draining, Draining));
    assert!(pool.end_drain(SECOND) && !pool.end_drain(SECOND));
    assert_eq!(both(&pool), (Up, Up));
    assert!(pool.view.eligible[1]);
}

#[test]
fn a_drained_server_can_die_and_comes_back_drained() {
    use ServerState::{Down, Draining, Up};
    let back = Comeback { after: Span::ZERO, new_host: true };
    let mut pool = pool();
    pool.drain(SECOND, DrainFor::BoundUsers);
    assert!(pool.kill(SECOND, 0, FaultKind::Crash { server: SECOND, comeback: Some(back) }));
    assert_eq!(both(&pool), (Down, Draining), "the balancer does not know yet");
    play_checks(&mut pool, 10);
    assert_eq!(both(&pool), (Down, Down));
    pool.revive(SECOND, back);
    play_checks(&mut pool, 10);
    assert_eq!(both(&pool), (Draining, Draining), "it has risen, and nobody new goes there");
    assert!(!pool.view.eligible[1]);
    pool.end_drain(SECOND);
    assert_eq!(both(&pool), (Up, Up));
}

#[test]
fn the_end_of_a_drain_revives_nobody() {
    use ServerState::{Down, Up};
    let back = Comeback { after: Span::ZERO, new_host: false };
    let mut pool = pool();
    pool.drain(SECOND, DrainFor::BoundUsers);
    pool.kill(SECOND, 0, FaultKind::Crash { server: SECOND, comeback: None });
    pool.end_drain(SECOND);
    assert_eq!(both(&pool), (Down, Up), "as after any death that no check has noticed");
    play_checks(&mut pool, 10);
    pool.drain(SECOND, DrainFor::BoundUsers);
    pool.end_drain(SECOND);
    assert_eq!(both(&pool), (Down, Down));
    pool.revive(SECOND, back);
    play_checks(&mut pool, 10);
    assert_eq!(both(&pool), (Up, Up));
}

#[test]
fn a_check_that_timed_out_is_followed_at_once_if_that_is_in_phase() {
    let (phase, began) = (Span::from_millis(500), Instant::ZERO + Span::from_millis(500));
    let after = |took, timed_out| {
        let next = rules().check_after(phase, began + Span::from_millis(took), timed_out);
        (next - began).as_nanos() / 1_000_000
    };
    assert_eq!([after(0, false), after(500, true)], [2_000, 2_000]);
    assert_eq!([after(2_000, true), after(2_000, false)], [2_000, 4_000]);
    assert_eq!(after(5_000, true), 6_000, "checks of one server do not overlap");
}

#[test]
fn checks_keep_their_phase() {
    let phase = Span::from_millis(500);
    let at = |ms| Instant::ZERO + Span::from_millis(ms);
    for (now, next) in [(0, 500), (499, 500), (500, 2_500), (2_499, 2_500), (30_000, 30_500)] {
        assert_eq!(rules().next_check(phase, at(now)), at(next), "after {now} ms");
    }
}

const NEW: ServerId = ServerId(3);

#[test]
fn an_added_server_boots_and_has_to_rise() {
    use ServerState::{Booting, Up};
    let mut pool = pool();
    assert_eq!(pool.add(2), NEW);
    let process = pool.members[3].process;
    assert_eq!((pool.members[3].state, pool.view.states[3], pool.view.weights[3]), (Booting, Booting, 2));
    assert_eq!(pool.watch(NEW, Instant::ZERO), None, "nobody expects it to be up yet");
    assert!(pool.booted(NEW, process) && !pool.booted(NEW, process));
    let first = pool.watch(NEW, Instant::ZERO).expect("it is looked at now");
    assert_eq!(pool.check(NEW, first), (true, first));
    assert_eq!(pool.checked(NEW, true), None, "once is not enough");
    assert!(!pool.view.eligible[3] && !pool.is_ready(NEW));
    assert_eq!(pool.checked(NEW, true), Some(true));
    assert_eq!((pool.view.states[3], pool.view.up.len()), (Up, 4));
    assert!(pool.is_ready(NEW) && pool.members[3].state == Up && pool.view.eligible[3]);
}

#[test]
fn one_that_is_held_back_is_checked_and_not_used() {
    use ServerState::{Booting, Up};
    let mut pool = pool();
    pool.add(1);
    pool.hold_back(NEW);
    pool.booted(NEW, pool.members[3].process);
    assert_eq!((pool.members[3].state, pool.as_planned(NEW)), (Up, Booting));
    pool.checked(NEW, true);
    assert_eq!(pool.checked(NEW, true), Some(true));
    assert!(pool.is_ready(NEW) && !pool.view.eligible[3]);
    pool.admit(NEW);
    assert!(pool.view.eligible[3]);
    assert_eq!(pool.as_planned(NEW), Up);
}

#[test]
fn a_server_that_is_stopped_boots_again_or_is_gone_for_good() {
    use ServerState::{Down, Retired, Up};
    let mut pool = pool();
    assert!(pool.stop(SECOND, 7), "nobody told the balancer");
    assert_eq!(both(&pool), (Down, Up));
    assert!(!pool.stop(SECOND, 8));
    assert_eq!(pool.processes[1].killed_by, Some(7), "it died once");
    let process = pool.boot(SECOND, true);
    assert_eq!(
        (pool.members[1].host, pool.booted(SECOND, ProcessId(1)), pool.booted(SECOND, process)),
        (2, false, true)
    );
    assert!(pool.drain(SECOND, DrainFor::BoundUsers) && pool.stop(SECOND, 9));
    assert_eq!(both(&pool), (Down, Down), "the balancer was told when its users were sent away");
    pool.retire(SECOND);
    assert_eq!(both(&pool), (Retired, Retired));
    assert_eq!((pool.watch(SECOND, Instant::ZERO), pool.checked(SECOND, true)), (None, None));
    assert_eq!(pool.present().collect::<Vec<_>>(), [ServerId(0), ServerId(2)]);
}

#[test]
fn a_server_that_is_cut_off_is_silent_and_keeps_its_memory() {
    use ServerState::{Draining, Silent, Up};
    let mut pool = pool();
    let process = pool.members[1].process;
    assert!(pool.isolate(SECOND, 4) && !pool.isolate(SECOND, 5), "nobody reaches it to cut it off again");
    assert!(pool.is_isolated(SECOND) && pool.has_isolated() && !pool.is_within_reach(SECOND));
    assert_eq!((both(&pool).0, pool.lives_on(process)), (Silent, true));
    pool.drain(SECOND, DrainFor::BoundUsers);
    assert!(!pool.reconnect(SECOND, 5), "another fault's end is not its return");
    assert!(pool.reconnect(SECOND, 4) && !pool.has_isolated());
    assert_eq!((both(&pool).0, pool.members[1].process), (Draining, process));
    pool.end_drain(SECOND);
    pool.isolate(SECOND, 6);
    assert!(
        pool.kill(SECOND, 7, FaultKind::Crash { server: SECOND, comeback: None }) && !pool.reconnect(SECOND, 6),
        "the dead do not return"
    );
    assert!(!pool.lives_on(process));
    pool.revive(SECOND, Comeback { after: Span::ZERO, new_host: false });
    assert_eq!(both(&pool).0, Up);
    pool.isolate(SECOND, 8);
    assert!(pool.stop(SECOND, 9), "its process lived");
    assert!(!pool.reconnect(SECOND, 8) && !pool.stop(SECOND, 10));
}

/// A server that leaves gets no requests once the balancer knows, and takes none once it closes.
#[test]
fn a_server_that_leaves() {
    let mut pool = pool();
    assert!(pool.drain(SECOND, DrainFor::Requests));
    assert_eq!(both(&pool), (ServerState::Draining, ServerState::Terminating), "it still serves");
    assert_eq!(pool.as_planned(SECOND), ServerState::Terminating);
    assert!(pool.close(SECOND) && !pool.close(SECOND));
    assert_eq!(both(&pool), (ServerState::Terminating, ServerState::Terminating));
    assert!(pool.stop(SECOND, 9) && !pool.passes_checks(SECOND));
    assert!(!pool.learn_of_end(SECOND), "it knows");
}

/// The other order: what has closed, and then ended, is believed to be up until the balancer learns of it.
#[test]
fn a_server_that_left_unnoticed() {
    let mut pool = pool();
    assert!(pool.close(SECOND));
    assert_eq!(pool.view.states[SECOND.index()], ServerState::Up);
    assert!(pool.stop(SECOND, 9) && pool.passes_checks(SECOND));
    pool.boot(SECOND, true);
    assert!(pool.learn_of_end(SECOND) && !pool.learn_of_end(SECOND));
    assert_eq!(pool.view.states[SECOND.index()], ServerState::Down);
}
