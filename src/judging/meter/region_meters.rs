//! What users in each region of the world experience.

use super::{LatencyMeter, Told};
use crate::base::time::Instant;
use crate::base::{Command, Outcome, Visit};
use crate::history::Request;
use crate::regions::RegionMap;

/// Latencies by the region that users are in.
#[derive(Clone, Debug)]
pub struct RegionMeters {
    /// In the order of the scenario's names.
    pub regions: Vec<RegionMeter>,
    map: RegionMap,
}

/// The measurements of one region.
#[derive(Clone, Debug, Default)]
pub struct RegionMeter {
    /// Its name.
    pub name: String,
    /// Finished requests of users there.
    pub requests: u64,
    /// Acknowledged adds, from their intended start.
    pub adds: LatencyMeter,
    /// All steps, from their intended start to their final response.
    pub steps: LatencyMeter,
}

impl RegionMeters {
    /// A meter for each region.
    #[must_use]
    pub fn new(map: RegionMap) -> RegionMeters {
        let meter = |name: &String| RegionMeter { name: name.clone(), ..RegionMeter::default() };
        RegionMeters { regions: map.names.iter().map(meter).collect(), map }
    }

    /// Discards what was measured during the warm-up.
    pub fn begin_to_measure(&mut self) {
        for region in &mut self.regions {
            (region.adds, region.steps) = (LatencyMeter::default(), LatencyMeter::default());
        }
    }

    /// A user learned the result of a request.
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
