//! Random faults, drawn in advance. Each process depends only on time and the seed, not on what happens during the run.
//! The pool sees to it that a server which is down cannot die again.

use super::{Comeback, Fault, FaultKind, of_processes};
use crate::base::ServerId;
use crate::base::seed::{Draw, Key, Purpose, Seed};
use crate::base::time::{Instant, Span};
use crate::scenario::{Dist, How, RandomFaults, Scenario};

/// The random faults of a run: process by process, each in order of time.
pub(super) fn faults(scenario: &Scenario, seed: Seed) -> Vec<Fault> {
    let mut faults = Vec::new();
    let names = of_processes(scenario);
    for ((number, rule), name) in (0u16..).zip(&scenario.random_faults).zip(&names) {
        let process = Process { rule, name, number, scenario, seed };
        match (&process.rule.every, &process.rule.mtbf) {
            (Some(every), _) => process.strike(every, None, &mut faults),
            (None, Some(mtbf)) => {
                for server in (0..scenario.servers.count.get32()).map(ServerId) {
                    process.strike(mtbf, Some(server), &mut faults);
                }
            }
            (None, None) => {}
        }
    }
    faults
}

struct Process<'a> {
    rule: &'a RandomFaults,
    name: &'a str,
    number: u16,
    scenario: &'a Scenario,
    seed: Seed,
}

/// The key of a process that strikes any server; no server has this number.
const POOL: u64 = 1 << 32;

impl Process<'_> {
    /// Strikes one server repeatedly, or any server of the pool, until the shop closes.
    fn strike(&self, between: &Dist, server: Option<ServerId>, faults: &mut Vec<Fault>) {
        let entity = server.map_or(POOL, |server| u64::from(server.0));
        let closes = self.scenario.closes();
        let mut at = Instant::ZERO;
        for visit in 0.. {
            let key = Key { entity, visit, step: self.number, attempt: 0 };
            let mut draw = self.seed.draw(Purpose::Breakdown, key);
            at = at + between.sampler().sample(&mut draw).max(Span::from_nanos(1));
            if at >= closes {
                break;
            }
            let whom = server.unwrap_or_else(|| ServerId(draw.below(self.scenario.servers.count.get32())));
            faults.push(self.fault(at, whom, &mut draw));
        }
    }

    fn fault(&self, at: Instant, server: ServerId, draw: &mut Draw) -> Fault {
        let comeback = Some(self.comeback(draw));
        let kind = match self.rule.how {
            How::Crash => FaultKind::Crash { server, comeback },
            How::Vanish => FaultKind::Vanish { server, comeback },
        };
        Fault { name: self.name.into(), at, kind }
    }

    fn comeback(&self, draw: &mut Draw) -> Comeback {
        let (after, new_host) = match (&self.rule.replace_after, &self.rule.restart_after) {
            (Some(after), _) => (after.sampler().sample(draw), true),
            (None, Some(after)) => (after.sampler().sample(draw), false),
            (None, None) => (self.scenario.servers.boot.get(), true),
        };
        Comeback { after, new_host }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Time;

    const MINUTE: Span = Span::from_secs(60);

    fn scenario(every: Option<Dist>, mtbf: Option<Dist>) -> Scenario {
        let mut scenario = Scenario::house();
        scenario.duration = Time::of(MINUTE * 60);
        let replace_after = Some(Dist::Exponential(Time::of(Span::from_secs(5))));
        scenario.random_faults =
            vec![RandomFaults { name: None, how: How::Crash, every, mtbf, replace_after, restart_after: None }];
        scenario
    }

    fn times(faults: &[Fault], server: u32) -> usize {
        faults.iter().filter(|fault| fault.server() == Some(ServerId(server))).count()
    }

    #[test]
    fn every_so_often_one_of_the_pool() {
        let faults = faults(&scenario(Some(Dist::Constant(Time::of(MINUTE))), None), Seed(1));
        assert_eq!(faults.len(), 59, "none at the moment the shop closes");
        assert!((1..).zip(&faults).all(|(i, fault)| fault.at == Instant::ZERO + MINUTE * i));
        assert!((0..3).all(|server| (10..=30).contains(&times(&faults, server))), "{faults:?}");
    }

    #[test]
    fn each_server_has_its_own_mean_time_between_failures() {
        let faults = faults(&scenario(None, Some(Dist::Exponential(Time::of(MINUTE)))), Seed(1));
        assert!((0..3).all(|server| (40..=80).contains(&times(&faults, server))), "{faults:?}");
    }

    #[test]
    fn a_larger_pool_and_another_process_change_no_luck() {
        let small = scenario(None, Some(Dist::Exponential(Time::of(MINUTE))));
        let mut large = small.clone();
        large.servers.count = crate::scenario::Whole::of(5);
        large.random_faults.push(RandomFaults { how: How::Vanish, ..small.random_faults[0].clone() });
        let (few, many) = (faults(&small, Seed(7)), faults(&large, Seed(7)));
        assert_eq!(few, many[..few.len()]);
        assert_ne!(many[0].at, many.iter().find(|fault| fault.name == "random vanishings").expect("some").at);
    }
}
