//! What it is like to shop from each region of the world.

use super::{LatencyMeter, Told};
use crate::base::time::Instant;
use crate::base::{Command, Outcome, Visit};
use crate::history::Request;
use crate::regions::RegionMap;

/// Latencies by the region in which users are.
#[derive(Clone, Debug)]
pub struct RegionMeters {
    /// In the order of the scenario's names.
    pub regions: Vec<RegionMeter>,
    map: RegionMap,
}

/// One region.
#[derive(Clone, Debug, Default)]
pub struct RegionMeter {
    /// What it is called.
    pub name: String,
    /// Requests of users there that ended.
    pub requests: u64,
    /// Adds that were acknowledged, from meaning to do them.
    pub adds: LatencyMeter,
    /// All steps, from meaning to do them to their final answer.
    pub steps: LatencyMeter,
}

impl RegionMeters {
    /// A meter for each region.
    #[must_use]
    pub fn new(map: RegionMap) -> RegionMeters {
        let meter = |name: &String| RegionMeter { name: name.clone(), ..RegionMeter::default() };
        RegionMeters { regions: map.names.iter().map(meter).collect(), map }
    }

    /// What was measured so far does not count.
    pub fn begin_to_measure(&mut self) {
        for region in &mut self.regions {
            (region.adds, region.steps) = (LatencyMeter::default(), LatencyMeter::default());
        }
    }

    /// A request ended for its user.
    pub fn told(&mut self, now: Instant, visit: Visit, request: Request, told: &Told) {
        let place = self.map.place(visit.user, visit.number, request.step);
        let meter = &mut self.regions[place.index()];
        meter.requests += 1;
        if !told.settled {
            return;
        }
        meter.steps.record(now - told.meant);
        if matches!((request.command, told.outcome), (Command::Add(_), Outcome::Ok(_))) {
            meter.adds.record(now - told.meant);
        }
    }
}
