use super::*;
use crate::base::seed::Seed;
use crate::base::{ProcessId, ServerState};
use crate::operations::carry_out::{Task, carry_out};
use crate::operations::faults::FaultKind;
use crate::scenario::{CookieLife, Pause, Strategy, Time, Whole};

/// A pool in which processes boot in 10 s and pass their checks 2 s later; cookies bind the given numbers of users.
struct Town {
    pool: Pool,
    operator: Operator,
    now: Instant,
    /// When each process will be up, and believed to be up.
    booting: Vec<(Instant, ServerId, ProcessId)>,
    proving: Vec<(Instant, ServerId)>,
    bound: Vec<u32>,
    log: Vec<String>,
    most: usize,
    fewest_ready: usize,
}

impl Town {
    fn new(bound: u32) -> Town {
        let mut scenario = Scenario::house();
        if bound > 0 {
            scenario.balancer.affinity = Affinity::Cookie(CookieLife::Visit);
        }
        Town {
            pool: Pool::new(&scenario, Seed(1)),
            operator: Operator::new(&scenario),
            now: Instant::ZERO,
            booting: Vec::new(),
            proving: Vec::new(),
            bound: vec![bound; 20],
            log: Vec::new(),
            most: 3,
            fewest_ready: 3,
        }
    }

    /// Carries out plans for a number of seconds, second by second.
    fn play(&mut self, plans: &[FaultKind], seconds: u64) -> String {
        for (fault, kind) in (0..).zip(plans) {
            assert!(self.operator.plan(fault, *kind));
        }
        for _ in 0..seconds {
            self.obey();
            self.now = self.now + Span::from_secs(1);
            self.boot();
        }
        std::mem::take(&mut self.log).join("; ")
    }

    fn obey(&mut self) {
        while let Some(action) = self.operator.next(self.now, &self.pool, &mut |server| self.bound[server.index()]) {
            let task = carry_out(&mut self.pool, action).task;
            if let Some(Task::OpenSlot { server, process } | Task::StartProcess { server, process, .. }) = task {
                self.booting.push((self.now + Span::from_secs(10), server, process));
            }
            let said = match (action, task) {
                (Action::Begin { .. }, _) => "begin".into(),
                (_, Some(Task::OpenSlot { server, .. })) => format!("launch {server}"),
                (Action::Admit(server), _) => format!("admit {server}"),
                (Action::Drain { server, .. }, _) => format!("drain {server}"),
                (Action::Close(server), _) => format!("close {server}"),
                (Action::Learn(server), _) => format!("learn {server}"),
                (Action::Stop { server, bound, .. }, _) => {
                    self.bound[server.index()] = 0;
                    format!("stop {server} ({bound})")
                }
                (Action::Decommission(server), _) => {
                    // The checks will detect it.
                    (0..3).for_each(|_| _ = self.pool.checked(server, false));
                    continue;
                }
                (Action::Finished(_), _) => "finished".into(),
                (Action::Launch { .. } | Action::Boot { .. } | Action::Retire(_), _) => continue,
            };
            self.log.push(format!("{} {said}", self.now.since_start().as_nanos() / 1_000_000_000));
            self.most = self.most.max(self.pool.present().count());
            let ready = self.pool.present().filter(|server| self.serves_all(*server)).count();
            self.fewest_ready = self.fewest_ready.min(ready);
        }
    }

    /// Whether new users are sent there and are served.
    fn serves_all(&self, server: ServerId) -> bool {
        self.pool.members[server.index()].state == ServerState::Up && self.pool.view.eligible[server.index()]
    }

    fn boot(&mut self) {
        let now = self.now;
        let Town { pool, booting, proving, .. } = self;
        booting.retain(|(at, server, process)| {
            let done = *at <= now;
            if done && pool.booted(*server, *process) {
                proving.push((now + Span::from_secs(2), *server));
            }
            !done
        });
        proving.retain(|(at, server)| {
            let done = *at <= now;
            let checks = if done { 2 } else { 0 };
            (0..checks).for_each(|_| _ = pool.checked(*server, true));
            !done
        });
    }
}

fn secs(seconds: u64) -> Pause {
    Time::of(Span::from_secs(seconds))
}

fn deploy(strategy: Strategy, drain: u64, surge: u64, unavailable: u64) -> FaultKind {
    deploy_with(strategy, secs(drain).into(), surge, unavailable)
}

fn deploy_with(strategy: Strategy, drain: Drain, surge: u64, unavailable: u64) -> FaultKind {
    FaultKind::Deploy(Deploy {
        strategy,
        drain,
        surge: Whole::new(surge),
        unavailable: Whole::new(unavailable),
        in_place: false,
    })
}

fn scale(to: u64, drain: u64, first: First) -> FaultKind {
    let to = Whole::new(to).expect("few");
    FaultKind::Scale(Scale { to, drain: secs(drain).into(), first })
}

#[test]
fn a_rolling_deploy_replaces_one_after_another() {
    let mut town = Town::new(5);
    assert_eq!(
        town.play(&[deploy(Strategy::Rolling, 0, 0, 1)], 60),
        "0 begin; 0 stop server-1 (5); 10 stop server-2 (5); 20 stop server-3 (5); 30 finished"
    );
    assert_eq!((town.most, town.fewest_ready), (3, 2));
    assert!(town.pool.members.iter().all(|member| member.host == 2));
    assert!(!town.operator.is_busy());
}

#[test]
fn drained_servers_leave_when_nobody_needs_them_or_their_time_is_over() {
    let mut town = Town::new(5);
    town.bound[1] = 0;
    assert_eq!(
        town.play(&[deploy(Strategy::Rolling, 30, 0, 1)], 200),
        "0 begin; 0 drain server-1; 30 stop server-1 (5); 42 drain server-2; 42 stop server-2 (0); \
         54 drain server-3; 84 stop server-3 (5); 96 finished"
    );
}

fn for_requests(timeout: u64, pre_stop: u64, learns_after: u64) -> Drain {
    let [timeout, pre_stop, learns_after] = [timeout, pre_stop, learns_after].map(secs);
    Drain { timeout, waits_for: DrainFor::Requests, pre_stop, learns_after }
}

#[test]
fn a_drain_for_requests_waits_for_no_user() {
    let mut town = Town::new(5);
    town.pool.sent(ServerId(1), false);
    assert_eq!(
        town.play(&[deploy_with(Strategy::Rolling, for_requests(30, 0, 0), 0, 1)], 200),
        "0 begin; 0 drain server-1; 0 close server-1; 0 stop server-1 (5); \
         12 drain server-2; 12 close server-2; 42 stop server-2 (5); \
         54 drain server-3; 54 close server-3; 54 stop server-3 (5); 66 finished"
    );
}

/// The server is told at once; the balancer learns of it when the endpoints have propagated.
#[test]
fn a_server_may_stop_before_the_balancer_knows() {
    let rolling = |pre_stop| deploy_with(Strategy::Rolling, for_requests(30, pre_stop, 3), 1, 0);
    let first = |pre_stop| Town::new(0).play(&[rolling(pre_stop)], 20);
    assert_eq!(
        first(1),
        "0 begin; 0 launch server-4; 13 close server-1; 13 stop server-1 (0); 13 launch server-5; 15 learn server-1"
    );
    assert_eq!(
        first(5),
        "0 begin; 0 launch server-4; 15 drain server-1; 17 close server-1; 17 stop server-1 (0); 17 launch server-5"
    );
}

#[test]
fn a_surge_keeps_all_servers_ready() {
    let mut town = Town::new(0);
    assert_eq!(
        town.play(&[deploy(Strategy::Rolling, 30, 1, 0)], 60),
        "0 begin; 0 launch server-4; 12 drain server-1; 12 stop server-1 (0); 12 launch server-5; \
         24 drain server-2; 24 stop server-2 (0); 24 launch server-6; 36 drain server-3; 36 stop server-3 (0); 36 finished"
    );
    assert_eq!((town.most, town.fewest_ready), (4, 3));
    assert_eq!(town.pool.present().collect::<Vec<_>>(), [ServerId(3), ServerId(4), ServerId(5)]);
}

#[test]
fn blue_green_switches_when_the_second_pool_is_ready() {
    let mut town = Town::new(5);
    assert_eq!(
        town.play(&[deploy(Strategy::BlueGreen, 60, 0, 0)], 100),
        "0 begin; 0 launch server-4; 0 launch server-5; 0 launch server-6; 12 admit server-4; 12 admit server-5; \
         12 admit server-6; 12 drain server-1; 12 drain server-2; 12 drain server-3; \
         72 stop server-1 (5); 72 stop server-2 (5); 72 stop server-3 (5); 72 finished"
    );
    assert_eq!(town.most, 6);
}

#[test]
fn all_at_once_is_all_at_once() {
    let mut town = Town::new(0);
    assert_eq!(
        town.play(&[deploy(Strategy::AllAtOnce, 0, 0, 0)], 60),
        "0 begin; 0 stop server-1 (0); 0 stop server-2 (0); 0 stop server-3 (0); 10 finished"
    );
}

#[test]
fn the_dead_are_replaced_first() {
    let mut town = Town::new(0);
    town.pool.kill(ServerId(2), 9, FaultKind::Crash { server: ServerId(2), comeback: None });
    let told = town.play(&[deploy(Strategy::Rolling, 0, 0, 1)], 60);
    assert_eq!(told, "0 begin; 0 stop server-3 (0); 10 stop server-1 (0); 20 stop server-2 (0); 30 finished");
}

#[test]
fn the_pool_grows_and_shrinks() {
    let mut town = Town::new(3);
    assert_eq!(town.play(&[scale(5, 0, First::Newest)], 20), "0 begin; 0 launch server-4; 0 launch server-5");
    assert_eq!(town.play(&[scale(3, 0, First::Newest)], 1), "20 begin; 20 stop server-5 (3); 20 stop server-4 (3)");
    assert_eq!(
        town.play(&[scale(1, 5, First::Oldest)], 10),
        "21 begin; 21 drain server-1; 21 drain server-2; \
        26 stop server-1 (3); 26 stop server-2 (3)"
    );
    assert_eq!(town.pool.present().collect::<Vec<_>>(), [ServerId(2)]);
    assert_eq!(town.play(&[scale(2, 0, First::Newest)], 1), "31 begin; 31 launch server-6");
}

#[test]
fn a_plan_waits_for_the_deploy_before_it() {
    let mut town = Town::new(0);
    let plans = [deploy(Strategy::AllAtOnce, 0, 0, 0), scale(1, 0, First::Newest), deploy(Strategy::Rolling, 0, 0, 1)];
    assert_eq!(
        town.play(&plans, 40),
        "0 begin; 0 stop server-1 (0); 0 stop server-2 (0); 0 stop server-3 (0); 10 finished; \
         10 begin; 10 stop server-3 (0); 10 stop server-2 (0); 10 begin; 10 stop server-1 (0); 20 finished"
    );
}

/// Servers that never boot: the deploy does not finish, and asks for nothing more.
#[test]
fn a_deploy_may_never_end() {
    let mut town = Town::new(0);
    town.operator.plan(0, deploy(Strategy::Rolling, 0, 1, 0));
    for _ in 0..100 {
        town.obey();
        town.now = town.now + Span::from_secs(1);
    }
    assert_eq!(town.log, ["0 begin", "0 launch server-4"]);
    assert!(town.operator.is_busy());
}
